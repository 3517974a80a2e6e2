//! The style sheet keeps its promises.

const TOKENS: &str = include_str!("../../style/_tokens.scss");

/// The declarations of the block that begins with `selector`, without comments, in order.
fn declarations(selector: &str) -> Vec<String> {
    let (_, rest) = TOKENS.split_once(selector).expect(selector);
    let (block, _) = rest.split_once('}').expect("a block ends");
    let lines: Vec<&str> = block.lines().filter(|line| !line.trim_start().starts_with("/*")).collect();
    lines.concat().split(';').map(|declaration| declaration.trim().to_owned()).filter(|declaration| !declaration.is_empty()).collect()
}

#[test]
fn the_dark_values_of_the_system_and_of_the_switch_are_equal() {
    let system = declarations(":root:not([data-theme=\"light\"]) {");
    assert!(system.len() > 40, "{system:?}");
    assert_eq!(system, declarations(":root[data-theme=\"dark\"] {"));
}

#[test]
fn every_light_color_has_a_dark_one() {
    let names = |selector| -> Vec<String> {
        declarations(selector).iter().filter_map(|declaration| declaration.split_once(':')).map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(names(":root {\n    color-scheme: light;"), names(":root[data-theme=\"dark\"] {\n    color-scheme: dark;"));
}
