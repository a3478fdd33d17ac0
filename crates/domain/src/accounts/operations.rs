//! Making, changing and listing accounts.

use bytes::Bytes;

use super::{
    AccountChange, Avatar, AvatarChange, Card, Cards, NewAccount, Person, Role, names, passwords,
    passwords::Verdict,
};
use crate::{
    AccountId, App, Caller, Error, Field, Grant, Noun, Numbered, Problem, Result, Rule, SessionId, Time,
    journal, media,
};

/// Most characters of messenger's avatar string.
pub const MAX_AVATAR_TEXT: usize = 100;

/// A sign-up, or an account made from the command line.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// The name, as typed.
    pub username: String,
    /// The e-mail address; its form is checked by the dialect.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password, as typed; `None`: nobody signs in by one.
    pub password: Option<String>,
    /// Whether a password sign-in needs the e-mailed code.
    pub two_factor: bool,
    /// What the account may do.
    pub role: Role,
    /// A picture.
    pub avatar: Option<Bytes>,
}

/// The rules that a new name breaks, [`Rule::Taken`] among them. `own`: the account that may have it already.
pub async fn username_problem(app: &App, username: &str, own: Option<AccountId>) -> Result<Option<Rule>> {
    let username = names::normalised(username);
    if let Some(rule) = names::check(&username) {
        return Ok(Some(rule));
    }
    let holder = app.store.account_named(&names::folded(&username)).await?;
    Ok(holder.filter(|holder| Some(*holder) != own).map(|_| Rule::Taken))
}

/// Makes an account. `Invalid` names each rule that is broken, in the order username, password, avatar; then similarity.
pub async fn register(app: &App, ask: Registration, dialect: &'static str) -> Result<AccountId> {
    let name = ask.username.clone();
    let made = try_register(app, ask).await;
    match &made {
        Ok(_) => journal::done("sign-up", dialect, Some(&name)),
        Err(_) => journal::refused("sign-up", dialect, Some(&name), "broken rules"),
    }
    made
}

async fn try_register(app: &App, ask: Registration) -> Result<AccountId> {
    let mut problems = Vec::new();
    if let Some(rule) = username_problem(app, &ask.username, None).await? {
        problems.push(Problem::new(Field::Username, rule));
    }
    if let Some(password) = &ask.password {
        let broken = passwords::check(password, app.settings.password_classes);
        problems.extend(broken.into_iter().map(|rule| Problem::new(Field::Password, rule)));
        if problems.is_empty() {
            let similar = passwords::similar(password, &ask.username, &ask.email);
            problems.extend(similar.map(|field| Problem::new(Field::Password, Rule::Similar(field))));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let photo = match ask.avatar {
        Some(bytes) => Some(media::keep_avatar(app, bytes).await?),
        None => None,
    };
    let password = match ask.password {
        Some(password) => Some(app.hashing.hash(&*app.ids, password).await?),
        None => None,
    };
    let username = names::normalised(&ask.username);
    let new = NewAccount {
        uuid: app.ids.uuid(),
        username_folded: names::folded(&username),
        username,
        email: ask.email,
        first_name: ask.first_name,
        last_name: ask.last_name,
        password,
        two_factor: ask.two_factor,
        role: ask.role,
        photo: photo.clone(),
        created_at: app.clock.now(),
    };
    undoing(app, photo, taken(app.store.add_account(new).await)).await
}

/// Whether a picture would do as an avatar; it is not kept.
pub async fn avatar_problem(app: &App, bytes: Bytes) -> Result<Option<Rule>> {
    let picture = app.pictures.refit(bytes, app.settings.avatar_side).await?;
    Ok(picture.is_none().then_some(Rule::NotAnImage))
}

/// What a caller wants changed about their own account.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// A new name.
    pub username: Option<String>,
    /// A new e-mail address; its form is checked by the dialect.
    pub email: Option<String>,
    /// A new first name.
    pub first_name: Option<String>,
    /// A new last name.
    pub last_name: Option<String>,
    /// A new picture.
    pub avatar: Option<NewAvatar>,
}

/// A new picture, or none.
#[derive(Clone, Debug)]
pub enum NewAvatar {
    /// The bytes of an image.
    File(Bytes),
    /// A relative path for messenger to show.
    Text(String),
    /// None any more.
    Cleared,
}

/// Changes the caller's account, all or nothing. `Invalid` names each rule that is broken.
pub async fn update(app: &App, caller: &Caller, ask: Update) -> Result<()> {
    let mut problems = Vec::new();
    if let Some(username) = &ask.username {
        let rule = username_problem(app, username, Some(caller.account)).await?;
        problems.extend(rule.map(|rule| Problem::new(Field::Username, rule)));
    }
    if let Some(NewAvatar::Text(text)) = &ask.avatar {
        problems.extend(avatar_text_problem(text).map(|rule| Problem::new(Field::Avatar, rule)));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut photo = None;
    let avatar = match ask.avatar {
        None => None,
        Some(NewAvatar::Cleared) => Some(AvatarChange::Cleared),
        Some(NewAvatar::Text(text)) => {
            Some(AvatarChange::Text(text.strip_prefix('/').unwrap_or(&text).to_owned()))
        }
        Some(NewAvatar::File(bytes)) => {
            let key = media::keep_avatar(app, bytes).await?;
            photo = Some(key.clone());
            Some(AvatarChange::Photo(key))
        }
    };
    let change = AccountChange {
        username: ask.username.map(|name| (names::normalised(&name), names::folded(&name))),
        email: ask.email,
        first_name: ask.first_name,
        last_name: ask.last_name,
        avatar,
        ..AccountChange::default()
    };
    let changed = taken(app.store.set_account(caller.account, change, app.clock.now()).await);
    let unused = undoing(app, photo, changed).await?;
    media::discard(app, &unused).await;
    Ok(())
}

/// The rule that an avatar string breaks: at most [`MAX_AVATAR_TEXT`] characters of a plain relative path.
fn avatar_text_problem(text: &str) -> Option<Rule> {
    if text.chars().nth(MAX_AVATAR_TEXT).is_some() {
        return Some(Rule::TooLong(MAX_AVATAR_TEXT));
    }
    // Browsers take encoded dots in a path for dots (WHATWG URL, 4.4).
    let dotted = text.replace("%2e", ".").replace("%2E", ".");
    let unsafe_part = dotted.contains("..") || text.contains('\\') || text.contains(':');
    (unsafe_part || text.chars().any(char::is_control)).then_some(Rule::UnsafePath)
}

/// Gives the caller a new password; every other session of the account ends. `old` is compared when it is given.
pub async fn change_password(app: &App, caller: &Caller, old: Option<String>, new: String) -> Result<()> {
    let holder = app.store.password_holder_of(caller.account).await?.ok_or(Error::NotFound(Noun::Account))?;
    let mut problems = Vec::new();
    if let Some(old) = old {
        let folded = names::folded(&holder.username);
        let gate = || app.limits.sign_in_account.check(&folded, app.clock.now());
        gate()?;
        if app.hashing.verify(old, holder.password.clone(), gate).await? == Verdict::Wrong {
            app.limits.sign_in_account.count(folded, app.clock.now());
            problems.push(Problem::new(Field::OldPassword, Rule::Wrong));
        }
    }
    let mut broken = passwords::check(&new, app.settings.password_classes);
    broken.extend(passwords::similar(&new, &holder.username, &holder.email).map(Rule::Similar));
    problems.extend(broken.into_iter().map(|rule| Problem::new(Field::Password, rule)));
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let keep_session = match caller.grant {
        Grant::Session(id) => Some(id),
        Grant::Key(_) => None,
    };
    set_password(app, caller.account, new, keep_session).await
}

async fn set_password(
    app: &App,
    account: AccountId,
    password: String,
    keep_session: Option<SessionId>,
) -> Result<()> {
    let hash = app.hashing.hash(&*app.ids, password).await?;
    let change = AccountChange { password: Some(hash), keep_session, ..AccountChange::default() };
    app.store.set_account(account, change, app.clock.now()).await.map(drop)
}

/// Changes an account on an operator's word, without being asked who asks. A password is checked and hashed here.
pub async fn administer(
    app: &App,
    username: &str,
    change: AccountChange,
    password: Option<String>,
) -> Result<()> {
    let account = account_named(app, username).await?;
    if let Some(password) = &password {
        let broken: Vec<_> = passwords::check(password, app.settings.password_classes)
            .into_iter()
            .map(|rule| Problem::new(Field::Password, rule))
            .collect();
        if !broken.is_empty() {
            return Err(Error::Invalid(broken));
        }
    }
    let password = match password {
        Some(password) => Some(app.hashing.hash(&*app.ids, password).await?),
        None => None,
    };
    let change = AccountChange { password, ..change };
    app.store.set_account(account, change, app.clock.now()).await.map(drop)
}

/// Deletes an account on an operator's word. `NotFound(Account)`.
pub async fn delete(app: &App, username: &str) -> Result<()> {
    let account = account_named(app, username).await?;
    let unused = app.store.remove_account(account, app.clock.now()).await?;
    media::discard(app, &unused).await;
    Ok(())
}

/// The account of that name, in any case. `NotFound(Account)`.
pub async fn account_named(app: &App, username: &str) -> Result<AccountId> {
    let found = match names::sought(username) {
        Some(folded) => app.store.account_named(&folded).await?,
        None => None,
    };
    found.ok_or(Error::NotFound(Noun::Account))
}

/// The people of these cards.
pub async fn cards(app: &App, which: Cards) -> Result<Vec<Card>> {
    app.store.cards(which, live_since(app)).await
}

/// A session used since then is live.
pub(crate) fn live_since(app: &App) -> Time {
    app.clock.now().before(app.settings.session_idle)
}

/// Those who are not deleted, by folded name: at most `limit`, from the one after `after`, which is folded.
pub async fn people_after(app: &App, after: &str, limit: usize) -> Result<Vec<Person>> {
    app.store.people_after(after, limit).await
}

/// A page of the people whose name holds `search`, by name, and how many there are in all.
pub async fn search(app: &App, search: &str, page: Numbered) -> Result<(usize, Vec<Person>)> {
    let found = app.store.people_named(&names::folded(search), page.skip(), page.size).await?;
    page.check(found.0)?;
    Ok(found)
}

/// One account's card. `NotFound(Account)`.
pub async fn card(app: &App, account: AccountId) -> Result<Card> {
    cards(app, Cards::Of(vec![account])).await?.pop().ok_or(Error::NotFound(Noun::Account))
}

/// One person. `NotFound(Account)`.
pub async fn person(app: &App, account: AccountId) -> Result<Person> {
    app.store.people(vec![account]).await?.pop().ok_or(Error::NotFound(Noun::Account))
}

/// What the store calls a conflict of names is a broken rule to the one who chose the name.
fn taken<T>(done: Result<T>) -> Result<T> {
    done.map_err(|error| match error {
        Error::Conflict(Noun::Username) => Error::Invalid(vec![Problem::new(Field::Username, Rule::Taken)]),
        other => other,
    })
}

/// Removes a file that was kept for a change that did not happen.
pub(crate) async fn undoing<T>(app: &App, key: Option<String>, done: Result<T>) -> Result<T> {
    if let (Some(key), Err(_)) = (key, &done) {
        media::discard(app, &[key]).await;
    }
    done
}

impl Avatar {
    /// Whether anything was ever chosen: a photo, or messenger's string.
    pub fn is_default(&self) -> bool {
        self.photo.is_none() && self.text.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_avatar_string_is_a_plain_relative_path() {
        assert_eq!(avatar_text_problem("/media/avatars/fary.png"), None);
        for bad in [
            "../x",
            "a/%2e%2E/x",
            "a/.%2e/x",
            "a\\b",
            "http://x/y.png",
            "javascript:alert(1)",
            "a\0b",
            "a\nb",
        ] {
            assert_eq!(avatar_text_problem(bad), Some(Rule::UnsafePath), "{bad}");
        }
        assert_eq!(avatar_text_problem(&"é".repeat(100)), None);
        assert_eq!(avatar_text_problem(&"é".repeat(101)), Some(Rule::TooLong(100)));
    }
}
