//! Takes multipart content apart (RFC 2046, 5.1) as it arrives. Knows bytes only: no body, no clock, no files.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::Rejection;
use crate::part_header::PartHeader;

/// Longest header section of a part.
const HEADER_LIMIT_BYTES: usize = 4096;

/// Most spaces and tabs between a boundary and the end of its line.
const PADDING_LIMIT_BYTES: usize = 64;

/// Takes the parts out of multipart content. It keeps little more than the bytes of the last push.
#[derive(Debug)]
pub(crate) struct PartReader {
    /// `\r\n--` and the boundary.
    delimiter: Finder<'static>,
    buffer: BytesMut,
    state: State,
}

/// What comes next in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Text before the first delimiter, which nobody reads.
    Preamble,
    /// The rest of the line of a delimiter.
    DelimiterLine,
    Header,
    Data,
    /// Text after the last delimiter, which nobody reads.
    Epilogue,
}

/// What the content has, in its order: for each part its header, its data in pieces, its end.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Header(PartHeader),
    Data(Bytes),
    End,
}

impl PartReader {
    pub(crate) fn new(boundary: &str) -> Self {
        Self {
            delimiter: Finder::new(&format!("\r\n--{boundary}")).into_owned(),
            // The line break before the first delimiter can be missing.
            buffer: BytesMut::from("\r\n"),
            state: State::Preamble,
        }
    }

    /// Adds content.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.state != State::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// What comes next; `None` if that cannot be told before the next push.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Rejection> {
        loop {
            match self.state {
                State::Preamble => {
                    let Some(position) = self.delimiter.find(&self.buffer) else {
                        self.buffer.advance(self.certain_bytes());
                        return Ok(None);
                    };
                    self.skip_delimiter(position);
                }
                State::DelimiterLine => match self.delimiter_line()? {
                    Some(state) => self.state = state,
                    None => return Ok(None),
                },
                State::Header => {
                    let Some(length) = self.header_length()? else {
                        return Ok(None);
                    };
                    let header = PartHeader::parse(&self.buffer[..length])?;
                    self.buffer.advance(length + 2);
                    self.state = State::Data;
                    return Ok(Some(Event::Header(header)));
                }
                State::Data => {
                    let Some(position) = self.delimiter.find(&self.buffer) else {
                        let certain = self.certain_bytes();
                        let data = self.buffer.split_to(certain).freeze();
                        return Ok((!data.is_empty()).then_some(Event::Data(data)));
                    };
                    if position > 0 {
                        let data = self.buffer.split_to(position).freeze();
                        return Ok(Some(Event::Data(data)));
                    }
                    self.skip_delimiter(0);
                    return Ok(Some(Event::End));
                }
                State::Epilogue => {
                    self.buffer.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// Checks that the content may end here.
    pub(crate) fn finish(&self) -> Result<(), Rejection> {
        match self.state {
            State::Epilogue => Ok(()),
            State::Preamble => Err(malformed("the boundary is nowhere in it")),
            _ => Err(malformed("it ends before its last boundary")),
        }
    }

    fn skip_delimiter(&mut self, position: usize) {
        self.buffer
            .advance(position + self.delimiter.needle().len());
        self.state = State::DelimiterLine;
    }

    /// What follows a delimiter, whose line is skipped.
    fn delimiter_line(&mut self) -> Result<Option<State>, Rejection> {
        let is_padding = |byte: &&u8| matches!(byte, b' ' | b'\t');
        let padding = self.buffer.iter().take_while(is_padding).count();
        if padding > PADDING_LIMIT_BYTES {
            return Err(malformed("a boundary is followed by too many spaces"));
        }
        let (length, state) = match &self.buffer[padding..] {
            [b'-', b'-', ..] if padding == 0 => (2, State::Epilogue),
            [b'\r', b'\n', ..] => (2, State::Header),
            [] | [b'\r'] => return Ok(None),
            [b'-'] if padding == 0 => return Ok(None),
            _ => return Err(malformed("a boundary is not alone on its line")),
        };
        self.buffer.advance(padding + length);
        Ok(Some(state))
    }

    /// How long the header section is, without the empty line that ends it.
    fn header_length(&self) -> Result<Option<usize>, Rejection> {
        let limit = self.buffer.len().min(HEADER_LIMIT_BYTES + 2);
        let section = &self.buffer[..limit];
        let length = if section.starts_with(b"\r\n") {
            Some(0)
        } else {
            memchr::memmem::find(section, b"\r\n\r\n").map(|position| position + 2)
        };
        if length.is_none() && limit == HEADER_LIMIT_BYTES + 2 {
            return Err(malformed(
                "the header fields of a part are longer than 4096 bytes",
            ));
        }
        Ok(length)
    }

    /// So many bytes of the buffer are not the start of a delimiter.
    fn certain_bytes(&self) -> usize {
        let longest_start = self.delimiter.needle().len() - 1;
        let tail = self.buffer.len().saturating_sub(longest_start);
        memchr::memchr(b'\r', &self.buffer[tail..])
            .map_or(self.buffer.len(), |position| tail + position)
    }
}

fn malformed(reason: &'static str) -> Rejection {
    Rejection::MultipartSyntax { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name and the data of each part of content that comes in pieces of `size`.
    fn parts(content: &[u8], size: usize) -> Result<Vec<(String, Vec<u8>)>, Rejection> {
        let mut reader = PartReader::new("b");
        let mut parts = Vec::new();
        let mut ended = 0;
        for piece in content.chunks(size) {
            reader.push(piece);
            while let Some(event) = reader.next()? {
                match event {
                    Event::Header(header) => parts.push((header.name, Vec::new())),
                    Event::Data(data) => {
                        assert!(!data.is_empty(), "data has bytes");
                        parts.last_mut().expect("has a header").1.extend(data);
                    }
                    Event::End => ended += 1,
                }
            }
        }
        reader.finish()?;
        assert_eq!(ended, parts.len(), "every part ends");
        Ok(parts)
    }

    #[test]
    fn takes_parts_out() {
        let part =
            |data: &str| format!("\r\n--b\r\nContent-Disposition: form-data; name=n\r\n\r\n{data}");
        let end = "\r\n--b--";
        // Content, the data of its parts.
        let table: [(String, &[&str]); 19] = [
            (end.to_owned(), &[]),
            (end[2..].to_owned(), &[]),
            (part("x") + end, &["x"]),
            (part("x")[2..].to_owned() + end, &["x"]),
            (part("") + end, &[""]),
            (part("x") + &part("") + &part("y") + end, &["x", "", "y"]),
            (part("x") + end + "\r\n", &["x"]),
            (part("x") + end + "anything\r\n--b\r\n", &["x"]),
            (
                "preamble --b\r\n-b\n--b\r\n".to_owned() + &part("x") + end,
                &["x"],
            ),
            (
                part("x").replacen("--b\r\n", "--b \t \r\n", 1) + end,
                &["x"],
            ),
            (part("\r\n") + end, &["\r\n"]),
            (part("\r") + end, &["\r"]),
            (part("x\r\n--") + end, &["x\r\n--"]),
            (
                part("\r\n-\r\n--\r--b\n--b") + end,
                &["\r\n-\r\n--\r--b\n--b"],
            ),
            (part("\r\r\n\n\r\n-b") + end, &["\r\r\n\n\r\n-b"]),
            (part("x--b") + end, &["x--b"]),
            (part("\0\r\n\0") + end, &["\0\r\n\0"]),
            (
                part("Content-Type: a\r\n\r\nx") + end,
                &["Content-Type: a\r\n\r\nx"],
            ),
            (part(&"\r\n".repeat(100)) + end, &[&"\r\n".repeat(100)]),
        ];
        for (content, expected) in table {
            for size in [1, 2, 3, 7, 64, usize::MAX] {
                let parts = parts(content.as_bytes(), size);
                let parts = parts.unwrap_or_else(|error| panic!("{content:?} is refused: {error}"));
                let data: Vec<_> = parts
                    .iter()
                    .map(|(_, data)| String::from_utf8_lossy(data))
                    .collect();
                assert_eq!(data, *expected, "content: {content:?}, pieces of {size}");
            }
        }
    }

    #[test]
    fn says_what_is_malformed() {
        let header = "--b\r\nContent-Disposition: form-data; name=n\r\n";
        let ends = "it ends before its last boundary";
        let long = format!("{header}X: {}\r\n\r\n", "y".repeat(4096));
        let endless = format!("{header}{}", "y".repeat(5000));
        for (content, expected) in [
            ("", "the boundary is nowhere in it"),
            ("x", "the boundary is nowhere in it"),
            ("--B--", "the boundary is nowhere in it"),
            ("x--b--", "the boundary is nowhere in it"),
            ("--b", ends),
            ("--b-", ends),
            ("--b\r\n", ends),
            (header, ends),
            (&format!("{header}\r\n"), ends),
            (&format!("{header}\r\nx"), ends),
            (&format!("{header}\r\nx\r\n--b"), ends),
            (&format!("{header}\r\nx\r\n--b\r"), ends),
            (&format!("{header}\r\nx\r\n--b\r\n"), ends),
            ("--bc\r\n", "a boundary is not alone on its line"),
            ("--b \n", "a boundary is not alone on its line"),
            ("--b -- ", "a boundary is not alone on its line"),
            ("--b-x", "a boundary is not alone on its line"),
            (
                &format!("--b{}", " ".repeat(65)),
                "a boundary is followed by too many spaces",
            ),
            (
                "--b\r\n\r\n",
                "a part does not have one Content-Disposition",
            ),
            (
                &long,
                "the header fields of a part are longer than 4096 bytes",
            ),
            (
                &endless,
                "the header fields of a part are longer than 4096 bytes",
            ),
        ] {
            for size in [1, 5, usize::MAX] {
                match parts(content.as_bytes(), size) {
                    Err(Rejection::MultipartSyntax { reason }) => {
                        assert_eq!(reason, expected, "content: {content:?}, pieces of {size}");
                    }
                    other => panic!("{content:?} in pieces of {size} gives {other:?}"),
                }
            }
        }
    }

    #[test]
    fn keeps_little() {
        let mut reader = PartReader::new(&"b".repeat(70));
        reader.push(b"--");
        reader.push("b".repeat(70).as_bytes());
        reader.push(b"\r\nContent-Disposition: form-data; name=n\r\n\r\n");
        for flood in [
            "\r",
            "\n",
            "\r\n",
            "\r\n--",
            &format!("\r\n--{}", "b".repeat(69)),
        ] {
            for _ in 0..200 {
                reader.push(flood.repeat(50).as_bytes());
                while reader.next().expect("is well-formed").is_some() {}
                assert!(reader.buffer.len() < 74, "flood: {flood:?}");
            }
        }
    }
}
