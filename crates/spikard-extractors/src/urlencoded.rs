//! Urlencoded forms (WHATWG URL, section 5.1): always UTF-8, and what is not becomes U+FFFD.

use crate::Rejection;
use crate::form::{FIELD_LIMIT, Form};

/// The fields of `content`, decoded.
pub(crate) fn parse(content: &[u8]) -> Result<Form<'_>, Rejection> {
    let mut form = Form::default();
    for (count, (name, text)) in form_urlencoded::parse(content).enumerate() {
        if count == FIELD_LIMIT {
            return Err(Rejection::TooManyFields { limit: FIELD_LIMIT });
        }
        form.push_text(name, text);
    }
    Ok(form)
}
