//! The program as an operator starts it: its lines, its errors, its end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program with a clean environment, in a folder of its own.
fn signalbox(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn free_ports(command: &mut Command) -> &mut Command {
    command.env("SIGNALBOX_HTTP_LISTEN", "127.0.0.1:0").env("SIGNALBOX_BROKER_LISTEN", "127.0.0.1:0")
}

/// Starts and reads up to `ready`.
#[expect(clippy::zombie_processes, reason = "every test waits for what it started; one that fails here ends the test program")]
fn started(command: &mut Command) -> (Child, Vec<String>, BufReader<std::process::ChildStdout>) {
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = vec![];
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "the program ended: {:?}", child.wait_with_output());
        lines.push(line.trim_end().to_owned());
        if lines.last().is_some_and(|line| line == "ready") {
            return (child, lines, out);
        }
    }
}

fn terminate(child: &Child) {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Runs a program that must fail at once: what it says on standard error.
fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn it_says_where_it_listens_and_ends_in_time() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["serve", "demo"] {
        let (mut child, lines, mut out) = started(free_ports(&mut signalbox(folder.path(), &[command])));
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("listening http 127.0.0.1:") && lines[1].starts_with("listening mqtt 127.0.0.1:"), "{lines:?}");
        let told = Instant::now();
        terminate(&child);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
        assert!(told.elapsed() < Duration::from_secs(10), "{command} took {:?}", told.elapsed());
    }
}

#[test]
fn the_demo_starts_again_on_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (mut child, ..) = started(free_ports(&mut signalbox(folder.path(), &["demo"])));
        terminate(&child);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn what_is_in_the_way_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let run = |set: &dyn Fn(&mut Command)| {
        let mut command = signalbox(folder.path(), &["serve"]);
        set(free_ports(&mut command));
        fails(&mut command)
    };
    let has = |error: String, words: &[&str]| {
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert_eq!(error.trim_end().lines().filter(|line| line.starts_with("signalbox: ")).count(), 1, "{error}");
    };
    has(run(&|c| _ = c.env("SIGNALBOX_HTTP_LISTEN", &address)), &[&address, "http.listen"]);
    has(run(&|c| _ = c.env("SIGNALBOX_BROKER_LISTEN", &address)), &[&address, "in use"]);
    has(run(&|c| _ = c.env("SIGNALBOX_DATA_DIR", "file/below")), &["file/below", "data_dir"]);
    has(run(&|c| _ = c.env("SIGNALBOX_HTTP_LISTN", "x")), &["SIGNALBOX_HTTP_LISTN", "http.listen"]);
    has(run(&|c| _ = c.env("SIGNALBOX_HTTP_LISTEN", "nowhere")), &["nowhere", "SIGNALBOX_HTTP_LISTEN"]);
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("signalbox.toml"), "[http]\nlistne = \"127.0.0.1:0\"\n").unwrap();
    let error = fails(&mut signalbox(folder.path(), &["serve"]));
    assert!(error.contains("http.listne") && error.contains("http.listen"), "{error}");
}
