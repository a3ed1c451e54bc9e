//! `.properties` as Spring Boot's own loader reads them (contract 3.2): ISO-8859-1, `k[]=a,b` lists
//! and documents divided by `#---` or `!---`.
//!
//! The loader looks at one character at a time and its odd corners follow from that, so this reader
//! is the same kind of machine: an escaped `\#` still begins a comment, a comment right after a
//! divider takes the divider back, the line and column are those of the reader at that moment.

#[cfg(test)]
mod tests;

use indexmap::IndexMap;

use super::super::document::Fault;
use super::super::value::{Origin, Property, Value};

/// One document in the making; a later sighting of a key replaces its value in place.
type Draft = IndexMap<String, (String, Origin)>;

/// The properties of each document.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Vec<Property>>, Fault> {
    let mut reader = Reader::new(bytes);
    let mut documents: Vec<Draft> = Vec::new();
    let mut draft = Draft::new();
    while reader.read()? {
        let Some(prefix) = reader.comment_prefix() else {
            reader.last_comment = None;
            property(&mut reader, &mut draft)?;
            continue;
        };
        if divider(&mut reader)? {
            if !draft.is_empty() {
                documents.push(std::mem::take(&mut draft));
            }
        } else {
            if draft.is_empty() {
                draft = documents.pop().unwrap_or_default();
            }
            reader.last_comment = Some(prefix);
            reader.skip_comment();
        }
    }
    documents.push(draft);
    Ok(documents.into_iter().map(finish).collect())
}

fn finish(draft: Draft) -> Vec<Property> {
    let property = |(key, (text, origin)): (String, (String, Origin))| Property {
        key: key.into(),
        value: Value::Text(text.into()),
        origin: Some(origin),
    };
    draft.into_iter().map(property).collect()
}

/// Whether the comment at the reader is a divider: in the first column, three hyphens and nothing
/// else, and not after a comment with the same prefix.
fn divider(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    if reader.last_comment == reader.comment_prefix() {
        return Ok(false);
    }
    let mut hyphens = reader.column == 0;
    for _ in 0..3 {
        if hyphens {
            reader.read()?;
            hyphens = reader.unit == Some(u16::from(b'-'));
        }
    }
    if !reader.at_end_of_line() {
        reader.read()?;
        reader.skip_blanks();
    }
    Ok(hyphens && reader.at_end_of_line())
}

fn property(reader: &mut Reader<'_>, draft: &mut Draft) -> Result<(), Fault> {
    let key = key(reader)?;
    let Some(list) = key.strip_suffix("[]") else {
        let (value, origin) = value(reader, false)?;
        if !key.is_empty() {
            draft.insert(key, (value, origin));
        }
        return Ok(());
    };
    let mut index = 0_usize;
    loop {
        draft.insert(format!("{list}[{index}]"), value(reader, true)?);
        if !reader.at_end_of_line() {
            reader.read()?;
        }
        if reader.at_end_of_line() {
            return Ok(());
        }
        index += 1;
    }
}

/// Up to an unescaped `=` or `:`, or to the first text after blanks.
fn key(reader: &mut Reader<'_>) -> Result<String, Fault> {
    let mut units = Vec::new();
    let mut after_blank = false;
    while let Some(unit) = reader.unit.filter(|_| !reader.at_end_of_line()) {
        if reader.is_plain(b"=:") {
            reader.read()?;
            break;
        }
        if after_blank && !reader.is_blank() {
            break;
        }
        after_blank = reader.is_blank();
        units.push(unit);
        reader.read()?;
    }
    // Java's trim: everything up to the space, escaped or not.
    Ok(text(&units).trim_matches(|c| c <= ' ').to_owned())
}

fn value(reader: &mut Reader<'_>, list: bool) -> Result<(String, Origin), Fault> {
    let mut units = Vec::new();
    while reader.is_blank() {
        reader.read()?;
    }
    let origin = reader.origin();
    while let Some(unit) = reader.unit.filter(|_| !reader.at_end_of_line()) {
        if list && reader.is_plain(b",") {
            break;
        }
        units.push(unit);
        reader.read()?;
    }
    Ok((text(&units), origin))
}

fn text(units: &[u16]) -> String {
    char::decode_utf16(units.iter().copied())
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The loader's view of a file: one UTF-16 unit at a time, with leading blanks of a line skipped,
/// lines joined and escapes undone.
struct Reader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// `None` at the end of the file.
    unit: Option<u16>,
    escaped: bool,
    /// Lines ended so far.
    line: u32,
    /// Of the unit, from 0; -1 after a line's end.
    column: i64,
    last_comment: Option<u16>,
    /// An unended last line counts once when its end is seen.
    line_is_open: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            unit: None,
            escaped: false,
            line: 0,
            column: -1,
            last_comment: None,
            line_is_open: false,
        }
    }

    /// Goes on by one unit; false at the end of the file.
    fn read(&mut self) -> Result<bool, Fault> {
        loop {
            self.escaped = false;
            self.unit = self.next();
            self.column += 1;
            if self.column == 0 {
                self.skip_blanks();
            }
            if self.unit == Some(u16::from(b'\\')) {
                self.escaped = true;
                self.unit = self.next();
                if self.unit == Some(u16::from(b'\n')) {
                    self.column = -1;
                    continue;
                }
                self.unescape()?;
            } else if self.unit == Some(u16::from(b'\n')) {
                self.column = -1;
            }
            return Ok(self.unit.is_some());
        }
    }

    fn unescape(&mut self) -> Result<(), Fault> {
        let plain = match self.unit.and_then(|unit| u8::try_from(unit).ok()) {
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b'f') => 0x0c,
            Some(b'u') => return self.unicode(),
            _ => return Ok(()),
        };
        self.unit = Some(plain.into());
        Ok(())
    }

    fn unicode(&mut self) -> Result<(), Fault> {
        let mut unit = 0_u32;
        for _ in 0..4 {
            let digit = self.next().and_then(|digit| char::from_u32(digit.into()));
            let Some(digit) = digit.and_then(|digit| digit.to_digit(16)) else {
                let Origin { line, column } = self.origin();
                return Err(Fault::new(line, column, "`\\u` without four hexadecimal digits"));
            };
            unit = (unit << 4) | digit;
        }
        self.unit = u16::try_from(unit).ok();
        Ok(())
    }

    /// The next unit of the file, line ends as `\n`.
    fn next(&mut self) -> Option<u16> {
        let Some(byte) = self.bytes.next() else {
            self.line += u32::from(self.line_is_open);
            self.line_is_open = false;
            return None;
        };
        let ends = matches!(byte, b'\r' | b'\n');
        if *byte == b'\r' && self.bytes.as_slice().first() == Some(&b'\n') {
            self.bytes.next();
        }
        self.line += u32::from(ends);
        self.line_is_open = !ends;
        Some(u16::from(if ends { b'\n' } else { *byte }))
    }

    fn skip_blanks(&mut self) {
        while self.is_blank() {
            self.unit = self.next();
            self.column += 1;
        }
    }

    fn skip_comment(&mut self) {
        while self.unit.is_some_and(|unit| unit != u16::from(b'\n')) {
            self.unit = self.next();
        }
        self.column = -1;
    }

    fn comment_prefix(&self) -> Option<u16> {
        self.unit
            .filter(|unit| [u16::from(b'#'), u16::from(b'!')].contains(unit))
    }

    fn is_blank(&self) -> bool {
        self.is_plain(b" \t\x0c")
    }

    fn is_plain(&self, any_of: &[u8]) -> bool {
        let unit = self.unit.and_then(|unit| u8::try_from(unit).ok());
        !self.escaped && unit.is_some_and(|unit| any_of.contains(&unit))
    }

    fn at_end_of_line(&self) -> bool {
        self.unit.is_none() || self.is_plain(b"\n")
    }

    /// Where the reader stands, from 1.
    fn origin(&self) -> Origin {
        Origin {
            line: self.line + 1,
            column: u32::try_from(self.column + 1).unwrap_or(0),
        }
    }
}
