//! Receipts: that a direct message was received, and seen.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use crate::{App, Caller, Posted, RelationId, Result};

/// Messages that were received and not yet noted.
#[derive(Debug, Default)]
pub(crate) struct ReceiptQueue(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    posted: Vec<Arc<Posted>>,
    /// Whether a task is at work that will take what is added.
    has_writer: bool,
}

/// Notes that the receivers of these messages have received them. Returns at once; while one batch is written, the next
/// one gathers. What is lost in a crash is noted when the receiver reads next.
pub fn received(app: &App, posted: impl IntoIterator<Item = Arc<Posted>>) {
    let mut pending = app.receipts.0.lock().unwrap_or_else(PoisonError::into_inner);
    pending.posted.extend(posted);
    if pending.posted.is_empty() || mem::replace(&mut pending.has_writer, true) {
        return;
    }
    drop(pending);
    tokio::spawn(write(app.clone()));
}

async fn write(app: App) {
    loop {
        let posted = {
            let mut pending = app.receipts.0.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.posted.is_empty() {
                pending.has_writer = false;
                return;
            }
            mem::take(&mut pending.posted)
        };
        if let Err(fault) = app.store.mark_delivered(posted, app.clock.now()).await {
            tracing::warn!(?fault, "receipts could not be noted");
        }
    }
}

/// Notes that the caller has seen a message that was sent to them (of that relation, when one is given).
/// `NotFound(Message)`. A repeat changes nothing, and nobody hears of it.
pub async fn see(app: &App, caller: &Caller, message: Uuid, via: Option<RelationId>) -> Result<()> {
    app.store.mark_seen(message, caller.account, via, app.clock.now()).await
}
