//! The log of what was done, for pages and programs.

use app::backend::{ActivityPage, ActivityRequest, ActivityRow, Away, BackendError, Caller, Role};
use domain::device::{AreaId, DeviceId};
use domain::entity::EntityId;
use domain::time::{DAY_MS, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{LiveBackend, internal, require};
use crate::clock::now;
use crate::store::activity::{Activity, Filter, Kind, Page, Place};

/// What entries say in words.
mod told;

/// Entities looked for by a word of their names at most: past that the word says nothing.
const MOST_NAMED: usize = 200;
/// Entries of a page.
const ROWS: usize = 50;
/// Entries that are counted.
const MOST_COUNTED: usize = 10_000;
/// New entries that are counted.
const MOST_NEWS: usize = 99;
/// Entries that are told to somebody who was away.
const AWAY_ROWS: usize = 3;
/// People to choose from.
const MOST_PEOPLE: usize = 200;
/// What became of commands that a device did not obey, as far as anybody knows.
const NOT_CONFIRMED: [&str; 3] = ["unconfirmed", "failed", "refused"];
/// Longest text that is looked for, in characters.
pub const MAX_TEXT_CHARS: usize = 100;

impl LiveBackend {
    /// The log of what was done before a place in it, newest first. What is looked for by a text is found by the names of entities too.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn activity(&self, caller: &Caller, filter: Filter, before: Option<&Place>, limit: usize) -> Result<Page, BackendError> {
        require(caller, Role::Viewer)?;
        self.store.activity_of(&self.with_names(filter), before, limit).await.map_err(|error| internal(&error))
    }

    /// A filter that also finds entities whose names hold its text.
    fn with_names(&self, mut filter: Filter) -> Filter {
        if !filter.text.is_empty() {
            let text = filter.text.to_lowercase();
            let views = self.state().fleet.entities();
            filter.named = views.into_iter().filter(|view| view.name.to_lowercase().contains(&text)).map(|view| view.id).take(MOST_NAMED).collect();
        }
        filter
    }

    /// The entities that stand in an area.
    #[must_use]
    pub fn entities_in(&self, area: &AreaId) -> Vec<EntityId> {
        let views = self.state().fleet.entities();
        views.into_iter().filter(|view| view.area.as_ref() == Some(area)).map(|view| view.id).collect()
    }

    pub(super) async fn log_page(&self, caller: &Caller, request: &ActivityRequest) -> Result<ActivityPage, BackendError> {
        let filter = self.asked(request)?;
        let before = place("cursor", &request.cursor)?;
        let page = self.activity(caller, filter.clone(), before.as_ref(), ROWS).await?;
        let (n_entries, is_all) = self.store.activity_count(&self.with_names(filter), MOST_COUNTED).await.map_err(|error| internal(&error))?;
        let people = self.store.people(MOST_PEOPLE).await.map_err(|error| internal(&error))?;
        // How long the log is kept is worth less than the log.
        let kept_days = self.store.kept().await.ok().and_then(|kept| kept.log_days);
        let now = now();
        let state = self.state();
        let rows = page.entries.iter().map(|(place, entry)| self.row(*place, entry, &state.fleet, now)).collect();
        let people = people.into_iter().map(|name| (told::who(&name, &state.fleet), name)).map(|(shown, name)| (name, shown)).collect();
        let older = page.next.map(Place::to_string_id);
        Ok(ActivityPage { shell: self.shell_of(caller, &state, now), rows, older, n_entries, is_more: !is_all, people, kept_days })
    }

    pub(super) async fn log_news(&self, caller: &Caller, request: &ActivityRequest, newest: &str) -> Result<usize, BackendError> {
        let newest = place("newest", newest)?;
        let mut filter = self.asked(request)?;
        filter.from = newest.map(|place| Timestamp::from_ms(place.at));
        let page = self.activity(caller, filter, None, MOST_NEWS).await?;
        Ok(page.entries.iter().take_while(|(place, _)| Some(*place) > newest).count())
    }

    pub(super) async fn log_away(&self, caller: &Caller, from: Timestamp, to: Timestamp) -> Result<Away, BackendError> {
        let of = |kind| Filter { kind: Some(kind), from: Some(from), to: Some(to), ..Filter::default() };
        let alarms = self.activity(caller, of(Kind::Alarm), None, MOST_NEWS).await?.entries;
        let commands = self.activity(caller, of(Kind::Control), None, MOST_NEWS).await?.entries;
        let (n_alarms, n_commands) = (alarms.len(), commands.len());
        let mut newest: Vec<_> = alarms.into_iter().chain(commands).collect();
        newest.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        let now = now();
        let state = self.state();
        let rows = newest.iter().take(AWAY_ROWS).map(|(place, entry)| self.row(*place, entry, &state.fleet, now)).collect();
        Ok(Away { n_alarms, n_commands, rows })
    }

    /// What the log has last of a device and its entities, newest first. As any question it reads a bounded part of the log.
    pub(super) async fn deeds(&self, device: &DeviceId, entities: &[EntityId], most: usize) -> Result<Vec<ActivityRow>, BackendError> {
        // Both an entry of an entity and one of the device hold its id, and so may entries of others.
        let filter = Filter { text: device.to_string(), named: entities.to_vec(), ..Filter::default() };
        let page = self.store.activity_of(&filter, None, ROWS).await.map_err(|error| internal(&error))?;
        let is_its = |entry: &Activity| match &entry.entity {
            Some(entity) => entities.contains(entity),
            None => entry.detail["device"] == device.as_str(),
        };
        let now = now();
        let state = self.state();
        let its = page.entries.iter().filter(|(_, entry)| is_its(entry)).take(most);
        Ok(its.map(|(place, entry)| self.row(*place, entry, &state.fleet, now)).collect())
    }

    fn asked(&self, request: &ActivityRequest) -> Result<Filter, BackendError> {
        let invalid = |what: &str, text: &str| BackendError::Invalid(format!("{what} \"{}\" is unknown", domain::device::clean_text(text, 40)));
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let text = request.q.trim().to_owned();
        if text.chars().count() > MAX_TEXT_CHARS {
            return Err(BackendError::Invalid(format!("q has more than {MAX_TEXT_CHARS} characters")));
        }
        let kind = given(&request.kind).map(|word| Kind::parse(&word).ok_or_else(|| invalid("kind", &word))).transpose()?;
        let area = given(&request.area).map(|id| AreaId::parse(&id).map_err(|_| invalid("area", &id))).transpose()?;
        let moment = |field: &str, text: &str| {
            let bad =
                || BackendError::Invalid(format!("{field} \"{}\" is neither Unix milliseconds nor RFC 3339", domain::device::clean_text(text, 40)));
            given(text).map(|text| crate::moment::parse(&text).ok_or_else(bad)).transpose()
        };
        let (from, to) = (moment("from", &request.from)?, moment("to", &request.to)?);
        let entity = given(&request.entity).map(|id| EntityId::parse(&id).map_err(|_| invalid("entity", &id))).transpose()?;
        Ok(Filter {
            who: given(&request.who),
            entity,
            kind,
            from,
            to,
            outcomes: if request.not_confirmed { NOT_CONFIRMED.map(str::to_owned).to_vec() } else { vec![] },
            entities: area.map(|area| self.entities_in(&area)),
            text,
            ..Filter::default()
        })
    }

    fn row(&self, place: Place, entry: &Activity, fleet: &domain::fleet::Fleet, now: Timestamp) -> ActivityRow {
        let told = told::tell(entry, fleet, now);
        let (day, clock) = day_and_clock(entry.at, now, &self.zone);
        ActivityRow { id: place.to_string_id(), at: entry.at, day, clock, ..told }
    }
}

fn place(field: &str, text: &str) -> Result<Option<Place>, BackendError> {
    if text.is_empty() {
        return Ok(None);
    }
    Place::parse(text).map(Some).ok_or_else(|| BackendError::Invalid(format!("{field} is none that a page gave")))
}

/// `Today, Friday 12 June` and `14:03:24`, by the clock of a zone.
fn day_and_clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> (String, String) {
    let civil = |at: Timestamp| jiff::Timestamp::from_millisecond(at.as_ms()).ok().map(|at| at.to_zoned(zone.clone()).datetime());
    let Some(then) = civil(at) else { return (String::new(), String::new()) };
    let (today, yesterday) = (civil(now).map(DateTime::date), civil(now.plus_ms(-DAY_MS)).map(DateTime::date));
    let date = then.date();
    let near = if Some(date) == today {
        "Today, "
    } else if Some(date) == yesterday {
        "Yesterday, "
    } else {
        ""
    };
    let year = if today.is_some_and(|today| today.year() == date.year()) { String::new() } else { format!(" {}", date.year()) };
    (format!("{near}{}{year}", date.strftime("%A %-d %B")), then.strftime("%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_the_clock_of_the_zone() {
        let zone = TimeZone::get("Europe/Tallinn").expect("a zone");
        let now = Timestamp::from_ms(1_781_273_006_000);
        let check = |ms_before: i64, day: &str, clock: &str| {
            assert_eq!(day_and_clock(now.plus_ms(-ms_before), now, &zone), (day.to_owned(), clock.to_owned()));
        };
        check(0, "Today, Friday 12 June", "17:03:26");
        check(17 * 3_600_000, "Today, Friday 12 June", "00:03:26");
        check(18 * 3_600_000, "Yesterday, Thursday 11 June", "23:03:26");
        check(2 * DAY_MS, "Wednesday 10 June", "17:03:26");
        check(200 * DAY_MS, "Monday 24 November 2025", "16:03:26");
    }
}
