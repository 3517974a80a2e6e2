//! The overview as a browser asks for it, against `/healthz`: the same connection and the same layers, but nothing to render.

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::http::{Answer, Connection};
use crate::program::Program;
use crate::table::{Sample, Unit, percentiles};

const REQUESTS: usize = 200;
/// Requests of each before they count.
const WARM_UP: usize = 10;

/// Times and size of the page.
pub(crate) async fn measure(program: &Program) -> Result<Vec<Sample>> {
    let mut connection = Connection::open(program.http).await?;
    let (mut pages, mut floors, mut bytes) = (vec![], vec![], vec![]);
    for n in 0..WARM_UP + REQUESTS {
        let (page, took) = timed(&mut connection, "/").await?;
        let (_, floor) = timed(&mut connection, "/healthz").await?;
        ensure!(page.encoding == "br", "the page came with the encoding \"{}\"", page.encoding);
        if n >= WARM_UP {
            pages.push(took);
            floors.push(floor);
            bytes.push(page.body.len());
        }
    }
    bytes.sort_unstable();
    let ((page_50, page_99), (floor_50, floor_99)) = (percentiles(pages), percentiles(floors));
    Ok(vec![
        Sample::new("page: GET / p50, /healthz", Unit::Ms, page_50).over(floor_50),
        Sample::new("page: GET / p99, /healthz", Unit::Ms, page_99).over(floor_99),
        Sample::new("page: GET / br, median", Unit::Bytes, bytes[REQUESTS / 2] as f64),
    ])
}

/// The answer, complete, and its seconds.
async fn timed(connection: &mut Connection, path: &str) -> Result<(Answer, f64)> {
    let asked = Instant::now();
    let answer = connection.get(path, "br").await?;
    let took = asked.elapsed().as_secs_f64();
    ensure!(answer.status == 200, "{path} answered {}", answer.status);
    Ok((answer, took))
}
