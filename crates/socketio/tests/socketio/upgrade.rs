//! From polling to a WebSocket.

use crate::{
    http::{Polling, Socket, until},
    toy::Toy,
};

async fn websocket(client: &Polling) -> Socket {
    let query = client.query.replace("transport=polling", "transport=websocket");
    Socket::open(client.address, &query).await.ok().unwrap()
}

#[tokio::test]
async fn an_upgrade_frees_the_poll_and_goes_on_where_it_was() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let mut socket = websocket(&client).await;
    socket.say("2probe").await;
    assert_eq!(socket.text().await, "3probe");
    assert_eq!(client.get().await.body, "6");
    // Until the client says so, polling goes on.
    assert_eq!(client.post("42[\"echo\",1]").await.status, 200);
    assert_eq!(client.get().await.body, "42[\"echo\",1]");
    toy.world.tell_all(&"between".into());
    socket.say("5").await;
    assert_eq!(socket.text().await, "42[\"said\",\"between\"]");
    socket.say("427[\"echo\",2]").await;
    assert_eq!(socket.text().await, "437[2]");
    assert_eq!(socket.text().await, "42[\"echo\",2]");
    // The old transport is gone, and there is one upgrade only.
    for answer in [client.get().await, client.post("42[\"echo\",3]").await] {
        assert_eq!((answer.status, answer.body.as_str()), (400, "{\"code\":3,\"message\":\"Bad request\"}"));
    }
    let query = client.query.replace("transport=polling", "transport=websocket");
    assert_eq!(Socket::open(toy.address, &query).await.err(), Some(400));
    toy.world.end("t");
    assert_eq!(socket.text().await, "41");
    assert_eq!(socket.closed().await, 4001);
    drop(socket);
    // Known until the connection is.
    let mut answer = client.get().await;
    while answer.body == "{\"code\":3,\"message\":\"Bad request\"}" {
        answer = client.get().await;
    }
    assert_eq!(answer.body, "{\"code\":1,\"message\":\"Session ID unknown\"}");
}

#[tokio::test]
async fn a_waiting_poll_is_freed_by_the_upgrade_itself() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let mut socket = websocket(&client).await;
    let upgrade = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        socket.say("2probe").await;
        assert_eq!(socket.text().await, "3probe");
        socket.say("5").await;
        socket.say("42[\"echo\",1]").await;
        assert_eq!(socket.text().await, "42[\"echo\",1]");
    };
    let (poll, ()) = tokio::join!(client.get(), upgrade);
    assert_eq!((poll.status, poll.body.as_str()), (200, "6"));
}

#[tokio::test]
async fn an_abandoned_upgrade_leaves_the_session_alive() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    for last_words in ["", "2probe", "nonsense", "5", "2", "42[\"echo\",1]"] {
        let mut socket = websocket(&client).await;
        // One at a time.
        let query = client.query.replace("transport=polling", "transport=websocket");
        assert_eq!(Socket::open(toy.address, &query).await.err(), Some(400));
        match last_words {
            "" => drop(socket),
            "2probe" => {
                socket.say("2probe").await;
                assert_eq!(socket.text().await, "3probe");
                socket.close().await;
            }
            other => {
                socket.say(other).await;
                assert_eq!(socket.closed().await, 1000);
            }
        }
        assert_eq!(client.post("42[\"echo\",\"still\"]").await.status, 200);
        loop {
            let body = client.get().await.body;
            if body != "6" {
                assert_eq!(body, "42[\"echo\",\"still\"]");
                break;
            }
        }
        // The next try is let in as soon as this one is over.
        let mut free = false;
        for _ in 0..1000 {
            if let Ok(socket) = Socket::open(toy.address, &query).await {
                drop(socket);
                free = true;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(free);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(toy.world.members(), 1);
}

#[tokio::test]
async fn a_session_that_ends_takes_its_probe_along() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let mut socket = websocket(&client).await;
    socket.say("2probe").await;
    assert_eq!(socket.text().await, "3probe");
    assert_eq!(client.post("1").await.status, 200);
    assert_eq!(socket.closed().await, 1000);
    assert!(toy.stop().await);
}

#[tokio::test]
async fn work_in_progress_comes_along() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let post = async { client.post("421[\"alone\",300]\x1e422[\"echo\",2]\x1e423[\"sum\",1,2]").await };
    let upgrade = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let mut socket = websocket(&client).await;
        socket.say("2probe").await;
        assert_eq!(socket.text().await, "3probe");
        socket.say("5").await;
        for expected in ["431[300]", "42[\"echo\",300]", "432[2]", "42[\"echo\",2]", "433[3]"] {
            assert_eq!(socket.text().await, expected);
        }
        socket.close().await;
    };
    assert_eq!(tokio::join!(post, upgrade).0.body, "ok");
    until("the session lives on", || toy.world.members() == 0).await;
}

#[tokio::test]
async fn old_clients_upgrade_too() {
    let toy = Toy::start().await;
    let client = Polling::open_with(toy.address, 3, "&token=t").await;
    client.everything_until("\"t\"]").await;
    let mut socket = websocket(&client).await;
    let upgrade = async {
        socket.say("2probe").await;
        assert_eq!(socket.text().await, "3probe");
    };
    let (poll, ()) = tokio::join!(client.get(), upgrade);
    assert_eq!(poll.body, "1:6");
    socket.say("5").await;
    socket.say("2").await;
    assert_eq!(socket.text().await, "3");
}
