//! The one macro of the format: `{{ repeat 'x' 2000 times }}` stands for that text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

static REPEAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{\s*repeat\s+'([^']*)'\s+(\d{1,7})\s+times\s*\}\}").expect("is a valid pattern")
});

/// Writes out every repetition in the text of a file.
///
/// Works on the JSON text itself: the quoted part is the inside of a JSON string and may be repeated as it stands.
pub(crate) fn expand(text: &str) -> Cow<'_, str> {
    REPEAT.replace_all(text, |captures: &Captures<'_>| {
        captures[1].repeat(captures[2].parse().expect("has at most seven digits"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_out_repetitions() {
        for (text, expected) in [
            ("{{ repeat 'ab' 3 times }}", "ababab"),
            ("a{{repeat '-' 2 times}}b{{ repeat 'c' 1 times }}", "a--bc"),
            (r"{{ repeat '\n' 2 times }}", r"\n\n"),
            ("{{ repeat 'x' 0 times }}", ""),
            ("{{ repeat x 2 times }}", "{{ repeat x 2 times }}"),
        ] {
            assert_eq!(expand(text), expected, "{text}");
        }
    }
}
