//! A relying party on the crate `openidconnect`. `../README.md` has the conversation that it holds on
//! its standard input and output.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGrantType, CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreSubjectIdentifierType,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::reqwest::blocking::Client as Http;
use openidconnect::reqwest::{self, Certificate};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IntrospectionUrl, IssuerUrl, LogoutProviderMetadata,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadata,
    RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl, Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Settings {
    grant: String,
    issuer: IssuerUrl,
    client_id: ClientId,
    authentication: String,
    client_secret: Option<ClientSecret>,
    redirect_uri: Option<RedirectUrl>,
    post_logout_redirect_uri: Option<PostLogoutRedirectUrl>,
    scope: String,
    /// The library brings its own list of CAs.
    ca_file: PathBuf,
}

/// What the library itself does not read of the metadata.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Endpoints {
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for Endpoints {}

type Metadata = ProviderMetadata<
    LogoutProviderMetadata<Endpoints>,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

struct RelyingParty {
    settings: Settings,
    metadata: Metadata,
    client: Client,
    http: Http,
}

fn hear() -> Result<String> {
    let mut line = String::new();
    ensure!(std::io::stdin().read_line(&mut line)? > 0, "nothing more is said");
    Ok(line.trim().to_owned())
}

fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

impl RelyingParty {
    fn discover(settings: Settings) -> Result<Self> {
        let ca = Certificate::from_pem(&std::fs::read(&settings.ca_file)?)?;
        // As the library's manual says: an endpoint that redirects is not to be followed.
        let http = Http::builder().redirect(reqwest::redirect::Policy::none()).add_root_certificate(ca).build()?;
        let metadata = Metadata::discover(&settings.issuer, &http)?;
        let endpoints = &metadata.additional_metadata().additional_metadata;
        let auth_type = match settings.authentication.as_str() {
            "client_secret_basic" => AuthType::BasicAuth,
            "client_secret_post" | "none" => AuthType::RequestBody,
            other => bail!("no such authentication: {other}"),
        };
        let id = settings.client_id.clone();
        let mut client = CoreClient::from_provider_metadata(metadata.clone(), id, settings.client_secret.clone())
            .set_auth_type(auth_type)
            .set_introspection_url(endpoints.introspection_endpoint.clone())
            .set_revocation_url(endpoints.revocation_endpoint.clone());
        if let Some(uri) = &settings.redirect_uri {
            client = client.set_redirect_uri(uri.clone());
        }
        Ok(Self { settings, metadata, client, http })
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.settings.scope.split(' ').map(|scope| Scope::new(scope.to_owned()))
    }

    /// Signature by the published keys, iss, aud, azp, exp, iat, nonce where there was one, and at_hash.
    fn verify<'a>(&self, tokens: &'a CoreTokenResponse, nonce: Option<&Nonce>) -> Result<&'a CoreIdTokenClaims> {
        let id_token = tokens.id_token().context("no ID token came")?;
        let verifier = self.client.id_token_verifier();
        let claims = match nonce {
            Some(nonce) => id_token.claims(&verifier, nonce)?,
            None => id_token.claims(&verifier, |_: Option<&Nonce>| Ok(()))?,
        };
        let expected = claims.access_token_hash().context("the ID token has no at_hash")?;
        let (algorithm, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)?;
        ensure!(actual == *expected, "the ID token belongs to another access token");
        Ok(claims)
    }

    /// A person's login, up to the tokens.
    fn exchange(&self, nonce: &Nonce) -> Result<CoreTokenResponse> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let asked = nonce.clone();
        let request = self.client.authorize_url(flow, CsrfToken::new_random, move || asked);
        // The library adds `openid` itself.
        let scopes = self.scopes().filter(|scope| scope.as_str() != "openid");
        let (url, state, _) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        say(url);
        let callback = Url::parse(&hear()?)?;
        let parameter = |name: &str| {
            let found = callback.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).with_context(|| format!("no {name} in {callback}"))
        };
        let answers_us = parameter("state")? == *state.secret() && parameter("iss")? == **self.metadata.issuer();
        ensure!(answers_us, "not the answer to our request: {callback}");
        let code = self.client.exchange_code(AuthorizationCode::new(parameter("code")?))?;
        Ok(code.set_pkce_verifier(verifier).request(&self.http)?)
    }

    /// Looks at `access`, revokes `revoked`, and looks again.
    fn introspect_around(
        &self,
        report: &mut Map<String, Value>,
        access: &AccessToken,
        revoked: CoreRevocableToken,
    ) -> Result<()> {
        let may_introspect = self.settings.authentication != "none";
        let introspect = || -> Result<Value> {
            let found = self.client.introspect(access).request(&self.http)?;
            Ok(serde_json::to_value(found)?)
        };
        if may_introspect {
            report.insert("introspection".to_owned(), introspect()?);
        }
        self.client.revoke_token(revoked)?.request(&self.http)?;
        if may_introspect {
            report.insert("introspection_after_revocation".to_owned(), introspect()?);
        }
        Ok(())
    }

    fn refresh(&self, token: &RefreshToken) -> Result<Result<CoreTokenResponse, CoreErrorResponseType>> {
        match self.client.exchange_refresh_token(token)?.request(&self.http) {
            Ok(tokens) => Ok(Ok(tokens)),
            Err(RequestTokenError::ServerResponse(refusal)) => Ok(Err(refusal.error().clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// A person's login, and all that comes after it.
    fn log_in(&self) -> Result<Map<String, Value>> {
        let nonce = Nonce::new_random();
        let tokens = self.exchange(&nonce)?;
        let claims = self.verify(&tokens, Some(&nonce))?;
        let subject = Some(claims.subject().clone());
        let userinfo = self.client.user_info(tokens.access_token().clone(), subject)?;
        let userinfo: CoreUserInfoClaims = userinfo.request(&self.http)?;
        let first = tokens.refresh_token().context("no refresh token came")?;
        let refreshed = self.refresh(first)?.map_err(|error| anyhow::anyhow!("refused: {error:?}"))?;
        let refreshed_claims = self.verify(&refreshed, None)?;
        let second = refreshed.refresh_token().context("no second refresh token came")?;

        let mut report = Map::new();
        report.insert("claims".to_owned(), serde_json::to_value(claims)?);
        report.insert("userinfo".to_owned(), serde_json::to_value(userinfo)?);
        report.insert("refreshed".to_owned(), serde_json::to_value(refreshed_claims)?);
        report.insert("rotated".to_owned(), json!(first.secret() != second.secret()));
        self.introspect_around(&mut report, refreshed.access_token(), second.clone().into())?;
        report.insert("refresh_after_revocation".to_owned(), json!(self.refresh(second)?.err()));

        let end = self.metadata.additional_metadata().end_session_endpoint.clone().context("no logout")?;
        let home = self.settings.post_logout_redirect_uri.clone().context("no post_logout_redirect_uri")?;
        let logout = LogoutRequest::from(end)
            .set_id_token_hint(refreshed.id_token().context("no ID token came")?)
            .set_post_logout_redirect_uri(home)
            .set_state(CsrfToken::new("signed-out".to_owned()));
        report.insert("logout_url".to_owned(), json!(logout.http_get_url()));
        Ok(report)
    }

    /// A service in its own name.
    fn act_alone(&self) -> Result<Map<String, Value>> {
        let request = self.client.exchange_client_credentials()?.add_scopes(self.scopes());
        let tokens = request.request(&self.http)?;
        let mut report = Map::new();
        let seconds = tokens.expires_in().map(|lifetime| lifetime.as_secs());
        report.insert("expires_in".to_owned(), json!(seconds));
        self.introspect_around(&mut report, tokens.access_token(), tokens.access_token().clone().into())?;
        Ok(report)
    }
}

fn main() -> Result<()> {
    let party = RelyingParty::discover(serde_json::from_str(&hear()?)?)?;
    let report = match party.settings.grant.as_str() {
        "client_credentials" => party.act_alone()?,
        _ => party.log_in()?,
    };
    say(Value::Object(report));
    Ok(())
}
