//! Walks the tree as serde asks for types.

use std::cell::RefCell;
use std::collections::{BTreeMap, btree_map};

use bus_agent::configuration::key::canonical;
use bus_agent::configuration::tree::Node;
use serde::de::value::{MapAccessDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::BindError;
use super::text::{TextDeserializer, is_duration, relaxed};

/// What was read so far, by canonical key.
pub(super) type Read = RefCell<BTreeMap<String, String>>;

type Names = &'static [&'static str];

/// One node, and where to note what is read. Every fault it meets is placed at the node, unless it
/// was placed deeper.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'n, 'c> {
    node: &'n Node<'c>,
    read: &'n Read,
}

impl<'n, 'c> NodeDeserializer<'n, 'c> {
    pub(super) fn new(node: &'n Node<'c>, read: &'n Read) -> Self {
        Self { node, read }
    }

    /// Binds what `seed` stands for. What a type says after it got its value is placed here.
    pub(super) fn seed<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, BindError> {
        seed.deserialize(self).map_err(|error| error.at(self.node))
    }

    /// The value as text.
    fn text(self) -> Result<TextDeserializer, BindError> {
        let Some(entry) = self.node.entry else {
            let wanted = if self.node.has_children() {
                "one value, not a map or list"
            } else {
                "a value"
            };
            return Err(BindError::expected(wanted));
        };
        let text = entry.text();
        self.read.borrow_mut().insert(canonical(&self.node.key), text.clone());
        Ok(TextDeserializer(text))
    }

    /// Nothing, null or the empty text.
    fn is_blank(self) -> bool {
        !self.node.has_children() && self.node.entry.is_none_or(|entry| entry.text().is_empty())
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        if !self.node.members.is_empty() {
            return self.map(&[], visitor);
        }
        if !self.node.items.is_empty() {
            return self.list(visitor);
        }
        if self.node.is_empty() {
            return visitor.visit_unit();
        }
        let text = self.text()?;
        match self.node.entry.map(|entry| &entry.value) {
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            _ => text.deserialize_any(visitor),
        }
    }

    /// A list: by indices, or one text with commas.
    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        if self.node.items.is_empty() {
            return self.written_list(visitor);
        }
        if let Some((gap, _)) = (0..).zip(self.node.items.keys()).find(|(at, index)| at != *index) {
            return Err(BindError::expected(format!(
                "an element [{gap}], because there is a later one"
            )));
        }
        visitor.visit_seq(Items {
            left: self.node.items.values(),
            read: self.read,
        })
    }

    fn written_list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        if !self.node.members.is_empty() {
            return Err(BindError::expected("a list, not a map"));
        }
        if self.is_blank() {
            return visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Element>()));
        }
        let TextDeserializer(text) = self.text()?;
        let elements = text.split(',').map(|part| Element(part.trim().to_owned()));
        visitor.visit_seq(SeqDeserializer::new(elements))
    }

    /// A map; names that are spellings of one of `known` are given by it.
    fn map<'de, V: Visitor<'de>>(self, known: Names, visitor: V) -> Result<V::Value, BindError> {
        if !self.node.has_children() && !self.is_blank() {
            return Err(BindError::expected("a map, not one value"));
        }
        visitor.visit_map(self.members(known))
    }

    fn members(self, known: Names) -> Members<'n, 'c> {
        let named = self.node.members.values().map(|member| {
            let name = relaxed(&member.name, known);
            (name.to_owned(), &member.node)
        });
        let indexed = self.node.items.iter().map(|(index, node)| (index.to_string(), node));
        let members: Vec<_> = named.chain(indexed).collect();
        Members {
            open: known.is_empty(),
            left: members.into_iter(),
            value: None,
            read: self.read,
        }
    }
}

/// The elements of a list.
struct Items<'n, 'c> {
    left: btree_map::Values<'n, usize, Node<'c>>,
    read: &'n Read,
}

/// An element of a list that is written with commas.
struct Element(String);

/// The members of a map or struct.
struct Members<'n, 'c> {
    /// Whether the names themselves are part of what is bound.
    open: bool,
    left: std::vec::IntoIter<(String, &'n Node<'c>)>,
    value: Option<&'n Node<'c>>,
    read: &'n Read,
}

macro_rules! from_text {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
            let bound = self.text().and_then(|text| text.$name(visitor));
            bound.map_err(|error| error.at(self.node))
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_, '_> {
    type Error = BindError;

    from_text! {
        deserialize_bool deserialize_char deserialize_str deserialize_string
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.any(visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        if self.is_blank() {
            return visitor.visit_none();
        }
        visitor.visit_some(self).map_err(|error| error.at(self.node))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_newtype_struct(self).map_err(|error| error.at(self.node))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.list(visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.map(&[], visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        let bound = if is_duration(name, fields) && self.node.entry.is_some() {
            self.text()
                .and_then(|text| text.deserialize_struct(name, fields, visitor))
        } else {
            self.map(fields, visitor)
        };
        bound.map_err(|error| error.at(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: Names,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        let bound = if self.node.members.is_empty() {
            self.text()
                .and_then(|text| text.deserialize_enum(name, variants, visitor))
        } else {
            visitor.visit_enum(MapAccessDeserializer::new(self.members(variants)))
        };
        bound.map_err(|error| error.at(self.node))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_str(visitor)
    }

    /// Does not count as reading: what a type ignores cannot change it.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_unit()
    }
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = BindError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, BindError> {
        self.left
            .next()
            .map(|node| NodeDeserializer::new(node, self.read).seed(seed))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = BindError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, BindError> {
        let Some((name, node)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some(node);
        if self.open {
            let noted = format!("{} = ", canonical(&node.key));
            self.read.borrow_mut().insert(noted, name.clone());
        }
        seed.deserialize(TextDeserializer(name))
            .map(Some)
            .map_err(|error| error.at(node))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, BindError> {
        let node = self.value.take().expect("serde asks for a key before its value");
        NodeDeserializer::new(node, self.read).seed(seed)
    }
}

impl IntoDeserializer<'_, BindError> for Element {
    type Deserializer = TextDeserializer;

    fn into_deserializer(self) -> TextDeserializer {
        TextDeserializer(self.0)
    }
}
