//! Long-polling, byte by byte.

use crate::{
    http::{Polling, ask, send, until},
    toy::Toy,
};

#[tokio::test]
async fn events_and_acks_go_both_ways() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    assert_eq!(client.post("42[\"echo\",\"é🙂\"]\x1e427[\"echo\",1]\x1e428[\"nonsense\"]").await.body, "ok");
    let expected = "42[\"echo\",\"é🙂\"]\x1e437[1]\x1e42[\"echo\",1]\x1e438[{\"message\":\"Unknown event\"}]";
    assert_eq!(client.get().await.body, expected);
}

#[tokio::test]
async fn a_poll_waits_for_something_to_say() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let poll = async { client.get().await.body };
    let tell = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        toy.world.tell_all(&"hi".into());
    };
    assert_eq!(tokio::join!(poll, tell).0, "42[\"said\",\"hi\"]");
}

#[tokio::test]
async fn an_answer_holds_sixteen_packets_at_most() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    for n in 0..40 {
        toy.world.tell_all(&n.into());
    }
    let mut heard = Vec::new();
    while heard.len() < 40 {
        let body = client.get().await.body;
        let packets: Vec<_> = body.split('\x1e').map(str::to_owned).collect();
        assert!(packets.len() <= 16);
        heard.extend(packets);
    }
    let expected: Vec<_> = (0..40).map(|n| format!("42[\"said\",{n}]")).collect();
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_flood_is_taken_as_fast_as_it_is_answered() {
    let toy = Toy::start().await;
    let client = Polling::open_with(toy.address, 3, "&token=t").await;
    let flood = "1:2".repeat(1000) + &"1:6".repeat(10);
    let polls = async {
        let mut pongs = 0;
        while pongs < 1000 {
            pongs += client.get().await.body.matches("1:3").count();
        }
        pongs
    };
    let (posted, pongs) = tokio::join!(client.post(&flood), polls);
    assert_eq!((posted.status, pongs), (200, 1000));
}

#[tokio::test]
async fn a_second_poll_ends_the_session() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let (one, other) = tokio::join!(client.get(), client.get());
    let (kept, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!((kept.status, kept.body.as_str()), (200, "1"));
    assert_eq!((refused.status, refused.body.as_str()), (400, "{\"code\":3,\"message\":\"Bad request\"}"));
    assert_eq!(client.get().await.body, "{\"code\":1,\"message\":\"Session ID unknown\"}");
}

#[tokio::test]
async fn a_dropped_poll_ends_the_session() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    assert_eq!(toy.world.members(), 1);
    let poll = send(toy.address, "GET", &format!("/socket.io/?{}", client.query), "", b"").await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    drop(poll);
    until("the session lives on", || toy.world.members() == 0).await;
    assert_eq!(client.get().await.status, 400);
}

#[tokio::test]
async fn a_client_may_leave() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let leave = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        client.post("1").await
    };
    let (poll, left) = tokio::join!(client.get(), leave);
    assert_eq!((poll.body.as_str(), left.body.as_str()), ("6", "ok"));
    assert_eq!(toy.world.members(), 0);
    assert_eq!(client.post("42[\"echo\",1]").await.status, 400);
}

#[tokio::test]
async fn what_is_no_packet_ends_the_session() {
    let toy = Toy::start().await;
    for bad in ["abc", "", "4", "4abc", "42{}", "42[\"connect\"]", "2", "bAQID", "42[\"echo\",1]\x1ex"] {
        let client = Polling::enter(toy.address).await;
        let answer = client.post(bad).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(client.get().await.status, 400, "{bad}");
    }
    until("sessions live on", || toy.world.members() == 0).await;
}

#[tokio::test]
async fn binary_attachments_are_collected_and_make_bad_input() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let event = "452-1[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    assert_eq!(client.post(&format!("{event}\x1ebAQID")).await.status, 200);
    assert_eq!(client.post("bBAU=\x1e42[\"echo\",2]").await.status, 200);
    let expected =
        "431[{\"message\":\"Unusable\"}]\x1e42[\"error\",{\"message\":\"Unusable\"}]\x1e42[\"echo\",2]";
    assert_eq!(client.get().await.body, expected);
}

#[tokio::test]
async fn an_ended_session_is_told_and_closed() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        toy.world.end("t");
    };
    assert_eq!(tokio::join!(client.get(), end).0.body, "41");
    assert_eq!(client.get().await.body, "1");
    assert_eq!(client.get().await.status, 400);
    // It also hears of it that does not poll just then.
    let client = Polling::enter(toy.address).await;
    toy.world.tell_all(&"last words".into());
    toy.world.end("t");
    until("the session lives on", || toy.world.members() == 0).await;
    assert_eq!(client.get().await.body, "42[\"said\",\"last words\"]\x1e41");
    // Its own goodbye will do.
    assert_eq!(client.post("1").await.status, 200);
    assert_eq!(client.get().await.status, 400);
}

#[tokio::test]
async fn a_stop_is_told() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        toy.stop().await
    };
    let (poll, stopped) = tokio::join!(client.get(), stop);
    assert_eq!(poll.body, "41");
    assert!(stopped);
}

#[tokio::test]
async fn old_clients_frame_their_packets_by_length() {
    let toy = Toy::start().await;
    let client = Polling::open_with(toy.address, 3, "&token=t").await;
    assert_eq!(client.everything_until("\"t\"]").await, "2:4017:42[\"welcome\",\"t\"]");
    let (event, with_ack) = ("42[\"echo\",\"é🙂\"]", "427[\"echo\",1]");
    let units = event.encode_utf16().count();
    let body = format!("{units}:{event}13:{with_ack}1:2");
    assert_eq!(client.post(&body).await.body, "ok");
    let got = client.everything_until("\"echo\",1]").await;
    assert_eq!(got, format!("1:3{units}:{event}6:437[1]12:42[\"echo\",1]"));
}

#[tokio::test]
async fn old_clients_may_send_bytes_as_they_are() {
    let toy = Toy::start().await;
    let stray = [&[0, 1, 2, 255][..], b"42[\"echo\",1]", &[1, 4, 255, 4, 1, 2, 3]].concat();
    let event = b"451-[\"echo\",{\"_placeholder\":true,\"num\":0}]";
    assert_eq!(event.len(), 42);
    let due = [&[0, 4, 2, 255][..], event, &[1, 4, 255, 4, 1, 2, 3]].concat();
    for (payload, status) in [(stray, 400), (due, 200)] {
        let client = Polling::open_with(toy.address, 3, "&token=t").await;
        client.everything_until("\"t\"]").await;
        let target = format!("/socket.io/?{}", client.query);
        let kind = "Content-Type: application/octet-stream\r\n";
        assert_eq!(ask(toy.address, "POST", &target, kind, &payload).await.status, status);
        if status == 200 {
            assert_eq!(client.get().await.body, "34:42[\"error\",{\"message\":\"Unusable\"}]");
        }
    }
}
