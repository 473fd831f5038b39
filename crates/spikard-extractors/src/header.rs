//! Texts of header fields.
//!
//! Several fields of one name are one text, joined by a comma (RFC 9110, 5.3). The items of an array are separated by
//! commas as well; empty ones do not count, and a comma inside quotes separates too. What is not UTF-8 becomes U+FFFD.

use std::borrow::Cow;

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use spikard_core::Value;

use crate::declared::{Declared, Shape};

/// One declared header field.
#[derive(Clone, Debug)]
pub(crate) struct HeaderParameter {
    pub(crate) declared: Declared,
    pub(crate) name: HeaderName,
}

/// Puts the texts of `parameters` into `values`.
pub(crate) fn gather<'r>(
    parameters: &[HeaderParameter],
    headers: &'r HeaderMap,
    values: &mut [Value<'r>],
) {
    for HeaderParameter { declared, name } in parameters {
        let mut texts = headers.get_all(name).iter().map(text);
        let Some(first) = texts.next() else {
            continue;
        };
        let value = &mut values[declared.input];
        match declared.shape {
            Shape::Single => {
                // Cookies, which only look like a list, are joined as they are separated (RFC 9113, 8.2.3).
                let separator = if name == COOKIE { "; " } else { ", " };
                let joined = texts.fold(first, |joined, text| {
                    Cow::Owned([&*joined, &*text].join(separator))
                });
                declared.gather(joined, value);
            }
            Shape::Repeated => {
                *value = Value::Array(Vec::new());
                for field in std::iter::once(first).chain(texts) {
                    gather_list(declared, field, value);
                }
            }
            Shape::Separated(_) => {
                for field in std::iter::once(first).chain(texts) {
                    declared.gather(field, value);
                }
            }
        }
    }
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The elements of a list-based field (RFC 9110, 5.6.1).
fn gather_list<'r>(declared: &Declared, field: Cow<'r, str>, value: &mut Value<'r>) {
    fn elements(field: &str) -> impl Iterator<Item = &str> {
        field
            .split(',')
            .map(|element| element.trim_matches([' ', '\t']))
            .filter(|element| !element.is_empty())
    }
    match field {
        Cow::Borrowed(field) => {
            elements(field).for_each(|element| declared.gather(element.into(), value));
        }
        Cow::Owned(field) => {
            elements(&field).for_each(|element| declared.gather(element.to_owned().into(), value));
        }
    }
}
