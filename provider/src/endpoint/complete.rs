//! `POST oauth/authorize/complete`: a login page of somebody's own exchanges the `session_id` of a
//! finished login for the code. Every parameter has to be that of the authorization request.

use axum::body::Body;
use axum::response::Response;
use serde::Deserialize;

use crate::authorize::request::AuthorizationRequest;
use crate::flow::cookie;
use crate::interaction::answer::Answer;
use crate::interaction::failure::Failure;
use crate::interaction::finish::Finished;
use crate::interaction::told;
use crate::web::bearer::private_json;
use crate::web::error::{self, ErrorCode, OAuthError};
use crate::web::exchange::Exchange;
use crate::web::json_body;
use crate::web::same_origin::SameOrigin;

/// `AuthorizeCompleteRequest`, before anything is required of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    session_id: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    response_type: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// The code, with where to take it.
pub(crate) async fn respond(exchange: &Exchange<'_>, body: Body) -> Response {
    match complete(exchange, body).await {
        Ok(response) => response,
        Err(Refused::Failure(failure)) => {
            told::tell(exchange, &failure);
            failure.json()
        }
        Err(Refused::Fields(faults)) => error::ValidationError::new(faults).into_response(),
    }
}

enum Refused {
    Failure(Failure),
    Fields(Vec<error::Fault>),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// 1. Who sends it. 2. The body. 3. The finished login, in its browser. 4. Each parameter. 5. Its use.
async fn complete(exchange: &Exchange<'_>, body: Body) -> Result<Response, Refused> {
    let headers = &exchange.parts.headers;
    let _same_origin = SameOrigin::check(headers, &exchange.tenant.issuer.url).map_err(Failure::from)?;
    if !json_body::is_json(headers) {
        let description = "the body has to be application/json";
        return Err(Failure::Body(OAuthError::new(ErrorCode::InvalidRequest, description)).into());
    }
    let bytes = json_body::read(body).await.map_err(Failure::Body)?;
    let (wire, faults): (Wire, _) = json_body::parse_fields(&bytes).map_err(Failure::Body)?;
    wire.require(faults).map_err(Refused::Fields)?;
    let finished = wire.session_id.as_deref().and_then(|text| Finished::open(text, exchange));
    let finished = finished.ok_or(Failure::NotOurs("session_id"))?;
    if finished.expires_at() <= exchange.provider.now() {
        return Err(Failure::Late("session_id", None).into());
    }
    cookie::check(headers, &exchange.tenant, &finished.flow).map_err(Failure::from)?;
    if !finished.is_current(&exchange.tenant) {
        return Err(Failure::ClientGone(finished.flow.request.client_id).into());
    }
    if !wire.is(&finished.flow.request) {
        let description = "a parameter is not that of the authorization request";
        return Err(Failure::Body(OAuthError::new(ErrorCode::InvalidRequest, description)).into());
    }
    let (store, tenant) = (exchange.provider.store(), &exchange.tenant.issuer.key);
    if !store.consume_login(tenant, finished.id, finished.expires_at()).await.map_err(Failure::from)? {
        return Err(Failure::Used.into());
    }
    let flow = finished.flow.clone();
    let answer = finished.answer(exchange).await?;
    let code = answer.parameters.iter().find(|(name, _)| *name == "code").map(|(_, code)| code.as_str());
    let body = Completed {
        code: code.unwrap_or_default(),
        state: flow.request.state.as_deref(),
        iss: &exchange.tenant.issuer.url,
        answer: Answer::of(&answer),
    };
    let mut response = private_json(serde_json::to_vec(&body).unwrap_or_default());
    cookie::finish(response.headers_mut(), headers, &exchange.tenant, &flow);
    Ok(response)
}

#[derive(serde::Serialize)]
struct Completed<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    iss: &'a str,
    #[serde(flatten)]
    answer: Answer<'a>,
}

impl Wire {
    /// Every fault there is: those that were found already, and each required field that is missing beside them.
    fn require(&self, mut faults: Vec<error::Fault>) -> Result<(), Vec<error::Fault>> {
        let fields = [
            ("session_id", &self.session_id),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("response_type", &self.response_type),
        ];
        let missing: Vec<error::Fault> = fields
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| error::Fault::missing("body", name))
            .filter(|missing| faults.iter().all(|known| known.loc() != missing.loc()))
            .collect();
        faults.extend(missing);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether each parameter is that of `request`.
    fn is(&self, request: &AuthorizationRequest) -> bool {
        let challenge = request.code_challenge.as_ref().map(ToString::to_string);
        let method = challenge.as_ref().map(|_| "S256");
        self.client_id.as_deref() == Some(&request.client_id)
            && self.redirect_uri.as_deref() == Some(request.redirect_uri.as_str())
            && self.scope.as_deref().is_some_and(|scope| request.has_scope(scope))
            && self.response_type.as_deref() == Some("code")
            && self.state == request.state
            && self.nonce == request.nonce
            && self.code_challenge == challenge
            && self.code_challenge_method.as_deref() == method
    }
}
