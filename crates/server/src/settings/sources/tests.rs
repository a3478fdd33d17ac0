use std::time::Duration;

use clap::Parser;

use super::*;
use crate::command_line::{CommandLine, Task, UserTask};

struct Stage {
    folder: tempfile::TempDir,
    variables: HashMap<&'static str, &'static str>,
}

fn stage() -> Stage {
    Stage { folder: tempfile::tempdir().unwrap(), variables: HashMap::new() }
}

impl Stage {
    fn file(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("tertulia.toml"), text).unwrap();
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn parse(&self, line: &str) -> Result<Task, clap::Error> {
        let arguments =
            std::iter::once("tertulia").chain(line.split_whitespace()).map(OsString::from).collect();
        let environment = |name: &str| self.variables.get(name).map(OsString::from);
        parsed::<CommandLine>(arguments, &environment, self.folder.path()).map(|line| line.task)
    }

    fn settings(&self, line: &str) -> Settings {
        match self.parse(line).unwrap() {
            Task::Serve(settings) => *settings,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(&self, line: &str) -> String {
        let fault = self.parse(line).unwrap_err();
        assert_eq!(fault.exit_code(), 2);
        fault.to_string()
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_flag_wins_over_the_variable_and_that_over_the_file() {
    let stage = stage();
    assert_eq!(stage.settings("serve").sessions.access_life, 60 * MINUTE);
    let stage = stage.file("access_life = '11m'");
    assert_eq!(stage.settings("serve").sessions.access_life, 11 * MINUTE);
    let stage = stage.variable("TERTULIA_ACCESS_LIFE", "12m");
    assert_eq!(stage.settings("serve").sessions.access_life, 12 * MINUTE);
    assert_eq!(stage.settings("serve --access-life 13m").sessions.access_life, 13 * MINUTE);
}

#[test]
fn an_empty_variable_is_none() {
    let stage = stage().file("log = 'debug'").variable("TERTULIA_LOG", "").variable("TERTULIA_CONFIG", "");
    assert_eq!(stage.settings("serve").log, "debug");
}

#[test]
fn switches_are_switched_in_every_way() {
    for (line, rotate) in
        [("", false), ("--rotate", true), ("--rotate false", false), ("--rotate=true", true)]
    {
        assert_eq!(stage().settings(&format!("serve {line}")).sessions.rotate, rotate, "{line}");
    }
    for (text, rotate) in [("true", true), ("1", true), ("0", false), ("false", false)] {
        let stage = stage().variable("TERTULIA_ROTATE", text);
        assert_eq!(stage.settings("serve").sessions.rotate, rotate, "{text}");
    }
    let stage = stage().file("rotate = true\nrevoke-rotated = false");
    assert!(stage.settings("serve").sessions.rotate);
    assert!(!stage.settings("serve").sessions.revoke_rotated);
    assert!(!stage.settings("serve --rotate false").sessions.rotate);
}

#[test]
fn repeatable_settings_are_lists_of_which_the_highest_source_counts() {
    let file = stage().file("trusted-proxy = ['10.0.0.0/8', '::1']");
    assert_eq!(file.settings("serve").network.trusted_proxy.len(), 2);
    let variable = file.variable("TERTULIA_TRUSTED_PROXY", "10.0.0.0/8, 10.1.0.0/16,::1");
    assert_eq!(variable.settings("serve").network.trusted_proxy.len(), 3);
    let flag = variable.settings("serve --trusted-proxy 127.0.0.1");
    assert_eq!(flag.network.trusted_proxy.len(), 1);
    assert!(stage().file("listen = ['a:1', 'b:2']").refusal("serve").contains("listen takes one value"));
}

#[test]
fn mistakes_are_named_with_their_source() {
    let said = stage().file("acess-life = '1m'").refusal("serve");
    assert!(
        said.contains("tertulia.toml") && said.contains("acess-life") && said.contains("access-life"),
        "{said}"
    );
    let said = stage().file("access-life = 'soon'").refusal("serve --access-life 5m");
    assert!(said.contains("tertulia.toml: access-life = \"soon\""), "{said}");
    let said = stage().variable("TERTULIA_MAX_BODY", "much").refusal("serve");
    assert!(said.contains("TERTULIA_MAX_BODY = \"much\""), "{said}");
    assert!(stage().refusal("serve --config missing.toml").contains("missing.toml"));
}

#[test]
fn the_settings_file_can_be_named_anywhere() {
    let stage = stage();
    let path = stage.folder.path().join("other.toml");
    std::fs::write(&path, "data_dir = '/srv/tertulia'\nlisten = '[::1]:0'").unwrap();
    let path = path.display();
    assert_eq!(stage.settings(&format!("serve --config {path}")).network.listen, "[::1]:0");
    assert_eq!(stage.settings(&format!("--config={path} serve")).network.listen, "[::1]:0");
    // A command takes from the file what concerns it.
    let Task::User { task: UserTask::List { place }, .. } =
        stage.parse(&format!("user list --config {path}")).unwrap()
    else {
        panic!("another command")
    };
    assert_eq!(place.data_dir, Path::new("/srv/tertulia"));
}

#[test]
fn the_help_shows_every_setting_and_no_secret() {
    let stage = stage().variable("TERTULIA_SECRET_KEY", "hunter2hunter2hunter2hunter2hunter2");
    let help = stage.parse("serve --help").unwrap_err();
    assert_eq!(help.exit_code(), 0);
    let help = help.to_string();
    for setting in Settings::augment_args(Command::new("settings")).get_arguments() {
        let name = setting.get_long().unwrap();
        assert!(help.contains(&format!("--{name}")) && help.contains(&variable(name)), "{name}");
    }
    assert!(!help.contains("hunter2"));
}

#[test]
fn secrets_are_not_repeated_in_refusals() {
    let stage = stage().variable("TERTULIA_SECRET_KEY", "hunter2hunter2hunter2hunter2hunter2");
    assert!(!stage.refusal("serve --frobnicate").contains("hunter2"));
}

#[test]
fn every_combination_of_flags_is_sound() {
    CommandLine::command().debug_assert();
    assert!(CommandLine::try_parse_from(["tertulia", "serve"]).is_ok());
}
