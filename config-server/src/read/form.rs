//! In which form an answer is asked for.

use crate::engine::render::Merged;
use crate::engine::tree::TreePath;

/// The form of an answer: what, besides the query, its bytes depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Form {
    /// The property sources as JSON.
    Environment { origins: bool },
    /// The sources merged into one file.
    Merged { form: Merged, resolve_placeholders: bool },
    /// A plain file.
    File { path: TreePath, content: Content },
}

/// How a plain file is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// As it is.
    Bytes,
    /// As UTF-8.
    Text {
        charset: Charset,
        resolve_placeholders: bool,
    },
}

/// How the bytes of a text file are read (contract 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    #[default]
    Utf8,
    Latin1,
    Ascii,
    Utf16Be,
    Utf16Le,
}

impl Form {
    /// Bytes it takes in a cache key.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::File { path, .. } => path.as_str().len(),
            Self::Environment { .. } | Self::Merged { .. } => 0,
        }
    }
}

impl Charset {
    /// The charset of that name; UTF-8 when it is not known, as the stock server does with a
    /// warning.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "iso-8859-1" | "iso8859_1" | "latin1" | "l1" => Self::Latin1,
            "us-ascii" | "ascii" => Self::Ascii,
            "utf-16" | "utf-16be" => Self::Utf16Be,
            "utf-16le" => Self::Utf16Le,
            _ => Self::Utf8,
        }
    }

    /// The text in `bytes`; what is no character becomes U+FFFD.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Self::Ascii => bytes
                .iter()
                .map(|&byte| if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' })
                .collect(),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes),
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_the_charset_that_is_named() {
        assert_eq!(Charset::named("iso-8859-1").decode(b"caf\xe9"), "café");
        assert_eq!(Charset::named("UTF-8").decode("café".as_bytes()), "café");
        assert_eq!(Charset::named("nope").decode(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(Charset::named("utf-16").decode(b"\0a\0b"), "ab");
        assert_eq!(Charset::named("us-ascii").decode(b"a\xe9"), "a\u{fffd}");
    }
}
