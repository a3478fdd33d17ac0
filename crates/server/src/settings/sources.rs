//! Where settings come from: flags, then the environment, then `tertulia.toml`, then the defaults.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, error::ErrorKind};

use super::{
    Settings, booleans,
    file::{self, SettingsFile},
};

/// What stands before the name of a setting's environment variable.
const PREFIX: &str = "TERTULIA_";

/// Environment variables by name.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Reads the command line. What it leaves open is taken from the environment and the settings file: the one that
/// `--config` or `TERTULIA_CONFIG` names, or `tertulia.toml` in `folder`.
///
/// The error prints itself, and knows the exit status: 0 for `--help`, 2 for wrong usage.
pub(crate) fn parsed<C: CommandFactory + FromArgMatches>(
    arguments: Vec<OsString>,
    environment: Environment<'_>,
    folder: &Path,
) -> Result<C, clap::Error> {
    let settings = Settings::augment_args(Command::new("settings"));
    let command = described(C::command(), &settings).arg(config_flag());
    let arguments = booleans::joined(arguments, &switches(&command));
    let first = command.clone().ignore_errors(true).try_get_matches_from(&arguments)?;
    let named = config_named(&first)
        .or_else(|| environment("TERTULIA_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from));
    let file = file::read(folder, named);
    let given = file.and_then(|file| given(&settings, file, environment));
    let given = given.map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n")))?;
    let mut command = with_defaults(command, &given);
    let matches = command.try_get_matches_from_mut(&arguments)?;
    C::from_arg_matches(&matches).map_err(|fault| fault.format(&mut command))
}

fn config_flag() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .help(
            "File of settings, keys named as the flags; tertulia.toml if there is one\n[env: TERTULIA_CONFIG]",
        )
}

/// The variable of a setting.
fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_uppercase())
}

/// Says in the help of each setting which variable it has.
fn described(command: Command, settings: &Command) -> Command {
    let describe = |arg: Arg| {
        let (Some(name), Some(help)) = (arg.get_long(), arg.get_help()) else { return arg };
        if !settings.get_arguments().any(|setting| setting.get_id() == arg.get_id()) {
            return arg;
        }
        let help = format!("{help}\n[env: {}]", variable(name));
        arg.help(help)
    };
    command.mut_args(describe).mut_subcommands(|inner| described(inner, settings))
}

/// The flags that are switches, in all commands.
fn switches(command: &Command) -> Vec<String> {
    let is_switch = |arg: &&Arg| {
        arg.get_num_args().is_some_and(|number| number.min_values() == 0 && number.max_values() == 1)
    };
    let own = command.get_arguments().filter(is_switch).filter_map(Arg::get_long).map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(switches)).collect()
}

fn config_named(matches: &ArgMatches) -> Option<PathBuf> {
    let deeper = matches.subcommand().and_then(|(_, inner)| config_named(inner));
    deeper.or_else(|| matches.try_get_one::<PathBuf>("config").ok().flatten().cloned())
}

/// The values that the environment and the file give, by the id of the setting. All are checked, even those that a
/// flag overrules.
fn given(
    settings: &Command,
    file: Option<SettingsFile>,
    environment: Environment<'_>,
) -> Result<HashMap<String, Vec<String>>, String> {
    let mut given = HashMap::new();
    if let Some(file) = file {
        for (key, texts) in file.values {
            let setting = settings.get_arguments().find(|setting| setting.get_long() == Some(&key));
            let setting = setting.ok_or_else(|| unknown(&file.name, &key, settings))?;
            check(setting, &texts, &format!("{}: {key}", file.name))?;
            given.insert(setting.get_id().to_string(), texts);
        }
    }
    for setting in settings.get_arguments() {
        let Some(variable) = setting.get_long().map(variable) else { continue };
        let Some(text) = environment(&variable).filter(|text| !text.is_empty()) else { continue };
        let text = text.into_string().map_err(|_| format!("{variable} is not UTF-8"))?;
        let texts = match setting.get_value_delimiter() {
            Some(delimiter) => text.split(delimiter).map(|part| part.trim().to_owned()).collect(),
            None => vec![text],
        };
        check(setting, &texts, &variable)?;
        given.insert(setting.get_id().to_string(), texts);
    }
    Ok(given)
}

fn unknown(file: &str, key: &str, settings: &Command) -> String {
    let known = settings.get_arguments().filter_map(Arg::get_long);
    let near = known
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match near {
        Some((likeness, name)) if likeness > 0.7 => {
            format!("{file}: there is no setting {key}; the nearest is {name}")
        }
        _ => format!("{file}: there is no setting {key}; `tertulia serve --help` lists all"),
    }
}

/// Has the flag's own parser judge the values.
fn check(setting: &Arg, texts: &[String], source: &str) -> Result<(), String> {
    let repeatable = matches!(setting.get_action(), ArgAction::Append);
    if !repeatable && texts.len() != 1 {
        return Err(format!("{source} takes one value, not a list"));
    }
    let name = setting.get_long().unwrap_or_default();
    for text in texts {
        let alone = Command::new("setting").no_binary_name(true).disable_help_flag(true).arg(setting.clone());
        if let Err(fault) = alone.try_get_matches_from([format!("--{name}={text}")]) {
            let why = std::error::Error::source(&fault)
                .map_or_else(|| "invalid value".to_owned(), ToString::to_string);
            return Err(format!("{source} = {text:?}: {why}"));
        }
    }
    Ok(())
}

/// Puts the values in the place of the defaults.
fn with_defaults(command: Command, given: &HashMap<String, Vec<String>>) -> Command {
    let with_default = |arg: Arg| match given.get(arg.get_id().as_str()) {
        Some(texts) => arg.default_values(texts.clone()),
        None => arg,
    };
    command.mut_args(with_default).mut_subcommands(|inner| with_defaults(inner, given))
}

#[cfg(test)]
mod tests;
