//! A tenant's colour, and what is derived from it so that every text stays readable.

use std::fmt;
use std::str::FromStr;

/// WCAG 2.2 §1.4.3: text against what is behind it.
const TEXT: f64 = 4.5;
/// WCAG 2.2 §1.4.11: a button against what is around it.
const PART: f64 = 3.0;

/// The backgrounds of `pages.css` that leave the least contrast, by scheme: the page itself in light,
/// the card in dark.
const LIGHT: Colour = Colour([0xf3, 0xf4, 0xf7]);
const DARK: Colour = Colour([0x1d, 0x20, 0x27]);
const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([0xff; 3]);

/// An opaque sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Colour([u8; 3]);

/// A tenant's colour. Only digits come out of it, whatever went in: it is written into a stylesheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accent(Colour);

/// The text is not `#rgb` or `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not #rgb or #rrggbb")]
pub(crate) struct NotAColour;

impl Default for Accent {
    fn default() -> Self {
        Self(Colour([0x2f, 0x55, 0xd4]))
    }
}

// === impl Accent ===

impl Accent {
    /// The declarations that `pages.css` builds on, for both colour schemes.
    pub(crate) fn declarations(self) -> String {
        let [light, dark] = [LIGHT, DARK].map(|background| self.on(background));
        format!(":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
    }

    fn on(self, background: Colour) -> String {
        let fill = self.0.apart_from(background, PART);
        let label = fill.label();
        let ink = self.0.apart_from(background, TEXT);
        format!("--accent:{fill};--on-accent:{label};--accent-ink:{ink}")
    }
}

/// Six digits.
impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Colour([red, green, blue]) = self.0;
        write!(f, "{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Accent {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        match digits.len() {
            6 => Ok(Self(Colour([red, green, blue]))),
            // Each digit twice.
            3 => Ok(Self(Colour([green & 15, blue >> 4, blue & 15].map(|digit| digit * 17)))),
            _ => Err(NotAColour),
        }
    }
}

// === impl Colour ===

impl Colour {
    /// Black or white, whichever reads better: one of them always reaches 4.58.
    fn label(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// This colour, made darker or lighter until it stands out from `background`.
    fn apart_from(self, background: Self, ratio: f64) -> Self {
        let towards = background.label();
        (0..=20)
            .map(|step| self.mixed(towards, f64::from(step) / 20.0))
            .find(|colour| colour.contrast(background) >= ratio)
            .unwrap_or(towards)
    }

    fn mixed(self, other: Self, share: f64) -> Self {
        let mut mixed = self;
        for (own, other) in mixed.0.iter_mut().zip(other.0) {
            let value = f64::from(*own) * (1.0 - share) + f64::from(other) * share;
            // Between two bytes, so that it is one.
            *own = value.round() as u8;
        }
        mixed
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|byte| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_colour_is_one() {
        assert_eq!("#0a7".parse(), Ok(Accent(Colour([0x00, 0xaa, 0x77]))));
        assert_eq!("#00AA77".parse(), "#0a7".parse::<Accent>());
        for text in ["", "#", "#0a", "#0a77", "0a7", "#0a7;", "#+12", "#00aa7g", "#00aa777", "red", "#é7", "}*{"] {
            assert_eq!(text.parse::<Accent>(), Err(NotAColour), "{text}");
        }
    }

    #[test]
    fn contrast_is_what_wcag_says() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 0.001);
        assert!((Colour([0x77; 3]).contrast(WHITE) - 4.48).abs() < 0.01);
        assert!((Colour([0xff, 0, 0]).contrast(WHITE) - 4.0).abs() < 0.01);
    }

    #[test]
    fn every_colour_stays_readable_in_both_schemes() {
        let steps = (0..=255).step_by(15).map(|step: usize| step as u8);
        let all = steps.clone().flat_map(|red| {
            let steps = steps.clone();
            steps.clone().flat_map(move |green| steps.clone().map(move |blue| Colour([red, green, blue])))
        });
        for colour in all {
            for background in [LIGHT, DARK] {
                let fill = colour.apart_from(background, PART);
                assert!(fill.contrast(background) >= PART, "{colour}");
                assert!(fill.contrast(fill.label()) >= TEXT, "{colour}");
                assert!(colour.apart_from(background, TEXT).contrast(background) >= TEXT, "{colour}");
            }
        }
    }

    #[test]
    fn a_colour_that_stands_out_is_left_alone() {
        let blue: Accent = "#0000ff".parse().unwrap();
        assert!(blue.declarations().starts_with(":root{--accent:#0000ff;--on-accent:#ffffff;--accent-ink:#0000ff}\n"));
        let white: Accent = "#fff".parse().unwrap();
        let css = white.declarations();
        assert!(!css.starts_with(":root{--accent:#ffffff"), "{css}");
        assert!(css.contains("dark){:root{--accent:#ffffff;--on-accent:#000000;--accent-ink:#ffffff}}"), "{css}");
    }
}
