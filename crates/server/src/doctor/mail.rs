//! Mail.

use outside::mail::Smtp;

use super::Finding;
use crate::{place::DataDir, post::letterhead, settings::Mail};

/// Tries what sending needs, without sending.
pub(super) async fn check(data: &DataDir, settings: &Mail) -> Finding {
    let letterhead = match letterhead(settings) {
        Ok(letterhead) => letterhead,
        Err(fault) => return Finding::Fail(format!("--mail-from: {fault:#}")),
    };
    let Some(url) = &settings.smtp_url else {
        return Finding::Warn(format!(
            "no mail server: mails are not sent, but written to {}; set --smtp-url",
            data.outbox().display()
        ));
    };
    match Smtp::new(url, settings.smtp_ca.as_deref(), letterhead) {
        Err(fault) => Finding::Fail(format!("{fault:#}")),
        Ok(smtp) => match smtp.check().await {
            Ok(()) => Finding::Ok("the mail server lets us in".to_owned()),
            Err(why) => Finding::Fail(why),
        },
    }
}
