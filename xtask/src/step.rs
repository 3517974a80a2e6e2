use std::time::Instant;

use anyhow::Result;

/// Runs one step, says on standard error that it begins and how long it took.
///
/// # Errors
/// Those of `work`.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("site: {what} …");
    let started = Instant::now();
    let done = work()?;
    eprintln!("site: {what}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(done)
}
