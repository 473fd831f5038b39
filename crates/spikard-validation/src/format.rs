//! The formats that are checked, and what a text without one is refused for.

use jsonschema::ValidationOptions;
use spikard_core::format;
use spikard_problem::Cause;

/// The formats that are checked and have no cause of their own.
const CHECKED: [&str; 7] = [
    "decimal", "duration", "hostname", "ipv4", "ipv6", "time", "uri",
];

/// Formats that `jsonschema` would check and that are notes to the reader here.
const NOTES: [&str; 9] = [
    "idn-email",
    "idn-hostname",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "uri-reference",
    "uri-template",
];

/// Switches on the checks of formats. Any other format, `binary` for one, accepts every text.
pub(crate) fn with_formats(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    let options = options
        .should_validate_formats(true)
        .with_format("date", format::is_date)
        .with_format("date-time", format::is_date_time)
        .with_format("decimal", format::is_decimal)
        .with_format("duration", format::is_duration)
        .with_format("email", is_email)
        .with_format("time", format::is_time)
        .with_format("uuid", format::is_uuid);
    NOTES.into_iter().fold(options, |options, name| {
        options.with_format(name, |_: &str| true)
    })
}

/// What a text that does not have the format of this name is refused for.
pub(crate) fn cause(name: &str) -> Cause {
    match name {
        "uuid" => Cause::Uuid,
        "date" => Cause::Date,
        "date-time" => Cause::DateTime,
        "email" => Cause::Email,
        name => CHECKED
            .into_iter()
            .find(|checked| *checked == name)
            .map_or_else(
                || Cause::other(format!("Invalid {name} format")),
                Cause::Format,
            ),
    }
}

/// The pattern that [`Cause::Email`] tells the client.
fn is_email(text: &str) -> bool {
    let is_of = |text: &str, others: &[u8]| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        !text.is_empty() && text.bytes().all(is_allowed)
    };
    text.split_once('@').is_some_and(|(local, domain)| {
        domain.split_once('.').is_some_and(|(first, rest)| {
            is_of(local, b"_.+-") && is_of(first, b"-") && is_of(rest, b"-.")
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn formats() {
        // Format, texts that have it, texts that do not.
        let table: [(&str, &[&str], &[&str]); 13] = [
            (
                "uuid",
                &[
                    "c892496f-b1fd-4b91-bdb8-b46f92df1716",
                    "C892496F-B1FD-1B91-0DB8-B46F92DF1716",
                ],
                &[
                    "",
                    "not-a-uuid",
                    "c892496fb1fd4b91bdb8b46f92df1716",
                    "g892496f-b1fd-4b91-bdb8-b46f92df1716",
                ],
            ),
            (
                "date",
                &["2024-02-29", "2023-12-31"],
                &[
                    "",
                    "2023-02-29",
                    "2024-1-1",
                    "20240101",
                    "2024-01-01T00:00:00Z",
                ],
            ),
            (
                "date-time",
                &[
                    "1985-04-12T23:20:50.52Z",
                    "1996-12-19T16:39:57-08:00",
                    "2024-01-01t00:00:00z",
                ],
                &[
                    "",
                    "not-a-datetime",
                    "2024-01-01",
                    "2024-01-01 00:00:00Z",
                    "2024-01-01T00:00:00",
                ],
            ),
            (
                "time",
                &[
                    "00:00:00",
                    "23:59:59.999",
                    "12:30:00Z",
                    "12:30:00+05:30",
                    "23:59:60Z",
                    "00:29:60+00:30",
                ],
                &[
                    "",
                    "12:30",
                    "24:00:00",
                    "12:60:00",
                    "12:30:60",
                    "12:30:00.",
                    "1:30:00",
                    "12:30:00 PM",
                ],
            ),
            (
                "duration",
                &[
                    "P1DT2H30M",
                    "P1Y2M3DT4H5M6S",
                    "P1Y3D",
                    "PT1H5S",
                    "P2W",
                    "PT1.5S",
                    "PT0,5H",
                    "P1.5D",
                ],
                &[
                    "", "P", "PT", "P1DT", "1D", "P1H", "P1D2Y", "P1W2D", "P1.5DT1H", "PT.5S",
                    "-P1D", "p1d", "P1é",
                ],
            ),
            (
                "email",
                &["ada@example.com", "a.b+c_d-e@sub.example.co.uk", "a@b.c"],
                &[
                    "",
                    "ada",
                    "ada@localhost",
                    "@example.com",
                    "ada@.com",
                    "ada@b.",
                    "a b@c.d",
                    "a@b@c.d",
                    "ä@b.c",
                ],
            ),
            (
                "ipv4",
                &["127.0.0.1", "255.255.255.255"],
                &["", "999.999.999.999", "1.2.3", "01.2.3.4", "::1"],
            ),
            (
                "ipv6",
                &["::1", "2001:db8::8a2e:370:7334"],
                &["", "127.0.0.1", "2001:::1", "[::1]", "fe80::1%eth0"],
            ),
            (
                "uri",
                &[
                    "https://example.com/a?b=c#d",
                    "urn:isbn:0451450523",
                    "mailto:a@b.c",
                ],
                &["", "not a uri", "/relative", "example.com", "http://a b"],
            ),
            (
                "hostname",
                &["localhost", "example.com", "a-b.example"],
                &["", "-a.example", "a..b", "a_b", "a b", "exämple.com"],
            ),
            (
                "decimal",
                &["0", "-10.50", "+7", ".5", "5."],
                &["", ".", "-", "1e5", "1,5", "1_000", " 1", "NaN"],
            ),
            ("binary", &["", "\0", "anything"], &[]),
            ("json-pointer", &["", "no pointer"], &[]),
        ];
        for dialect in [
            "https://json-schema.org/draft/2020-12/schema",
            "http://json-schema.org/draft-07/schema#",
        ] {
            for (name, valid, invalid) in table {
                let schema = json!({"$schema": dialect, "type": "string", "format": name});
                let validator = with_formats(jsonschema::options())
                    .build(&schema)
                    .expect("is a schema");
                for text in valid {
                    assert!(
                        validator.is_valid(&json!(text)),
                        "{dialect}: {name}: {text}"
                    );
                }
                for text in invalid {
                    assert!(
                        !validator.is_valid(&json!(text)),
                        "{dialect}: not {name}: {text}"
                    );
                }
            }
        }
    }
}
