//! Lists of meetings, by how many there are in all: 1,000 of them lie around the place that is asked for.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use store::Spot;

use super::{
    people::sign_in,
    places::{MIDDLE, NEAR, Places, RADIUS, distance},
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

/// Meetings that one of the other people has made.
const EACH: u64 = 100;

/// Every so many of the near meetings the asker takes part in.
const TAKES_PART: u64 = 20;

/// The number of one of four categories.
const BAR: i64 = 2;

/// When everything was made: the 1st of January 2020.
const BEGAN: i64 = 1_577_836_800_000_000;

pub(super) async fn run(stage: &Stage, meetings: u64) -> Result<Vec<Row>> {
    stage
        .with_filled(
            async |server| sign_in(&mut Connection::open(server.address).await?, 1).await,
            async |data, _| fill(data, meetings).await,
            async |server, token| {
                stage.measured(&format!("{meetings} meetings"), ask(stage, server, &token, meetings)).await
            },
        )
        .await
}

/// What the meeting of this id is about.
fn category(id: u64) -> i64 {
    i64::try_from(Dice::new(id).below(4)).unwrap_or(0)
}

/// Who made the meeting of this number, from 0: each of the near ones has an owner of its own.
fn owner(places: &Places, number: u64, meetings: u64, dice: &mut Dice) -> u64 {
    if places.is_near(number) {
        return number / (meetings / NEAR).max(1);
    }
    NEAR + dice.below(meetings.div_ceil(EACH))
}

/// Puts people with profiles and photos into the tables, and their meetings.
async fn fill(data: &Data, meetings: u64) -> Result<()> {
    let bulk = Bulk::open(&data.tables()).await?;
    let asker = bulk.number("SELECT MAX(id) FROM account").await?;
    let people = i64::try_from(NEAR + meetings.div_ceil(EACH))?;
    fill_people(&bulk, asker, people).await?;
    let places = Places::new(meetings);
    let mut dice = Dice::new(meetings);
    let mut fault = None;
    let rows = (0..meetings).map_while(|number| {
        let row = meeting(&places, number, meetings, asker, &mut dice);
        row.map_err(|error| fault = Some(error)).ok()
    });
    let columns = "id,owner,title,description,day,attendance,category,lat,lng,x,y,z,cell,created_at";
    bulk.fill("meeting", columns, rows).await?;
    if let Some(error) = fault {
        return Err(error);
    }
    let near = (0..meetings).filter(|number| places.is_near(*number)).step_by(usize::try_from(TAKES_PART)?);
    let requests = near.zip(1..).map(|(number, id)| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let step = i64::try_from((meetings / NEAR).max(1)).unwrap_or(1);
        vec![
            Cell::Int(id),
            Cell::Int(number + 1),
            Cell::Int(asker + 1 + number / step),
            Cell::Int(asker),
            Cell::Text("approved".into()),
            Cell::Truth(true),
            Cell::Int(BEGAN),
        ]
    });
    bulk.fill("meeting_request", "id,meeting,owner,account,decision,is_read,created_at", requests).await?;
    bulk.close().await
}

/// Accounts behind the asker's, each with a photo as avatar and a filled profile.
async fn fill_people(bulk: &Bulk, asker: i64, people: i64) -> Result<()> {
    let mut dice = Dice::new(1);
    let text = |text: String| Cell::Text(text);
    let photos = (1..=people).map(|number| {
        let key = dice.uuid();
        vec![
            Cell::Int(number),
            Cell::Int(asker + number),
            text(format!("avatars/{key:032x}.jpg")),
            text(format!("avatars/{key:032x}-small.jpg")),
            Cell::Truth(true),
            Cell::Int(BEGAN),
        ]
    });
    bulk.fill("photo", "id,account,file_key,thumbnail_key,in_album,created_at", photos).await?;
    let mut dice = Dice::new(2);
    let accounts = (1..=people).map(|number| {
        let username = format!("vk_{:016x}", dice.bits());
        vec![
            Cell::Int(asker + number),
            Cell::Uuid(dice.uuid()),
            text(username.clone()),
            text(username),
            text(String::new()),
            text(format!("Person {number}")),
            text(String::new()),
            Cell::Truth(false),
            text("student".into()),
            Cell::Int(number),
            Cell::Int(BEGAN),
        ]
    });
    let columns =
        "id,uuid,username,username_folded,email,first_name,last_name,two_factor,role,avatar_photo,created_at";
    bulk.fill("account", columns, accounts).await?;
    let mut dice = Dice::new(3);
    let profiles = (1..=people).map(|number| {
        let year = 1960 + dice.below(48);
        vec![
            Cell::Int(asker + number),
            text(format!("person {number}")),
            text("Likes the tide, lanterns and long walks along the river.".into()),
            text(format!("{year}-0{}-1{}", 1 + dice.below(9), dice.below(10))),
            Cell::Int(number % 2),
            text(String::new()),
        ]
    });
    bulk.fill("profile", "account,nickname,about,birth_date,gender,client_key", profiles).await?;
    count_accounts(bulk).await
}

fn meeting(places: &Places, number: u64, meetings: u64, asker: i64, dice: &mut Dice) -> Result<Vec<Cell>> {
    let place = places.place(number, dice)?;
    let Spot { sphere: [x, y, z], cell } = Spot::of(place);
    let id = i64::try_from(number)? + 1;
    Ok(vec![
        Cell::Int(id),
        Cell::Int(asker + 1 + i64::try_from(owner(places, number, meetings, dice))?),
        Cell::Text(format!("Meeting {id}")),
        Cell::Text("A walk along the river, and tea afterwards. Bring a lantern.".into()),
        Cell::Text("2030-05-17".into()),
        Cell::Int(id % 2),
        Cell::Int(category(id.unsigned_abs())),
        Cell::Real(place.lat()),
        Cell::Real(place.lng()),
        Cell::Real(x),
        Cell::Real(y),
        Cell::Real(z),
        Cell::Int(cell),
        Cell::Int(BEGAN + id * 1_000_000),
    ])
}

async fn ask(stage: &Stage, server: &Server, token: &str, meetings: u64) -> Result<Vec<Row>> {
    let places = Places::new(meetings);
    let near: Vec<u64> =
        (0..meetings).filter(|number| places.is_near(*number)).map(|number| number + 1).collect();
    let bars: Vec<u64> = near.iter().copied().filter(|id| category(*id) == BAR).collect();
    let around = format!("lat={}&lng={}&r={RADIUS}", MIDDLE.0, MIDDLE.1);
    let last = meetings - 20;
    let asks = [
        ("1,000 around a place", around.clone(), near.clone()),
        ("of these the category bar", format!("{around}&category=bar"), bars),
        ("of these the first 20", format!("{around}&limit=20"), near[..20].to_vec()),
        ("20 anywhere", "limit=20".into(), (1..=20).collect()),
        ("the last 20", format!("limit=20&after={last}"), (last + 1..=meetings).collect()),
    ];
    let mut rows = Vec::new();
    for (what, query, ids) in asks {
        let path = format!("/meetings-list/?{query}");
        let row = stage.row().with("meetings", meetings).with("what", what).with("listed", ids.len());
        let check = |list: &Value| check(list, &ids, &near);
        rows.push(asking::again_and_again(stage, server, row, (&path, token), check).await?);
    }
    Ok(rows)
}

/// The list must hold these meetings in this order, each where and whose it is.
fn check(list: &Value, ids: &[u64], near: &[u64]) -> Result<()> {
    let list = list.as_array().context("no list")?;
    let listed: Option<Vec<u64>> = list.iter().map(|meeting| meeting["id"].as_u64()).collect();
    ensure!(listed.as_deref() == Some(ids), "{} meetings, not the {} that are due", list.len(), ids.len());
    for meeting in list {
        let place = &meeting["coordinates"];
        let (lat, lng) = place["lat"].as_f64().zip(place["lng"].as_f64()).context("nowhere")?;
        let place = near.iter().position(|id| meeting["id"] == *id);
        ensure!((distance((lat, lng), MIDDLE) <= RADIUS) == place.is_some(), "{meeting} is elsewhere");
        let takes_part = place.is_some_and(|place| count(place).is_multiple_of(TAKES_PART));
        ensure!((meeting["color_status"] == "approved") == takes_part, "{meeting} has another colour");
        let owner = &meeting["owner"];
        let has_photo = owner["photos"][0]["photo"] == owner["avatar"] && owner["avatar"] != "";
        ensure!(has_photo && owner["birth_date"].is_string(), "{meeting} has another owner");
    }
    Ok(())
}
