//! What `Content-Type` says of the content of a request (RFC 9110, 8.3).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::Rejection;
use crate::field_parameters::FieldParameters;

/// Longest boundary of a multipart form (RFC 2046, 5.1.1).
const BOUNDARY_LIMIT_BYTES: usize = 70;

/// The media types that make a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/json`, or any type with the suffix `+json` (RFC 6839, 3.1).
    Json,
    /// `application/x-www-form-urlencoded` (WHATWG URL, section 5).
    UrlEncoded,
    /// `multipart/form-data` (RFC 7578).
    Multipart,
    /// MessagePack, by its registered name or those before it.
    MessagePack,
    /// Any other, and what is none.
    Other,
}

impl MediaType {
    /// What the fields of a request say; `None` without a `Content-Type`.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(CONTENT_TYPE).iter();
        let field = fields.next()?;
        let is_single = fields.next().is_none();
        let field = field.to_str().ok().filter(|_| is_single);
        Some(field.map_or(Self::Other, Self::parse))
    }

    fn parse(field: &str) -> Self {
        let essence = essence(field);
        let is = |name| essence.eq_ignore_ascii_case(name);
        if is("application/json") {
            Self::Json
        } else if is("application/x-www-form-urlencoded") {
            Self::UrlEncoded
        } else if is("multipart/form-data") {
            Self::Multipart
        } else if is("application/vnd.msgpack")
            || is("application/msgpack")
            || is("application/x-msgpack")
        {
            Self::MessagePack
        } else if has_json_suffix(essence) {
            Self::Json
        } else {
            Self::Other
        }
    }
}

/// Type and subtype, without parameters.
pub(crate) fn essence(field: &str) -> &str {
    field.split(';').next().unwrap_or_default().trim()
}

fn has_json_suffix(essence: &str) -> bool {
    let Some((ty, subtype)) = essence.split_once('/') else {
        return false;
    };
    let name = subtype.len().checked_sub("+json".len());
    let name = name.filter(|end| {
        let suffix = subtype.as_bytes().get(*end..).unwrap_or_default();
        suffix.eq_ignore_ascii_case(b"+json")
    });
    !ty.is_empty() && name.is_some_and(|length| length > 0)
}

/// Refuses JSON that says it is in another charset than UTF-8.
pub(crate) fn check_charset(headers: &HeaderMap) -> Result<(), Rejection> {
    let other = FieldParameters::new(content_type(headers))
        .filter(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset)
        .find(|charset| {
            !["utf-8", "utf8"]
                .iter()
                .any(|name| charset.eq_ignore_ascii_case(name))
        });
    match other {
        None => Ok(()),
        Some(charset) => Err(Rejection::UnsupportedCharset {
            charset: charset.into_owned(),
        }),
    }
}

/// The boundary of a multipart form.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<String, Rejection> {
    let refuse = |reason| Err(Rejection::Boundary { reason });
    let Some((boundary, is_repeated)) = FieldParameters::find(content_type(headers), "boundary")
    else {
        return refuse("is missing");
    };
    if is_repeated {
        return refuse("is there more than once");
    }
    if boundary.is_empty() || boundary.len() > BOUNDARY_LIMIT_BYTES {
        return refuse("does not have 1 to 70 characters");
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if boundary.ends_with(' ') || !boundary.bytes().all(is_allowed) {
        return refuse("has a character that a boundary cannot have there");
    }
    Ok(boundary.into_owned())
}

fn content_type(headers: &HeaderMap) -> &str {
    let field = headers.get(CONTENT_TYPE);
    field
        .and_then(|field| field.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(field: &str) -> HeaderMap {
        let field = HeaderValue::from_bytes(field.as_bytes()).expect("is a field value");
        HeaderMap::from_iter([(CONTENT_TYPE, field)])
    }

    #[test]
    fn tells_media_types_apart() {
        for (field, expected) in [
            ("application/json", MediaType::Json),
            ("Application/JSON", MediaType::Json),
            (
                "application/json; charset=utf-8; boundary=x",
                MediaType::Json,
            ),
            ("application/json;q=\"", MediaType::Json),
            (" application/json ;", MediaType::Json),
            ("application/vnd.api+json", MediaType::Json),
            ("application/problem+JSON; a=b", MediaType::Json),
            ("model/gltf+json", MediaType::Json),
            ("application/+json", MediaType::Other),
            ("/x+json", MediaType::Other),
            ("x+json", MediaType::Other),
            ("application/jsonp", MediaType::Other),
            ("application/json-seq", MediaType::Other),
            ("application/jsön", MediaType::Other),
            ("text/json", MediaType::Other),
            ("text/plain", MediaType::Other),
            ("text/plain;application/json", MediaType::Other),
            ("application/xml", MediaType::Other),
            ("", MediaType::Other),
            (";", MediaType::Other),
            ("application/x-www-form-urlencoded", MediaType::UrlEncoded),
            (
                "application/X-WWW-form-urlencoded;charset=x",
                MediaType::UrlEncoded,
            ),
            ("multipart/form-data; boundary=x", MediaType::Multipart),
            ("Multipart/Form-Data", MediaType::Multipart),
            ("multipart/mixed; boundary=x", MediaType::Other),
            ("application/msgpack", MediaType::MessagePack),
            ("application/x-msgpack", MediaType::MessagePack),
            ("application/vnd.msgpack", MediaType::MessagePack),
        ] {
            assert_eq!(
                MediaType::of(&headers(field)),
                Some(expected),
                "field: {field}"
            );
        }
        assert_eq!(MediaType::of(&HeaderMap::new()), None);
        let mut twice = headers("application/json");
        twice.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert_eq!(MediaType::of(&twice), Some(MediaType::Other));
    }

    #[test]
    fn takes_json_in_utf_8_only() {
        for (field, refused) in [
            ("application/json", None),
            ("application/json; charset=utf-8", None),
            ("application/json; charset=\"UTF-8\"", None),
            ("application/json; Charset=UTF8", None),
            ("application/json; charset=utf-16", Some("utf-16")),
            ("application/json; charset=ISO-8859-1", Some("ISO-8859-1")),
            ("application/json; charset=", Some("")),
            (
                "application/json; charset=utf-8; charset=latin1",
                Some("latin1"),
            ),
        ] {
            let charset = match check_charset(&headers(field)) {
                Ok(()) => None,
                Err(Rejection::UnsupportedCharset { charset }) => Some(charset),
                Err(other) => panic!("{field}: {other}"),
            };
            assert_eq!(charset.as_deref(), refused, "field: {field}");
        }
    }

    #[test]
    fn finds_the_boundary() {
        let longest = "b".repeat(70);
        let too_long = "b".repeat(71);
        let length = "does not have 1 to 70 characters";
        let character = "has a character that a boundary cannot have there";
        // Parameters of the media type, the boundary or what is wrong with it.
        for (parameters, expected) in [
            ("boundary=x", Ok("x")),
            ("Boundary=\"a b\"; charset=utf-8", Ok("a b")),
            (
                "boundary=----WebKitFormBoundary7MA4",
                Ok("----WebKitFormBoundary7MA4"),
            ),
            ("boundary==_Part_1=", Ok("=_Part_1=")),
            (&format!("boundary={longest}"), Ok(longest.as_str())),
            (&format!("boundary={too_long}"), Err(length)),
            ("boundary=", Err(length)),
            ("boundary=\"\"", Err(length)),
            ("boundary", Err("is missing")),
            ("charset=utf-8", Err("is missing")),
            ("xboundary=x", Err("is missing")),
            ("boundary=x; boundary=x", Err("is there more than once")),
            ("boundary=x; BOUNDARY=y", Err("is there more than once")),
            ("boundary=\"x \"", Err(character)),
            ("boundary=\"a\tb\"", Err(character)),
        ] {
            let boundary = boundary(&headers(&format!("multipart/form-data; {parameters}")));
            match (boundary, expected) {
                (Ok(boundary), Ok(expected)) => assert_eq!(boundary, expected),
                (Err(Rejection::Boundary { reason }), Err(expected)) => {
                    assert_eq!(reason, expected, "parameters: {parameters}");
                }
                (boundary, _) => panic!("parameters {parameters} give {boundary:?}"),
            }
        }
    }

    #[test]
    fn a_hostile_field_is_read_in_linear_time() {
        for flood in [
            ";",
            "; ",
            "=",
            "\"",
            "\\\"",
            "a=\"",
            "; a",
            "; boundary=\"\\\\",
        ] {
            let field = format!("multipart/form-data; {}", flood.repeat(60_000));
            let headers = headers(&field);
            assert_eq!(MediaType::of(&headers), Some(MediaType::Multipart));
            assert!(boundary(&headers).is_err(), "flood: {flood}");
        }
    }
}
