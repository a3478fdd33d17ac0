//! Nonsense that looks like sense: no panic, and nothing left behind.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    http::{Polling, Socket, ask, until},
    toy::Toy,
};

static PANICS: AtomicUsize = AtomicUsize::new(0);

const PIECES: [&str; 40] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "b",
    "40",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "451-",
    "452-7",
    "42/widget,",
    "40/widget,",
    "40/widget?token=t",
    "{\"token\":\"t\"}",
    "{\"token\":\"bad\"}",
    "[\"echo\"",
    ",",
    "]",
    "[\"say\",1]",
    "[\"later\",1]",
    "[\"end\"]",
    "[\"overflow\"]",
    "{\"_placeholder\":true,\"num\":0}",
    "null",
    "\"\\ud800\"",
    "1e999",
    "\u{1e}",
    "AQID",
    "é🙂",
    "12:",
    "probe",
    "/",
    "\0",
];

/// Marsaglia's xorshift: the same nonsense every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_000_007).unwrap() % sides
    }

    /// Every other time it begins like a packet that is let in.
    fn nonsense(&mut self) -> String {
        let start = ["", "42[\"echo\",", "451-[\"echo\",", "40/widget,{\"token\":\"t\"}\u{1e}"][self.roll(4)];
        let pieces = 1 + self.roll(5);
        (0..pieces).fold(start.to_owned(), |text, _| text + PIECES[self.roll(PIECES.len())])
    }
}

fn count_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|location| location.file().contains("socketio/src/")) {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        usual(panic);
    }));
}

#[tokio::test]
async fn nonsense_harms_nobody() {
    count_panics();
    let toy = Toy::start().await;
    let mut witness = Socket::enter(toy.address, "witness").await;
    let mut dice = Dice(88_172_645_463_325_252);
    for round in 0..150 {
        let eio = [3, 4][round % 2];
        let mut socket = Socket::start(toy.address, eio, "&token=t").await;
        if eio == 4 {
            socket.say("40").await;
        }
        for _ in 0..=dice.roll(4) {
            if dice.roll(5) == 0 {
                socket.try_say_bytes(dice.nonsense().as_bytes()).await;
            } else {
                socket.try_say(&dice.nonsense()).await;
            }
        }
        if dice.roll(2) == 0 {
            socket.try_say("41").await;
            drop(socket);
        } else {
            socket.try_say("1").await;
            let code = socket.closed().await;
            assert!([1000, 1001, 1002, 1003, 1006, 4001, 4008].contains(&code), "{code}");
        }
        let client = Polling::open_with(toy.address, eio, "&token=t").await;
        let target = format!("/socket.io/?{}", client.query);
        for _ in 0..=dice.roll(3) {
            let kind = ["", "Content-Type: application/octet-stream\r\n"][dice.roll(2)];
            let status = ask(toy.address, "POST", &target, kind, dice.nonsense().as_bytes()).await.status;
            assert!([200, 400].contains(&status), "{status}");
        }
        assert!([200, 400].contains(&client.post(if eio == 4 { "1" } else { "1:1" }).await.status));
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    until("somebody is still in", || toy.world.members() == 1).await;
    witness.say("42[\"echo\",\"alive\"]").await;
    while witness.text().await != "42[\"echo\",\"alive\"]" {}
    drop(witness);
    assert!(toy.stop().await);
}
