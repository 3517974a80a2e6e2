//! The site's files: code, style sheet, icons. They are inside the binary; only `cargo leptos` serves them from a folder.

use std::borrow::Cow;
use std::sync::LazyLock;

use app::app::StyleSheet;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use leptos::config::{LeptosOptions, get_configuration};
use rust_embed::RustEmbed;

/// Names in `pkg` hold the hash of the content, so what a browser has is never out of date.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Icons and the like keep their names: asked for again after ten minutes, and answered with 304.
const SHORTLY: &str = "public, max-age=600";
/// While somebody edits, every request counts.
const NEVER: &str = "no-cache";

/// What xtask built; empty in a checkout that has built no site.
#[derive(RustEmbed)]
#[folder = "../target/site-embed"]
#[allow_missing = true]
struct Embedded;

/// Answers a request for a file of the site: `GET` and `HEAD`, in the smallest encoding that the client takes.
/// `None` when the site has no such file, so that another handler answers.
pub async fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let name = path.strip_prefix('/').filter(|name| is_plain(name))?;
    let file = match folder() {
        Some(folder) => File::read(&folder, name).await?,
        None => File::embedded(name, Accepted::of(headers))?,
    };
    Some(file.answer(method, headers))
}

/// How the pages find the site's code: to be given to Leptos.
///
/// Its `output_name` is `signalbox.<hash>`, from which `/pkg/signalbox.<hash>.js`, `/pkg/signalbox.<hash>_bg.wasm` and
/// `/pkg/signalbox.<hash>.css` follow. Under `cargo leptos` the options are those that it set in the environment.
#[must_use]
pub fn leptos_options() -> LeptosOptions {
    if folder().is_some()
        && let Ok(configuration) = get_configuration(None)
    {
        return configuration.leptos_options;
    }
    LeptosOptions::builder().output_name(output_name(Embedded::iter()).unwrap_or_else(|| "signalbox".into())).site_pkg_dir("pkg").build()
}

/// The style sheet, when it is in the binary: pages carry it.
#[must_use]
pub fn style_sheet() -> Option<StyleSheet> {
    static STYLE: LazyLock<Option<String>> = LazyLock::new(|| {
        let name = Embedded::iter().find(|name| name.starts_with("pkg/") && name.ends_with(".css"))?;
        String::from_utf8(Embedded::get(&name)?.data.into_owned()).ok()
    });
    if folder().is_some() { None } else { STYLE.as_deref().map(cut) }
}

/// Cuts the style sheet where `style/_later.scss` says.
fn cut(css: &'static str) -> StyleSheet {
    let (first, later) = css.split_once("@layer later;").unwrap_or((css, ""));
    StyleSheet { first, later }
}

/// The stem of the one script in `pkg`.
fn output_name(mut names: impl Iterator<Item = Cow<'static, str>>) -> Option<String> {
    names.find_map(|name| Some(name.strip_prefix("pkg/")?.strip_suffix(".js").filter(|stem| !stem.contains('/'))?.to_owned()))
}

/// The port that `cargo leptos watch` tells pages by that there is something new; `None` when it does not run us.
pub fn reload_port() -> Option<u32> {
    static PORT: LazyLock<Option<u32>> = LazyLock::new(|| std::env::var_os("LEPTOS_WATCH").map(|_| leptos_options().reload_port));
    *PORT
}

/// Where `cargo leptos` puts the site, when it runs us.
fn folder() -> Option<String> {
    std::env::var("LEPTOS_SITE_ROOT").ok().filter(|folder| !folder.is_empty())
}

/// Whether a name from a request can be one of ours: no way out of the folder, no hidden file, nothing to decode.
fn is_plain(name: &str) -> bool {
    let plain = |segment: &str| {
        !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    name.split('/').all(plain)
}

/// A file, encoded as it will be sent.
struct File {
    content: Cow<'static, [u8]>,
    content_type: &'static str,
    encoding: Option<&'static str>,
    cache: &'static str,
    tag: Option<String>,
}

impl File {
    /// From the table in the binary. The compressed copies are not files of their own: `/a.css.br` is no address.
    fn embedded(name: &str, accepted: Accepted) -> Option<Self> {
        if name.ends_with(".br") || name.ends_with(".gz") {
            return None;
        }
        let plain = Embedded::get(name)?;
        let copy = |suffix: &str| Embedded::get(&format!("{name}.{suffix}"));
        let (file, encoding) = accepted.choose(copy("br"), copy("gz")).unwrap_or((plain, None));
        let tag = file.metadata.sha256_hash()[..16].iter().fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}")) + "\"";
        let cache = if name.starts_with("pkg/") { FOREVER } else { SHORTLY };
        Some(Self { content: file.data, content_type: content_type(name), encoding, cache, tag: Some(tag) })
    }

    /// From a folder, as it is now.
    async fn read(folder: &str, name: &str) -> Option<Self> {
        let content = tokio::fs::read(std::path::Path::new(folder).join(name)).await.ok()?;
        Some(Self { content: content.into(), content_type: content_type(name), encoding: None, cache: NEVER, tag: None })
    }

    fn answer(self, method: &Method, request: &HeaderMap) -> Response<Body> {
        let known = self.tag.as_deref().is_some_and(|tag| is_known(request, tag));
        let length = self.content.len();
        let body = if known || method == Method::HEAD { Body::empty() } else { body(self.content) };
        let mut response = Response::new(body);
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            headers.insert(ETAG, tag);
        }
        if !known {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            if let Some(encoding) = self.encoding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
        }
        response
    }
}

/// Without a copy when the content is in the binary.
fn body(content: Cow<'static, [u8]>) -> Body {
    match content {
        Cow::Borrowed(content) => Body::from(content),
        Cow::Owned(content) => Body::from(content),
    }
}

/// Whether the client says that it has the file with this tag (RFC 9110, 13.1.2; compared weakly).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What a client takes beside the file as it is, each from 0 (not at all) to 1000 (RFC 9110, 12.5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Accepted {
    brotli: u16,
    gzip: u16,
    /// Weight of the file as it is; 0 when it was not named.
    identity: u16,
}

impl Accepted {
    fn of(headers: &HeaderMap) -> Self {
        let mut named = [None; 3];
        let mut others = 0;
        let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for entry in lists.flat_map(|list| list.split(',')) {
            let mut parts = entry.split(';');
            let coding = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, thousandths);
            match coding.as_str() {
                "br" => named[0] = Some(weight),
                "gzip" | "x-gzip" => named[1] = Some(weight),
                "identity" => named[2] = Some(weight),
                "*" => others = weight,
                _ => {}
            }
        }
        let [brotli, gzip, identity] = named;
        Self { brotli: brotli.unwrap_or(others), gzip: gzip.unwrap_or(others), identity: identity.unwrap_or(0) }
    }

    /// The copy with the greatest weight, Brotli before gzip; `None` for the file as it is, also when the client refuses everything:
    /// an answer that it may drop is better than none.
    fn choose<T>(self, brotli: Option<T>, gzip: Option<T>) -> Option<(T, Option<&'static str>)> {
        let brotli = brotli.filter(|_| self.brotli > 0).map(|copy| (self.brotli, copy, "br"));
        let gzip = gzip.filter(|_| self.gzip > 0).map(|copy| (self.gzip, copy, "gzip"));
        let best = match (brotli, gzip) {
            (Some(brotli), Some(gzip)) => Some(if gzip.0 > brotli.0 { gzip } else { brotli }),
            (brotli, gzip) => brotli.or(gzip),
        };
        best.filter(|(weight, ..)| *weight >= self.identity).map(|(_, copy, name)| (copy, Some(name)))
    }
}

/// A weight: `0.5` is 500. What is no weight counts as 0.
fn thousandths(text: &str) -> u16 {
    let weight = text.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    let thousandths = (weight * 1000.0).round() as u16;
    thousandths
}

/// By the end of the name. Texts are UTF-8; unknown ends are bytes, which a browser saves and does not run.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    fn file(tag: &str) -> File {
        File { content: Cow::Borrowed(b"body"), content_type: "text/css; charset=utf-8", encoding: Some("br"), cache: FOREVER, tag: Some(tag.into()) }
    }

    #[test]
    fn the_smallest_encoding_that_the_client_takes_is_sent() {
        let check = |accept: &str, expected: Option<&str>| {
            let chosen = Accepted::of(&headers(ACCEPT_ENCODING, accept)).choose(Some(()), Some(())).and_then(|(.., name)| name);
            assert_eq!(chosen, expected, "{accept}");
        };
        check("gzip, deflate, br, zstd", Some("br"));
        check("gzip, deflate", Some("gzip"));
        check("GZIP", Some("gzip"));
        check("br;q=0, gzip", Some("gzip"));
        check("br;q=0.5, gzip;q=0.8", Some("gzip"));
        check("br ; q=0.8 , gzip;q=0.8", Some("br"));
        check("*", Some("br"));
        check("*;q=0.1, br;q=0", Some("gzip"));
        check("identity", None);
        check("identity, br;q=0.5", None);
        check("br;q=2, gzip;q=nonsense", None);
        check("identity;q=0, *;q=0", None);
        check("deflate", None);
        check("", None);
    }

    #[test]
    fn a_missing_copy_is_never_chosen() {
        let accepted = Accepted::of(&headers(ACCEPT_ENCODING, "br, gzip"));
        assert_eq!(accepted.choose(None, Some(1)), Some((1, Some("gzip"))));
        assert_eq!(accepted.choose::<()>(None, None), None);
    }

    #[test]
    fn a_client_that_has_the_file_gets_304_without_a_body() {
        for list in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            let response = file("\"abc\"").answer(&Method::GET, &headers(IF_NONE_MATCH, list));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{list}");
            assert_eq!(response.headers()[ETAG], "\"abc\"");
            assert_eq!(response.headers()[CACHE_CONTROL], FOREVER);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
        }
        let response = file("\"abc\"").answer(&Method::GET, &headers(IF_NONE_MATCH, "\"abd\""));
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn head_says_what_get_would_send() {
        let length = async |method| {
            let response = file("\"abc\"").answer(&method, &HeaderMap::new());
            assert_eq!(response.headers()[CONTENT_LENGTH], "4");
            assert_eq!(response.headers()[CONTENT_ENCODING], "br");
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            axum::body::to_bytes(response.into_body(), 100).await.unwrap().len()
        };
        assert_eq!(length(Method::GET).await, 4);
        assert_eq!(length(Method::HEAD).await, 0);
    }

    #[test]
    fn a_name_never_leaves_the_folder() {
        for name in ["favicon.svg", "pkg/signalbox.0a1b_bg.wasm", "pkg/snippets/a-b/inline0.js"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "/etc/passwd", "../Cargo.toml", "pkg/../../a", "pkg//a", "pkg/", ".env", "a%2e", "a\\b", "c:/a", "a\0b", "ä"] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_read_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pkg")).unwrap();
        std::fs::write(folder.path().join("pkg/signalbox.js"), "1").unwrap();
        let read = |name| File::read(folder.path().to_str().unwrap(), name);
        let file = read("pkg/signalbox.js").await.unwrap();
        assert_eq!((&*file.content, file.content_type, file.cache), (&b"1"[..], "text/javascript; charset=utf-8", NEVER));
        assert!(read("pkg").await.is_none());
        assert!(read("missing.js").await.is_none());
    }

    #[tokio::test]
    async fn every_embedded_file_is_served_and_its_copies_are_no_addresses() {
        for name in Embedded::iter() {
            let answer = serve(&Method::GET, &format!("/{name}"), &headers(ACCEPT_ENCODING, "br")).await;
            assert_eq!(answer.is_none(), name.ends_with(".br") || name.ends_with(".gz"), "{name}");
            if let Some(answer) = answer {
                assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), Embedded::get(&format!("{name}.br")).is_some(), "{name}");
                assert_eq!(answer.headers()[CACHE_CONTROL] == FOREVER, name.starts_with("pkg/"), "{name}");
            }
        }
        assert!(serve(&Method::GET, "/no-such-file", &HeaderMap::new()).await.is_none());
        assert!(serve(&Method::POST, "/favicon.svg", &HeaderMap::new()).await.is_none());
    }

    #[test]
    fn the_name_of_the_site_comes_from_its_script() {
        let name = |names: &[&'static str]| output_name(names.iter().map(|name| Cow::Borrowed(*name)));
        assert_eq!(name(&["a.js", "pkg/snippets/x/inline0.js", "pkg/signalbox.0a.css", "pkg/signalbox.0a.js"]).as_deref(), Some("signalbox.0a"));
        assert_eq!(name(&["favicon.svg"]), None);
    }
}
