//! Texts that mean numbers, switches and sizes, as Spring converts them.

/// `true`, `on`, `yes`, `1` and their opposites, in any case.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Decimal, or hexadecimal after `0x` or `#`.
pub(super) fn parse_integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal.or_else(|| digits.strip_prefix('#')) {
        Some(digits) => i128::from_str_radix(digits, 16).ok()?,
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse::<i128>().ok()?,
        None => return None,
    };
    Some(if negative { -number } else { number })
}

/// `10MB`, `512KB`, `1024` (`B KB MB GB TB`, each 1,024 of the one before; without a unit bytes).
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let (amount, unit) = split_unit(text.trim())?;
    let power = ["B", "KB", "MB", "GB", "TB"]
        .iter()
        .position(|known| unit.eq_ignore_ascii_case(known) || (unit.is_empty() && *known == "B"))?;
    amount.parse::<u64>().ok()?.checked_mul(1_u64 << (10 * power))
}

fn split_unit(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_spring_s_units() {
        for (text, expected) in [
            ("10MB", Some(10 << 20)),
            ("1kb", Some(1024)),
            ("7", Some(7)),
            ("7 B", Some(7)),
            ("1PB", None),
            ("MB", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(parse_bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_may_be_hexadecimal_and_signed() {
        for (text, expected) in [
            ("42", Some(42)),
            (" -7 ", Some(-7)),
            ("+5", Some(5)),
            ("0x1F", Some(31)),
            ("#ff", Some(255)),
            ("4.2", None),
            ("", None),
            ("--5", None),
            ("ten", None),
        ] {
            assert_eq!(parse_integer(text), expected, "{text}");
        }
    }

    #[test]
    fn switches_have_four_spellings_each() {
        for text in ["true", "ON", " yes", "1"] {
            assert_eq!(parse_bool(text), Some(true), "{text}");
        }
        for text in ["False", "off", "no", "0"] {
            assert_eq!(parse_bool(text), Some(false), "{text}");
        }
        assert_eq!(parse_bool("maybe"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_a_parser(text in ".{0,24}") {
            let _ = (parse_bool(&text), parse_integer(&text), parse_bytes(&text));
        }
    }
}
