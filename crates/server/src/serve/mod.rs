//! `tertulia serve`: the order of the start, and of the stop.

mod boards;
mod housekeeping;
mod node;
mod signals;
mod site;
mod social;

use std::{io::Write, time::Duration};

use anyhow::{Context, Result};
use kit::listen;
use realtime::Close;
use socketio::Stop;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::settings::Settings;
use housekeeping::Housekeeping;
use node::Node;
use signals::Signals;

/// How long sockets get for what is queued.
const SOCKETS_CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How long mails get to be sent.
const MAIL_FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// Starts the server, says where it is, and runs it until a signal comes.
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let node = Node::start(&settings).await?;
    let (service, socket_io) = site::service(&node, &settings)?;
    let address = &settings.network.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut signals = Signals::catch()?;
    let housekeeping = Housekeeping::start(&node);
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::spawn(listen::serve(listener, service, stopped, listen::Options::default()));
    announce(&url);
    tokio::select! {
        signal = signals.next() => tracing::info!(signal, "stopping"),
        ended = &mut serving => ended.context("the server ended by itself")?,
    }
    tokio::select! {
        () = wind_down(node, stop, socket_io, serving, housekeeping) => Ok(()),
        signal = signals.next() => {
            tracing::warn!(signal, "told again to stop: ending at once");
            std::process::exit(1)
        }
    }
}

/// One line on standard output, for whoever waits for it.
fn announce(url: &str) {
    let mut out = std::io::stdout();
    if let Err(fault) = writeln!(out, "{url}").and_then(|()| out.flush()) {
        tracing::debug!(%fault, "nobody reads the URL");
    }
    tracing::info!(url, version = env!("CARGO_PKG_VERSION"), "ready");
}

/// Stops accepting, closes the sockets behind what waits for them, lets requests finish, sends what mail there is, and
/// closes the store last, so that all that was accepted is stored.
async fn wind_down(
    node: Node,
    stop: watch::Sender<bool>,
    socket_io: Stop,
    serving: JoinHandle<()>,
    housekeeping: Housekeeping,
) {
    stop.send_replace(true);
    let sockets = async {
        tokio::select! {
            () = node.context.sockets.closed(SOCKETS_CLOSE_WITHIN) => {}
            () = close_sockets(&node, &socket_io) => {}
        }
    };
    let ((), served) = tokio::join!(sockets, serving);
    if let Err(fault) = served {
        tracing::error!(%fault, "listening ended in a panic");
    }
    housekeeping.stop();
    node.post.flush(MAIL_FLUSH_WITHIN).await;
    node.database.close().await;
    tracing::info!("stopped");
}

/// Closes all sockets, over and over: a handshake that was under way may open one more. Never returns.
async fn close_sockets(node: &Node, socket_io: &Stop) {
    loop {
        node.context.hub.close_all(Close::GOING_AWAY);
        socket_io.close_all();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
