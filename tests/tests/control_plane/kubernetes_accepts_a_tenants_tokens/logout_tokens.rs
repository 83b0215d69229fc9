//! Whoever is told of a person's logout holds a token about that person, by the tenant's key and for the client that
//! the cluster accepts. It must be nobody there.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;

/// The logout token of the one request that comes.
fn told(listener: &TcpListener) -> Result<String> {
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        // Three parts, of which the last is a signature by ES256 or RS256: at least 86 characters.
        let token = text.split_once("logout_token=").map(|(_, token)| token.to_owned());
        let is_whole = |token: &String| token.rsplit_once('.').is_some_and(|(_, signature)| signature.len() >= 342);
        if let Some(token) = token.filter(is_whole) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            return Ok(token);
        }
        ensure!(read > 0, "no logout token: {text}");
    }
}

#[tokio::test]
async fn a_token_that_tells_of_a_logout_is_nobody_at_the_cluster() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let uri = format!("http://{}/logout", listener.local_addr()?);
    let stage = Stage::build_told_at(&uri, &[], &[], "").await?;
    let id_token = stage.id_token("grace", "acme", "kubernetes").await?;
    let who = eventually(LIMIT, "the cluster knows the issuer", async || stage.whoami(&id_token).await).await?;
    let logout = Url::parse_with_params(
        &format!("{}/oauth/logout", stage.dev.issuer("acme")),
        [("id_token_hint", id_token.as_str()), ("post_logout_redirect_uri", CALLBACK)],
    )?;
    UserAgent::new(&stage.dev.ca(), "grace", PASSWORD)?.open_until(logout.as_str(), CALLBACK).await?;
    let token = tokio::task::spawn_blocking(move || told(&listener)).await??;
    let (told, about) = (claims(&token)?, claims(&id_token)?);
    ensure!(told["sub"] == about["sub"] && told["aud"] == "kubernetes" && told["events"].is_object(), "{told}");
    ensure!(kid(&token)? == kid(&id_token)?, "by another key");
    refused(&stage, &token).await?;
    // The API server is well, and still knows her by the other.
    ensure!(stage.whoami(&id_token).await?["username"] == who["username"], "{who}");
    Ok(())
}
