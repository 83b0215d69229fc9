//! Which language a page is in.

use super::text::{ENGLISH, FRENCH, GERMAN, Text};

/// Of one request, no more wishes than these are read.
const MOST: usize = 20;

/// The languages that there are texts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// `en`: what who asks for nothing that we have is answered in.
    #[default]
    English,
    /// `de`.
    German,
    /// `fr`.
    French,
}

impl Language {
    /// All of them, as `ui_locales_supported` lists them.
    pub(crate) const ALL: [Self; 3] = [Self::English, Self::German, Self::French];

    /// For discovery.
    pub(crate) const TAGS: [&str; 3] = ["en", "de", "fr"];

    /// What the application asks for goes before what the browser does: `ui_locales` (OpenID Connect
    /// Core 1.0 §3.1.2.1) in its order, then `Accept-Language` (RFC 9110 §12.5.4) by weight.
    pub(crate) fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = || ui_locales?.split_ascii_whitespace().take(MOST).find_map(Self::of_tag);
        asked().or_else(|| Self::accepted(accept_language?)).unwrap_or_default()
    }

    /// As in `lang` and `Content-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
        }
    }

    /// What pages say in it.
    pub(crate) fn text(self) -> &'static Text {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::French => &FRENCH,
        }
    }

    /// By the first subtag (RFC 4647 §3.4 stops there too): `de-AT` is German.
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    fn accepted(accept_language: &str) -> Option<Self> {
        let mut best: Option<(Self, u16)> = None;
        for wish in accept_language.split(',').take(MOST) {
            let (tag, weight) = wish.split_once(';').unwrap_or((wish, "q=1"));
            let Some((language, weight)) = Self::of_tag(tag.trim()).zip(thousandths(weight.trim())) else { continue };
            // Of equals the first.
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// A weight (RFC 9110 §12.4.2): `q=0.8` is 800.
fn thousandths(weight: &str) -> Option<u16> {
    let value = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?.trim();
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match whole {
        "0" => format!("{part:0<3}").parse().ok(),
        "1" => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_goes_before_the_browser_and_english_is_last() {
        use Language::{English, French, German};
        for (ui_locales, accept_language, language) in [
            (None, None, English),
            (Some("de"), Some("fr"), German),
            (Some("DE-at"), None, German),
            (Some("ja fr-CA de"), None, French),
            (Some("ja"), Some("fr"), French),
            (Some(""), Some("de"), German),
            (Some("deu"), None, English),
            (None, Some("de-CH, fr;q=0.9"), German),
            (None, Some("fr;q=0.5, de;q=0.75, en;q=0.1"), German),
            (None, Some("de;q=0, fr;q=0.001"), French),
            (None, Some("de;q=0"), English),
            (None, Some("fr;q=0.8, de;q=0.8"), French),
            (None, Some("de;q=2, fr;q=x, *;q=0.5"), English),
            (None, Some(",,;;q=,"), English),
        ] {
            assert_eq!(
                Language::negotiate(ui_locales, accept_language),
                language,
                "{ui_locales:?} {accept_language:?}"
            );
        }
    }

    #[test]
    fn wishes_without_end_are_not_read_to_the_end() {
        let many = "xx ".repeat(MOST) + "de";
        assert_eq!(Language::negotiate(Some(&many), None), Language::English);
        let many = "xx,".repeat(MOST) + "de";
        assert_eq!(Language::negotiate(None, Some(&many)), Language::English);
    }
}
