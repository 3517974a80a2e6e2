//! The style sheet keeps its promises.

const TOKENS: &str = include_str!("../../style/_tokens.scss");

/// The declarations of the first block after `selector`, one a line, in order.
fn declarations(selector: &str) -> Vec<&'static str> {
    let (_, rest) = TOKENS.split_once(selector).expect(selector);
    let (block, _) = rest.split_once('}').expect("a block ends");
    let (_, block) = block.split_once('{').unwrap_or(("", block));
    block.split(';').map(str::trim).filter(|declaration| !declaration.is_empty()).collect()
}

#[test]
fn the_dark_values_of_the_system_and_of_the_switch_are_equal() {
    let system = declarations(":root:not([data-theme=\"light\"])");
    assert!(system.len() > 40, "{system:?}");
    assert_eq!(system, declarations(":root[data-theme=\"dark\"]"));
}

#[test]
fn every_light_color_has_a_dark_one() {
    // A comment may stand in front of a name.
    let names = |selector| -> Vec<&str> { declarations(selector).iter().filter_map(|d| d.split_once(':')?.0.split_whitespace().last()).collect() };
    assert_eq!(names(":root {\n    color-scheme: light;"), names(":root[data-theme=\"dark\"] {\n    color-scheme: dark;"));
}
