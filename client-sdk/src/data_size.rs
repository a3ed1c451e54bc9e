//! A number of bytes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::bind::parse_bytes;

/// A number of bytes, written `10MB` (units of 1,024, as Spring's) or as a plain number.
///
/// ```
/// # use client_sdk::DataSize;
/// #[derive(serde::Deserialize)]
/// struct Upload {
///     limit: DataSize,
/// }
/// assert_eq!(DataSize::from_bytes(2048).bytes(), 2048);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DataSize(u64);

impl DataSize {
    /// That many bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DataSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.0)
    }
}

impl<'de> Deserialize<'de> for DataSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = DataSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as `10MB`")
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<DataSize, E> {
        Ok(DataSize(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DataSize, E> {
        let bytes = parse_bytes(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))?;
        Ok(DataSize(bytes))
    }
}
