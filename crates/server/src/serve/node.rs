//! The parts of a running server, put together.

use std::{fs::File, sync::Arc};

use anyhow::Result;
use domain::{App, Ports, ports::Store, sessions};
use kit::{
    context::{Context, SocketLimits},
    websocket::Sockets,
};
use media::{Disk, ImagePictures};
use realtime::{Hub, LocalBus};
use store::{Database, Options};

use crate::{
    place::DataDir,
    post::Post,
    settings::{Limits, Settings},
    system::{SystemClock, SystemIds},
};

/// A server without its listener.
pub(crate) struct Node {
    /// What handlers get: the core, the hub, the sockets.
    pub(crate) context: Context,
    /// The store, to be closed at the end.
    pub(crate) database: Arc<Database>,
    /// Carries events to the hub.
    pub(crate) bus: Arc<LocalBus>,
    /// Sends mail.
    pub(crate) post: Post,
    /// Keeps other servers off the data directory.
    _lock: File,
}

impl Node {
    /// Opens the data, and wires the core to it.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let data = DataDir::open(&settings.place)?;
        let lock = data.lock()?;
        let secrets = data.secrets(&settings.place, &settings.secret)?;
        let post = Post::open(&settings.mail, &data)?;
        let bus = LocalBus::new();
        let location = data.database(&settings.place)?;
        let database = Database::open(&location, bus.clone(), Options::default()).await?;
        let ports = Ports {
            store: Arc::clone(&database) as Arc<dyn Store>,
            blobs: Arc::new(Disk::open(data.media())?),
            pictures: Arc::new(ImagePictures::new()),
            mailer: post.mailer(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let app = App::new(ports, settings.of_core(), secrets);
        let hub = Hub::new();
        let (heeding, hearing) = (app.clone(), Arc::clone(&hub));
        bus.heed_with(move |event| {
            // Ended sessions are forgotten before anyone is told.
            sessions::heed(&heeding, event);
            hearing.hear(event);
        });
        let context =
            Context { app, hub, sockets: Sockets::default(), socket_limits: socket_limits(&settings.limits) };
        Ok(Self { context, database, bus, post, _lock: lock })
    }
}

fn socket_limits(limits: &Limits) -> SocketLimits {
    SocketLimits {
        max_frame: limits.max_frame,
        max_file_frame: limits.max_file_frame,
        rate: limits.message_rate.0,
        queue_bytes: limits.socket_queue,
    }
}
