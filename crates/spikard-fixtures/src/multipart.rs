//! Fields and files as one multipart content (RFC 7578).

use std::fmt::Write;

use crate::FilePart;

pub(crate) const MEDIA_TYPE: &str = "multipart/form-data; boundary=fixture-boundary";
const DELIMITER: &str = "--fixture-boundary";

/// The content of a `multipart/form-data` request: the text fields first, then the files.
pub(crate) fn encode(fields: &[(String, String)], files: &[FilePart]) -> Vec<u8> {
    let mut content = Vec::new();
    for (name, value) in fields {
        let head = format!(
            "{DELIMITER}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n",
            quote(name)
        );
        content.extend_from_slice(head.as_bytes());
        content.extend_from_slice(value.as_bytes());
        content.extend_from_slice(b"\r\n");
    }
    for file in files {
        let mut head = format!(
            "{DELIMITER}\r\nContent-Disposition: form-data; name=\"{}\"",
            quote(&file.field_name)
        );
        if let Some(filename) = &file.filename {
            write!(head, "; filename=\"{}\"", quote(filename))
                .expect("writing to a string does not fail");
        }
        head.push_str("\r\n");
        if let Some(media_type) = &file.content_type {
            write!(head, "Content-Type: {media_type}\r\n")
                .expect("writing to a string does not fail");
        }
        for (name, value) in &file.headers {
            write!(head, "{name}: {value}\r\n").expect("writing to a string does not fail");
        }
        head.push_str("\r\n");
        content.extend_from_slice(head.as_bytes());
        content.extend(bytes(file));
        content.extend_from_slice(b"\r\n");
    }
    content.extend_from_slice(format!("{DELIMITER}--\r\n").as_bytes());
    content
}

/// The content of a file: its hexadecimal bytes, else its text.
fn bytes(file: &FilePart) -> Vec<u8> {
    match (&file.magic_bytes, &file.content) {
        (Some(digits), _) => digits
            .as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect(),
        (None, Some(text)) => text.clone().into_bytes(),
        (None, None) => Vec::new(),
    }
}

/// What a quoted parameter of a part may hold (WHATWG HTML, multipart/form-data encoding algorithm).
fn quote(text: &str) -> String {
    text.replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_fields_and_files() {
        let files: Vec<FilePart> = serde_json::from_str(
            r#"[{"field_name": "f", "filename": "a\".png", "content_type": "image/png", "magic_bytes": "8950"},
                {"field_name": "g", "filename": null, "content": "text", "headers": {"X-A": "b"}}]"#,
        )
        .expect("follows the grammar");
        let content = encode(&[("n".to_owned(), "v".to_owned())], &files);
        let expected = [
            &b"--fixture-boundary\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n"[..],
            b"--fixture-boundary\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%22.png\"\r\n",
            b"Content-Type: image/png\r\n\r\n\x89\x50\r\n",
            b"--fixture-boundary\r\nContent-Disposition: form-data; name=\"g\"\r\nX-A: b\r\n\r\ntext\r\n",
            b"--fixture-boundary--\r\n",
        ]
        .concat();
        assert_eq!(content, expected);
    }
}
