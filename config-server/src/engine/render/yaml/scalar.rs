//! One scalar: its text, its style, and the writers of the styles.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::parse::scalar::reads_as_text;
use super::super::super::value::Value;
use super::analysis::{Analysis, is_break, is_printable};
use super::writer::{STEP, WIDTH, Writer, width};

/// A scalar that is ready to be written.
#[derive(Debug)]
pub(super) struct Scalar<'a> {
    text: Cow<'a, str>,
    kind: Kind,
    analysis: Analysis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number, a boolean or null: read back by its spelling.
    Plain,
    Text,
    /// Base64 under a tag.
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

impl<'a> Scalar<'a> {
    /// Text that could not stand in a YAML stream goes as its bytes.
    pub(super) fn text(text: &'a str) -> Self {
        if text.chars().all(is_printable) {
            Self::new(Cow::Borrowed(text), Kind::Text)
        } else {
            Self::binary(text.as_bytes())
        }
    }

    pub(super) fn null() -> Self {
        Self::new(Cow::Borrowed("null"), Kind::Plain)
    }

    pub(super) fn value(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::text(text),
            Value::Bytes(bytes) => Self::binary(bytes),
            Value::Double(number) if !number.is_finite() => Self::new(Cow::Borrowed(not_finite(*number)), Kind::Plain),
            other => Self::new(other.to_string().into(), Kind::Plain),
        }
    }

    /// A value whose node was given the tag of a string.
    pub(super) fn as_text(value: &'a Value) -> Self {
        match value {
            Value::Text(_) | Value::Bytes(_) => Self::value(value),
            Value::Bool(_) | Value::Integer(_) | Value::BigInteger(_) | Value::Double(_) => Self {
                kind: Kind::Text,
                ..Self::value(value)
            },
        }
    }

    fn binary(bytes: &[u8]) -> Self {
        Self::new(STANDARD.encode(bytes).into(), Kind::Binary)
    }

    fn new(text: Cow<'a, str>, kind: Kind) -> Self {
        let analysis = Analysis::of(&text);
        Self { text, kind, analysis }
    }

    /// Short enough to stand before its colon. SnakeYAML counts the tag, written or not.
    pub(super) fn is_simple_key(&self) -> bool {
        const MOST: usize = 128;
        let tag = if self.kind == Kind::Binary { "!!binary" } else { "!!str" };
        !self.analysis.empty && !self.analysis.multiline && width(&self.text) + tag.len() < MOST
    }

    /// Writes the scalar below what is indented by `indent`.
    pub(super) fn write(&self, writer: &mut Writer, indent: Option<usize>, simple_key: bool) {
        if self.kind == Kind::Binary {
            writer.indicator("!!binary", true, false, false);
        }
        let indent = indent.unwrap_or(0) + STEP;
        // A key never spans lines.
        let fold = (!simple_key).then_some(indent);
        match self.style(simple_key) {
            Style::Plain => plain(writer, &self.text, fold),
            Style::SingleQuoted => single_quoted(writer, &self.text, fold),
            Style::DoubleQuoted => double_quoted(writer, &self.text, fold),
            Style::Literal => literal(writer, &self.text, indent),
        }
    }

    fn style(&self, simple_key: bool) -> Style {
        let analysis = self.analysis;
        if self.kind == Kind::Binary || (self.kind == Kind::Text && analysis.multiline) {
            let literal = analysis.block && !simple_key;
            return if literal { Style::Literal } else { Style::DoubleQuoted };
        }
        // At the start of a line some readers, libyaml among them, take it for a byte order mark.
        let vanishes = simple_key && self.text.starts_with('\u{feff}');
        if analysis.plain && !vanishes && (self.kind == Kind::Plain || reads_as_text(&self.text)) {
            Style::Plain
        } else if analysis.single_quoted {
            Style::SingleQuoted
        } else {
            Style::DoubleQuoted
        }
    }
}

fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        ".NaN"
    } else if number > 0.0 {
        ".inf"
    } else {
        "-.inf"
    }
}

fn plain(writer: &mut Writer, text: &str, fold: Option<usize>) {
    if !writer.whitespace {
        writer.text(" ");
    }
    writer.solid();
    for run in runs(text, |c| c == ' ') {
        match fold {
            Some(indent) if run == " " && writer.column > WIDTH => {
                writer.indent(indent);
                writer.solid();
            }
            _ => writer.text(run),
        }
    }
}

fn single_quoted(writer: &mut Writer, text: &str, fold: Option<usize>) {
    writer.indicator("'", true, false, false);
    let mut left = text.len();
    for run in runs(text, |c| c == ' ') {
        let at_edge = left == text.len() || left == run.len();
        left -= run.len();
        match fold {
            Some(indent) if run == " " && writer.column > WIDTH && !at_edge => writer.indent(indent),
            _ if run.contains('\'') => writer.text(&run.replace('\'', "''")),
            _ => writer.text(run),
        }
    }
    writer.indicator("'", false, false, false);
}

fn double_quoted(writer: &mut Writer, text: &str, fold: Option<usize>) {
    writer.indicator("\"", true, false, false);
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let is_bare = matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        if !is_bare {
            writer.text(&text[start..at]);
            writer.text(&escaped(c));
            start = at + c.len_utf8();
        }
        let Some(indent) = fold.filter(|_| 0 < at && at < last && (c == ' ' || start >= at)) else {
            continue;
        };
        let pending = text.get(start..at).unwrap_or_default();
        // What was just escaped is written already, and SnakeYAML takes it off again.
        if writer.column + width(pending) > WIDTH + usize::from(start > at) {
            writer.text(pending);
            writer.text("\\");
            start = start.max(at);
            writer.indent(indent);
            writer.solid();
            if text[start..].starts_with(' ') {
                writer.text("\\");
            }
        }
    }
    writer.text(&text[start..]);
    writer.indicator("\"", false, false, false);
}

fn literal(writer: &mut Writer, text: &str, indent: usize) {
    let mut hints = String::from("|");
    if text.starts_with(|c| c == ' ' || is_break(c)) {
        // Writing into a string cannot fail.
        let _ = write!(hints, "{STEP}");
    }
    let mut from_end = text.chars().rev();
    match (from_end.next(), from_end.next()) {
        (Some(last), _) if !is_break(last) => hints.push('-'),
        (_, before) if before.is_none_or(is_break) => hints.push('+'),
        _ => {}
    }
    writer.indicator(&hints, true, false, false);
    writer.line_break('\n');
    let mut left = text.len();
    if !text.starts_with(is_break) {
        writer.indent(indent);
    }
    for run in runs(text, is_break) {
        left -= run.len();
        if run.starts_with(is_break) {
            run.chars().for_each(|c| writer.line_break(c));
            if left > 0 {
                writer.indent(indent);
            }
        } else {
            writer.raw(run);
            if left == 0 {
                writer.line_break('\n');
            }
        }
    }
}

/// Maximal runs of characters that are alike.
fn runs(text: &str, is: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let kind = is(rest.chars().next()?);
        let end = rest.find(|c| is(c) != kind).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

fn escaped(c: char) -> Cow<'static, str> {
    Cow::Borrowed(match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\t' => "\\t",
        '\n' => "\\n",
        '\r' => "\\r",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        // Anything else that cannot be printed goes as base64 before it gets here.
        other => return Cow::Owned(other.to_string()),
    })
}
