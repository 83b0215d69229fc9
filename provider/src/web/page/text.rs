//! What the pages say, in each language. A catalogue is a constant of one type, so that a text that
//! is missing does not compile.

use std::time::Duration;

mod de;
mod en;
mod fr;

pub(crate) use de::GERMAN;
pub(crate) use en::ENGLISH;
pub(crate) use fr::FRENCH;

/// A sentence around a name: what stands before it and after it. The name is put between by the
/// template, escaped and isolated from the sentence's direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase(pub(crate) &'static str, pub(crate) &'static str);

/// A number of things: the word for one, the word for more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit(&'static str, &'static str);

/// Every text of every page.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) error_prefix: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) sign_in_to: Phrase,
    pub(crate) to_continue_to: Phrase,
    pub(crate) confirm_it_is_you: &'static str,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
    pub(crate) refused: &'static str,
    /// Too many are logging in.
    pub(crate) busy: &'static str,
    pub(crate) cancel: &'static str,
    /// Where there is no way to.
    pub(crate) no_login: FaultText,
    pub(crate) not_you: &'static str,
    pub(crate) use_another: &'static str,
    pub(crate) choose_account: &'static str,
    pub(crate) continue_as: Phrase,
    pub(crate) consent_title: &'static str,
    pub(crate) consent_asks: Phrase,
    /// At this API, which is named without a scope of its own.
    pub(crate) acts_at: Phrase,
    pub(crate) signed_in_as: Phrase,
    pub(crate) then_returns_to: Phrase,
    pub(crate) then_returns_to_device: &'static str,
    pub(crate) native_title: &'static str,
    pub(crate) native_asks: Phrase,
    pub(crate) native_warning: &'static str,
    pub(crate) allow: &'static str,
    pub(crate) deny: &'static str,
    pub(crate) scopes: Scopes,
    pub(crate) sign_out: &'static str,
    pub(crate) sign_out_question: Phrase,
    pub(crate) sign_out_effect: &'static str,
    /// The answer came when the question was too old.
    pub(crate) sign_out_too_late: &'static str,
    pub(crate) stay: &'static str,
    /// After that answer.
    pub(crate) stayed: &'static str,
    /// There is nothing more to do on it.
    pub(crate) close_page: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) signed_out_of: Phrase,
    pub(crate) signed_out_close: &'static str,
    pub(crate) moving_on: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) continue_to: Phrase,
    pub(crate) other_applications: &'static str,
    pub(crate) returning: &'static str,
    pub(crate) returning_button: Phrase,
    pub(crate) start_again_at: Phrase,
    pub(crate) start_again: &'static str,
    pub(crate) details: &'static str,
    pub(crate) error_code: &'static str,
    pub(crate) request_id: &'static str,
    pub(crate) faults: Faults,
    pub(crate) wait: Phrase,
    seconds: Unit,
    minutes: Unit,
    hours: Unit,
}

/// What the standard scopes let an application do (OpenID Connect Core 1.0 §5.4 and §11).
#[derive(Debug)]
pub(crate) struct Scopes {
    openid: &'static str,
    profile: &'static str,
    email: &'static str,
    address: &'static str,
    phone: &'static str,
    groups: &'static str,
    offline_access: &'static str,
}

/// What went wrong: a title and what to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultText {
    pub(crate) title: &'static str,
    pub(crate) message: &'static str,
}

/// One for each page that ends a way.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) cookies_off: FaultText,
    pub(crate) other_browser: FaultText,
    pub(crate) expired: FaultText,
    pub(crate) used: FaultText,
    pub(crate) account_gone: FaultText,
    pub(crate) foreign: FaultText,
    pub(crate) bad_request: FaultText,
    pub(crate) unknown_client: FaultText,
    pub(crate) logout: FaultText,
    pub(crate) unavailable: FaultText,
}

impl Text {
    /// `wait` in words, rounded up: who comes after that is not too early. By reference, as templates hand values on.
    pub(crate) fn duration(&self, wait: &Duration) -> String {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let (number, Unit(one, more)) = match seconds {
            0 => (1, self.seconds),
            1..60 => (seconds, self.seconds),
            60..3600 => (seconds.div_ceil(60), self.minutes),
            _ => (seconds.div_ceil(3600), self.hours),
        };
        format!("{number} {}", if number == 1 { one } else { more })
    }
}

impl Scopes {
    /// What a standard scope means. None for any other.
    pub(crate) fn describe(&self, name: &str) -> Option<&'static str> {
        Some(match name {
            "openid" => self.openid,
            "profile" => self.profile,
            "email" => self.email,
            "address" => self.address,
            "phone" => self.phone,
            "groups" => self.groups,
            "offline_access" => self.offline_access,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_words_and_never_too_short() {
        for (wait, english, german) in [
            (Duration::ZERO, "1 second", "1 Sekunde"),
            (Duration::from_millis(1), "1 second", "1 Sekunde"),
            (Duration::from_millis(1001), "2 seconds", "2 Sekunden"),
            (Duration::from_secs(59), "59 seconds", "59 Sekunden"),
            (Duration::from_secs(60), "1 minute", "1 Minute"),
            (Duration::from_secs(61), "2 minutes", "2 Minuten"),
            (Duration::from_secs(3600), "1 hour", "1 Stunde"),
            (Duration::from_secs(3601), "2 hours", "2 Stunden"),
        ] {
            assert_eq!(ENGLISH.duration(&wait), english);
            assert_eq!(GERMAN.duration(&wait), german);
        }
    }
}
