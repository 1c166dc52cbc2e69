//! Which files does a browser load beside the pages? One style sheet, one script, one icon: in the binary, named by their
//! content, kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orch_core::id::Digest;

use crate::error::{Problem, both};

struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

fn asset_of(stem: &str, end: &str, kind: &'static str, text: &'static str) -> Asset {
    Asset { name: format!("{stem}-{}.{end}", Digest::of(text.as_bytes()).short()), kind, text }
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset_of("orch", "css", "text/css; charset=utf-8", include_str!("assets/orch.css")),
        asset_of("orch", "js", "text/javascript; charset=utf-8", include_str!("assets/orch.js")),
        asset_of("orch", "svg", "image/svg+xml", include_str!("assets/orch.svg")),
    ]
});

/// Where the style sheet is.
pub(crate) fn css() -> String {
    format!("/assets/{}", ASSETS[0].name)
}

/// Where the script is.
pub(crate) fn js() -> String {
    format!("/assets/{}", ASSETS[1].name)
}

/// Where the icon is.
pub(crate) fn icon() -> String {
    format!("/assets/{}", ASSETS[2].name)
}

/// A file by its name.
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let asset =
        found.ok_or_else(|| Problem::not_found(both!("there is no such file", "такого файла нет")))?;
    let mut response = asset.text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}
