//! Connections to a mail server: made, kept for the next mail, and tested.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use tokio::time::timeout;

use super::smtp_url::{Security, SmtpUrl};
use crate::tls;

/// How long a connection is kept without use. Servers wait five minutes (RFC 5321, section 4.5.3.2.7) or less.
const KEPT: Duration = Duration::from_secs(30);

/// How long the opening of a TCP connection may take.
const CONNECTING: Duration = Duration::from_secs(15);

/// How long an idle connection has to show that it is alive.
const STIRRING: Duration = Duration::from_secs(3);

/// A mail server, and the connections to it that are idle.
///
/// Lettre's own pool puts a connection back when a sending is abandoned half-way, where the next mail would become
/// part of the last; here it is closed.
pub(crate) struct Server {
    url: SmtpUrl,
    tls: TlsParameters,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// How far the way to a ready connection went before it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// TCP, TLS when it is implicit, and the greeting.
    Connect,
    /// `STARTTLS` and the handshake after it.
    StartTls,
    /// User and password.
    Authenticate,
}

impl Server {
    /// `extra_roots` is a PEM file of certificates to trust beside the usual roots.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub(crate) fn new(url: SmtpUrl, extra_roots: Option<&Path>) -> anyhow::Result<Self> {
        tls::install_provider();
        let mut parameters =
            TlsParameters::builder(url.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        if let Some(path) = extra_roots {
            let name = || format!("the certificates in {}", path.display());
            let pem = fs::read(path).with_context(name)?;
            parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).with_context(name)?);
        }
        let tls = parameters.build_rustls().context("TLS for mail")?;
        Ok(Self { url, tls, hello: ClientId::default(), idle: Mutex::default() })
    }

    /// `host:port`.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.url.host, self.url.port)
    }

    /// A new connection, ready for a mail.
    pub(crate) async fn connect(&self) -> Result<AsyncSmtpConnection, (Step, Error)> {
        let address = (self.url.host.as_str(), self.url.port);
        let implicit = (self.url.security == Security::Implicit).then(|| self.tls.clone());
        let connecting =
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECTING), &self.hello, implicit, None);
        let mut connection = connecting.await.map_err(|fault| (Step::Connect, fault))?;
        if self.url.security == Security::StartTls {
            let securing = connection.starttls(self.tls.clone(), &self.hello);
            securing.await.map_err(|fault| (Step::StartTls, fault))?;
        }
        if let Some(credentials) = &self.url.credentials {
            let authenticating = connection.auth(DEFAULT_MECHANISMS, credentials);
            authenticating.await.map_err(|fault| (Step::Authenticate, fault))?;
        }
        Ok(connection)
    }

    /// Hands `message` to the server. A connection is kept only after a success; when this future is dropped, its
    /// connection closes.
    pub(crate) async fn deliver(&self, message: &Message) -> Result<(), Error> {
        let mut connection = match self.kept_connection().await {
            Some(connection) => connection,
            None => self.connect().await.map_err(|(_, fault)| fault)?,
        };
        connection.send(message.envelope(), &message.formatted()).await?;
        self.idle().push((connection, Instant::now()));
        Ok(())
    }

    /// Says goodbye on the idle connections.
    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for (mut connection, _) in idle {
            // The connection closes in any case.
            let _ = timeout(STIRRING, connection.quit()).await;
        }
    }

    async fn kept_connection(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.idle().pop()?;
            let alive =
                since.elapsed() < KEPT && timeout(STIRRING, connection.test_connected()).await == Ok(true);
            if alive {
                return Some(connection);
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
