//! What shapes the pages. Nothing here is refused: a page that cannot be as it was wished for is still
//! the page (OpenID Connect Core 1.0 §3.1.2.1 on `ui_locales`).

use crate::authorize::parameters::Parameters;
use crate::authorize::request::Preferences;

/// Of each list, the first ones: the rest is wished for least.
const MOST: usize = 10;
/// RFC 5646 §4.4.1.
const LONGEST_TAG: usize = 35;

/// The preferences.
pub(super) fn read(parameters: &Parameters<'_>) -> Preferences {
    let login_hint = parameters.get("login_hint").map(str::trim).filter(|hint| !hint.is_empty());
    let words = |name| parameters.get(name).unwrap_or_default().split(' ').filter(|word: &&str| !word.is_empty());
    Preferences {
        login_hint: login_hint.map(str::to_owned),
        acr_values: words("acr_values").take(MOST).map(str::to_owned).collect(),
        ui_locales: words("ui_locales").filter(|tag| is_tag(tag)).take(MOST).map(str::to_owned).collect(),
    }
}

fn is_tag(text: &str) -> bool {
    text.len() <= LONGEST_TAG && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
