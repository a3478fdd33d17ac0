//! From polling to a WebSocket (engine.io-protocol, "Upgrade"): the client probes the new transport, lets go of the
//! old one, and says so. Until it does, the connection polls on, and what goes wrong here is nothing to it.

use std::{io, pin::pin, time::Duration};

use kit::websocket::{
    Raw,
    frame::{Incoming, Opcode},
};
use tokio::{sync::oneshot, time::timeout};

use super::{pump, wire::Wire};
use crate::{polling::Ask, registry::Upgrading, session::Session};

/// How long a client may take for it.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);

/// How long the close of a probe that came to nothing may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Lets the client probe the WebSocket, and goes on there if it wants to.
pub(crate) async fn probe(raw: Raw, max_message: usize, upgrading: Upgrading) {
    let mut wire = Wire::new(raw, max_message);
    let session = {
        let mut probed = pin!(probed(&mut wire, &upgrading));
        tokio::select! {
            session = timeout(UPGRADE_WITHIN, probed.as_mut()) => session,
            // The session has ended, or is on its way here.
            () = upgrading.desk.closed() => timeout(Duration::ZERO, probed).await,
        }
    };
    if let Ok(Ok(Some(session))) = session {
        drop(upgrading);
        pump::carry(wire, session).await;
        return;
    }
    // The connection may have ended meanwhile.
    let _ = upgrading.desk.send(Ask::Abandoned).await;
    drop(upgrading);
    wire.push_close(1000);
    let _ = timeout(CLOSE_WITHIN, flushed(&mut wire)).await;
}

/// The session, once the client has probed the socket and asked to go on there; `None` when it did anything else.
async fn probed(wire: &mut Wire, upgrading: &Upgrading) -> io::Result<Option<Box<Session>>> {
    let mut is_probed = false;
    loop {
        match next(wire).await? {
            Some(Incoming::Ping(payload)) => wire.push(Opcode::Pong, &payload),
            Some(Incoming::Pong) => {}
            Some(Incoming::Text(text)) if text == "2probe" => {
                wire.push(Opcode::Text, b"3probe");
                is_probed = true;
                if upgrading.desk.send(Ask::Probed).await.is_err() {
                    return Ok(None);
                }
            }
            Some(Incoming::Text(text)) if text == "5" && is_probed => {
                let (taker, session) = oneshot::channel();
                // Without an answer the connection has ended.
                let _ = upgrading.desk.send(Ask::TakeOver(taker)).await;
                return Ok(session.await.ok());
            }
            _ => return Ok(None),
        }
        flushed(wire).await?;
    }
}

/// The next message or control frame; `None` at the end.
async fn next(wire: &mut Wire) -> io::Result<Option<Incoming>> {
    loop {
        match wire.decode() {
            Ok(Some(incoming)) => return Ok(Some(incoming)),
            Ok(None) => {}
            Err(_) => return Ok(None),
        }
        wire.socket().readable().await?;
        if !wire.read()? {
            return Ok(None);
        }
    }
}

async fn flushed(wire: &mut Wire) -> io::Result<()> {
    while !wire.flush()? {
        wire.socket().writable().await?;
    }
    Ok(())
}
