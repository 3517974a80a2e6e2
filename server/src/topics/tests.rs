//! What is remembered, and how it stays within its limits.

use domain::topic::TopicFilter;

use super::*;

fn message(link: &str, topic: &str, payload: &[u8]) -> Message {
    Message { link: link.into(), topic: topic.into(), payload: payload.into(), qos: 1, retained: false }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn page(topics: &Topics, prefix: &str, after: Option<Key>, limit: usize) -> (Vec<String>, bool) {
    let mut scan = Scan::new(prefix.to_owned(), after, limit);
    while !scan.look(topics) {}
    let (keys, is_more) = scan.end();
    (keys.into_iter().map(|(topic, link)| format!("{topic} {link}")).collect(), is_more)
}

#[test]
fn the_last_message_is_kept_with_its_true_size() {
    let mut topics = Topics::default();
    topics.hear(&message("main", "a/b", &[b'x'; 10_000]), at(1));
    let entry = topics.get("main", "a/b").expect("known");
    assert_eq!((entry.payload().len(), entry.size(), entry.n()), (MAX_PAYLOAD_BYTES, 10_000, 1));
    topics.hear(&message("main", "a/b", b"21"), at(2));
    let entry = topics.get("main", "a/b").expect("known");
    assert_eq!((entry.payload(), entry.size(), entry.n(), entry.heard_at()), (&b"21"[..], 2, 2, at(2)));
    assert!(topics.n_bytes() < 1_000, "a large payload leaves nothing behind");
    assert!(!entry.retained() && topics.get("other", "a/b").is_none());
    topics.hear(&Message { retained: true, qos: 2, ..message("main", "a/b", b"") }, at(3));
    let entry = topics.get("main", "a/b").expect("known");
    assert_eq!((entry.retained(), entry.qos(), entry.size()), (true, 2, 0));
}

#[test]
fn a_rate_looks_back_over_a_minute() {
    let mut topics = Topics::default();
    for second in 0..300 {
        topics.hear(&message("main", "a", b"1"), at(second * 1_000));
    }
    let rate = |topics: &Topics, ms: i64| topics.get("main", "a").expect("known").per_s(at(ms));
    assert_eq!((rate(&topics, 299_999), rate(&topics, 330_000), rate(&topics, 420_000)), (1.0, 0.5, 0.0));
    topics.hear(&message("main", "b", b"1"), at(59_000));
    assert_eq!(topics.get("main", "b").expect("known").per_s(at(61_000)), 0.1);
}

#[test]
fn what_cannot_be_read_is_counted_with_a_sample() {
    let mut topics = Topics::default();
    for payload in [&b"NaN"[..], &[b'y'; 5_000]] {
        let bad = message("main", "a", payload);
        topics.reject(&bad, "no\u{202e} number", at(5));
        topics.hear(&bad, at(5));
    }
    topics.hear(&message("main", "a", b"1"), at(6));
    let entry = topics.get("main", "a").expect("known");
    let bad = entry.bad().expect("counted");
    assert_eq!((bad.n, &*bad.reason, bad.payload.len(), bad.size, bad.at), (2, "no number", MAX_BAD_BYTES, 5_000, at(5)));
    assert_eq!((entry.n(), topics.n_bad("main"), topics.n_bad("other")), (3, 2, 0));
}

#[test]
fn topics_not_heard_for_long_are_forgotten_first() {
    let mut topics = Topics::new(Limits { topics: 1_000, ..Limits::default() });
    for n in 0..10_000 {
        // One topic speaks all the time.
        topics.hear(&message("main", "busy", b"1"), at(n));
        topics.hear(&message("main", &format!("flood/{n}"), b"1"), at(n));
        assert!(topics.n_known() <= 1_000);
    }
    assert_eq!(topics.n_known() as u64 + topics.n_forgotten(), 10_001);
    assert_eq!(topics.get("main", "busy").map(Entry::n), Some(10_000));
    let last = (9_900..10_000).filter(|n| topics.get("main", &format!("flood/{n}")).is_some()).count();
    assert_eq!(last, 100, "the newest are there");
    assert!(page(&topics, "flood/", None, 100_000).0.len() == 999);
}

#[test]
fn bytes_are_bounded_too() {
    let mut topics = Topics::new(Limits { bytes: 1 << 20, ..Limits::default() });
    for n in 0..2_000 {
        let bad = message("main", &format!("{n}/{}", "t".repeat(1_000)), &[b'x'; 20_000]);
        topics.reject(&bad, "why", at(n));
        topics.hear(&bad, at(n));
        assert!(topics.n_bytes() <= 1 << 20);
    }
    assert!(topics.n_known() > 100 && topics.n_forgotten() > 1_000);
    let known: usize = topics.entries.iter().flatten().map(Entry::n_bytes).sum();
    assert_eq!(known, topics.n_bytes(), "the account is true");
}

#[test]
fn pages_are_in_order_whatever_the_order_of_arrival() {
    let mut topics = Topics::default();
    for n in (0..10_000).rev() {
        topics.hear(&message("main", &format!("t/{n:05}"), b"1"), at(1));
    }
    topics.hear(&message("other", "t/00001", b"1"), at(1));
    topics.hear(&message("main", "s", b"1"), at(1));
    assert_eq!(page(&topics, "t/", None, 3), (vec!["t/00000 main".into(), "t/00001 main".into(), "t/00001 other".into()], true));
    assert_eq!(page(&topics, "t/", Some(("t/00001".into(), "main".into())), 1), (vec!["t/00001 other".into()], true));
    assert_eq!(page(&topics, "", Some(("t/09998".into(), "main".into())), 5), (vec!["t/09999 main".into()], false));
    assert_eq!(page(&topics, "x", None, 5), (vec![], false));
}

/// `greenhouse 3 below`, `status`: what stands on each level on the way to `topic`.
fn levels(topics: &Topics, topic: &str, wanted: &str, limit: usize) -> (Vec<(String, Vec<String>, bool)>, usize) {
    let wanted = TopicFilter::parse(wanted).ok().filter(|filter| filter.as_str().contains(['+', '#']));
    let wanted = wanted.map_or_else(|| Wanted::Prefix(String::new()), Wanted::Filter);
    let mut tree = Tree::new(topic, wanted, limit);
    while !tree.look(topics) {}
    let (levels, n) = tree.end();
    let words = |(word, twig): (Box<str>, Twig)| {
        let below = if twig.n_below > 0 { format!(" {} below", twig.n_below) } else { String::new() };
        format!("{word}{}{below}", if twig.topic.is_some() { "" } else { "/" })
    };
    (levels.into_iter().map(|(prefix, (twigs, is_more))| (prefix, twigs.into_iter().map(words).collect(), is_more)).collect(), n)
}

#[test]
fn levels_are_counted_down_to_the_topic_that_is_looked_at() {
    let mut topics = Topics::default();
    for topic in ["g/1/climate", "g/1/climate/set", "g/1/", "g/2", "/lead", "z"] {
        topics.hear(&message("main", topic, b"1"), at(1));
    }
    topics.hear(&message("a", "z", b"2"), at(1));
    let (found, n) = levels(&topics, "g/1/climate", "", 200);
    let level = |prefix: &str, words: &[&str]| (prefix.to_owned(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), false);
    assert_eq!(found, [level("", &["/ 1 below", "g/ 4 below", "z"]), level("g/", &["1/ 3 below", "2"]), level("g/1/", &["", "climate 1 below"])]);
    assert_eq!(n, 7);
    assert_eq!(levels(&topics, "", "g/+", 200), (vec![level("", &["g/ 1 below"])], 1));
    assert_eq!(levels(&topics, "none/of/these", "", 200).0[1..], [level("none/", &[]), level("none/of/", &[])]);
    assert_eq!(topics.on("z").iter().map(|(link, entry)| (&***link, entry.payload())).collect::<Vec<_>>(), [("a", &b"2"[..]), ("main", b"1")]);
}

#[test]
fn a_level_is_bounded_and_what_is_kept_of_it_is_counted_right() {
    let mut topics = Topics::default();
    for n in (0..5_000).rev() {
        for leaf in ["x", "y"] {
            topics.hear(&message("main", &format!("{:04}/{leaf}", n * 7 % 5_000), b"1"), at(1));
        }
    }
    let (found, _) = levels(&topics, "", "", 3);
    assert_eq!(found, [(String::new(), vec!["0000/ 2 below".to_owned(), "0001/ 2 below".to_owned(), "0002/ 2 below".to_owned()], true)]);
}
