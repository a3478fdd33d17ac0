//! Real clients: socket.io-client 4 and 2 (npm) and python-socketio, each over a WebSocket alone, over polling alone,
//! and from one to the other.
//!
//! `TERTULIA_NODE_MODULES` names a folder with `socket.io-client` and `socket.io-client-2`, `TERTULIA_SOCKETIO_PYTHON`
//! an interpreter with `socketio`; without them `target/node/node_modules` and `target/venv-socketio` are looked at.
//! A client that is not there is skipped, and a line says so.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::toy::Toy;

/// Far more than a whole run takes.
const PATIENCE: Duration = Duration::from_mins(2);

const MODES: [&str; 3] = ["websocket", "polling", "upgrade"];

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn installed(variable: &str, usual: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder("../../target"), PathBuf::from);
    std::env::var_os(variable).map_or_else(|| target.join(usual), PathBuf::from)
}

/// Runs a client's script against a fresh toy in each mode; the script ends with status 0 when all was well.
async fn play(program: &Path, script: &str, needs: &Path) {
    if !needs.exists() {
        // In one piece, though others print at the same time.
        let line = format!("skipped: {script} needs {}\n", needs.display());
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    }
    for mode in MODES {
        let toy = Toy::start().await;
        let client = Command::new(program)
            .arg(folder("tests/socketio/clients").join(script))
            .arg(format!("http://{}", toy.address))
            .arg(mode)
            .arg(needs)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let done = timeout(PATIENCE, client).await.expect("the client hangs").expect("the client runs");
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{script} {mode}: {}\n{out}\n{err}", done.status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_io_client_4() {
    let modules = installed("TERTULIA_NODE_MODULES", "node/node_modules");
    play(Path::new("node"), "v4.cjs", &modules.join("socket.io-client")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_io_client_2() {
    let modules = installed("TERTULIA_NODE_MODULES", "node/node_modules");
    play(Path::new("node"), "v2.cjs", &modules.join("socket.io-client-2")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_socketio() {
    let python = installed("TERTULIA_SOCKETIO_PYTHON", "venv-socketio/bin/python");
    play(&python, "python_client.py", &python).await;
}
