//! How long clients may be silent: tests with a clock that runs ahead when nothing else is left to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request};
use domain::ports::Ids;
use http_body_util::BodyExt;
use kit::{context::SocketLimits, websocket::Sockets};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::{Answer, Entrance, Event, Knock, Live, Namespace, Said, SocketIo, event_frame};

struct Counted(AtomicU8);

impl Ids for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// Lets all in, and counts who is there.
struct Open(Arc<AtomicUsize>);

#[async_trait]
impl Namespace for Open {
    async fn connect(&self, _: Knock) -> Entrance {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entrance::Open { live: Box::new(Guest(Arc::clone(&self.0))), listening: None, events: Vec::new() }
    }
}

/// Shows all out.
struct Closed;

#[async_trait]
impl Namespace for Closed {
    async fn connect(&self, _: Knock) -> Entrance {
        Entrance::ShownOut(vec![event_frame("/closed", "message", &"no")])
    }
}

struct Guest(Arc<AtomicUsize>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Live for Guest {
    fn said(&mut self, _: Event) -> Said {
        Said::Answer(Answer::nothing())
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        Answer::nothing()
    }
}

struct Stage {
    routes: Router,
    guests: Arc<AtomicUsize>,
    opened_at: Instant,
    query: String,
}

impl Stage {
    /// A polling session of this revision.
    async fn open(eio: u8) -> Self {
        let guests = Arc::<AtomicUsize>::default();
        let ids = Arc::new(Counted(AtomicU8::new(1)));
        let (routes, _) = SocketIo::new(ids, Sockets::default(), SocketLimits::default())
            .namespace("/", Open(Arc::clone(&guests)))
            .namespace("/closed", Closed)
            .routes();
        let mut stage = Self { routes, guests, opened_at: Instant::now(), query: String::new() };
        stage.query = format!("EIO={eio}&transport=polling");
        let (_, opening) = stage.ask("GET", "").await;
        let (_, sid) = opening.split_once("\"sid\":\"").unwrap();
        stage.query = format!("{}&sid={}", stage.query, &sid[..20]);
        stage
    }

    async fn ask(&self, method: &str, body: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(format!("/socket.io/?{}", self.query));
        let request = request.header("host", "toy").body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.routes.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    async fn poll(&self) -> (u64, String) {
        let (_, body) = self.ask("GET", "").await;
        (self.opened_at.elapsed().as_secs(), body)
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_client_that_enters_no_namespace() {
    let stage = Stage::open(4).await;
    assert_eq!(stage.poll().await, (25, "2".into()));
    assert_eq!(stage.ask("POST", "3").await.0, 200);
    assert_eq!(stage.poll().await, (45, "1".into()));
    assert_eq!(stage.ask("GET", "").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn one_who_has_left_all_namespaces_is_not_waited_for_either() {
    let stage = Stage::open(4).await;
    stage.ask("POST", "40").await;
    assert!(stage.poll().await.1.starts_with("40{"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    stage.ask("POST", "41").await;
    assert_eq!(stage.poll().await, (25, "2".into()));
    assert_eq!(stage.ask("POST", "3").await.0, 200);
    assert_eq!(stage.poll().await, (50, "2".into()));
    assert_eq!(stage.poll().await, (55, "1".into()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_gone() {
    let stage = Stage::open(4).await;
    stage.ask("POST", "40").await;
    assert!(stage.poll().await.1.starts_with("40{"));
    for ping_at in [25, 50, 75] {
        assert_eq!(stage.poll().await, (ping_at, "2".into()));
        stage.ask("POST", "3").await;
    }
    assert_eq!(stage.poll().await, (100, "2".into()));
    assert_eq!(stage.poll().await, (120, "1".into()));
    assert_eq!(stage.guests.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_shown_out_reads_why_before_the_disconnect() {
    let stage = Stage::open(4).await;
    let post = stage.ask("POST", "40/closed,\x1e42/closed,1[\"x\"]");
    let ((_, told), _) = tokio::join!(stage.poll(), post);
    assert!(
        told.starts_with("40/closed,{") && told.ends_with("\x1e42/closed,[\"message\",\"no\"]"),
        "{told}"
    );
    assert_eq!(stage.poll().await.1, "41/closed,");
    // What it said meanwhile is dropped, and it may try again.
    stage.ask("POST", "40").await;
    assert!(stage.poll().await.1.starts_with("40{"));
}

#[tokio::test(start_paused = true)]
async fn a_polling_client_that_has_vanished_is_gone_within_a_minute() {
    for eio in [3, 4] {
        let stage = Stage::open(eio).await;
        stage.ask("POST", if eio == 4 { "40" } else { "1:2" }).await;
        tokio::time::sleep(Duration::from_secs(44)).await;
        assert_eq!(stage.guests.load(Ordering::Relaxed), 1);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(stage.guests.load(Ordering::Relaxed), 0);
        assert_eq!(stage.ask("GET", "").await.0, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn old_clients_keep_their_session_by_their_pings() {
    let stage = Stage::open(3).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        assert_eq!(stage.ask("POST", "1:2").await.0, 200);
        assert!(stage.poll().await.1.ends_with("1:3"));
    }
    assert_eq!(stage.poll().await, (145, "1:1".into()));
}
