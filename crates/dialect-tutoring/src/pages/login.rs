//! `/login/`.

use std::{net::IpAddr, time::Duration};

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use domain::{
    App, Error, Refusal, codes,
    sessions::{self, CodePolicy, SignIn},
};
use kit::{
    base_url::{BaseUrl, ClientAddress},
    body::{Body, Content},
    reply::Reply,
};

use super::{
    Paged, Visitor,
    cookies::{self, SESSION},
    forged,
    forms::{Forms, form_of, is_genuine},
    found, next, page, with_cookie,
};
use crate::{DIALECT, schema, tokens::code};

/// The page.
#[derive(Default, Template)]
#[template(path = "login.html")]
struct Login<'a> {
    proof: &'a str,
    next: &'a str,
    username: &'a str,
    /// Whether the code is asked for.
    asks_code: bool,
    /// What went wrong.
    error: &'a str,
    /// What happened.
    notice: &'a str,
}

/// What was sent.
struct Sent {
    username: String,
    password: String,
    code: Option<String>,
    next: String,
}

/// What the person is told instead of being let in.
struct Told {
    status: StatusCode,
    asks_code: bool,
    error: String,
    notice: &'static str,
    /// When trying again makes sense.
    wait: Option<Duration>,
}

/// The sign-in form.
#[utoipa::path(
    get, path = "/login/", tag = DIALECT, security(()),
    params(("next" = Option<String>, Query, description = "A local path, to go to afterwards")),
    responses((status = 200, description = "The form.", content_type = "text/html", body = String)),
)]
pub(crate) async fn form(
    State(app): State<App>,
    BaseUrl(base): BaseUrl,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Paged {
    let visitor = Visitor::of(&app, &headers).await?;
    let forms = Forms::of(&app, &headers, visitor.as_ref());
    let next = next_in(query.as_deref());
    let login = Login { proof: &forms.proof, next: next::local(&next), ..Login::default() };
    Ok(forms.with_cookie(page(StatusCode::OK, &login)?, &base))
}

/// Signs in, and leads to where one wanted to go.
#[utoipa::path(
    post, path = "/login/", tag = DIALECT, security(()),
    request_body(content = schema::LoginForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The form again, with what is wrong.", content_type = "text/html", body = String),
        (status = 302, description = "Signed in: to `next`."),
        (status = 403, description = "No form of this server's.", content_type = "text/html", body = String),
    ),
)]
pub(crate) async fn sign_in(
    State(app): State<App>,
    BaseUrl(base): BaseUrl,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Result<Body, Reply>,
) -> Paged {
    let body = form_of(body)?;
    let visitor = Visitor::of(&app, &headers).await?;
    if !is_genuine(&app, &headers, visitor.as_ref(), &body) {
        return forged();
    }
    let sent = Sent::of(&body, query.as_deref());
    match sent.sign_in(&app, address).await? {
        Ok(secret) => {
            let answer = found(next::local(&sent.next));
            Ok(with_cookie(answer, cookies::set(SESSION, &secret, &base)))
        }
        Err(told) => {
            let forms = Forms::of(&app, &headers, visitor.as_ref());
            Ok(forms.with_cookie(told.page(&forms, &sent)?, &base))
        }
    }
}

impl Sent {
    fn of(body: &Content, query: Option<&str>) -> Self {
        let text = |name: &str| body.value(name).and_then(|value| value.as_str()).map(str::to_owned);
        Self {
            username: text("username").unwrap_or_default().trim().to_owned(),
            password: text("password").unwrap_or_default(),
            code: code(body),
            next: text("next").unwrap_or_else(|| next_in(query)),
        }
    }

    /// The secret of a new session, or what the person is told.
    async fn sign_in(&self, app: &App, address: IpAddr) -> Result<Result<String, Told>, Reply> {
        if self.username.is_empty() || self.password.is_empty() {
            return Ok(Err(Told::wrong("Please enter your name and your password.")));
        }
        let ask = SignIn {
            username: &self.username,
            password: &self.password,
            code: CodePolicy::WhereOn(self.code.as_deref()),
            dialect: DIALECT,
            address,
        };
        Ok(match sessions::sign_in(app, &ask).await {
            Ok(tokens) => Ok(sessions::page_secret(app, tokens.session)),
            Err(Error::Unauthenticated(Refusal::CodeRequired)) if self.code.is_none() => {
                Err(self.mail_code(app, address).await?)
            }
            Err(Error::Unauthenticated(Refusal::CodeRequired)) => Err(Told {
                asks_code: true,
                ..Told::wrong("That code is not right, or not any more. Leave it empty to get another one.")
            }),
            Err(Error::Unauthenticated(_)) => {
                Err(Told::wrong("Please enter a correct username and password. Both may be case-sensitive."))
            }
            Err(Error::Throttled(wait)) => Err(Told::throttled(wait)),
            Err(fault) => return Err(fault.into()),
        })
    }

    /// Mails a code to one whose password was right.
    async fn mail_code(&self, app: &App, address: IpAddr) -> Result<Told, Reply> {
        let ask =
            codes::Ask { username: &self.username, email: None, password: Some(&self.password), address };
        match codes::send(app, ask).await {
            Ok(()) => Ok(Told {
                asks_code: true,
                notice: "We have mailed you a code. Enter it here, with your password once more.",
                ..Told::wrong("")
            }),
            Err(Error::Throttled(wait)) => Ok(Told { asks_code: true, ..Told::throttled(wait) }),
            Err(Error::NotFound(_)) => Ok(Told::wrong("Please enter a correct username and password.")),
            Err(fault) => Err(fault.into()),
        }
    }
}

impl Told {
    fn wrong(error: &str) -> Self {
        Self { status: StatusCode::OK, asks_code: false, error: error.into(), notice: "", wait: None }
    }

    fn throttled(wait: Duration) -> Self {
        let seconds = seconds(wait);
        let error = format!("That was tried too often. Please wait {seconds} seconds.");
        Self { status: StatusCode::TOO_MANY_REQUESTS, wait: Some(wait), ..Self::wrong(&error) }
    }

    /// The form again.
    fn page(&self, forms: &Forms, sent: &Sent) -> Paged {
        let login = Login {
            proof: &forms.proof,
            next: next::local(&sent.next),
            username: &sent.username,
            asks_code: self.asks_code,
            error: &self.error,
            notice: self.notice,
        };
        let mut answer = page(self.status, &login)?;
        if let Some(wait) = self.wait {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        Ok(answer)
    }
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn next_in(query: Option<&str>) -> String {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "next").map_or_else(|| "/".into(), |(_, value)| value.into_owned())
}
