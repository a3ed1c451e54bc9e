//! Times as Spring writes them.

use std::time::Duration;

/// `10s`, `500ms`, `2h` (`ns us ms s m h d`; without a unit milliseconds), or ISO 8601: `PT1M30S`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.starts_with(['P', 'p']) {
        return parse_iso_duration(text);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(digits);
    let amount: u64 = amount.parse().ok()?;
    match unit.trim_start().to_ascii_lowercase().as_str() {
        "ns" => Some(Duration::from_nanos(amount)),
        "us" => Some(Duration::from_micros(amount)),
        "" | "ms" => Some(Duration::from_millis(amount)),
        "s" => Some(Duration::from_secs(amount)),
        "m" => amount.checked_mul(60).map(Duration::from_secs),
        "h" => amount.checked_mul(3_600).map(Duration::from_secs),
        "d" => amount.checked_mul(86_400).map(Duration::from_secs),
        _ => None,
    }
}

/// `PnDTnHnMn.nS`, each part at most once and in this order.
fn parse_iso_duration(text: &str) -> Option<Duration> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let mut total = Duration::ZERO;
    for (mut part, units) in [
        (date, &[('D', 86_400)][..]),
        (time, &[('H', 3_600), ('M', 60), ('S', 1)]),
    ] {
        for &(unit, seconds) in units {
            if let Some((amount, after)) = part.split_once(unit) {
                total = total.checked_add(amount_of(amount, seconds)?)?;
                part = after;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    Some(total)
}

/// Only seconds may have a fraction.
fn amount_of(amount: &str, seconds: u64) -> Option<Duration> {
    if seconds == 1 && amount.contains('.') {
        return Duration::try_from_secs_f64(amount.parse().ok()?).ok();
    }
    amount
        .parse::<u64>()
        .ok()?
        .checked_mul(seconds)
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_both_of_spring_s_styles() {
        for (text, expected) in [
            ("10s", Some(Duration::from_secs(10))),
            ("500ms", Some(Duration::from_millis(500))),
            ("250", Some(Duration::from_millis(250))),
            (" 2 h ", Some(Duration::from_secs(7_200))),
            ("1d", Some(Duration::from_secs(86_400))),
            ("PT1M30S", Some(Duration::from_secs(90))),
            ("pt0.5s", Some(Duration::from_millis(500))),
            ("P1DT1H", Some(Duration::from_secs(90_000))),
            ("PT", None),
            ("P", None),
            ("PT1S1M", None),
            ("-5s", None),
            ("5 weeks", None),
            ("", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
