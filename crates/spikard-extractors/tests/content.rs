//! Content of requests and what a plan makes of it.

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body::Frame;
use serde_json::{Value as Json, json};
use spikard_core::{
    Body, BodyKind, BoxError, Content, FileData, FileRule, ParsedContent, RequestBody,
};
use spikard_extractors::{ContentPlan, ReadContent, Rejection, limit};
use spikard_problem::{FieldError, Problem};

const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";

/// A body whose length nobody knows before it ends.
struct Pieces(std::vec::IntoIter<Result<Bytes, BoxError>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.0.next().map(|piece| piece.map(Frame::data)))
    }
}

fn pieces(content: &[u8], size: usize) -> Body {
    let pieces = content
        .chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)));
    Body::new(Pieces(pieces.collect::<Vec<_>>().into_iter()))
}

fn headers(content_type: &str) -> HeaderMap {
    let value = HeaderValue::from_str(content_type).expect("is a field value");
    HeaderMap::from_iter((!content_type.is_empty()).then_some((CONTENT_TYPE, value)))
}

async fn read(
    declared: &RequestBody,
    content_type: &str,
    body: Body,
    limit_bytes: u64,
) -> Result<ReadContent, Rejection> {
    let plan = ContentPlan::compile(declared);
    plan.read(&headers(content_type), body, limit_bytes)?.await
}

/// The parsed content and the errors, as JSON.
async fn value(
    declared: &RequestBody,
    content_type: &str,
    content: &[u8],
) -> Result<(ParsedContent, Json), Rejection> {
    let body = Body::from(Bytes::copy_from_slice(content));
    let read = read(declared, content_type, body, LIMIT_BYTES).await?;
    let errors = read.errors.iter().map(FieldError::to_json).collect();
    match read.content {
        Content::Value(parsed) => Ok((*parsed, errors)),
        other => panic!("content is {other:?}"),
    }
}

fn status_and_detail(rejection: Rejection) -> (u16, String) {
    let problem = Problem::from(rejection).to_json();
    let status = problem["status"].as_u64().expect("is a number");
    let detail = problem["detail"].as_str().expect("is a text").to_owned();
    (u16::try_from(status).expect("is a status"), detail)
}

#[tokio::test]
async fn each_kind_takes_its_media_types() {
    let multipart = "multipart/form-data; boundary=b";
    let json = "application/json";
    // Media type, whether `Value`, `Json` and `Form` take it.
    for (content_type, taken) in [
        ("", [true, true, false]),
        (json, [true, true, false]),
        ("application/merge-patch+json; a=b", [true, true, false]),
        (FORM, [true, false, true]),
        (multipart, [true, false, true]),
        ("multipart/form-data", [false, false, false]),
        ("text/plain", [false, false, false]),
        ("application/xml", [false, false, false]),
        ("application/msgpack", [false, false, false]),
        ("application/json; charset=utf-16", [false, false, false]),
    ] {
        let kinds = [BodyKind::Value, BodyKind::Json, BodyKind::Form];
        for (kind, is_taken) in kinds.into_iter().zip(taken) {
            let plan = ContentPlan::compile(&RequestBody::new(kind));
            let future = plan.read(&headers(content_type), pieces(b"x", 1), LIMIT_BYTES);
            assert_eq!(future.is_ok(), is_taken, "{kind:?} and {content_type}");
        }
        for kind in [BodyKind::Bytes, BodyKind::Stream] {
            let declared = RequestBody::new(kind);
            let read = read(&declared, content_type, Body::from("x"), LIMIT_BYTES).await;
            assert!(read.is_ok(), "{kind:?} and {content_type}");
        }
    }
}

#[tokio::test]
async fn refusals_are_problems() {
    let brackets = format!("a{}=1", "[b]".repeat(33));
    let unsupported = "Unsupported media type";
    let format = "Invalid request format";
    // Kind, media type, content, status, detail.
    for (kind, content_type, content, status, detail) in [
        (BodyKind::Value, "text/plain", "{}", 415, unsupported),
        (BodyKind::Json, FORM, "a=1", 415, unsupported),
        (BodyKind::Form, "application/json", "{}", 415, unsupported),
        (BodyKind::Form, "", "{}", 415, unsupported),
        (BodyKind::Json, "multipart/form-data", "", 415, unsupported),
        (
            BodyKind::Json,
            "application/json; charset=utf-16",
            "{}",
            415,
            "Unsupported charset 'utf-16' for JSON. Only UTF-8 is supported.",
        ),
        (BodyKind::Value, "", "{", 400, format),
        (
            BodyKind::Value,
            "application/json",
            "\"\u{feff}",
            400,
            format,
        ),
        (BodyKind::Value, "", "[1e999]", 400, format),
        (BodyKind::Value, "", " ", 400, format),
        (
            BodyKind::Value,
            "multipart/form-data",
            "",
            400,
            "The 'boundary' parameter of the multipart media type is missing",
        ),
        (
            BodyKind::Form,
            "multipart/form-data; boundary=b",
            "--b\r\n",
            400,
            "Invalid multipart content: it ends before its last boundary",
        ),
        (
            BodyKind::Form,
            FORM,
            &brackets,
            400,
            "The name of a form field has more than 32 brackets",
        ),
        (
            BodyKind::Form,
            FORM,
            "a=1&a[b]=2",
            400,
            "The form field 'a[b]' contradicts an earlier one",
        ),
        (
            BodyKind::Value,
            FORM,
            &"a&".repeat(1001),
            413,
            "The form has more than 1000 fields",
        ),
    ] {
        let body = Body::from(content.to_owned());
        let result = read(&RequestBody::new(kind), content_type, body, LIMIT_BYTES).await;
        let rejection = result.map(drop).expect_err(content);
        let expected = (status, detail.to_owned());
        assert_eq!(
            status_and_detail(rejection),
            expected,
            "{content_type}: {content}"
        );
    }
}

#[tokio::test]
async fn content_is_limited() {
    let content = b"{\"a\": \"xxxxxxx\"}";
    for kind in [BodyKind::Bytes, BodyKind::Json, BodyKind::Value] {
        for (limit_bytes, is_taken) in [
            (16, true),
            (17, true),
            (u64::MAX, true),
            (15, false),
            (0, false),
        ] {
            let declared = RequestBody::new(kind);
            for body in [
                Body::from(Bytes::from_static(content)),
                pieces(content, 5),
                pieces(content, 100),
            ] {
                let shown = format!("{kind:?}, limit {limit_bytes}, {body:?}");
                match read(&declared, "", body, limit_bytes).await {
                    Ok(_) => assert!(is_taken, "{shown}"),
                    Err(rejection) => {
                        assert!(!is_taken, "{shown}: {rejection}");
                        let detail = format!("The content is longer than {limit_bytes} bytes");
                        assert_eq!(status_and_detail(rejection), (413, detail), "{shown}");
                    }
                }
            }
        }
    }
    let known = Body::from(Bytes::from_static(content));
    let plan = ContentPlan::compile(&RequestBody::new(BodyKind::Bytes));
    let refused = plan.read(&HeaderMap::new(), known, 15);
    assert!(
        refused.is_err(),
        "a length that is known is refused before anything is read"
    );
}

#[tokio::test]
async fn a_stream_is_limited_as_it_is_read() {
    let declared = RequestBody::new(BodyKind::Stream);
    let read = read(&declared, "", pieces(&[b'x'; 30], 10), 25).await;
    let Ok(ReadContent {
        content: Content::Unread(body),
        ..
    }) = read
    else {
        panic!("{read:?}");
    };
    let error = http_body_util::BodyExt::collect(body)
        .await
        .expect_err("is too long");
    let rejection = Rejection::from(error);
    assert!(
        matches!(rejection, Rejection::ContentTooLarge { limit_bytes: 25 }),
        "{rejection}"
    );
    assert!(limit(Body::from("xx"), 1).is_err());
}

#[tokio::test]
async fn content_that_ends_early_is_refused() {
    for (kind, content_type) in [
        (BodyKind::Bytes, ""),
        (BodyKind::Value, ""),
        (BodyKind::Form, FORM),
        (BodyKind::Form, "multipart/form-data; boundary=b"),
    ] {
        let frames = vec![
            Ok(Bytes::from_static(b"--b\r\n")),
            Err("connection reset".into()),
        ];
        let body = Body::new(Pieces(frames.into_iter()));
        let result = read(&RequestBody::new(kind), content_type, body, LIMIT_BYTES).await;
        let rejection = result.map(drop).expect_err("has no end");
        assert!(matches!(rejection, Rejection::Incomplete(_)), "{rejection}");
        assert_eq!(status_and_detail(rejection).0, 400);
    }
}

#[tokio::test]
async fn no_content_is_an_empty_object_or_nothing() {
    for content_type in [
        "",
        "application/json",
        FORM,
        "multipart/form-data; boundary=b",
    ] {
        for kind in [BodyKind::Value, BodyKind::Form] {
            if kind == BodyKind::Form && content_type == "application/json" {
                continue;
            }
            for (declared, expected, is_absent) in [
                (RequestBody::new(kind), json!({}), false),
                (RequestBody::new(kind).optional(), Json::Null, true),
            ] {
                let read = read(&declared, content_type, Body::empty(), LIMIT_BYTES).await;
                let read = read.unwrap_or_else(|error| panic!("{kind:?}, {content_type}: {error}"));
                let Content::Value(parsed) = read.content else {
                    panic!("is a value")
                };
                assert_eq!(
                    (parsed.value, read.is_absent),
                    (expected, is_absent),
                    "{kind:?}, {content_type}"
                );
            }
        }
    }
    for (declared, expected, is_absent) in [
        (RequestBody::new(BodyKind::Json), "{}", false),
        (RequestBody::new(BodyKind::Json).optional(), "", true),
        (RequestBody::new(BodyKind::Bytes), "", true),
    ] {
        let read = read(&declared, "", Body::empty(), LIMIT_BYTES)
            .await
            .expect("is read");
        let Content::Bytes(content) = read.content else {
            panic!("is bytes")
        };
        assert_eq!(
            (&content[..], read.is_absent),
            (expected.as_bytes(), is_absent)
        );
    }
}

#[tokio::test]
async fn integers_past_64_bits_are_exact_or_refused() {
    let schema = json!({
        "properties": {"n": {"type": "integer"}, "f": {"type": "number"}, "list": {"items": {"type": "integer"}}},
    });
    let declared = RequestBody::new(BodyKind::Value).with_schema(schema);
    let long = "7".repeat(400);
    // Content, the places and codes of errors.
    for (content, expected) in [
        (
            "{\"n\": 18446744073709551615, \"x\": -9223372036854775808}",
            json!([]),
        ),
        (
            "{\"n\": 18446744073709551616}",
            json!([["int_parsing", ["body", "n"]]]),
        ),
        (
            "{\"x\": [1, 18446744073709551616]}",
            json!([["int_parsing", ["body", "x", "1"]]]),
        ),
        ("{\"f\": 18446744073709551616}", json!([])),
        ("{\"f\": 1e30, \"x\": 1e30}", json!([])),
        (
            &format!("{{\"f\": {long}}}"),
            json!([["float_parsing", ["body", "f"]]]),
        ),
        (
            &format!("{{\"list\": [-{long}]}}"),
            json!([["int_parsing", ["body", "list", "0"]]]),
        ),
    ] {
        let (_, errors) = value(&declared, "", content.as_bytes())
            .await
            .expect(content);
        let errors = errors.as_array().expect("is a list").iter();
        let errors: Json = errors
            .map(|error| json!([error["type"], error["loc"]]))
            .collect();
        assert_eq!(errors, expected, "content: {content}");
    }
}

/// Parts: disposition parameters, further fields, data.
fn multipart(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut content = Vec::new();
    for (disposition, fields, data) in parts {
        let header =
            format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n{fields}\r\n");
        content.extend(header.as_bytes());
        content.extend(*data);
        content.extend(b"\r\n");
    }
    content.extend(b"--b--\r\n");
    content
}

const MULTIPART: &str = "multipart/form-data; boundary=b";

#[tokio::test]
async fn reads_multipart_forms() {
    let schema = json!({"properties": {"age": {"type": "integer"}, "tags": {"type": "array"}}});
    let declared = RequestBody::new(BodyKind::Form).with_schema(schema);
    let content = multipart(&[
        ("name=\"age\"", "", b"42"),
        (
            "name=\"bad\"",
            "Content-Type: text/plain; charset=x\r\n",
            b"\xff\r\n",
        ),
        ("name=\"tags\"", "", b"x"),
        ("name=\"user[name]\"", "", "Jürgen".as_bytes()),
        (
            "name=\"doc\"; filename=\"a.txt\"",
            "Content-Type: text/plain\r\nX-Extra: 1\r\n",
            b"hello",
        ),
        ("name=\"pic\"; filename=\"1.png\"", "", b""),
        (
            "name=\"pic\"; filename=\"2.png\"",
            "Content-Type: image/png\r\n",
            b"\x89PNG",
        ),
    ]);
    for size in [1, 10, 1000, usize::MAX] {
        let read = read(&declared, MULTIPART, pieces(&content, size), LIMIT_BYTES)
            .await
            .expect("is a form");
        assert_eq!(read.errors, []);
        let Content::Value(parsed) = read.content else {
            panic!("is a value")
        };
        assert_eq!(
            parsed.value,
            json!({
                "age": 42, "bad": "\u{fffd}\r\n", "tags": ["x"], "user": {"name": "Jürgen"}, "doc": "a.txt",
                "pic": ["1.png", "2.png"],
            })
        );
        // Field, index, file name, media type, data.
        for (file, expected) in parsed.files.iter().zip([
            ("doc", None, "a.txt", "text/plain", &b"hello"[..]),
            ("pic", Some(0), "1.png", "application/octet-stream", b""),
            ("pic", Some(1), "2.png", "image/png", b"\x89PNG"),
        ]) {
            let FileData::Memory(data) = &file.data else {
                panic!("is short")
            };
            let (field, filename, media_type) = (&*file.field, &*file.filename, &*file.media_type);
            let file = (field, file.index, filename, media_type, &data[..]);
            assert_eq!(file, expected);
        }
        assert_eq!(parsed.files.len(), 3);
        assert_eq!(parsed.files[0].headers["x-extra"], "1");
    }
}

#[tokio::test]
async fn file_rules_are_checked_whatever_the_media_type() {
    let declared = RequestBody::new(BodyKind::Value).with_file(FileRule {
        field: "pic".to_owned(),
        is_required: true,
        media_types: vec!["image/png".to_owned()],
        checks_signature: true,
    });
    let file = "name=pic; filename=p";
    let text = multipart(&[("name=pic", "", b"x")]);
    let gif = multipart(&[(file, "Content-Type: image/gif\r\n", b"GIF89a")]);
    let png = multipart(&[(file, "Content-Type: image/png\r\n", b"\x89PNG\r\n\x1a\n\0")]);
    let fake = multipart(&[(file, "Content-Type: image/png\r\n", b"GIF89a")]);
    for (content_type, content, expected) in [
        (MULTIPART, &png[..], None),
        (
            MULTIPART,
            &gif,
            Some("Invalid content type 'image/gif'. Allowed types: image/png"),
        ),
        (
            MULTIPART,
            &fake,
            Some("File type mismatch: MIME type is image/png but magic numbers indicate image/gif"),
        ),
        (MULTIPART, &text, Some("Field required")),
        (FORM, b"pic=x", Some("Field required")),
        ("", b"{\"pic\": \"x\"}", Some("Field required")),
        ("", b"", Some("Field required")),
    ] {
        let (_, errors) = value(&declared, content_type, content)
            .await
            .expect("is read");
        let messages: Vec<_> = errors
            .as_array()
            .expect("is a list")
            .iter()
            .map(|error| &error["msg"])
            .collect();
        assert_eq!(
            messages,
            Vec::from_iter(expected.as_ref()),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn long_files_go_to_the_disk() {
    const MEBIBYTE: usize = 1024 * 1024;
    let declared = RequestBody::new(BodyKind::Form);
    let pattern: Vec<u8> = (0..=255).cycle().take(3 * MEBIBYTE + 17).collect();
    // Length, whether it is on disk.
    for (length, on_disk) in [
        (MEBIBYTE, false),
        (MEBIBYTE + 1, true),
        (pattern.len(), true),
    ] {
        let data = &pattern[..length];
        let content = multipart(&[
            ("name=f; filename=f", "", data),
            ("name=g; filename=g", "", b"x"),
        ]);
        let body = pieces(&content, 70_000);
        let read = read(&declared, MULTIPART, body, LIMIT_BYTES)
            .await
            .expect("is a form");
        let Content::Value(mut parsed) = read.content else {
            panic!("is a value")
        };
        assert_eq!(parsed.files.len(), 2);
        match &mut parsed.files[0].data {
            FileData::Memory(bytes) => {
                assert!(!on_disk, "{length} bytes are in memory");
                assert_eq!(*bytes, data);
            }
            FileData::Disk { file, size_bytes } => {
                assert!(on_disk, "{length} bytes are on disk");
                assert_eq!(*size_bytes, length as u64);
                let mut content = Vec::new();
                file.read_to_end(&mut content)
                    .expect("can be read from its start");
                assert!(content == data, "the file has what was sent");
            }
            _ => panic!("is somewhere else"),
        }
    }
}

#[test]
fn a_long_file_needs_no_runtime() {
    let content = multipart(&[("name=f; filename=f", "", &vec![b'x'; 2 * 1024 * 1024])]);
    let plan = ContentPlan::compile(&RequestBody::new(BodyKind::Form));
    let future = plan.read(
        &headers(MULTIPART),
        Body::from(Bytes::from(content)),
        LIMIT_BYTES,
    );
    let mut future = Box::pin(future.expect("is a form"));
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        future.as_mut().poll(&mut context),
        Poll::Ready(Ok(_))
    ));
}

#[tokio::test]
async fn many_files_in_memory_send_others_to_the_disk() {
    let data = vec![b'x'; 900 * 1024];
    let parts = vec![("name=f; filename=f", "", &data[..]); 25];
    let content = multipart(&parts);
    let declared = RequestBody::new(BodyKind::Form);
    let (parsed, _) = value(&declared, MULTIPART, &content)
        .await
        .expect("is a form");
    let in_memory = parsed
        .files
        .iter()
        .filter(|file| matches!(file.data, FileData::Memory(_)));
    assert_eq!(in_memory.count(), 19);
}

#[tokio::test]
async fn parts_and_text_are_limited() {
    const MEBIBYTE: usize = 1024 * 1024;
    let declared = RequestBody::new(BodyKind::Form);
    let parts = |count| multipart(&vec![("name=a", "", &b"x"[..]); count]);
    let text = |length| multipart(&[("name=a", "", &vec![b'x'; length])]);
    for (content, detail) in [
        (parts(1000), None),
        (parts(1001), Some("The form has more than 1000 fields")),
        (parts(20_000), Some("The form has more than 1000 fields")),
        (text(MEBIBYTE), None),
        (
            text(MEBIBYTE + 1),
            Some("A field of the form is longer than 1048576 bytes"),
        ),
        (
            text(40 * MEBIBYTE),
            Some("A field of the form is longer than 1048576 bytes"),
        ),
    ] {
        let result = value(&declared, MULTIPART, &content)
            .await
            .map_err(status_and_detail);
        let refused = result.map(drop).err();
        assert_eq!(refused, detail.map(|detail| (413, detail.to_owned())));
    }
}

#[tokio::test]
async fn floods_of_four_mebibytes_end() {
    const LENGTH: usize = 4 * 1024 * 1024;
    let boundary = "b".repeat(70);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let near = format!("\r\n--{}", &boundary[1..]);
    for flood in [
        "\r", "\n", "\r\n", "\r\n-", "\r\n--", "\r\n--b", &near, "-", "b",
    ] {
        let flood = flood.repeat(LENGTH / flood.len());
        for (before, after) in [
            ("", String::new()),
            ("", format!("\r\n--{boundary}--")),
            (
                "Content-Disposition: form-data; name=f; filename=f\r\n\r\n",
                format!("\r\n--{boundary}--"),
            ),
        ] {
            let start = if before.is_empty() {
                String::new()
            } else {
                format!("--{boundary}\r\n")
            };
            let content = Bytes::from(format!("{start}{before}{flood}{after}"));
            for size in [1000, usize::MAX] {
                let body = pieces(&content, size);
                let result = read(
                    &RequestBody::new(BodyKind::Form),
                    &content_type,
                    body,
                    LIMIT_BYTES,
                )
                .await;
                assert_eq!(result.is_ok(), !after.is_empty());
            }
        }
    }
    for flood in ["&", "=", "%", "+", "a[", "]", "a&", "a[]=1&", "a[b", "%5B"] {
        let content = flood.repeat(LENGTH / flood.len());
        let form = value(&RequestBody::new(BodyKind::Form), FORM, content.as_bytes()).await;
        let is_one_name = !flood.contains('&');
        assert_eq!(form.is_ok(), is_one_name || flood == "&", "flood: {flood}");
        let json = value(&RequestBody::new(BodyKind::Value), "", content.as_bytes()).await;
        assert!(json.is_err(), "flood: {flood}");
    }
}

#[tokio::test]
async fn a_form_is_the_same_in_whatever_pieces_it_comes() {
    let pieces_of_forms: [&[u8]; 14] = [
        b"--b",
        b"\r\n",
        b"\r\n",
        b"\r\n--b\r\n",
        b"\r\n--b--",
        b"Content-Disposition: form-data; name=a\r\n\r\n",
        b"Content-Disposition: form-data; name=\"a[]\"\r\n\r\n",
        b"Content-Disposition: form-data; name=f; filename=\"x\"\r\n",
        b"\r\n--b\r\nContent-Disposition: form-data; name=c\r\n\r\nvalue",
        b"Content-Type: text/plain\r\n",
        b"x",
        b"\xff\0",
        b"-",
        b" ",
    ];
    let declared = RequestBody::new(BodyKind::Form);
    // A linear congruential generator: the same cases on every machine.
    let mut state: usize = 1;
    let mut below = |limit| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) % limit
    };
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut content = b"--b\r\n".to_vec();
        for _ in 0..below(10) {
            content.extend(pieces_of_forms[below(pieces_of_forms.len())]);
        }
        if below(3) > 0 {
            content.extend(b"\r\n--b--");
        }
        let mut outcomes = Vec::new();
        for size in [1, 1 + below(20), usize::MAX] {
            let body = pieces(&content, size);
            let result = read(&declared, MULTIPART, body, LIMIT_BYTES).await;
            outcomes.push(match result.map(|read| read.content) {
                Ok(Content::Value(parsed)) => Ok((parsed.value, parsed.files.len())),
                Ok(other) => panic!("content is {other:?}"),
                Err(rejection) => Err(rejection.to_string()),
            });
        }
        let shown = String::from_utf8_lossy(&content);
        assert_eq!(outcomes[0], outcomes[1], "content: {shown:?}");
        assert_eq!(outcomes[0], outcomes[2], "content: {shown:?}");
        accepted += usize::from(outcomes[0].is_ok());
    }
    assert!(accepted > 100, "{accepted} forms are well-formed");
}

#[test]
fn the_future_can_be_sent() {
    fn is_send<F: Future + Send + 'static>(_: F) {}
    let plan = ContentPlan::compile(&RequestBody::new(BodyKind::Value));
    is_send(
        plan.read(&HeaderMap::new(), Body::empty(), 0)
            .expect("is nothing"),
    );
}
