//! Reads the manifests and the sources, and fails where the architecture is broken. docs/architecture.md says what it is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod literals;

use std::path::{Path, PathBuf};

/// A crate of the workspace, as far as these tests look at it.
struct Crate {
    /// The folder's name.
    name: String,
    manifest: toml::Table,
    /// Files under `src`, with their text.
    sources: Vec<(PathBuf, String)>,
}

/// Which crates of ours each may stand on. Dialects may use `kit`, `socketio`, `domain` and the hub of `realtime`; what is not named here is free.
const STANDS_ON: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("realtime", &["domain"]),
    ("media", &["domain"]),
    ("outside", &["domain"]),
    ("kit", &["domain", "realtime"]),
    ("socketio", &["domain", "realtime", "kit"]),
    ("testkit", &[]),
];

/// Crates for the web, for databases and for sockets, none of which `domain` may know.
const NOT_IN_DOMAIN: [&str; 12] = [
    "axum",
    "http",
    "http-body-util",
    "hyper",
    "hyper-util",
    "tower",
    "tower-http",
    "reqwest",
    "rusqlite",
    "tokio-postgres",
    "deadpool-postgres",
    "tokio-tungstenite",
];

const MAX_LINES: usize = 400;

fn workspace() -> Vec<Crate> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut crates: Vec<Crate> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| {
            let mut sources = Vec::new();
            collect(&path.join("src"), &mut sources);
            Crate {
                name: path.file_name().unwrap().to_string_lossy().into_owned(),
                manifest: std::fs::read_to_string(path.join("Cargo.toml")).unwrap().parse().unwrap(),
                sources,
            }
        })
        .collect();
    crates.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(crates.iter().any(|found| found.name == "domain"), "the crates were not found");
    crates
}

fn collect(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "sql") {
            let text = std::fs::read_to_string(&path).unwrap();
            sources.push((path, text));
        }
    }
}

impl Crate {
    fn dependencies(&self, table: &str) -> Vec<String> {
        let table = self.manifest.get(table).and_then(toml::Value::as_table);
        table.into_iter().flat_map(|table| table.keys().cloned()).collect()
    }

    fn rust(&self) -> impl Iterator<Item = (&PathBuf, &String)> {
        let is_rust =
            |(path, _): &&(PathBuf, String)| path.extension().is_some_and(|extension| extension == "rs");
        self.sources.iter().filter(is_rust).map(|(path, text)| (path, text))
    }
}

/// What of a source is not its test module, which comes last in a file.
fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod ").next().unwrap_or(source)
}

fn wrong_directions(all: &[Crate]) -> Vec<String> {
    let ours: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let mut wrong = Vec::new();
    for one in all {
        let allowed: Option<&[&str]> = match STANDS_ON.iter().find(|(name, _)| *name == one.name) {
            Some((_, allowed)) => Some(allowed),
            None if one.name.starts_with("dialect-") => Some(&["kit", "domain", "realtime", "socketio"]),
            None => None,
        };
        for dependency in one.dependencies("dependencies") {
            let is_ours = ours.contains(&dependency.as_str());
            if is_ours
                && (dependency == "server"
                    || allowed.is_some_and(|allowed| !allowed.contains(&dependency.as_str())))
            {
                wrong.push(format!("{} depends on {dependency}", one.name));
            }
            if one.name == "domain" && NOT_IN_DOMAIN.contains(&dependency.as_str()) {
                wrong.push(format!("domain depends on {dependency}"));
            }
        }
        for dependency in one.dependencies("dev-dependencies") {
            if one.name.starts_with("dialect-") && dependency.starts_with("dialect-") {
                wrong.push(format!("{} tests with {dependency}", one.name));
            }
        }
    }
    wrong
}

/// The words by which a string literal is known for SQL.
fn is_sql(literal: &str) -> bool {
    ["SELECT ", "INSERT INTO", "DELETE FROM"].iter().any(|words| literal.contains(words))
        || literal.find("UPDATE ").is_some_and(|at| literal[at..].contains(" SET "))
}

fn stray_sql(all: &[Crate]) -> Vec<String> {
    // `bench` is no part of the server, and asks databases how they are set.
    let others = || all.iter().filter(|one| !matches!(one.name.as_str(), "store" | "bench"));
    let files = others()
        .flat_map(|one| &one.sources)
        .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "sql"));
    let files = files.map(|(path, _)| format!("{} is SQL outside of store", path.display()));
    let literals = others().flat_map(Crate::rust).flat_map(|(path, text)| {
        let literals = literals::strings(without_tests(text)).into_iter().filter(|literal| is_sql(literal));
        literals.map(move |literal| format!("{}: SQL outside of store: {literal}", path.display()))
    });
    files.chain(literals).collect()
}

fn long_files(all: &[Crate]) -> Vec<String> {
    let lines = |(path, text): (&PathBuf, &String)| (path.display().to_string(), text.lines().count());
    let long = all.iter().flat_map(Crate::rust).map(lines).filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(path, lines)| format!("{path} has {lines} lines")).collect()
}

fn without_lints(all: &[Crate]) -> Vec<String> {
    let inherits = |one: &Crate| {
        one.manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool()) == Some(true)
    };
    all.iter()
        .filter(|one| !inherits(one))
        .map(|one| format!("{} does not inherit the lints", one.name))
        .collect()
}

fn stray_statuses(all: &[Crate]) -> Vec<String> {
    let inner = all.iter().filter(|one| matches!(one.name.as_str(), "domain" | "store" | "realtime"));
    let sources = inner.flat_map(Crate::rust).filter(|(_, text)| text.contains("StatusCode"));
    sources.map(|(path, _)| format!("{} knows status codes", path.display())).collect()
}

#[test]
fn crates_depend_in_one_direction() {
    assert_eq!(wrong_directions(&workspace()), [""; 0]);
}

#[test]
fn sql_is_in_store_alone() {
    assert_eq!(stray_sql(&workspace()), [""; 0]);
}

#[test]
fn rooms_are_small() {
    assert_eq!(long_files(&workspace()), [""; 0]);
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let root: toml::Table = std::fs::read_to_string(root).unwrap().parse().unwrap();
    assert_eq!(root["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    assert_eq!(without_lints(&workspace()), [""; 0]);
}

#[test]
fn status_codes_are_for_dialects() {
    assert_eq!(stray_statuses(&workspace()), [""; 0]);
}

/// What the tests above look for is found where it is.
#[test]
fn a_broken_workspace_is_noticed() {
    let made = |name: &str, manifest: &str, source: &str| Crate {
        name: name.to_owned(),
        manifest: manifest.parse().unwrap(),
        sources: vec![(PathBuf::from(format!("{name}/src/lib.rs")), source.to_owned())],
    };
    let inherited = "[lints]\nworkspace = true\n";
    let broken = [
        made(
            "domain",
            &format!("{inherited}[dependencies]\naxum = \"0\"\nstore = \"0\""),
            "use axum::http::StatusCode;",
        ),
        made("store", inherited, "const S: &str = \"SELECT 1\";"),
        made(
            "dialect-a",
            &format!("{inherited}[dependencies]\nkit = \"0\"\ndialect-b = \"0\""),
            "f(r\"UPDATE t SET a = 1\")",
        ),
        made("dialect-b", "[package]\nname = \"b\"", &"\n".repeat(401)),
        made(
            "kit",
            inherited,
            "// SELECT 1\nfn f() {}\n#[cfg(test)]\nmod tests { const S: &str = \"DELETE FROM t\"; }",
        ),
    ];
    assert_eq!(
        wrong_directions(&broken),
        ["domain depends on axum", "domain depends on store", "dialect-a depends on dialect-b"]
    );
    assert_eq!(stray_sql(&broken), ["dialect-a/src/lib.rs: SQL outside of store: UPDATE t SET a = 1"]);
    assert_eq!(long_files(&broken), ["dialect-b/src/lib.rs has 401 lines"]);
    assert_eq!(without_lints(&broken), ["dialect-b does not inherit the lints"]);
    assert_eq!(stray_statuses(&broken), ["domain/src/lib.rs knows status codes"]);
}
