//! Queries and urlencoded forms decode as the WHATWG URL standard says (section 5.1), whatever the bytes.
//!
//! The reference follows the steps of the standard one by one, without any of the shortcuts of the crate.

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value as Json};
use smallvec::SmallVec;
use spikard_core::{
    Body, BodyKind, Content, Operation, Parameter, ParameterIn, ParameterType, RequestBody, Value,
};
use spikard_extractors::{ContentPlan, Plan};

/// The names that a query is asked for; the generator likes them.
const NAMES: [&str; 5] = ["a", "b c", "ü", "%", "a+b"];

/// `application/x-www-form-urlencoded` parsing.
fn reference(input: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for sequence in input.split(|byte| *byte == b'&') {
        if sequence.is_empty() {
            continue;
        }
        let equals = sequence.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(equals) => (&sequence[..equals], &sequence[equals + 1..]),
            None => (sequence, &sequence[sequence.len()..]),
        };
        pairs.push((decode(name), decode(value)));
    }
    pairs
}

/// Plus signs to spaces, then percent-decoding, then UTF-8 decoding without BOM handling.
fn decode(text: &[u8]) -> String {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    let mut decoded = Vec::new();
    let mut index = 0;
    while index < text.len() {
        let digits = match text.get(index + 1..index + 3) {
            Some([high, low]) if text[index] == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = digits {
            decoded.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
            index += 3;
        } else {
            decoded.push(if text[index] == b'+' {
                b' '
            } else {
                text[index]
            });
            index += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A linear congruential generator: the same cases on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }

    fn bytes(&mut self, pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..self.below(24) {
            bytes.extend(pieces[self.below(pieces.len())]);
        }
        bytes
    }
}

const TEXT: [&[u8]; 22] = [
    b"a",
    b"b+c",
    b"b%20c",
    "ü".as_bytes(),
    b"%C3%BC",
    b"%c3",
    b"%25",
    b"%",
    b"%2",
    b"%4a",
    b"%zz",
    b"=",
    b"=",
    b"=",
    b"&",
    b"&",
    b"&",
    b"+",
    b"a%2Bb",
    b"%00",
    b"%26",
    b"%F0%9D%84%9E",
];

const RAW: [&[u8]; 6] = [b"\xff", b"\xc3", b"\0", b"\r\n", b";", b"\xf0\x9d\x84\x9e"];

#[test]
fn a_query_decodes_as_the_standard_says() {
    let operation = NAMES
        .iter()
        .fold(Operation::new(Method::GET, "/"), |operation, name| {
            let texts = ParameterType::Array(Box::new(ParameterType::String));
            operation.with_parameter(Parameter::optional(ParameterIn::Query, *name, texts))
        });
    let plan = Plan::compile(&operation, &[]).expect("is a valid operation");
    let headers = HeaderMap::new();
    let mut random = Random(1);
    for _ in 0..20_000 {
        let query = String::from_utf8(random.bytes(&TEXT)).expect("the pieces are UTF-8");
        let pairs = reference(query.as_bytes());
        let inputs = plan
            .extract(SmallVec::new(), Some(&query), &headers)
            .expect("text is never refused");
        for (name, value) in NAMES.iter().zip(inputs.values()) {
            let texts = pairs.iter().filter(|(candidate, _)| candidate == name);
            let texts: Vec<_> = texts.map(|(_, text)| Value::String(text.into())).collect();
            let expected = if texts.is_empty() {
                Value::Absent
            } else {
                Value::Array(texts)
            };
            assert_eq!(*value, expected, "query {query:?}, name {name:?}");
        }
    }
}

#[tokio::test]
async fn a_form_decodes_as_the_standard_says() {
    let plan = ContentPlan::compile(&RequestBody::new(BodyKind::Form));
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    let pieces = [&TEXT[..], &RAW[..]].concat();
    let mut random = Random(2);
    for _ in 0..20_000 {
        let content = random.bytes(&pieces);
        let mut expected = Map::new();
        for (name, text) in reference(&content) {
            let text = Json::from(text);
            match expected.get_mut(&name) {
                None => drop(expected.insert(name, text)),
                Some(Json::Array(texts)) => texts.push(text),
                Some(single) => *single = Json::Array(vec![single.take(), text]),
            }
        }
        let body = Body::from(Bytes::from(content.clone()));
        let read = plan
            .read(&headers, body, u64::MAX)
            .expect("is a form")
            .await;
        let Content::Value(parsed) = read.expect("is a form").content else {
            panic!("is a value");
        };
        let shown = String::from_utf8_lossy(&content);
        assert_eq!(parsed.value, Json::Object(expected), "content {shown:?}");
    }
}
