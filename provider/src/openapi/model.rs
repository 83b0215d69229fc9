//! What an endpoint is described with: tables of text, written beside each other in
//! [`super::operations`] and [`super::schemas`].

/// What one method of an endpoint does.
#[derive(Debug)]
pub(crate) struct Operation {
    /// A few words.
    pub(crate) summary: &'static str,
    /// Sentences.
    pub(crate) description: &'static str,
    /// In the query.
    pub(crate) query: &'static [Field],
    /// `authorization`, in the header.
    pub(crate) authorization: Option<Field>,
    /// None where the endpoint reads none.
    pub(crate) body: Option<Body>,
    /// Beside those that [`Operation::CONTRACT`] and [`Operation::ANY_TENANT`] have.
    pub(crate) answers: &'static [Answer],
    /// Whether the contract has it: then 422 is one of its answers.
    pub(crate) in_contract: bool,
    /// False: the path is known, and is answered with 404.
    pub(crate) served: bool,
}

/// What a request's body is.
#[derive(Debug)]
pub(crate) struct Body {
    /// Each with the same schema.
    pub(crate) media_types: &'static [&'static str],
    /// By name.
    pub(crate) schema: &'static str,
    /// Whether there has to be one.
    pub(crate) required: bool,
}

/// One answer of an operation.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Of HTTP.
    pub(crate) status: &'static str,
    /// When it comes.
    pub(crate) description: &'static str,
    /// Media type, and the schema's name where there is one.
    pub(crate) content: Option<(&'static str, Option<&'static str>)>,
}

/// An object that is sent or answered.
#[derive(Debug)]
pub(crate) struct Schema {
    /// What operations call it.
    pub(crate) name: &'static str,
    /// A sentence, or nothing.
    pub(crate) description: &'static str,
    /// Its fields.
    pub(crate) fields: &'static [Field],
}

/// A field of an object, or a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// As it is sent.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// Whether it has to be there.
    pub(crate) required: bool,
    /// What its absence means.
    pub(crate) default: Option<bool>,
    /// A sentence, or nothing.
    pub(crate) description: &'static str,
}

/// The types of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `string`
    Text,
    /// `string` | `null`
    TextOrNull,
    /// `integer`
    Integer,
    /// `integer` | `null`
    IntegerOrNull,
    /// `boolean`
    Boolean,
    /// array of `string`
    Texts,
    /// array of `string`, or `null`
    TextsOrNull,
    /// array of (`string` | `integer`)
    TextsOrIntegers,
    /// `object` | `null`
    ObjectOrNull,
    /// An object whose fields are any, each a `string`
    TextByName,
    /// array of a schema, by name.
    Each(&'static str),
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const HTML: &str = "text/html";

impl Operation {
    /// What most operations have in common: nothing.
    pub(crate) const NONE: Self = Self {
        summary: "",
        description: "",
        query: &[],
        authorization: None,
        body: None,
        answers: &[],
        in_contract: false,
        served: true,
    };

    /// The same, of one that the contract has.
    pub(crate) const CONTRACT: Self = Self { in_contract: true, ..Self::NONE };

    /// What every operation may answer.
    pub(crate) const ANY_TENANT: [Answer; 2] = [
        Answer::json("404", "There is no such tenant at this address.", "OAuthError"),
        Answer::json("503", "The provider is starting, or cannot reach its store: try again.", "OAuthError"),
    ];
}

impl Body {
    /// A form, which has to be there.
    pub(crate) const fn form(schema: &'static str) -> Self {
        Self { media_types: &[FORM], schema, required: true }
    }
}

impl Answer {
    /// With this schema.
    pub(crate) const fn json(status: &'static str, description: &'static str, schema: &'static str) -> Self {
        Self { status, description, content: Some((JSON, Some(schema))) }
    }

    /// Of a media type, without a schema.
    pub(crate) const fn of(status: &'static str, description: &'static str, media_type: &'static str) -> Self {
        Self { status, description, content: Some((media_type, None)) }
    }

    /// Without a body.
    pub(crate) const fn empty(status: &'static str, description: &'static str) -> Self {
        Self { status, description, content: None }
    }
}

impl Field {
    /// Has to be there.
    pub(crate) const fn required(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, required: true, default: None, description }
    }

    /// May be left out.
    pub(crate) const fn optional(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, required: false, default: None, description }
    }

    /// Text that may be left out, or null.
    pub(crate) const fn text(name: &'static str, description: &'static str) -> Self {
        Self::optional(name, Kind::TextOrNull, description)
    }

    /// May be left out, and is true then.
    pub(crate) const fn true_by_default(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Boolean, required: false, default: Some(true), description }
    }
}
