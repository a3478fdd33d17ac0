//! Requests to take part, and the chats that approvals make.

use domain::{
    AccountId, ConversationId, Error, Event, MeetingId, MessageId, Noun, RequestId,
    chats::{Chat, Mark, Marks, NewChat},
    meetings::{Circle, Draft, Found, Grouping, MeetingChange, Search},
    requests::{Answer, Decision},
};

use crate::{
    crowd::at_once,
    meetings::{add, draft, point},
    world::{NO_ACCOUNT, World, at, is, new_message, uuid},
};

const APPROVE: Answer = Answer { approved: Some(true), rejected: None, read: None };
const REJECT: Answer = Answer { approved: None, rejected: Some(true), read: None };
const WITHDRAW: Answer = Answer { approved: Some(false), rejected: None, read: None };

fn new_chat() -> NewChat {
    let uuid = uuid();
    NewChat { uuid, slug: uuid.simple().to_string()[12..].to_owned(), now: at(1) }
}

async fn meeting(world: &World, owner: AccountId, grouping: Grouping) -> MeetingId {
    add(world, owner, Draft { grouping, ..draft("Title", point(0.0, 0.0)) }).await.id
}

async fn ask(world: &World, meeting: MeetingId, account: AccountId) -> RequestId {
    world.store.add_request(meeting, account, at(1)).await.unwrap()
}

async fn answer(world: &World, id: RequestId, owner: AccountId, answer: Answer) -> Decision {
    world.store.set_request(id, owner, answer, new_chat()).await.unwrap().decision
}

async fn chats(world: &World, account: AccountId) -> Vec<Chat> {
    world.store.chats_of(account, 100).await.unwrap()
}

async fn only_chat(world: &World, account: AccountId) -> Chat {
    let mut chats = chats(world, account).await;
    assert_eq!(chats.len(), 1);
    chats.pop().unwrap()
}

/// Who left which conversation, in order.
fn left(world: &World) -> Vec<(ConversationId, AccountId)> {
    world.bus.left()
}

pub(crate) async fn one_asks_once_and_not_oneself(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = meeting(world, ana, Grouping::Pair).await;
    let id = ask(world, place, ben).await;
    let again = Error::Conflict(Noun::Request);
    assert!(is(&world.store.add_request(place, ben, at(2)).await, &again));
    answer(world, id, ana, REJECT).await;
    assert!(is(&world.store.add_request(place, ben, at(2)).await, &again));
    assert!(is(&world.store.add_request(place, ana, at(2)).await, &Error::Conflict(Noun::OwnMeeting)));
    let none = world.store.add_request(MeetingId(999), ben, at(2)).await;
    assert!(is(&none, &Error::NotFound(Noun::Meeting)));
    assert!(is(&world.store.add_request(place, AccountId(999), at(2)).await, &NO_ACCOUNT));
    assert_eq!(world.store.owner_of_request(id).await.unwrap(), Some(ana));
    assert_eq!(world.store.owner_of_request(RequestId(999)).await.unwrap(), None);
}

pub(crate) async fn racing_requests_make_one(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    let asked = at_once(32, |_| {
        let store = world.store.clone();
        async move { store.add_request(place, ben, at(1)).await }
    })
    .await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 1);
    assert!(
        asked.iter().filter(|asked| asked.is_err()).all(|asked| is(asked, &Error::Conflict(Noun::Request)))
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM meeting_request").await, 1);
}

pub(crate) async fn requests_are_read_once_and_counted_until_then(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["ana", "ben", "carol", "dora"]).await;
    let (one, two) = (meeting(world, ana, Grouping::Pair).await, meeting(world, ana, Grouping::Group).await);
    let theirs = meeting(world, ben, Grouping::Group).await;
    let first = ask(world, one, ben).await;
    let second = ask(world, two, carol).await;
    ask(world, theirs, ana).await;
    assert_eq!(world.store.unread_requests(ana).await.unwrap(), 2);
    let read = async || {
        let requests = world.store.read_requests(ana, 10).await.unwrap();
        requests.iter().map(|request| (request.id, request.is_read)).collect::<Vec<_>>()
    };
    assert_eq!(read().await, [(first, false), (second, false)]);
    assert_eq!(world.store.unread_requests(ana).await.unwrap(), 0);
    let third = ask(world, one, dora).await;
    assert_eq!(read().await, [(first, true), (second, true), (third, false)]);
    // Only when it is given, the mark changes; decided ones are neither listed nor counted.
    let unread = Answer { read: Some(false), ..Answer::default() };
    assert_eq!(answer(world, first, ana, unread).await, Decision::Undecided);
    answer(world, second, ana, Answer { read: Some(false), ..REJECT }).await;
    assert_eq!(world.store.unread_requests(ana).await.unwrap(), 1);
    assert_eq!(read().await, [(first, false), (third, true)]);
    assert_eq!(world.store.unread_requests(ben).await.unwrap(), 1);
}

pub(crate) async fn racing_readers_find_each_request_new_once(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["ana", "ben", "carol", "dora"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    for account in [ben, carol, dora] {
        ask(world, place, account).await;
    }
    let read = at_once(16, |_| {
        let store = world.store.clone();
        async move { store.read_requests(ana, 10).await.unwrap() }
    })
    .await;
    assert!(read.iter().all(|requests| requests.len() == 3));
    assert_eq!(read.iter().flatten().filter(|request| !request.is_read).count(), 3);
}

pub(crate) async fn a_pair_meeting_has_a_chat_for_each_approved_person(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = meeting(world, ana, Grouping::Pair).await;
    for account in [ben, carol] {
        let id = ask(world, place, account).await;
        assert!(chats(world, account).await.is_empty());
        assert_eq!(answer(world, id, ana, APPROVE).await, Decision::Approved);
        assert_eq!(answer(world, id, ana, APPROVE).await, Decision::Approved);
        let chat = only_chat(world, account).await;
        assert_eq!((chat.owner, chat.guests, chat.title.as_str()), (ana, vec![account], "Title"));
    }
    assert_eq!(chats(world, ana).await.len(), 2);
    for (account, meeting, is_approved) in
        [(ben, place, true), (ben, MeetingId(999), false), (ana, place, false)]
    {
        assert_eq!(world.store.is_approved(account, meeting).await.unwrap(), is_approved);
    }
}

pub(crate) async fn a_search_tells_each_owner_once_and_what_the_viewer_is_approved_for(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let first = meeting(world, ana, Grouping::Group).await;
    let theirs = meeting(world, carol, Grouping::Group).await;
    let last = meeting(world, ana, Grouping::Group).await;
    let beyond = meeting(world, ana, Grouping::Group).await;
    for place in [first, last, beyond] {
        let id = ask(world, place, ben).await;
        answer(world, id, ana, APPROVE).await;
    }
    ask(world, theirs, ben).await;
    let around = Some(Circle { middle: point(0.0, 0.0), radius: 30.0 });
    for around in [None, around] {
        let search =
            Search { around, category: None, gender: None, born: None, after: MeetingId(0), limit: 3 };
        let found = world.store.meetings(search.clone(), ben).await.unwrap();
        let meetings: Vec<_> = found.meetings.iter().map(|meeting| meeting.id).collect();
        let owners: Vec<_> = found.owners.iter().map(|owner| owner.account).collect();
        assert_eq!((meetings, owners), (vec![first, theirs, last], vec![ana, carol]));
        assert_eq!(found.approved, [first, last]);
        assert_eq!(found.owners, world.store.portraits(vec![carol, ana]).await.unwrap());
        let nothing = Search { after: beyond, ..search };
        assert_eq!(world.store.meetings(nothing, ben).await.unwrap(), Found::default());
    }
}

pub(crate) async fn a_group_meeting_has_one_chat(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    for account in [ben, carol] {
        let id = ask(world, place, account).await;
        answer(world, id, ana, APPROVE).await;
    }
    let chat = only_chat(world, ana).await;
    assert_eq!(chat.guests, [ben, carol]);
    assert_eq!(only_chat(world, ben).await, chat);
    assert_eq!(world.store.chat_named(&chat.slug).await.unwrap(), Some(chat.id));
    assert_eq!(world.store.chat_named("0123456789abcdef0123").await.unwrap(), None);
    let retitled = MeetingChange { title: Some("Other".into()), ..MeetingChange::default() };
    world.store.set_meeting(place, ana, retitled).await.unwrap();
    assert_eq!(only_chat(world, ben).await.title, "Other");
}

pub(crate) async fn racing_approvals_make_one_chat(world: &World) {
    let ana = world.account("ana").await;
    for grouping in [Grouping::Group, Grouping::Pair] {
        let place = meeting(world, ana, grouping).await;
        let mut ids = Vec::new();
        for number in 0..4 {
            let account = world.account(&format!("{grouping:?}{number}")).await;
            ids.push(ask(world, place, account).await);
        }
        at_once(32, |number| {
            let (store, id) = (world.store.clone(), ids[number % ids.len()]);
            async move { store.set_request(id, ana, APPROVE, new_chat()).await.unwrap() }
        })
        .await;
        let of_meeting = format!("SELECT COUNT(*) FROM chat WHERE meeting = {place}");
        let (chats, members) = if grouping == Grouping::Group { (1, 5) } else { (4, 8) };
        assert_eq!(world.number(&of_meeting).await, chats);
        let members_of = format!(
            "SELECT COUNT(*) FROM member m JOIN chat h ON h.conversation = m.conversation WHERE h.meeting = {place}"
        );
        assert_eq!(world.number(&members_of).await, members);
    }
    // Nothing is left over of chats that were not needed.
    assert_eq!(world.number("SELECT COUNT(*) FROM conversation").await, 5);
}

pub(crate) async fn who_is_taken_out_hears_of_it_and_comes_back_to_the_same_chat(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    for (grouping, out) in [(Grouping::Group, REJECT), (Grouping::Pair, WITHDRAW)] {
        let place = meeting(world, ana, grouping).await;
        let id = ask(world, place, ben).await;
        answer(world, id, ana, APPROVE).await;
        let chat = chats(world, ben).await.remove(0);
        world.post(chat.id, ben, "hello").await;
        let before = left(world).len();
        answer(world, id, ana, out).await;
        answer(world, id, ana, out).await;
        assert_eq!(left(world)[before..], [(chat.id, ben)]);
        assert_eq!(world.store.is_in_chat(chat.id, ben).await.unwrap(), Some(false));
        let refused = world.store.add_message(new_message(chat.id, ben, "still here?")).await;
        assert!(is(&refused, &Error::Forbidden(Noun::Conversation)));
        assert!(chats(world, ben).await.is_empty());
        answer(world, id, ana, APPROVE).await;
        let again = chats(world, ben).await.remove(0);
        assert_eq!((again.id, again.slug), (chat.id, chat.slug));
        assert_eq!(again.last_message.unwrap().text, "hello");
        answer(world, id, ana, REJECT).await;
    }
    let forbidden = Error::Forbidden(Noun::Request);
    let place = meeting(world, ana, Grouping::Group).await;
    let id = ask(world, place, ben).await;
    for (id, by) in [(id, carol), (id, ben), (RequestId(999), ana)] {
        assert!(is(&world.store.set_request(id, by, APPROVE, new_chat()).await, &forbidden));
    }
    assert_eq!(world.store.is_in_chat(ConversationId(999), ana).await.unwrap(), None);
    let direct = world.direct(ana, ben).await;
    assert_eq!(world.store.is_in_chat(direct, ana).await.unwrap(), None);
}

pub(crate) async fn a_member_leaves_until_approved_anew_and_the_owner_hides(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    let id = ask(world, place, ben).await;
    answer(world, id, ana, APPROVE).await;
    let chat = only_chat(world, ana).await.id;
    let forbidden = Error::Forbidden(Noun::Conversation);
    for (place, account) in [(chat, carol), (ConversationId(999), ana), (world.direct(ana, ben).await, ana)] {
        assert!(is(&world.store.leave_chat(place, account).await, &forbidden));
    }

    // An empty chat is hidden until its first message, and one with messages until its next.
    for text in ["one", "two"] {
        world.store.leave_chat(chat, ana).await.unwrap();
        assert!(chats(world, ana).await.is_empty());
        assert_eq!(world.store.is_in_chat(chat, ana).await.unwrap(), Some(true));
        assert_eq!(only_chat(world, ben).await.id, chat);
        world.post(chat, ben, text).await;
        assert_eq!(only_chat(world, ana).await.last_message.unwrap().text, text);
    }
    assert!(left(world).is_empty());

    world.store.leave_chat(chat, ben).await.unwrap();
    assert_eq!(left(world), [(chat, ben)]);
    assert!(is(&world.store.leave_chat(chat, ben).await, &forbidden));
    assert!(chats(world, ben).await.is_empty());
    assert!(only_chat(world, ana).await.guests.is_empty());
    // A later message does not bring them back, an approval does.
    world.post(chat, ana, "three").await;
    assert!(chats(world, ben).await.is_empty());
    answer(world, id, ana, Answer { read: Some(true), ..Answer::default() }).await;
    assert!(chats(world, ben).await.is_empty());
    answer(world, id, ana, APPROVE).await;
    assert_eq!(only_chat(world, ben).await.id, chat);
}

pub(crate) async fn chats_come_once_each_by_newest_activity(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let mut ids = Vec::new();
    for account in [ben, carol] {
        let place = meeting(world, ana, Grouping::Pair).await;
        let id = ask(world, place, account).await;
        answer(world, id, ana, APPROVE).await;
        ids.push(only_chat(world, account).await.id);
    }
    world.post(world.direct(ana, ben).await, ben, "elsewhere").await;
    let order = async || chats(world, ana).await.iter().map(|chat| chat.id).collect::<Vec<_>>();
    assert_eq!(order().await, [ids[1], ids[0]]);
    let mut new = new_message(ids[0], ben, "newest");
    new.created_at = at(9);
    world.store.add_message(new).await.unwrap();
    assert_eq!(order().await, [ids[0], ids[1]]);
    assert_eq!(world.store.chats_of(ana, 1).await.unwrap().len(), 1);
}

pub(crate) async fn marks_only_go_forward(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    for account in [ben, carol] {
        let id = ask(world, place, account).await;
        answer(world, id, ana, APPROVE).await;
    }
    let chat = only_chat(world, ana).await.id;
    assert_eq!(world.store.marks(chat, ana).await.unwrap(), Marks::default());
    let mark = |received, read| Mark { received: Some(MessageId(received)), read: Some(MessageId(read)) };
    let received = |id| Mark { received: Some(MessageId(id)), read: None };
    world.store.set_marks(vec![(chat, ben, received(7)), (chat, ana, mark(4, 4))]).await.unwrap();
    world.store.set_marks(vec![(chat, carol, mark(3, 3)), (chat, ben, received(5))]).await.unwrap();
    let marks = Marks { mine: mark(4, 4), others: mark(7, 3) };
    assert_eq!(world.store.marks(chat, ana).await.unwrap(), marks);
    assert_eq!(only_chat(world, ana).await.marks, marks);
    assert_eq!(world.store.marks(chat, ben).await.unwrap(), Marks { mine: received(7), others: mark(4, 4) });
    at_once(16, |number| {
        let store = world.store.clone();
        let last = i64::try_from(number).unwrap() + 10;
        async move {
            store.set_marks(vec![(chat, ben, mark(last, last)), (chat, ana, mark(last, 4))]).await.unwrap();
        }
    })
    .await;
    assert_eq!(
        world.store.marks(chat, ana).await.unwrap(),
        Marks { mine: mark(25, 4), others: mark(25, 25) }
    );
}

pub(crate) async fn what_was_said_stays_when_the_owner_is_deleted(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = meeting(world, ana, Grouping::Group).await;
    for account in [ben, carol] {
        let id = ask(world, place, account).await;
        answer(world, id, ana, APPROVE).await;
    }
    let chat = only_chat(world, ana).await;
    world.post(chat.id, ana, "goodbye").await;
    world.store.remove_account(carol, at(2)).await.unwrap();
    assert_eq!(only_chat(world, ben).await.guests, [ben]);
    world.store.remove_account(ana, at(2)).await.unwrap();
    let left = only_chat(world, ben).await;
    assert_eq!((left.title.as_str(), left.guests), ("Title", vec![ben]));
    assert_eq!(left.last_message.unwrap().author_name, "deleted");
    world.post(chat.id, ben, "alone").await;
    assert_eq!(world.number("SELECT COUNT(*) FROM member").await, 1);
    assert!(!world.bus.told(|event| matches!(event, Event::MemberLeft { account, .. } if *account == ben)));
}

pub(crate) async fn racing_sign_ins_take_up_one_session(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let new = |account, now| domain::sessions::NewSession {
        dialect: "meetups",
        ..World::new_session(account, now)
    };
    world.session(ana, at(0)).await;
    let taken = at_once(16, |_| {
        let (store, new) = (world.store.clone(), new(ana, at(1)));
        async move { store.take_up_session(new, at(-100)).await.unwrap() }
    })
    .await;
    assert!(taken.iter().all(|id| *id == taken[0]));
    let others = world.store.take_up_session(new(ben, at(1)), at(-100)).await.unwrap();
    assert_ne!(others, taken[0]);
    // It is used by being taken up; one that was idle for too long, or has ended, is not taken up.
    assert_eq!(world.store.take_up_session(new(ana, at(50)), at(1)).await.unwrap(), taken[0]);
    assert_eq!(world.store.take_up_session(new(ana, at(60)), at(50)).await.unwrap(), taken[0]);
    let next = world.store.take_up_session(new(ana, at(99)), at(61)).await.unwrap();
    assert_ne!(next, taken[0]);
    world.store.end_session(next, at(100)).await.unwrap();
    assert_ne!(world.store.take_up_session(new(ana, at(101)), at(61)).await.unwrap(), next);
    world.store.remove_account(ana, at(102)).await.unwrap();
    assert!(is(&world.store.take_up_session(new(ana, at(103)), at(0)).await, &NO_ACCOUNT));
}
