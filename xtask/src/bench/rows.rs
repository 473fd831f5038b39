//! What is measured: the rows of the table, as data.

/// A server and the request it is measured with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What answers, for the report.
    pub(super) about: &'static str,
    pub(super) program: Program,
    /// The request target.
    pub(super) target: &'static str,
    /// The name of the row that this one is compared with.
    pub(super) limit: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// The bare server of `spikard-bench`.
    Limit,
    /// An application in `crates/spikard-bench/apps`.
    App(&'static str),
}

/// The content of every answer, byte for byte; its media type is JSON.
pub(super) const CONTENT: &str = r#"{"message":"Hello, Ada!"}"#;

/// All rows; a limit stands before what is compared with it.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "limit",
        about: "hyper alone, no Python",
        program: Program::Limit,
        target: "/hello?name=Ada",
        limit: "limit",
    },
    Row {
        name: "def",
        about: "the quick start: a `def` handler",
        program: Program::App("hello_def.py"),
        target: "/hello?name=Ada",
        limit: "limit",
    },
    Row {
        name: "async",
        about: "the same as `async def`",
        program: Program::App("hello_async.py"),
        target: "/hello?name=Ada",
        limit: "limit",
    },
    Row {
        name: "limit-sleep",
        about: "hyper alone, after 1 ms of tokio's timer",
        program: Program::Limit,
        target: "/sleep?name=Ada",
        limit: "limit-sleep",
    },
    Row {
        name: "async-sleep",
        about: "`async def` that awaits `asyncio.sleep(0.001)`",
        program: Program::App("hello_async_sleep.py"),
        target: "/hello?name=Ada",
        limit: "limit-sleep",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_limit_at_or_before_it() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(
                ROWS[..=index]
                    .iter()
                    .any(|earlier| earlier.name == row.limit),
                "{}",
                row.name
            );
        }
    }
}
