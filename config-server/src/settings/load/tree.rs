//! All property sources laid over one another.

use indexmap::IndexMap;

use super::key::{Part, parts};
use super::origin::Written;

/// What is written at a name and below it.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) value: Option<Written>,
    children: IndexMap<String, (Part, Self)>,
    /// The layer that wrote the value or the items here.
    layer: usize,
}

impl Node {
    /// Lays the layers over one another, lowest precedence first. A list is one value: a higher
    /// layer's items replace all of a lower one's.
    pub(crate) fn overlay(layers: &[Vec<Written>]) -> Self {
        let mut root = Self::default();
        for (number, layer) in layers.iter().enumerate() {
            for written in layer {
                root.insert(&parts(&written.key), written, number);
            }
        }
        root
    }

    /// The node `name` below this one.
    pub(crate) fn find(&self, name: &[Part]) -> Option<&Self> {
        match name {
            [] => Some(self),
            [first, rest @ ..] => self.children.get(&first.identity())?.1.find(rest),
        }
    }

    /// The items of a list, in order.
    pub(crate) fn items(&self) -> Vec<(&Part, &Self)> {
        let mut items: Vec<_> = self.entries().filter(|(part, _)| part.index().is_some()).collect();
        items.sort_by_key(|(part, _)| part.index());
        items
    }

    /// The named children, in the order they were first written.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Part, &Self)> {
        self.children.values().map(|(part, node)| (part, node))
    }

    /// Every value at or below this node, with the parts that lead to it.
    pub(crate) fn leaves(&self) -> Vec<(Vec<Part>, &Written)> {
        let mut leaves = Vec::new();
        self.collect(&mut Vec::new(), &mut leaves);
        leaves
    }

    fn insert(&mut self, name: &[Part], written: &Written, layer: usize) {
        match name {
            [] => {
                self.begin(layer);
                self.value = Some(written.clone());
            }
            [first, rest @ ..] => {
                if first.index().is_some() {
                    self.begin(layer);
                }
                let child = self.children.entry(first.identity());
                child
                    .or_insert_with(|| (first.clone(), Self::default()))
                    .1
                    .insert(rest, written, layer);
            }
        }
    }

    /// A new layer writes here: what lower ones wrote as the value or as items is gone.
    fn begin(&mut self, layer: usize) {
        if self.layer != layer {
            self.layer = layer;
            self.value = None;
            self.children.retain(|_, (part, _)| part.index().is_none());
        }
    }

    fn collect<'n>(&'n self, path: &mut Vec<Part>, leaves: &mut Vec<(Vec<Part>, &'n Written)>) {
        leaves.extend(self.value.as_ref().map(|value| (path.clone(), value)));
        for (part, node) in self.entries() {
            path.push(part.clone());
            node.collect(path, leaves);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::load::Origin;

    fn layer(pairs: &[(&str, &str)]) -> Vec<Written> {
        let written = |&(key, text): &(&str, &str)| Written::new(key, text, Origin::Argument);
        pairs.iter().map(written).collect()
    }

    fn flat(layers: &[&[(&str, &str)]]) -> Vec<String> {
        let layers: Vec<_> = layers.iter().map(|pairs| layer(pairs)).collect();
        let root = Node::overlay(&layers);
        root.leaves()
            .iter()
            .map(|(path, written)| format!("{}={}", crate::settings::load::key::join(path), written.text))
            .collect()
    }

    #[test]
    fn a_higher_layer_wins_whatever_its_spelling() {
        assert_eq!(
            flat(&[&[("a.b-c", "1"), ("d", "2")], &[("a.bC", "3")]]),
            ["a.b-c=3", "d=2"]
        );
    }

    #[test]
    fn a_list_is_replaced_as_a_whole() {
        assert_eq!(flat(&[&[("l[0]", "1"), ("l[1]", "2")], &[("l[0]", "3")]]), ["l[0]=3"]);
        assert_eq!(flat(&[&[("l[0]", "1"), ("l[1]", "2")], &[("l", "3,4")]]), ["l=3,4"]);
        assert_eq!(flat(&[&[("l", "1,2")], &[("l[0]", "3")]]), ["l[0]=3"]);
        assert_eq!(
            flat(&[&[("l[0].a", "1"), ("l[0].b", "2"), ("l[1].a", "3")]]),
            ["l[0].a=1", "l[0].b=2", "l[1].a=3"]
        );
    }
}
