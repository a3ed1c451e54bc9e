//! One text as whatever serde asks for.

use bus_agent::configuration::key::canonical_name;
use bus_agent::duration::parse_duration;
use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::BindError;
use super::scalar::{parse_bool, parse_integer};

/// A value as text, or an element of a list that is written with commas.
#[derive(Debug)]
pub(super) struct TextDeserializer(pub(super) String);

impl TextDeserializer {
    fn integer<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, BindError> {
        let Some(number) = parse_integer(&self.0) else {
            return Err(BindError::expected("a whole number"));
        };
        // The visitors of the small types know the 64-bit numbers only.
        if let Ok(number) = u64::try_from(number) {
            visitor.visit_u64(number)
        } else if let Ok(number) = i64::try_from(number) {
            visitor.visit_i64(number)
        } else {
            visitor.visit_i128(number)
        }
    }

    fn float<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, BindError> {
        match self.0.trim().parse() {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => Err(BindError::expected("a number")),
        }
    }
}

macro_rules! deserialize {
    ($method:ident: $($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
            self.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for TextDeserializer {
    type Error = BindError;

    deserialize!(integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128);
    deserialize!(integer: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);
    deserialize!(float: deserialize_f32 deserialize_f64);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match parse_bool(&self.0) {
            Some(value) => visitor.visit_bool(value),
            None => Err(BindError::expected("`true` or `false`")),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_byte_buf(self.0.into_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        if self.0.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        if !is_duration(name, fields) {
            return Err(BindError::expected("a map, not a text"));
        }
        let Some(duration) = parse_duration(&self.0) else {
            return Err(BindError::expected("a duration such as `10s` or `PT10S`"));
        };
        let parts = [
            ("secs", duration.as_secs()),
            ("nanos", u64::from(duration.subsec_nanos())),
        ];
        visitor.visit_map(MapDeserializer::new(parts.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        visitor.visit_enum(relaxed(&self.0, variants).into_deserializer())
    }

    forward_to_deserialize_any! {
        char str string identifier ignored_any unit_struct seq tuple tuple_struct map
    }
}

/// The standard library's duration, as serde's implementation asks for it.
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}

/// The one of `known` that `name` is a spelling of, else `name`.
pub(super) fn relaxed<'a>(name: &'a str, known: &'static [&'static str]) -> &'a str {
    let wanted = canonical_name(name.trim());
    known
        .iter()
        .find(|known| canonical_name(known) == wanted)
        .copied()
        .unwrap_or(name)
}
