//! The data directory, the database's location and the server's key.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use domain::{
    ports::Ids,
    secrets::{MIN_SECRET, Secrets},
};
use store::Location;

use crate::{
    settings::{Place, Secret},
    system::SystemIds,
};

/// Of new files: for their owner alone.
const PRIVATE: u32 = 0o600;

/// How to make a key, for messages.
const HOW_TO_MAKE_ONE: &str = "make one with: head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n'";

/// The data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The folder, made with mode 0700 if it is missing.
    pub(crate) fn open(place: &Place) -> Result<Self> {
        let path = &place.data_dir;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make the data directory {}", path.display()))?;
        Ok(Self(path.clone()))
    }

    /// The folder, as it is.
    pub(crate) fn as_it_is(place: &Place) -> Self {
        Self(place.data_dir.clone())
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where files of people are.
    pub(crate) fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    /// Where mails are without a mail server.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }

    /// Where the key is that was made here.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.0.join("secret.key")
    }

    /// Where the database is, when it is SQLite.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.0.join("tertulia.db")
    }

    /// Holds the directory for one server. The lock ends with the file, however the process ends.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.0.join("lock");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another server runs on the data directory {}: stop it, or choose another --data-dir",
                self.0.display()
            ),
            Err(TryLockError::Error(fault)) => {
                Err(fault).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// The database: the one that is set, or a file here. The file is made now, so that nobody but its owner reads it.
    pub(crate) fn database(&self, place: &Place) -> Result<Location> {
        let location = location(self, place)?;
        if let Location::Sqlite(path) = &location {
            let made = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path);
            made.with_context(|| format!("cannot open the database {}", path.display()))?;
        }
        Ok(location)
    }

    /// The server's key: the one that is set, or, on SQLite, the one kept here, made when there is none.
    pub(crate) fn secrets(&self, place: &Place, secret: &Secret) -> Result<Secrets> {
        if let Some(text) = &secret.secret_key {
            return derived(text, "TERTULIA_SECRET_KEY");
        }
        if place.database_url.is_some() {
            bail!(
                "with PostgreSQL the server's key has to be given, the same to all servers of the database: set \
                 TERTULIA_SECRET_KEY, or secret_key in tertulia.toml; {HOW_TO_MAKE_ONE}"
            );
        }
        let path = self.key_file();
        let text = match fs::read_to_string(&path) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                make_key(&path).and_then(|()| fs::read_to_string(&path))
            }
            other => other,
        };
        let text = text.with_context(|| format!("cannot read the secret key {}", path.display()))?;
        if is_shared(&path).unwrap_or(false) {
            tracing::warn!("others than its owner may read {}: chmod 600 it", path.display());
        }
        derived(&text, &path.display().to_string())
    }
}

/// Where the database is, by the settings.
pub(crate) fn location(data: &DataDir, place: &Place) -> Result<Location> {
    match &place.database_url {
        None => Ok(Location::Sqlite(data.database_file())),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Location::Postgres(url.clone()))
        }
        Some(_) => bail!("--database-url has to begin with postgres://; without it, SQLite is used"),
    }
}

/// Whether others than the owner may read or write.
pub(crate) fn is_shared(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// The same text makes the same keys, whether it comes from the file or is set.
fn derived(text: &str, source: &str) -> Result<Secrets> {
    let text = text.trim();
    if text.len() < MIN_SECRET {
        bail!("the secret key of {source} is shorter than {MIN_SECRET} bytes; {HOW_TO_MAKE_ONE}");
    }
    Ok(Secrets::derive(text.as_bytes()))
}

/// Makes a key of 32 random bytes, in hexadecimal digits. The file appears whole and synced, and never replaces another.
fn make_key(path: &Path) -> io::Result<()> {
    let mut random = [0; 32];
    SystemIds.fill(&mut random);
    let text = hex::encode(random) + "\n";
    let temporary = path.with_extension(format!("key.{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(&temporary)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
        // Another process was quicker: its key counts.
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&temporary)?;
    linked?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path) -> Place {
        Place { data_dir: folder.join("deep/data"), database_url: None }
    }

    const NONE: Secret = Secret { secret_key: None };

    #[test]
    fn the_directory_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&place(folder.path())).unwrap();
        assert!(!is_shared(data.path()).unwrap());
        data.database(&place(folder.path())).unwrap();
        assert!(!is_shared(&data.database_file()).unwrap());
    }

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let data = DataDir::open(&place).unwrap();
        data.secrets(&place, &NONE).unwrap();
        let made = fs::read_to_string(data.key_file()).unwrap();
        assert_eq!(made.trim().len(), 64);
        assert!(!is_shared(&data.key_file()).unwrap());
        data.secrets(&place, &NONE).unwrap();
        make_key(&data.key_file()).unwrap();
        assert_eq!(fs::read_to_string(data.key_file()).unwrap(), made);
        let names: Vec<_> =
            fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret.key"], "no temporary file is left");
    }

    #[test]
    fn a_short_key_is_refused_and_with_postgresql_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = place(folder.path());
        let postgres = Place { database_url: Some("postgres://localhost/x".into()), ..sqlite.clone() };
        let data = DataDir::open(&sqlite).unwrap();
        let short = Secret { secret_key: Some("x".repeat(31)) };
        let long = Secret { secret_key: Some("x".repeat(32)) };
        let said = data.secrets(&sqlite, &short).unwrap_err().to_string();
        assert!(said.contains("32 bytes") && !said.contains("xxx"), "{said}");
        assert!(data.secrets(&postgres, &NONE).unwrap_err().to_string().contains("TERTULIA_SECRET_KEY"));
        assert!(data.secrets(&postgres, &long).is_ok());
        assert!(!data.key_file().exists());
    }

    #[test]
    fn one_server_holds_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&place(folder.path())).unwrap();
        let held = data.lock().unwrap();
        assert!(data.lock().unwrap_err().to_string().contains("another server"));
        drop(held);
        assert!(data.lock().is_ok());
    }

    #[test]
    fn only_postgresql_is_another_database_and_its_url_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { database_url: Some("mysql://root:hunter2@x/y".into()), ..place(folder.path()) };
        let said = location(&DataDir::as_it_is(&place), &place).unwrap_err().to_string();
        assert!(said.contains("postgres://") && !said.contains("hunter2"));
    }
}
