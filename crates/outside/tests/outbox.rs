//! Mail into a folder: whole files, in order, for their owner's eyes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use domain::ports::Mailer;
use tempfile::TempDir;
use tertulia_outside::mail::Outbox;

use common::{letterhead, mail};

const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// The mails of `folder`, in the order of their names. Panics when anything else is there.
fn mails(folder: &Path) -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(
        paths.iter().all(|path| path.extension().is_some_and(|extension| extension == "eml")),
        "{paths:?}"
    );
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn a_mail_becomes_a_message_in_a_private_file() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("data/outbox");
    let outbox = Outbox::open(&folder, letterhead()).unwrap();
    outbox.send(mail("ana@example.org", "2fa for Trascendence", "Hello ana,\n\n012345\n\nBye\n"));
    assert!(outbox.flush(LONG_ENOUGH).await);

    let entry = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let name = entry.file_name().into_string().unwrap();
    assert!(name.starts_with("20210826T074242.087078Z-") && name.len() == 24 + 8 + 4, "{name}");
    assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);

    let message = mails(&folder).remove(0);
    let (headers, body) = message.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: Tertulia <tertulia@localhost>",
        "To: ana@example.org",
        "Subject: 2fa for Trascendence",
        "Date: Thu, 26 Aug 2021 07:42:42 +0000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
    ] {
        assert!(headers.lines().any(|line| line == header), "{header} is missing in {headers}");
    }
    assert!(headers.lines().any(|line| line.starts_with("Message-ID: <") && line.ends_with("@localhost>")));
    assert_eq!(body, "Hello ana,\r\n\r\n012345\r\n\r\nBye\r\n");
}

#[tokio::test]
async fn names_sort_in_the_order_of_sending_even_when_the_clock_stands_still() {
    let home = TempDir::new().unwrap();
    let outbox = Outbox::open(home.path().join("outbox"), letterhead()).unwrap();
    for number in 0..50 {
        outbox.send(mail("ana@example.org", "s", &format!("number {number}")));
    }
    assert!(outbox.flush(LONG_ENOUGH).await);
    let bodies: Vec<_> = mails(&home.path().join("outbox"))
        .iter()
        .map(|message| message.split_once("\r\n\r\n").unwrap().1.trim().to_owned())
        .collect();
    assert_eq!(bodies, (0..50).map(|number| format!("number {number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_in_a_mail_can_add_a_header_or_a_recipient() {
    let home = TempDir::new().unwrap();
    let outbox = Outbox::open(home.path().join("outbox"), letterhead()).unwrap();
    for to in [
        "ana@example.org\r\nBcc: eve@example.org",
        "ana@example.org, eve@example.org",
        "ana@example.org\n",
        "Ana <ana@example.org>",
        "ana",
        "",
    ] {
        outbox.send(mail(to, "s", "t"));
    }
    outbox.send(mail("ana@example.org", "s\r\nBcc: eve@example.org\r\n\r\nbody\u{85}\u{2028}", "t\r\n.\r\n"));
    assert!(outbox.flush(LONG_ENOUGH).await);
    let mails = mails(&home.path().join("outbox"));
    assert_eq!(mails.len(), 1, "{mails:?}");
    let (headers, body) = mails[0].split_once("\r\n\r\n").unwrap();
    assert!(!headers.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{headers}");
    assert_eq!(body, "t\r\n.\r\n");
}

#[tokio::test]
async fn subjects_and_texts_of_any_script_arrive() {
    let home = TempDir::new().unwrap();
    let outbox = Outbox::open(home.path().join("outbox"), letterhead()).unwrap();
    outbox.send(mail("ana@example.org", "Привет", "Здравствуй, Борис!\n012345\n"));
    assert!(outbox.flush(LONG_ENOUGH).await);
    let message = mails(&home.path().join("outbox")).remove(0);
    assert!(message.is_ascii());
    assert!(message.contains("Subject: =?utf-8?b?0J/RgNC40LLQtdGC?="), "{message}");
    assert!(message.contains("Content-Transfer-Encoding: quoted-printable"));
    assert!(message.contains("\r\n012345\r\n"), "{message}");
}

#[tokio::test]
async fn an_outbox_that_is_let_go_writes_what_it_took() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("outbox");
    let outbox = Outbox::open(&folder, letterhead()).unwrap();
    outbox.send(mail("ana@example.org", "s", "t"));
    drop(outbox);
    common::until(|| {
        fs::read_dir(&folder).unwrap().any(|entry| entry.unwrap().path().extension() == Some("eml".as_ref()))
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_was_tidied_away_is_made_again() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("outbox");
    let outbox = Outbox::open(&folder, letterhead()).unwrap();
    fs::remove_dir(&folder).unwrap();
    outbox.send(mail("ana@example.org", "s", "t"));
    assert!(outbox.flush(LONG_ENOUGH).await);
    assert_eq!(mails(&folder).len(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    assert!(Outbox::open(home.path().join("file/outbox"), letterhead()).is_err());
}
