//! Extra entries of a credentials Secret.

use std::fmt;

use zeroize::Zeroizing;

use super::Unusable;

/// Text with placeholders such as `{{clientId}}`. There are no expressions, so that a template can
/// neither fail nor do anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretTemplate(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Placeholder(Placeholder),
}

/// What a template may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// The `client_id`.
    ClientId,
    /// The client's secret.
    ClientSecret,
    /// The issuer.
    Issuer,
    /// Address of the discovery document.
    DiscoveryUrl,
    /// Address of the token endpoint.
    TokenUrl,
    /// Slug of the tenant.
    Tenant,
}

impl Placeholder {
    /// Every placeholder.
    pub const ALL: [Self; 6] =
        [Self::ClientId, Self::ClientSecret, Self::Issuer, Self::DiscoveryUrl, Self::TokenUrl, Self::Tenant];

    /// How a template writes it, without the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientId => "clientId",
            Self::ClientSecret => "clientSecret",
            Self::Issuer => "issuer",
            Self::DiscoveryUrl => "discoveryUrl",
            Self::TokenUrl => "tokenUrl",
            Self::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{{}}}}}", self.as_str())
    }
}

/// Longest template, bytes.
pub(crate) const LONGEST: usize = 4096;

impl SecretTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// A placeholder that does not exist or does not end, or a text that is too long.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        if text.len() > LONGEST {
            return Err(Unusable("must be at most 4096 bytes"));
        }
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").ok_or(Unusable("has a {{ without its }}"))?;
            let placeholder = Placeholder::ALL.into_iter().find(|known| known.as_str() == name.trim()).ok_or(Unusable(
                "has an unknown placeholder; known are {{clientId}}, {{clientSecret}}, {{issuer}}, {{discoveryUrl}}, {{tokenUrl}} and {{tenant}}",
            ))?;
            if !before.is_empty() {
                segments.push(Segment::Text(before.to_owned()));
            }
            segments.push(Segment::Placeholder(placeholder));
            rest = tail;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Ok(Self(segments))
    }

    /// The text with every placeholder replaced. `value` gives each one's; the result may hold the
    /// client's secret, so it is zeroed on drop.
    pub fn render<'a>(&self, value: impl Fn(Placeholder) -> &'a str) -> Zeroizing<String> {
        let parts = || {
            self.0.iter().map(|segment| match segment {
                Segment::Text(text) => text.as_str(),
                Segment::Placeholder(placeholder) => value(*placeholder),
            })
        };
        // Room for all of it at once: a string that grows leaves its earlier copies in memory.
        let mut text = Zeroizing::new(String::with_capacity(parts().map(str::len).sum()));
        parts().for_each(|part| text.push_str(part));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in() {
        let template = SecretTemplate::parse("oidc://{{clientId}}:{{ clientSecret }}@{{issuer}}/").unwrap();
        let text = template.render(|placeholder| match placeholder {
            Placeholder::ClientId => "shop.shop",
            Placeholder::ClientSecret => "{{issuer}}",
            _ => "acme",
        });
        // A value that looks like a placeholder stays as it is.
        assert_eq!(*text, "oidc://shop.shop:{{issuer}}@acme/");
    }

    #[test]
    fn a_template_that_cannot_be_filled_in_is_refused() {
        for bad in ["{{password}}", "{{clientId", "{{}}", "{{client{{Id}}"] {
            assert!(SecretTemplate::parse(bad).is_err(), "{bad}");
        }
        assert!(SecretTemplate::parse("}} { a } and nothing more").is_ok());
    }
}
