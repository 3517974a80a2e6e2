//! Blocks of the file.

use super::*;

#[test]
fn blocks_are_read_with_their_defaults() {
    let setting = file(
        r##"
        [[mqtt]]
        url = "mqtt://192.168.1.10"
        [[mqtt]]
        name = "barn"
        url = "mqtts://barn.example:8883"
        username = "me"
        password = "s3cret"
        client_id = "box_1"
        subscribe = ["a/#", "+/b"]
        qos = 2
        protocol = "3.1.1"
        ca_file = "ca.pem"
        cert_file = "/etc/cert.pem"
        key_file = "key.pem"
        [[topic]]
        pattern = "{site}/{area}/{device}/{measure}"
        [[topic]]
        pattern = "meters/{device}/json"
        [[rule]]
        id = "hot"
        entity = "bed-a.temperature"
        condition = { type = "above", limit = 34 }
        severity = "critical"
        hysteresis = 0.5
        message = "Too hot"
        [[rule]]
        id = "gone"
        entity = "pump.rpm"
        condition.type = "offline"
        severity = "notice"
        [[area]]
        id = "green_house"
        [[area]]
        id = "van"
        name = "Camper van"
        icon = "van"
        [[entity]]
        id = "bed-a.temperature"
        name = "Bed A"
        area = "green_house"
        icon = "soil"
        unit = "K"
        precision = 2
        counter = false
        order = -1
        hidden = true
        word_on = "Wet"
        word_off = "Dry"
        stale_after_s = 90
        [[entity]]
        id = "blind.left"
        kind = "cover"
        command_topic = "blinds/left/set"
        position_command_topic = "blinds/left/position/set"
        state_topic = "blinds/left"
        link = "barn"
        [[entity]]
        id = "boiler.mode"
        kind = "select"
        command_topic = "boiler/mode/set"
        options = ["eco", "comfort"]
        link = "broker"
        "##,
    );
    let config = setting.ok();
    let plain = &config.mqtt[0];
    assert_eq!((plain.name.as_str(), plain.url.expose(), plain.qos, plain.protocol), ("broker", "mqtt://192.168.1.10", 1, Protocol::Auto));
    assert_eq!(plain.subscribe.iter().map(domain::topic::TopicFilter::as_str).collect::<Vec<_>>(), ["#"]);
    assert_eq!((&plain.password, &plain.client_id, &plain.ca_file), (&None, &None, &None));
    let full = &config.mqtt[1];
    assert_eq!((full.qos, full.protocol, full.password.as_ref().map(Secret::expose)), (2, Protocol::V311, Some("s3cret")));
    assert_eq!((full.ca_file.clone(), full.cert_file.clone()), (Some(setting.folder.path().join("ca.pem")), Some("/etc/cert.pem".into())));
    assert!(!config.runs_embedded_broker());
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(
        config.patterns.iter().map(domain::convention::plain::TopicPattern::as_str).collect::<Vec<_>>(),
        ["{site}/{area}/{device}/{measure}", "meters/{device}/json"]
    );
    let hot = &config.rules[0];
    assert_eq!((hot.condition.words().as_str(), hot.hysteresis, hot.message.as_str()), ("above 34", 0.5, "Too hot"));
    assert_eq!((config.rules[1].condition.words().as_str(), config.rules[1].name.as_str()), ("offline", ""));
    assert_eq!(
        config.areas.iter().map(|a| (a.name.as_str(), a.icon.as_deref())).collect::<Vec<_>>(),
        [("Green house", None), ("Camper van", Some("van"))]
    );
    let (_, entity) = &config.entities[0];
    assert_eq!((entity.unit.as_deref(), entity.precision, entity.order, entity.hidden), (Some("K"), Some(2), Some(-1), Some(true)));
    assert_eq!((entity.word_on.as_deref(), entity.word_off.as_deref()), (Some("Wet"), Some("Dry")));
    assert_eq!((entity.stale_after_s, entity.counter), (Some(90), Some(false)));
    let [(blind, cover), (_, mode)] = config.declared.as_slice() else { panic!("two can be set") };
    assert_eq!((blind.as_str(), cover.state_topic.as_deref(), cover.link.as_deref()), ("blind.left", Some("blinds/left"), Some("barn")));
    assert_eq!(cover.control.position_command_topic.as_deref(), Some("blinds/left/position/set"));
    assert_eq!((mode.control.options.as_slice(), &mode.state_topic), (["eco".to_owned(), "comfort".to_owned()].as_slice(), &None));
}

#[test]
fn a_broken_block_names_itself_its_field_and_what_is_expected() {
    let rule = |rest: &str| format!("[[rule]]\nid = \"hot\"\nentity = \"a.b\"\nseverity = \"warning\"\n{rest}");
    let entity = |rest: &str| format!("[[entity]]\nid = \"a.b\"\n{rest}");
    let above = "condition = { type = \"above\", limit = 1 }";
    for (toml, message) in [
        ("[mqtt]\nurl = \"x\"".to_owned(), "signalbox.toml:1: mqtt is a kind of block, write [[mqtt]] in front of each"),
        ("mqtt = [1]".to_owned(), "signalbox.toml:1: mqtt is a kind of block, write [[mqtt]] in front of each"),
        ("[[mqtt]]\nname = \"a\"".to_owned(), "signalbox.toml:1: url of [[mqtt]] \"a\" is missing, expected a URL such as mqtt://192.168.1.10:1883"),
        ("[[mqtt]]\nurl = \"a\"\nqos = 3".to_owned(), "signalbox.toml:3: qos of [[mqtt]] cannot be 3, expected 0, 1 or 2"),
        (
            "[[mqtt]]\nurl = \"a\"\nsubscribe = [\"a#\"]".to_owned(),
            "signalbox.toml:3: subscribe of [[mqtt]] cannot be [\"a#\"], expected a list of topic filters such as [\"sensors/#\", \"+/+/state\"]",
        ),
        ("[[mqtt]]\nurl = \"a\"\npassword = 5".to_owned(), "signalbox.toml:3: password of [[mqtt]] cannot be what it is, expected a text"),
        (
            "[[mqtt]]\nurl = \"a\"\nclient_id = \"a/b\"".to_owned(),
            "signalbox.toml:3: client_id of [[mqtt]] cannot be \"a/b\", expected at most 64 characters of a-z, A-Z, 0-9, _ and -",
        ),
        (
            "[[mqtt]]\nurl = \"a\"\nprotocol = 4".to_owned(),
            "signalbox.toml:3: protocol of [[mqtt]] cannot be 4, expected \"auto\", \"5\" or \"3.1.1\"",
        ),
        (
            "[[mqtt]]\nurl = \"mqtt://a\"\nca_file = \"c\"".to_owned(),
            "signalbox.toml:1: [[mqtt]]: ca_file, cert_file and key_file need a url mqtts:// or wss://",
        ),
        ("[[mqtt]]\nurl = \"mqtts://a\"\ncert_file = \"c\"".to_owned(), "signalbox.toml:1: key_file of [[mqtt]] is missing, expected a PEM file"),
        ("[[mqtt]]\nurl = \"a\"\n[[mqtt]]\nurl = \"b\"".to_owned(), "signalbox.toml:3: there is another [[mqtt]] \"broker\""),
        ("[[topic]]\nname = \"a\"".to_owned(), "signalbox.toml:2: unknown key name of [[topic]], the nearest known key is pattern"),
        (
            "[[topic]]".to_owned(),
            "signalbox.toml:1: pattern of [[topic]] is missing, expected a topic with names in braces, such as sensors/{device}/{measure} or \
             {site}/{area}/{device}/{measure}",
        ),
        (
            "[[topic]]\npattern = \"a/{room}\"".to_owned(),
            "signalbox.toml:1: [[topic]] \"a/{room}\": topic pattern \"a/{room}\" has a level that is not understood: {device}, {measure}, {site}, {area} \
             and {kind} each fill one",
        ),
        (
            "[[topic]]\npattern = \"{device}\"\n[[topic]]\npattern = \"{device}\"".to_owned(),
            "signalbox.toml:3: there is another [[topic]] \"{device}\"",
        ),
        (format!("{}\n{}", rule(above), rule(above)), "signalbox.toml:6: there is another [[rule]] \"hot\""),
        (
            "[[rule]]\nid = \"hot\"\nentity = \"A.b\"".to_owned(),
            "signalbox.toml:3: entity of [[rule]] \"hot\" cannot be \"A.b\", expected an entity id such as temp-sensor-001.temperature",
        ),
        ("[[rule]]\nid = \"\"".to_owned(), "signalbox.toml:2: id of [[rule]] \"\" cannot be \"\", expected an id of a-z, A-Z, 0-9, _, - and ."),
        (
            rule(&format!("{above}\nhysteresis = -1")),
            "signalbox.toml:6: hysteresis of [[rule]] \"hot\" cannot be -1, expected a finite number that is not negative",
        ),
        (
            rule(&format!("{above}\nhysteresis = inf")),
            "signalbox.toml:6: hysteresis of [[rule]] \"hot\" cannot be inf, expected a finite number that is not negative",
        ),
        (
            rule("condition = { type = \"above\", limit = nan }"),
            "signalbox.toml:5: limit of the condition of [[rule]] \"hot\" cannot be nan, expected a finite number",
        ),
        (
            rule("condition = { type = \"above\" }"),
            "signalbox.toml:5: limit of the condition of [[rule]] \"hot\" is missing, expected a finite number",
        ),
        (
            rule("condition = { type = \"above\", limt = 3 }"),
            "signalbox.toml:5: unknown key limt of the condition of [[rule]] \"hot\", the nearest known key is limit",
        ),
        (
            rule("condition = { type = \"over\", limit = 3 }"),
            "signalbox.toml:5: type of the condition of [[rule]] \"hot\" cannot be \"over\", expected \"above\", \"below\" or \"offline\"",
        ),
        (
            rule("condition = { type = \"offline\", limit = 3 }"),
            "signalbox.toml:5: condition of [[rule]] \"hot\" cannot be { type = \"offline\", limit = 3 }, expected { type = \"above\", limit = 30 }, \
             { type = \"below\", limit = 5 } or { type = \"offline\" }",
        ),
        (
            "[[rule]]\nid = \"hot\"\nentity = \"a.b\"\nseverity = \"bad\"\ncondition = { type = \"offline\" }".to_owned(),
            "signalbox.toml:4: severity of [[rule]] \"hot\" cannot be \"bad\", expected \"critical\", \"warning\" or \"notice\"",
        ),
        ("[[area]]\nname = \"a\"".to_owned(), "signalbox.toml:1: id of [[area]] is missing, expected an area id of a-z, 0-9, _ and -"),
        ("[[area]]\nid = \"a\"\n[[area]]\nid = \"a\"".to_owned(), "signalbox.toml:3: there is another [[area]] \"a\""),
        (
            "[[area]]\nid = \"a\"\nname = \" \"".to_owned(),
            "signalbox.toml:3: name of [[area]] \"a\" cannot be \" \", expected a name of at most 80 characters",
        ),
        (
            "[[entity]]\nid = \"a.b\"\nprecision = 4".to_owned(),
            "signalbox.toml:3: precision of [[entity]] \"a.b\" cannot be 4, expected a number of decimals, 0 to 3",
        ),
        (
            "[[entity]]\nid = \"a.b\"\nstale_after_s = -1".to_owned(),
            "signalbox.toml:3: stale_after_s of [[entity]] \"a.b\" cannot be -1, expected a whole number of seconds from 1 to 31,536,000 (a year), or 0 for never",
        ),
        (
            entity("kind = \"lamp\""),
            "signalbox.toml:3: kind of [[entity]] \"a.b\" cannot be \"lamp\", expected \"light\", \"switch\", \"number\", \"select\", \"text\", \
             \"button\", \"cover\", \"climate\" or \"fan\"",
        ),
        (
            entity("kind = \"number\""),
            "signalbox.toml:1: command_topic of [[entity]] \"a.b\" is missing, expected a topic without wildcards, such as pump/speed/set",
        ),
        (entity("min = 3"), "signalbox.toml:1: [[entity]] \"a.b\": min needs a kind beside it"),
        (entity("command_topic = \"a\""), "signalbox.toml:1: [[entity]] \"a.b\": command_topic needs a kind beside it"),
        (entity("kind = \"cover\"\ncommand_topic = \"a\"\nmin = 3"), "signalbox.toml:1: [[entity]] \"a.b\": a cover has no min"),
        (
            entity("kind = \"button\"\ncommand_topic = \"a\"\nstate_topic = \"b\""),
            "signalbox.toml:1: [[entity]] \"a.b\": a button has no state_topic",
        ),
        (entity("kind = \"number\"\ncommand_topic = \"a\"\nmin = 3\nmax = 3"), "signalbox.toml:1: [[entity]] \"a.b\": min must be less than max"),
        (
            entity("kind = \"number\"\ncommand_topic = \"a\"\nstep = 0"),
            "signalbox.toml:5: step of [[entity]] \"a.b\" cannot be 0, expected a finite number above 0",
        ),
        (
            entity("kind = \"switch\"\ncommand_topic = \"a/#\""),
            "signalbox.toml:4: command_topic of [[entity]] \"a.b\" cannot be \"a/#\", expected a topic without wildcards, such as pump/speed/set",
        ),
        (
            entity("kind = \"switch\"\ncommand_topic = \"a\"\nstate_topic = \"a\""),
            "signalbox.toml:1: [[entity]] \"a.b\": state_topic and command_topic are the same: a command would be taken for the device's word",
        ),
        (
            entity("kind = \"select\"\ncommand_topic = \"a\"\noptions = [\"x\", \"x\"]"),
            "signalbox.toml:5: options of [[entity]] \"a.b\" cannot be [\"x\", \"x\"], expected a list of at most 100 different words, such as \
             [\"eco\", \"comfort\"]",
        ),
        (
            entity("kind = \"switch\"\ncommand_topic = \"a\"\nlink = \"plant\""),
            "link of [[entity]] \"a.b\" is \"plant\", which is no broker; there is embedded",
        ),
        (
            format!(
                "[[mqtt]]\nname = \"x\"\nurl = \"mqtt://x\"\n[[mqtt]]\nname = \"y\"\nurl = \"mqtt://y\"\n{}",
                entity("kind = \"switch\"\ncommand_topic = \"a\"")
            ),
            "link of [[entity]] \"a.b\" is missing: there are several brokers, x, y",
        ),
        ("[[entity]]\nid = \"a.b\"\nhidden = 1".to_owned(), "signalbox.toml:3: hidden of [[entity]] \"a.b\" cannot be 1, expected true or false"),
        (
            "[[entity]]\nid = \"a.b\"\norder = 3_000_000_000".to_owned(),
            "signalbox.toml:3: order of [[entity]] \"a.b\" cannot be 3_000_000_000, expected a whole number, lower first",
        ),
        ("[[entity]]\nid = \"a.b\"\n[[entity]]\nid = \"a.b\"".to_owned(), "signalbox.toml:3: there is another [[entity]] \"a.b\""),
    ] {
        file(&toml).fails(message);
    }
}
