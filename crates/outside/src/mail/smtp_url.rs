//! The mail server's address, as it stands in the settings.

use anyhow::{Context, Result, bail};
use lettre::transport::smtp::authentication::Credentials;
use url::Url;

/// When TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Security {
    /// With the first byte (RFC 8314, section 3.3).
    Implicit,
    /// After `STARTTLS` (RFC 3207); a server that does not offer it is refused.
    StartTls,
    /// Never.
    None,
}

/// A mail server, by one of
/// - `smtps://user:password@host[:465]`: TLS from the start,
/// - `smtp://user:password@host[:587]`: STARTTLS, required,
/// - `smtp://host[:25]?tls=none`: without TLS.
///
/// User and password are percent-encoded, and may be left out together.
#[derive(Clone, Debug)]
pub(crate) struct SmtpUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) credentials: Option<Credentials>,
}

impl SmtpUrl {
    /// # Errors
    /// When `text` is none of the forms above. The error never repeats the text, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text).context("the SMTP URL is not a URL")?;
        let (security, port) = security(&url)?;
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            bail!("the SMTP URL names no host");
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            bail!("the SMTP URL has something after the host; percent-encode a password that holds / or #");
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port().unwrap_or(port), security, credentials: credentials(&url)? })
    }
}

/// With the port that goes with it.
fn security(url: &Url) -> Result<(Security, u16)> {
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "tls" => tls = Some(value),
            _ => bail!("the SMTP URL has an unknown parameter; there is only tls"),
        }
    }
    match (url.scheme(), tls.as_deref()) {
        ("smtps", None | Some("required")) => Ok((Security::Implicit, 465)),
        ("smtp", None | Some("required")) => Ok((Security::StartTls, 587)),
        ("smtp", Some("none")) => Ok((Security::None, 25)),
        ("smtp" | "smtps", _) => bail!("tls in the SMTP URL is none (with smtp://) or required"),
        _ => bail!("the SMTP URL starts with neither smtp:// nor smtps://"),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => bail!("the SMTP URL has a user without a password, or the reverse"),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user)?, decoded(password)?))),
    }
}

/// Undoes percent-encoding (RFC 3986, section 2.1); a `+` is a `+`.
fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let encoded = if *first == b'%' { tail.get(..2).and_then(byte) } else { None };
        bytes.push(encoded.unwrap_or(*first));
        rest = if encoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok().context("user or password of the SMTP URL are not UTF-8")
}

/// The byte that two hexadecimal digits stand for.
fn byte(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Security, SmtpUrl};
    use lettre::transport::smtp::authentication::Credentials;

    fn read(text: &str) -> (String, u16, Security, bool) {
        let url = SmtpUrl::parse(text).unwrap();
        (url.host, url.port, url.security, url.credentials.is_some())
    }

    #[test]
    fn each_form_has_its_port_and_its_security() {
        let host = || "mail.example.org".to_owned();
        assert_eq!(read("smtps://u:p@mail.example.org"), (host(), 465, Security::Implicit, true));
        assert_eq!(read("smtps://u:p@mail.example.org:1465"), (host(), 1465, Security::Implicit, true));
        assert_eq!(read("smtp://u:p@mail.example.org"), (host(), 587, Security::StartTls, true));
        assert_eq!(read("smtp://mail.example.org:2525/"), (host(), 2525, Security::StartTls, false));
        assert_eq!(read("smtp://mail.example.org?tls=none"), (host(), 25, Security::None, false));
        assert_eq!(read("smtp://[::1]:25?tls=none"), ("::1".to_owned(), 25, Security::None, false));
    }

    #[test]
    fn credentials_are_percent_decoded() {
        let url = SmtpUrl::parse("smtp://a%40b.org:p%2Fa%3Aq+%25%C3%A4%+1%g%@h").unwrap();
        assert_eq!(url.credentials, Some(Credentials::new("a@b.org".into(), "p/a:q+%ä%+1%g%".into())));
    }

    #[test]
    fn what_is_no_mail_server_is_refused_without_showing_a_password() {
        for text in [
            "",
            "mail.example.org",
            "http://u:hunter2@h",
            "smtp://",
            "smtp://u:hunter2@h?tls=maybe",
            "smtps://h?tls=none",
            "smtp://u:hunter2@h/x",
            "smtp://u@h",
            "smtp://:hunter2@h",
            "smtp://u:hunter2@h?user=x",
            "smtp://u:%ff@h",
            "smtp://u:hunter2@h:99999",
            "smtp://u:hunter2#x@h",
        ] {
            let error = format!("{:#}", SmtpUrl::parse(text).unwrap_err());
            assert!(!error.contains("hunter2"), "{text}: {error}");
        }
    }
}
