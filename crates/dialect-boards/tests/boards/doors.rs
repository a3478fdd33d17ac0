//! Who is let in, and how the others are shown out.

use std::time::Duration;

use domain::{accounts, keys, sessions};
use serde_json::json;

use crate::{client::Socket, world::World};

const NO_TOKEN: &str = "Authorization not found, Please send valid token in headers";
const EXPIRED: &str = "Authentication token has expired";
const BAD: &str = "Authorization has failed, Please send valid token.";

pub(crate) async fn every_kind_of_credential_lets_in(world: &World) {
    let key = world.key("ana").await;
    let tokens = world.again(&key).await;
    for token in [&key, &tokens.access, &tokens.opaque] {
        let mut socket = Socket::enter(world.address, token).await;
        assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");
    }
}

pub(crate) async fn credentials_may_stand_in_many_places(world: &World) {
    let tokens = world.signed_in("ana").await;
    let bearer = format!("Bearer {}", tokens.access);
    let opaque = format!("token {}", tokens.opaque);
    for header in [&bearer, &opaque] {
        let mut socket = Socket::start(world.address, "&EIO=4", Some(header)).await;
        socket.say("40/widget,").await;
        socket.is_in().await;
    }
    for payload in [
        json!({ "access_token": tokens.access }),
        json!({ "access": tokens.access }),
        json!({ "token": tokens.opaque }),
        json!({ "Authorization": bearer }),
        json!({ "Authorization": opaque }),
    ] {
        let mut socket = Socket::start(world.address, "&EIO=4", Some("Basic eDp5")).await;
        socket.say(&format!("40/widget,{payload}")).await;
        socket.is_in().await;
    }
    for name in ["access_token", "access", "token"] {
        let query = format!("&EIO=4&{name}={}", tokens.access);
        let mut socket = Socket::start(world.address, &query, None).await;
        socket.say("40/widget,").await;
        socket.is_in().await;
    }
    // The first place that holds one decides.
    let mut socket = Socket::start(world.address, "&EIO=4", Some("Bearer nonsense")).await;
    socket.say(&format!("40/widget,{}", json!({ "token": tokens.access }))).await;
    socket.is_shown_out(BAD).await;
}

pub(crate) async fn the_refused_are_told_and_shown_out(world: &World) {
    let key = world.key("ana").await;
    let [tokens, ended] = [world.again(&key).await, world.again(&key).await];
    let caller = sessions::authenticate(&world.app, sessions::Shown::Any(&ended.access)).await.unwrap();
    sessions::sign_out(&world.app, &caller, "boards").await.unwrap();
    let revoked = keys::make(&world.app, "ana", "other").await.unwrap();
    keys::revoke(&world.app, "ana", "other").await.unwrap();

    let mut nobody = Socket::start(world.address, "&EIO=4", Some("Basic eDp5")).await;
    nobody.say("40/widget,").await;
    nobody.is_shown_out(NO_TOKEN).await;
    let cut = &tokens.access[..tokens.access.len() - 2];
    for bad in [&tokens.refresh, &ended.access, &ended.opaque, &revoked, "x", "a.b.c", cut] {
        Socket::knock(world.address, bad).await.is_shown_out(BAD).await;
    }
    world.wait(Duration::from_hours(1));
    Socket::knock(world.address, &tokens.access).await.is_shown_out(EXPIRED).await;
    // It is the access token that has expired, not the session.
    Socket::enter(world.address, &tokens.opaque).await;
    world.wait(Duration::from_hours(24));
    Socket::knock(world.address, &tokens.refresh).await.is_shown_out(BAD).await;
}

pub(crate) async fn nothing_is_served_to_the_refused(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::knock(world.address, "nonsense").await;
    socket.say("42/widget,7[\"get_all_widgets\"]").await;
    socket.is_shown_out(BAD).await;
    socket.say("42/widget,8[\"get_all_widgets\"]").await;
    // The connection stays: another try may be made, and nothing was answered in between.
    socket.say("40/widget,").await;
    socket.is_shown_out(NO_TOKEN).await;
    socket.say(&format!("40/widget,{}", json!({ "token": tokens.access }))).await;
    socket.is_in().await;
    socket.say("42/widget,9[\"get_all_widgets\"]").await;
    let mut answers = [socket.text().await, socket.text().await];
    answers.sort();
    assert_eq!(answers, [r#"42/widget,["message",[]]"#, "43/widget,9[[]]"]);
}

pub(crate) async fn a_refusal_disturbs_nobody(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    for _ in 0..20 {
        Socket::knock(world.address, "nonsense").await.is_shown_out(BAD).await;
        assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");
    }
}

pub(crate) async fn the_end_of_a_session_closes_its_sockets(world: &World) {
    let key = world.key("ana").await;
    let [tokens, other] = [world.again(&key).await, world.again(&key).await];
    let mut sockets = [
        Socket::enter(world.address, &tokens.access).await,
        Socket::enter(world.address, &tokens.opaque).await,
    ];
    let mut stays =
        [Socket::enter(world.address, &other.access).await, Socket::enter(world.address, &key).await];
    let caller = sessions::authenticate(&world.app, sessions::Shown::Any(&tokens.access)).await.unwrap();
    sessions::sign_out(&world.app, &caller, "boards").await.unwrap();
    for socket in &mut sockets {
        assert_eq!(socket.text().await, "41/widget,");
        assert_eq!(socket.closed().await, 4001);
    }
    for socket in &mut stays {
        assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");
    }
    keys::revoke(&world.app, "ana", "tests").await.unwrap();
    assert_eq!(stays[1].text().await, "41/widget,");
    assert_eq!(stays[1].closed().await, 4001);
    assert_eq!(stays[0].ask("get_all_widgets", &json!(null)).await, "[]");
}

pub(crate) async fn a_deleted_accounts_sockets_close(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::enter(world.address, &tokens.access).await;
    accounts::delete(&world.app, "ana").await.unwrap();
    assert_eq!(socket.text().await, "41/widget,");
    assert_eq!(socket.closed().await, 4001);
    Socket::knock(world.address, &tokens.access).await.is_shown_out(BAD).await;
}

pub(crate) async fn old_clients_come_in_too(world: &World) {
    let tokens = world.signed_in("ana").await;
    let mut socket = Socket::start(world.address, "&EIO=3", None).await;
    assert_eq!(socket.text().await, "40");
    socket.say(&format!("40/widget?token={},", tokens.access)).await;
    assert_eq!(socket.text().await, "40/widget,");
    assert_eq!(socket.text().await, r#"42/widget,["message","connected"]"#);
    assert_eq!(socket.ask("get_all_widgets", &json!(null)).await, "[]");

    let mut refused = Socket::start(world.address, "&EIO=3", None).await;
    assert_eq!(refused.text().await, "40");
    refused.say("40/widget?token=nonsense,").await;
    assert_eq!(refused.text().await, "40/widget,");
    assert_eq!(
        refused.message().await,
        format!(r#"{{"data":{{"message":"{BAD}"}},"code":401,"request_id":""}}"#)
    );
    assert_eq!(refused.text().await, "41/widget,");
}
