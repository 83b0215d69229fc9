//! French.

use super::{FaultText, Faults, Phrase, Scopes, Text, Unit};

/// What the pages say in French.
pub(crate) const FRENCH: Text = Text {
    error_prefix: "Erreur : ",
    sign_in: "Se connecter",
    sign_in_to: Phrase("Se connecter à ", ""),
    to_continue_to: Phrase("pour continuer vers ", ""),
    confirm_it_is_you: "Confirmez votre identité",
    username: "Nom d’utilisateur",
    password: "Mot de passe",
    refused: "La connexion a échoué. Vérifiez le nom d’utilisateur et le mot de passe, puis réessayez.",
    busy: "Beaucoup de personnes se connectent en ce moment. Réessayez dans un instant.",
    cancel: "Annuler",
    no_login: FaultText {
        title: "Personne ne peut encore se connecter ici",
        message: "Aucun moyen de connexion n’a été configuré pour ce site. Son exploitant peut y remédier.",
    },
    not_you: "Ce n’est pas vous ?",
    use_another: "Utiliser un autre compte",
    choose_account: "Choisissez un compte",
    continue_as: Phrase("Continuer avec le compte ", ""),
    consent_title: "Autoriser l’accès ?",
    consent_asks: Phrase("", " demande à :"),
    acts_at: Phrase("Utiliser ", " en votre nom"),
    signed_in_as: Phrase("Compte connecté : ", ""),
    then_returns_to: Phrase("Vous reviendrez ensuite à ", "."),
    then_returns_to_device: "Vous reviendrez ensuite à une application sur cet appareil.",
    native_title: "Se connecter à cette application ?",
    native_asks: Phrase("", " est une application sur cet appareil. Elle demande à :"),
    native_warning: "Continuez uniquement si vous venez de lancer cette connexion vous-même.",
    allow: "Autoriser",
    deny: "Refuser",
    scopes: Scopes {
        openid: "Savoir qui vous êtes",
        profile: "Voir votre nom et votre profil",
        email: "Voir votre adresse e-mail",
        address: "Voir votre adresse postale",
        phone: "Voir votre numéro de téléphone",
        groups: "Voir à quels groupes vous appartenez",
        offline_access: "Garder cet accès en votre absence",
    },
    sign_out: "Se déconnecter",
    sign_out_question: Phrase("Se déconnecter du site ", " ?"),
    sign_out_effect: "Vous serez aussi déconnecté des applications ouvertes avec ce compte.",
    sign_out_too_late: "Cette page est restée ouverte trop longtemps : vous n’êtes pas encore déconnecté. Répondez de nouveau.",
    stay: "Rester connecté",
    stayed: "Vous êtes toujours connecté",
    close_page: "Vous pouvez fermer cette page.",
    signed_out: "Déconnexion effectuée",
    signed_out_of: Phrase("Vous êtes déconnecté du site ", "."),
    signed_out_close: "Vous pouvez fermer cette page.",
    moving_on: "Nous vous ramenons à l’application. Un instant…",
    go_on: "Continuer",
    continue_to: Phrase("Continuer vers ", ""),
    other_applications: "Déconnexion d’une autre application",
    returning: "Un instant",
    returning_button: Phrase("Vous allez revenir à ", ". Si rien ne se passe, continuez manuellement."),
    start_again_at: Phrase("Recommencer sur ", ""),
    start_again: "Pour recommencer, retournez à l’application et connectez-vous-y.",
    details: "Détails",
    error_code: "Code",
    request_id: "ID de la requête",
    faults: FAULTS,
    wait: Phrase("Trop de tentatives. Attendez ", ", puis réessayez."),
    seconds: Unit("seconde", "secondes"),
    minutes: Unit("minute", "minutes"),
    hours: Unit("heure", "heures"),
};

const FAULTS: Faults = Faults {
    cookies_off: FaultText {
        title: "Les cookies sont désactivés",
        message: "La connexion nécessite un cookie que votre navigateur n’a pas envoyé. Autorisez les cookies pour ce site.",
    },
    other_browser: FaultText {
        title: "Cette connexion n’appartient pas à ce navigateur",
        message: "Elle a été commencée dans un autre navigateur ou une fenêtre privée, ou son cookie a été supprimé. Rien n’est perdu.",
    },
    expired: FaultText {
        title: "Cette connexion a expiré",
        message: "La page est restée ouverte trop longtemps. Rien n’est perdu.",
    },
    used: FaultText {
        title: "Cette connexion est déjà terminée",
        message: "Vous avez peut-être cliqué deux fois, fait un retour en arrière ou utilisé deux onglets. Rien n’est perdu.",
    },
    account_gone: FaultText {
        title: "Ce compte n’est pas utilisable",
        message: "Il a été supprimé ou désactivé pendant que vous vous connectiez.",
    },
    foreign: FaultText {
        title: "Cette demande ne vient pas d’ici",
        message: "Le formulaire n’a pas été envoyé depuis une page de ce site : rien n’a été fait.",
    },
    bad_request: FaultText {
        title: "Demande incompréhensible",
        message: "L’application a envoyé une demande non valide. Son exploitant peut en trouver la cause.",
    },
    unknown_client: FaultText {
        title: "Cette application n’est pas enregistrée",
        message: "Ou pas avec l’adresse de retour qu’elle demande (URI de redirection). Son exploitant peut en trouver la cause.",
    },
    logout: FaultText {
        title: "Vous n’êtes pas déconnecté",
        message: "La demande de déconnexion de l’application n’est pas valide : rien n’a été fait.",
    },
    unavailable: FaultText {
        title: "Indisponible pour le moment",
        message: "Un service dont nous avons besoin ne répond pas. Réessayez dans un instant.",
    },
};
