//! The `Set-Cookie` fields of a reply (RFC 6265, 4.1).

use std::fmt::Write;

use http::header::HeaderValue;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// One cookie, as `spikard.cookies.SetCookie` describes it; read by attribute.
#[derive(FromPyObject)]
struct SetCookie<'py> {
    name: String,
    value: String,
    max_age: Option<i64>,
    expires: Option<Bound<'py, PyAny>>,
    path: Option<String>,
    domain: Option<String>,
    secure: bool,
    httponly: bool,
    samesite: Option<String>,
}

/// The field value of one cookie.
///
/// # Errors
///
/// When a part of it has characters that would end it or start another; the message names the cookie and the part.
pub(crate) fn field_value(cookie: &Bound<'_, PyAny>) -> PyResult<HeaderValue> {
    let cookie: SetCookie<'_> = cookie.extract()?;
    let wrong = |part: &str, value: &str| {
        PyValueError::new_err(format!(
            "cookie {:?}: {value:?} is not a {part}",
            cookie.name
        ))
    };
    if cookie.name.is_empty() || !cookie.name.bytes().all(is_token) {
        return Err(wrong("name", &cookie.name));
    }
    if !cookie.value.bytes().all(is_cookie_octet) {
        return Err(wrong("value", &cookie.value));
    }
    let mut field = format!("{}={}", cookie.name, cookie.value);
    if let Some(max_age) = cookie.max_age {
        let _ = write!(field, "; Max-Age={max_age}");
    }
    if let Some(expires) = &cookie.expires {
        let format_datetime = expires
            .py()
            .import("email.utils")?
            .getattr("format_datetime")?;
        let utc = expires
            .py()
            .import("datetime")?
            .getattr("timezone")?
            .getattr("utc")?;
        let date: String = format_datetime
            .call1((expires.call_method1("astimezone", (utc,))?, true))?
            .extract()?;
        let _ = write!(field, "; Expires={date}");
    }
    for (name, value) in [("Path", &cookie.path), ("Domain", &cookie.domain)] {
        if let Some(value) = value {
            if !value.bytes().all(is_attribute_octet) {
                return Err(wrong(name, value));
            }
            let _ = write!(field, "; {name}={value}");
        }
    }
    if cookie.secure {
        field.push_str("; Secure");
    }
    if cookie.httponly {
        field.push_str("; HttpOnly");
    }
    match cookie.samesite.as_deref() {
        None => {}
        Some("strict") => field.push_str("; SameSite=Strict"),
        Some("lax") => field.push_str("; SameSite=Lax"),
        Some("none") => field.push_str("; SameSite=None"),
        Some(other) => return Err(wrong("samesite", other)),
    }
    HeaderValue::from_str(&field).map_err(|_| wrong("cookie", &field))
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6265, 4.1.1: visible, without quotes, commas, semicolons and backslashes.
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

fn is_attribute_octet(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) && byte != b';'
}
