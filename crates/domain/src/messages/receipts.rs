//! Receipts: that a direct message was received, and seen.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::{App, Caller, MessageId, RelationId, Result};

/// Messages that were received and not yet noted.
#[derive(Debug, Default)]
pub(crate) struct ReceiptQueue(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    ids: Vec<MessageId>,
    /// Whether a task is at work that will take what is added.
    has_writer: bool,
}

/// Notes that the receivers of these messages have received them. Returns at once; while one batch is written, the next
/// one gathers. What is lost in a crash is noted when the receiver reads next.
pub fn received(app: &App, ids: impl IntoIterator<Item = MessageId>) {
    let mut pending = app.receipts.0.lock().unwrap_or_else(PoisonError::into_inner);
    pending.ids.extend(ids);
    if pending.ids.is_empty() || mem::replace(&mut pending.has_writer, true) {
        return;
    }
    drop(pending);
    tokio::spawn(write(app.clone()));
}

async fn write(app: App) {
    loop {
        let ids = {
            let mut pending = app.receipts.0.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.ids.is_empty() {
                pending.has_writer = false;
                return;
            }
            mem::take(&mut pending.ids)
        };
        if let Err(fault) = app.store.mark_received(ids, app.clock.now()).await {
            tracing::warn!(?fault, "receipts could not be noted");
        }
    }
}

/// Notes that the caller has seen a message that was sent to them (of that relation, when one is given).
/// `NotFound(Message)`. A repeat changes nothing, and nobody hears of it.
pub async fn see(app: &App, caller: &Caller, message: Uuid, via: Option<RelationId>) -> Result<()> {
    app.store.mark_seen(message, caller.account, via, app.clock.now()).await
}
