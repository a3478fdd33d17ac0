//! E-mailed sign-in codes: six digits, ten minutes, the newest one only.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;

use crate::{
    AccountId, App, Error, Noun, Refusal, Result, Time,
    accounts::{PasswordHolder, names},
    ports::{Ids, Mail},
    sessions,
};

/// How long a code is good.
pub const LIFE: Duration = Duration::from_mins(10);

/// After so many wrong codes (given with the right password) the present one is void.
pub const MAX_WRONG: i64 = 5;

/// What the core asks of the store about codes.
#[async_trait]
pub trait Codes: Send + Sync {
    /// Makes this the account's only code. `mac` is the code's HMAC under the server's key.
    async fn set_code(&self, account: AccountId, mac: [u8; 32], expires_at: Time) -> Result<()>;
}

/// Who wants a code, and how they show that it is their account.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The name, as typed.
    pub username: &'a str,
    /// The e-mail address, as typed.
    pub email: Option<&'a str>,
    /// The password, as typed.
    pub password: Option<&'a str>,
    /// Where it comes from, for the limits.
    pub address: IpAddr,
}

/// Mails a new code. All that is given has to match, and one of address and password has to be given:
/// `NotFound(Account)` or, where the password is at fault, `NotFound(Password)`. `Throttled` beyond the limits.
pub async fn send(app: &App, ask: Ask<'_>) -> Result<()> {
    let holder = prove(app, ask).await?;
    let now = app.clock.now();
    app.limits.codes_address.check(&ask.address, now)?;
    app.limits.codes_account.take(holder.id, now)?;
    app.limits.codes_address.count(ask.address, now);
    let code = draw(&*app.ids);
    app.store.set_code(holder.id, app.secrets.code_mac(holder.id, &code), now.after(LIFE)).await?;
    if holder.email.is_empty() {
        tracing::warn!("a code was asked for an account without an e-mail address");
        return Ok(());
    }
    app.mailer.send(Mail {
        to: holder.email,
        subject: app.settings.code_subject.clone(),
        text: format!(
            "Hello {},\n\nyour sign-in code is:\n\n{code}\n\nIt is good for 10 minutes, and for one sign-in.\n\
             If you did not ask for it, somebody else did:\nwithout your password it is of no use to them.\n",
            holder.username
        ),
    });
    Ok(())
}

async fn prove(app: &App, ask: Ask<'_>) -> Result<PasswordHolder> {
    let holder = match (ask.password, ask.email) {
        (Some(password), _) => match sessions::check_password(app, ask.username, password, ask.address).await
        {
            Err(Error::Unauthenticated(Refusal::Invalid)) => Err(Error::NotFound(Noun::Password)),
            other => other,
        }?,
        (None, Some(_)) => {
            app.limits.sign_in_address.check(&ask.address, app.clock.now())?;
            let holder = match names::sought(ask.username) {
                Some(folded) => app.store.password_holder(&folded).await?,
                None => None,
            };
            holder.ok_or_else(|| mismatch(app, ask.address))?
        }
        (None, None) => return Err(Error::NotFound(Noun::Account)),
    };
    match ask.email {
        Some(email) if email.to_lowercase() != holder.email.to_lowercase() || email.is_empty() => {
            Err(mismatch(app, ask.address))
        }
        _ => Ok(holder),
    }
}

/// A wrong pair of name and address: counted, or addresses could be tried out.
fn mismatch(app: &App, address: IpAddr) -> Error {
    app.limits.sign_in_address.count(address, app.clock.now());
    Error::NotFound(Noun::Account)
}

/// Six digits, each of the million equally likely.
fn draw(ids: &dyn Ids) -> String {
    // 4,294 millions fit into 32 bits; what lies beyond is drawn again, or small codes would be likelier.
    loop {
        let mut bytes = [0; 4];
        ids.fill(&mut bytes);
        let number = u32::from_be_bytes(bytes);
        if number < 4_294_000_000 {
            return format!("{:06}", number % 1_000_000);
        }
    }
}

/// The code that was meant: a client that sent it as a number has lost its leading zeros. Nothing stays nothing.
pub(crate) fn padded(code: &str) -> String {
    let code = code.trim();
    if code.is_empty() { String::new() } else { format!("{code:0>6}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed([u8; 4]);

    impl Ids for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0);
        }
    }

    #[test]
    fn codes_have_six_digits() {
        assert_eq!(draw(&Fixed([0, 0, 0, 7])), "000007");
        assert_eq!(draw(&Fixed(4_293_999_999u32.to_be_bytes())), "999999");
        assert_eq!(padded("791"), "000791");
        assert_eq!(padded(" 791983 "), "791983");
        assert_eq!(padded("7919830"), "7919830");
        assert_eq!(padded(" "), "");
    }
}
