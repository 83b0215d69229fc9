//! German, formal.

use super::{FaultText, Faults, Phrase, Scopes, Text, Unit};

/// What the pages say in German.
pub(crate) const GERMAN: Text = Text {
    error_prefix: "Fehler: ",
    sign_in: "Anmelden",
    sign_in_to: Phrase("Anmelden bei ", ""),
    to_continue_to: Phrase("weiter zu ", ""),
    confirm_it_is_you: "Bitte bestätigen Sie, dass Sie es sind",
    username: "Benutzername",
    password: "Passwort",
    refused: "Das hat nicht geklappt. Bitte prüfen Sie Benutzername und Passwort, und versuchen Sie es erneut.",
    busy: "Gerade melden sich viele Menschen an. Bitte versuchen Sie es gleich noch einmal.",
    cancel: "Abbrechen",
    no_login: FaultText {
        title: "Hier kann sich noch niemand anmelden",
        message: "Für diese Website ist noch kein Weg eingerichtet, sich anzumelden. Ihr Betreiber kann das ändern.",
    },
    not_you: "Sind Sie das nicht?",
    use_another: "Anderes Konto verwenden",
    choose_account: "Konto wählen",
    continue_as: Phrase("Weiter als ", ""),
    consent_title: "Zugriff erlauben?",
    consent_asks: Phrase("", " bittet um Folgendes:"),
    acts_at: Phrase("", " in Ihrem Namen nutzen"),
    signed_in_as: Phrase("Angemeldet als ", ""),
    then_returns_to: Phrase("Danach geht es zurück zu ", "."),
    then_returns_to_device: "Danach geht es zurück zu einer App auf diesem Gerät.",
    native_title: "Bei dieser App anmelden?",
    native_asks: Phrase("", " ist eine App auf diesem Gerät. Sie bittet um Folgendes:"),
    native_warning: "Fahren Sie nur fort, wenn Sie diese Anmeldung gerade selbst begonnen haben.",
    allow: "Erlauben",
    deny: "Nicht erlauben",
    scopes: Scopes {
        openid: "Erfahren, wer Sie sind",
        profile: "Ihren Namen und Ihr Profil sehen",
        email: "Ihre E-Mail-Adresse sehen",
        address: "Ihre Postanschrift sehen",
        phone: "Ihre Telefonnummer sehen",
        groups: "Sehen, zu welchen Gruppen Sie gehören",
        offline_access: "Diesen Zugriff auch in Ihrer Abwesenheit behalten",
    },
    sign_out: "Abmelden",
    sign_out_question: Phrase("Von ", " abmelden?"),
    sign_out_effect: "Sie werden auch von den Anwendungen abgemeldet, die Sie mit diesem Konto geöffnet haben.",
    sign_out_too_late: "Diese Seite war zu lange offen; Sie sind noch nicht abgemeldet. Bitte antworten Sie noch einmal.",
    stay: "Angemeldet bleiben",
    stayed: "Sie sind weiterhin angemeldet",
    close_page: "Sie können diese Seite schließen.",
    signed_out: "Abgemeldet",
    signed_out_of: Phrase("Sie sind von ", " abgemeldet."),
    signed_out_close: "Sie können diese Seite schließen.",
    moving_on: "Wir bringen Sie zurück. Das dauert einen Moment.",
    go_on: "Weiter",
    continue_to: Phrase("Weiter zu ", ""),
    other_applications: "Abmeldung von einer weiteren Anwendung",
    returning: "Einen Moment bitte",
    returning_button: Phrase(
        "Sie werden zurück zu ",
        " gebracht. Falls nichts geschieht, gehen Sie bitte selbst weiter.",
    ),
    start_again_at: Phrase("Neu beginnen bei ", ""),
    start_again: "Um neu zu beginnen, gehen Sie bitte zurück zur Anwendung und melden sich dort an.",
    details: "Einzelheiten",
    error_code: "Code",
    request_id: "Anfrage-ID",
    faults: FAULTS,
    wait: Phrase("Zu viele Versuche. Bitte warten Sie ", ", und versuchen Sie es erneut."),
    seconds: Unit("Sekunde", "Sekunden"),
    minutes: Unit("Minute", "Minuten"),
    hours: Unit("Stunde", "Stunden"),
};

const FAULTS: Faults = Faults {
    cookies_off: FaultText {
        title: "Cookies sind ausgeschaltet",
        message: "Zum Anmelden ist ein Cookie nötig, das Ihr Browser nicht gesendet hat. Bitte erlauben Sie Cookies für diese Website.",
    },
    other_browser: FaultText {
        title: "Diese Anmeldung gehört nicht zu diesem Browser",
        message: "Sie wurde in einem anderen Browser oder einem privaten Fenster begonnen, oder ihr Cookie wurde gelöscht. Es ist nichts verloren.",
    },
    expired: FaultText {
        title: "Diese Anmeldung ist abgelaufen",
        message: "Die Seite war zu lange offen. Es ist nichts verloren.",
    },
    used: FaultText {
        title: "Diese Anmeldung ist schon erledigt",
        message: "Vielleicht haben Sie zweimal geklickt, sind zurückgegangen oder haben zwei Tabs benutzt. Es ist nichts verloren.",
    },
    account_gone: FaultText {
        title: "Dieses Konto ist nicht nutzbar",
        message: "Es wurde entfernt oder gesperrt, während Sie sich angemeldet haben.",
    },
    foreign: FaultText {
        title: "Das kam nicht von hier",
        message: "Das Formular wurde nicht von einer Seite dieser Website gesendet; deshalb ist nichts geschehen.",
    },
    bad_request: FaultText {
        title: "Diese Anfrage ist nicht verständlich",
        message: "Die Anwendung hat etwas Ungültiges gesendet. Ihr Betreiber kann den Grund finden.",
    },
    unknown_client: FaultText {
        title: "Diese Anwendung ist nicht registriert",
        message: "Oder nicht mit der Adresse, zu der sie zurückführen will (Redirect-URI). Ihr Betreiber kann den Grund finden.",
    },
    logout: FaultText {
        title: "Sie sind nicht abgemeldet",
        message: "Die Anwendung wollte Sie auf ungültige Weise abmelden; deshalb ist nichts geschehen.",
    },
    unavailable: FaultText {
        title: "Gerade nicht verfügbar",
        message: "Etwas, das wir brauchen, antwortet nicht. Bitte versuchen Sie es gleich noch einmal.",
    },
};
