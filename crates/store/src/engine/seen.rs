//! For tests: the statements that were run on each SQLite file, as SQLite was given them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

static SEEN: Mutex<BTreeSet<(PathBuf, Arc<str>)>> = Mutex::new(BTreeSet::new());

/// Notes a statement on a file.
pub(super) fn note(path: Option<&str>, sql: &Arc<str>) {
    SEEN.lock().unwrap().insert((path.unwrap_or_default().into(), Arc::clone(sql)));
}

/// The statements that were run on that file.
pub(crate) fn seen_in(path: &Path) -> Vec<Arc<str>> {
    let path = path.canonicalize().unwrap();
    let seen = SEEN.lock().unwrap();
    seen.iter().filter(|(place, _)| *place == path).map(|(_, sql)| Arc::clone(sql)).collect()
}
