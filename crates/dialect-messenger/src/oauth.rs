//! 42 sign-in: RFC 6749, authorization code grant.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{oauth, ports::OAuthProvider};
use kit::{base_url::BaseUrl, json::Json, reply::Reply};

use crate::{DIALECT, Messenger, fault, schema, wire::SignedIn};

/// The provider's name among an account's identities.
const PROVIDER: &str = "42";

/// The cookie that ties a callback to the browser that asked.
const STATE_COOKIE: &str = "tertulia_oauth_state";

/// How long a sign-in at 42 may take.
const STATE_LIFE: Duration = Duration::from_mins(10);

/// States remembered at most.
const MAX_SPENT: usize = 100_000;

/// The states that came back already: each is good once.
#[derive(Default)]
pub(crate) struct SpentStates(Mutex<HashMap<String, Instant>>);

impl SpentStates {
    /// Marks a state; `false` when it was already.
    fn spend(&self, state: &str) -> bool {
        let now = Instant::now();
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MAX_SPENT {
            spent.retain(|_, at| now.duration_since(*at) < STATE_LIFE);
        }
        spent.insert(state.to_owned(), now).is_none()
    }
}

/// Sends the browser to 42.
#[utoipa::path(
    get, path = "/oauth/authorize/", tag = DIALECT, security(()),
    responses(
        (status = 302, description = "To 42."),
        (status = 503, description = "Not configured.", body = schema::MessageText),
    ),
)]
pub(crate) async fn authorize(State(messenger): State<Messenger>, base: BaseUrl) -> Result<Response, Reply> {
    let provider = provider(&messenger)?;
    let mut state = [0; 32];
    messenger.context.app.ids.fill(&mut state);
    let state = hex::encode(state);
    let location = provider.authorize_url(&redirect_uri(&base), &state);
    let cookie = format!(
        "{STATE_COOKIE}={state}; Path=/oauth; Max-Age={}; HttpOnly; SameSite=Lax{}",
        STATE_LIFE.as_secs(),
        secure(&base)
    );
    redirect(&location, &[cookie])
}

/// Takes the browser back, and signs its person in.
#[utoipa::path(
    get, path = "/oauth/callback/", tag = DIALECT, security(()),
    params(
        ("code" = Option<String>, Query, description = "What 42 gives for the person's consent"),
        ("state" = Option<String>, Query, description = "What was sent to 42"),
    ),
    responses(
        (status = 200, description = "The session's tokens.", body = SignedIn),
        (status = 302, description = "To the home URL, with the tokens in cookies."),
        (status = 400, description = "A wrong state, or 42 gave no token.", body = schema::MessageText),
        (status = 502, description = "42 could not be asked.", body = schema::MessageText),
        (status = 503, description = "Not configured.", body = schema::MessageText),
    ),
)]
pub(crate) async fn callback(
    State(messenger): State<Messenger>,
    headers: HeaderMap,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<Response, Reply> {
    let provider = provider(&messenger)?;
    let query = query.unwrap_or_default();
    let parameter = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
    };
    let state = parameter("state").filter(|state| cookie(&headers, STATE_COOKIE) == Some(state));
    if !state.is_some_and(|state| messenger.spent_states.spend(&state)) {
        return Err(fault::message_reply(StatusCode::BAD_REQUEST, "Invalid state parameter"));
    }
    let code = parameter("code").filter(|_| parameter("error").is_none());
    let Some(code) = code else {
        return Err(fault::message_reply(StatusCode::BAD_REQUEST, "Failed to obtain access token"));
    };
    let app = &messenger.context.app;
    let tokens = oauth::sign_in(app, (PROVIDER, &*provider), &code, &redirect_uri(&base), DIALECT).await;
    let signed: SignedIn = tokens.map_err(fault::signing_in_by_42)?.into();
    let forget = format!("{STATE_COOKIE}=; Path=/oauth; Max-Age=0; HttpOnly; SameSite=Lax{}", secure(&base));
    match &messenger.settings.home_url {
        None => {
            let mut response = Json(signed).into_response();
            append_cookies(&mut response, &[forget])?;
            Ok(response)
        }
        Some(home) => {
            // Readable by scripts: the web clients of this API take their tokens from here.
            let cookie =
                |name: &str, value: &str| format!("{name}={value}; Path=/; SameSite=Lax{}", secure(&base));
            redirect(
                home,
                &[
                    forget,
                    cookie("access_token", &signed.access_token),
                    cookie("refresh_token", &signed.refresh_token),
                    cookie("token_auth", &signed.token_auth),
                ],
            )
        }
    }
}

fn provider(messenger: &Messenger) -> Result<Arc<dyn OAuthProvider>, Reply> {
    messenger
        .settings
        .fortytwo
        .clone()
        .ok_or_else(|| fault::message_reply(StatusCode::SERVICE_UNAVAILABLE, "42 sign-in is not configured"))
}

fn redirect_uri(base: &BaseUrl) -> String {
    format!("{}/oauth/callback", base.0)
}

fn secure(base: &BaseUrl) -> &'static str {
    if base.0.starts_with("https:") { "; Secure" } else { "" }
}

fn redirect(location: &str, cookies: &[String]) -> Result<Response, Reply> {
    let location = HeaderValue::try_from(location).map_err(|fault| domain::Error::Internal(fault.into()))?;
    let mut response = (StatusCode::FOUND, [(header::LOCATION, location)]).into_response();
    append_cookies(&mut response, cookies)?;
    Ok(response)
}

fn append_cookies(response: &mut Response, cookies: &[String]) -> Result<(), Reply> {
    for cookie in cookies {
        let cookie = HeaderValue::try_from(cookie).map_err(|fault| domain::Error::Internal(fault.into()))?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(())
}

/// The value of a cookie (RFC 6265, 5.4).
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once() {
        let spent = SpentStates::default();
        assert!(spent.spend("a"));
        assert!(!spent.spend("a"));
        assert!(spent.spend("b"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "d"), None);
    }
}
