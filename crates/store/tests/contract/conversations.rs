//! Conversations.

use std::collections::HashSet;

use domain::{
    AccountId, ConversationId, Error, MessageId, Noun,
    conversations::{Direct, Entry, Introduced, Page},
    messages::Message,
};

use crate::{
    crowd::at_once,
    world::{NO_ACCOUNT, START, World, at, file, ids, is, new_message, uuid},
};

pub(crate) async fn a_pair_has_one_conversation(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let made = world.store.start_direct(ben, ana, uuid(), START).await.unwrap();
    assert_eq!((made.initiator, made.receiver), (ben, ana));
    assert_eq!(world.store.start_direct(ana, ben, uuid(), at(1)).await.unwrap(), made);
    assert_eq!(world.store.direct(made.id).await.unwrap(), Some(made));
    assert_ne!(world.direct(ana, carol).await, made.id);
    assert_eq!(world.store.direct(ConversationId(999)).await.unwrap(), None);
    assert_eq!(world.number("SELECT COUNT(*) FROM member").await, 4);
}

pub(crate) async fn racing_starts_make_one_conversation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let started = at_once(64, |number| {
        let store = world.store.clone();
        let (me, other) = if number % 2 == 0 { (ana, ben) } else { (ben, ana) };
        async move { store.start_direct(me, other, uuid(), START).await.unwrap() }
    })
    .await;
    assert!(started.iter().all(|direct| *direct == started[0]));
    assert_eq!(world.number("SELECT COUNT(*) FROM conversation").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM member").await, 2);
}

pub(crate) async fn a_deleted_account_cannot_be_talked_to(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    world.direct(ana, carol).await;
    for gone in [ben, carol] {
        world.store.remove_account(gone, at(1)).await.unwrap();
    }
    for (me, other) in [(ana, ben), (ben, ana), (ana, carol), (ana, AccountId(999))] {
        let refused = world.store.start_direct(me, other, uuid(), at(2)).await;
        assert!(is(&refused, &NO_ACCOUNT), "{refused:?}");
    }
}

pub(crate) async fn overviews_come_by_newest_activity(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["ana", "ben", "carol", "dora"]).await;
    let [one, two, three] =
        [world.direct(ana, ben).await, world.direct(carol, ana).await, world.direct(ana, dora).await];
    world.direct(ben, carol).await;
    let overviews = async |limit| world.store.overviews(ana, limit).await.unwrap();
    let places = async || overviews(10).await.iter().map(|one| one.direct.id).collect::<Vec<_>>();
    assert_eq!(places().await, [three, two, one]);

    let mut new = new_message(one, ben, "hi");
    new.created_at = at(5);
    new.media = vec![file("a"), file("b")];
    let message = world.store.add_message(new).await.unwrap().posted.message.clone();
    let mut new = new_message(two, ana, "you");
    new.created_at = at(4);
    let other = world.store.add_message(new).await.unwrap().posted.message.clone();
    assert_eq!(places().await, [one, two, three]);
    let all = overviews(10).await;
    assert_eq!((all[1].direct.initiator, all[1].direct.receiver), (carol, ana));
    let last: Vec<_> = all.into_iter().map(|overview| overview.last_message).collect();
    assert_eq!(last, [Some(message), Some(other), None]);
    assert_eq!(overviews(1).await.len(), 1);
    assert!(world.store.overviews(AccountId(999), 10).await.unwrap().is_empty());
}

pub(crate) async fn pages_of_messages_follow_each_other(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (place, other) = (world.direct(ana, ben).await, world.direct(ana, carol).await);
    let mut posted = Vec::new();
    for number in 0..7 {
        posted.push(world.post(place, if number % 2 == 0 { ana } else { ben }, &number.to_string()).await);
        world.post(other, carol, "elsewhere").await;
    }
    posted.reverse();
    assert_eq!(world.history(place).await, posted);
    let page = async |before: Option<MessageId>, limit| {
        world.store.messages_in(place, Page { before, limit }).await.unwrap()
    };
    assert_eq!(page(None, 3).await, posted[..3]);
    assert_eq!(page(Some(posted[2].id), 3).await, posted[3..6]);
    assert_eq!(page(Some(posted[5].id), 3).await, posted[6..]);
    assert!(page(Some(posted[6].id), 3).await.is_empty());
    assert!(page(None, 0).await.is_empty());
    assert_eq!(ids(&posted).into_iter().collect::<HashSet<_>>().len(), 7);
    assert!(world.history(ConversationId(999)).await.is_empty());
}

pub(crate) async fn a_history_has_both_people_and_what_is_shown_of_messages(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "Ben", "carol"]).await;
    let place = world.direct(ben, ana).await;
    world.store.befriend(ana, carol, uuid(), START).await.unwrap();
    world.session(ben, at(10)).await;
    for (author, text) in [(ana, "one"), (ben, "two")] {
        world.post(place, author, text).await;
    }
    let mut new = new_message(place, ana, "three");
    let files = [file("a"), file("b")];
    new.media = files.to_vec();
    world.store.add_message(new).await.unwrap();
    let history = async |account, before, limit| {
        world.store.direct_history(place, account, Page { before, limit }, at(10)).await
    };
    let Introduced { what: (direct, entries), initiator, receiver } = history(ana, None, 10).await.unwrap();
    assert_eq!(direct, Direct { id: place, initiator: ben, receiver: ana });
    let shown: Vec<_> =
        entries.iter().map(|entry| (&*entry.text, entry.author, entry.attachment.as_deref())).collect();
    assert_eq!(shown, [("three", ana, Some(&*files[0].key)), ("two", ben, None), ("one", ana, None)]);
    let stored = world.history(place).await;
    let same =
        |entry: &Entry, message: &Message| (entry.id, entry.created_at) == (message.id, message.created_at);
    assert!(entries.iter().zip(&stored).all(|(entry, message)| same(entry, message)));
    assert_eq!((initiator.id, initiator.connected, initiator.friends.len()), (ben, true, 0));
    assert_eq!((receiver.id, receiver.connected, receiver.friends), (ana, false, vec!["carol".to_owned()]));
    let page = history(ben, Some(entries[0].id), 1).await.unwrap().what.1;
    assert_eq!(page, entries[1..2]);
    let refused = history(carol, None, 10).await;
    assert!(is(&refused, &Error::Forbidden(Noun::Conversation)), "{refused:?}");
    let nowhere = Page { before: None, limit: 10 };
    let refused = world.store.direct_history(ConversationId(999), ana, nowhere, START).await;
    assert!(is(&refused, &Error::NotFound(Noun::Conversation)), "{refused:?}");
    // Who is deleted stays in the history.
    world.store.remove_account(ana, at(20)).await.unwrap();
    let history = history(ben, None, 10).await.unwrap();
    assert_eq!((history.receiver.username.as_str(), history.what.1.len()), ("deleted", 3));
}
