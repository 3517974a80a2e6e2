//! The command line. Every key of the configuration is a flag too.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::config::{ConfigArgs, KEYS, Mode};
use crate::export::{ExportArgs, Format};
use crate::import::ImportArgs;
use crate::simulator::SCENES;

/// What the user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run the server.
    Serve(ConfigArgs),
    /// Run the server with simulated devices.
    Demo(ConfigArgs),
    /// Say whether the server would run.
    Check(ConfigArgs),
    /// Run simulated devices against any broker.
    Simulate(SimulateArgs),
    /// Write history as a table.
    Export(ConfigArgs, ExportArgs),
    /// Fill history in from a table.
    Import(ConfigArgs, ImportArgs),
}

/// What `signalbox simulate` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulateArgs {
    /// The broker; read by the link.
    pub url: String,
    /// Who the devices are.
    pub username: Option<String>,
    /// The password is the first line of standard input: an argument would be seen by every user of the machine.
    pub password_stdin: bool,
    /// Which of the simulator's [`SCENES`]; none asks for those of the demo.
    pub scenes: Vec<String>,
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// [`clap::Error`]: also for `--help` and `--version`. It prints itself to the right stream and knows its exit code.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Command, clap::Error> {
    let mut program = program();
    let matches = program.try_get_matches_from_mut(args).map_err(suggest)?;
    match matches.subcommand() {
        None => Ok(Command::Serve(config_args(Mode::Serve, &matches, &matches))),
        Some(("demo", inner)) => Ok(Command::Demo(config_args(Mode::Demo, &matches, inner))),
        Some(("check", inner)) => Ok(Command::Check(config_args(Mode::Serve, &matches, inner))),
        Some(("export", inner)) => Ok(Command::Export(config_args(Mode::Serve, &matches, inner), export_args(inner))),
        Some(("import", inner)) => Ok(Command::Import(config_args(Mode::Serve, &matches, inner), import_args(inner))),
        Some(("simulate", inner)) => {
            // The flags in front of the command would silently mean nothing.
            if matches.args_present() {
                let message = "simulate reads no configuration: only its own flags, after the command, are possible";
                return Err(program.error(ErrorKind::ArgumentConflict, message));
            }
            Ok(Command::Simulate(SimulateArgs {
                url: inner.get_one::<String>("url").expect("clap asks for it").clone(),
                username: inner.get_one::<String>("username").cloned(),
                password_stdin: inner.get_flag("password-stdin"),
                scenes: inner.get_many::<String>("scene").into_iter().flatten().cloned().collect(),
            }))
        }
        Some((_, inner)) => Ok(Command::Serve(config_args(Mode::Serve, &matches, inner))),
    }
}

fn program() -> clap::Command {
    let with_keys = |command: clap::Command| command.args(config_flags());
    with_keys(clap::Command::new("signalbox"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("A dashboard for MQTT devices: live tiles, history and alarms in one program")
        .after_help("Without a command it runs the server. Keys can also be set in signalbox.toml and in the environment.")
        .subcommand(with_keys(clap::Command::new("serve").about("Runs the server (also without a command)")))
        .subcommand(with_keys(
            clap::Command::new("demo").about("Runs the server with its own broker, simulated devices and an anonymous operator, on loopback only"),
        ))
        .subcommand(with_keys(clap::Command::new("check").about("Reads the configuration, connects to brokers and database, says what it found")))
        .subcommand(with_keys(
            clap::Command::new("export").about("Writes history as a table, beside a running server or without one").args(export_flags()),
        ))
        .subcommand(with_keys(
            clap::Command::new("import").about("Fills in history from a table that export wrote, while no server runs").args(import_flags()),
        ))
        .subcommand(
            clap::Command::new("simulate")
                .about("Runs simulated devices that publish to any broker and obey commands")
                .arg(
                    Arg::new("url")
                        .long("url")
                        .value_name("URL")
                        .required(true)
                        .value_parser(NonEmptyStringValueParser::new())
                        .help("mqtt://HOST:PORT"),
                )
                .arg(
                    Arg::new("scene")
                        .long("scene")
                        .value_name("NAME")
                        .value_delimiter(',')
                        .action(ArgAction::Append)
                        .value_parser(SCENES)
                        .help("which devices, with commas between or more than once [default: the scenes of the demo]"),
                )
                .arg(Arg::new("username").long("username").value_name("NAME").help("name to log in with"))
                .arg(
                    Arg::new("password-stdin")
                        .long("password-stdin")
                        .requires("username")
                        .action(ArgAction::SetTrue)
                        .help("reads the password as the first line of standard input"),
                ),
        )
}

fn config_flags() -> impl Iterator<Item = Arg> {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("configuration file [default: signalbox.toml, when there is one]");
    let keys = KEYS.iter().map(|key| {
        let arg =
            Arg::new(key.name).long(key.flag()).value_name("VALUE").help(format!("{} [default: {}]", key.meaning.replace('`', ""), key.default));
        if key.is_bool() { arg.num_args(0..=1).default_missing_value("true") } else { arg.allow_hyphen_values(true) }
    });
    std::iter::once(config).chain(keys)
}

fn export_flags() -> [Arg; 7] {
    let text = |name: &'static str, value: &'static str, help: &'static str| Arg::new(name).long(name).value_name(value).help(help);
    [
        text("from", "TIME", "first moment: 2026-06-11, 2026-06-11T14:03, RFC 3339 or Unix milliseconds [default: the beginning of history]")
            .allow_hyphen_values(true),
        text("to", "TIME", "first moment after it [default: now]").allow_hyphen_values(true),
        text("entities", "NAMES", "names with commas between; * stands for anything [default: all]").value_delimiter(',').action(ArgAction::Append),
        text("resolution", "LENGTH", "raw, or the length of a bucket such as 15m, 1h or 1d").default_value("raw"),
        text("format", "FORMAT", "csv or parquet").value_parser(["csv", "parquet"]).default_value("csv"),
        text("output", "FILE", "the file, written whole or not at all [default: standard output]").value_parser(value_parser!(PathBuf)),
        Arg::new("force").long("force").action(ArgAction::SetTrue).help("replaces a file that is there already"),
    ]
}

fn export_args(matches: &ArgMatches) -> ExportArgs {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    ExportArgs {
        from: text("from"),
        to: text("to"),
        entities: matches.get_many::<String>("entities").into_iter().flatten().filter(|name| !name.is_empty()).cloned().collect(),
        resolution: text("resolution").unwrap_or_default(),
        format: if text("format").as_deref() == Some("parquet") { Format::Parquet } else { Format::Csv },
        output: matches.get_one::<PathBuf>("output").cloned(),
        force: matches.get_flag("force"),
    }
}

fn import_flags() -> [Arg; 2] {
    [
        Arg::new("file")
            .value_name("FILE")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("the table: CSV whose first line names the columns entity, time and value"),
        Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("says what would be stored, and stores nothing"),
    ]
}

fn import_args(matches: &ArgMatches) -> ImportArgs {
    ImportArgs { file: matches.get_one::<PathBuf>("file").expect("clap asks for it").clone(), dry_run: matches.get_flag("dry-run") }
}

/// Flags after the command win over flags in front of it.
fn config_args(mode: Mode, outer: &ArgMatches, inner: &ArgMatches) -> ConfigArgs {
    let flags =
        KEYS.iter().filter_map(|key| inner.get_one::<String>(key.name).or_else(|| outer.get_one(key.name)).map(|value| (key.name, value.clone())));
    ConfigArgs { mode, file: inner.get_one::<PathBuf>("config").or_else(|| outer.get_one("config")).cloned(), flags: flags.collect() }
}

/// Names the nearest flag in the error about an unknown one.
fn suggest(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && flag.starts_with("--")
    {
        let nearest = KEYS.iter().map(|key| format!("--{}", key.flag())).chain(["--config".to_owned()]).max_by(|a, b| {
            let like = |known: &str| strsim::jaro_winkler(known.trim_start_matches('-'), flag.trim_start_matches('-'));
            like(a).total_cmp(&like(b))
        });
        if let Some(nearest) = nearest {
            error.insert(ContextKind::SuggestedArg, ContextValue::String(nearest));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Command, clap::Error> {
        parse(std::iter::once("signalbox").chain(line.split_whitespace()))
    }

    fn check(line: &str, expected: &Command) {
        assert_eq!(&run(line).unwrap(), expected, "{line}");
    }

    fn check_error(line: &str, kind: ErrorKind, parts: &[&str]) {
        let error = run(line).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{text}");
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    fn args(mode: Mode, flags: &[(&'static str, &str)]) -> ConfigArgs {
        ConfigArgs { mode, file: None, flags: flags.iter().map(|&(name, value)| (name, value.to_owned())).collect() }
    }

    #[test]
    fn serve_is_the_default_command() {
        check("", &Command::Serve(ConfigArgs::default()));
        check("serve", &Command::Serve(ConfigArgs::default()));
        check("demo", &Command::Demo(args(Mode::Demo, &[])));
        check("check --config a.toml", &Command::Check(ConfigArgs { file: Some("a.toml".into()), ..ConfigArgs::default() }));
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        let expected = Command::Demo(args(Mode::Demo, &[("http.listen", "127.0.0.1:0")]));
        check("demo --http-listen 127.0.0.1:0", &expected);
        check("--http-listen=127.0.0.1:0 demo", &expected);
        check("--http-listen 127.0.0.1:1 demo --http-listen 127.0.0.1:0", &expected);
    }

    #[test]
    fn every_key_is_a_flag() {
        for key in KEYS {
            check(&format!("serve --{} x", key.flag()), &Command::Serve(args(Mode::Serve, &[(key.name, "x")])));
        }
        check("serve --auth-allow-public-anonymous", &Command::Serve(args(Mode::Serve, &[("auth.allow_public_anonymous", "true")])));
    }

    #[test]
    fn simulate_takes_a_url_and_no_configuration() {
        let simulate = SimulateArgs { url: "mqtt://a".into(), username: None, password_stdin: false, scenes: vec![] };
        check("simulate --url mqtt://a", &Command::Simulate(simulate.clone()));
        let with_password = SimulateArgs { username: Some("me".into()), password_stdin: true, ..simulate };
        check("simulate --url mqtt://a --username me --password-stdin", &Command::Simulate(with_password));
        check_error("simulate", ErrorKind::MissingRequiredArgument, &["--url <URL>"]);
        check_error("simulate --url=", ErrorKind::InvalidValue, &["--url <URL>"]);
        check_error("--data-dir x simulate --url mqtt://a", ErrorKind::ArgumentConflict, &["simulate reads no configuration"]);
    }

    #[test]
    fn simulate_takes_scenes() {
        let simulate = |scenes: &[&str]| {
            let scenes = scenes.iter().map(|&name| name.to_owned()).collect();
            Command::Simulate(SimulateArgs { url: "mqtt://a".into(), username: None, password_stdin: false, scenes })
        };
        check("simulate --url mqtt://a --scene conventions", &simulate(&["conventions"]));
        check("simulate --url mqtt://a --scene home,van --scene pump-house", &simulate(&["home", "van", "pump-house"]));
        check("simulate --scene=all --url mqtt://a", &simulate(&["all"]));
        for wrong in ["garage", "home,garage", "Home", "home,"] {
            let line = format!("simulate --url mqtt://a --scene {wrong}");
            check_error(&line, ErrorKind::InvalidValue, &["--scene", "home, greenhouse, pump-house, van, conventions, all"]);
        }
        check_error("simulate --url mqtt://a --scene garage", ErrorKind::InvalidValue, &["garage"]);
        check_error("simulate --url mqtt://a --scene", ErrorKind::InvalidValue, &["--scene"]);
    }

    #[test]
    fn export_says_what_of_history_and_where_to() {
        let export = ExportArgs { resolution: "raw".into(), ..ExportArgs::default() };
        check("export", &Command::Export(ConfigArgs::default(), export));
        let export = ExportArgs {
            from: Some("-5".into()),
            to: Some("2026-06-11".into()),
            entities: vec!["a.*".into(), "b.x".into(), "c.y".into()],
            resolution: "15m".into(),
            format: Format::Parquet,
            output: Some("out.parquet".into()),
            force: true,
        };
        check(
            "export --data-dir d --from -5 --to 2026-06-11 --entities a.*,b.x --entities c.y --resolution 15m --format parquet --output out.parquet --force",
            &Command::Export(args(Mode::Serve, &[("data_dir", "d")]), export),
        );
        check_error("export --format xml", ErrorKind::InvalidValue, &["csv", "parquet"]);
    }

    #[test]
    fn import_takes_a_table() {
        let import = ImportArgs { file: "june.csv".into(), dry_run: false };
        check("import june.csv", &Command::Import(ConfigArgs::default(), import.clone()));
        let dry = Command::Import(args(Mode::Serve, &[("data_dir", "d")]), ImportArgs { dry_run: true, ..import });
        check("--data-dir d import --dry-run june.csv", &dry);
        check_error("import", ErrorKind::MissingRequiredArgument, &["<FILE>"]);
    }

    #[test]
    fn an_unknown_flag_names_the_nearest() {
        check_error("--http-listn 1", ErrorKind::UnknownArgument, &["--http-listn", "--http-listen"]);
        check_error("demo --datadir x", ErrorKind::UnknownArgument, &["--data-dir"]);
        check_error("backup x", ErrorKind::InvalidSubcommand, &["backup"]);
    }

    #[test]
    fn help_lists_every_key() {
        let help = run("serve --help").unwrap_err();
        assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0));
        for key in KEYS {
            assert!(help.to_string().contains(&format!("--{} ", key.flag())), "{}", key.name);
        }
        assert_eq!(run("--version").unwrap_err().to_string(), format!("signalbox {}\n", env!("CARGO_PKG_VERSION")));
    }
}
