//! How long history is kept.

use super::*;

#[test]
fn how_long_history_is_kept_is_said_for_all_for_an_area_and_for_an_entity() {
    let config = file(
        "retention.raw_days = 30\n[[area]]\nid = \"hall\"\nrollup_days = 400\n[[area]]\nid = \"yard\"\n
         [[entity]]\nid = \"a.power\"\nraw_days = 7\nrollup_days = 30\n[[entity]]\nid = \"b.x\"\narea = \"hall\"",
    )
    .ok();
    let retention = config.retention();
    let class = |raw_days, rollup_days| Class { raw_days, rollup_days };
    let of = |id: &str| retention.class_of(&EntityId::parse(id).unwrap(), None);
    assert_eq!((of("a.power"), of("b.x"), of("c.x")), (class(Some(7), Some(30)), class(Some(30), Some(400)), class(Some(30), None)));
    assert_eq!((retention.disk_budget_bytes, retention.log_days), (Some(2_048_000_000), Some(400)));
    for (toml, message) in [
        ("retention.raw_days = 0", "signalbox.toml:1: retention.raw_days cannot be 0, expected a whole number of days from 1 to 36500"),
        ("retention.log_days = 1.5", "signalbox.toml:1: retention.log_days cannot be 1.5, expected a whole number of days from 1 to 36500"),
        (
            "[[area]]\nid = \"hall\"\nraw_days = \"long\"",
            "signalbox.toml:3: raw_days of [[area]] \"hall\" cannot be \"long\", expected a whole number of days from 1 to 36500",
        ),
        (
            "[[entity]]\nid = \"a.b\"\nraw_days = 9\nrollup_days = 5",
            "signalbox.toml:1: [[entity]] \"a.b\": rollup_days = 5 is less than raw_days = 9",
        ),
        ("[retention]\nraw_days = 9\nrollup_days = 5", "retention.rollup_days (signalbox.toml:3): rollup_days = 5 is less than raw_days = 9"),
    ] {
        file(toml).fails(message);
    }
}

#[test]
fn an_area_or_an_entity_keeps_sums_no_shorter_than_what_is_said_elsewhere_of_readings() {
    let less =
        |rollup: &str, n: u32, raw: &str, m: u32| format!("{rollup} is {n}, which is less than {raw}, {m}: sums are kept no shorter than readings");
    let global_raw = "retention.raw_days (signalbox.toml:1)";
    for (toml, message) in [
        ("retention.raw_days = 30\n[[area]]\nid = \"hall\"\nrollup_days = 29", less("rollup_days of [[area]] \"hall\"", 29, global_raw, 30)),
        ("retention.raw_days = 30\n[[entity]]\nid = \"a.b\"\nrollup_days = 29", less("rollup_days of [[entity]] \"a.b\"", 29, global_raw, 30)),
        (
            "retention.rollup_days = 30\n[[entity]]\nid = \"a.b\"\nraw_days = 31",
            less("retention.rollup_days (signalbox.toml:1)", 30, "raw_days of [[entity]] \"a.b\"", 31),
        ),
        (
            "[[area]]\nid = \"hall\"\nraw_days = 30\n[[entity]]\nid = \"a.b\"\narea = \"hall\"\nrollup_days = 29",
            less("rollup_days of [[entity]] \"a.b\"", 29, "raw_days of [[area]] \"hall\"", 30),
        ),
    ] {
        file(toml).fails(&message);
    }
    // As long is long enough, and what is nearer counts.
    for toml in [
        "retention.raw_days = 30\n[[area]]\nid = \"hall\"\nrollup_days = 30",
        "retention.raw_days = 30\n[[area]]\nid = \"hall\"\nraw_days = 5\nrollup_days = 5\n[[entity]]\nid = \"a.b\"\narea = \"hall\"\nrollup_days = 5",
    ] {
        file(toml).ok();
    }
    // Where the number of days was said otherwise, that is named.
    file("[[area]]\nid = \"hall\"\nrollup_days = 5").env("SIGNALBOX_RETENTION_RAW_DAYS", "9").fails(&less(
        "rollup_days of [[area]] \"hall\"",
        5,
        "retention.raw_days (environment variable SIGNALBOX_RETENTION_RAW_DAYS)",
        9,
    ));
}
