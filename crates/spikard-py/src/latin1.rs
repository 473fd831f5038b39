//! Field values between bytes and text: each byte is one character (ISO-8859-1), as Python's HTTP libraries read them.

/// The bytes of a text; none when it has a character beyond U+00FF.
pub(crate) fn encode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|it| u8::try_from(it).ok()).collect()
}

/// The text of any bytes.
pub(crate) fn decode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
