//! What the uploaded files of a form must be.

use spikard_core::{FileData, FileRule, UploadedFile};
use spikard_problem::{Cause, FieldError};

use crate::media_type::essence;

/// So many of the first bytes of a file are told in an error.
const SHOWN_BYTES: usize = 8;

/// Checks `files`, whose first bytes are in `first_bytes`, by `rules`. A file has one error at most.
pub(crate) fn check(
    rules: &[FileRule],
    files: &[UploadedFile],
    first_bytes: &[Vec<u8>],
    errors: &mut Vec<FieldError>,
) {
    for rule in rules {
        let mut is_absent = true;
        let fields = files.iter().zip(first_bytes);
        for (file, first_bytes) in fields.filter(|(file, _)| file.field == rule.field) {
            is_absent = false;
            if let Some(cause) = fault(rule, file, first_bytes) {
                let index = file.index.map(|index| index.to_string());
                let loc = ["files".to_owned(), rule.field.clone()];
                errors.push(FieldError::new(
                    loc.into_iter().chain(index),
                    cause,
                    Some(&file.filename),
                ));
            }
        }
        if is_absent && rule.is_required {
            errors.push(FieldError::new(
                ["files", &rule.field],
                Cause::Missing,
                None,
            ));
        }
    }
}

fn fault(rule: &FileRule, file: &UploadedFile, first_bytes: &[u8]) -> Option<Cause> {
    let declared = essence(&file.media_type);
    let media_types = &rule.media_types;
    if !media_types.is_empty() && !media_types.iter().any(|range| is_in_range(declared, range)) {
        return Some(Cause::FileMediaType {
            declared: declared.to_owned(),
            allowed: media_types.clone(),
        });
    }
    if !rule.checks_signature {
        return None;
    }
    if is_empty(&file.data) {
        return Some(Cause::EmptyFile);
    }
    let declared_has_signature = SIGNATURES.iter().any(|signature| signature.is_of(declared));
    let detected = SIGNATURES
        .iter()
        .find(|signature| signature.matches(first_bytes));
    let detected = match detected {
        Some(signature) if signature.is_of(declared) => return None,
        // That declares nothing.
        _ if declared.eq_ignore_ascii_case("application/octet-stream") => return None,
        Some(signature) => signature.media_types[0],
        None if declared_has_signature => "unknown",
        None => return None,
    };
    Some(Cause::FileSignature {
        declared: declared.to_owned(),
        detected: detected.to_owned(),
        first_bytes: first_bytes[..first_bytes.len().min(SHOWN_BYTES)].to_vec(),
    })
}

/// Whether `media_type` is `range`, or in it if that is like `image/*` (RFC 9110, 12.5.1).
fn is_in_range(media_type: &str, range: &str) -> bool {
    let range = essence(range);
    let (Some((ty, _)), Some((range_type, subtype))) =
        (media_type.split_once('/'), range.split_once('/'))
    else {
        return media_type.eq_ignore_ascii_case(range);
    };
    match subtype {
        "*" => range_type == "*" || ty.eq_ignore_ascii_case(range_type),
        _ => media_type.eq_ignore_ascii_case(range),
    }
}

fn is_empty(data: &FileData) -> bool {
    match data {
        FileData::Memory(bytes) => bytes.is_empty(),
        FileData::Disk { size_bytes, .. } => *size_bytes == 0,
        _ => false,
    }
}

/// How the content of some media types starts.
struct Signature {
    /// The registered name, then others that are in use.
    media_types: &'static [&'static str],
    start: &'static [u8],
    /// What is at the ninth byte.
    ninth: &'static [u8],
}

const SIGNATURES: [Signature; 6] = [
    Signature::new(&["image/png"], b"\x89PNG\r\n\x1a\n"),
    Signature::new(&["image/jpeg", "image/jpg"], b"\xff\xd8\xff"),
    Signature::new(&["application/pdf"], b"%PDF"),
    Signature::new(&["image/gif"], b"GIF87a"),
    Signature::new(&["image/gif"], b"GIF89a"),
    Signature {
        media_types: &["image/webp"],
        start: b"RIFF",
        ninth: b"WEBP",
    },
];

impl Signature {
    const fn new(media_types: &'static [&'static str], start: &'static [u8]) -> Self {
        Self {
            media_types,
            start,
            ninth: b"",
        }
    }

    fn is_of(&self, media_type: &str) -> bool {
        let mut names = self.media_types.iter();
        names.any(|name| name.eq_ignore_ascii_case(media_type))
    }

    fn matches(&self, first_bytes: &[u8]) -> bool {
        let ninth = first_bytes.get(8..).unwrap_or_default();
        first_bytes.starts_with(self.start) && ninth.starts_with(self.ninth)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::{Value as Json, json};

    use super::*;

    fn file(field: &str, media_type: &str, content: &'static [u8]) -> (UploadedFile, Vec<u8>) {
        let file = UploadedFile {
            field: field.to_owned(),
            index: None,
            filename: "f".to_owned(),
            media_type: media_type.to_owned(),
            headers: HeaderMap::new(),
            data: FileData::Memory(Bytes::from_static(content)),
        };
        (file, content[..content.len().min(16)].to_vec())
    }

    fn errors(rule: &FileRule, files: Vec<(UploadedFile, Vec<u8>)>) -> Json {
        let (files, first_bytes): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let mut errors = Vec::new();
        check(
            std::slice::from_ref(rule),
            &files,
            &first_bytes,
            &mut errors,
        );
        errors.iter().map(FieldError::to_json).collect()
    }

    #[test]
    fn checks_media_types() {
        let allowed = "image/jpeg, image/png, text/*";
        let rule = FileRule {
            field: "a".to_owned(),
            media_types: allowed.split(", ").map(str::to_owned).collect(),
            ..FileRule::default()
        };
        for (media_type, is_allowed) in [
            ("image/jpeg", true),
            ("Image/PNG; x=y", true),
            ("text/plain", true),
            ("image/gif", false),
            ("image/*", false),
            ("application/octet-stream", false),
            ("text", false),
            ("", false),
        ] {
            let expected = if is_allowed {
                json!([])
            } else {
                json!([{
                    "type": "validation_error", "loc": ["files", "a"], "input": "f",
                    "msg": format!("Invalid content type '{media_type}'. Allowed types: {allowed}"),
                }])
            };
            assert_eq!(
                errors(&rule, vec![file("a", media_type, b"x")]),
                expected,
                "{media_type}"
            );
        }
    }

    #[test]
    fn checks_signatures() {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 ";
        let rule = FileRule {
            field: "a".to_owned(),
            checks_signature: true,
            ..FileRule::default()
        };
        // Declared type, content, detected type and first bytes where they contradict.
        for (declared, content, contradiction) in [
            ("image/png", PNG, None),
            ("image/png", b"\x89PNG\r\n\x1a\n", None),
            ("IMAGE/PNG; a=b", PNG, None),
            ("image/jpeg", b"\xff\xd8\xff\xe0", None),
            ("image/jpg", b"\xff\xd8\xff", None),
            ("application/pdf", b"%PDF", None),
            ("image/gif", b"GIF87a", None),
            ("image/gif", b"GIF89a,", None),
            ("image/webp", WEBP, None),
            ("text/plain", b"hello", None),
            ("application/octet-stream", PNG, None),
            ("image/jpeg", PNG, Some(("image/png", "89504e470d0a1a0a"))),
            (
                "text/plain",
                b"%PDF-1.7",
                Some(("application/pdf", "255044462d312e37")),
            ),
            ("image/png", WEBP, Some(("image/webp", "5249464624000000"))),
            ("image/png", b"\xff\xd8\xff", Some(("image/jpeg", "ffd8ff"))),
            ("image/png", b"hello", Some(("unknown", "68656c6c6f"))),
            ("image/png", b"\x89PNG", Some(("unknown", "89504e47"))),
            (
                "image/webp",
                b"RIFF\x24\0\0\0WAVE",
                Some(("unknown", "5249464624000000")),
            ),
            ("image/webp", b"RIFF", Some(("unknown", "52494646"))),
        ] {
            let declared_type = essence(declared);
            let expected = contradiction.map_or(json!([]), |(detected, magic_bytes)| json!([{
                "type": "validation_error", "loc": ["files", "a"], "input": "f",
                "msg": format!("File type mismatch: MIME type is {declared_type} but magic numbers indicate {detected}"),
                "ctx": {"declared_mime": declared_type, "detected_type": detected, "magic_bytes": magic_bytes},
            }]));
            assert_eq!(
                errors(&rule, vec![file("a", declared, content)]),
                expected,
                "{declared}"
            );
        }
        assert_eq!(
            errors(&rule, vec![file("a", "text/plain", b"")]),
            json!([{
                "type": "validation_error", "loc": ["files", "a"], "input": "f",
                "msg": "File buffer is empty", "ctx": {"buffer_size": 0},
            }])
        );
    }

    #[test]
    fn finds_the_files_of_a_field() {
        let rule = FileRule {
            field: "a".to_owned(),
            is_required: true,
            media_types: vec!["a/b".to_owned()],
            checks_signature: false,
        };
        let missing = json!([{"type": "missing", "loc": ["files", "a"], "msg": "Field required", "input": null}]);
        assert_eq!(errors(&rule, vec![]), missing);
        assert_eq!(errors(&rule, vec![file("b", "c/d", b"")]), missing);
        let mut files = vec![file("a", "a/b", b""), file("a", "c/d", b"")];
        for (index, (file, _)) in files.iter_mut().enumerate() {
            file.index = Some(index);
        }
        assert_eq!(errors(&rule, files)[0]["loc"], json!(["files", "a", "1"]));
    }
}
