//! The ports in one handle.

use std::{net::IpAddr, ops::Deref, sync::Arc};

use crate::{
    Settings,
    accounts::passwords::Hashing,
    chats::MarkQueue,
    limits::Window,
    messages::ReceiptQueue,
    ports::{Blobs, Clock, Ids, Mailer, Pictures, Store},
    secrets::Secrets,
    sessions::{KnownTokens, SessionCache},
};

/// What the core stands on.
pub struct Ports {
    /// All that is kept.
    pub store: Arc<dyn Store>,
    /// The bytes of files.
    pub blobs: Arc<dyn Blobs>,
    /// Pictures.
    pub pictures: Arc<dyn Pictures>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
}

/// The core, in one handle that is cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Core>);

/// What [`App`] shares.
pub struct Core {
    ports: Ports,
    /// The core's settings.
    pub settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) hashing: Hashing,
    pub(crate) sessions: SessionCache,
    pub(crate) tokens: KnownTokens,
    pub(crate) limits: Limits,
    pub(crate) receipts: ReceiptQueue,
    pub(crate) marks: MarkQueue,
}

/// The counters of what may not happen too often.
pub(crate) struct Limits {
    /// Failed sign-ins by folded username.
    pub(crate) sign_in_account: Window<String>,
    /// Failed sign-ins by address.
    pub(crate) sign_in_address: Window<IpAddr>,
    /// Codes sent by account.
    pub(crate) codes_account: Window<crate::AccountId>,
    /// Codes sent by address.
    pub(crate) codes_address: Window<IpAddr>,
}

impl App {
    /// The core on these ports.
    pub fn new(ports: Ports, settings: Settings, secrets: Secrets) -> Self {
        let limits = Limits {
            sign_in_account: Window::new(settings.sign_in_failures_account),
            sign_in_address: Window::new(settings.sign_in_failures_address),
            codes_account: Window::new(settings.codes_account),
            codes_address: Window::new(settings.codes_address),
        };
        let hashing = Hashing::new();
        let (sessions, tokens) = (SessionCache::default(), KnownTokens::default());
        let (receipts, marks) = (ReceiptQueue::default(), MarkQueue::default());
        Self(Arc::new(Core { ports, settings, secrets, hashing, sessions, tokens, limits, receipts, marks }))
    }
}

impl Deref for App {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0
    }
}

impl Deref for Core {
    type Target = Ports;

    fn deref(&self) -> &Ports {
        &self.ports
    }
}
