//! Tertulia as a contender: by the dialect of plain WebSockets, and by that of Socket.IO.

mod messenger;
mod tutoring;

use std::{
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{
    contender::{Contender, Installed, Place},
    document_001::{PASSWORD, Person},
    running::Running,
    workshop::{bytes, output},
};
use crate::{http::post, parallel::each, progress, server::unsettle};

/// How every message is kept.
const DURABILITY: &str = "SQLite WAL, synchronous=FULL";

/// Connections for what is not measured.
const CONNECTIONS: usize = 8;

/// Nothing is refused for being too much, and no token ends while something is measured.
const FLAGS: [&str; 12] = [
    "--message-rate",
    "off",
    "--codes-account",
    "off",
    "--codes-address",
    "off",
    "--sign-in-failures-account",
    "off",
    "--sign-in-failures-address",
    "off",
    "--access-life",
    "3h",
];

/// The ways in which Tertulia takes part.
pub(super) fn all(binary: Option<&PathBuf>) -> Vec<Rc<dyn Contender>> {
    let binary = || binary.cloned();
    vec![Rc::new(messenger::Messenger { binary: binary() }), Rc::new(tutoring::Tutoring { binary: binary() })]
}

/// The binary, or a fresh build where none is given.
async fn install(binary: Option<&PathBuf>) -> Result<Installed> {
    let (program, origin) = match binary {
        Some(path) => (std::path::absolute(path)?, "a given binary".to_owned()),
        None => (built().await?, format!("release build of {}", checkout().await)),
    };
    ensure!(program.is_file(), "there is no {}", program.display());
    let folder = program.parent().context("a binary in no folder")?.to_owned();
    let version = output(&[&program.to_string_lossy(), "--version"], &folder).await?;
    let versions = format!("{version}, {origin}");
    let bytes = bytes(&program)?;
    Ok(Installed { folder, program, versions, bytes })
}

fn serve(installed: &Installed, place: &Place) -> Command {
    let mut command = Command::new(&installed.program);
    unsettle(&mut command);
    let listen = format!("127.0.0.1:{}", place.port);
    command.current_dir(&place.data).args(["serve", "--listen", &listen, "--data-dir"]);
    command.arg(&place.data).args(FLAGS);
    command
}

/// Makes the everyday release build; its binary.
async fn built() -> Result<PathBuf> {
    progress("building tertulia");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let target = std::env::current_exe()?.ancestors().nth(2).context("no target folder")?.to_owned();
    let folder = target.to_string_lossy();
    let command = [&cargo, "build", "--release", "-p", "tertulia-server", "--target-dir", &folder];
    output(&command, Path::new(env!("CARGO_MANIFEST_DIR"))).await?;
    Ok(target.join("release").join("tertulia"))
}

/// Which state of the repository is built.
async fn checkout() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(commit) = output(&["git", "rev-parse", "--short=10", "HEAD"], folder).await else {
        return "sources without a history".to_owned();
    };
    let changes = output(&["git", "status", "--porcelain", "--untracked-files=no"], folder).await;
    let changed = changes.is_ok_and(|changes| !changes.is_empty());
    format!("commit {commit}{}", if changed { " with changes" } else { "" })
}

/// Registers so many, by the dialect that asks for no code.
async fn people(server: &Running, prefix: &'static str, number: usize) -> Result<Vec<Person>> {
    let names = (1..=number).map(move |number| format!("{prefix}{number:03}"));
    each(server.address, CONNECTIONS, names, async |connection, username: String| {
        let body = json!({
            "username": username, "password": PASSWORD, "email": format!("{username}@example.com")
        });
        let answer = connection.json(201, &post("/api/users/signup/", "", &body)).await;
        let answer = answer.context("signing up")?;
        let token = answer["access"].as_str().context("no access token")?.to_owned();
        Ok(Person { username, token })
    })
    .await
}
