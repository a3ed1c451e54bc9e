//! What a scalar is: SnakeYAML's YAML 1.1 resolver and constructors, without timestamps when
//! reading (Spring turns them off) and with them when writing (the emitter must quote them).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::document::Fault;
use super::super::super::value::{Origin, Value};
use super::compose::fault;

/// The type of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Null,
    Bool,
    Integer,
    Double,
    Text,
    Binary,
    /// A plain `<<`: only a key may be one.
    Merge,
}

/// A cursor over ASCII, for patterns that the resolver matches from the front.
#[derive(Clone, Copy)]
struct Pattern<'a>(&'a [u8]);

/// The type that a plain scalar has by its text alone.
pub(crate) fn implicit_tag(text: &str) -> Tag {
    // Longer texts are never looked at: SnakeYAML's own limits, which bound big numbers as well.
    match text.as_bytes() {
        [] | b"~" | b"null" | b"Null" | b"NULL" => Tag::Null,
        b"<<" => Tag::Merge,
        [b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O', ..] if bool_of(text).is_some() => {
            Tag::Bool
        }
        bytes @ [b'-' | b'+' | b'.' | b'0'..=b'9', ..] if bytes.len() < 100 => {
            if is_integer(bytes) {
                Tag::Integer
            } else if is_double(bytes) {
                Tag::Double
            } else {
                Tag::Text
            }
        }
        _ => Tag::Text,
    }
}

/// The type that a tag names; `None` for tags that no scalar may have here.
pub(super) fn explicit_tag(tag: &str) -> Option<Tag> {
    Some(match tag.strip_prefix("tag:yaml.org,2002:")? {
        "null" => Tag::Null,
        "bool" => Tag::Bool,
        "int" => Tag::Integer,
        "float" => Tag::Double,
        "str" | "timestamp" => Tag::Text,
        "binary" => Tag::Binary,
        _ => return None,
    })
}

/// Whether a plain scalar would be read as this text again by any YAML 1.1 reader.
pub(crate) fn reads_as_text(text: &str) -> bool {
    implicit_tag(text) == Tag::Text && !is_timestamp(text.as_bytes())
}

/// The value of a scalar; `None` for null.
pub(super) fn construct(tag: Tag, text: &Arc<str>, mark: Origin) -> Result<Option<Value>, Fault> {
    let wrong = |kind: &str| fault(mark, format!("not {kind}"));
    Ok(Some(match tag {
        Tag::Null => return Ok(None),
        Tag::Text => Value::Text(Arc::clone(text)),
        Tag::Bool => Value::Bool(bool_of(&text.to_ascii_lowercase()).ok_or_else(|| wrong("a boolean"))?),
        Tag::Integer => integer_of(text).ok_or_else(|| wrong("an integer"))?,
        Tag::Double => Value::Double(double_of(text).ok_or_else(|| wrong("a number"))?),
        Tag::Binary => {
            let dense: String = text.split_ascii_whitespace().collect();
            Value::Bytes(STANDARD.decode(dense).map_err(|_| wrong("base64"))?.into())
        }
        Tag::Merge => return Err(fault(mark, "`<<` is no value")),
    }))
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn is_integer(text: &[u8]) -> bool {
    let unsigned = Pattern(text).sign();
    if unsigned.0 == b"0" {
        return true;
    }
    match unsigned.0 {
        [b'0', b'b', rest @ ..] => Pattern(rest).digits_only(|byte| matches!(byte, b'0' | b'1')),
        [b'0', b'x', rest @ ..] => Pattern(rest).digits_only(|byte| byte.is_ascii_hexdigit()),
        [b'0', rest @ ..] => Pattern(rest).digits_only(|byte| matches!(byte, b'0'..=b'7')),
        [b'1'..=b'9', ..] => {
            let rest = unsigned.decimal();
            rest.0.is_empty() || rest.sixties().is_some_and(|rest| rest.0.is_empty())
        }
        _ => false,
    }
}

fn is_double(text: &[u8]) -> bool {
    if matches!(text, b".nan" | b".NaN" | b".NAN") {
        return true;
    }
    let unsigned = Pattern(text).sign();
    match unsigned.0 {
        b".inf" | b".Inf" | b".INF" => true,
        [b'.', rest @ ..] => {
            let after = Pattern(rest).decimal();
            after.0.len() < rest.len() && after.optional_exponent().0.is_empty()
        }
        [b'0'..=b'9', ..] => {
            let rest = unsigned.decimal();
            match rest.0 {
                [b'.', fraction @ ..] => Pattern(fraction).decimal().optional_exponent().0.is_empty(),
                [b':', ..] => rest.sixties().is_some_and(|rest| match rest.0 {
                    [b'.', fraction @ ..] => Pattern(fraction).decimal().0.is_empty(),
                    _ => false,
                }),
                _ => rest.exponent().is_some_and(|rest| rest.0.is_empty()),
            }
        }
        _ => false,
    }
}

/// `2024-01-02`, or a date with a time in one of the spellings of YAML 1.1.
fn is_timestamp(text: &[u8]) -> bool {
    if text.len() >= 50 || !text.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let date = || {
        let rest = Pattern(text).count(4, 4)?.byte(b'-')?;
        rest.count(1, 2)?.byte(b'-')?.count(1, 2)
    };
    let Some(rest) = date() else { return false };
    if rest.0.is_empty() {
        return text.len() == "2024-01-02".len();
    }
    rest.time().is_some_and(|rest| rest.zone().0.is_empty())
}

impl<'a> Pattern<'a> {
    fn sign(self) -> Self {
        match self.0 {
            [b'-' | b'+', rest @ ..] => Self(rest),
            _ => self,
        }
    }

    fn skip(self, wanted: impl Fn(u8) -> bool) -> Self {
        let length = self.0.iter().take_while(|byte| wanted(**byte)).count();
        Self(&self.0[length..])
    }

    /// `[0-9_]*`
    fn decimal(self) -> Self {
        self.skip(|byte| byte.is_ascii_digit() || byte == b'_')
    }

    /// Nothing but digits and `_`, with at least one digit.
    fn digits_only(self, digit: impl Fn(u8) -> bool) -> bool {
        self.0.iter().any(|byte| digit(*byte)) && self.skip(|byte| byte == b'_' || digit(byte)).0.is_empty()
    }

    /// `(:[0-5]?[0-9])+`
    fn sixties(self) -> Option<Self> {
        let mut rest = self;
        while let [b':', after @ ..] = rest.0 {
            rest = match after {
                [b'0'..=b'5', b'0'..=b'9', after @ ..] | [b'0'..=b'9', after @ ..] => Self(after),
                _ => return None,
            };
        }
        (rest.0.len() < self.0.len()).then_some(rest)
    }

    /// `[eE][-+]?[0-9]+`
    fn exponent(self) -> Option<Self> {
        let [b'e' | b'E', rest @ ..] = self.0 else { return None };
        let digits = Pattern(rest).sign();
        let rest = digits.skip(|byte| byte.is_ascii_digit());
        (rest.0.len() < digits.0.len()).then_some(rest)
    }

    fn optional_exponent(self) -> Self {
        self.exponent().unwrap_or(self)
    }

    /// Between `least` and `most` decimal digits.
    fn count(self, least: usize, most: usize) -> Option<Self> {
        let digits = self
            .0
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (digits >= least).then(|| Self(&self.0[digits..]))
    }

    fn byte(self, wanted: u8) -> Option<Self> {
        self.0.strip_prefix(&[wanted]).map(Self)
    }

    /// `T10:00:00.5`, or the same after blanks.
    fn time(self) -> Option<Self> {
        let start = match self.0 {
            [b'T' | b't', rest @ ..] => Self(rest),
            [b' ' | b'\t', ..] => self.blanks(),
            _ => return None,
        };
        let rest = start.count(1, 2)?.byte(b':')?.count(2, 2)?.byte(b':')?.count(2, 2)?;
        Some(match rest.0 {
            [b'.', fraction @ ..] => Self(fraction).skip(|byte| byte.is_ascii_digit()),
            _ => rest,
        })
    }

    /// An optional `Z` or offset, after blanks.
    fn zone(self) -> Self {
        let rest = self.blanks();
        match rest.0 {
            [b'Z', rest @ ..] => Self(rest),
            [b'-' | b'+', hours @ ..] => match Self(hours).count(1, 2) {
                Some(rest) => rest.byte(b':').and_then(|rest| rest.count(2, 2)).unwrap_or(rest),
                None => self,
            },
            _ => self,
        }
    }

    fn blanks(self) -> Self {
        self.skip(|byte| matches!(byte, b' ' | b'\t'))
    }
}

fn integer_of(text: &str) -> Option<Value> {
    let dense = text.replace('_', "");
    let (negative, digits) = match dense.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, dense.strip_prefix('+').unwrap_or(&dense)),
    };
    if digits == "0" {
        return Some(Value::Integer(0));
    }
    if let Some(digits) = digits.strip_prefix("0b") {
        return number(negative, digits, 2);
    }
    if let Some(digits) = digits.strip_prefix("0x") {
        return number(negative, digits, 16);
    }
    if let Some(digits) = digits.strip_prefix('0') {
        return number(negative, digits, 8);
    }
    if digits.contains(':') {
        let seconds = digits.split(':').try_fold(0_i64, |sum, part| {
            sum.checked_mul(60)?.checked_add(i64::from(part.parse::<u32>().ok()?))
        })?;
        return Some(Value::Integer(if negative { -seconds } else { seconds }));
    }
    number(negative, digits, 10)
}

fn number(negative: bool, digits: &str, radix: u32) -> Option<Value> {
    // A tagged integer may be of any length: past this it is nobody's number.
    const MOST_DIGITS: usize = 1024;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    if let Ok(magnitude) = i128::from_str_radix(digits, radix) {
        let signed = if negative { -magnitude } else { magnitude };
        if let Ok(integer) = i64::try_from(signed) {
            return Some(Value::Integer(integer));
        }
    }
    let sign = if negative { "-" } else { "" };
    let magnitude = decimal(digits, radix);
    Some(Value::BigInteger(format!("{sign}{magnitude}").into()))
}

/// Digits of any radix in decimal.
fn decimal(digits: &str, radix: u32) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    for digit in digits.chars().filter_map(|digit| digit.to_digit(radix)) {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            carry += *limb * u64::from(radix);
            *limb = carry % BASE;
            carry /= BASE;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut limbs = limbs.iter().rev();
    let first = limbs.next().map(u64::to_string).unwrap_or_default();
    limbs.fold(first, |text, limb| text + &format!("{limb:09}"))
}

fn double_of(text: &str) -> Option<f64> {
    let dense = text.replace('_', "");
    let (sign, digits) = match dense.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, dense.strip_prefix('+').unwrap_or(&dense)),
    };
    match digits.to_ascii_lowercase().as_str() {
        ".inf" => return Some(sign * f64::INFINITY),
        ".nan" => return Some(f64::NAN),
        _ => {}
    }
    if !digits.starts_with(|first: char| first == '.' || first.is_ascii_digit()) {
        return None;
    }
    let sum = digits
        .split(':')
        .try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Some(sign * sum)
}
