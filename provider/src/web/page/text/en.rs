//! English.

use super::{FaultText, Faults, Phrase, Scopes, Text, Unit};

/// What the pages say in English.
pub(crate) const ENGLISH: Text = Text {
    error_prefix: "Error: ",
    sign_in: "Sign in",
    sign_in_to: Phrase("Sign in to ", ""),
    to_continue_to: Phrase("to continue to ", ""),
    confirm_it_is_you: "Confirm it’s you",
    username: "User name",
    password: "Password",
    refused: "That didn’t work. Check the user name and the password, and try again.",
    busy: "Many people are signing in right now. Try again in a moment.",
    cancel: "Cancel",
    no_login: FaultText {
        title: "Nobody can sign in here yet",
        message: "No way to sign in has been set up for this site. Its operator can change that.",
    },
    not_you: "Not you?",
    use_another: "Use another account",
    choose_account: "Choose an account",
    continue_as: Phrase("Continue as ", ""),
    consent_title: "Allow access?",
    consent_asks: Phrase("", " asks to:"),
    acts_at: Phrase("Use ", " in your name"),
    signed_in_as: Phrase("Signed in as ", ""),
    then_returns_to: Phrase("You will return to ", "."),
    then_returns_to_device: "You will return to an app on this device.",
    native_title: "Sign in to this app?",
    native_asks: Phrase("", " is an app on this device. It asks to:"),
    native_warning: "Go on only if you have just started this sign-in yourself.",
    allow: "Allow",
    deny: "Don’t allow",
    scopes: Scopes {
        openid: "Know who you are",
        profile: "See your name and profile",
        email: "See your email address",
        address: "See your postal address",
        phone: "See your phone number",
        groups: "See which groups you belong to",
        offline_access: "Keep this access while you are away",
    },
    sign_out: "Sign out",
    sign_out_question: Phrase("Sign out of ", "?"),
    sign_out_effect: "You will be signed out of the applications that you opened with this account, too.",
    sign_out_too_late: "This page was open for too long, so you are not signed out yet. Please answer again.",
    stay: "Stay signed in",
    stayed: "You are still signed in",
    close_page: "You can close this page.",
    signed_out: "Signed out",
    signed_out_of: Phrase("You are signed out of ", "."),
    signed_out_close: "You can close this page.",
    moving_on: "We are taking you back. This takes a moment.",
    go_on: "Continue",
    continue_to: Phrase("Continue to ", ""),
    other_applications: "Signing out of another application",
    returning: "One moment",
    returning_button: Phrase("You are being taken back to ", ". If nothing happens, go on by hand."),
    start_again_at: Phrase("Start again at ", ""),
    start_again: "To start again, go back to the application and sign in there.",
    details: "Details",
    error_code: "Code",
    request_id: "Request ID",
    faults: FAULTS,
    wait: Phrase("Too many attempts. Wait ", ", and try again."),
    seconds: Unit("second", "seconds"),
    minutes: Unit("minute", "minutes"),
    hours: Unit("hour", "hours"),
};

const FAULTS: Faults = Faults {
    cookies_off: FaultText {
        title: "Cookies are off",
        message: "Signing in needs a cookie, and your browser did not send it. Allow cookies for this site.",
    },
    other_browser: FaultText {
        title: "This sign-in is not open in this browser",
        message: "It was begun in another browser or a private window, or its cookie was deleted. Nothing is lost.",
    },
    expired: FaultText {
        title: "This sign-in has expired",
        message: "The page was open for too long. Nothing is lost.",
    },
    used: FaultText {
        title: "This sign-in is already done",
        message: "You may have pressed a button twice, gone back, or used two tabs. Nothing is lost.",
    },
    account_gone: FaultText {
        title: "This account cannot be used",
        message: "It was removed or disabled while you were signing in.",
    },
    foreign: FaultText {
        title: "This did not come from here",
        message: "The form was not sent from a page of this site, so nothing was done.",
    },
    bad_request: FaultText {
        title: "This request cannot be understood",
        message: "The application sent something that is not valid. Its operator can find out why.",
    },
    unknown_client: FaultText {
        title: "This application is not registered",
        message: "Or not with the address that it wants you sent back to (redirect URI). Its operator can find out why.",
    },
    logout: FaultText {
        title: "You are not signed out",
        message: "The application’s request to sign you out is not valid, so nothing was done.",
    },
    unavailable: FaultText {
        title: "Not available right now",
        message: "Something that we need does not answer. Try again in a moment.",
    },
};
