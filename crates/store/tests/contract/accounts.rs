//! Accounts.

use std::collections::HashSet;

use domain::{
    AccountId, Error, Grant, Noun,
    accounts::{AccountChange, Avatar, AvatarChange, Identity, Person, Role},
    sessions::CodeVerdict,
};

use crate::{
    crowd::at_once,
    world::{NO_ACCOUNT, START, World, at, hash, is, uuid},
};

async fn person(world: &World, id: AccountId) -> Person {
    world.store.people(vec![id]).await.unwrap().pop().unwrap()
}

pub(crate) async fn an_account_is_found_by_its_folded_name(world: &World) {
    let mut new = World::new_account("Ána");
    new.photo = Some("avatars/1.png".into());
    new.two_factor = true;
    new.role = Role::Teacher;
    let id = world.store.add_account(new.clone()).await.unwrap();
    assert_eq!(world.store.account_named("ána").await.unwrap(), Some(id));
    assert_eq!(world.store.account_named("Ána").await.unwrap(), None);
    let expected = Person {
        id,
        uuid: new.uuid,
        username: "Ána".into(),
        email: new.email.clone(),
        first_name: "First".into(),
        last_name: "Last".into(),
        role: Role::Teacher,
        two_factor: true,
        avatar: Avatar { photo: new.photo, text: None },
    };
    assert_eq!(world.store.people(vec![id, AccountId(999)]).await.unwrap(), [expected]);
    assert!(world.store.people(Vec::new()).await.unwrap().is_empty());
    let holder = world.store.password_holder("ána").await.unwrap().unwrap();
    assert_eq!((holder.id, holder.username.as_str(), holder.two_factor), (id, "Ána", true));
    assert_eq!((holder.email, holder.password), (new.email, Some("hash".into())));
    assert_eq!(world.store.password_holder_of(id).await.unwrap().unwrap().id, id);
    assert!(world.store.password_holder("ben").await.unwrap().is_none());
    assert!(world.store.password_holder_of(AccountId(999)).await.unwrap().is_none());
}

pub(crate) async fn a_folded_name_is_taken_once(world: &World) {
    let mut ana = World::new_account("Ana");
    world.store.add_account(ana.clone()).await.unwrap();
    ana.uuid = uuid();
    ana.photo = Some("avatars/lost.png".into());
    let again = world.store.add_account(ana).await;
    assert!(is(&again, &Error::Conflict(Noun::Username)), "{again:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM photo").await, 0);
    world.account("Ben").await;
}

pub(crate) async fn racing_sign_ups_make_one_account(world: &World) {
    let results = at_once(64, |_| {
        let store = world.store.clone();
        async move { store.add_account(World::new_account("ana")).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.iter().filter(|result| is(result, &Error::Conflict(Noun::Username))).count();
    assert_eq!(refused, 63, "{results:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM account").await, 1);
}

pub(crate) async fn ids_are_not_used_again(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    assert!(ana.0 >= 1 && ben > ana);
    world.execute(&format!("DELETE FROM account WHERE id = {ben}")).await;
    assert!(world.account("carol").await > ben);
}

pub(crate) async fn a_change_leaves_the_rest_as_it_is(world: &World) {
    let ana = world.account("Ana").await;
    let before = person(world, ana).await;
    let unused = world.store.set_account(ana, AccountChange::default(), at(1)).await.unwrap();
    assert!(unused.is_empty());
    assert_eq!(person(world, ana).await, before);

    let change = AccountChange {
        username: Some(("Anna".into(), "anna".into())),
        email: Some(String::new()),
        role: Some(Role::Staff),
        two_factor: Some(true),
        ..AccountChange::default()
    };
    world.store.set_account(ana, change, at(1)).await.unwrap();
    let expected = Person {
        username: "Anna".into(),
        email: String::new(),
        role: Role::Staff,
        two_factor: true,
        ..before
    };
    assert_eq!(person(world, ana).await, expected);
    assert_eq!(world.store.account_named("ana").await.unwrap(), None);
    assert_eq!(world.store.account_named("anna").await.unwrap(), Some(ana));
    let nobody = world.store.set_account(AccountId(999), AccountChange::default(), at(1)).await;
    assert!(is(&nobody, &NO_ACCOUNT), "{nobody:?}");
}

pub(crate) async fn a_name_can_be_changed_to_a_free_one_alone(world: &World) {
    let [ana, _] = world.accounts(["Ana", "Ben"]).await;
    let change = AccountChange {
        username: Some(("BEN".into(), "ben".into())),
        email: Some("new@example.org".into()),
        ..AccountChange::default()
    };
    let taken = world.store.set_account(ana, change, at(1)).await;
    assert!(is(&taken, &Error::Conflict(Noun::Username)), "{taken:?}");
    assert_eq!(person(world, ana).await.email, "Ana@example.org");
    // One's own name in other letters is free.
    let change = AccountChange { username: Some(("ANA".into(), "ana".into())), ..AccountChange::default() };
    world.store.set_account(ana, change, at(1)).await.unwrap();
    assert_eq!(person(world, ana).await.username, "ANA");
}

pub(crate) async fn a_new_password_ends_the_other_sessions_and_voids_the_code(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let (kept, other) = (world.session(ana, START).await, world.session(ana, START).await);
    world.session(ben, START).await;
    let code = hash();
    world.store.set_code(ana, code, at(600)).await.unwrap();
    let change =
        AccountChange { password: Some("new".into()), keep_session: Some(kept), ..AccountChange::default() };
    world.store.set_account(ana, change, at(1)).await.unwrap();
    assert_eq!(world.bus.ended(), [(Grant::Session(other), ana)]);
    let holder = world.store.password_holder_of(ana).await.unwrap().unwrap();
    assert_eq!(holder.password.as_deref(), Some("new"));
    let verdict = world.store.add_session(World::new_session(ana, at(2)), Some(code)).await.unwrap();
    assert_eq!(verdict, CodeVerdict::Wrong);

    let change = AccountChange { password: Some("newer".into()), ..AccountChange::default() };
    world.store.set_account(ana, change, at(3)).await.unwrap();
    assert_eq!(world.bus.ended().last(), Some(&(Grant::Session(kept), ana)));
    assert_eq!(world.bus.ended().len(), 2);
}

pub(crate) async fn a_hash_is_replaced_only_while_it_is_the_known_one(world: &World) {
    let ana = world.account("ana").await;
    world.session(ana, START).await;
    world.store.rehash_password(ana, "hash", "better".into()).await.unwrap();
    world.store.rehash_password(ana, "hash", "late".into()).await.unwrap();
    let holder = world.store.password_holder("ana").await.unwrap().unwrap();
    assert_eq!(holder.password.as_deref(), Some("better"));
    assert!(world.bus.ended().is_empty());
}

pub(crate) async fn an_avatar_replaces_the_uploaded_one_before_it(world: &World) {
    let ana = world.account("ana").await;
    let set = async |avatar| {
        let change = AccountChange { avatar: Some(avatar), ..AccountChange::default() };
        world.store.set_account(ana, change, at(1)).await.unwrap()
    };
    let avatar = async || person(world, ana).await.avatar;
    let shown = |photo: Option<&str>, text: Option<&str>| Avatar {
        photo: photo.map(str::to_owned),
        text: text.map(str::to_owned),
    };
    assert_eq!(avatar().await, shown(None, None));
    assert!(set(AvatarChange::Photo("a.png".into())).await.is_empty());
    assert_eq!(avatar().await, shown(Some("a.png"), None));
    assert!(set(AvatarChange::Text("avatars/x.png".into())).await.is_empty());
    assert_eq!(avatar().await, shown(Some("a.png"), Some("avatars/x.png")));
    assert_eq!(set(AvatarChange::Photo("b.png".into())).await, ["a.png"]);
    assert_eq!(avatar().await, shown(Some("b.png"), None));
    // A photo of the album merely loses the avatar's place.
    world.execute("UPDATE photo SET in_album = TRUE").await;
    assert!(set(AvatarChange::Photo("c.png".into())).await.is_empty());
    assert_eq!(set(AvatarChange::Cleared).await, ["c.png"]);
    assert_eq!(avatar().await, shown(None, Some("")));
    assert_eq!(world.number("SELECT COUNT(*) FROM photo").await, 1);
}

pub(crate) async fn a_deleted_account_leaves_nothing_personal(world: &World) {
    let identity = || Identity { provider: "42".into(), external_id: "1".into() };
    let mut new = World::new_account("Ana");
    new.photo = Some("a.png".into());
    let (ana, _) = world.store.add_identity(identity(), new).await.unwrap();
    let ben = world.account("ben").await;
    world.store.befriend(ben, ana, uuid(), START).await.unwrap();
    let session = world.session(ana, START).await;
    let bens = world.session(ben, START).await;
    let key = world.store.add_key(ana, "cli", hash(), START).await.unwrap();
    world.store.set_code(ana, hash(), at(600)).await.unwrap();

    assert_eq!(world.store.remove_account(ana, at(5)).await.unwrap(), ["a.png"]);
    let left = person(world, ana).await;
    assert_eq!((left.username.as_str(), left.email.as_str()), ("deleted", ""));
    assert_eq!((left.first_name.as_str(), left.last_name.as_str()), ("", ""));
    assert_eq!(left.avatar, Avatar::default());
    assert_eq!(world.bus.ended(), [(Grant::Session(session), ana), (Grant::Key(key), ana)]);
    assert_eq!(world.store.ended_since(at(5)).await.unwrap(), world.bus.ended());
    assert_eq!(world.store.identity(identity()).await.unwrap(), None);
    for table in ["relation", "photo", "identity", "code"] {
        assert_eq!(world.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    assert!(world.store.session(domain::sessions::SessionBy::Id(bens)).await.unwrap().is_some());
    // The name is free again.
    assert_ne!(world.account("ana").await, ana);
}

pub(crate) async fn a_deleted_account_can_do_nothing_more(world: &World) {
    let ana = world.account("ana").await;
    world.store.remove_account(ana, at(1)).await.unwrap();
    let again = world.store.remove_account(ana, at(2)).await;
    assert!(is(&again, &NO_ACCOUNT), "{again:?}");
    let unknown = world.store.remove_account(AccountId(999), at(2)).await;
    assert!(is(&unknown, &NO_ACCOUNT), "{unknown:?}");
    let change = world.store.set_account(ana, AccountChange::default(), at(2)).await;
    assert!(is(&change, &NO_ACCOUNT), "{change:?}");
    let session = world.store.add_session(World::new_session(ana, at(2)), None).await;
    assert!(is(&session, &NO_ACCOUNT), "{session:?}");
    let key = world.store.add_key(ana, "cli", hash(), at(2)).await;
    assert!(is(&key, &NO_ACCOUNT), "{key:?}");
    world.store.set_code(ana, hash(), at(600)).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM code").await, 0);
    assert!(world.store.password_holder_of(ana).await.unwrap().is_none());
    assert_eq!(world.store.account_named("ana").await.unwrap(), None);
    assert_eq!(world.store.account_named("deleted").await.unwrap(), None);
}

fn known(number: usize) -> Identity {
    Identity { provider: "42".into(), external_id: number.to_string() }
}

pub(crate) async fn an_identity_makes_one_account(world: &World) {
    assert_eq!(world.store.identity(known(1)).await.unwrap(), None);
    let (ana, made) = world.store.add_identity(known(1), World::new_account("ana")).await.unwrap();
    assert!(made);
    let again = world.store.add_identity(known(1), World::new_account("other")).await.unwrap();
    assert_eq!(again, (ana, false));
    assert_eq!(world.store.identity(known(1)).await.unwrap(), Some(ana));
    assert_eq!(world.store.account_named("other").await.unwrap(), None);
    let vk = Identity { provider: "vk".into(), external_id: "1".into() };
    assert_eq!(world.store.identity(vk).await.unwrap(), None);
}

pub(crate) async fn racing_identities_make_one_account(world: &World) {
    let results = at_once(32, |_| {
        let store = world.store.clone();
        async move { store.add_identity(known(1), World::new_account("ana")).await.unwrap() }
    })
    .await;
    assert_eq!(results.iter().filter(|(_, made)| *made).count(), 1);
    assert_eq!(results.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM account").await, 1);
    assert_eq!(world.store.account_named("ana").await.unwrap(), Some(results[0].0));
}

pub(crate) async fn a_taken_name_gets_the_first_free_number(world: &World) {
    world.accounts(["Ana", "ana3"]).await;
    let mut names = Vec::new();
    for number in 0..3 {
        let (id, _) = world.store.add_identity(known(number), World::new_account("ANA")).await.unwrap();
        names.push(person(world, id).await.username);
    }
    assert_eq!(names, ["ANA2", "ANA4", "ANA5"]);
    // More people of one name than are looked up at a time, at once.
    let made = at_once(8, |task| {
        let store = world.store.clone();
        async move {
            for number in 0..8 {
                let identity = known(1000 + task * 100 + number);
                assert!(store.add_identity(identity, World::new_account("ana")).await.unwrap().1);
            }
        }
    });
    made.await;
    assert_eq!(world.number("SELECT COUNT(*) FROM account").await, 69);
    assert!(world.store.account_named("ana69").await.unwrap().is_some());

    let long = "x".repeat(150);
    world.account(&long).await;
    let (id, _) = world.store.add_identity(known(99), World::new_account(&long)).await.unwrap();
    assert_eq!(person(world, id).await.username, format!("{}2", "x".repeat(149)));
}

pub(crate) async fn a_text_with_nul_matches_nothing(world: &World) {
    world.account("ana").await;
    assert_eq!(world.store.account_named("ana\0").await.unwrap(), None);
    assert_eq!(world.store.account_named("\0").await.unwrap(), None);
}
