//! One test a transcript and database, run side by side.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};

use super::player;
use crate::Database;

/// Plays every `contract/*.txt` of every `crates/dialect-*`, as the `main` of a test without harness.
/// `crates` is the folder of the crates, `binary` the server's binary.
pub fn main(crates: &Path, binary: &str) -> Result<()> {
    let arguments = Arguments::from_args();
    let files = files(crates)?;
    let mut trials = Vec::new();
    for database in Database::all() {
        for file in &files {
            let (file, database, binary) = (file.clone(), database.clone(), PathBuf::from(binary));
            let name = format!("{}::{}", database.name(), short(&file));
            let test = move || {
                player::play(&file, &binary, &database).map_err(|fault| Failed::from(format!("{fault:#}")))
            };
            trials.push(Trial::test(name, test));
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

/// The transcripts of all dialects, sorted. That there is none is an error: a test that plays nothing would always pass.
pub fn files(crates: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(crates).with_context(|| crates.display().to_string())? {
        let folder = entry?.path().join("contract");
        let dialect = folder
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|name| name.to_string_lossy().starts_with("dialect-"));
        if !dialect || !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        anyhow::bail!("there are no transcripts under {}", crates.display());
    }
    Ok(files)
}

/// `messenger/login` for `…/dialect-messenger/contract/login.txt`.
fn short(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let dialect = file.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    format!("{}/{stem}", dialect.trim_start_matches("dialect-"))
}
