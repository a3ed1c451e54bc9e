//! Java's XML properties (contract 2.1): `<properties>` of `<entry key="...">` and a `<comment>`.
//!
//! Nothing is ever fetched or expanded: the document type is skipped, so an entity of its own making
//! is unknown.

mod order;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use indexmap::IndexMap;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::super::document::Fault;
use super::super::value::{Property, Value};

/// Where the reader is.
enum Place {
    Outside,
    Properties,
    Comment,
    Entry { key: String, text: String },
}

struct Parser<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    entries: IndexMap<String, String>,
    seen_root: bool,
}

/// The properties of the one document an XML file is.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Vec<Property>>, Fault> {
    let text = decode(bytes)?;
    let mut parser = Parser {
        text: &text,
        reader: Reader::from_str(&text),
        entries: IndexMap::new(),
        seen_root: false,
    };
    parser.run()?;
    let mut entries: Vec<_> = parser.entries.into_iter().collect();
    order::sort(&mut entries);
    let property = |(key, text): (String, String)| Property {
        key: key.into(),
        value: Value::Text(text.into()),
        origin: None,
    };
    Ok(vec![entries.into_iter().map(property).collect()])
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut place = Place::Outside;
        loop {
            let event = self.reader.read_event();
            place = match event.map_err(|error| self.fault(error.to_string()))? {
                Event::Start(start) => self.open(place, &start)?,
                Event::Empty(start) => {
                    let inner = self.open(place, &start)?;
                    self.close(inner)
                }
                Event::End(_) => self.close(place),
                Event::Text(text) => self.text(place, &text.xml10_content())?,
                Event::CData(text) => self.text(place, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let text = self.reference(&reference)?;
                    self.text(place, &text)?
                }
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => place,
                Event::Eof if matches!(place, Place::Outside) && self.seen_root => return Ok(()),
                Event::Eof => return Err(self.fault("ends before `</properties>`")),
            };
        }
    }

    fn open(&mut self, place: Place, start: &BytesStart<'_>) -> Result<Place, Fault> {
        let name = start.name();
        match (place, name.into_inner()) {
            (Place::Outside, "properties") if !self.seen_root => {
                self.seen_root = true;
                Ok(Place::Properties)
            }
            (Place::Properties, "comment") => Ok(Place::Comment),
            (Place::Properties, "entry") => Ok(Place::Entry {
                key: self.key(start)?,
                text: String::new(),
            }),
            _ => Err(self.fault("an element that has no place here")),
        }
    }

    fn close(&mut self, place: Place) -> Place {
        match place {
            Place::Outside | Place::Properties => Place::Outside,
            Place::Comment => Place::Properties,
            Place::Entry { key, text } => {
                self.entries.insert(key, text);
                Place::Properties
            }
        }
    }

    fn text(&self, mut place: Place, more: &str) -> Result<Place, Fault> {
        match &mut place {
            Place::Entry { text, .. } => text.push_str(more),
            Place::Comment => {}
            Place::Outside | Place::Properties if more.trim().is_empty() => {}
            Place::Outside | Place::Properties => return Err(self.fault("text outside an entry")),
        }
        Ok(place)
    }

    fn key(&self, start: &BytesStart<'_>) -> Result<String, Fault> {
        let attribute = start
            .try_get_attribute("key")
            .map_err(|error| self.fault(error.to_string()))?;
        let attribute = attribute.ok_or_else(|| self.fault("an entry without a key"))?;
        let key = attribute.normalized_value(XmlVersion::Implicit1_0);
        Ok(key.map_err(|error| self.fault(error.to_string()))?.into_owned())
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<String, Fault> {
        if let Some(c) = reference
            .resolve_char_ref()
            .map_err(|error| self.fault(error.to_string()))?
        {
            return Ok(c.into());
        }
        let name = reference.xml10_content();
        let text = quick_xml::escape::resolve_xml_entity(&name);
        text.map(str::to_owned).ok_or_else(|| self.fault("an unknown entity"))
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let mut before = self.text.as_bytes();
        before = &before[..at.min(before.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        let clamp = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Fault::new(clamp(line), clamp(column), message)
    }
}

/// By byte order mark, else by declaration, else UTF-8.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned)
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).map_err(|_| Fault::new(1, 1, "not UTF-16")),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).map_err(|_| Fault::new(1, 1, "not UTF-16")),
        _ if declares_latin1(bytes) => Ok(bytes.iter().copied().map(char::from).collect()),
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(1, 1, "not UTF-8"))?;
            Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
        }
    }
}

fn declares_latin1(bytes: &[u8]) -> bool {
    let end = bytes.windows(2).take(200).position(|pair| pair == b"?>").unwrap_or(0);
    let declaration = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    declaration.starts_with("<?xml") && ["iso-8859-1", "latin1"].iter().any(|name| declaration.contains(name))
}
