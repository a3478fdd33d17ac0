//! Users by parts of their names.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    names::name,
    people::{Person, sign_up},
};
use crate::{
    asking,
    bulk::{Bulk, Cell, Dice},
    counts::count_accounts,
    http::Connection,
    number::count,
    report::Row,
    server::{Data, Server},
    stage::Stage,
};

/// Users a page, where nothing else is asked for.
const PAGE: usize = 10;

/// What is sought, and what that is called.
const SOUGHT: [(&str, &str); 5] =
    [("rare", "99999"), ("uncommon", "marjo"), ("common", "mar"), ("two letters", "an"), ("no search", "")];

pub(super) async fn run(stage: &Stage, accounts: u64) -> Result<Vec<Row>> {
    stage
        .with_filled(
            async |server| sign_up(&mut Connection::open(server.address).await?, "seeker").await,
            async |data, _| fill(data, accounts).await,
            async |server, seeker| {
                stage
                    .measured(&format!("a search among {accounts}"), ask(stage, server, &seeker, accounts))
                    .await
            },
        )
        .await
}

/// Adds accounts up to that number.
async fn fill(data: &Data, accounts: u64) -> Result<()> {
    let bulk = Bulk::open(&data.tables()).await?;
    let first = bulk.number("SELECT MAX(id) FROM account").await? + 1;
    let row = |number: u64| {
        let username = name(number);
        vec![
            Cell::Int(first + i64::try_from(number).unwrap_or(i64::MAX)),
            Cell::Uuid(Dice::new(!number).uuid()),
            Cell::Text(username.clone()),
            Cell::Text(username),
            Cell::Text(format!("person{number}@example.com")),
            Cell::Text(String::new()),
            Cell::Text(String::new()),
            Cell::Null,
            Cell::Truth(false),
            Cell::Text("student".into()),
            Cell::Int(1_577_836_800_000_000),
        ]
    };
    let columns =
        "id,uuid,username,username_folded,email,first_name,last_name,password,two_factor,role,created_at";
    bulk.fill("account", columns, (1..accounts).map(row)).await?;
    count_accounts(&bulk).await?;
    bulk.close().await
}

async fn ask(stage: &Stage, server: &Server, seeker: &Person, accounts: u64) -> Result<Vec<Row>> {
    let mut names: Vec<String> = (1..accounts).map(name).chain([seeker.username.clone()]).collect();
    names.sort_unstable();
    let mut rows = Vec::new();
    for (what, sought) in SOUGHT {
        let found: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| name.contains(sought)).collect();
        let last = found.len().div_ceil(PAGE).max(1);
        let middle = (last > 2).then_some(("middle", last / 2));
        for (place, number) in [("first", 1)].into_iter().chain(middle).chain([("last", last)]) {
            let path = format!("/api/users/?username={sought}&page={number}");
            let row = stage
                .row()
                .with("accounts", accounts)
                .with("sought", what)
                .with("found", found.len())
                .with("page", place);
            let due = found.iter().skip((number - 1) * PAGE).take(PAGE).copied().collect::<Vec<_>>();
            let whom = (path.as_str(), seeker.token.as_str());
            let check = |page: &Value| check(page, found.len(), &due);
            rows.push(asking::again_and_again(stage, server, row, whom, check).await?);
        }
    }
    Ok(rows)
}

/// The page must hold these names, and count all.
fn check(page: &Value, number: usize, due: &[&str]) -> Result<()> {
    ensure!(page["count"] == count(number), "{} are counted of {number}", page["count"]);
    let results = page["results"].as_array().context("no page")?;
    let names: Option<Vec<&str>> = results.iter().map(|user| user["username"].as_str()).collect();
    ensure!(names.as_deref() == Some(due), "{names:?} where {due:?} were due");
    Ok(())
}
