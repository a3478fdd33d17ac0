//! `tertulia doctor`: what is well, what is not, and what to mend.

mod data;
mod disk;
mod mail;
mod open_files;
mod secret;
mod stores;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Result;

use crate::{command_line::Doctor, place::DataDir};

/// How it is with one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Finding {
    /// Well.
    Ok(String),
    /// It works, but not as one would wish.
    Warn(String),
    /// It does not work.
    Fail(String),
}

impl Finding {
    /// Well, or what stands against it.
    fn of(done: Result<String>) -> Self {
        match done {
            Ok(text) => Self::Ok(text),
            Err(fault) => Self::Fail(format!("{fault:#}")),
        }
    }
}

/// Checks everything, a line each. Status 1 when something does not work.
pub(crate) async fn run(about: &Doctor) -> Result<ExitCode> {
    let data = DataDir::as_it_is(&about.place);
    let mut report = Report { failed: false };
    let directory = data::check(&data);
    let usable = matches!(directory, Finding::Ok(_) | Finding::Warn(_)) && data.path().is_dir();
    report.line("data directory", &directory)?;
    if usable {
        report.line("disk sync", &disk::check(&data))?;
    }
    report.line("secret key", &secret::check(&data, about))?;
    report.line("open-file limit", &open_files::check())?;
    report.line("database", &stores::check(&data, &about.place).await)?;
    report.line("bus", &Finding::Ok("within this process".to_owned()))?;
    report.line("mail", &mail::check(&data, &about.mail).await)?;
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Report {
    failed: bool,
}

impl Report {
    fn line(&mut self, subject: &str, finding: &Finding) -> io::Result<()> {
        let (word, text) = match finding {
            Finding::Ok(text) => ("ok", text),
            Finding::Warn(text) => ("warn", text),
            Finding::Fail(text) => ("FAIL", text),
        };
        self.failed |= word == "FAIL";
        writeln!(io::stdout(), "{word:<5} {subject}: {}", text.replace('\n', " "))
    }
}
