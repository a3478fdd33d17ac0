//! The list of users.

use axum::{
    extract::{RawQuery, State},
    http::Uri,
};
use domain::{
    App,
    accounts::{self, names},
};
use kit::{
    base_url::BaseUrl,
    credentials::Auth,
    json::Json,
    pages::{self, Page, Place},
    reply::Reply,
};

use crate::{DIALECT, fault, schema, wire::ListedUser};

/// Things a page where the client says nothing.
pub(crate) const PAGE: usize = 10;

/// Most things a page.
pub(crate) const MAX_PAGE: usize = 100;

/// All users, by username. Also at `/api/users/users/`.
#[utoipa::path(
    get, path = "/api/users/", tag = DIALECT,
    params(
        ("username" = Option<String>, Query, description = "Only names that hold this, in any case"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("page_size" = Option<i64>, Query, description = "10; more than 100 is 100"),
    ),
    responses(
        (status = 200, description = "A page of users.", body = Page<ListedUser>),
        (status = 400, description = "No such query.", body = schema::ErrorText),
        (status = 404, description = "No such page.", body = schema::Detail),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Auth(_caller): Auth,
    base: BaseUrl,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<ListedUser>>, Reply> {
    let query = query.unwrap_or_default();
    let asked = pages::asked(&query, PAGE, MAX_PAGE).ok_or_else(fault::bad_query)?;
    let sought = sought(&query).ok_or_else(fault::bad_query)?;
    let (count, people) = accounts::search(&app, &sought, asked).await.map_err(fault::paging)?;
    let users = people.into_iter().map(|person| ListedUser::of(person, &base)).collect();
    let place = Place { base: &base, path: uri.path(), query: &query };
    Ok(Json(Page::new(place, asked, count, users)))
}

/// The part of a name that is looked for; `None` when no database should be asked for it.
fn sought(query: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let text = pairs.filter(|(name, _)| name == "username").last().map(|(_, text)| text.into_owned());
    let text = text.unwrap_or_default();
    (text.chars().nth(names::MAX).is_none() && !text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_sought_unless_it_could_be_nobodys() {
        assert_eq!(sought("").as_deref(), Some(""));
        assert_eq!(sought("page=2&username=J%C3%B6&x=y").as_deref(), Some("Jö"));
        assert_eq!(sought("username=%00"), None);
        assert_eq!(sought(&format!("username={}", "x".repeat(151))), None);
    }
}
