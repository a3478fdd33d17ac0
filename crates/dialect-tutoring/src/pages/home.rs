//! `/`: the rooms of whoever is signed in, and what was said in one of them. A script keeps it up to date.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
};
use domain::{
    AccountId, App, ConversationId, Error,
    accounts::{self, Person, Role},
    conversations::Page,
    rooms::{self, Part, RoomWithPeople},
    sessions,
};
use kit::{base_url::BaseUrl, reply::Reply};

use super::{
    Paged, Visitor,
    cookies::{self, SESSION},
    forms::Forms,
    found, page,
    shown::{Entry, Item, Picture, state_of, title_of},
    with_cookie,
};
use crate::DIALECT;

/// Where one signs in to come back here.
const SIGN_IN: &str = "/login/?next=/";

/// Rooms, and messages of one room, that the page shows at most. The script asks for as many.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    proof: &'a str,
    name: &'a str,
    role: &'static str,
    id: i64,
    access: &'a str,
    refresh: &'a str,
    rooms: Vec<Item>,
    shown: Option<Shown>,
    /// What went wrong.
    error: &'static str,
}

/// The room that was chosen.
struct Shown {
    id: i64,
    title: String,
    state: String,
    picture: Option<Picture>,
    /// Oldest first.
    entries: Vec<Entry>,
}

/// The home page; without a session it leads to the sign-in.
#[utoipa::path(
    get, path = "/", tag = DIALECT, security(()),
    params(("room" = Option<i64>, Query, description = "The room whose messages are shown")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 302, description = "To the sign-in."),
        (status = 404, description = "The page without that room, of which the visitor cannot know.",
            content_type = "text/html", body = String),
    ),
)]
pub(crate) async fn home(
    State(app): State<App>,
    BaseUrl(base): BaseUrl,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Paged {
    let Some(visitor) = Visitor::of(&app, &headers).await? else {
        let answer = found(SIGN_IN);
        let had_one = cookies::value(&headers, SESSION).is_some();
        return Ok(if had_one { with_cookie(answer, cookies::clear(SESSION, &base)) } else { answer });
    };
    let person = match accounts::person(&app, visitor.caller.account).await {
        Err(Error::NotFound(_)) => return Ok(found(SIGN_IN)),
        other => other?,
    };
    let part = Part { before: None, limit: MOST };
    let rooms = rooms::list(&app, &visitor.caller, part).await?;
    let chosen = room_in(query.as_deref());
    let shown = match chosen {
        Some(id) => show(&app, &visitor, &person, id, &base).await?,
        None => None,
    };
    let is_unknown = chosen.is_some() && shown.is_none();
    let tokens = sessions::page_tokens(&app, &visitor.caller)?;
    let forms = Forms::of(&app, &headers, Some(&visitor));
    let home = Home {
        proof: &forms.proof,
        name: &person.username,
        role: person.role.as_str(),
        id: person.id.0,
        access: &tokens.access,
        refresh: &tokens.refresh,
        rooms: rooms.iter().map(|room| Item::of(room, person.id, chosen)).collect(),
        shown,
        error: if is_unknown { "There is no such room." } else { "" },
    };
    let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok(forms.with_cookie(page(status, &home)?, &base))
}

/// The room of `?room=`; of several the first. What is no id names a room that cannot be there.
fn room_in(query: Option<&str>) -> Option<ConversationId> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    let (_, room) = pairs.find(|(name, value)| name == "room" && !value.is_empty())?;
    Some(ConversationId(room.parse().unwrap_or(0)))
}

/// A room of which the visitor may know, with its messages where the visitor may read them.
async fn show(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    id: ConversationId,
    base: &str,
) -> Result<Option<Shown>, Reply> {
    let part = Part { before: id.0.checked_add(1).map(ConversationId), limit: 1 };
    let Some(room) = rooms::list(app, &visitor.caller, part).await?.pop().filter(|room| room.room.id == id)
    else {
        return Ok(None);
    };
    let entries = if room.room.has(person.id) || person.role == Role::Staff {
        entries(app, visitor, &room, person.id, base).await?
    } else {
        Vec::new()
    };
    let state = state_of(&room, person.id);
    let picture = Picture::of(&room.room.image, base);
    Ok(Some(Shown { id: id.0, title: title_of(&room), state, picture, entries }))
}

async fn entries(
    app: &App,
    visitor: &Visitor,
    room: &RoomWithPeople,
    me: AccountId,
    base: &str,
) -> Result<Vec<Entry>, Reply> {
    let page = Page { before: None, limit: MOST };
    let (now, messages) = rooms::history(app, &visitor.caller, room.room.id, page).await?;
    let entry = |message| {
        let seen = now.is_seen(&message);
        Entry::of(message, room, me, seen, base)
    };
    Ok(messages.into_iter().rev().map(entry).collect())
}
