//! The header section of one part of a multipart form (RFC 7578, 4).

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::Rejection;
use crate::field_parameters::FieldParameters;
use crate::media_type::essence;

/// Most fields of a part.
const FIELD_LIMIT: usize = 8;

/// What the header section of a part says.
#[derive(Debug, PartialEq)]
pub(crate) struct PartHeader {
    /// The form field.
    pub(crate) name: String,
    /// Only a part that is a file has one.
    pub(crate) filename: Option<String>,
    pub(crate) fields: HeaderMap,
}

impl PartHeader {
    /// Reads a header section: lines that end with CRLF, without the empty one at the end.
    pub(crate) fn parse(section: &[u8]) -> Result<Self, Rejection> {
        let mut fields = HeaderMap::new();
        let mut rest = section;
        while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
            if fields.len() == FIELD_LIMIT {
                return Err(malformed("a part has more than 8 header fields"));
            }
            let (name, value) =
                field(&rest[..end]).ok_or(malformed("a header field of a part is malformed"))?;
            fields.append(name, value);
            rest = &rest[end + 2..];
        }
        let mut dispositions = fields.get_all(CONTENT_DISPOSITION).iter();
        let (Some(disposition), None) = (dispositions.next(), dispositions.next()) else {
            return Err(malformed("a part does not have one Content-Disposition"));
        };
        let disposition = String::from_utf8_lossy(disposition.as_bytes());
        if !essence(&disposition).eq_ignore_ascii_case("form-data") {
            return Err(malformed(
                "the Content-Disposition of a part is not form-data",
            ));
        }
        let Some((name, false)) = FieldParameters::find(&disposition, "name") else {
            return Err(malformed("a part does not have one name"));
        };
        let name = name.into_owned();
        let filename = match FieldParameters::find(&disposition, "filename") {
            Some((filename, false)) => Some(filename.into_owned()),
            Some((_, true)) => return Err(malformed("a part has more than one filename")),
            None => FieldParameters::find(&disposition, "filename*")
                .and_then(|(filename, _)| extended(&filename)),
        };
        Ok(Self {
            name,
            filename,
            fields,
        })
    }

    /// The media type that the part declares (RFC 7578, 4.4, has another default, which is for text).
    pub(crate) fn media_type(&self) -> String {
        let declared = self.fields.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let declared = String::from_utf8_lossy(declared.unwrap_or_default());
        if declared.trim().is_empty() {
            "application/octet-stream".to_owned()
        } else {
            declared.into_owned()
        }
    }
}

/// A file name in the extended notation (RFC 8187), which RFC 7578 forbids and some clients send.
fn extended(value: &str) -> Option<String> {
    let mut pieces = value.splitn(3, '\'');
    let (charset, _language, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let text = percent_decode_str(text);
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| text.decode_utf8_lossy().into_owned())
}

/// One line (RFC 9112, 5); a line that continues another is none.
fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = memchr::memchr(b':', line)?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}

fn malformed(reason: &'static str) -> Rejection {
    Rejection::MultipartSyntax { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_name_and_filename() {
        // Content-Disposition, the name, the file name.
        for (disposition, name, filename) in [
            ("form-data; name=\"a\"", "a", None),
            ("form-data; name=a", "a", None),
            ("Form-Data;NAME=a", "a", None),
            ("form-data; name=\"\"", "", None),
            (
                "form-data; name=\"a\"; filename=\"b.txt\"",
                "a",
                Some("b.txt"),
            ),
            (
                "form-data; filename=\"b.txt\"; name=\"a\"",
                "a",
                Some("b.txt"),
            ),
            ("form-data; name=\"a\"; filename=\"\"", "a", Some("")),
            (
                "form-data; name=\"a\"; filename=\"b\\\"c;d.txt\"",
                "a",
                Some("b\"c;d.txt"),
            ),
            (
                "form-data; name=\"a\"; filename=\"C:\\dir\\b.txt\"",
                "a",
                Some("C:\\dir\\b.txt"),
            ),
            (
                "form-data; name=\"ü\"; filename=\"𝄞.txt\"",
                "ü",
                Some("𝄞.txt"),
            ),
            ("form-data; name=\"a[b]\"", "a[b]", None),
            (
                "form-data; name=a; filename*=UTF-8''%C3%BC.txt",
                "a",
                Some("ü.txt"),
            ),
            (
                "form-data; name=a; filename=b; filename*=utf-8''c",
                "a",
                Some("b"),
            ),
            ("form-data; name=a; filename*=latin1''c", "a", None),
            ("form-data; name=a; filename*=c", "a", None),
        ] {
            let section = format!("Content-Disposition: {disposition}\r\n");
            let header = PartHeader::parse(section.as_bytes()).expect(disposition);
            assert_eq!(
                (&*header.name, header.filename.as_deref()),
                (name, filename),
                "{disposition}"
            );
            assert_eq!(header.media_type(), "application/octet-stream");
        }
    }

    #[test]
    fn keeps_the_fields() {
        let section = b"content-disposition:form-data; name=a\r\nContent-Type:\t text/plain \r\nX-A: 1\r\nx-a: \xff\r\n";
        let header = PartHeader::parse(section).expect("is well-formed");
        assert_eq!(header.media_type(), "text/plain");
        let values: Vec<_> = header
            .fields
            .get_all("x-a")
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        assert_eq!(values, [&b"1"[..], b"\xff"]);
    }

    #[test]
    fn says_what_is_malformed() {
        let disposition = "Content-Disposition: form-data; name=a\r\n";
        let field = "a header field of a part is malformed";
        for (section, expected) in [
            (
                String::new(),
                "a part does not have one Content-Disposition",
            ),
            (
                "Content-Type: a/b\r\n".to_owned(),
                "a part does not have one Content-Disposition",
            ),
            (
                disposition.repeat(2),
                "a part does not have one Content-Disposition",
            ),
            (
                disposition.to_owned() + &"X: y\r\n".repeat(8),
                "a part has more than 8 header fields",
            ),
            (
                "Content-Disposition: attachment; name=a\r\n".to_owned(),
                "the Content-Disposition of a part is not form-data",
            ),
            (
                "Content-Disposition: form-data\r\n".to_owned(),
                "a part does not have one name",
            ),
            (
                "Content-Disposition: form-data; name=a; name=b\r\n".to_owned(),
                "a part does not have one name",
            ),
            (
                "Content-Disposition: form-data; name=a; filename=b; filename=c\r\n".to_owned(),
                "a part has more than one filename",
            ),
            (disposition.to_owned() + "no colon\r\n", field),
            (disposition.to_owned() + " folded: x\r\n", field),
            (disposition.to_owned() + "X : y\r\n", field),
            (disposition.to_owned() + ": y\r\n", field),
            (disposition.to_owned() + "X: a\0b\r\n", field),
            (disposition.to_owned() + "X: a\nY: b\r\n", field),
        ] {
            match PartHeader::parse(section.as_bytes()) {
                Err(Rejection::MultipartSyntax { reason }) => {
                    assert_eq!(reason, expected, "{section}");
                }
                other => panic!("{section} gives {other:?}"),
            }
        }
    }
}
