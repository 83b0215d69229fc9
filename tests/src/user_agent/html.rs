//! What a person sees of the provider's pages. It reads those pages, not any page.

/// A form: where it goes, and what it sends unseen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) hidden: Vec<(String, String)>,
}

/// The ID of a page of the provider's: that of its `main`.
pub(super) fn page(body: &str) -> Option<&str> {
    attribute(tags(body, "main").next()?, "id")
}

/// The first form of a page.
pub(super) fn form(body: &str) -> Option<Form> {
    let start = body.find("<form ")?;
    let text = &body[start..];
    let text = &text[..text.find("</form>")?];
    let action = unescape(attribute(tags(text, "form").next()?, "action")?);
    let inputs = tags(text, "input").filter(|tag| attribute(tag, "type") == Some("hidden"));
    let hidden = inputs.filter_map(|tag| {
        let value = attribute(tag, "value").unwrap_or_default();
        Some((unescape(attribute(tag, "name")?), unescape(value)))
    });
    Some(Form { action, hidden: hidden.collect() })
}

/// Where the link with this ID leads.
pub(super) fn link(body: &str, id: &str) -> Option<String> {
    let found = tags(body, "a").find(|tag| attribute(tag, "id") == Some(id))?;
    attribute(found, "href").map(unescape)
}

/// The opening tags of one kind, from `<` up to `>`.
fn tags<'a>(body: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    body.match_indices('<').filter_map(move |(at, _)| {
        let tag = &body[at..];
        let tag = &tag[..tag.find('>')?];
        let rest = tag[1..].strip_prefix(name)?;
        rest.starts_with(' ').then_some(tag)
    })
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let marker = format!(" {name}=\"");
    let start = tag.find(&marker)? + marker.len();
    let value = &tag[start..];
    Some(&value[..value.find('"')?])
}

/// Text of a page, with its character references resolved.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((character, length)) => {
                plain.push(character);
                rest = &rest[length..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

/// The reference at the start of `text`: its character, and its length.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.find(';')?;
    let name = &text[1..end];
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        _ => {
            let digits = name.strip_prefix('#')?;
            let hexadecimal = digits.strip_prefix('x').map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hexadecimal.unwrap_or_else(|| digits.parse()).ok()?)?
        }
    };
    Some((character, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<main id="login"><form method="post" action="/in?a=1&amp;b=2">
<input type="hidden" name="flow" value="a&#38;b"><input name="username" type="text" value="x">
</form><form action="/other"></form><a class="button" id="continue" href="https://a.example/?x=&#34;">on</a></main>"#;

    #[test]
    fn a_form_sends_what_is_hidden_in_it() {
        let hidden = vec![("flow".to_owned(), "a&b".to_owned())];
        assert_eq!(form(PAGE), Some(Form { action: "/in?a=1&b=2".to_owned(), hidden }));
        assert_eq!(page(PAGE), Some("login"));
        assert_eq!(link(PAGE, "continue").as_deref(), Some("https://a.example/?x=\""));
        assert_eq!(link(PAGE, "back"), None);
    }

    #[test]
    fn an_ampersand_that_refers_to_nothing_is_one() {
        assert_eq!(unescape("a & b &amp; &#x41;&lt;&nothing;"), "a & b & A<&nothing;");
    }
}
