//! The mails that a server without SMTP settings left in its outbox folder.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use base64::Engine;

/// A mail, read back from an `.eml` file (RFC 5322).
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// Its headers, unfolded.
    pub headers: Vec<(String, String)>,
    /// Its text, with the transfer encoding undone.
    pub text: String,
}

impl Mail {
    /// Reads a mail of one part.
    pub fn parse(source: &str) -> Self {
        let source = source.replace("\r\n", "\n");
        let (head, body) = source.split_once("\n\n").unwrap_or((&source, ""));
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        let header =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let mut mail = Self { headers: unfolded.lines().filter_map(header).collect(), text: String::new() };
        let coding = mail.header("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        mail.text = match coding.as_str() {
            "quoted-printable" => quoted_printable(body),
            "base64" => {
                let letters: String = body.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(letters).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => body.to_owned(),
        };
        mail
    }

    /// The value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether it goes to this address.
    pub fn is_to(&self, address: &str) -> bool {
        let to = self.header("to").unwrap_or_default();
        to.split([',', '<', '>', ' ']).any(|part| part.eq_ignore_ascii_case(address))
    }

    /// The six digits that stand alone on a line.
    pub fn code(&self) -> Option<&str> {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        self.text.lines().map(str::trim).find(is_code)
    }
}

/// All mails of the folder, oldest first; one that is still being written may be missing its end.
pub fn read(folder: &Path) -> Result<Vec<Mail>> {
    let mut files: Vec<(SystemTime, std::path::PathBuf)> = Vec::new();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            files.push((path.metadata()?.modified()?, path));
        }
    }
    files.sort();
    files.iter().map(|(_, path)| Ok(Mail::parse(&String::from_utf8_lossy(&std::fs::read(path)?)))).collect()
}

/// RFC 2045 section 6.7.
fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let coded = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        if let (b'=', Some(byte)) = (first, coded.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Mail;

    #[test]
    fn a_mail_is_read_back_in_every_transfer_encoding() {
        let head = "Subject: 2fa for\r\n Trascendence\r\nTo: Ana <ana@example.com>\r\n";
        let plain = Mail::parse(&format!("{head}\r\nHello ana = 1\r\n\r\n012345\r\n"));
        assert_eq!(plain.header("subject"), Some("2fa for Trascendence"));
        assert!(plain.is_to("ANA@example.com") && !plain.is_to("na@example.com"));
        assert_eq!(plain.code(), Some("012345"));
        let quoted = format!(
            "{head}Content-Transfer-Encoding: quoted-printable\r\n\r\nC=C3=B3digo: =\r\nya\r\n 654321\r\n"
        );
        assert_eq!(Mail::parse(&quoted).text, "Código: ya\n 654321\n");
        let coded = format!("{head}Content-Transfer-Encoding: base64\r\n\r\naG9sYQox\r\nMjM0NTY=\r\n");
        assert_eq!(Mail::parse(&coded).code(), Some("123456"));
        assert_eq!(Mail::parse(&format!("{head}\r\n1234567\r\n")).code(), None);
    }
}
