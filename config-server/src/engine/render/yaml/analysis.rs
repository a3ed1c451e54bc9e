//! Which styles can carry a text, by SnakeYAML's rules for block context.

/// Line breaks of YAML 1.1.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that may stand in a YAML stream.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\t' | '\n' | '\r' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What a text allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    pub empty: bool,
    pub multiline: bool,
    pub plain: bool,
    pub single_quoted: bool,
    pub block: bool,
}

/// What was seen in a text.
#[derive(Default)]
struct Seen {
    indicators: bool,
    special: bool,
    breaks: bool,
    blank_edge: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                empty: true,
                multiline: false,
                plain: true,
                single_quoted: true,
                block: false,
            };
        }
        let seen = Seen::look(text);
        let loose = seen.space_break || seen.special;
        Self {
            empty: false,
            multiline: seen.breaks,
            plain: !(seen.blank_edge || seen.break_space || loose || seen.indicators || is_padded_number(text)),
            single_quoted: !(seen.break_space || loose),
            block: !(seen.trailing_space || loose),
        }
    }
}

impl Seen {
    fn look(text: &str) -> Self {
        let mut seen = Self {
            indicators: text.starts_with("---") || text.starts_with("..."),
            ..Self::default()
        };
        let mut chars = text.chars().peekable();
        let mut previous = None;
        while let Some(c) = chars.next() {
            seen.character(previous, c, chars.peek().copied());
            previous = Some(c);
        }
        seen
    }

    fn character(&mut self, previous: Option<char>, c: char, next: Option<char>) {
        let is_blank = |c: char| matches!(c, '\0' | ' ' | '\t');
        // After the first character a break counts as blank only if it stands before, not behind.
        let blank_follows = match previous {
            None => next.is_none_or(|next| is_blank(next) || next == '\r' || is_break(next)),
            Some(previous) => next.is_none_or(|next| is_blank(next) || is_break(previous)),
        };
        let blank_precedes = previous.is_none_or(|previous| is_blank(previous) || is_break(previous));
        self.indicators |= match c {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                previous.is_none()
            }
            '#' => blank_precedes,
            ':' => blank_follows,
            '?' | '-' => previous.is_none() && blank_follows,
            _ => false,
        };
        self.special |= c != '\n' && (!is_printable(c) || matches!(c, '\t' | '\r'));
        let at_edge = previous.is_none() || next.is_none();
        if c == ' ' {
            self.blank_edge |= at_edge;
            self.trailing_space |= next.is_none();
            self.break_space |= previous.is_some_and(is_break);
        } else if is_break(c) {
            self.breaks = true;
            self.blank_edge |= at_edge;
            self.space_break |= previous == Some(' ');
        }
    }
}

/// `09` is a text to YAML 1.1 but a number to others.
fn is_padded_number(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}
