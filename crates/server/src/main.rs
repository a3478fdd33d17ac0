//! The binary `tertulia`: settings, command line, wiring, listening, stopping.
//!
//! ```text
//! command_line.rs   what can be typed
//! settings/         what can be set, and where settings come from
//! serve/, user/, doctor/   the commands
//! web/              the routes that belong to no dialect: health, the API document
//! place.rs          the data directory and the server's key
//! ```

mod command_line;
mod doctor;
mod logging;
mod place;
mod post;
mod serve;
mod settings;
mod system;
mod user;
mod web;

use std::{io::Write, path::Path, process::ExitCode};

use command_line::{CommandLine, Task};

fn main() -> ExitCode {
    let arguments = std::env::args_os().collect();
    let environment = |name: &str| std::env::var_os(name);
    let task = match settings::sources::parsed::<CommandLine>(arguments, &environment, Path::new("")) {
        Ok(line) => line.task,
        Err(answer) => {
            // Without anybody to read it there is nothing left to do.
            let _ = answer.print();
            return u8::try_from(answer.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    logging::start(match &task {
        Task::Serve(settings) => &settings.log,
        Task::User { .. } | Task::Doctor(_) => logging::OF_COMMANDS,
    });
    // Fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(task) {
        Ok(status) => status,
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "tertulia: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match task {
            Task::Serve(settings) => serve::run(*settings).await.map(|()| ExitCode::SUCCESS),
            Task::User { task } => user::run(task).await.map(|()| ExitCode::SUCCESS),
            Task::Doctor(about) => doctor::run(&about).await,
        }
    });
    // Threads that still wait for a disk or a network must not keep the process.
    runtime.shutdown_background();
    done
}
