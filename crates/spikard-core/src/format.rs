//! The formats of text that parameters and schemas name: the text is checked, and kept as it is.

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12 (RFC 9562, 4), of any version.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `full-date` (RFC 3339, 5.6) from the year 1: the calendar has no year 0.
pub fn is_date(text: &str) -> bool {
    is_date_bytes(text.as_bytes())
}

/// `date-time` (RFC 3339, 5.6): the offset is required, `T` and `Z` can be in lower case.
pub fn is_date_time(text: &str) -> bool {
    let Some((date, [b'T' | b't', time @ ..])) = text.as_bytes().split_at_checked(10) else {
        return false;
    };
    is_date_bytes(date) && is_time_bytes(time, Offset::Required)
}

/// `full-time` (RFC 3339, 5.6) or `partial-time`, which has no offset.
pub fn is_time(text: &str) -> bool {
    is_time_bytes(text.as_bytes(), Offset::Optional)
}

/// ISO 8601 duration (RFC 3339, appendix A), in which units between others can be left out and the last number can
/// have a fraction.
pub fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else {
        return false;
    };
    match text.split_once('T') {
        Some((date, time)) => {
            let is_date = date.is_empty() || has_units(date, "YMD", Fraction::Refused);
            is_date && has_units(time, "HMS", Fraction::AtTheEnd)
        }
        None => {
            has_units(text, "YMD", Fraction::AtTheEnd) || has_units(text, "W", Fraction::AtTheEnd)
        }
    }
}

/// Optional sign, decimal digits, optional fraction.
pub fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
    digits.peek().is_some() && digits.all(|digit| digit.is_ascii_digit())
}

fn is_date_bytes(text: &[u8]) -> bool {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else {
        return false;
    };
    let (Some(century), Some(year), Some(month), Some(day)) = (
        two_digits(y0, y1),
        two_digits(y2, y3),
        two_digits(m0, m1),
        two_digits(d0, d1),
    ) else {
        return false;
    };
    let year = century * 100 + year;
    year > 0 && (1..=days_in_month(year, month)).contains(&day)
}

/// The number of days; 0 for a month that does not exist.
fn days_in_month(year: u16, month: u16) -> u16 {
    let is_leap_year =
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year => 29,
        2 => 28,
        _ => 0,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offset {
    Required,
    Optional,
}

/// A time of day. A leap second is the last second of a day in UTC (RFC 3339, 5.7).
fn is_time_bytes(text: &[u8], offset: Offset) -> bool {
    let &[h0, h1, b':', m0, m1, b':', s0, s1, ref rest @ ..] = text else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) =
        (two_digits(h0, h1), two_digits(m0, m1), two_digits(s0, s1))
    else {
        return false;
    };
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
            match digits.count() {
                0 => return false,
                count => &fraction[count..],
            }
        }
        rest => rest,
    };
    let minutes_behind_utc = match *rest {
        [] if offset == Offset::Optional => 0,
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (Some(hours @ 0..=23), Some(minutes @ 0..=59)) =
                (two_digits(h0, h1), two_digits(m0, m1))
            else {
                return false;
            };
            let minutes = i32::from(hours * 60 + minutes);
            if sign == b'+' { -minutes } else { minutes }
        }
        _ => return false,
    };
    let minute_in_utc = (i32::from(hour * 60 + minute) + minutes_behind_utc).rem_euclid(24 * 60);
    hour < 24 && minute < 60 && (second < 60 || (second == 60 && minute_in_utc == 23 * 60 + 59))
}

fn two_digits(tens: u8, ones: u8) -> Option<u16> {
    let are_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
    are_digits.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fraction {
    Refused,
    AtTheEnd,
}

/// Whether `text` is one or more numbers, each followed by one of `units`, in their order.
fn has_units(mut text: &str, mut units: &str, fraction: Fraction) -> bool {
    loop {
        let Some(index) = text.find(|character: char| character.is_ascii_alphabetic()) else {
            return false;
        };
        let (number, unit) = (&text[..index], &text[index..=index]);
        text = &text[index + 1..];
        let Some((_, later_units)) = units.split_once(unit) else {
            return false;
        };
        units = later_units;
        let can_have_fraction = fraction == Fraction::AtTheEnd && text.is_empty();
        let is_number = match number.split_once(['.', ',']) {
            Some((whole, part)) => can_have_fraction && is_digits(whole) && is_digits(part),
            None => is_digits(number),
        };
        if !is_number || text.is_empty() {
            return is_number;
        }
    }
}

/// Whether `text` is one or more decimal digits.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(has_format: fn(&str) -> bool, valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(has_format(text), "valid: {text}");
        }
        for text in invalid {
            assert!(!has_format(text), "not valid: {text}");
        }
    }

    #[test]
    fn uuids() {
        check(
            is_uuid,
            &[
                "c892496f-b1fd-4b91-bdb8-b46f92df1716",
                "C892496F-B1FD-1B91-0DB8-B46F92DF1716",
                "00000000-0000-0000-0000-000000000000",
                "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF",
            ],
            &[
                "c892496fb1fd4b91bdb8b46f92df1716",
                "{c892496f-b1fd-4b91-bdb8-b46f92df1716}",
                "urn:uuid:c892496f-b1fd-4b91-bdb8-b46f92df1716",
                "c892496f-b1fd-4b91-bdb8-b46f92df171",
                "c892496f-b1fd-4b91-bdb8-b46f92df1716 ",
                "g892496f-b1fd-4b91-bdb8-b46f92df1716",
                "c892496-fb1fd-4b91-bdb8-b46f92df1716",
                "éc892496f-b1fd-4b91-bdb8-b46f92df17",
            ],
        );
    }

    #[test]
    fn dates() {
        check(
            is_date,
            &[
                "2024-02-29",
                "2000-02-29",
                "2023-12-31",
                "0001-01-01",
                "9999-12-31",
            ],
            &[
                "2023-02-29",
                "1900-02-29",
                "2024-04-31",
                "2024-13-01",
                "2024-00-10",
                "2024-01-00",
                "0000-01-01",
                "2024-1-1",
                "20240101",
                "2024/01/01",
                "2024-01-01T00:00:00Z",
                "-2024-01-01",
                "+02024-01-01",
                " 2024-01-01",
                "2024-01-0１",
            ],
        );
    }

    #[test]
    fn date_times() {
        check(
            is_date_time,
            &[
                "1985-04-12T23:20:50.52Z",
                "1996-12-19T16:39:57-08:00",
                "1990-12-31T23:59:60Z",
                "1990-12-31T15:59:60-08:00",
                "1937-01-01T12:00:27.87+00:20",
                "2024-01-01t00:00:00z",
                "2024-01-01T00:00:00-00:00",
                "2024-01-01T00:00:00.123456789012Z",
            ],
            &[
                "2024-01-01 00:00:00Z",
                "2024-01-01T00:00:00",
                "2024-01-01T00:00Z",
                "2024-01-01T00:00:00+0200",
                "2024-01-01T00:00:00+02",
                "2024-01-01T00:00:00+24:00",
                "2024-01-01T00:00:00+02:60",
                "2024-01-01T00:00:00 02:00",
                "2024-01-01T24:00:00Z",
                "2024-01-01T00:60:00Z",
                "2024-01-01T00:00:60Z",
                "2024-01-01T23:59:60+01:00",
                "2024-01-01T23:59:61Z",
                "2024-01-01T00:00:00.Z",
                "2024-01-01T00:00:00,5Z",
                "2024-01-01T00:00:00Z[UTC]",
                "2024-01-01T00:00:00Zx",
                "2023-02-29T00:00:00Z",
                "2024-01-01",
                "2024-W01-1T00:00:00Z",
                "1704067200",
                "2024-01-0éT00:00:00Z",
            ],
        );
    }

    #[test]
    fn times() {
        check(
            is_time,
            &[
                "00:00:00",
                "23:59:59.999",
                "12:30:00Z",
                "12:30:00+05:30",
                "23:59:60Z",
                "00:29:60+00:30",
            ],
            &[
                "12:30",
                "24:00:00",
                "12:60:00",
                "12:30:61",
                "12:30:60",
                "1:30:00",
                "T12:30:00",
                "12:30:00 PM",
                "12.30.00",
            ],
        );
    }

    #[test]
    fn durations() {
        check(
            is_duration,
            &[
                "P1DT2H30M",
                "P4DT12H30M5S",
                "P1Y2M3DT4H5M6S",
                "P1Y",
                "P1Y3D",
                "PT0S",
                "PT1H5S",
                "PT36H",
                "P2W",
                "PT1.5S",
                "PT0,5H",
                "P1.5D",
                "P0.5W",
            ],
            &[
                "P", "PT", "P1DT", "P1", "1D", "PD", "P1H", "PT1D", "P1D2Y", "PT1S2H", "P1D1D",
                "P1W2D", "P1.5DT1H", "PT1.5H3M", "PT.5S", "PT1.S", "PT1.5.5S", "p1d", "-P1D",
                "P-1D", "P1D ", " P1D", "P1YT", "PT1H ", "P1S", "P１D", "P1é",
            ],
        );
    }

    #[test]
    fn decimals() {
        check(
            is_decimal,
            &[
                "0",
                "10.50",
                "-0.001",
                "+7",
                "007",
                ".5",
                "5.",
                "123456789012345678901234567890.1",
            ],
            &[
                "", ".", "-", "1e5", "1,5", "1_000", " 1", "1.2.3", "NaN", "Infinity", "--1", "٣",
            ],
        );
    }
}
