//! Sockets over WebSockets, packet by packet.

use std::time::Duration;

use kit::{context::SocketLimits, websocket::MessageRate};
use serde_json::json;

use crate::{
    http::{Socket, until},
    toy::Toy,
};

#[tokio::test]
async fn namespaces_share_a_connection() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say("40/widget,{\"token\":\"u\"}").await;
    assert!(socket.text().await.starts_with("40/widget,{\"sid\":\""));
    assert_eq!(socket.text().await, "42/widget,[\"message\",\"connected\"]");
    socket.say("42/widget,9[\"get\"]").await;
    assert_eq!(socket.text().await, "43/widget,9[[]]");
    assert_eq!(socket.text().await, "42/widget,[\"message\",[]]");
    socket.say("42/widget,1[\"what\"]").await;
    assert_eq!(socket.text().await, "43/widget,1[{\"code\":400}]");
    // The session of one ends, the other goes on.
    toy.world.end("t");
    assert_eq!(socket.text().await, "41");
    socket.say("421[\"echo\",1]").await;
    socket.say("42/widget,2[\"get\"]").await;
    assert_eq!(socket.text().await, "43/widget,2[[]]");
    assert_eq!(socket.text().await, "42/widget,[\"message\",[]]");
    toy.world.end("u");
    assert_eq!(socket.text().await, "41/widget,");
    assert_eq!(socket.closed().await, 4001);
}

#[tokio::test]
async fn refusals_are_the_namespace_s_own() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 4, "").await;
    socket.say("40{\"token\":\"bad\"}").await;
    assert_eq!(socket.text().await, "44{\"message\":\"Not you\"}");
    socket.say("40/nowhere,").await;
    assert_eq!(socket.text().await, "44/nowhere,{\"message\":\"Invalid namespace\"}");
    socket.say("40/widget,").await;
    socket.say("42/widget,5[\"get\"]").await;
    assert!(socket.text().await.starts_with("40/widget,{\"sid\":\""));
    let refusal =
        "42/widget,[\"message\",{\"data\":{\"message\":\"Not you\"},\"code\":401,\"request_id\":\"\"}]";
    assert_eq!(socket.text().await, refusal);
    assert_eq!(socket.text().await, "41/widget,");
    // What was said meanwhile is dropped, and another try may be made.
    socket.say("40/widget,{\"token\":\"t\"}").await;
    assert!(socket.text().await.starts_with("40/widget,{\"sid\":\""));
    assert_eq!(socket.text().await, "42/widget,[\"message\",\"connected\"]");
}

#[tokio::test]
async fn connect_comes_first_and_nothing_is_missed() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 4, "&token=slow").await;
    socket.say("40").await;
    socket.say("42[\"echo\",1]").await;
    assert!(socket.text().await.starts_with("40{\"sid\":\""));
    assert_eq!(socket.text().await, "42[\"welcome\",\"slow\"]");
    assert_eq!(socket.text().await, "42[\"said\",\"early\"]");
    assert_eq!(socket.text().await, "42[\"echo\",1]");
}

#[tokio::test]
async fn answers_come_in_order_and_alone_means_alone() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    for event in ["later\",80", "later\",1", "alone\",30", "echo\",0", "later\",2"] {
        socket.say(&format!("42[\"{event}]")).await;
    }
    for expected in [80, 1, 30, 0, 2] {
        assert_eq!(socket.text().await, format!("42[\"echo\",{expected}]"));
    }
}

#[tokio::test]
async fn a_client_may_leave_a_namespace_and_come_back() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say("42[\"later\",1000]").await;
    socket.say("41").await;
    until("it is still in", || toy.world.members() == 0).await;
    socket.say("40{\"token\":\"t\"}").await;
    assert!(socket.text().await.starts_with("40{\"sid\":\""));
    assert_eq!(socket.text().await, "42[\"welcome\",\"t\"]");
    // The answer to what was said before is not for this one.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    socket.say("42[\"echo\",1]").await;
    assert_eq!(socket.text().await, "42[\"echo\",1]");
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_with_1002_or_its_own_code() {
    let toy = Toy::start().await;
    for bad in [
        "7",
        "4",
        "47",
        "42",
        "42[]",
        "42{}",
        "42[\"disconnect\"]",
        "42abc[\"x\"]",
        "40",
        "42/widget,[\"get\"]",
        "42/nowhere,[\"x\"]",
        "41/widget,",
        "45-[\"x\"]",
        "4511-[\"x\"]",
        "2",
        "451-[\"x\"]",
    ] {
        let mut socket = Socket::enter(toy.address, "t").await;
        socket.say(bad).await;
        if bad == "451-[\"x\"]" {
            // Text where an attachment is due.
            socket.say("42[\"echo\",1]").await;
        }
        assert_eq!(socket.closed().await, 1002, "{bad}");
    }
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say_bytes(&[1, 2, 3]).await;
    assert_eq!(socket.closed().await, 1003);
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say(&format!("42[\"echo\",\"{}\"]", "x".repeat(1 << 20))).await;
    assert_eq!(socket.closed().await, 1009);
    until("sockets live on", || toy.world.members() == 0).await;
}

#[tokio::test]
async fn bad_input_is_answered_and_the_socket_stays() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say("451-5[\"echo\",{\"_placeholder\":true,\"num\":0}]").await;
    socket.say_bytes(&[1, 2, 3]).await;
    assert_eq!(socket.text().await, "435[{\"message\":\"Unusable\"}]");
    assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"Unusable\"}]");
    let deep = format!("42[\"echo\",{}{}]", "[".repeat(5000), "]".repeat(5000));
    for unusable in ["42[\"echo\",\"\\ud800\"]", "42[\"echo\",1e999]", "42[\"echo\",NaN]", &deep] {
        socket.say(unusable).await;
        assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"Unusable\"}]");
    }
    for missing in ["42[\"echo\"]", "42[\"echo\",null]"] {
        socket.say(missing).await;
        assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"What?\"}]");
    }
    for ignored in ["6", "5", "0", "3", "43[]", "431[1]", "44{}"] {
        if ignored != "44{}" {
            socket.say(ignored).await;
        }
    }
    socket.say("42[\"echo\",1]").await;
    assert_eq!(socket.text().await, "42[\"echo\",1]");
}

#[tokio::test]
async fn an_overflow_is_told_with_its_code() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    let mut other = Socket::enter(toy.address, "u").await;
    socket.say("42[\"overflow\"]").await;
    assert_eq!(socket.text().await, "41");
    assert_eq!(socket.closed().await, 4008);
    other.say("42[\"echo\",1]").await;
    assert_eq!(other.text().await, "42[\"echo\",1]");
}

#[tokio::test]
async fn a_slow_reader_overflows_alone() {
    let limits = SocketLimits { queue_bytes: 100_000, ..SocketLimits::default() };
    let toy = Toy::with(limits, 10).await;
    let mut slow = Socket::enter(toy.address, "slow one").await;
    let mut quick = Socket::enter(toy.address, "t").await;
    let what = json!("x".repeat(50_000));
    let expected = format!("42[\"said\",{what}]");
    // Far more than the system's buffers hold.
    while toy.world.members() == 2 {
        toy.world.tell_all(&what);
        assert_eq!(quick.text().await, expected);
    }
    quick.say("42[\"echo\",1]").await;
    assert_eq!(quick.text().await, "42[\"echo\",1]");
    let mut last = String::new();
    let code = loop {
        match slow.next().await {
            Ok(text) => last = text,
            Err(code) => break code,
        }
    };
    assert_eq!((last.as_str(), code), ("41", 4008));
}

#[tokio::test]
async fn too_many_messages_are_answered_by_the_namespace() {
    let rate = Some(MessageRate { a_second: 1, burst: 5 });
    let toy = Toy::with(SocketLimits { rate, ..SocketLimits::default() }, 10).await;
    let mut socket = Socket::enter(toy.address, "t").await;
    for n in 1..=4 {
        socket.say(&format!("42[\"echo\",{n}]")).await;
        assert_eq!(socket.text().await, format!("42[\"echo\",{n}]"));
    }
    for _ in 0..20 {
        socket.say("425[\"echo\",5]").await;
    }
    loop {
        let text = socket.text().await;
        if text == "435[{\"message\":\"Slow down\"}]" {
            break;
        }
    }
    assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"Slow down\"}]");
    for _ in 0..20 {
        socket.say("40/widget,{\"token\":\"t\"}").await;
    }
    loop {
        let text = socket.text().await;
        if text == "44/widget,{\"message\":\"Too many messages. Please slow down.\"}" {
            break;
        }
    }
}

#[tokio::test]
async fn a_stop_reaches_everybody_and_what_was_queued_comes_first() {
    let toy = Toy::start().await;
    let mut signed_in = Socket::enter(toy.address, "t").await;
    signed_in.say("40/widget,{\"token\":\"u\"}").await;
    signed_in.text().await;
    signed_in.text().await;
    let mut nowhere = Socket::start(toy.address, 4, "").await;
    let mut stranger = Socket::start(toy.address, 3, "").await;
    assert_eq!(stranger.text().await, "40");
    toy.world.tell_all(&"last".into());
    let all = async {
        assert_eq!(signed_in.text().await, "42[\"said\",\"last\"]");
        let goodbyes = [signed_in.text().await, signed_in.text().await];
        assert!(goodbyes.contains(&"41".into()) && goodbyes.contains(&"41/widget,".into()), "{goodbyes:?}");
        assert_eq!(signed_in.closed().await, 1001);
        assert_eq!(nowhere.closed().await, 1001);
        assert_eq!(stranger.text().await, "41");
        assert_eq!(stranger.closed().await, 1001);
    };
    assert!(tokio::join!(toy.stop(), all).0);
}

#[tokio::test]
async fn old_clients_are_in_the_root_from_the_start() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 3, "").await;
    assert_eq!(socket.text().await, "40");
    socket.say("421[\"echo\",1]").await;
    assert_eq!(socket.text().await, "431[{\"message\":\"Sign in\"}]");
    assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"Sign in\"}]");
    // Some ask for it all the same.
    socket.say("40").await;
    socket.say("40/widget?token=t").await;
    assert_eq!(socket.text().await, "40/widget,");
    assert_eq!(socket.text().await, "42/widget,[\"message\",\"connected\"]");
    socket.say("40/nowhere?a=b,").await;
    assert_eq!(socket.text().await, "44/nowhere,\"Invalid namespace\"");
    socket.say("2").await;
    assert_eq!(socket.text().await, "3");
    // A stranger in the root does not keep the connection open.
    toy.world.end("t");
    assert_eq!(socket.text().await, "41/widget,");
    assert_eq!(socket.text().await, "41");
    assert_eq!(socket.closed().await, 4001);
}

#[tokio::test]
async fn an_auth_payload_beyond_reading_is_refused_like_any_other() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 4, "").await;
    for token in ["\"\\ud800\"", "1e999", "NaN", "{}", "null"] {
        socket.say(&format!("40{{\"token\":{token}}}")).await;
        assert_eq!(socket.text().await, "44{\"message\":\"Not you\"}", "{token}");
    }
    for bad in ["40[]", "40\"t\"", "40null", "40{\"token\":}", "40{\"token\":\"t\"}x"] {
        let mut socket = Socket::start(toy.address, 4, "").await;
        socket.say(bad).await;
        assert_eq!(socket.closed().await, 1002, "{bad}");
    }
}

#[tokio::test]
async fn the_attachments_of_old_clients_come_behind_their_type() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 3, "&token=t").await;
    assert_eq!(socket.text().await, "40");
    assert_eq!(socket.text().await, "42[\"welcome\",\"t\"]");
    let event = "452-5[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    // Bare, and as the clients send it that cannot send bytes.
    socket.say(event).await;
    socket.say_bytes(&[4, 1, 2, 3]).await;
    socket.say("b4AQID").await;
    assert_eq!(socket.text().await, "435[{\"message\":\"Unusable\"}]");
    assert_eq!(socket.text().await, "42[\"error\",{\"message\":\"Unusable\"}]");
    socket.say("42[\"echo\",1]").await;
    assert_eq!(socket.text().await, "42[\"echo\",1]");
    // Without its type it is none.
    socket.say_bytes(&[1, 2, 3]).await;
    assert_eq!(socket.closed().await, 1002);
}

#[tokio::test]
async fn whoever_is_shown_out_disturbs_no_other_namespace() {
    let toy = Toy::start().await;
    let mut socket = Socket::enter(toy.address, "t").await;
    socket.say_all(&["40/widget,{\"token\":\"bad\"}", "42/widget,1[\"get\"]", "421[\"echo\",1]"]).await;
    assert!(socket.text().await.starts_with("40/widget,{\"sid\":\""));
    assert!(socket.text().await.starts_with("42/widget,[\"message\",{\"data\":"));
    assert_eq!(socket.text().await, "41/widget,");
    assert_eq!(socket.text().await, "431[1]");
    assert_eq!(socket.text().await, "42[\"echo\",1]");
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_to_the_last() {
    let toy = Toy::start().await;
    let mut socket = Socket::start(toy.address, 3, "").await;
    assert_eq!(socket.text().await, "40");
    // In one go, so that they are read at once.
    socket.say_all(&vec!["2"; 2000]).await;
    for _ in 0..2000 {
        assert_eq!(socket.text().await, "3");
    }
}

#[tokio::test]
async fn leaving_is_noticed_at_once() {
    let toy = Toy::start().await;
    let mut closing = Socket::enter(toy.address, "a").await;
    let dropping = Socket::enter(toy.address, "b").await;
    let mut saying = Socket::enter(toy.address, "c").await;
    assert_eq!(toy.world.members(), 3);
    closing.close().await;
    until("the closing one is still in", || toy.world.members() == 2).await;
    drop(dropping);
    until("the dropping one is still in", || toy.world.members() == 1).await;
    saying.say("1").await;
    until("the saying one is still in", || toy.world.members() == 0).await;
    assert_eq!(saying.closed().await, 1000);
}
