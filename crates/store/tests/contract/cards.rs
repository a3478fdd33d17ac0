//! Lists of people.

use domain::{
    AccountId,
    accounts::{Card, Cards},
};

use crate::world::{START, World, at, uuid};

fn names(cards: &[Card]) -> Vec<&str> {
    cards.iter().map(|card| card.username.as_str()).collect()
}

async fn all(world: &World, search: Option<&str>, after: Option<&str>, limit: usize) -> Vec<Card> {
    let which = Cards::All { search: search.map(str::to_owned), after: after.map(str::to_owned), limit };
    world.store.cards(which, START).await.unwrap()
}

pub(crate) async fn all_cards_come_by_folded_name(world: &World) {
    assert!(all(world, None, None, 10).await.is_empty());
    let [gone, ..] =
        world.accounts(["gone", "b_a", "Éva", "ana", "Zoë", "ba", "Ben", "b-a", "яна", "B1"]).await;
    world.store.remove_account(gone, at(1)).await.unwrap();
    let cards = all(world, None, None, 100).await;
    // By the bytes of the folded name, on both databases.
    assert_eq!(names(&cards), ["ana", "b-a", "B1", "b_a", "ba", "Ben", "Zoë", "Éva", "яна"]);
}

pub(crate) async fn pages_of_cards_follow_each_other(world: &World) {
    world.accounts(["dora", "Ana", "carol", "Ben", "eve"]).await;
    assert_eq!(names(&all(world, None, None, 2).await), ["Ana", "Ben"]);
    assert_eq!(names(&all(world, None, Some("ben"), 2).await), ["carol", "dora"]);
    assert_eq!(names(&all(world, None, Some("dora"), 2).await), ["eve"]);
    assert_eq!(names(&all(world, Some("a"), Some("ana"), 1).await), ["carol"]);
    assert_eq!(names(&all(world, Some("aro"), Some("ana"), 5).await), ["carol"]);
    assert!(all(world, Some("aro"), Some("carol"), 5).await.is_empty());
}

pub(crate) async fn a_search_finds_every_part_of_a_name(world: &World) {
    let [mario, gone] = world.accounts(["Mariöla", "Marilyn"]).await;
    world.accounts(["ana", "Rosemarie"]).await;
    assert_eq!(names(&all(world, Some("mari"), None, 10).await), ["Marilyn", "Mariöla", "Rosemarie"]);
    assert_eq!(names(&all(world, Some("iöl"), None, 10).await), ["Mariöla"]);
    assert_eq!(names(&all(world, Some("a"), None, 10).await), ["ana", "Marilyn", "Mariöla", "Rosemarie"]);
    assert_eq!(names(&all(world, Some("ö"), None, 10).await), ["Mariöla"]);
    assert_eq!(names(&all(world, Some(""), None, 10).await).len(), 4);
    assert!(all(world, Some("xyz"), None, 10).await.is_empty());
    // The search follows changes and deletions.
    let change = domain::accounts::AccountChange {
        username: Some(("Petra".into(), "petra".into())),
        ..domain::accounts::AccountChange::default()
    };
    world.store.set_account(mario, change, at(1)).await.unwrap();
    world.store.remove_account(gone, at(1)).await.unwrap();
    assert_eq!(names(&all(world, Some("mari"), None, 10).await), ["Rosemarie"]);
    assert_eq!(names(&all(world, Some("etr"), None, 10).await), ["Petra"]);
    assert!(all(world, Some("deleted"), None, 10).await.is_empty());
}

pub(crate) async fn search_texts_have_no_special_characters(world: &World) {
    world.accounts(["a_b", "axb", "aaa"]).await;
    assert_eq!(names(&all(world, Some("a_b"), None, 10).await), ["a_b"]);
    assert_eq!(names(&all(world, Some("_"), None, 10).await), ["a_b"]);
    for sought in [
        "%",
        "%%%",
        "\\",
        "\\\\\\",
        "\"",
        "\"\"\"",
        "a\" OR \"x",
        "*",
        "aa*",
        "a AND b",
        "'",
        "(((",
        "\0\0\0",
    ] {
        assert!(all(world, Some(sought), None, 10).await.is_empty(), "{sought}");
    }
}

pub(crate) async fn cards_show_sessions_and_friends(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["Ana", "ben", "Carol", "dora"]).await;
    for (me, other) in [(ana, dora), (carol, ana), (ana, ben)] {
        world.store.befriend(me, other, uuid(), START).await.unwrap();
    }
    world.session(ben, at(10)).await;
    world.session(ben, at(11)).await;
    world.session(carol, at(5)).await;
    let ended = world.session(dora, at(10)).await;
    world.store.end_session(ended, at(11)).await.unwrap();
    let which = Cards::All { search: None, after: None, limit: 10 };
    let cards = world.store.cards(which, at(6)).await.unwrap();
    let shown: Vec<_> =
        cards.iter().map(|card| (card.username.as_str(), card.connected, card.friends.join(" "))).collect();
    let expected = [
        ("Ana", false, "ben Carol dora".to_owned()),
        ("ben", true, "Ana".to_owned()),
        ("Carol", false, "Ana".to_owned()),
        ("dora", false, "Ana".to_owned()),
    ];
    assert_eq!(shown, expected);
    // A session used exactly then is live.
    let which = Cards::Of(vec![carol]);
    assert!(world.store.cards(which, at(5)).await.unwrap()[0].connected);
    // The deleted are shown to those who ask for them by id.
    world.store.remove_account(ben, at(20)).await.unwrap();
    let cards = world.store.cards(Cards::Of(vec![dora, ben, ana, AccountId(999)]), at(6)).await.unwrap();
    assert_eq!(names(&cards), ["Ana", "deleted", "dora"]);
    assert_eq!(cards[0].friends, ["Carol", "dora"]);
    assert!(!cards[1].connected && cards[1].friends.is_empty());
}

pub(crate) async fn friends_are_those_whom_both_sides_accepted(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["ana", "Ben", "carol", "dora"]).await;
    for (me, other) in [(ana, carol), (ben, ana), (dora, ana), (ben, carol)] {
        world.store.befriend(me, other, uuid(), START).await.unwrap();
    }
    world.execute(&format!("UPDATE relation SET status_to = 'pending' WHERE from_account = {dora}")).await;
    let friends = async |account| world.store.cards(Cards::FriendsOf(account), START).await.unwrap();
    assert_eq!(names(&friends(ana).await), ["Ben", "carol"]);
    assert_eq!(names(&friends(carol).await), ["ana", "Ben"]);
    assert!(friends(dora).await.is_empty());
    assert!(friends(AccountId(999)).await.is_empty());
    assert_eq!(friends(ana).await[0].friends, ["ana", "carol"]);
}

pub(crate) async fn all_people_are_walked_through_by_name(world: &World) {
    let [_, _, carol, dora] = world.accounts(["Ana", "ben", "Carol", "dora"]).await;
    world.store.remove_account(carol, at(1)).await.unwrap();
    let mut walked = Vec::new();
    while let Some(next) = {
        let after = walked.last().map(|name: &String| name.to_lowercase()).unwrap_or_default();
        world.store.people_after(&after, 1).await.unwrap().pop()
    } {
        walked.push(next.username);
    }
    assert_eq!(walked, ["Ana", "ben", "dora"]);
    assert_eq!(world.store.people_after("ben", 10).await.unwrap()[0].id, dora);
    assert!(world.store.people_after("", 0).await.unwrap().is_empty());
}

pub(crate) async fn friends_are_sorted_by_their_folded_names(world: &World) {
    let [ana, others @ ..] = world.accounts(["ana", "bob", "Bea", "Zoë", "éva", "Bo", "carl"]).await;
    let friends =
        async |account| world.store.cards(Cards::Of(vec![account]), START).await.unwrap().remove(0).friends;
    for (place, other) in others.into_iter().enumerate() {
        let (me, other) = if place % 2 == 0 { (ana, other) } else { (other, ana) };
        world.store.befriend(me, other, uuid(), START).await.unwrap();
        let mut expected = friends(ana).await;
        expected.sort_by_key(|name| domain::accounts::names::folded(name));
        assert_eq!((friends(ana).await, expected.len()), (expected, place + 1));
    }
    assert_eq!(friends(ana).await, ["Bea", "Bo", "bob", "carl", "Zoë", "éva"]);
}
