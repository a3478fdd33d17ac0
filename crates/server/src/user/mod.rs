//! `tertulia user`: accounts from the command line.

mod add;
mod delete;
mod key;
mod list;
mod rules;
mod set;

use std::sync::Arc;

use anyhow::{Result, anyhow};
use domain::{App, Error, Noun, Ports, ports::Ids, secrets::Secrets};
use kit::fields::text_of;
use media::{Disk, ImagePictures};
use realtime::LocalBus;
use store::{Database, Options};

use crate::{
    command_line::UserTask,
    place::DataDir,
    post::NoMail,
    settings::Place,
    system::{SystemClock, SystemIds},
};

/// Does what was asked for.
pub(crate) async fn run(task: UserTask) -> Result<()> {
    match task {
        UserTask::Add { name, about, place } => {
            let password = about.password(std::io::stdin())?;
            let desk = Desk::open(&place).await?;
            desk.closing(add::run(&desk.app, name, about, password).await).await
        }
        UserTask::List { place } => {
            let desk = Desk::open(&place).await?;
            desk.closing(list::run(&desk.app).await).await
        }
        UserTask::Set { name, about, place } => {
            let password = about.password(std::io::stdin())?;
            let desk = Desk::open(&place).await?;
            desk.closing(set::run(&desk.app, &name, about, password).await).await
        }
        UserTask::Delete { name, place } => {
            let desk = Desk::open(&place).await?;
            desk.closing(delete::run(&desk.app, &name).await).await
        }
        UserTask::Key { name, label, revoke, place } => {
            let desk = Desk::open(&place).await?;
            let done = match revoke {
                Some(label) => key::revoke(&desk.app, &name, &label).await,
                None => key::make(&desk.app, &name, &label).await,
            };
            desk.closing(done).await
        }
    }
}

/// The core, as far as these commands need it, and the store to close behind it.
struct Desk {
    app: App,
    database: Arc<Database>,
}

impl Desk {
    async fn open(place: &Place) -> Result<Self> {
        let data = DataDir::open(place)?;
        let bus = LocalBus::new();
        let options = Options { readers: 1, connections: 2 };
        let database = Database::open(&data.database(place)?, bus, options).await?;
        let ports = Ports {
            store: database.clone(),
            blobs: Arc::new(Disk::open(data.media())?),
            pictures: Arc::new(ImagePictures::new()),
            mailer: Arc::new(NoMail),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        // Nothing that these commands do is signed or sealed, so any key will do.
        let mut unused_key = [0; 32];
        SystemIds.fill(&mut unused_key);
        let app = App::new(ports, domain::Settings::default(), Secrets::derive(&unused_key));
        Ok(Self { app, database })
    }

    async fn closing<T>(&self, done: Result<T>) -> Result<T> {
        self.database.close().await;
        done
    }
}

/// An error of the core in plain words; `name` is the account's.
fn explained(error: Error, name: &str) -> anyhow::Error {
    match error {
        Error::NotFound(Noun::Account) => anyhow!("there is no account {name:?}"),
        Error::Invalid(problems) => {
            anyhow!(problems.iter().map(|problem| text_of(&problem.rule)).collect::<Vec<_>>().join("\n"))
        }
        Error::Unavailable(Noun::Store) => anyhow!("the database cannot be reached, or is busy; try again"),
        Error::Internal(fault) => fault,
        other => anyhow!("it cannot be done: {other:?}"),
    }
}
