use super::*;

const NOW: i64 = 1_781_273_006_000;

fn id(text: &str) -> EntityId {
    EntityId::parse(text).expect("id")
}

fn view(to: i64, is_live: bool) -> View {
    let range = Range { from: Timestamp::from_ms(to - DAY_MS), to: Timestamp::from_ms(to) };
    View {
        chosen: vec![id("a.b"), id("c.d")],
        range,
        is_live,
        compare: false,
        has_band: true,
        filter: String::new(),
        meter: None,
        points: None,
        now: Timestamp::from_ms(NOW),
        is_custom: false,
    }
}

#[test]
fn an_address_carries_the_whole_view() {
    let mut query = ParamsMap::new();
    for (key, value) in
        [("e", "a.b"), ("e", "c.d"), ("range", "7d"), ("to", "1781273006000"), ("compare", "1"), ("band", "0"), ("meter", "1"), ("points", "2000")]
    {
        query.insert(key, value.to_owned());
    }
    let all = asked(&query);
    let request = HistoryRequest {
        entities: vec!["a.b".into(), "c.d".into()],
        range: "7d".into(),
        from: String::new(),
        to: NOW.to_string(),
        compare: true,
        points: Some(2_000),
        meter: true,
    };
    assert_eq!(all, Asked { request, has_band: false, filter: String::new(), exclude: String::new() });
    let mut listed = ParamsMap::new();
    listed.insert("entities", "a.b,c.d".to_owned());
    assert_eq!(asked(&listed).request.entities, all.request.entities);
    let least = asked(&ParamsMap::new());
    assert_eq!((least.request.range.as_str(), least.has_band, least.request.compare), ("24h", true, false));
    let view = View { compare: true, has_band: false, meter: Some(true), points: Some(2_000), ..view(NOW, false) };
    assert_eq!(view.href(), format!("/history?e=a.b&e=c.d&range=24h&to={NOW}&compare=1&band=0&meter=1&points=2000"));
    assert_eq!(view.with_meter(false), format!("/history?e=a.b&e=c.d&range=24h&to={NOW}&compare=1&band=0&points=2000"));
}

#[test]
fn steps_go_back_and_return_to_the_present() {
    assert_eq!(view(NOW, true).back(), format!("/history?e=a.b&e=c.d&range=24h&to={}", NOW - DAY_MS));
    assert_eq!(view(NOW, true).forward(), None);
    assert_eq!(view(NOW - DAY_MS, false).forward().as_deref(), Some("/history?e=a.b&e=c.d&range=24h"));
    assert_eq!(view(NOW - DAY_MS - HOUR_MS, false).forward().as_deref(), Some("/history?e=a.b&e=c.d&range=24h"));
    assert_eq!(view(NOW - 2 * DAY_MS, false).forward(), Some(format!("/history?e=a.b&e=c.d&range=24h&to={}", NOW - DAY_MS)));
}

#[test]
fn a_range_of_its_own_keeps_its_length_through_steps() {
    let hours = |from: i64, to: i64| Range { from: Timestamp::from_ms(NOW + from * HOUR_MS), to: Timestamp::from_ms(NOW + to * HOUR_MS) };
    let custom = |from, to| View { range: hours(from, to), is_custom: true, ..view(NOW, false) };
    let href = |from: i64, to: i64| format!("/history?e=a.b&e=c.d&from={}&to={}", NOW + from * HOUR_MS, NOW + to * HOUR_MS);
    assert_eq!(view(NOW, true).with_range(hours(-5, -3)), href(-5, -3));
    assert_eq!((custom(-5, -3).back(), custom(-5, -3).forward()), (href(-7, -5), Some(href(-3, -1))));
    // The last step is as long as what is left.
    assert_eq!((custom(-3, -1).forward(), custom(-2, 0).forward()), (Some(href(-2, 0)), None));
    // What follows the clock has a length with a name.
    assert_eq!(custom(-5, -3).with_live(true), "/history?e=a.b&e=c.d&range=24h");
    assert_eq!(view(NOW, true).with_civil("2026-06-11T14:03", "x&to=<"), "/history?e=a.b&e=c.d&from=2026-06-11T14:03&to=xto");
}

#[test]
fn a_shared_address_shows_the_same_tomorrow() {
    assert_eq!(view(NOW, true).share(), format!("/history?e=a.b&e=c.d&range=24h&to={NOW}"));
    assert_eq!(view(NOW, true).csv(true), format!("/api/v1/history.csv?entities=a.b,c.d&from={}&to={NOW}&resolution=raw", NOW - DAY_MS));
}

#[test]
fn the_chosen_change_one_at_a_time() {
    assert_eq!(view(NOW, true).without(&id("a.b")), "/history?e=c.d&range=24h");
    assert_eq!(view(NOW, true).toggled(&id("x.y"), true), "/history?e=a.b&e=c.d&e=x.y&range=24h");
    assert_eq!(view(NOW, true).toggled(&id("a.b"), false), "/history?e=c.d&range=24h");
    assert_eq!(view(NOW, false).with_preset(PRESETS[0]), format!("/history?e=a.b&e=c.d&range=15m&to={NOW}"));
    assert_eq!(day_of(&id("a.b")), "/history?e=a.b&range=24h");
    let none = View { chosen: vec![], ..view(NOW, true) };
    assert_eq!(none.href(), "/history?e=&range=24h");
}
