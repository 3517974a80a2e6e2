//! The page of devices: finding them, what stands in a row, and changing several at once.

use app::backend::{BackendError, Caller, Role};
use app::devices::{Counts, DeviceRow, DevicesNews, DevicesPage, DevicesRequest, Told};
use domain::device::{DeviceId, clean_text};

use super::{LiveBackend, require};
use crate::clock::now;

/// Moving, hiding and showing.
mod change;
/// What a page was asked for.
mod question;
/// What stands in a row.
mod row;
/// Looking at all devices.
mod survey;
/// What became of forms.
pub(super) mod told;

use question::Question;
use survey::Survey;

/// Rows of a page.
const ROWS: usize = 50;
/// Areas to choose from.
const MOST_AREAS: usize = 300;

impl LiveBackend {
    pub(super) async fn list_devices(&self, caller: &Caller, request: &DevicesRequest) -> Result<DevicesPage, BackendError> {
        require(caller, Role::Viewer)?;
        let question = Question::read(request)?;
        let survey = self.survey(question, ROWS).await.end();
        let ghosts = self.ghosts_shown(caller, &request.dry).await?;
        let now = now();
        let state = self.state();
        // One that went since it was found is left out.
        let rows: Vec<DeviceRow> = survey.keys.iter().filter_map(|key| row::row(&state, &key.id, now)).collect();
        let chosen = |area: &&domain::device::Area| area.id.as_str() == request.area;
        let mut areas: Vec<_> = state.fleet.areas().iter().take(MOST_AREAS).cloned().collect();
        areas.extend(state.fleet.areas().iter().skip(MOST_AREAS).find(chosen).cloned());
        Ok(DevicesPage {
            shell: self.shell_of(caller, &state, now),
            rows,
            next: survey.keys.last().filter(|_| survey.is_more).map(question::write_cursor),
            n_before: survey.n_before,
            all: survey.all,
            found: survey.found,
            areas,
            conventions: survey.conventions,
            n_unlisted: state.fleet.n_unlisted(),
            ghosts,
            told: self.told.get(&request.done),
        })
    }

    pub(super) async fn news_of_devices(&self, caller: &Caller, request: &DevicesRequest, shown: &[DeviceId]) -> Result<DevicesNews, BackendError> {
        require(caller, Role::Viewer)?;
        let survey = self.survey(Question::read(request)?, 0).await.end();
        let now = now();
        let state = self.state();
        let rows = shown.iter().take(ROWS).filter_map(|id| row::row(&state, id, now)).collect();
        Ok(DevicesNews { rows, all: survey.all, found: survey.found })
    }

    /// Looks at all devices, in parts between which messages arrive. One at a time: many who look take longer, and the rest of the server does not.
    async fn survey(&self, question: Question, limit: usize) -> Survey {
        let _turn = self.surveys.lock().await;
        let mut survey = Survey::new(question, limit, self.state().fleet.areas());
        while !survey.look(&self.state()) {
            tokio::task::yield_now().await;
        }
        survey
    }
}

/// Something that was refused, with the field that it is about.
fn refused(field: &str, words: &str) -> Told {
    Told { words: app::tile::words::capital(&clean_text(words, 300)), failed: true, field: field.to_owned(), publish: None }
}

/// Adds one to what a device counts as.
fn count(counts: &mut Counts, presence: app::presence::Presence, hidden: bool) {
    use app::presence::Presence::{Offline, Online, Stale, Unknown};
    if hidden {
        counts.hidden += 1;
        return;
    }
    counts.all += 1;
    *match presence {
        Online => &mut counts.online,
        Stale => &mut counts.stale,
        Offline => &mut counts.offline,
        Unknown => &mut counts.unknown,
    } += 1;
}
