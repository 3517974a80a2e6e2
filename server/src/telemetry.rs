//! The log: on standard error, for standard output belongs to the `listening` lines.

use std::fmt::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::fmt::{self as log_format, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Registry, registry::LookupSpan};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Our own crates: they log at the level that was asked for, everything else only what is at least a warning.
const OURS: [&str; 4] = ["server", "app", "domain", "signalbox"];

/// Starts the log of this process and has panics logged. Call it once, before anything else logs.
///
/// # Errors
/// When the process has a log already.
pub fn init(config: LogConfig) -> Result<(), TryInitError> {
    Registry::default().with(layer(config, std::io::stderr)).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic once. The process goes on: tokio ends the task that panicked, and whoever owns the task hears of it.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    tracing::error!(place, thread = thread.name().unwrap_or_default(), "Panicked: {}", info.payload_as_str().unwrap_or("no message"));
}

fn layer<S, W>(config: LogConfig, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = level(config.level);
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(OURS.map(|target| (target, level)));
    match config.format {
        LogFormat::Json => log_format::layer().json().flatten_event(true).with_ansi(false).with_writer(writer).with_filter(filter).boxed(),
        LogFormat::Text => {
            // The crate's own formatter passes line feeds and, in fields, terminal sequences through: text of a device could write a log line
            // of its own. This one lets no control character out.
            let fields = debug_fn(|out, field, value| match field.name() {
                "message" => write!(Harmless(out), "{value:?}"),
                name => write!(Harmless(out), "{name}={value:?}"),
            });
            log_format::layer().fmt_fields(fields.delimited(" ")).with_ansi(false).with_writer(writer).with_filter(filter).boxed()
        }
    }
}

const fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Text of a stranger for a log line or an error message: a topic, a payload, a name. Control and bidi characters are written as escapes, and
/// what is longer than 200 characters is cut.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

/// Most characters that [`Shown`] shows.
const SHOWN_CHARS: usize = 200;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN_CHARS) {
            None => Harmless(f).write_str(self.0),
            Some((end, _)) => {
                Harmless(&mut *f).write_str(&self.0[..end])?;
                f.write_char('…')
            }
        }
    }
}

/// Writes control and bidi characters as escapes.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain_from = 0;
        for (at, c) in text.char_indices().filter(|&(_, c)| c.is_control() || domain::device::is_bidi_control(c)) {
            self.0.write_str(&text[plain_from..at])?;
            write!(self.0, "{}", c.escape_default())?;
            plain_from = at + c.len_utf8();
        }
        self.0.write_str(&text[plain_from..])
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Collects what is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: LogLevel, act: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = Registry::default().with(layer(LogConfig { format, level }, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    const FORGED: &str = "a\n2026-01-01T00:00:00Z ERROR forged\u{1b}[31m\u{9b}31m\u{202e}\r";

    #[test]
    fn text_of_a_stranger_cannot_forge_a_line() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged(format, LogLevel::Info, || {
                tracing::info!(topic = %FORGED, text = FORGED, "Got {FORGED}");
                tracing::info_span!("span", topic = %FORGED).in_scope(|| tracing::warn!(error = &io::Error::other(FORGED) as &dyn std::error::Error));
            });
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
        }
    }

    #[test]
    fn text_lines_hold_the_fields_after_the_message() {
        let text = logged(LogFormat::Text, LogLevel::Info, || tracing::info!(device.id = %"lamp-3", n = 2, "Device came online"));
        assert!(text.ends_with("INFO server::telemetry::tests: Device came online device.id=lamp-3 n=2\n"), "{text}");
    }

    #[test]
    fn json_lines_are_objects() {
        let text = logged(LogFormat::Json, LogLevel::Info, || tracing::info!(n = 2, "Device came online"));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["level"], &line["n"]), (&"Device came online".into(), &"INFO".into(), &2.into()));
    }

    #[test]
    fn other_crates_log_only_warnings() {
        let text = logged(LogFormat::Text, LogLevel::Trace, || {
            tracing::trace!("ours");
            tracing::info!(target: "mqtt5::broker", "theirs");
            tracing::warn!(target: "mqtt5::broker", "their warning");
        });
        assert!(text.contains("ours") && text.contains("their warning") && !text.contains("theirs"), "{text}");
        let quiet = logged(LogFormat::Text, LogLevel::Error, || tracing::warn!(target: "mqtt5::broker", "their warning"));
        assert_eq!(quiet, "");
    }

    #[test]
    fn long_text_is_cut_and_controls_are_escaped() {
        let long = "ä".repeat(201);
        for (text, shown) in
            [("plain ä", "plain ä".to_owned()), ("a\n\u{202e}b", "a\\n\\u{202e}b".to_owned()), (long.as_str(), format!("{}…", "ä".repeat(200)))]
        {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }
}
