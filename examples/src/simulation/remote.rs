//! The git remote, as a value: commits, branches, and every place a branch ever stood at. It is what
//! the promises are measured against, so it shares no code with the server.

use contract::CommitId;

/// The files of the repository.
pub const FILES: [&str; 5] = [
    "application.yml",
    "orders.yml",
    "orders-dev.yml",
    "stock.yml",
    "README.md",
];
/// The branches; the first is the default.
pub const BRANCHES: [&str; 2] = ["main", "release"];
/// The last file is no configuration.
const CONFIGURATION: usize = FILES.len() - 1;
/// Few contents, so that the same one comes again.
const CONTENTS: u8 = 6;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// It is not there.
    Absent,
    /// It can be read.
    Good(u8),
    /// It cannot be parsed.
    Broken,
}

/// One state of all files.
pub type Tree = [Content; FILES.len()];

/// What an application sees: the content of each file that reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Values(pub [Option<u8>; FILES.len()]);

/// What one application asks for and reads.
#[derive(Debug)]
pub struct Application {
    pub name: &'static str,
    pub profiles: &'static [&'static str],
    /// `None` asks for the server's default.
    pub label: Option<&'static str>,
    /// The files it reads.
    pub reads: &'static [usize],
}

/// Every kind of application there is.
pub const APPLICATIONS: [Application; 4] = [
    Application {
        name: "orders",
        profiles: &["dev"],
        label: Some(BRANCHES[0]),
        reads: &[0, 1, 2],
    },
    Application {
        name: "orders",
        profiles: &["prod"],
        label: Some(BRANCHES[0]),
        reads: &[0, 1],
    },
    Application {
        name: "stock",
        profiles: &[],
        label: None,
        reads: &[0, 3],
    },
    Application {
        name: "orders",
        profiles: &["dev"],
        label: Some(BRANCHES[1]),
        reads: &[0, 1, 2],
    },
];

impl Application {
    /// Its profiles as the server sees them: never none.
    #[must_use]
    pub fn profiles(&self) -> &[&str] {
        match self.profiles {
            [] => &["default"],
            profiles => profiles,
        }
    }

    /// The branch it follows.
    #[must_use]
    pub fn branch(&self) -> usize {
        let name = self.label.unwrap_or(BRANCHES[0]);
        branch_named(name).expect("applications follow branches that are there")
    }
}

/// The branch called `name`.
#[must_use]
pub fn branch_named(name: &str) -> Option<usize> {
    BRANCHES.iter().position(|branch| *branch == name)
}

/// Where a branch stands: a commit, and which of its places that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub commit: usize,
    pub position: usize,
}

/// Where every branch stood at one moment: what a fetch brings.
pub type Refs = [Place; BRANCHES.len()];

#[derive(Debug)]
struct Commit {
    parent: Option<usize>,
    tree: Tree,
}

/// The remote.
#[derive(Debug)]
pub struct Remote {
    commits: Vec<Commit>,
    /// Every commit each branch stood at, in order.
    places: [Vec<usize>; BRANCHES.len()],
}

/// How a branch moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// A commit on top that changes a file or two.
    Change,
    /// A commit on top that breaks a file.
    Break,
    /// A commit on top that makes every file readable.
    Mend,
    /// A commit on top with the files of an earlier state.
    Revert,
    /// Back to an earlier commit of its history.
    Reset,
    /// A commit in place of the newest one.
    Force,
}

impl Remote {
    /// One commit in which every file is good, and all branches on it.
    #[must_use]
    pub fn new() -> Self {
        let first = Commit {
            parent: None,
            tree: [Content::Good(0); FILES.len()],
        };
        Self {
            commits: vec![first],
            places: std::array::from_fn(|_| vec![0]),
        }
    }

    /// Where every branch stands now.
    #[must_use]
    pub fn refs(&self) -> Refs {
        std::array::from_fn(|branch| self.head(branch))
    }

    /// Where `branch` stands now.
    #[must_use]
    pub fn head(&self, branch: usize) -> Place {
        let places = &self.places[branch];
        let position = places.len() - 1;
        Place {
            commit: places[position],
            position,
        }
    }

    /// Moves `branch`.
    pub fn push(&mut self, branch: usize, push: Push, rng: &mut fastrand::Rng) {
        let head = self.head(branch).commit;
        let earlier = self.places[branch][rng.usize(..self.places[branch].len())];
        let to = match push {
            Push::Change => self.commit(head, |tree| change(tree, rng)),
            Push::Break => self.commit(head, |tree| tree[rng.usize(..CONFIGURATION)] = Content::Broken),
            Push::Mend => self.commit(head, |tree| mend(tree, rng)),
            Push::Revert => {
                let old = self.commits[earlier].tree;
                self.commit(head, |tree| *tree = old)
            }
            Push::Reset => earlier,
            Push::Force => {
                let base = self.commits[head].parent.unwrap_or(head);
                self.commit(base, |tree| change(tree, rng))
            }
        };
        if to != head {
            self.places[branch].push(to);
        }
    }

    fn commit(&mut self, parent: usize, edit: impl FnOnce(&mut Tree)) -> usize {
        let mut tree = self.commits[parent].tree;
        edit(&mut tree);
        self.commits.push(Commit {
            parent: Some(parent),
            tree,
        });
        self.commits.len() - 1
    }

    /// The files of `commit`.
    #[must_use]
    pub fn tree(&self, commit: usize) -> &Tree {
        &self.commits[commit].tree
    }

    /// `commit` and what comes before it, newest first.
    pub fn history(&self, commit: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(commit), |commit| self.commits[*commit].parent)
    }

    /// Whether who stands at `position` of `branch` has got `wanted`, or something that came after.
    #[must_use]
    pub fn reaches(&self, branch: usize, position: usize, wanted: usize) -> bool {
        let places = &self.places[branch][..=position];
        places.contains(&wanted) || self.history(places[position]).any(|commit| commit == wanted)
    }

    /// The first place of `branch` from `from` on with the commit that stands at `position`.
    #[must_use]
    pub fn again(&self, branch: usize, position: usize, from: usize) -> Option<usize> {
        let places = &self.places[branch];
        (from..places.len()).find(|place| places[*place] == places[position])
    }

    /// What an application that reads `reads` sees of `commit`; `None` when one of them is broken.
    #[must_use]
    pub fn expected(&self, commit: usize, reads: &[usize]) -> Option<Values> {
        let mut values = Values::default();
        for file in reads {
            match self.commits[commit].tree[*file] {
                Content::Absent => {}
                Content::Good(content) => values.0[*file] = Some(content),
                Content::Broken => return None,
            }
        }
        Some(values)
    }

    /// Whether a file of `reads` differs between two commits.
    #[must_use]
    pub fn differ(&self, one: usize, other: usize, reads: &[usize]) -> bool {
        let (one, other) = (&self.commits[one].tree, &self.commits[other].tree);
        reads.iter().any(|file| one[*file] != other[*file])
    }
}

impl Default for Remote {
    fn default() -> Self {
        Self::new()
    }
}

fn change(tree: &mut Tree, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(1..3) {
        let content = match rng.u8(..8) {
            0 => Content::Absent,
            _ => Content::Good(rng.u8(..CONTENTS)),
        };
        tree[rng.usize(..FILES.len())] = content;
    }
}

fn mend(tree: &mut Tree, rng: &mut fastrand::Rng) {
    for content in tree.iter_mut().filter(|content| **content == Content::Broken) {
        *content = Content::Good(rng.u8(..CONTENTS));
    }
}

/// The id of commit number `commit`.
#[must_use]
pub fn id(commit: usize) -> CommitId {
    format!("{:040x}", commit + 1)
        .parse()
        .expect("forty hexadecimal digits")
}

/// The number of a commit by its id.
#[must_use]
pub fn number(id: &CommitId) -> usize {
    usize::from_str_radix(id.as_str(), 16).expect("ids are made of numbers") - 1
}
