//! Starting, stopping and asking a binary, tried on a script that behaves like one.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tertulia_testkit::{Database, Server};

const SCRIPT: &str = r#"#!/bin/sh
trap 'echo stopping >&2; exit 0' TERM
case "$1" in
  serve)
    echo "starting on $*" >&2
    [ "$4" = --broken ] && { echo "cannot listen" >&2; exit 1; }
    mkdir -p data
    echo $$ > data/pid
    echo "ready: http://127.0.0.1:4711/"
    while :; do sleep 0.05; done ;;
  echo) read -r line; echo "out $2 $line"; echo "err" >&2; exit 3 ;;
  env) env | grep ^TERTULIA_ | cut -d= -f1 | sort ;;
esac
"#;

fn script(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("tertulia");
    std::fs::write(&path, SCRIPT).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn runs(pid: &str) -> bool {
    std::process::Command::new("kill")
        .args(["-0", pid])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[test]
fn a_server_is_started_stopped_and_killed_when_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::prepare(&script(&folder), &Database::Sqlite, vec!["--flag".to_owned()]).unwrap();
    assert!(server.address().is_err());
    server.start().unwrap();
    assert_eq!(server.address().unwrap().port(), 4711);
    assert!(server.log().contains("serve --listen 127.0.0.1:0 --flag --data-dir"), "{}", server.log());
    server.stop().unwrap();
    assert!(server.address().is_err());

    server.start().unwrap();
    let pid = std::fs::read_to_string(server.data_dir().join("pid")).unwrap().trim().to_owned();
    assert!(runs(&pid));
    drop(server);
    assert!(!runs(&pid));
}

#[test]
fn a_server_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let fault =
        Server::start_new(&script(&folder), &Database::Sqlite, vec!["--broken".to_owned()]).unwrap_err();
    assert!(fault.to_string().contains("cannot listen"), "{fault}");
}

#[test]
fn a_command_has_input_output_and_a_status() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::prepare(&script(&folder), &Database::Sqlite, Vec::new()).unwrap();
    let done = server.cli(&["echo", "this"], "and that\n").unwrap();
    assert_eq!(
        (done.status, done.output.as_str(), done.errors.as_str()),
        (3, "out this and that\n", "err\n")
    );
    assert_eq!(server.cli(&["env"], "").unwrap().output, "TERTULIA_SECRET_KEY\n");
}
