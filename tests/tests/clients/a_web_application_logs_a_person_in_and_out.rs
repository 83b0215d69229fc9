//! The code flow of a confidential client, with each way to authenticate that its library offers.

use anyhow::{Result, ensure};
use claviger_tests::relying_party::Language;

use crate::login::{Home, in_and_out};

async fn web(language: Language, client: &str, authentication: &str) -> Result<()> {
    let home =
        Home { callback: "https://web.example/callback".to_owned(), goodbye: "https://web.example/goodbye".to_owned() };
    let authorization_url = in_and_out(language, client, authentication, &home).await?;
    let has_challenge = authorization_url.query_pairs().any(|(name, _)| name == "code_challenge");
    ensure!(has_challenge == (client != "plain"), "{authorization_url}");
    Ok(())
}

#[tokio::test]
async fn in_python_with_a_secret_in_the_header() -> Result<()> {
    web(Language::Python, "web", "client_secret_basic").await
}

#[tokio::test]
async fn in_python_with_a_secret_in_the_form() -> Result<()> {
    web(Language::Python, "web", "client_secret_post").await
}

#[tokio::test]
async fn in_python_with_a_key() -> Result<()> {
    web(Language::Python, "signed", "private_key_jwt").await
}

/// As Authlib does when it is told no `code_challenge_method`.
#[tokio::test]
async fn in_python_without_pkce() -> Result<()> {
    web(Language::Python, "plain", "client_secret_basic").await
}

/// Authlib puts it into the header as it is, with `+`, `/` and `=`.
#[tokio::test]
async fn in_python_with_a_secret_from_elsewhere() -> Result<()> {
    web(Language::Python, "existing", "client_secret_basic").await
}

#[tokio::test]
async fn in_javascript_with_a_secret_in_the_header() -> Result<()> {
    web(Language::JavaScript, "web", "client_secret_basic").await
}

#[tokio::test]
async fn in_javascript_with_a_secret_in_the_form() -> Result<()> {
    web(Language::JavaScript, "web", "client_secret_post").await
}

#[tokio::test]
async fn in_javascript_with_a_key() -> Result<()> {
    web(Language::JavaScript, "signed", "private_key_jwt").await
}

#[tokio::test]
async fn in_go_with_a_secret_in_the_header() -> Result<()> {
    web(Language::Go, "web", "client_secret_basic").await
}

#[tokio::test]
async fn in_go_with_a_secret_in_the_form() -> Result<()> {
    web(Language::Go, "web", "client_secret_post").await
}

/// `golang.org/x/oauth2` form-encodes it, as RFC 6749 §2.3.1 has it.
#[tokio::test]
async fn in_go_with_a_secret_from_elsewhere() -> Result<()> {
    web(Language::Go, "existing", "client_secret_basic").await
}

/// As `golang.org/x/oauth2` does when it is told nothing: it tries one way, then the other.
#[tokio::test]
async fn in_go_with_a_secret_wherever_it_is_taken() -> Result<()> {
    web(Language::Go, "web", "").await
}

#[tokio::test]
async fn in_java_with_a_secret_in_the_header() -> Result<()> {
    web(Language::Java, "web", "client_secret_basic").await
}

#[tokio::test]
async fn in_java_with_a_secret_in_the_form() -> Result<()> {
    web(Language::Java, "web", "client_secret_post").await
}

#[tokio::test]
async fn in_java_with_a_key() -> Result<()> {
    web(Language::Java, "signed", "private_key_jwt").await
}

#[tokio::test]
async fn in_rust_with_a_secret_in_the_header() -> Result<()> {
    web(Language::Rust, "web", "client_secret_basic").await
}

#[tokio::test]
async fn in_rust_with_a_secret_in_the_form() -> Result<()> {
    web(Language::Rust, "web", "client_secret_post").await
}
