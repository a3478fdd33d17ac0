//! `/`: the rooms of whoever is signed in, with what is said in them as it comes.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use domain::{App, Error, accounts, sessions};
use kit::base_url::BaseUrl;

use super::{
    Paged, Visitor,
    cookies::{self, SESSION},
    forms::Forms,
    found, page, with_cookie,
};
use crate::DIALECT;

/// Where one signs in to come back here.
const SIGN_IN: &str = "/login/?next=/";

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    proof: &'a str,
    name: &'a str,
    role: &'static str,
    id: i64,
    access: &'a str,
    refresh: &'a str,
}

/// The home page; without a session it leads to the sign-in.
#[utoipa::path(
    get, path = "/", tag = DIALECT, security(()),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 302, description = "To the sign-in."),
    ),
)]
pub(crate) async fn home(State(app): State<App>, BaseUrl(base): BaseUrl, headers: HeaderMap) -> Paged {
    let Some(visitor) = Visitor::of(&app, &headers).await? else {
        let answer = found(SIGN_IN);
        let had_one = cookies::value(&headers, SESSION).is_some();
        return Ok(if had_one { with_cookie(answer, cookies::clear(SESSION, &base)) } else { answer });
    };
    let person = match accounts::person(&app, visitor.caller.account).await {
        Err(Error::NotFound(_)) => return Ok(found(SIGN_IN)),
        other => other?,
    };
    let tokens = sessions::page_tokens(&app, &visitor.caller)?;
    let forms = Forms::of(&app, &headers, Some(&visitor));
    let home = Home {
        proof: &forms.proof,
        name: &person.username,
        role: person.role.as_str(),
        id: person.id.0,
        access: &tokens.access,
        refresh: &tokens.refresh,
    };
    Ok(forms.with_cookie(page(StatusCode::OK, &home)?, &base))
}
