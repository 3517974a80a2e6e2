//! What is taken from where, and the text of every error.

use super::*;

/// Blocks of the file.
mod blocks;
/// How long history is kept.
mod retention;

/// A working directory with a `signalbox.toml`.
struct Setting {
    folder: tempfile::TempDir,
    args: ConfigArgs,
    env: Vec<(String, String)>,
}

fn file(toml: &str) -> Setting {
    let setting = nothing();
    std::fs::write(setting.folder.path().join(DEFAULT_FILE), toml).unwrap();
    setting
}

fn nothing() -> Setting {
    Setting { folder: tempfile::tempdir().unwrap(), args: ConfigArgs::default(), env: Vec::new() }
}

impl Setting {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, name: &'static str, value: &str) -> Self {
        self.args.flags.push((name, value.to_owned()));
        self
    }

    fn demo(mut self) -> Self {
        self.args.mode = Mode::Demo;
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        load(&self.args, self.env.iter().cloned(), self.folder.path())
    }

    #[track_caller]
    fn ok(&self) -> Config {
        self.load().unwrap_or_else(|e| panic!("{e}"))
    }

    #[track_caller]
    fn fails(&self, message: &str) {
        assert_eq!(self.load().expect_err(message).to_string(), message);
    }
}

#[test]
fn without_anything_the_defaults_hold() {
    let setting = nothing();
    let folder = setting.folder.path();
    let expected = Config { data_dir: folder.join("data"), database: DatabaseConfig { path: folder.join("data/signalbox.db") }, ..Config::default() };
    let config = setting.ok();
    assert_eq!(config, expected);
    assert!(config.runs_embedded_broker());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let toml = "data_dir = \"from-file\"\n[http]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n";
    let config = file(toml).env("SIGNALBOX_HTTP_LISTEN", "127.0.0.1:2").env("SIGNALBOX_LOG_LEVEL", "debug").flag("http.listen", "localhost:3").ok();
    assert_eq!((config.http.listen.port(), config.log.level), (3, LogLevel::Debug));
    assert!(config.data_dir.ends_with("from-file") && config.database.path.ends_with("from-file/signalbox.db"));
    assert_eq!(config.file.as_deref(), Some(Path::new(DEFAULT_FILE)));
}

#[test]
fn every_key_is_read_from_file_environment_and_flags() {
    let values = [
        ("http.listen", "\"127.0.0.1:9\""),
        ("http.base_path", "\"/\""),
        ("data_dir", "\"d\""),
        ("database.url", "\"sqlite:x.db\""),
        ("broker.embedded", "\"on\""),
        ("broker.listen", "\"[::1]:9\""),
        ("broker.websocket_listen", "\"127.0.0.1:8\""),
        ("discovery.most_unclaimed", "200"),
        ("discovery.ghost_after_s", "86_400"),
        ("auth.anonymous", "\"viewer\""),
        ("auth.allow_public_anonymous", "true"),
        ("retention.disk_budget_mb", "1_000"),
        ("retention.raw_days", "30"),
        ("retention.rollup_days", "400"),
        ("retention.log_days", "90"),
        ("log.format", "\"json\""),
        ("log.level", "\"trace\""),
        ("time.zone", "\"UTC\""),
    ];
    for key in KEYS.iter().filter(|key| !key.name.starts_with("http.tls_") && !key.name.starts_with("location.")) {
        let value = values.iter().find(|(name, _)| *name == key.name).unwrap_or_else(|| panic!("no value for {}", key.name)).1;
        let same_folder = file(&format!("{} = {value}", key.name));
        let from_file = same_folder.ok();
        let text = value.trim_matches('"').replace('_', "");
        std::fs::remove_file(same_folder.folder.path().join(DEFAULT_FILE)).unwrap();
        let from_env = Setting { env: vec![(key.variable(), text.clone())], ..same_folder };
        let expected = Config { file: None, ..from_file };
        assert_eq!(from_env.ok(), expected, "{}", key.name);
        let from_flag = Setting { env: vec![], args: ConfigArgs { flags: vec![(key.name, text)], ..ConfigArgs::default() }, ..from_env };
        assert_eq!(from_flag.ok(), expected, "{}", key.name);
    }
}

#[test]
fn a_place_has_latitude_and_longitude() {
    let berlin = LocationConfig { latitude: Some(52.52), longitude: Some(-13.0) };
    assert_eq!(file("[location]\nlatitude = 52.52\nlongitude = -13\n").ok().location, berlin);
    assert_eq!(nothing().env("SIGNALBOX_LOCATION_LATITUDE", "52.52").flag("location.longitude", "-13").ok().location, berlin);
    file("location.latitude = 52.52").fails("location.latitude (signalbox.toml:1): location.longitude is needed too");
    for wrong in ["91", "nan", "inf", "north"] {
        let message = format!(
            "environment variable SIGNALBOX_LOCATION_LATITUDE: location.latitude cannot be \"{wrong}\", expected degrees from -90 to 90, such as 52.52"
        );
        nothing().env("SIGNALBOX_LOCATION_LATITUDE", wrong).fails(&message);
    }
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let mut setting = nothing();
    setting.args.file = Some("else.toml".into());
    setting.fails("cannot read the configuration file else.toml: No such file or directory (os error 2)");
    std::fs::write(setting.folder.path().join("else.toml"), "log.level = \"loud\"").unwrap();
    setting.fails("else.toml:1: log.level cannot be \"loud\", expected error, warn, info, debug or trace");
}

#[test]
fn a_file_that_is_no_toml_names_the_line() {
    let error = file("[http]\nlisten = 127.0.0.1:3000\n").load().unwrap_err().to_string();
    assert!(error.starts_with("signalbox.toml:2: "), "{error}");
}

#[test]
fn an_unknown_key_names_the_nearest() {
    for (toml, message) in [
        ("[http]\n\nlistn = \"x\"", "signalbox.toml:3: unknown key http.listn, the nearest known key is http.listen"),
        ("htpt.listen = 1", "signalbox.toml:1: unknown key htpt.listen, the nearest known key is http.listen"),
        ("datadir = \"x\"", "signalbox.toml:1: unknown key datadir, the nearest known key is data_dir"),
        ("[broker.x]\ny = 1", "signalbox.toml:1: unknown key broker.x, the nearest known key is broker.listen"),
        ("[[rules]]\nid = \"a\"", "signalbox.toml:1: unknown key rules, the nearest known key is [[rule]]"),
        ("[[mqtt]]\nurl = \"mqtt://a\"\nuser = \"b\"", "signalbox.toml:3: unknown key user of [[mqtt]], the nearest known key is username"),
        ("[[rule]]\nid = \"hot\"\nlimt = 3", "signalbox.toml:3: unknown key limt of [[rule]] \"hot\", the nearest known key is id"),
        ("[[area]]\nid = \"a\"\nicons = \"x\"", "signalbox.toml:3: unknown key icons of [[area]] \"a\", the nearest known key is icon"),
        ("[[entity]]\nid = \"a.b\"\nunits = \"x\"", "signalbox.toml:3: unknown key units of [[entity]] \"a.b\", the nearest known key is unit"),
        ("\"log\\nlevel\" = 1", "signalbox.toml:1: unknown key log\\nlevel, the nearest known key is log.level"),
    ] {
        file(toml).fails(message);
    }
}

#[test]
fn an_unknown_variable_names_the_nearest() {
    nothing()
        .env("SIGNALBOX_HTTP_LISTN", "x")
        .fails("unknown environment variable SIGNALBOX_HTTP_LISTN, the nearest known key is http.listen (SIGNALBOX_HTTP_LISTEN)");
    nothing()
        .env("SIGNALBOX_DATADIR", "x")
        .fails("unknown environment variable SIGNALBOX_DATADIR, the nearest known key is data_dir (SIGNALBOX_DATA_DIR)");
    nothing().env("SIGNALBOX_", "x").load().unwrap_err();
    nothing().env("SIGNALBOXES", "x").env("HOME", "y").ok();
}

#[test]
fn a_value_that_cannot_be_read_names_key_value_and_origin() {
    const ADDRESS: &str = "expected an IP address with a port, such as 127.0.0.1:3000, [::1]:3000 or localhost:3000";
    for (toml, message) in [
        ("[http]\nlisten = \"3000\"", &*format!("signalbox.toml:2: http.listen cannot be \"3000\", {ADDRESS}")),
        ("[http]\nlisten = 3000", &*format!("signalbox.toml:2: http.listen cannot be 3000, {ADDRESS}")),
        ("broker.listen = \"my.host:1\"", &*format!("signalbox.toml:1: broker.listen cannot be \"my.host:1\", {ADDRESS}")),
        ("http = 5", "signalbox.toml:1: unknown key http, the nearest known key is http.listen"),
        ("data_dir = \"\"", "signalbox.toml:1: data_dir cannot be \"\", expected the path of a folder"),
        ("[data_dir]\nx = 1", "signalbox.toml:1: data_dir cannot be [data_dir], expected the path of a folder"),
        ("broker.embedded = true", "signalbox.toml:1: broker.embedded cannot be true, expected auto, on or off"),
        ("auth.anonymous = \"admin\"", "signalbox.toml:1: auth.anonymous cannot be \"admin\", expected none, viewer or operator"),
        ("auth.allow_public_anonymous = \"true\"", "signalbox.toml:1: auth.allow_public_anonymous cannot be \"true\", expected true or false"),
        ("retention.disk_budget_mb = 0", "signalbox.toml:1: retention.disk_budget_mb cannot be 0, expected a whole number of megabytes, at least 1"),
        (
            "retention.disk_budget_mb = \"2\"",
            "signalbox.toml:1: retention.disk_budget_mb cannot be \"2\", expected a whole number of megabytes, at least 1",
        ),
        ("log.format = \"xml\"", "signalbox.toml:1: log.format cannot be \"xml\", expected text or json"),
        (
            "time.zone = \"Mars/Olympus\"",
            "signalbox.toml:1: time.zone cannot be \"Mars/Olympus\", expected a name of the system's time zone database (package tzdata), \
             such as Europe/Berlin or UTC",
        ),
        (
            "database.url = \"mysql://me:secret@db/x\"",
            "signalbox.toml:1: database.url cannot be \"mysql://(hidden)@db/x\", expected sqlite: followed by the path of a file",
        ),
    ] {
        file(toml).fails(message);
    }
    nothing()
        .env("SIGNALBOX_HTTP_LISTEN", "no\nway")
        .fails(&format!("environment variable SIGNALBOX_HTTP_LISTEN: http.listen cannot be \"no\\nway\", {ADDRESS}"));
    nothing()
        .env("SIGNALBOX_DATA_DIR", "a\u{fffd}")
        .fails("environment variable SIGNALBOX_DATA_DIR: data_dir cannot be \"a\u{fffd}\", expected text in UTF-8");
    nothing().flag("log.level", "").fails("flag --log-level: log.level cannot be \"\", expected error, warn, info, debug or trace");
}

#[test]
fn promises_of_later_releases_are_refused() {
    const NOT_YET: &str = "is not possible yet in this release";
    file("http.tls_cert = \"a.pem\"").fails(&format!("signalbox.toml:1: http.tls_cert {NOT_YET}: put a reverse proxy in front of the server"));
    nothing()
        .env("SIGNALBOX_HTTP_TLS_KEY", "a.pem")
        .fails(&format!("environment variable SIGNALBOX_HTTP_TLS_KEY: http.tls_key {NOT_YET}: put a reverse proxy in front of the server"));
    nothing()
        .flag("http.base_path", "/box")
        .fails(&format!("flag --http-base-path: http.base_path {NOT_YET}: give Signalbox a host name of its own"));
    file("database.url = \"postgres://a\"").fails(&format!("signalbox.toml:1: database.url {NOT_YET}: use sqlite: followed by the path of a file"));
    file("[[rule]]\nid = \"hot\"\non_delay_s = 5").fails(&format!("signalbox.toml:3: on_delay_s of [[rule]] \"hot\" {NOT_YET}: leave it out"));
    file("[[rule]]\nid = \"old\"\nentity = \"a.b\"\ncondition = { type = \"stale\", after_s = 3 }")
        .fails(&format!("signalbox.toml:4: type = \"stale\" of the condition of [[rule]] \"old\" {NOT_YET}: use above, below or offline"));
}

#[test]
fn nobody_gets_in_from_outside_unasked() {
    let open = || nothing().flag("http.listen", "0.0.0.0:3000");
    open().ok();
    open().env("SIGNALBOX_AUTH_ANONYMOUS", "viewer").fails(
        "http.listen (flag --http-listen): others can reach 0.0.0.0:3000 and every visitor would be viewer; set \
         auth.allow_public_anonymous = true if that is meant",
    );
    open().flag("auth.anonymous", "operator").flag("auth.allow_public_anonymous", "true").ok();
    nothing().flag("http.listen", "[::1]:0").flag("auth.anonymous", "operator").ok();
    let broker = "[broker]\nlisten = \"0.0.0.0:1883\"\n";
    let message = "broker.listen (signalbox.toml:2): the embedded broker asks no client for a password yet, so it listens on loopback only, not on \
                   0.0.0.0:1883; for devices on the network run a broker of your own and name it in [[mqtt]]";
    file(broker).fails(message);
    file(&format!("{broker}[auth]\nallow_public_anonymous = true")).fails(message);
    file(&format!("{broker}[[mqtt]]\nurl = \"mqtt://a\"")).ok();
}

#[test]
fn a_demo_has_its_own_defaults_and_stays_on_loopback() {
    let config = nothing().demo().ok();
    assert!(config.data_dir.ends_with("data/demo") && config.database.path.ends_with("data/demo/signalbox.db"));
    assert_eq!((config.auth.anonymous, config.runs_embedded_broker()), (Some(Role::Operator), true));
    let config = nothing().demo().flag("data_dir", "mine").flag("auth.anonymous", "viewer").flag("broker.embedded", "auto").ok();
    assert!(config.data_dir.ends_with("mine"));
    assert_eq!((config.auth.anonymous, config.runs_embedded_broker()), (Some(Role::Viewer), true));
    nothing()
        .demo()
        .flag("http.listen", "0.0.0.0:1")
        .flag("auth.allow_public_anonymous", "true")
        .fails("http.listen (flag --http-listen): a demo listens on loopback only, not on 0.0.0.0:1; use `signalbox serve`");
    nothing().demo().env("SIGNALBOX_BROKER_LISTEN", "10.0.0.1:1").fails(
        "broker.listen (environment variable SIGNALBOX_BROKER_LISTEN): a demo listens on loopback only, not on 10.0.0.1:1; use `signalbox serve`",
    );
    file("broker.embedded = \"off\"").demo().fails("broker.embedded (signalbox.toml:1): a demo needs the embedded broker; use `signalbox serve`");
    file("[[mqtt]]\nurl = \"mqtt://a\"").demo().fails("[[mqtt]] \"broker\": a demo connects to no other broker than its own; use `signalbox serve`");
}

#[test]
fn the_documentation_lists_every_key_and_field() {
    let page = include_str!("../../../../docs/configuration.md");
    for key in KEYS {
        let row = format!("| `{}` | `{}` | {} | {} |", key.name, key.variable(), default_words(key.default), key.meaning);
        assert!(page.contains(&row), "docs/configuration.md lacks the line\n{row}");
    }
    for block in BLOCKS {
        for field in block.fields.iter().filter(|field| !field.not_yet) {
            let row = format!("| `{}` | {} | {} |", field.name, field.default.map_or("required".to_owned(), default_words), field.expected);
            assert!(page.contains(&row), "docs/configuration.md lacks the line of [[{}]]\n{row}", block.name);
        }
    }
}

fn default_words(default: &str) -> String {
    let is_value = !default.contains(' ') && default != "none";
    if is_value { format!("`{default}`") } else { default.to_owned() }
}
