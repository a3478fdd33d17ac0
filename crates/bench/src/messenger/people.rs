//! Accounts, made and signed in as clients do it.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    http::{Connection, post},
    number::count,
    parallel::each,
    server::Server,
};

/// Everyone's.
const PASSWORD: &str = "lantern-tide-42";

/// Connections for what is not measured.
const CONNECTIONS: usize = 8;

/// How long mails may take to lie in the outbox.
const MAIL_WITHIN: Duration = Duration::from_secs(20);

/// Somebody with an account.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) username: String,
    email: String,
    /// The access token.
    pub(super) token: String,
}

/// What a sign-in takes: the request that is to be sent.
pub(super) struct Login(Vec<u8>);

/// Registers so many and signs them in.
pub(super) async fn make(server: &Server, number: usize) -> Result<Vec<Person>> {
    let names = (1..=number).map(|number| format!("person{number:03}"));
    let mut people = each(server.address, CONNECTIONS, names, async |connection, username: String| {
        let email = format!("{username}@example.com");
        let body = json!({
            "username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD
        });
        connection.json(201, &post("/auth/registration/", "", &body)).await.context("registering")?;
        Ok(Person { username, email, token: String::new() })
    })
    .await?;
    let logins = logins(server, &people).await?;
    let tokens = each(server.address, CONNECTIONS, logins, sign_in).await?;
    for (person, token) in people.iter_mut().zip(tokens) {
        person.token = token;
    }
    Ok(people)
}

/// Has a code sent to everyone, and reads it.
pub(super) async fn logins(server: &Server, people: &[Person]) -> Result<Vec<Login>> {
    each(server.address, CONNECTIONS, people.to_vec(), async |connection, person: Person| {
        let body = json!({ "username": person.username, "email": person.email });
        connection.json(200, &post("/twofa/send-code/", "", &body)).await.context("asking for a code")
    })
    .await?;
    let codes = codes(&server.data().outbox(), people.len()).await?;
    let login = |person: &Person| {
        let code = codes.get(&person.email).with_context(|| format!("no code for {}", person.email))?;
        let body = json!({ "username": person.username, "code": code, "password": PASSWORD });
        Ok(Login(post("/auth/login/", "", &body)))
    };
    people.iter().map(login).collect()
}

/// Signs in; the access token.
pub(super) async fn sign_in(connection: &mut Connection, login: Login) -> Result<String> {
    let answer = connection.json(200, &login.0).await.context("signing in")?;
    Ok(answer["access_token"].as_str().context("no access token")?.to_owned())
}

/// The conversation of these two.
pub(super) async fn conversation(server: &Server, one: &Person, other: &Person) -> Result<i64> {
    let mut connection = Connection::open(server.address).await?;
    let request = post("/conversations/start/", &one.token, &json!({ "username": other.username }));
    let answer = connection.json(200, &request).await.context("starting a conversation")?;
    answer["conversation_id"].as_i64().context("no conversation")
}

/// Makes one the friend of another.
pub(super) async fn befriend(connection: &mut Connection, one: &Person, other: &Person) -> Result<Value> {
    let request = post("/users/add_friend/", &one.token, &json!({ "friend_username": other.username }));
    connection.json(200, &request).await.context("adding a friend")
}

/// Takes so many mails out of the outbox: the code of each address.
async fn codes(outbox: &Path, number: usize) -> Result<HashMap<String, String>> {
    let began = Instant::now();
    loop {
        let mails: Vec<_> = match fs::read_dir(outbox) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?,
            Err(_) => Vec::new(),
        };
        let mails: Vec<_> =
            mails.into_iter().filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
        ensure!(mails.len() <= number, "{} mails where {number} were asked for", mails.len());
        if mails.len() == number {
            let read = mails.iter().map(|path| {
                let mail = fs::read_to_string(path)?;
                fs::remove_file(path)?;
                code_in(&mail).context("a mail without address or code")
            });
            return read.collect();
        }
        if began.elapsed() > MAIL_WITHIN {
            bail!("{} of {} mails came", count(mails.len()), number);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// To whom a mail goes, and the six digits that stand alone on a line.
fn code_in(mail: &str) -> Option<(String, String)> {
    let to = mail.lines().find_map(|line| line.strip_prefix("To: "))?;
    let to = to.trim().trim_start_matches('<').trim_end_matches('>');
    let code = mail.lines().map(str::trim);
    let code = code.clone().find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((to.to_owned(), code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_holds_an_address_and_a_code() {
        let mail = "From: x\r\nTo: <ana@example.com>\r\nSubject: s\r\n\r\nHello ana\r\n\r\n012345\r\n";
        assert_eq!(code_in(mail), Some(("ana@example.com".into(), "012345".into())));
        assert_eq!(code_in("To: ana@example.com\r\n\r\n1234567\r\n"), None);
    }
}
