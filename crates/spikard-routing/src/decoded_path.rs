//! A request path that has escapes, decoded for matching.

use crate::MalformedPath;

/// Stands for an escaped slash while segments are matched. No template has it: control characters are refused there.
const ESCAPED_SLASH: u8 = 0;

/// A path, decoded (RFC 3986, 2.1).
///
/// It is kept in two forms of the same length: the text that parameters are cut from, and the shape that is matched,
/// in which a slash that was escaped is not a slash.
#[derive(Debug)]
pub(crate) struct DecodedPath {
    text: String,
    shape: String,
}

impl DecodedPath {
    pub(crate) fn decode(path: &str) -> Result<Self, MalformedPath> {
        let bytes = path.as_bytes();
        let mut text = Vec::with_capacity(bytes.len());
        let mut shape = Vec::with_capacity(bytes.len());
        let mut offset = 0;
        while let Some(&byte) = bytes.get(offset) {
            if byte == b'%' {
                let byte = escaped_byte(&bytes[offset..]).ok_or_else(|| MalformedPath::Escape {
                    escape: escape_at(path, offset),
                    offset,
                })?;
                text.push(byte);
                shape.push(if byte == b'/' { ESCAPED_SLASH } else { byte });
                offset += 3;
            } else {
                text.push(byte);
                shape.push(byte);
                offset += 1;
            }
        }
        let text = String::from_utf8(text).map_err(|error| {
            let offset = offset_in_sent(bytes, error.utf8_error().valid_up_to());
            MalformedPath::Encoding {
                escape: escape_at(path, offset),
                offset,
            }
        })?;
        let shape = String::from_utf8(shape).expect("differs from the text only in ASCII bytes");
        Ok(Self { text, shape })
    }

    /// What is matched against templates.
    pub(crate) fn shape(&self) -> &str {
        &self.shape
    }

    /// The text at the place of `part`, which is a part of the shape.
    pub(crate) fn text_of(&self, part: &str) -> &str {
        let start = part.as_ptr().addr() - self.shape.as_ptr().addr();
        &self.text[start..start + part.len()]
    }
}

/// The byte that an escape at the start of `bytes` stands for.
fn escaped_byte(bytes: &[u8]) -> Option<u8> {
    let digit = |index: usize| char::from(*bytes.get(index)?).to_digit(16);
    u8::try_from(digit(1)? * 16 + digit(2)?).ok()
}

/// The `%` at `offset` and up to two characters after it, for a message.
fn escape_at(path: &str, offset: usize) -> String {
    path[offset..].chars().take(3).collect()
}

/// Where the byte that is `decoded` bytes into the decoded path begins in the path as sent.
///
/// The first byte that is not UTF-8 always comes from an escape: what was sent plainly is UTF-8 already.
fn offset_in_sent(bytes: &[u8], decoded: usize) -> usize {
    let mut offset = 0;
    for _ in 0..decoded {
        offset += if bytes[offset] == b'%' { 3 } else { 1 };
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_escapes_once() {
        // Path as sent, its text, its shape.
        for (sent, text, shape) in [
            ("/%68ello", "/hello", "/hello"),
            ("/caf%C3%A9", "/café", "/café"),
            ("/caf%c3%a9/é", "/café/é", "/café/é"),
            ("/a%2Fb/c", "/a/b/c", "/a\0b/c"),
            ("/%2525", "/%25", "/%25"),
            ("/%00", "/\0", "/\0"),
            ("/a+b", "/a+b", "/a+b"),
            ("%2F", "/", "\0"),
        ] {
            let decoded = DecodedPath::decode(sent).expect(sent);
            assert_eq!(decoded.text, text, "path: {sent}");
            assert_eq!(decoded.shape, shape, "path: {sent}");
        }
    }

    #[test]
    fn names_the_escape_that_is_wrong() {
        for (sent, message) in [
            ("/%zz", "malformed escape `%zz` at byte 1 of the path"),
            ("/a%2", "malformed escape `%2` at byte 2 of the path"),
            ("/a%", "malformed escape `%` at byte 2 of the path"),
            ("/%+1x", "malformed escape `%+1` at byte 1 of the path"),
            ("/%4é", "malformed escape `%4é` at byte 1 of the path"),
            ("/%é", "malformed escape `%é` at byte 1 of the path"),
            ("/%41%%41", "malformed escape `%%4` at byte 4 of the path"),
            (
                "/%FF",
                "escape `%FF` at byte 1 of the path does not decode to UTF-8",
            ),
            (
                "/é%41%C3(",
                "escape `%C3` at byte 6 of the path does not decode to UTF-8",
            ),
            (
                "/%ED%A0%80",
                "escape `%ED` at byte 1 of the path does not decode to UTF-8",
            ),
            (
                "/%C0%AF",
                "escape `%C0` at byte 1 of the path does not decode to UTF-8",
            ),
            (
                "/%E2%82",
                "escape `%E2` at byte 1 of the path does not decode to UTF-8",
            ),
        ] {
            let error = DecodedPath::decode(sent).expect_err(sent);
            assert_eq!(error.to_string(), message, "path: {sent}");
        }
    }
}
