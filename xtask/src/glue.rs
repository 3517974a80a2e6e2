//! The glue that wasm-bindgen writes, without what only a reader of it has use for.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Takes comments and indentation out of a script: a tenth of what it weighs compressed.
///
/// # Errors
/// When it cannot be read or written, or holds a text over several lines, which would be changed too.
pub(crate) fn shorten(script: &Path) -> Result<()> {
    let text = fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let short = short(&text).with_context(|| script.display().to_string())?;
    fs::write(script, short).with_context(|| format!("cannot write {}", script.display()))
}

fn short(text: &str) -> Result<String> {
    let (mut out, mut is_comment) = (String::with_capacity(text.len()), false);
    for line in text.lines().map(str::trim) {
        ensure!(line.matches('`').count() % 2 == 0, "a text over several lines begins or ends in: {line}");
        is_comment |= line.starts_with("/**");
        if !is_comment && !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    ensure!(!is_comment, "a comment does not end");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_go_and_code_stays() {
        let text =
            "/**\n * @returns {number}\n */\nexport function a() {\n    // Why.\n    return `x /** ${1}`;\n}\n\n/** One line. */\nconst b = 2;\n";
        assert_eq!(short(text).unwrap(), "export function a() {\nreturn `x /** ${1}`;\n}\nconst b = 2;\n");
    }

    #[test]
    fn what_would_be_changed_is_refused() {
        assert!(short("const a = `x\n  y`;").is_err());
        assert!(short("/**\n * without end").is_err());
    }
}
