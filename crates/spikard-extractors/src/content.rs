//! The content of a request, as its operation wants it: what the service calls.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use serde_json::Value as Json;
use spikard_core::{Body, BodyKind, Content, FileRule, ParsedContent, RequestBody};
use spikard_problem::{Cause, FieldError};

use crate::form::{Form, FormValue};
use crate::json::{check_depth, long_integers, parse_json};
use crate::limit::{collect, limit};
use crate::schema_types::{SchemaTypes, Types};
use crate::{MediaType, Rejection, file_rule, media_type, multipart, urlencoded};

/// So many integers past 64 bits are told to a client; a long content can have hundreds of thousands.
const LONG_INTEGER_LIMIT: usize = 1000;

/// How the content of the requests of one operation is taken, compiled once. A clone shares it.
#[derive(Clone, Debug)]
pub struct ContentPlan {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kind: BodyKind,
    is_required: bool,
    types: SchemaTypes,
    files: Box<[FileRule]>,
}

/// Content that was read.
#[derive(Debug)]
pub struct ReadContent {
    /// The content as the operation's [`BodyKind`] wants it.
    pub content: Content,
    /// Whether there is none and need not be, so that there is nothing to validate.
    pub is_absent: bool,
    /// What was wrong with it before any validation: text that could not be converted, and files.
    ///
    /// A place of the body that is the `loc` of one of them is not worth a second error.
    pub errors: Vec<FieldError>,
}

/// How content is read.
enum Format {
    Stream,
    Bytes,
    JsonBytes,
    Json,
    UrlEncoded,
    Multipart { boundary: String },
}

impl ContentPlan {
    /// Compiles what an operation says of the content of its requests.
    pub fn compile(body: &RequestBody) -> Self {
        Self {
            shared: Arc::new(Shared {
                kind: body.kind(),
                is_required: body.is_required(),
                types: SchemaTypes::compile(body.schema()),
                files: body.files().into(),
            }),
        }
    }

    /// Reads the content of one request, whose header fields are `headers`, up to `limit_bytes`.
    ///
    /// What can be refused by the fields alone is refused at once; the future that does the rest borrows nothing.
    ///
    /// # Errors
    ///
    /// At once: the media type is not one that the operation takes, or does not say what is needed to read it, or
    /// the length is over the limit. From the future: everything else that a [`Rejection`] can be.
    pub fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit_bytes: u64,
    ) -> Result<impl Future<Output = Result<ReadContent, Rejection>> + Send + use<>, Rejection>
    {
        let format = self.shared.format(headers, &body)?;
        let body = limit(body, limit_bytes)?;
        let shared = Arc::clone(&self.shared);
        Ok(async move { shared.read(format, body).await })
    }
}

impl Shared {
    fn format(&self, headers: &HeaderMap, body: &Body) -> Result<Format, Rejection> {
        let media_type = match self.kind {
            BodyKind::Stream => return Ok(Format::Stream),
            BodyKind::Bytes => return Ok(Format::Bytes),
            _ => MediaType::of(headers),
        };
        match (self.kind, media_type) {
            (BodyKind::Value | BodyKind::Json, None | Some(MediaType::Json)) => {
                media_type::check_charset(headers)?;
                Ok(match self.kind {
                    BodyKind::Json => Format::JsonBytes,
                    _ => Format::Json,
                })
            }
            (BodyKind::Value | BodyKind::Form, Some(MediaType::UrlEncoded)) => {
                Ok(Format::UrlEncoded)
            }
            (BodyKind::Value | BodyKind::Form, Some(MediaType::Multipart)) => {
                let boundary = media_type::boundary(headers)?;
                Ok(Format::Multipart { boundary })
            }
            // Nothing is a form without fields, whatever it would have been.
            (BodyKind::Form, None) if body.is_end_stream() => Ok(Format::UrlEncoded),
            _ => Err(Rejection::UnsupportedMediaType),
        }
    }

    async fn read(&self, format: Format, body: Body) -> Result<ReadContent, Rejection> {
        match format {
            Format::Stream => Ok(ReadContent {
                is_absent: body.is_end_stream(),
                content: Content::Unread(body),
                errors: Vec::new(),
            }),
            Format::Bytes => {
                let content = collect(body).await?;
                Ok(ReadContent {
                    is_absent: content.is_empty(),
                    content: Content::Bytes(content),
                    errors: Vec::new(),
                })
            }
            Format::JsonBytes => {
                let content = collect(body).await?;
                check_depth(&content)?;
                let is_absent = content.is_empty() && !self.is_required;
                let content = match content {
                    // What is required is an object then, so that each of its members is told to be missing.
                    _ if content.is_empty() && self.is_required => Bytes::from_static(b"{}"),
                    content => content,
                };
                Ok(ReadContent {
                    content: Content::Bytes(content),
                    is_absent,
                    errors: Vec::new(),
                })
            }
            Format::Json => {
                let content = collect(body).await?;
                if content.is_empty() {
                    return Ok(self.nothing());
                }
                let value = parse_json(&content)?;
                let errors = self.long_integers(&content);
                Ok(self.parsed(value, errors))
            }
            Format::UrlEncoded => {
                let content = collect(body).await?;
                if content.is_empty() {
                    return Ok(self.nothing());
                }
                self.form(urlencoded::parse(&content)?, &[])
            }
            Format::Multipart { boundary } => {
                if body.is_end_stream() {
                    return Ok(self.nothing());
                }
                let form = multipart::read(body, &boundary).await?;
                self.form(form.form, &form.first_bytes)
            }
        }
    }

    /// No content at all: an object without members, or nothing where that is allowed.
    fn nothing(&self) -> ReadContent {
        if self.is_required {
            return self.parsed(Json::Object(serde_json::Map::new()), Vec::new());
        }
        ReadContent {
            content: Content::Value(Box::default()),
            is_absent: true,
            errors: Vec::new(),
        }
    }

    fn form(&self, form: Form<'_>, first_bytes: &[Vec<u8>]) -> Result<ReadContent, Rejection> {
        let FormValue {
            value,
            files,
            mut errors,
        } = form.into_value(&self.types, &["body"])?;
        file_rule::check(&self.files, &files, first_bytes, &mut errors);
        Ok(ReadContent {
            content: Content::Value(Box::new(ParsedContent { value, files })),
            is_absent: false,
            errors,
        })
    }

    /// A value that has no files, which those that are required are missed in.
    fn parsed(&self, value: Json, mut errors: Vec<FieldError>) -> ReadContent {
        file_rule::check(&self.files, &[], &[], &mut errors);
        let files = Vec::new();
        ReadContent {
            content: Content::Value(Box::new(ParsedContent { value, files })),
            is_absent: false,
            errors,
        }
    }

    /// Integers that would reach the handler with other digits. Where a number is declared, losing some is what makes
    /// it one, as long as it is in the range of a double.
    fn long_integers(&self, content: &[u8]) -> Vec<FieldError> {
        let integers = long_integers(content, LONG_INTEGER_LIMIT).into_iter();
        let errors = integers.filter_map(|integer| {
            let types = self.types.types(self.types.find(&integer.place));
            let cause = if types.has(Types::INTEGER) || !types.has(Types::NUMBER) {
                Cause::Integer
            } else if integer.text.parse().is_ok_and(f64::is_finite) {
                return None;
            } else {
                Cause::Number
            };
            let loc = std::iter::once("body".to_owned()).chain(integer.place);
            Some(FieldError::new(loc, cause, Some(integer.text)))
        });
        errors.collect()
    }
}
