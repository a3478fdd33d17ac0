//! The data directory.

use std::{fs, io::ErrorKind, path::Path};

use super::Finding;
use crate::place::{DataDir, is_shared};

/// Whether it is there, can be written to, and is for its owner alone.
pub(super) fn check(data: &DataDir) -> Finding {
    let path = data.path();
    let shown = path.display();
    match fs::metadata(path) {
        Ok(about) if !about.is_dir() => {
            Finding::Fail(format!("{shown} is not a folder; choose another --data-dir"))
        }
        Ok(_) => match write_to(path) {
            Ok(()) if is_shared(path).unwrap_or(false) => {
                Finding::Warn(format!("{shown} is open to other users of this machine; chmod 700 it"))
            }
            Ok(()) => Finding::Ok(format!("{shown} can be written to")),
            Err(fault) => {
                Finding::Fail(format!("{shown} cannot be written to: {fault}; change its owner or its mode"))
            }
        },
        Err(fault) if fault.kind() == ErrorKind::NotFound => {
            Finding::Warn(format!("{shown} is not there yet; `tertulia serve` makes it"))
        }
        Err(fault) => Finding::Fail(format!("{shown} cannot be looked at: {fault}")),
    }
}

fn write_to(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".doctor-{}", std::process::id()));
    fs::write(&file, b"x")?;
    fs::remove_file(&file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::settings::Place;

    fn finding(data_dir: &Path) -> Finding {
        check(&DataDir::as_it_is(&Place { data_dir: data_dir.to_owned(), database_url: None }))
    }

    #[test]
    fn a_file_is_no_data_directory_and_a_missing_one_is_made_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(finding(&file), Finding::Fail(_)));
        assert!(matches!(finding(&folder.path().join("missing")), Finding::Warn(_)));
        for (mode, well) in [(0o700, true), (0o755, false)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(matches!(finding(folder.path()), Finding::Ok(_)), well, "{mode:o}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "it leaves nothing behind");
    }
}
