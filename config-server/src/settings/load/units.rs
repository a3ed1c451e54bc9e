//! Values as people write them: `30s`, `10MiB`, `yes`.

use std::time::Duration;

/// What a plain number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Millis,
    Seconds,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Millis => "milliseconds",
            Self::Seconds => "seconds",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Millis => "ms",
            Self::Seconds => "s",
        }
    }
}

/// Spring's words for yes and no.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// `500ms`, `30s`, `5m`, `2h`, `1d`, `PT30S`, or a plain number of `unit`. A negative time has no
/// duration but is a time: `Some(None)`.
#[expect(
    clippy::option_option,
    reason = "not a time, a negative one and a positive one differ"
)]
pub(crate) fn signed_time(text: &str, unit: Unit) -> Option<Option<Duration>> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return time(rest, unit).map(|_| None);
    }
    time(text, unit).map(Some)
}

/// As [`signed_time`], for times that cannot be negative.
pub(crate) fn time(text: &str, unit: Unit) -> Option<Duration> {
    let text = text.trim();
    if text.starts_with(['P', 'p']) {
        return text.parse::<jiff::SignedDuration>().ok()?.try_into().ok();
    }
    let (number, suffix) = split_number(text)?;
    let suffix = if suffix.is_empty() { unit.suffix() } else { suffix };
    let millis = match suffix.to_ascii_lowercase().as_str() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}

/// `512`, `64KB`, `10MiB`: a kilobyte has 1,024 bytes, as in Spring.
pub(crate) fn size(text: &str) -> Option<usize> {
    let (number, suffix) = split_number(text.trim())?;
    let shift = match suffix.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "kb" | "kib" => 10,
        "mb" | "mib" => 20,
        "gb" | "gib" => 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(1 << shift)?).ok()
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    Some((digits.parse().ok()?, suffix.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_unit_or_the_keys() {
        for (text, millis) in [
            ("5", Some(5_000)),
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("2H", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("PT1M30S", Some(90_000)),
            (" 7 ", Some(7_000)),
            ("-1", None),
            ("", None),
            ("5 parsecs", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(time(text, Unit::Seconds), millis.map(Duration::from_millis), "{text}");
        }
        assert_eq!(time("5", Unit::Millis), Some(Duration::from_millis(5)));
        assert_eq!(signed_time("-1", Unit::Seconds), Some(None));
        assert_eq!(signed_time("-x", Unit::Seconds), None);
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("512", Some(512)),
            ("1B", Some(1)),
            ("64KB", Some(65_536)),
            ("10 MiB", Some(10 << 20)),
            ("2gb", Some(2 << 30)),
            ("1TB", None),
            ("x", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn flags_have_springs_words() {
        assert_eq!(flag("Yes"), Some(true));
        assert_eq!(flag("off"), Some(false));
        assert_eq!(flag("maybe"), None);
    }
}
