//! Installs what peers need from npm and PyPI, once for each set of exact versions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{process::Command, time::timeout};

use crate::progress;

/// How long one step of an installation may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The files that say what is to be installed. While they stay the same, nothing is installed again.
const MANIFESTS: [&str; 3] = ["package.json", "package-lock.json", "requirements.txt"];

/// Where what was installed is noted, inside the installation.
const STAMP: &str = ".installed";

/// A folder of installations, and the sources of the peers' servers.
pub(crate) struct Workshop {
    installations: PathBuf,
    sources: PathBuf,
}

impl Workshop {
    /// `target/compare` of this program's build, and `bench/peers` of this repository.
    pub(crate) fn open() -> Result<Self> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).context("this program is in no target folder")?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no repository")?;
        Ok(Self { installations: target.join("compare"), sources: repository.join("bench").join("peers") })
    }

    /// Copies `bench/peers/NAME` and installs its npm packages; the folder, with `node_modules`.
    pub(crate) async fn npm(&self, name: &str) -> Result<PathBuf> {
        let folder = self.copied(name)?;
        let locked = folder.join("package-lock.json").is_file();
        let how = if locked { "ci" } else { "install" };
        self.install(&folder, &[&["npm", how, "--no-audit", "--no-fund", "--loglevel=error"]]).await?;
        Ok(folder)
    }

    /// Copies `bench/peers/NAME` and installs its Python packages; the folder, with an environment in `venv`.
    pub(crate) async fn pip(&self, name: &str) -> Result<PathBuf> {
        let folder = self.copied(name)?;
        let steps: [&[&str]; 2] = [
            &["python3", "-m", "venv", "--clear", "venv"],
            &["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
        ];
        self.install(&folder, &steps).await?;
        Ok(folder)
    }

    /// The sources as they are now, beside what was installed before.
    fn copied(&self, name: &str) -> Result<PathBuf> {
        let (from, folder) = (self.sources.join(name), self.installations.join(name));
        copy(&from, &folder).with_context(|| format!("copying {}", from.display()))?;
        Ok(folder)
    }

    async fn install(&self, folder: &Path, steps: &[&[&str]]) -> Result<()> {
        let wanted: String = MANIFESTS
            .iter()
            .filter_map(|name| fs::read_to_string(folder.join(name)).ok())
            .collect::<Vec<_>>()
            .join("\n");
        let stamp = folder.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        progress(&format!("installing into {}", folder.display()));
        for step in steps {
            output(step, folder).await?;
        }
        Ok(fs::write(stamp, wanted)?)
    }
}

/// Runs a command in a folder to its end; its standard output. What it wrote to its standard error is in the error.
pub(crate) async fn output(command: &[&str], folder: &Path) -> Result<String> {
    let (program, arguments) = command.split_first().context("an empty command")?;
    // One beside the sources is meant relative to them.
    let beside = folder.join(program);
    let program = if program.contains('/') && beside.exists() { beside } else { program.into() };
    let running = Command::new(&program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Ok(ended) = timeout(PATIENCE, running).await else {
        bail!("`{}` took longer than {} minutes", command.join(" "), PATIENCE.as_secs() / 60);
    };
    let ended = ended.with_context(|| format!("`{}` cannot be run", command.join(" ")))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "`{}` failed: {}", command.join(" "), last_line(&said));
    Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
}

fn last_line(text: &str) -> &str {
    text.trim().lines().last().unwrap_or("without a word")
}

/// Copies a folder of sources over another one; what is there besides stays.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if matches!(entry.file_name().to_str(), Some("node_modules" | "venv" | "__pycache__")) {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Bytes of the files in a folder, or of a file. Links are not followed.
pub(crate) fn bytes(path: &Path) -> Result<u64> {
    let about = fs::symlink_metadata(path).with_context(|| format!("there is no {}", path.display()))?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    fs::read_dir(path)?.map(|entry| bytes(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_what_was_installed() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("lib")).unwrap();
        fs::write(from.path().join("lib/a.js"), "abc").unwrap();
        fs::create_dir_all(to.path().join("node_modules")).unwrap();
        fs::write(to.path().join("node_modules/b.js"), "de").unwrap();
        copy(from.path(), to.path()).unwrap();
        assert_eq!(bytes(to.path()).unwrap(), 5);
        assert_eq!(fs::read_to_string(to.path().join("lib/a.js")).unwrap(), "abc");
    }

    #[tokio::test]
    async fn a_failing_command_is_told_by_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let fault = output(&["sh", "-c", "echo one >&2; echo two >&2; exit 3"], folder.path()).await;
        assert!(fault.unwrap_err().to_string().ends_with("failed: two"));
        assert_eq!(output(&["echo", "fine"], folder.path()).await.unwrap(), "fine");
    }
}
