//! Meetings on the map.

use axum::{
    Json,
    extract::{FromRequest, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use domain::{
    App, MeetingId,
    meetings::{self, Category, Draft, Grouping, MAX_LIST, MAX_TITLE, MeetingChange},
};
use kit::{
    base_url::BaseUrl,
    body::{Body, Content},
    credentials::TokenAuth,
    fields::Fields,
    path_id::PathId,
    reply::Reply,
};
use serde_json::json;

use crate::{
    DIALECT,
    envelope::envelope,
    fault,
    filters::filter,
    forms::{choice, optional_day, point},
    list, schema,
    wire::Meeting,
};

/// Meetings, by id.
#[utoipa::path(
    get, path = "/meetings-list/", tag = DIALECT,
    params(
        ("lat" = Option<f64>, Query, description = "With lng and r: the middle of a circle"),
        ("lng" = Option<f64>, Query, description = "With lat and r: the middle of a circle"),
        ("r" = Option<f64>, Query, description = "Kilometres around it, at most 30"),
        ("category" = Option<String>, Query, description = "general, sport, bar or dance"),
        ("gender" = Option<i64>, Query, description = "The owner's: 0 female, 1 male"),
        ("age_from" = Option<i64>, Query, description = "The owner's least age, with age_to"),
        ("age_to" = Option<i64>, Query, description = "The owner's greatest age, with age_from"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 10,000"),
        ("after" = Option<i64>, Query, description = "Only ids after this one"),
    ),
    responses((status = 200, description = "The meetings; `Link: rel=\"next\"` when there are more.", body = [Meeting])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Vec<u8>), Reply> {
    let query = query.unwrap_or_default();
    let mut fields = Fields::of_query(&query).empty_is_missing();
    let limit = fields.integer("limit").min(1).optional();
    let after = MeetingId(fields.integer("after").optional().unwrap_or(0));
    fields.done()?;
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_LIST).min(MAX_LIST);
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut headers = HeaderMap::from_iter(json);
    let Some(filter) = filter(&query) else {
        return Ok((headers, list::written(&[], caller.account, &base)));
    };
    // One more tells whether there is a next page.
    let mut seen = meetings::list(&app, &caller, filter, after, most + 1).await?;
    if seen.len() > most {
        seen.truncate(most);
        let last = seen.last().map_or(0, |seen| seen.meeting.id.0);
        headers.extend(next_link(&base, &query, most, last));
    }
    Ok((headers, list::written(&seen, caller.account, &base)))
}

/// `Link` to the next page (RFC 8288), which keeps the filters.
fn next_link(base: &BaseUrl, query: &str, limit: usize, after: i64) -> HeaderMap {
    let mut next = form_urlencoded::Serializer::new(String::new());
    let kept =
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "limit" && name != "after");
    next.extend_pairs(kept);
    next.append_pair("limit", &limit.to_string()).append_pair("after", &after.to_string());
    let link = format!("<{}/meetings-list/?{}>; rel=\"next\"", base.0, next.finish());
    HeaderValue::try_from(link).map(|link| HeaderMap::from_iter([(header::LINK, link)])).unwrap_or_default()
}

/// Makes a meeting. The day's limit is looked at before the body.
#[utoipa::path(
    post, path = "/meetings-list/", tag = DIALECT,
    request_body = schema::NewMeeting,
    responses(
        (status = 201, description = "Made.", body = Meeting),
        (status = 200, description = "An envelope: 429 beyond the day's limit.", body = schema::Envelope),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    request: Request,
) -> Result<(StatusCode, Json<Meeting>), Reply> {
    meetings::check_quota(&app, &caller).await.map_err(fault::making_a_meeting)?;
    let Body(body) = Body::from_request(request, &()).await?;
    let made = meetings::create(&app, &caller, draft(&body)?).await.map_err(fault::making_a_meeting)?;
    Ok((StatusCode::CREATED, Json(Meeting::new(made, caller.account, &base))))
}

fn draft(body: &Content) -> Result<Draft, Reply> {
    let mut fields = Fields::of(body).empty_is_missing();
    let title = fields.text("title").max(MAX_TITLE).read();
    let description = fields.text("description").may_be_blank().optional().unwrap_or_default();
    let place = point(&mut fields, "coordinates", true);
    let grouping = choice(&mut fields, "group_type", Grouping::numbered).unwrap_or(Grouping::Pair);
    let category = choice(&mut fields, "category", Category::numbered).unwrap_or(Category::General);
    let day = optional_day(&mut fields, "meeting_date");
    fields.done()?;
    // Without a place there was an error.
    let place = place.ok_or_else(Reply::not_found)?;
    Ok(Draft { title, description, day, grouping, category, place })
}

/// One meeting.
#[utoipa::path(
    get, path = "/meeting-detail/{id}/", tag = DIALECT,
    params(("id" = i64, Path, description = "The meeting")),
    responses(
        (status = 200, description = "The meeting.", body = Meeting),
        (status = 404, description = "No such meeting.", body = schema::Detail),
    ),
)]
pub(crate) async fn meeting(
    State(app): State<App>,
    PathId(id): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
) -> Result<Json<Meeting>, Reply> {
    let seen = meetings::meeting(&app, &caller, MeetingId(id)).await?;
    Ok(Json(Meeting::new(seen, caller.account, &base)))
}

/// Changes a meeting of the caller's.
#[utoipa::path(
    put, path = "/meeting-detail/{id}/", tag = DIALECT,
    params(("id" = i64, Path, description = "The meeting")),
    request_body = schema::MeetingChange,
    responses(
        (status = 200, description = "The meeting as it is now.", body = Meeting),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 403, description = "Not the caller's, or none.", body = schema::Detail),
    ),
)]
pub(crate) async fn update(
    State(app): State<App>,
    PathId(id): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<Meeting>, Reply> {
    let id = MeetingId(id);
    meetings::check_owner(&app, &caller, id).await?;
    let mut fields = Fields::of(&body);
    let change = MeetingChange {
        title: fields.text("title").max(MAX_TITLE).optional(),
        description: fields.text("description").may_be_blank().optional(),
        place: point(&mut fields, "coordinates", false),
        day: optional_day(&mut fields, "meeting_date"),
    };
    fields.done()?;
    let seen = meetings::update(&app, &caller, id, change).await?;
    Ok(Json(Meeting::new(seen, caller.account, &base)))
}

/// The categories and their numbers, as JSON in a text.
#[utoipa::path(
    get, path = "/meeting-types/", tag = DIALECT,
    responses((status = 200, description = "An envelope: 200 with the text.", body = schema::Envelope)),
)]
pub(crate) async fn types(TokenAuth(_caller): TokenAuth) -> Reply {
    envelope(200, "ok", &json!(type_list()))
}

/// As Python writes it: with a blank after each comma.
fn type_list() -> String {
    let pair = |category: Category| format!("[\"{}\", {}]", category.name(), category.number());
    format!("[{}]", Category::ALL.map(pair).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_types_is_the_documents() {
        assert_eq!(type_list(), r#"[["general", 0], ["sport", 1], ["bar", 2], ["dance", 3]]"#);
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let base = BaseUrl("http://a.example".into());
        let headers = next_link(&base, "lat=1&limit=2&category=bar&after=7", 2, 9);
        let expected = "<http://a.example/meetings-list/?lat=1&category=bar&limit=2&after=9>; rel=\"next\"";
        assert_eq!(headers[header::LINK], expected);
    }
}
