//! Light, dark, or what the system prefers. Kept in a cookie, so that the server paints the right one at once.

use leptos::prelude::{document, is_browser, use_context};

/// The cookie's name.
pub const COOKIE: &str = "theme";

/// Which colors a page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// What the system prefers.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The theme of a word; [`Theme::Auto`] for every other text.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The theme that a `Cookie` header asks for.
    #[must_use]
    pub fn from_cookies(header: &str) -> Self {
        header.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE).and_then(|rest| rest.strip_prefix('='))).map_or(Self::Auto, Self::parse)
    }

    /// The word in the cookie.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// `data-theme` of the document; `None` leaves it to the system.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// The theme of this page: from the context that the HTTP layer provided, or in the browser from the document that it made.
    #[must_use]
    pub fn current() -> Self {
        if is_browser() {
            let word = document().document_element().and_then(|root| root.get_attribute("data-theme"));
            return word.map_or(Self::Auto, |word| Self::parse(&word));
        }
        use_context::<Self>().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_names_the_theme() {
        for (header, theme) in [
            ("theme=dark", Theme::Dark),
            ("a=b; theme=light; c=d", Theme::Light),
            ("mytheme=dark", Theme::Auto),
            ("theme=<script>", Theme::Auto),
            ("", Theme::Auto),
        ] {
            assert_eq!(Theme::from_cookies(header), theme, "{header}");
        }
    }
}
