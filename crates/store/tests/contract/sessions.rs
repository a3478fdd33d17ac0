//! Sessions, codes and refresh tokens.

use domain::{
    Grant, SessionId,
    sessions::{CodeVerdict, NewSession, SessionBy},
};

use crate::{
    crowd::at_once,
    world::{START, World, at, hash, uuid},
};

pub(crate) async fn a_session_is_found_by_id_and_by_hash(world: &World) {
    let ana = world.account("ana").await;
    let new = World::new_session(ana, at(1));
    let verdict = world.store.add_session(new.clone(), None).await.unwrap();
    assert_eq!(verdict, CodeVerdict::Good);
    for by in [SessionBy::Id(new.id), SessionBy::OpaqueHash(new.opaque_hash)] {
        let found = world.store.session(by).await.unwrap().unwrap();
        assert_eq!((found.id, found.account, found.used_at), (new.id, ana, at(1)));
    }
    assert!(world.store.session(SessionBy::Id(SessionId(uuid()))).await.unwrap().is_none());
    assert!(world.store.session(SessionBy::OpaqueHash(hash())).await.unwrap().is_none());
}

pub(crate) async fn a_session_ends_once_and_is_told(world: &World) {
    let ana = world.account("ana").await;
    let (session, other) = (world.session(ana, START).await, world.session(ana, START).await);
    assert!(world.store.end_session(session, at(9)).await.unwrap());
    assert!(!world.store.end_session(session, at(10)).await.unwrap());
    assert!(!world.store.end_session(SessionId(uuid()), at(10)).await.unwrap());
    assert_eq!(world.bus.ended(), [(Grant::Session(session), ana)]);
    assert!(world.store.session(SessionBy::Id(session)).await.unwrap().is_none());
    assert!(world.store.session(SessionBy::Id(other)).await.unwrap().is_some());
    assert_eq!(world.store.ended_since(at(9)).await.unwrap(), [(Grant::Session(session), ana)]);
    assert!(world.store.ended_since(at(10)).await.unwrap().is_empty());
}

pub(crate) async fn the_newest_live_session_of_a_dialect_is_found(world: &World) {
    let ana = world.account("ana").await;
    let add = async |dialect, seconds| {
        let new = NewSession { dialect, ..World::new_session(ana, at(seconds)) };
        let id = new.id;
        world.store.add_session(new, None).await.unwrap();
        id
    };
    let (old, newest) = (add("meetups", 1).await, add("meetups", 5).await);
    add("messenger", 9).await;
    let found = async |since| {
        let session = world.store.session_of(ana, "meetups", at(since)).await.unwrap();
        session.map(|session| session.id)
    };
    assert_eq!(found(0).await, Some(newest));
    world.store.touch_sessions(vec![old], at(20)).await.unwrap();
    assert_eq!(found(0).await, Some(newest));
    assert_eq!(found(10).await, Some(old));
    world.store.end_session(newest, at(21)).await.unwrap();
    assert_eq!(found(0).await, Some(old));
    assert_eq!(found(21).await, None);
}

pub(crate) async fn idle_sessions_end(world: &World) {
    let ana = world.account("ana").await;
    let (idle, used, fresh) =
        (world.session(ana, at(1)).await, world.session(ana, at(1)).await, world.session(ana, at(5)).await);
    world.store.touch_sessions(vec![used, SessionId(uuid())], at(6)).await.unwrap();
    world.store.touch_sessions(Vec::new(), at(6)).await.unwrap();
    world.store.end_idle_sessions(at(5), at(7)).await.unwrap();
    assert_eq!(world.bus.ended(), [(Grant::Session(idle), ana)]);
    assert_eq!(world.store.ended_since(at(7)).await.unwrap(), [(Grant::Session(idle), ana)]);
    for alive in [used, fresh] {
        assert!(world.store.session(SessionBy::Id(alive)).await.unwrap().is_some());
    }
}

pub(crate) async fn touching_never_goes_back(world: &World) {
    let ana = world.account("ana").await;
    let session = world.session(ana, at(5)).await;
    world.store.touch_sessions(vec![session], at(9)).await.unwrap();
    world.store.touch_sessions(vec![session], at(7)).await.unwrap();
    let found = world.store.session(SessionBy::Id(session)).await.unwrap().unwrap();
    assert_eq!(found.used_at, at(9));
}

async fn try_code(world: &World, code: [u8; 32], seconds: i64) -> CodeVerdict {
    let ana = world.store.account_named("ana").await.unwrap().unwrap();
    let new = World::new_session(ana, at(seconds));
    let id = new.id;
    let verdict = world.store.add_session(new, Some(code)).await.unwrap();
    let stands = world.store.session(SessionBy::Id(id)).await.unwrap().is_some();
    assert_eq!(stands, verdict == CodeVerdict::Good);
    verdict
}

pub(crate) async fn a_right_code_is_used_up(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let code = hash();
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Wrong);
    world.store.set_code(ben, code, at(600)).await.unwrap();
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Wrong);
    world.store.set_code(ana, code, at(600)).await.unwrap();
    assert_eq!(try_code(world, hash(), 1).await, CodeVerdict::Wrong);
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Good);
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Wrong);
}

pub(crate) async fn a_code_is_void_after_five_wrong_ones(world: &World) {
    let ana = world.account("ana").await;
    let code = hash();
    world.store.set_code(ana, code, at(600)).await.unwrap();
    for _ in 0..4 {
        assert_eq!(try_code(world, hash(), 1).await, CodeVerdict::Wrong);
    }
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Good);
    world.store.set_code(ana, code, at(600)).await.unwrap();
    for _ in 0..5 {
        assert_eq!(try_code(world, hash(), 1).await, CodeVerdict::Wrong);
    }
    assert_eq!(try_code(world, code, 1).await, CodeVerdict::Wrong);
}

pub(crate) async fn a_code_expires(world: &World) {
    let ana = world.account("ana").await;
    let code = hash();
    world.store.set_code(ana, code, at(600)).await.unwrap();
    assert_eq!(try_code(world, code, 600).await, CodeVerdict::Wrong);
    assert_eq!(try_code(world, code, 599).await, CodeVerdict::Good);
}

pub(crate) async fn a_new_code_replaces_the_old_one(world: &World) {
    let ana = world.account("ana").await;
    let (old, new) = (hash(), hash());
    world.store.set_code(ana, old, at(600)).await.unwrap();
    for _ in 0..5 {
        try_code(world, hash(), 1).await;
    }
    world.store.set_code(ana, new, at(900)).await.unwrap();
    assert_eq!(try_code(world, old, 1).await, CodeVerdict::Wrong);
    assert_eq!(try_code(world, new, 700).await, CodeVerdict::Good);
}

pub(crate) async fn racing_right_codes_make_one_session(world: &World) {
    let ana = world.account("ana").await;
    let code = hash();
    world.store.set_code(ana, code, at(600)).await.unwrap();
    let verdicts = at_once(20, |_| {
        let store = world.store.clone();
        async move { store.add_session(World::new_session(ana, at(1)), Some(code)).await.unwrap() }
    })
    .await;
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == CodeVerdict::Good).count(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 1);
}

pub(crate) async fn a_refresh_token_is_spent_once(world: &World) {
    assert!(!world.store.is_refresh_spent([1; 16]).await.unwrap());
    assert!(world.store.spend_refresh([1; 16], at(100), START).await.unwrap());
    assert!(!world.store.spend_refresh([1; 16], at(100), START).await.unwrap());
    assert!(world.store.is_refresh_spent([1; 16]).await.unwrap());
    assert!(!world.store.is_refresh_spent([2; 16]).await.unwrap());
}

pub(crate) async fn racing_refreshes_spend_once(world: &World) {
    let spent = at_once(20, |_| {
        let store = world.store.clone();
        async move { store.spend_refresh([1; 16], at(100), START).await.unwrap() }
    })
    .await;
    assert_eq!(spent.iter().filter(|now| **now).count(), 1);
}

pub(crate) async fn old_marks_of_refresh_tokens_go(world: &World) {
    world.store.spend_refresh([1; 16], at(10), START).await.unwrap();
    world.store.spend_refresh([2; 16], at(20), at(10)).await.unwrap();
    assert!(world.store.is_refresh_spent([1; 16]).await.unwrap());
    world.store.spend_refresh([3; 16], at(30), at(11)).await.unwrap();
    assert!(!world.store.is_refresh_spent([1; 16]).await.unwrap());
    assert!(world.store.is_refresh_spent([2; 16]).await.unwrap());
}
