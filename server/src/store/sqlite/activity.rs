//! The log of what was done.

use domain::entity::EntityId;
use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::activity::{Activity, Actor, Filter, Kind, Page, Place};

/// Entries that one question reads at most: what a filter without an index of its own leaves out is read too.
const MOST_READ: usize = 10_000;

/// Adds an entry to the log.
pub(super) async fn insert(connection: &mut SqliteConnection, entry: &Activity) -> Result<(), StoreError> {
    sqlx::query("insert into activity (at, who, address, kind, what, entity_id, outcome, after_ms, detail) values (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(entry.at.as_ms())
        .bind(&entry.who.name)
        .bind(entry.who.address.map(|address| address.to_string()))
        .bind(Kind::of(&entry.what).as_str())
        .bind(&entry.what)
        .bind(entry.entity.as_ref().map(EntityId::as_str))
        .bind(&entry.outcome)
        .bind(entry.after_ms)
        .bind(entry.detail.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds entries to the log.
pub(super) async fn append(connection: &mut SqliteConnection, entries: &[Activity]) -> Result<(), StoreError> {
    for entry in entries {
        insert(connection, entry).await?;
    }
    Ok(())
}

/// Writes commands into the log, one entry each, which says how the command stands. `commands` is what [`super::command::upsert`] stores.
pub(super) async fn follow(connection: &mut SqliteConnection, commands: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into activity (at, who, address, kind, what, entity_id, outcome, after_ms, detail, command_id)
         select value ->> '$[0].sent_at', value ->> '$[1].name', value ->> '$[1].address', 'control', value ->> '$[0].action.action',
                value ->> '$[0].entity', value ->> '$[0].state', value ->> '$[0].after_ms',
                json_object('command', value ->> '$[0].id', 'action', json(value -> '$[0].action'), 'reason', value ->> '$[0].reason', 'after_ms', value ->> '$[0].after_ms'),
                value ->> '$[0].id'
         from json_each(?) where true
         on conflict (command_id) where command_id is not null
         do update set outcome = excluded.outcome, after_ms = excluded.after_ms, detail = excluded.detail",
    )
    .bind(commands)
    .execute(connection)
    .await?;
    Ok(())
}

/// A row: place, who, address, what, entity, outcome, milliseconds to it, detail.
type Row = (i64, i64, String, Option<String>, String, Option<String>, String, Option<i64>, String);

/// How entries are found by one index.
struct Found {
    /// A page of those that everything lets through.
    list: &'static str,
    /// How many those are.
    count: &'static str,
    /// The place of the last entry that is looked at for a page.
    end: &'static str,
    /// What is read for a page, as SQLite does it.
    #[cfg(test)]
    plan: &'static str,
    #[cfg(test)]
    index: &'static str,
}

/// What is read at most, by one index and without sorting, in the order of the log. `$first` is what stands in front of the moment in the index.
macro_rules! read {
    ($columns:literal, $index:literal, $first:literal) => {
        concat!(
            "select ",
            $columns,
            " from activity indexed by ",
            $index,
            " where ",
            $first,
            " and at <= ?1 and at >= ?3 and (at < ?1 or activity_id < ?2) order by at desc, activity_id desc limit ?4"
        )
    };
}

/// What everything lets through of what is read.
macro_rules! let_through {
    () => {
        ") where (?6 is null or who = ?6) and (?7 is null or what = ?7) and (?8 is null or kind = ?8)
             and (?9 is null or outcome in (select value from json_each(?9)))
             and (?10 is null or entity_id in (select value from json_each(?10)))
             and (?11 is null or instr(lower(what || char(10) || who || char(10) || coalesce(entity_id, '') || char(10) || detail), ?11) > 0
                  or entity_id in (select value from json_each(?12)))"
    };
}

macro_rules! found {
    ($index:literal, $first:literal) => {
        Found {
            list: concat!(
                "select at, activity_id, who, address, what, entity_id, outcome, after_ms, detail from (",
                read!("*", $index, $first),
                let_through!(),
                " order by at desc, activity_id desc limit ?13"
            ),
            count: concat!("select count(*) from (select 1 from (", read!("*", $index, $first), let_through!(), " limit ?13)"),
            end: concat!(read!("at, activity_id", $index, $first), " offset ?6"),
            #[cfg(test)]
            plan: concat!("explain query plan ", read!("*", $index, $first)),
            #[cfg(test)]
            index: $index,
        }
    };
}

/// What entries are found by, and what to look for in the index.
fn found_by(filter: &Filter) -> (Found, Option<&str>) {
    match filter {
        Filter { entity: Some(entity), .. } => (found!("activity_entity", "entity_id = ?5"), Some(entity.as_str())),
        Filter { who: Some(who), .. } => (found!("activity_who", "who = ?5"), Some(who)),
        Filter { what: Some(what), .. } => (found!("activity_what", "what = ?5"), Some(what)),
        Filter { outcomes, .. } if outcomes.len() == 1 => (found!("activity_outcome", "outcome = ?5"), outcomes.first().map(String::as_str)),
        Filter { kind: Some(kind), .. } => (found!("activity_kind", "kind = ?5"), Some(kind.as_str())),
        _ => (found!("activity_at", "?5 is null"), None),
    }
}

/// How many indexes could find the entries.
fn n_keys(Filter { who, entity, what, outcomes, kind, .. }: &Filter) -> usize {
    [who.is_some(), entity.is_some(), what.is_some(), !outcomes.is_empty(), kind.is_some()].into_iter().filter(|is_asked| *is_asked).count()
}

/// Entries before a place, newest first; at most `limit`, and at most [`MOST_READ`] are looked at.
pub(super) async fn list(connection: &mut SqliteConnection, filter: &Filter, before: Option<&Place>, limit: usize) -> Result<Page, StoreError> {
    let Question { found, key, at, id, from, is_plain, .. } = question(filter, before);
    // One more says whether there is another page.
    let wanted = limit.saturating_add(1);
    let most_read = if is_plain { wanted } else { MOST_READ.max(wanted) };
    let rows: Vec<Row> = ask(found.list, filter, before, most_read, wanted, &mut *connection).await?;
    let is_more = rows.len() > limit;
    let entries: Vec<(Place, Activity)> = rows.into_iter().take(limit).map(entry).collect();
    let next = if is_more {
        entries.last().map(|(place, _)| *place)
    } else if is_plain {
        None
    } else {
        // All that was read is told: was it all there is?
        let end: Option<(i64, i64)> =
            sqlx::query_as(found.end).bind(at).bind(id).bind(from).bind(1).bind(key).bind(most(most_read) - 1).fetch_optional(connection).await?;
        end.map(|(at, id)| Place { at, id })
    };
    Ok(Page { entries, next })
}

/// How many entries a filter lets through, and whether that is all of them; at most `limit` are counted and looked at.
pub(super) async fn count(connection: &mut SqliteConnection, filter: &Filter, limit: usize) -> Result<(usize, bool), StoreError> {
    let Question { found, key, at, id, from, .. } = question(filter, None);
    let (n,): (i64,) = ask(found.count, filter, None, limit, limit, &mut *connection).await?.first().copied().unwrap_or_default();
    let end: Option<(i64, i64)> =
        sqlx::query_as(found.end).bind(at).bind(id).bind(from).bind(1).bind(key).bind(most(limit)).fetch_optional(connection).await?;
    Ok((usize::try_from(n).unwrap_or_default(), end.is_none()))
}

/// Where the answer to a question begins and ends, and by which index it is found.
struct Question<'a> {
    found: Found,
    key: Option<&'a str>,
    at: i64,
    id: i64,
    from: i64,
    /// The index lets through what the filter does, and nothing else.
    is_plain: bool,
}

fn question<'a>(filter: &'a Filter, before: Option<&Place>) -> Question<'a> {
    let (found, key) = found_by(filter);
    let last = filter.to.map_or(i64::MAX, |to| to.as_ms().saturating_sub(1));
    let (at, id) = before.map_or((last, i64::MAX), |place| if place.at <= last { (place.at, place.id) } else { (last, i64::MAX) });
    let from = filter.from.map_or(i64::MIN, Timestamp::as_ms);
    let is_plain = filter.text.is_empty() && filter.entities.is_none() && filter.outcomes.len() <= 1 && n_keys(filter) <= 1;
    Question { found, key, at, id, from, is_plain }
}

fn most(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The rows of an answer: of at most `most_read` entries at most `wanted`.
async fn ask<T>(
    sql: &'static str,
    filter: &Filter,
    before: Option<&Place>,
    most_read: usize,
    wanted: usize,
    connection: &mut SqliteConnection,
) -> Result<Vec<T>, StoreError>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
{
    let Question { key, at, id, from, .. } = question(filter, before);
    let outcomes = if filter.outcomes.is_empty() { None } else { Some(to_json(&filter.outcomes)?) };
    let entities = filter.entities.as_ref().map(to_json).transpose()?;
    let text = (!filter.text.is_empty()).then(|| filter.text.to_ascii_lowercase());
    let rows = sqlx::query_as(sql)
        .bind(at)
        .bind(id)
        .bind(from)
        .bind(most(most_read))
        .bind(key)
        .bind(&filter.who)
        .bind(&filter.what)
        .bind(filter.kind.map(Kind::as_str))
        .bind(outcomes)
        .bind(entities)
        .bind(text)
        .bind(to_json(&filter.named)?)
        .bind(most(wanted))
        .fetch_all(connection)
        .await?;
    Ok(rows)
}

fn entry((at, id, name, address, what, entity, outcome, after_ms, detail): Row) -> (Place, Activity) {
    let who = Actor { name, address: address.and_then(|address| address.parse().ok()) };
    let entity = entity.and_then(|entity| EntityId::parse(&entity).ok());
    let detail = serde_json::from_str(&detail).unwrap_or_default();
    (Place { at, id }, Activity { at: Timestamp::from_ms(at), who, what, entity, outcome, after_ms, detail })
}

/// Who stands in the log, by name; at most `limit`. Each name costs one look into an index, however often it stands there.
pub(super) async fn people(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<String>, StoreError> {
    let names: Vec<String> = sqlx::query_scalar(
        "with recursive person (name) as (
           select min(who) from activity indexed by activity_who
           union all
           select (select min(who) from activity indexed by activity_who where who > name) from person where name is not null
         )
         select name from person where name is not null limit ?",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Row as _};

    use super::*;
    use crate::store::Store as _;
    use crate::store::sqlite::SqliteStore;

    /// A log of `n` entries a millisecond apart: who, what, kind, outcome and entity take turns.
    async fn log_of(n: i64) -> (SqliteConnection, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("signalbox.db");
        let store = SqliteStore::open(&path).await.expect("opens");
        store.close().await;
        let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("connects");
        let sql = "with recursive n (n) as (select 0 union all select n + 1 from n where n + 1 < ?)
                   insert into activity (at, who, kind, what, entity_id, outcome, detail)
                   select n, 'p' || (n % 7), 'control', 'w' || (n % 11), 'a.e' || (n % 13), 'done', '{\"n\":' || n || '}' from n";
        sqlx::query(sql).bind(n).execute(&mut connection).await.expect("inserts");
        (connection, folder)
    }

    fn filters() -> Vec<Filter> {
        let one = Filter::default;
        let entity = EntityId::parse("a.e3").ok();
        vec![
            one(),
            Filter { who: Some("p2".into()), ..one() },
            Filter { entity: entity.clone(), ..one() },
            Filter { what: Some("w4".into()), ..one() },
            Filter { outcomes: vec!["done".into()], ..one() },
            Filter { outcomes: vec!["done".into(), "failed".into()], ..one() },
            Filter { kind: Some(Kind::Control), ..one() },
            Filter { who: Some("p2".into()), what: Some("w4".into()), entity: entity.clone(), ..one() },
            Filter { text: "\"n\":77".into(), ..one() },
            Filter {
                entities: Some(entity.into_iter().collect()),
                from: Some(Timestamp::from_ms(100)),
                to: Some(Timestamp::from_ms(4_000)),
                ..one()
            },
        ]
    }

    #[tokio::test]
    async fn what_a_filter_lets_through_is_counted_up_to_a_limit() {
        let (mut connection, _folder) = log_of(1_000).await;
        for filter in filters() {
            let all = list(&mut connection, &filter, None, 5_000).await.expect("a list").entries.len();
            assert_eq!(count(&mut connection, &filter, 5_000).await.expect("a count"), (all, true), "{filter:?}");
            let (n, is_all) = count(&mut connection, &filter, 10).await.expect("a count");
            assert!(n <= 10 && !is_all, "{filter:?}: {n}");
        }
    }

    #[tokio::test]
    async fn every_question_goes_by_an_index_and_sorts_nothing() {
        let (mut connection, _folder) = log_of(10).await;
        for filter in filters() {
            let (Found { plan, index, .. }, key) = found_by(&filter);
            let steps = sqlx::query(plan).bind(9).bind(9).bind(0).bind(5).bind(key).fetch_all(&mut connection).await.expect("a plan");
            let steps: Vec<String> = steps.iter().map(|row| row.get("detail")).collect();
            assert!(
                matches!(steps.as_slice(), [step] if step.starts_with(&format!("SEARCH activity USING INDEX {index} ("))),
                "{filter:?}: {steps:?}"
            );
        }
    }

    #[tokio::test]
    async fn pages_of_any_length_hold_what_the_filter_lets_through_once_and_in_order() {
        let (mut connection, _folder) = log_of(25_000).await;
        for filter in filters() {
            let let_through = |n: &i64| {
                let entity = |id: &EntityId| *id.as_str() == format!("a.e{}", n % 13);
                filter.who.as_ref().is_none_or(|who| *who == format!("p{}", n % 7))
                    && filter.what.as_ref().is_none_or(|what| *what == format!("w{}", n % 11))
                    && filter.entity.as_ref().is_none_or(entity)
                    && filter.entities.as_ref().is_none_or(|entities| entities.iter().any(entity))
                    && filter.from.is_none_or(|from| *n >= from.as_ms())
                    && filter.to.is_none_or(|to| *n < to.as_ms())
                    && (filter.text.is_empty() || format!("{{\"n\":{n}}}").contains(&filter.text))
            };
            let expected: Vec<i64> = (0..25_000).rev().filter(let_through).collect();
            for limit in [97, 1_000] {
                let (mut found, mut before, mut pages) = (vec![], None, 0);
                loop {
                    let page = list(&mut connection, &filter, before.as_ref(), limit).await.expect("a page");
                    assert!(page.entries.len() <= limit);
                    found.extend(page.entries.iter().map(|(place, _)| place.at));
                    pages += 1;
                    let Some(next) = page.next else { break };
                    before = Some(next);
                }
                assert_eq!(found, expected, "{filter:?} {limit}");
                assert!(pages <= expected.len() / limit + 4, "{pages} pages: {filter:?}");
            }
        }
    }

    #[tokio::test]
    async fn each_person_is_named_once() {
        let (mut connection, _folder) = log_of(100).await;
        assert_eq!(people(&mut connection, 9).await.expect("names"), ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
        assert_eq!(people(&mut connection, 2).await.expect("names"), ["p0", "p1"]);
    }
}
