//! `/logout/`.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{App, sessions};
use kit::{base_url::BaseUrl, body::Body, reply::Reply};

use super::{
    Paged, Visitor,
    cookies::{self, SESSION},
    forged,
    forms::{FIELD, Forms, form_of, is_genuine},
    found, is_of_this_site, is_prefetch, with_cookie,
};
use crate::{DIALECT, schema};

#[derive(Template)]
#[template(path = "logout.html")]
struct Logout<'a> {
    proof: &'a str,
}

/// Asks whether to sign out. A link of this site's own, or the person's own doing, signs out at once.
#[utoipa::path(
    get, path = "/logout/", tag = DIALECT, security(()),
    responses(
        (status = 200, description = "A page with a button.", content_type = "text/html", body = String),
        (status = 302, description = "Signed out, now or before."),
    ),
)]
pub(crate) async fn page(State(app): State<App>, BaseUrl(base): BaseUrl, headers: HeaderMap) -> Paged {
    let Some(visitor) = Visitor::of(&app, &headers).await? else { return Ok(found("/")) };
    if is_of_this_site(&headers) == Some(true) && !is_prefetch(&headers) {
        return end(&app, &visitor, &base).await;
    }
    let forms = Forms::of(&app, &headers, Some(&visitor));
    let answer = page_of(&forms)?;
    Ok(forms.with_cookie(answer, &base))
}

/// Signs out.
#[utoipa::path(
    post, path = "/logout/", tag = DIALECT, security(()),
    request_body(content = schema::LogoutForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 302, description = "Signed out."),
        (status = 403, description = "No form of this server's.", content_type = "text/html", body = String),
    ),
)]
pub(crate) async fn sign_out(
    State(app): State<App>,
    BaseUrl(base): BaseUrl,
    headers: HeaderMap,
    body: Result<Body, Reply>,
) -> Paged {
    let body = form_of(body)?;
    match Visitor::of(&app, &headers).await? {
        Some(visitor) if is_genuine(&app, &headers, Some(&visitor), &body) => {
            end(&app, &visitor, &base).await
        }
        // The session has ended before: whoever sent a form wanted just that.
        None if body.has(FIELD) => Ok(found("/")),
        _ => forged(),
    }
}

fn page_of(forms: &Forms) -> Paged {
    super::page(StatusCode::OK, &Logout { proof: &forms.proof })
}

/// Ends the session, and forgets its cookie.
async fn end(app: &App, visitor: &Visitor, base: &str) -> Result<Response, Reply> {
    sessions::sign_out(app, &visitor.caller, DIALECT).await?;
    Ok(with_cookie(found("/"), cookies::clear(SESSION, base)))
}
