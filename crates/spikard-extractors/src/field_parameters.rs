//! Parameters of a field value (RFC 9110, 5.6.6), such as those of a media type or a content disposition.

use std::borrow::Cow;

/// The parameters after the first semicolon of a field value: names as sent, values without quotes.
///
/// What has no value is skipped. A backslash in quotes escapes a quote or a backslash only, since file names have
/// others that mean themselves.
pub(crate) struct FieldParameters<'f> {
    rest: &'f str,
}

impl<'f> FieldParameters<'f> {
    pub(crate) fn new(field: &'f str) -> Self {
        Self {
            rest: field.find(';').map_or("", |start| &field[start..]),
        }
    }

    /// The value of the parameter `name` and whether it is there more than once.
    pub(crate) fn find(field: &'f str, name: &str) -> Option<(Cow<'f, str>, bool)> {
        let mut values = Self::new(field)
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value);
        let value = values.next()?;
        Some((value, values.next().is_some()))
    }
}

impl<'f> Iterator for FieldParameters<'f> {
    type Item = (&'f str, Cow<'f, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest.trim_start_matches([';', ' ', '\t']);
            let end = rest.find([';', '=']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let Some(rest) = rest.strip_prefix('=') else {
                self.rest = rest;
                if rest.is_empty() {
                    return None;
                }
                continue;
            };
            let rest = rest.trim_start_matches([' ', '\t']);
            let (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
                unquote(quoted)
            } else {
                let (value, rest) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
                (Cow::Borrowed(value.trim_end()), rest)
            };
            self.rest = &rest[rest.find(';').unwrap_or(rest.len())..];
            return Some((name.trim_end(), value));
        }
    }
}

/// The text up to the closing quote, or to the end without one, and what follows.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut value = Cow::Borrowed("");
    let mut start = 0;
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => {
                let rest = &text[index + 1..];
                return (append(value, &text[start..index]), rest);
            }
            b'\\' if matches!(bytes.get(index + 1), Some(b'"' | b'\\')) => {
                value = append(value, &text[start..index]);
                start = index + 1;
                index += 2;
            }
            _ => index += 1,
        }
    }
    (append(value, &text[start..]), "")
}

fn append<'t>(mut value: Cow<'t, str>, text: &'t str) -> Cow<'t, str> {
    // Adding to a text that is empty and borrowed borrows.
    value += text;
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_parameters_apart() {
        // Field value, its parameters.
        let table: [(&str, &[(&str, &str)]); 15] = [
            ("text/plain", &[]),
            ("text/plain;", &[]),
            ("text/plain; ; ;", &[]),
            ("text/plain; charset=utf-8", &[("charset", "utf-8")]),
            ("a/b;c=d;e=f", &[("c", "d"), ("e", "f")]),
            ("a/b ;\tc = d ; e=f ", &[("c", "d"), ("e", "f")]),
            ("a/b; c; d=e", &[("d", "e")]),
            ("a/b; c=", &[("c", "")]),
            ("a/b; c=\"d;e=f\"; g=h", &[("c", "d;e=f"), ("g", "h")]),
            (r#"a/b; c="d\"e\\f\g""#, &[("c", r#"d"e\f\g"#)]),
            (r#"a/b; c="C:\x\y.txt""#, &[("c", r"C:\x\y.txt")]),
            ("a/b; c=\"d", &[("c", "d")]),
            ("a/b; c=\"d\"e; f=g", &[("c", "d"), ("f", "g")]),
            ("a/b; c=d=e", &[("c", "d=e")]),
            ("a/b; =c", &[("", "c")]),
        ];
        for (field, expected) in table {
            let parameters: Vec<_> = FieldParameters::new(field).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value)| (*name, Cow::Borrowed(*value)))
                .collect();
            assert_eq!(parameters, expected, "field: {field}");
        }
    }
}
