//! No list reads a whole table: SQLite is asked how it answers each statement of the store.

use std::sync::Arc;

use domain::{
    AccountId, Event, MeetingId, MessageId, Numbered, RelationId, Result, SessionId, Time, WidgetId,
    accounts::{AccountChange, Accounts as _, AvatarChange, Cards, Identity, NewAccount, Role},
    chats::{Chats as _, Mark, NewChat},
    codes::Codes as _,
    conversations::{Bound, Conversations as _, Kind, Page, Span},
    keys::Keys as _,
    meetings::{Category, Circle, Draft, Grouping, MeetingChange, Meetings as _, Point, Quota, Search},
    messages::{MediaFile, Messages as _, NewMessage},
    photos::{NewPhoto, Photos as _},
    ports::{Bus, Health as _},
    profiles::{ProfileChange, Profiles as _},
    relations::{Relations as _, Status},
    requests::{Answer, Requests as _},
    rooms::{NewRoom, Part, Rooms as _, Whose},
    sessions::{NewSession, SessionBy, Sessions as _},
    widgets::{DashboardId, Tag, Tile, Widget, Widgets as _},
};
use uuid::Uuid;

use crate::{Database, Location, Options, SqlStore};

struct Silence;

impl Bus for Silence {
    fn publish(&self, _: Arc<Event>) {}
}

fn new_account(name: &str) -> NewAccount {
    NewAccount {
        uuid: Uuid::from_u128(name.bytes().fold(0, |sum, byte| sum * 256 + u128::from(byte))),
        username: name.into(),
        username_folded: name.into(),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        password: None,
        two_factor: false,
        role: Role::Student,
        photo: Some(format!("{name}.png")),
        created_at: Time(1),
    }
}

fn listed(search: Option<&str>) -> Cards {
    Cards::All { search: search.map(str::to_owned), after: None, limit: 10 }
}

/// Asks everything at least once.
async fn ask_everything(store: &SqlStore) -> Result<()> {
    let (now, uuid) = (Time(5), Uuid::from_u128);
    let ana = store.add_account(new_account("ana")).await?;
    let ben = store.add_account(new_account("ben")).await?;
    let identity = Identity { provider: "42".into(), external_id: "1".into() };
    let other = NewAccount { uuid: uuid(9), photo: None, ..new_account("ana") };
    store.add_identity(identity.clone(), other).await?;
    store.identity(identity).await?;
    store.password_holder("ana").await?;
    store.password_holder_of(ana).await?;
    store.rehash_password(ana, "old", "new".into()).await?;
    store.account_named("ana").await?;
    store.people(vec![ana, ben]).await?;
    store.account_of(Uuid::nil()).await?;
    let carol = search(store).await?;
    store.add_relation(RelationId(uuid(7)), ana, carol, Status::Accepted, now).await?;
    store.conversation_of(RelationId(uuid(7)), carol, uuid(8), now).await?;
    store.befriend(ana, ben, uuid(1), now).await?;
    for which in
        [listed(None), listed(Some("an")), listed(Some("ana")), Cards::FriendsOf(ana), Cards::Of(vec![ana])]
    {
        store.cards(which, now).await?;
    }
    store.people_after("an", 10).await?;
    let new = NewSession {
        id: SessionId(uuid(2)),
        account: ana,
        opaque_hash: [2; 32],
        dialect: "messenger",
        created_at: now,
    };
    store.set_code(ana, [1; 32], Time(99)).await?;
    store.add_session(new.clone(), Some([2; 32])).await?;
    store.add_session(new.clone(), Some([1; 32])).await?;
    store.session(SessionBy::Id(new.id)).await?;
    store.session(SessionBy::OpaqueHash(new.opaque_hash)).await?;
    store.session_of(ana, "messenger", now).await?;
    store.touch_sessions(vec![new.id], Time(9)).await?;
    store.add_key(ana, "cli", [3; 32], now).await?;
    store.key([3; 32]).await?;
    store.revoke_key(ana, "cli", now).await?;
    store.spend_refresh([1; 16], Time(9), now).await?;
    store.is_refresh_spent([1; 16]).await?;
    converse(store, ana, ben).await?;
    tutor(store, ana).await?;
    arrange(store, ana).await?;
    store.end_session(new.id, now).await?;
    store.end_idle_sessions(now, now).await?;
    store.ended_since(now).await?;
    for avatar in [AvatarChange::Photo("x".into()), AvatarChange::Text("y".into()), AvatarChange::Cleared] {
        let change =
            AccountChange { password: Some("new".into()), avatar: Some(avatar), ..AccountChange::default() };
        store.set_account(ana, change, now).await?;
    }
    meet(store, ana, ben).await?;
    store.unfriend(ana, ben).await?;
    store.befriend(ana, ben, uuid(1), now).await?;
    store.remove_account(ana, now).await?;
    store.ping().await
}

/// Asks for people by parts of their names; gives one of them.
async fn search(store: &SqlStore) -> Result<AccountId> {
    // Among many names, those that few people have are found by an index.
    for number in 0..50 {
        store.add_account(new_account(&format!("crowd{number}"))).await?;
    }
    let carol = store.add_account(new_account("carl")).await?;
    let username = Some(("carol".into(), "carol".into()));
    store.set_account(carol, AccountChange { username, ..AccountChange::default() }, Time(5)).await?;
    for search in ["", "c", "aro", "caro", "crow", "ol"] {
        let (found, _) = store.people_named(search, 0, 10).await?;
        store.people_named(search, found.saturating_sub(1), 10).await?;
    }
    Ok(carol)
}

async fn converse(store: &SqlStore, ana: AccountId, ben: AccountId) -> Result<()> {
    let direct = store.start_direct(ana, ben, Uuid::from_u128(3), Time(5)).await?;
    store.direct(direct.id).await?;
    let file = MediaFile {
        uuid: Uuid::from_u128(5),
        key: "f".into(),
        label: String::new(),
        size: 1,
        uploaded_at: Time(1),
    };
    let new = NewMessage {
        uuid: Uuid::from_u128(4),
        conversation: direct.id,
        author: ana,
        text: "x".into(),
        image: String::new(),
        created_at: Time(5),
        media: vec![file],
        kind: None,
        via: None,
        client_id: Some("c".into()),
    };
    let stored = store.add_message(new.clone()).await?;
    store.add_message(new).await?;
    store.mark_received(vec![stored.posted.message.id], Time(6)).await?;
    store.mark_delivered(vec![stored.posted.clone()], Time(6)).await?;
    store.mark_seen(stored.posted.message.uuid, ben, None, Time(6)).await?;
    store.message_of(ana, stored.posted.message.uuid).await?;
    store.messages_after(ana, MessageId(0), 10).await?;
    for relation in store.relations_of(ben).await? {
        let (id, page) = (relation.relation.id, Numbered { number: 1, size: 10 });
        let bounds = [Bound::Time(Time(5)), Bound::Message(stored.posted.message.uuid)];
        for span in [Span::After(None), Span::Before(Some(bounds[0])), Span::After(Some(bounds[1]))] {
            store.history_of(id, ana, span, page).await?;
        }
        store.conversation_of(id, ana, Uuid::from_u128(6), Time(5)).await?;
        store.set_relation(id, ana, Status::Pending, Time(5)).await?;
    }
    store.overviews(ana, 10).await?;
    store.messages_in(direct.id, Page { before: None, limit: 10 }).await?;
    store.messages_in(direct.id, Page { before: Some(MessageId(1)), limit: 10 }).await?;
    store.direct_history(direct.id, ana, Page { before: None, limit: 10 }, Time(5)).await?;
    Ok(())
}

async fn meet(store: &SqlStore, ana: AccountId, ben: AccountId) -> Result<()> {
    let (now, uuid) = (Time(5), Uuid::from_u128);
    let id = SessionId(uuid(20));
    let new = NewSession { id, account: ana, opaque_hash: [20; 32], dialect: "meetups", created_at: now };
    store.take_up_session(new.clone(), now).await?;
    store.take_up_session(new, now).await?;
    store.set_profile(ana, ProfileChange::default()).await?;
    store.profiles(vec![ana, ben]).await?;
    for name in ["one", "two"] {
        let new =
            NewPhoto { account: ben, key: name.into(), thumbnail: format!("{name}-t"), created_at: now };
        let photo = store.add_photo(new).await?;
        store.portraits(vec![ana, ben]).await?;
        store.set_avatar(ben, photo.id).await?;
        store.remove_photo(ben, photo.id).await?;
    }
    let place = Point::new(55.75, 37.61).unwrap();
    let circle = Circle { middle: place, radius: 30.0 };
    for grouping in [Grouping::Pair, Grouping::Group] {
        let draft = Draft {
            title: "x".into(),
            description: String::new(),
            day: None,
            grouping,
            category: Category::Bar,
            place,
        };
        let quota = Quota { since: now, until: Time(9), most: 3 };
        let meeting = store.add_meeting(ana, draft, jiff::civil::date(2026, 1, 1), now, quota).await?.id;
        store.meetings_made(ana, quota).await?;
        store.meeting(meeting).await?;
        for around in [None, Some(circle)] {
            let born = Some((String::from("1990-01-01"), String::from("2000-01-01")));
            let search = Search {
                around,
                category: Some(Category::Bar),
                gender: None,
                born,
                after: MeetingId(0),
                limit: 9,
            };
            store.meetings(search, ben).await?;
        }
        store
            .set_meeting(meeting, ana, MeetingChange { title: Some("y".into()), ..MeetingChange::default() })
            .await?;
        let request = store.add_request(meeting, ben, now).await?;
        store.unread_requests(ana).await?;
        store.read_requests(ana, 9).await?;
        store.owner_of_request(request).await?;
        for approved in [true, false, true] {
            let chat =
                NewChat { uuid: uuid(request.0.unsigned_abs().into()), slug: format!("slug{request}"), now };
            store
                .set_request(request, ana, Answer { approved: Some(approved), ..Answer::default() }, chat)
                .await?;
        }
        store.is_approved(ben, meeting).await?;
        let Some(chat) = store.chat_named(&format!("slug{request}")).await? else { continue };
        store.is_in_chat(chat, ben).await?;
        store.set_marks(vec![(chat, ben, Mark::default())]).await?;
        store.marks(chat, ben).await?;
        store.chats_of(ana, 9).await?;
        store.leave_chat(chat, ana).await?;
        store.leave_chat(chat, ben).await?;
    }
    Ok(())
}

async fn tutor(store: &SqlStore, ana: AccountId) -> Result<()> {
    let teacher = NewAccount { role: Role::Teacher, ..new_account("tess") };
    let tess = store.add_account(teacher).await?;
    let (text, image) = (String::new(), String::new());
    let new = NewRoom { uuid: Uuid::from_u128(11), student: ana, text, image, created_at: Time(5) };
    let room = store.add_room(new).await?.id;
    store.room(room).await?;
    store.announce_room(room, ana).await?;
    store.join_room(room, tess).await?;
    for whose in [Whose::Student(ana), Whose::Teacher(tess), Whose::All] {
        store.rooms(whose, Part { before: None, limit: 10 }).await?;
    }
    let new = NewMessage {
        uuid: Uuid::from_u128(12),
        conversation: room,
        author: tess,
        text: "x".into(),
        image: "http://a/b".into(),
        created_at: Time(5),
        media: Vec::new(),
        kind: Some(Kind::Room),
        via: None,
        client_id: None,
    };
    store.add_message(new).await?;
    store.see_room(room, ana).await?;
    store.open_rooms_of(ana).await?;
    store.pairs_in_open_rooms(vec![ana, tess]).await?;
    store.close_room(room, tess).await?;
    Ok(())
}

async fn arrange(store: &SqlStore, ana: AccountId) -> Result<()> {
    let by = DashboardId(Uuid::nil());
    let Ok(tag) = Tag::of("note") else { return Ok(()) };
    let widget =
        Widget { id: WidgetId(Uuid::from_u128(9)), tile: Tile { tag, x: 1, y: 2, size_x: 3, size_y: 4 } };
    store.add_widget(ana, widget.clone(), 1, by).await?;
    store.set_widget(ana, widget.clone(), by).await?;
    store.widgets_of(ana).await?;
    store.remove_widget(ana, widget.id, by).await
}

/// Whether a step of a plan goes through a whole table, and not through a list that was given or found.
fn reads_a_table(step: &str, sql: &str) -> bool {
    // There are hardly more parts of names than of letters.
    const LISTS: [&str; 8] = [
        "name_part",
        "json_each",
        "found",
        "narrowed",
        "place",
        "account_search VIRTUAL TABLE INDEX",
        "CONSTANT ROW",
        "2-ROW VALUES CLAUSE",
    ];
    let Some(scanned) = step.strip_prefix("SCAN ") else { return false };
    // For a new account the plan holds a look through the tables that refer to accounts; SQLite skips it, since no
    // foreign key is violated at that moment.
    let skipped = sql.trim_start().starts_with("INSERT INTO account ");
    !skipped && !LISTS.iter().any(|list| scanned.starts_with(list))
}

/// Whether the names that are read in their order are sorted nevertheless.
fn sorts_names(step: &str, sql: &str) -> bool {
    step == "USE TEMP B-TREE FOR ORDER BY" && sql.contains("INSTR(") && !sql.contains("MATCH")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_whole_table() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("plans.db");
    let options = Options { readers: 1, connections: 2 };
    let store = Database::open(&Location::Sqlite(path.clone()), Arc::new(Silence), options).await.unwrap();
    ask_everything(&store).await.unwrap();
    store.close().await;
    let raw = rusqlite::Connection::open(&path).unwrap();
    let mut asked = 0;
    let mut scans = Vec::new();
    for sql in crate::engine::seen_in(&path) {
        asked += 1;
        let mut plan = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps =
            plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>("detail")).unwrap();
        let whole =
            steps.map(Result::unwrap).filter(|step| reads_a_table(step, &sql) || sorts_names(step, &sql));
        scans.extend(whole.map(|step| format!("{step}: {sql}")));
    }
    let search = crate::engine::seen_in(&path);
    for read in
        ["FROM name_part", "INSTR(username_folded, ?1) > 0 ORDER BY username_folded DESC", "MATERIALIZED"]
    {
        assert!(search.iter().any(|sql| sql.contains(read)), "{read} was not seen");
    }
    assert!(asked > 50, "only {asked} statements were seen");
    assert!(scans.is_empty(), "{scans:#?}");
}
