//! What an operation takes from the content of its requests.

use serde_json::Value as Json;

/// How the content of a request reaches the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyKind {
    /// Whole, as it came; any media type.
    Bytes,
    /// As it arrives, unread; any media type.
    Stream,
    /// JSON, whole and not parsed: the handler decodes it, and has [`ContentCheck`](crate::ContentCheck) tell what
    /// is wrong when it cannot. Other media types are refused.
    Json,
    /// JSON or a form, parsed, converted and validated by the schema.
    Value,
    /// A form, urlencoded or multipart, parsed, converted and validated by the schema. Other media types are refused.
    Form,
}

/// What an uploaded file of one form field must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRule {
    /// The form field.
    pub field: String,
    /// Whether a request without it is refused.
    pub is_required: bool,
    /// The media types that a part may declare; empty: any.
    pub media_types: Vec<String>,
    /// Whether the first bytes must agree with the declared media type.
    pub checks_signature: bool,
}

/// The content that an operation takes (OpenAPI 3.1, Request Body Object).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestBody {
    kind: BodyKind,
    schema: Option<Json>,
    is_required: bool,
    files: Vec<FileRule>,
}

impl RequestBody {
    /// Content that must be there and may be anything of its kind.
    pub fn new(kind: BodyKind) -> Self {
        Self {
            kind,
            schema: None,
            is_required: true,
            files: Vec::new(),
        }
    }

    /// The JSON Schema that the content satisfies, whatever its media type.
    #[must_use]
    pub fn with_schema(mut self, schema: Json) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Allows requests without content.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_required = false;
        self
    }

    /// Adds a rule for an uploaded file.
    #[must_use]
    pub fn with_file(mut self, rule: FileRule) -> Self {
        self.files.push(rule);
        self
    }

    /// How it reaches the handler.
    pub fn kind(&self) -> BodyKind {
        self.kind
    }

    /// The JSON Schema that it satisfies.
    pub fn schema(&self) -> Option<&Json> {
        self.schema.as_ref()
    }

    /// Whether a request without content is refused.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// The rules for uploaded files.
    pub fn files(&self) -> &[FileRule] {
        &self.files
    }
}
