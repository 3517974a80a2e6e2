use serde_json::json;

use super::*;

fn made(template: &str, value: &str) -> Result<String, TemplateError> {
    let mut templates = Templates::default();
    templates.prepare(template);
    let json = serde_json::from_str::<serde_json::Value>(value).map_or(minijinja::Value::UNDEFINED, |json| minijinja::value::Serde(json).into());
    templates.render(template, value, &json)
}

#[test]
fn templates_do_what_home_assistants_do() {
    let payload =
        json!({"t": 21.46, "n": 3, "s": "21.5", "on": true, "nothing": null, "ENERGY": {"Power": [7, 8]}, "text": "Motion Detected", "hex": "0x1F"});
    for (template, text) in [
        ("{{ value_json.t }}", "21.46"),
        ("{{ value_json['ENERGY']['Power'][1] }}", "8"),
        ("{{ value_json.s | float }}", "21.5"),
        ("{{ value_json.s | float(0) * 2 }}", "43.0"),
        ("{{ value_json.text | float(0) }}", "0"),
        ("{{ value_json.missing | float(default=-1) }}", "-1"),
        ("{{ float(value_json.s) + 1 }}", "22.5"),
        ("{{ value_json.t | int }}", "21"),
        ("{{ value_json.s | int }}", "21"),
        ("{{ 'x' | int(5) }}", "5"),
        ("{{ value_json.t | round(1) }}", "21.5"),
        ("{{ value_json.t | round }}", "21"),
        (
            "{{ 2.5 | round }} {{ 3.5 | round(0) }} {{ 21.41 | round(1, 'ceil') }} {{ 21.49 | round(1, 'floor') }} {{ 1.3 | round(0, 'half') }}",
            "2 4 21.5 21.4 1.5",
        ),
        ("{{ (value_json.t * 10) | round / 10 }}", "21.5"),
        ("{{ 'x' | round(1, default=9) }}", "9"),
        ("{{ value_json.missing | default('none') }}", "none"),
        ("{{ value_json.a.b.c | default(3) }}", "3"),
        ("{{ value_json.text | lower }}", "motion detected"),
        ("{{ value_json.text.split(' ')[0].upper() }}", "MOTION"),
        ("{{ value_json.text.split() | length }}", "2"),
        ("{{ value_json.text[0:3] }}", "Mot"),
        ("{{ value_json.text | replace(' ', '_') }}", "Motion_Detected"),
        ("{{ value_json.text.replace(' ', '').startswith('MotionD') }}", "True"),
        ("{{ ' a '.strip() }}{{ 'xax'.strip('x') }}{{ '7'.zfill(3) }}", "aa007"),
        ("{{ 'on' if value_json.on else 'off' }}", "on"),
        ("{{ iif(value_json.n > 2, 'much', 'little') }}", "much"),
        ("{{ value_json.on | iif('ON', 'OFF') }}", "ON"),
        ("{{ 'tion' in value_json.text }}", "True"),
        ("{{ value_json.on }}", "True"),
        ("{{ value_json.nothing }}", "None"),
        ("{{ value_json.n | multiply(0.5) }} {{ value_json.n | multiply(2) }}", "1.5 6"),
        ("{{ [1, 3, 2] | max }} {{ min(4, 2) }} {{ max([1, 9]) }}", "3 2 9"),
        ("{{ value_json.n | abs }} {{ -2 | abs }}", "3 2"),
        ("{{ 'yes' | bool }} {{ 'no' | bool }} {{ 'x' | bool(true) }}", "True False True"),
        ("{{ value_json.ENERGY | tojson }}", "{\"Power\": [7, 8]}"),
        ("{{ {'brightness': value_json.n} | to_json }}", "{\"brightness\":3}"),
        ("{{ ('{\"a\": {\"b\": 4}}' | from_json).a.b }}", "4"),
        ("{{ value_json.get('n', 0) }} {{ value_json.get('m', 5) }}", "3 5"),
        ("{% for key, item in value_json.ENERGY.items() %}{{ key }}={{ item[0] }}{% endfor %}", "Power=7"),
        ("{% if value_json.n == 3 %}open{% else %}closed{% endif %}", "open"),
        ("{% set x = value_json.n + 1 %}{{ x }}", "4"),
        ("{{ 5 | bitwise_and(4) }} {{ 'x1' | is_number }} {{ is_number('3.5') }}", "4 False True"),
        ("{{ '%0.1f' | format(value_json.t) }}", "21.5"),
        ("{{ value_json.missing | is_defined }}", ""),
        ("{{ value_json.n | is_defined }}", "3"),
        ("{{ value_json.missing }}", ""),
    ] {
        assert_eq!(made(template, &payload.to_string()).as_deref(), Ok(text), "{template}");
    }
    assert_eq!(made("{{ value | float + 1 }}", "21").as_deref(), Ok("22.0"));
    assert_eq!(made("{{ value[0:3] }}", "abcdef").as_deref(), Ok("abc"));
}

#[test]
fn what_cannot_be_done_is_an_error_that_names_the_template() {
    for (template, why) in [
        ("{{ value | float }}", "float got \"x\" and no default"),
        ("{{ states('sensor.x') }}", "states"),
        ("{{ now().hour }}", "now"),
        ("{{ value | no_such_filter }}", "no_such_filter"),
        ("{{ value.no_such_method() }}", "no_such_method"),
        ("{{ 1 / 0 }}", "unable to calculate"),
        ("{{ value", "end of"),
        ("{% if value %}", "end of"),
        ("{% include 'x' %}", "unknown statement"),
    ] {
        let error = made(template, "x").expect_err(template).to_string();
        assert!(error.contains(&clean_text(template, 20)) && error.contains(why), "{template}: {error}");
    }
}

/// Whatever a template tries, it is cut off soon, in the stack of a thread of a server and without taking much room.
#[test]
fn what_takes_too_long_or_makes_too_much_is_cut_off() {
    let nested = |open: &str, inner: &str, close: &str, n: usize| [open.repeat(n).as_str(), inner, close.repeat(n).as_str()].concat();
    let doubling = |line: &str, last: &str| ["{% set a = [1, 1] %}{% set s = 'ab' %}", &line.repeat(60), last].concat();
    let bombs = [
        "{% for i in range(1000000000) %}x{% endfor %}".to_owned(),
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}".to_owned(),
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}".to_owned(),
        "{{ 'x' * 1000000000 }}".to_owned(),
        "{{ ('x' * 1000000) | length }}".to_owned(),
        "{{ ([0] * 100000000) | length }}".to_owned(),
        "{{ 'x' | center(1000000000) }}".to_owned(),
        "{{ '%1000000000d' | format(3) }}".to_owned(),
        "{{ 'x' | indent(1000000000) }}".to_owned(),
        "{{ 'x'.zfill(1000000000) }}".to_owned(),
        "{{ 10 ** 1000000000 }}".to_owned(),
        "{{ range(1000000000) | list | length }}".to_owned(),
        "{{ value_json | tojson(indent=1000000000) }}".to_owned(),
        doubling("{% set s = s ~ s %}", "{{ s | length }}"),
        doubling("{% set s = s + s %}", "{{ s | length }}"),
        doubling("{% set s = s.replace('a', 'aaaaaaaaaaaaaaaaaaaaaa') %}", "{{ s | length }}"),
        doubling("{% set s = s | replace('a', 'aaaaaaaaaaaaaaaaaaaaaa') %}", "{{ s | length }}"),
        doubling("{% set s = s.join([s, s, s]) %}", "{{ s | length }}"),
        doubling("{% set a = a + a %}", "{{ a | length }}"),
        doubling("{% set a = [a, a] %}", "{{ a }}"),
        doubling("{% set a = [a, a] %}", "{{ (a | string) | length }}"),
        doubling("{% set a = [a, a] %}", "{{ (a ~ '') | length }}"),
        doubling("{% set a = [a, a] %}", "{{ (a | tojson) | length }}"),
        doubling("{% set a = [a, a] %}", "{{ (a | to_json) | length }}"),
        doubling("{% set a = [a, a] %}", "{{ a | float }}"),
        doubling("{% set a = [a, a] %}", "{{ a | lower }}"),
        doubling("{% set a = [a, a] %}", "{{ a | join }}"),
        doubling("{% set a = [a, a] %}", "{{ a | pprint }}"),
        doubling("{% set a = [a, a] %}", "{{ a + 1 }}"),
        nested("{% if 1 %}", "x", "{% endif %}", 400),
        nested("{{ ", "1", " }}", 400),
        ["{{ ", &nested("(", "1", ")", 7_000), " }}"].concat(),
        ["{{ ", &nested("[", "1", "]", 7_000), " }}"].concat(),
        ["{{ ", &"-".repeat(10_000), "1 }}"].concat(),
        ["{{ ", &"not ".repeat(4_000), "1 }}"].concat(),
        ["{{ ", &"-".repeat(900), "1 }}"].concat(),
        ["{{ ", &"not ".repeat(200), "1 }}"].concat(),
        ["{{ value", &".a".repeat(950), " }}"].concat(),
        ["{{ value", &"[0]".repeat(950), " }}"].concat(),
        ["{{ value", &"|abs".repeat(950), " }}"].concat(),
        ["{{ 1", &" - 1".repeat(950), " }}"].concat(),
        ["{{ 1", &" ~ 1".repeat(950), " }}"].concat(),
        ["{{ 1", &" < 1".repeat(950), " }}"].concat(),
        ["{{ 1", &" and 1".repeat(200), " }}"].concat(),
        ["{{ 1", &" if 1 else 1".repeat(100), " }}"].concat(),
        ["{{ value", &"()".repeat(950), " }}"].concat(),
        ["{% if 0 %}", &"{% elif 0 %}".repeat(199), "{% endif %}"].concat(),
        ["{{ 2", &" ** 2".repeat(450), " }}"].concat(),
        "{{ ((value_json.l * 90000000) | string) | length }}".to_owned(),
        "{{ (value_json.l * 90000000) ~ '' }}".to_owned(),
        "{{ (value_json.l * 90000000) | lower }}".to_owned(),
        "{{ (value_json.l * 90000000) | contains(5) }}".to_owned(),
        "{{ value_json.l * 90000000 }}".to_owned(),
        "{{ (value_json.l * 90000000) is lower }}".to_owned(),
        "{{ ((0,) * 90000000) | length }}".to_owned(),
        "{{ (value_json.l * 9000000) == (value_json.l * 9000000) }}".to_owned(),
        "{% if 1 %}".repeat(10_000),
        nested("(", "1", ")", 10_000).repeat(2),
    ];
    let all = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        for bomb in bombs {
            let made = made(&bomb, "{\"a\":1,\"l\":[0]}");
            let shown = clean_text(&bomb, 100);
            assert!(made.is_err() || made.as_ref().is_ok_and(|made| made.len() <= MAX_MADE_BYTES), "{shown}: {made:?}");
        }
    });
    all.expect("a thread").join().expect("nothing panics");
}

/// Lists in lists in lists take stack when they are written down, and when they are let go; two of the same in each take time when they are compared.
#[test]
fn no_value_is_too_deep_or_too_wide_to_be_looked_at() {
    let ends = [
        "",
        "{{ a }}",
        "{{ a | string | length }}",
        "{{ a | tojson | length }}",
        "{{ a == b }}",
        "{{ a in [b] }}",
        "{{ [a, b] | sort | length }}",
        "{{ [a, b] | unique | list | length }}",
        "{{ a | float }}",
        "{{ a ~ b }}",
    ];
    let mut bombs = vec![];
    for end in ends {
        for (start, line) in [
            ("{% set a = [] %}{% set b = [] %}", "{% set a = [a] %}{% set b = [b] %}"),
            ("{% set a = [] %}{% set b = [] %}", "{% set a = [a, a] %}{% set b = [b, b] %}"),
            ("{% set a = [] %}{% set b = [] %}", "{% set a = {1: a, 2: a} %}{% set b = {1: b, 2: b} %}"),
            ("{% set a = [] %}{% set b = [] %}", "{% set a = (a, a) %}{% set b = (b, b) %}"),
            ("{% set a = [1] %}{% set b = [1] %}", "{% set a = a + a %}{% set b = b + b %}"),
            ("{% set a = [1] %}{% set b = [1] %}", "{% set a = a * 2 %}{% set b = b * 2 %}"),
            ("{% set a = [1] %}{% set b = [1] %}", "{% set a = [a] * 1000 %}{% set b = [b] * 1000 %}"),
            ("{% set a = {1: 1} %}{% set b = {1: 1} %}", "{% set a = a | items | list %}{% set b = b | items | list %}"),
        ] {
            bombs.extend([1, 7, 9, 25, 30, 60, 200].map(|n| [start, &line.repeat(n), end].concat()));
        }
        bombs.push(["{% set ns = namespace(a=[]) %}{% for i in range(9999) %}{% set ns.a = [ns.a] %}{% endfor %}", end].concat());
        bombs.push(["{% set a = [] %}{% for i in range(9999) %}{% set a = [a] %}{% endfor %}", end].concat());
        bombs.push(["{% macro f(a) %}{{ f([a, a]) }}{% endmacro %}{{ f([]) }}", end].concat());
    }
    let all = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        // One that hangs keeps the test from ending.
        for bomb in bombs {
            let _: Result<String, TemplateError> = made(&bomb, "{}");
        }
    });
    all.expect("a thread").join().expect("nothing panics");
}

#[test]
fn templates_are_bounded() {
    let mut templates = Templates::default();
    let long = "x".repeat(MAX_TEMPLATE_BYTES + 1);
    templates.prepare(&long);
    let error = templates.render(&long, "", &minijinja::Value::UNDEFINED).expect_err("too long");
    assert!(error.to_string().contains("more than 16384 bytes"), "{error}");
    for n in 0..1_100 {
        templates.prepare(&format!("{n}{}", "x".repeat(MAX_TEMPLATE_BYTES - 10)));
    }
    assert!(templates.n_bytes <= MOST_BYTES);
    let error = templates.render("never seen", "", &minijinja::Value::UNDEFINED).expect_err("unknown");
    assert!(error.to_string().contains("too many templates"), "{error}");
}
