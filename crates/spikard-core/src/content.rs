//! The content of one request as a handler receives it.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value as Json;
use spikard_problem::Problem;

use crate::Body;

/// The content of a request, as far as the operation's [`RequestBody`](crate::RequestBody) has it read.
#[derive(Debug)]
#[non_exhaustive]
pub enum Content {
    /// Not read: the operation takes none, or takes it as it arrives.
    Unread(Body),
    /// Whole, as it came; empty where an optional one is absent.
    Bytes(Bytes),
    /// Parsed, converted and validated. Null where an optional one is absent.
    Value(Box<ParsedContent>),
}

/// Parsed content: plain data, and beside it the files of a multipart form.
///
/// Where a file stands, `value` holds its file name as text; `files` says which field (and, for a repeated field,
/// which place in its array) it belongs to.
#[derive(Debug, Default)]
pub struct ParsedContent {
    /// The data.
    pub value: Json,
    /// The files of a multipart form, in the order of their parts.
    pub files: Vec<UploadedFile>,
}

/// One file of a multipart form (RFC 7578).
#[derive(Debug)]
pub struct UploadedFile {
    /// The form field.
    pub field: String,
    /// Its place in the array of a repeated field; `None` for a single one.
    pub index: Option<usize>,
    /// The file name that the client gave; a hint, never a path to trust.
    pub filename: String,
    /// The media type that the part declares, `application/octet-stream` if none.
    pub media_type: String,
    /// All fields of the part.
    pub headers: HeaderMap,
    /// The bytes.
    pub data: FileData,
}

/// Where the bytes of an uploaded file are.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileData {
    /// In memory.
    Memory(Bytes),
    /// In a temporary file without a name, positioned at its start; `size_bytes` long.
    Disk {
        /// The file, which the system removes with its last handle.
        file: std::fs::File,
        /// Its length.
        size_bytes: u64,
    },
}

/// Tells what is wrong with content that a handler's own decoder did not take.
///
/// The service implements it for [`BodyKind::Json`](crate::BodyKind::Json); it parses the bytes once more and names
/// every error of every place.
pub trait ContentCheck: Send + Sync {
    /// The problem for `content`; `decoder_message` is the one error where the schema finds none.
    fn problem(&self, content: &[u8], decoder_message: &str) -> Box<Problem>;
}

impl fmt::Debug for dyn ContentCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentCheck")
    }
}
