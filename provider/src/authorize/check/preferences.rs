//! What shapes the pages. Nothing here is refused: a page that cannot be as it was wished for is still
//! the page (OpenID Connect Core 1.0 §3.1.2.1 on `ui_locales`).

use crate::authorize::parameters::Parameters;
use crate::authorize::request::{Display, Preferences};

/// Of each list, the first ones: the rest is wished for least.
const MOST: usize = 10;
/// RFC 5646 §4.4.1.
const LONGEST_TAG: usize = 35;

/// The preferences.
pub(super) fn read(parameters: &Parameters<'_>) -> Preferences {
    let hint = |name| parameters.get(name).map(str::trim).filter(|hint| !hint.is_empty()).map(str::to_owned);
    Preferences {
        login_hint: hint("login_hint"),
        idp_hint: hint("idp_hint"),
        acr_values: words(parameters, "acr_values").take(MOST).map(str::to_owned).collect(),
        ui_locales: words(parameters, "ui_locales").filter(|tag| is_tag(tag)).take(MOST).map(str::to_owned).collect(),
        display: parameters.get("display").and_then(display),
    }
}

fn words<'p>(parameters: &'p Parameters<'_>, name: &str) -> impl Iterator<Item = &'p str> {
    parameters.get(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty())
}

fn is_tag(text: &str) -> bool {
    text.len() <= LONGEST_TAG && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn display(text: &str) -> Option<Display> {
    match text {
        "page" => Some(Display::Page),
        "popup" => Some(Display::Popup),
        "touch" => Some(Display::Touch),
        "wap" => Some(Display::Wap),
        _ => None,
    }
}
