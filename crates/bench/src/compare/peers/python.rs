//! What peers in Python have in common.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::compare::{
    contender::Installed,
    workshop::{bytes, output},
};

const INTERPRETER: &str = "venv/bin/python";

/// An environment, with the versions of these packages and of the interpreter.
pub(super) async fn installed(folder: PathBuf, packages: &[&str]) -> Result<Installed> {
    let script = "import sys, platform; from importlib.metadata import version; \
                  print(', '.join([*(f'{name} {version(name)}' for name in sys.argv[1:]), \
                  f'Python {platform.python_version()}']))";
    let versions = output(&[&[INTERPRETER, "-c", script], packages].concat(), &folder).await?;
    let (program, bytes) = (folder.join(INTERPRETER), bytes(&folder)?);
    Ok(Installed { folder, program, versions, bytes })
}

/// The environment's interpreter, in the folder of the sources.
pub(super) fn command(installed: &Installed) -> Command {
    let mut command = Command::new(&installed.program);
    command.current_dir(&installed.folder).env("PYTHONDONTWRITEBYTECODE", "1");
    for setting in ["PYTHONPATH", "PYTHONSTARTUP", "DJANGO_SETTINGS_MODULE"] {
        command.env_remove(setting);
    }
    command
}
