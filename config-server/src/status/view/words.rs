//! Numbers, times and foreign texts as words.

use contract::CommitId;

/// Characters of a foreign text that are shown.
const LONGEST: usize = 500;

/// `text` without anything a terminal could take for a command or a direction.
#[must_use]
pub fn clean(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    shown
        .filter(|c| !c.is_control() && !is_direction(*c))
        .take(LONGEST)
        .collect()
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most `columns` characters; what was cut ends in dots.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(columns.saturating_sub(1)).collect();
    shown.extend((columns > 0).then_some('…'));
    shown
}

/// A commit as people write it.
pub(super) fn short(commit: &CommitId) -> &str {
    let text = commit.as_str();
    text.get(..7).unwrap_or(text)
}

/// A time in the unit that fits.
pub(super) fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        _ if milliseconds < 1000 => format!("{milliseconds} ms"),
        0..10 if milliseconds % 1000 >= 100 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// With a comma after each thousand.
pub(super) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_commands_no_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n\u{9b}31m\u{202e}c\u{7f}"), "a[2Jb  31mc");
        assert_eq!(clean(&"x".repeat(10_000)).len(), LONGEST);
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_234, "1.2 s"),
            (3_000, "3 s"),
            (59_000, "59 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_200_000, "2 h"),
            (172_800_000, "2 d"),
        ] {
            assert_eq!(span(milliseconds), text);
        }
    }

    #[test]
    fn numbers_have_their_commas() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größer", 5), "größ…");
        assert_eq!(cut("x", 0), "");
    }
}
