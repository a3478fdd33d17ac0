//! Files in a folder of this machine.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{Error, Noun, Result, ports::Blobs};

use crate::key;

/// How many folders are remembered as being on disk; beyond, the memory starts anew.
const MAX_REMEMBERED_FOLDERS: usize = 10_000;

/// [`Blobs`] in a folder: the key is the path below it.
///
/// A file is written under a temporary name (`.tmp-…`, which no key can name), synced, renamed, and its folder
/// synced, so that after a loss of power it is there whole, or not at all. A process that is killed while writing may
/// leave a temporary file behind; nothing ever reads it.
#[derive(Clone, Debug)]
pub struct Disk {
    folder: Arc<Folder>,
}

impl Disk {
    /// Keeps files below `root`, which is made if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or resolved.
    pub fn open(root: impl AsRef<Path>) -> anyhow::Result<Self> {
        let root = root.as_ref();
        let open = || {
            fs::create_dir_all(root)?;
            root.canonicalize()
        };
        let root = open().with_context(|| format!("cannot open the media folder {}", root.display()))?;
        let folder = Folder { root, written: AtomicU64::new(0), on_disk: Mutex::default() };
        Ok(Self { folder: Arc::new(folder) })
    }

    /// Runs `work` on a thread that may wait for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = Arc::clone(&self.folder);
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        match done.context("a thread that reads or writes files failed")? {
            Ok(value) => Ok(value),
            Err(fault) if matches!(fault.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                tracing::error!(%fault, "no room for media files");
                Err(Error::Unavailable(Noun::File))
            }
            Err(fault) => Err(Error::Internal(anyhow!(fault).context("media folder"))),
        }
    }
}

#[async_trait]
impl Blobs for Disk {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        if !key::is_valid(key) {
            return Err(Error::Internal(anyhow!("{key:?} is not a key of a file")));
        }
        let key = key.to_owned();
        self.run(move |folder| folder.write(&key, &bytes)).await
    }

    async fn size(&self, key: &str) -> Result<Option<u64>> {
        if !key::is_valid(key) {
            return Ok(None);
        }
        let key = key.to_owned();
        self.run(move |folder| Ok(folder.file(&key)?.map(|(_, size)| size))).await
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        if !key::is_valid(key) {
            return Ok(None);
        }
        let key = key.to_owned();
        self.run(move |folder| folder.read(&key, range)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        if !key::is_valid(key) {
            return Ok(());
        }
        let key = key.to_owned();
        self.run(move |folder| folder.remove(&key)).await
    }
}

/// The folder itself, on threads that may wait.
#[derive(Debug)]
struct Folder {
    /// Canonical.
    root: PathBuf,
    /// Counts temporary names.
    written: AtomicU64,
    /// Sub-folders whose entry in their parent is known to be synced.
    on_disk: Mutex<HashSet<PathBuf>>,
}

impl Folder {
    fn write(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.root.join(key);
        let home = path.parent().unwrap_or(&self.root);
        self.make(home)?;
        let (temporary, mut file) = self.temporary(home)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| sync(home));
        if written.is_err() {
            // The first fault is the one to tell; after a rename there is nothing left to remove.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// A new file in `home` under a name that no other process, living or dead, has taken.
    fn temporary(&self, home: &Path) -> io::Result<(PathBuf, File)> {
        loop {
            let number = self.written.fetch_add(1, Ordering::Relaxed);
            let path = home.join(format!(".tmp-{}-{number}", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
                other => return other.map(|file| (path, file)),
            }
        }
    }

    /// Makes `home` and what is above it, down from the root, and syncs each parent. That a folder exists does not
    /// say that its entry is on disk: whoever made it may not have come to the sync.
    fn make(&self, home: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> =
            home.ancestors().take_while(|folder| *folder != self.root && !self.is_on_disk(folder)).collect();
        while let Some(folder) = missing.pop() {
            match fs::create_dir(folder) {
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
                other => other?,
            }
            if !folder.canonicalize()?.starts_with(&self.root) {
                return Err(io::Error::other(format!("{} leads out of the media folder", folder.display())));
            }
            sync(folder.parent().unwrap_or(&self.root))?;
            let mut on_disk = self.on_disk.lock().unwrap_or_else(PoisonError::into_inner);
            if on_disk.len() >= MAX_REMEMBERED_FOLDERS {
                on_disk.clear();
            }
            on_disk.insert(folder.to_owned());
        }
        Ok(())
    }

    fn is_on_disk(&self, folder: &Path) -> bool {
        self.on_disk.lock().unwrap_or_else(PoisonError::into_inner).contains(folder)
    }

    /// The real path and the size of a plain file; `None` when there is none, or when a symbolic link leads out of
    /// the folder.
    fn file(&self, key: &str) -> io::Result<Option<(PathBuf, u64)>> {
        let found = self.root.join(key).canonicalize().and_then(|path| Ok((path.metadata()?, path)));
        match found {
            Ok((about, path)) if about.is_file() && path.starts_with(&self.root) => {
                Ok(Some((path, about.len())))
            }
            Ok(_) => Ok(None),
            Err(fault) => absent(fault),
        }
    }

    fn read(&self, key: &str, range: Range<u64>) -> io::Result<Option<Bytes>> {
        let Some((path, size)) = self.file(key)? else { return Ok(None) };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(fault) => return absent(fault),
        };
        let length = range.end.min(size).saturating_sub(range.start);
        let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
        file.seek(SeekFrom::Start(range.start.min(size)))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        if self.file(key)?.is_none() {
            return Ok(());
        }
        let path = self.root.join(key);
        match fs::remove_file(&path) {
            Ok(()) => sync(path.parent().unwrap_or(&self.root)),
            Err(fault) => absent::<()>(fault).map(drop),
        }
    }
}

/// Puts a folder's entries on disk.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// `None` when `fault` says that there is no such file.
fn absent<T>(fault: io::Error) -> io::Result<Option<T>> {
    match fault.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Ok(None),
        _ => Err(fault),
    }
}
