//! What a mail looks like: RFC 5322 headers, and a text whose lines arrive as they were written.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use domain::{
    Time,
    ports::{Clock, Ids, Mail},
};
use lettre::{
    Address, Message,
    message::{Body, Mailbox, SinglePart, header::ContentTransferEncoding, header::ContentType},
};

/// What all mails of this server have in common: who sends them, and where their dates and ids come from.
#[derive(Clone)]
pub struct Letterhead {
    from: Mailbox,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Letterhead {
    /// The sender that is used when none is set.
    pub const DEFAULT_FROM: &str = "Tertulia <tertulia@localhost>";

    /// Mails come from `from`: an address, or a name and the address in angle brackets (RFC 5322, `mailbox`).
    ///
    /// # Errors
    /// When `from` is neither.
    pub fn new(from: &str, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> anyhow::Result<Self> {
        let from = from.parse().with_context(|| format!("{from:?} is not a mail address"))?;
        Ok(Self { from, clock, ids })
    }

    /// The present time, which the `Date` of a mail written now shows.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Eight hexadecimal digits, to tell apart what was written at the same time.
    pub(crate) fn nonce(&self) -> String {
        let mut bytes = [0; 4];
        self.ids.fill(&mut bytes);
        format!("{:08x}", u32::from_be_bytes(bytes))
    }

    /// The finished message. The recipient is an address alone; control characters in the subject become blanks, so
    /// nothing in `mail` can add a header.
    ///
    /// # Errors
    /// When the recipient is not an address.
    pub(crate) fn letter(&self, mail: &Mail, at: Time) -> anyhow::Result<Message> {
        let to: Address = mail.to.parse().context("the recipient is not a mail address")?;
        let subject = mail.subject.replace(char::is_control, " ");
        let id = format!("<{}@{}>", self.ids.uuid(), self.from.email.domain());
        let since_1970 = Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(id))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body(&mail.text)))?;
        Ok(message)
    }
}

impl fmt::Debug for Letterhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letterhead").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Plain ASCII goes out as it is; anything else as quoted-printable (RFC 2045, section 6.7), never as base64: a line
/// of ASCII stays readable in the raw message.
fn body(text: &str) -> Body {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // Lettre ends the last line itself.
    let text = text.trim_end_matches('\n').to_owned();
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n');
    let encodings = if text.bytes().all(plain) {
        [ContentTransferEncoding::SevenBit, ContentTransferEncoding::QuotedPrintable]
    } else {
        [ContentTransferEncoding::QuotedPrintable; 2]
    };
    // Lines that are too long for 7bit make it fail; quoted-printable fits every text.
    encodings
        .into_iter()
        .find_map(|encoding| Body::new_with_encoding(text.clone(), encoding).ok())
        .unwrap_or_else(|| Body::new(text))
}

#[cfg(test)]
mod tests {
    use super::body;
    use lettre::message::header::ContentTransferEncoding::{QuotedPrintable, SevenBit};

    fn raw(text: &str) -> String {
        String::from_utf8(body(text).into_vec()).unwrap()
    }

    #[test]
    fn ascii_goes_out_as_it_is() {
        assert_eq!(body("Hello ana,\n\n012345\n").encoding(), SevenBit);
        assert_eq!(raw("Hello ana,\n\n012345\n"), "Hello ana,\r\n\r\n012345");
    }

    #[test]
    fn a_line_of_digits_stays_a_line_of_its_own_in_any_text() {
        let long = format!("{}\n012345\nbye", "x".repeat(2000));
        for text in [
            "Привет, Борис!\n012345\nпока",
            "Grüße\r\n012345\r\n",
            "日本語日本語\n012345",
            "a\0\n012345",
            &long,
        ] {
            let raw = raw(text);
            assert_eq!(body(text).encoding(), QuotedPrintable);
            assert!(raw.split("\r\n").any(|line| line == "012345"), "{raw}");
            assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 76));
        }
    }

    #[test]
    fn lines_are_divided_by_cr_lf() {
        assert_eq!(raw("a\rb\r\nc\nd"), "a\r\nb\r\nc\r\nd");
    }
}
