//! Texts of the query, an `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1).
//!
//! Malformed escapes stay as they are, and what is not UTF-8 becomes U+FFFD: a query never fails to decode. The last
//! value of a repeated name counts, unless the parameter is an array. An array `tags` is also taken from `tags[]`.

use std::borrow::Cow;

use spikard_core::Value;

use crate::declared::Declared;

/// Puts the texts of `parameters`, which are sorted by name, into `values`.
///
/// Nothing is converted before all texts are found: what a later value replaces is never looked at.
pub(crate) fn gather<'r>(parameters: &[Declared], query: &'r str, values: &mut [Value<'r>]) {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if let Some((parameter, text)) = declared(parameters, pair) {
            parameter.gather(text, &mut values[parameter.input]);
        }
    }
}

/// The parameter that `pair` has a value for, and the value, decoded. Pairs of other names are not decoded.
fn declared<'p, 'r>(
    parameters: &'p [Declared],
    pair: &'r str,
) -> Option<(&'p Declared, Cow<'r, str>)> {
    let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
    if is_encoded(name) {
        let (name, text) = form_urlencoded::parse(pair.as_bytes()).next()?;
        return Some((find(parameters, &name)?, text));
    }
    let parameter = find(parameters, name)?;
    if is_encoded(text) {
        let (_, text) = form_urlencoded::parse(pair.as_bytes()).next()?;
        return Some((parameter, text));
    }
    Some((parameter, Cow::Borrowed(text)))
}

fn find<'p>(parameters: &'p [Declared], name: &str) -> Option<&'p Declared> {
    let find = |name: &str| {
        let index = parameters.binary_search_by(|parameter| (*parameter.name).cmp(name));
        index.ok().map(|index| &parameters[index])
    };
    find(name).or_else(|| find(name.strip_suffix("[]")?).filter(|parameter| parameter.is_array()))
}

fn is_encoded(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}
