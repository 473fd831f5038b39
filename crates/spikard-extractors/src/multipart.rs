//! Multipart forms (RFC 7578), read as they arrive.
//!
//! A part with a file name is a file, any other a text field: always UTF-8, and what is not becomes U+FFFD. Long
//! files go to a temporary file, and so do shorter ones once many are in memory.

use std::borrow::Cow;

use spikard_core::{Body, UploadedFile};

use crate::Rejection;
use crate::form::{FIELD_LIMIT, Form};
use crate::limit::next_bytes;
use crate::part_header::PartHeader;
use crate::part_reader::{Event, PartReader};
use crate::spool::Spool;

/// Longest text field.
const TEXT_LIMIT_BYTES: usize = 1024 * 1024;

/// Longest file that stays in memory.
const FILE_MEMORY_BYTES: usize = 1024 * 1024;

/// Longest file that stays in memory once all of them hold [`TOTAL_MEMORY_BYTES`].
const SMALL_FILE_MEMORY_BYTES: usize = 16 * 1024;

const TOTAL_MEMORY_BYTES: usize = 16 * 1024 * 1024;

/// A form, and the first bytes of each of its files.
#[derive(Debug, Default)]
pub(crate) struct MultipartForm {
    pub(crate) form: Form<'static>,
    pub(crate) first_bytes: Vec<Vec<u8>>,
}

/// Reads a form whose parts `boundary` separates. No content at all is a form without fields.
pub(crate) async fn read(mut body: Body, boundary: &str) -> Result<MultipartForm, Rejection> {
    let mut form = MultipartForm::default();
    let mut part = None;
    let mut part_count = 0;
    let mut memory_bytes = 0;
    let mut reader = PartReader::new(boundary);
    let mut has_content = false;
    while let Some(bytes) = next_bytes(&mut body).await? {
        has_content = true;
        reader.push(&bytes);
        drop(bytes);
        while let Some(event) = reader.next()? {
            match event {
                Event::Header(header) => {
                    part_count += 1;
                    if part_count > FIELD_LIMIT {
                        return Err(Rejection::TooManyFields { limit: FIELD_LIMIT });
                    }
                    part = Some(Part::new(header));
                }
                Event::Data(data) => {
                    if let Some(part) = &mut part {
                        part.write(&data, memory_bytes).await?;
                    }
                }
                Event::End => {
                    if let Some(part) = part.take() {
                        part.finish(&mut form, &mut memory_bytes).await?;
                    }
                }
            }
        }
    }
    if has_content {
        reader.finish()?;
    }
    Ok(form)
}

/// The part that is being read.
enum Part {
    Text {
        name: String,
        text: Vec<u8>,
    },
    File {
        header: PartHeader,
        filename: String,
        spool: Spool,
    },
}

impl Part {
    fn new(mut header: PartHeader) -> Self {
        match header.filename.take() {
            Some(filename) => Self::File {
                header,
                filename,
                spool: Spool::default(),
            },
            None => Self::Text {
                name: header.name,
                text: Vec::new(),
            },
        }
    }

    /// Adds data; files before this one hold `memory_bytes`.
    async fn write(&mut self, data: &[u8], memory_bytes: usize) -> Result<(), Rejection> {
        match self {
            Self::Text { text, .. } if text.len() + data.len() > TEXT_LIMIT_BYTES => {
                Err(Rejection::FieldTooLarge {
                    limit_bytes: TEXT_LIMIT_BYTES,
                })
            }
            Self::Text { text, .. } => {
                text.extend_from_slice(data);
                Ok(())
            }
            Self::File { spool, .. } => {
                let limit_bytes = if memory_bytes < TOTAL_MEMORY_BYTES {
                    FILE_MEMORY_BYTES
                } else {
                    SMALL_FILE_MEMORY_BYTES
                };
                let written = spool.write(data, limit_bytes).await;
                written.map_err(Rejection::Storage)
            }
        }
    }

    async fn finish(
        self,
        form: &mut MultipartForm,
        memory_bytes: &mut usize,
    ) -> Result<(), Rejection> {
        match self {
            Self::Text { name, text } => {
                let text = String::from_utf8(text)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                form.form.push_text(Cow::Owned(name), Cow::Owned(text));
            }
            Self::File {
                header,
                filename,
                spool,
            } => {
                *memory_bytes += spool.memory_bytes();
                form.first_bytes.push(spool.first_bytes().to_vec());
                form.form.push_file(UploadedFile {
                    media_type: header.media_type(),
                    field: header.name,
                    index: None,
                    filename,
                    headers: header.fields,
                    data: spool.finish().await.map_err(Rejection::Storage)?,
                });
            }
        }
        Ok(())
    }
}
