//! The server's key.

use super::Finding;
use crate::{
    command_line::Doctor,
    place::{DataDir, is_shared},
};

/// Whether the key is there, long enough, and its owner's alone. None is made.
pub(super) fn check(data: &DataDir, about: &Doctor) -> Finding {
    let file = data.key_file();
    let shown = file.display();
    let is_set = about.secret.secret_key.is_some();
    if !is_set && about.place.database_url.is_none() && !file.exists() {
        return Finding::Ok("not there yet; `tertulia serve` makes it".to_owned());
    }
    match data.secrets(&about.place, &about.secret) {
        Err(fault) => Finding::Fail(format!("{fault:#}")),
        Ok(_) if is_set => Finding::Ok("set".to_owned()),
        Ok(_) if is_shared(&file).unwrap_or(false) => {
            Finding::Warn(format!("other users of this machine may read {shown}; chmod 600 it"))
        }
        Ok(_) => Finding::Ok(format!("{shown}")),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    use clap::Parser;

    use super::*;
    use crate::command_line::{CommandLine, Task};

    fn finding(folder: &Path, flags: &[&str]) -> Finding {
        let line = ["tertulia", "doctor", "--data-dir", folder.to_str().unwrap()]
            .into_iter()
            .chain(flags.iter().copied());
        let Task::Doctor(about) = CommandLine::parse_from(line).task else { panic!("another command") };
        check(&DataDir::as_it_is(&about.place), &about)
    }

    #[test]
    fn the_key_is_looked_at_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(finding(folder.path(), &[]), Finding::Ok(_)));
        let file = folder.path().join("secret.key");
        assert!(!file.exists());
        fs::write(&file, "x".repeat(64)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(finding(folder.path(), &[]), Finding::Warn(_)));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(finding(folder.path(), &[]), Finding::Ok(_)));
        assert!(matches!(finding(folder.path(), &["--secret-key", "short"]), Finding::Fail(_)));
        assert!(matches!(finding(folder.path(), &["--database-url", "postgres://h/d"]), Finding::Fail(_)));
    }
}
