//! The table of settings: one row says what may be written, what it means and what it is unless
//! written. The manual, the reader, the names of environment variables and "did you mean" follow
//! from it.

use super::key::{Part, uniform};
use super::units::Unit;

/// Settings that belong together, below one or several prefixes.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Names before the keys; `<name>` stands for any part, `[<n>]` for a place in a list.
    pub(crate) prefixes: &'static [&'static str],
    pub(crate) keys: &'static [Key],
}

/// One row.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As it would be written; empty for none.
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Never printed.
    Secret,
    /// Any names below the key (`<key>` in its name); values are never printed.
    Values,
    Flag,
    Port,
    Count,
    Time(Unit),
    Size,
    List,
    Path,
    Choice(&'static [&'static str]),
    /// Known to Spring, without an effect here: the meaning says why.
    Ignored,
    /// Known to Spring and not to be ignored: the meaning says why.
    Refused,
}

/// All rows, with their names taken apart.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One full name.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: &'static Key,
    pub(crate) name: String,
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    Literal {
        text: String,
        uniform: String,
    },
    /// `<name>`
    Any,
    /// `[<n>]`
    Index,
    /// `<key>`: one or more parts.
    Rest,
}

pub(crate) const fn key(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        meaning,
    }
}

impl Group {
    /// The row of a key by its name.
    pub(crate) fn key(&self, name: &str) -> &'static Key {
        self.keys
            .iter()
            .find(|key| key.name == name)
            .expect("every key that is read has a row")
    }
}

impl Table {
    pub(crate) fn new(groups: &[&Group]) -> Self {
        let rows = groups.iter().flat_map(|group| {
            let row = |prefix: &&str, key: &'static Key| Row::new(prefix, key);
            group
                .prefixes
                .iter()
                .flat_map(move |prefix| group.keys.iter().map(move |key| row(prefix, key)))
        });
        Self { rows: rows.collect() }
    }

    /// The row a written name belongs to.
    pub(crate) fn row(&self, name: &[Part]) -> Option<&Row> {
        self.rows.iter().find(|row| fits(&row.slots, name, row.key.kind))
    }

    /// The name an environment variable stands for: `SERVER_PORT` is `server.port`. Dashes of a
    /// name may be left out or written as `_`; `_0_` is a place in a list.
    pub(crate) fn name_of_variable(&self, variable: &str) -> Option<Vec<Part>> {
        let lower = variable.to_ascii_lowercase();
        let words: Vec<&str> = lower.split('_').collect();
        self.rows
            .iter()
            .find_map(|row| fits_words(&row.slots, &words, row.key.kind))
    }

    /// The known name that looks most like an unknown one.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let distance = |row: &Row| distance(&uniform(&row.name), &uniform(name));
        let (near, row) = self
            .rows
            .iter()
            .map(|row| (distance(row), row))
            .min_by_key(|(d, _)| *d)?;
        (near <= 3 && near * 4 <= name.len()).then(|| row.name.clone())
    }
}

impl Row {
    fn new(prefix: &str, key: &'static Key) -> Self {
        let name = match prefix {
            "" => key.name.to_owned(),
            prefix if key.name.is_empty() => prefix.to_owned(),
            prefix => format!("{prefix}.{}", key.name),
        };
        let slots = name.replace("[<n>]", ".<n>").split('.').map(Slot::new).collect();
        Self { key, name, slots }
    }
}

impl Slot {
    fn new(text: &str) -> Self {
        match text {
            "<n>" => Self::Index,
            "<key>" => Self::Rest,
            text if text.starts_with('<') => Self::Any,
            text => Self::Literal {
                text: text.to_owned(),
                uniform: uniform(text),
            },
        }
    }

    fn holds(&self, part: &Part) -> bool {
        match self {
            Self::Literal { uniform: own, .. } => *own == uniform(part.text()),
            Self::Any => true,
            Self::Index => part.index().is_some(),
            Self::Rest => false,
        }
    }
}

fn fits(slots: &[Slot], name: &[Part], kind: Kind) -> bool {
    match (slots, name) {
        ([], []) => true,
        ([], [item]) => kind == Kind::List && item.index().is_some(),
        ([Slot::Rest], [_, ..]) => true,
        ([slot, slots @ ..], [part, name @ ..]) => slot.holds(part) && fits(slots, name, kind),
        _ => false,
    }
}

fn fits_words(slots: &[Slot], words: &[&str], kind: Kind) -> Option<Vec<Part>> {
    match (slots, words) {
        ([], []) => Some(Vec::new()),
        ([], [item]) if kind == Kind::List => index_word(item).map(|part| vec![part]),
        ([Slot::Rest], [_, ..]) => Some(words.iter().map(|&word| Part::Name(word.into())).collect()),
        ([Slot::Any, slots @ ..], [word, words @ ..]) => {
            after(Part::Name((*word).into()), fits_words(slots, words, kind)?)
        }
        ([Slot::Index, slots @ ..], [word, words @ ..]) => after(index_word(word)?, fits_words(slots, words, kind)?),
        ([Slot::Literal { text, uniform }, slots @ ..], words) => {
            let count = (1..=words.len()).find(|&count| words[..count].concat() == *uniform)?;
            after(Part::Name(text.clone()), fits_words(slots, &words[count..], kind)?)
        }
        _ => None,
    }
}

fn after(first: Part, mut rest: Vec<Part>) -> Option<Vec<Part>> {
    rest.insert(0, first);
    Some(rest)
}

fn index_word(word: &str) -> Option<Part> {
    let part = Part::Bracket(word.into());
    part.index().map(|_| part)
}

/// Letters to insert, drop or exchange between two texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let exchange = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = exchange.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::load::key::{join, parts};

    static GROUP: Group = Group {
        title: "Test",
        prefixes: &["git", "git.repos.<name>", "composite[<n>]"],
        keys: &[
            key("default-label", Kind::Text, "main", "the label"),
            key("search-paths", Kind::List, "", "where"),
            key("overrides.<key>", Kind::Values, "", "what"),
        ],
    };

    fn variable(name: &str) -> Option<String> {
        Table::new(&[&GROUP]).name_of_variable(name).map(|name| join(&name))
    }

    #[test]
    fn a_name_finds_its_row_in_any_spelling() {
        let table = Table::new(&[&GROUP]);
        for (name, row) in [
            ("git.defaultLabel", Some("git.default-label")),
            ("git.search_paths[3]", Some("git.search-paths")),
            ("git.default-label[0]", None),
            ("git.repos[a.b/*].default-label", Some("git.repos.<name>.default-label")),
            ("composite[1].default-label", Some("composite[<n>].default-label")),
            ("composite.one.default-label", None),
            ("git.overrides.a.b", Some("git.overrides.<key>")),
            ("git.overrides", None),
            ("git", None),
        ] {
            assert_eq!(table.row(&parts(name)).map(|row| row.name.as_str()), row, "{name}");
        }
    }

    #[test]
    fn variables_name_settings_with_or_without_their_dashes() {
        for (name, expected) in [
            ("GIT_DEFAULT_LABEL", Some("git.default-label")),
            ("GIT_DEFAULTLABEL", Some("git.default-label")),
            ("GIT_SEARCH_PATHS_0", Some("git.search-paths[0]")),
            ("GIT_REPOS_TEAM_DEFAULTLABEL", Some("git.repos.team.default-label")),
            ("COMPOSITE_0_DEFAULTLABEL", Some("composite[0].default-label")),
            ("GIT_OVERRIDES_A_B", Some("git.overrides.a.b")),
            ("GIT", None),
            ("PATH", None),
        ] {
            assert_eq!(variable(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_near_miss_is_found_and_a_far_one_is_not() {
        let table = Table::new(&[&GROUP]);
        assert_eq!(table.nearest("git.default-lable").as_deref(), Some("git.default-label"));
        assert_eq!(table.nearest("git.colour"), None);
    }
}
