//! The mailer that the settings ask for.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use domain::ports::{self, Mailer};
use outside::mail::{Letterhead, Outbox, Smtp};

use crate::{
    place::DataDir,
    settings::Mail,
    system::{SystemClock, SystemIds},
};

/// A mail server, or a folder.
#[derive(Clone)]
pub(crate) enum Post {
    /// Over SMTP.
    Smtp(Smtp),
    /// Into the outbox folder of the data directory.
    Outbox(Arc<Outbox>),
}

impl Post {
    /// As the settings say. Nothing is connected yet.
    pub(crate) fn open(settings: &Mail, data: &DataDir) -> Result<Self> {
        let letterhead = letterhead(settings)?;
        match &settings.smtp_url {
            Some(url) => Ok(Self::Smtp(Smtp::new(url, settings.smtp_ca.as_deref(), letterhead)?)),
            None => Ok(Self::Outbox(Arc::new(Outbox::open(data.outbox(), letterhead)?))),
        }
    }

    /// The port of the core.
    pub(crate) fn mailer(&self) -> Arc<dyn Mailer> {
        match self {
            Self::Smtp(smtp) => Arc::new(smtp.clone()),
            Self::Outbox(outbox) => Arc::clone(outbox) as Arc<dyn Mailer>,
        }
    }

    /// Waits until all mails are sent, so long at most.
    pub(crate) async fn flush(&self, limit: Duration) {
        let sent = match self {
            Self::Smtp(smtp) => smtp.flush(limit).await,
            Self::Outbox(outbox) => outbox.flush(limit).await,
        };
        if !sent {
            tracing::warn!("some mails could not be sent before the stop");
        }
    }
}

/// The letterhead of all mails.
pub(crate) fn letterhead(settings: &Mail) -> Result<Letterhead> {
    Letterhead::new(&settings.mail_from, Arc::new(SystemClock), Arc::new(SystemIds))
}

/// [`Mailer`] for commands, none of which sends mail.
#[derive(Debug)]
pub(crate) struct NoMail;

impl Mailer for NoMail {
    fn send(&self, _: ports::Mail) {
        tracing::error!("a command wanted to send mail, which only a server does");
    }
}
