//! What a chart draws, from series to marks.

use domain::alarm::Severity;
use domain::entity::{EntityId, EntityKind};
use domain::history::{Range, Resolution, Series};
use domain::live::EntityView;
use domain::quality::Quality;
use domain::time::Timestamp;
use domain::words::Words;
use proptest::prelude::*;

use crate::backend::Limit;
use crate::components::chart::model::{ChartModel, ChartSize, Charted, resolution_words};
use crate::components::chart::panes::{gap_marks, view_box};

fn entity(id: &str, kind: EntityKind, unit: Option<&str>) -> EntityView {
    let id = EntityId::parse(id).expect("id");
    EntityView {
        device: domain::device::DeviceId::parse(id.device()).expect("id"),
        name: id.key().to_owned(),
        id,
        area: None,
        kind,
        unit: unit.map(Into::into),
        unit_guessed: false,
        v: None,
        t: None,
        q: Quality::Good,
        assumed: false,
        settable: false,
        hidden: false,
        icon: "gauge".into(),
        precision: Some(1),
        since: None,
        word_on: Some("Open".into()),
        word_off: Some("Closed".into()),
        offline_since: None,
        topic: "t".into(),
        link: None,
        limits: domain::control::Limits::default(),
        members: None,
    }
}

pub(super) fn charted(id: &str, kind: EntityKind, unit: Option<&str>, resolution: Resolution, rows: &[(i64, f64)]) -> Charted {
    let entity = entity(id, kind, unit);
    let values: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let series = Series {
        t: rows.iter().map(|row| Timestamp::from_ms(row.0)).collect(),
        min: values.iter().map(|v| v - 1.0).collect(),
        mean: values.clone(),
        max: values.iter().map(|v| v + 1.0).collect(),
        last: values,
        n: vec![1; rows.len()],
        ..Series::empty(entity.id.clone(), resolution)
    };
    Charted::new(entity, series, vec![])
}

fn model(charted: &[Charted]) -> ChartModel {
    let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100_000) };
    ChartModel::new(charted.to_vec(), range, 0, ChartSize::Full)
}

pub(super) const ROWS: [(i64, f64); 5] = [(0, 10.0), (20_000, 12.0), (40_000, 11.0), (60_000, 14.0), (80_000, 15.0)];

#[test]
fn states_and_words_that_came_since_the_page_was_made_stand_in_their_lanes() {
    let door = charted("a.door", EntityKind::BinarySensor, None, Resolution::Raw, &[(50_000, 1.0)]);
    let mode = Charted::spoken(entity("a.mode", EntityKind::Sensor, None), Words::none(EntityId::parse("a.mode").expect("id")));
    let before = model(&[door, mode]);
    let at = Timestamp::from_ms;
    let window = Range { from: at(40_000), to: at(140_000) };
    assert_eq!(before.lanes[0].bars(window), [(10.0, 90.0)], "what is on goes on");
    let after = before.grown(&[vec![(at(110_000), 0.0), (at(130_000), 1.0)]]);
    assert_eq!(after.lanes[0].bars(window).iter().map(|(_, width)| width.round()).collect::<Vec<_>>(), [60.0, 10.0]);
    assert_eq!(after.lanes[0].bars(window).len(), 2);

    let said = |words: &[(i64, &str)]| words.iter().map(|(ms, word)| (1, at(*ms), (*word).to_owned())).collect::<Vec<_>>();
    let spoken = after.spoken(&said(&[(60_000, "Idle"), (110_000, "Running"), (120_000, "Running"), (130_000, "Idle")])).expect("news");
    let spans: Vec<(f64, f64, &str)> = spoken.lanes[1].said(window).into_iter().map(|(x, width, span)| (x, width, span.word.as_str())).collect();
    assert_eq!(spans, [(20.0, 50.0, "Idle"), (70.0, 20.0, "Running"), (90.0, 10.0, "Idle")]);
    assert_eq!(
        (spoken.charted[1].value_at(at(125_000)).map(|row| spoken.charted[1].words(row)).as_deref(), spoken.lanes[1].end.as_deref()),
        (Some("Running"), Some("Idle"))
    );
    assert_eq!(spoken.spoken(&said(&[(130_000, "Fault"), (140_000, "Idle")])), None, "old, or nothing new");
    assert_eq!(spoken.lanes[0], after.lanes[0]);
}

#[test]
fn each_unit_has_its_pane_and_states_have_lanes() {
    let all: Vec<Charted> = [("a.t1", Some("°C")), ("a.h", Some("%")), ("a.t2", Some("°C")), ("a.p", Some("hPa")), ("a.w", Some("W"))]
        .map(|(id, unit)| charted(id, EntityKind::Sensor, unit, Resolution::Raw, &ROWS))
        .into_iter()
        .chain([charted("a.door", EntityKind::BinarySensor, None, Resolution::Raw, &[(50_000, 1.0)])])
        .chain([charted("a.seventh", EntityKind::Sensor, Some("°C"), Resolution::Raw, &ROWS)])
        .collect();
    let model = model(&all);
    let panes: Vec<(&str, Vec<usize>)> = model.panes.iter().map(|p| (p.unit.as_str(), p.lines.iter().map(|l| l.style).collect())).collect();
    assert_eq!(panes, [("°C", vec![1, 3]), ("%", vec![2]), ("hPa", vec![4])]);
    assert_eq!(model.lanes.len(), 1);
    let lane = &model.lanes[0];
    assert_eq!(lane.bars(model.range), [(50.0, 50.0)]);
    assert_eq!((lane.style, lane.before(model.range), lane.end.as_deref()), (6, Some(50.0), Some("Open")));
    assert_eq!(model.left_out, ["seventh", "w"]);
}

#[test]
fn only_short_units_stand_at_the_top_tick() {
    for (unit, top, has_caption) in [("°C", "18 °C", false), ("hPa", "18", true)] {
        let model = model(&[charted("a.b", EntityKind::Sensor, Some(unit), Resolution::Raw, &ROWS)]);
        let last = model.panes[0].y_ticks.last().expect("ticks");
        assert_eq!((last.1.as_str(), model.panes[0].has_caption), (top, has_caption), "{unit}");
    }
}

#[test]
fn only_coarser_than_raw_has_a_band() {
    let band = |resolution| model(&[charted("a.b", EntityKind::Sensor, None, resolution, &ROWS)]).panes[0].lines[0].band.clone();
    assert!(band(Resolution::BucketMs(20_000)).is_some());
    assert_eq!(band(Resolution::Raw), None);
}

#[test]
fn a_gap_is_named_and_breaks_the_line() {
    let rows: Vec<(i64, f64)> = (0i32..100).filter(|n| !(40..60).contains(n)).map(|n| (i64::from(n) * 1_000, f64::from(n))).collect();
    let model = model(&[charted("a.b", EntityKind::Sensor, None, Resolution::Raw, &rows)]);
    let pane = &model.panes[0];
    let gaps = gap_marks(&pane.gaps, model.range);
    assert_eq!(gaps.iter().map(|gap| (gap.x, gap.label.as_deref())).collect::<Vec<_>>(), [(39.0, Some("no data, 21 s"))]);
    assert_eq!(pane.lines[0].d.matches('M').count(), 2);
    assert!(pane.title.ends_with("No data for 21 s from 00:00:39."), "{}", pane.title);
    let at = |s: i64| model.readout(Timestamp::from_ms(s * 1_000));
    assert_eq!((at(30), at(50)), ("b 30.0".to_owned(), "b no data".to_owned()));
}

#[test]
fn the_title_says_the_finding() {
    let mut one = charted("a.air", EntityKind::Sensor, Some("°C"), Resolution::Raw, &ROWS);
    one.limits = vec![Limit { value: 13.0, severity: Severity::Critical, label: "Critical above 13".into(), is_below: false }];
    let expected =
        "air rose from 10.0 to 15.0\u{a0}°C, lowest 9.0 at 00:00:00, highest 16.0 at 00:01:20. Last crossed “Critical above 13” at 00:01:00.";
    assert_eq!(model(&[one]).panes[0].title, expected);
    let door = charted("a.door", EntityKind::BinarySensor, None, Resolution::Raw, &[(0, 0.0), (50_000, 1.0)]);
    assert_eq!(model(&[door]).lanes[0].title, "door: Open, since 00:00:50. Open for 50 s of 100 s.");
}

#[test]
fn a_part_is_shown_by_the_same_paths() {
    let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100_000) };
    let part = Range { from: Timestamp::from_ms(25_000), to: Timestamp::from_ms(25_040) };
    assert_eq!((view_box(range, range).as_str(), view_box(range, part).as_str()), ("0 0 1000 100", "250 0 0.400 100"));
    let model = model(&[charted("a.b", EntityKind::Sensor, None, Resolution::Raw, &ROWS)]);
    let half = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(50_000) };
    let labels: Vec<_> = model.ticks(half).into_iter().map(|tick| (tick.x, tick.label)).collect();
    assert_eq!((labels.len(), &labels[1]), (6, &(20.0, "00:00:10".to_owned())));
}

#[test]
fn newer_values_go_on_where_the_line_ended() {
    let one = charted("a.b", EntityKind::Sensor, None, Resolution::BucketMs(20_000), &ROWS);
    let before = model(&[one]);
    // The second is no newer than the first, and left out.
    let after = before.grown(&[vec![(Timestamp::from_ms(100_000), 16.0), (Timestamp::from_ms(100_000), 99.0), (Timestamp::from_ms(110_000), 17.0)]]);
    assert_eq!(after.charted[0].series.last, [10.0, 12.0, 11.0, 14.0, 15.0, 16.0, 17.0]);
    assert!(after.panes[0].lines[0].d.starts_with("M0 "), "the range stays: {}", after.panes[0].lines[0].d);
    assert!(after.panes[0].lines[0].d.contains("L1100 "), "what is newer stands right of it: {}", after.panes[0].lines[0].d);
    assert!(before.without_band().grown(&[vec![]]).panes[0].lines[0].band.is_none());
}

#[test]
fn the_period_before_is_part_of_the_axis_and_gray_where_it_is_alone() {
    let with_previous = |id| {
        let mut one = charted(id, EntityKind::Sensor, None, Resolution::Raw, &ROWS);
        let higher = one.series.mean.iter().map(|v| v + 100.0).collect::<Vec<_>>();
        one.previous = Some(Series { min: higher.clone(), mean: higher.clone(), max: higher, ..one.series.clone() });
        one
    };
    let alone = model(&[with_previous("a.b")]);
    let pane = &alone.panes[0];
    assert!(pane.scale.high() >= 115.0 && pane.lines[0].previous.is_some());
    assert_eq!(pane.previous_style(&pane.lines[0]), 0);
    assert_eq!(alone.charted[0].previous_at(Timestamp::from_ms(20_000)), Some(112.0));
    let two = model(&[with_previous("a.b"), with_previous("a.c")]);
    assert_eq!(two.panes[0].previous_style(&two.panes[0].lines[1]), 2);
}

#[test]
fn words_at_the_ends_stay_apart() {
    let all: Vec<Charted> = (0..6).map(|n| charted(&format!("a.b{n}"), EntityKind::Sensor, None, Resolution::Raw, &ROWS)).collect();
    let mut places: Vec<f64> = model(&all).panes[0].lines.iter().map(|line| line.end.as_ref().expect("an end").text_y).collect();
    places.sort_by(f64::total_cmp);
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 5.9) && places[5] <= 100.0, "{places:?}");
}

#[test]
fn resolutions_read_well() {
    for (resolution, words) in [
        (Resolution::Raw, "every reading"),
        (Resolution::BucketMs(300_000), "one point per 5 min"),
        (Resolution::BucketMs(86_400_000), "one point per 1 d"),
        (Resolution::BucketMs(90_000), "one point per 90 s"),
    ] {
        assert_eq!(resolution_words(resolution), words);
    }
}

proptest! {
    #[test]
    fn nothing_drawn_is_ever_not_a_number(
        values in prop::collection::vec((0i64..200_000, any::<f64>()), 0..30),
        limit in any::<f64>(),
        is_state: bool,
        bucket in prop::option::of(1i64..50_000),
    ) {
        let mut rows = values;
        rows.sort_by_key(|row| row.0);
        let resolution = bucket.map_or(Resolution::Raw, Resolution::BucketMs);
        let kind = if is_state { EntityKind::Switch } else { EntityKind::Sensor };
        let mut one = charted("a.b", kind, Some("%"), resolution, &rows);
        one.limits = vec![Limit { value: limit, severity: Severity::Warning, label: "limit".into(), is_below: false }];
        let model = model(&[one]);
        for pane in &model.panes {
            let gaps = gap_marks(&pane.gaps, model.range).into_iter().flat_map(|gap| [gap.x, gap.width]);
            let numbers = pane.y_ticks.iter().map(|tick| tick.0).chain(gaps).chain(pane.limits.iter().map(|l| l.y));
            for number in numbers.chain(pane.lines.iter().filter_map(|line| line.end.as_ref()).flat_map(|end| [end.y, end.text_y])) {
                prop_assert!(number.is_finite(), "{pane:?}");
            }
            prop_assert!(!pane.title.contains("NaN"), "{}", pane.title);
            for line in &pane.lines {
                prop_assert!(!line.d.contains('N'), "{}", line.d);
            }
        }
        for &stop in &model.stops {
            prop_assert!(!model.readout(stop).contains("NaN"));
        }
    }
}
