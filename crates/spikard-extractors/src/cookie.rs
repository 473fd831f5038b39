//! Texts of cookies (RFC 6265, 5.4).
//!
//! Names are compared exactly. Values are taken as they stand: neither percent-encoding nor quotes are undone. Of a
//! repeated name the first value counts, since user agents send the cookie with the longest path first; an array
//! collects them all. What has no name is skipped: `=a=b` is no cookie `a`. What is not UTF-8 becomes U+FFFD.

use http::HeaderMap;
use http::header::COOKIE;
use spikard_core::Value;

use crate::declared::Declared;

/// Puts the texts of `parameters`, which are sorted by name, into `values`.
pub(crate) fn gather<'r>(
    parameters: &[Declared],
    headers: &'r HeaderMap,
    values: &mut [Value<'r>],
) {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    for pair in pairs {
        let Some(equals) = memchr::memchr(b'=', pair) else {
            continue;
        };
        let (name, text) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        let find = |parameter: &Declared| parameter.name.as_bytes().cmp(name);
        let Ok(index) = parameters.binary_search_by(find) else {
            continue;
        };
        let parameter = &parameters[index];
        let value = &mut values[parameter.input];
        if parameter.is_array() || *value == Value::Absent {
            parameter.gather(String::from_utf8_lossy(text), value);
        }
    }
}
