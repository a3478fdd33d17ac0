//! The history of a friendship, page by page.

use axum::{
    extract::{Path, RawQuery, State},
    http::Uri,
};
use domain::{
    App, RelationId,
    conversations::{self, Bound, Span},
};
use kit::{
    base_url::BaseUrl,
    credentials::Auth,
    json::Json,
    pages::{self, Page, Place},
    reply::Reply,
    times::Moment,
};
use uuid::Uuid;

use crate::{
    DIALECT, fault, schema,
    users::{MAX_PAGE, PAGE},
    wire::MessageStatus,
};

/// Messages of a friendship with their receipts. What the caller reads here is received. Also at
/// `/api/messages/friendship/{id}/messages/`.
#[utoipa::path(
    get, path = "/api/messages/status/friendship/{id}/messages/", tag = DIALECT,
    params(
        ("id" = Uuid, Path, description = "The friendship"),
        ("after" = Option<bool>, Query, description = "From the bound on, oldest first"),
        ("before" = Option<bool>, Query, description = "Up to the bound, newest first"),
        ("start_date" = Option<String>, Query, description = "A bound: a date, or a date and time, in ISO 8601"),
        ("message_id" = Option<Uuid>, Query, description = "A bound: a message; also `start_message_id`"),
        ("page" = Option<i64>, Query, description = "From 1"),
        ("page_size" = Option<i64>, Query, description = "10; more than 100 is 100"),
    ),
    responses(
        (status = 200, description = "A page of messages.", body = Page<MessageStatus>),
        (status = 400, description = "No such query.", body = schema::ErrorText),
        (status = 404, description = "No such friendship or page.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Auth(caller): Auth,
    Path(id): Path<String>,
    base: BaseUrl,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<MessageStatus>>, Reply> {
    let relation = RelationId(Uuid::parse_str(&id).map_err(|_| fault::no_friendship())?);
    let query = query.unwrap_or_default();
    let asked = pages::asked(&query, PAGE, MAX_PAGE).ok_or_else(fault::bad_query)?;
    let span = span(&query).ok_or_else(fault::bad_query)?;
    let found = conversations::read(&app, &caller, relation, span, asked).await;
    let (count, messages) = found.map_err(fault::reading)?;
    let statuses =
        messages.iter().filter_map(|message| MessageStatus::of(message, relation, &base)).collect();
    let place = Place { base: &base, path: uri.path(), query: &query };
    Ok(Json(Page::new(place, asked, count, statuses)))
}

/// What a query may say of the span; of repeated parameters the last counts.
#[derive(Default)]
struct Asked {
    after: bool,
    before: bool,
    date: Option<String>,
    message: Option<String>,
}

/// The span that a query asks for. `None` when it asks for none that makes sense: a bound needs exactly one flag, and
/// there is at most one bound.
fn span(query: &str) -> Option<Span> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "after" => asked.after = is_set(&value),
            "before" => asked.before = is_set(&value),
            "start_date" => asked.date = Some(value.into_owned()),
            "message_id" | "start_message_id" => asked.message = Some(value.into_owned()),
            _ => {}
        }
    }
    let (date, message) = match (&asked.date, &asked.message) {
        (Some(_), Some(_)) => return None,
        (date, message) => {
            let date = date.as_deref().map(|text| Moment::parse(text).ok_or(())).transpose().ok()?;
            (date, message.as_deref().map(Uuid::parse_str).transpose().ok()?)
        }
    };
    let bound = |time: fn(Moment) -> domain::Time| {
        message.map(Bound::Message).or_else(|| date.map(|date| Bound::Time(time(date))))
    };
    match (asked.after, asked.before) {
        (true, true) => None,
        (true, false) => Some(Span::After(bound(Moment::start))),
        (false, true) => Some(Span::Before(bound(Moment::end))),
        (false, false) if date.is_some() || message.is_some() => None,
        (false, false) => Some(Span::After(None)),
    }
}

/// A flag is set by being there, unless it says otherwise.
fn is_set(value: &str) -> bool {
    !value.eq_ignore_ascii_case("false") && value != "0"
}

#[cfg(test)]
mod tests {
    use kit::times::wire_time;

    use super::*;

    const ID: &str = "72c6e582-ded6-5248-a853-07e9784c509e";

    fn time(query: &str) -> String {
        match span(query) {
            Some(Span::After(Some(Bound::Time(time))) | Span::Before(Some(Bound::Time(time)))) => {
                wire_time(time)
            }
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn without_a_bound_there_is_only_an_order() {
        for ascending in
            ["", "page=2", "after", "after=", "after=true", "after=1", "before=false", "before=0&after=x"]
        {
            assert_eq!(span(ascending), Some(Span::After(None)), "{ascending}");
        }
        for descending in ["before", "before=true", "before=yes&after=False"] {
            assert_eq!(span(descending), Some(Span::Before(None)), "{descending}");
        }
    }

    #[test]
    fn a_date_is_a_whole_day() {
        assert_eq!(time("after=true&start_date=2024-12-20"), "2024-12-20T00:00:00.000000Z");
        assert_eq!(time("before=true&start_date=2024-12-20"), "2024-12-20T23:59:59.999999Z");
        assert_eq!(time("before&start_date=2024-12-20T10:00:00%2B01:00"), "2024-12-20T09:00:00.000000Z");
        assert_eq!(time("after&start_date=2024-12-20T10:00:00+01:00"), "2024-12-20T09:00:00.000000Z");
    }

    #[test]
    fn a_message_has_two_names() {
        let bound = Some(Bound::Message(ID.parse().unwrap()));
        assert_eq!(span(&format!("after=1&message_id={ID}")), Some(Span::After(bound)));
        assert_eq!(span(&format!("before=1&start_message_id={ID}")), Some(Span::Before(bound)));
    }

    #[test]
    fn what_makes_no_sense_is_none() {
        for bad in [
            "after&before".to_owned(),
            "after=true&before=true&start_date=2024-12-20".to_owned(),
            "start_date=2024-12-20".to_owned(),
            "start_date=2024-12-20&after=false".to_owned(),
            format!("message_id={ID}"),
            format!("message_id={ID}&before=0"),
            format!("after&message_id={ID}&start_date=2024-12-20"),
            "after&start_date=20.12.2024".to_owned(),
            "after&start_date=".to_owned(),
            "after&message_id=7".to_owned(),
            "before&message_id=".to_owned(),
        ] {
            assert_eq!(span(&bad), None, "{bad}");
        }
    }
}
