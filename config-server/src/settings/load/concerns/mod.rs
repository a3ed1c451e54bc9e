//! One file for each concern: its rows of the table, and how they become its struct.

pub(crate) mod backend;
pub(crate) mod git;
pub(crate) mod native;

pub(crate) mod encrypt;
pub(crate) mod serving;

pub(crate) mod bus;
pub(crate) mod change;
pub(crate) mod monitor;

pub(crate) mod http;
pub(crate) mod management;
pub(crate) mod process;

use std::cell::RefCell;

use super::fault::SettingFault;
use super::known::Group;
use super::tree::Node;
use super::view::View;
use crate::settings::Settings;

/// Every group, in the order of the manual.
pub(crate) static GROUPS: &[&Group] = &[
    &process::GROUP,
    &process::OURS,
    &backend::GROUP,
    &git::GROUP,
    &git::PATTERN,
    &git::OURS,
    &native::GROUP,
    &serving::GROUP,
    &serving::OURS,
    &encrypt::GROUP,
    &encrypt::SERVING,
    &http::GROUP,
    &http::USER,
    &http::OURS,
    &bus::SPRING,
    &bus::RABBIT,
    &bus::OURS,
    &change::OURS,
    &monitor::GROUP,
    &monitor::PROVIDER,
    &monitor::OURS,
    &management::GROUP,
];

/// Opens groups on one tree and gathers their faults.
#[derive(Debug)]
pub(crate) struct Binder<'t> {
    pub(crate) root: &'t Node,
    pub(crate) profiles: &'t [String],
    pub(crate) faults: RefCell<Vec<SettingFault>>,
}

impl Binder<'_> {
    /// `group` at its only prefix.
    pub(crate) fn open(&self, group: &'static Group) -> View<'_> {
        self.open_at(group, group.prefixes[0])
    }

    pub(crate) fn open_at(&self, group: &'static Group, at: &str) -> View<'_> {
        View::open(self.root, &self.faults, group, at)
    }

    pub(crate) fn bind(&self) -> Settings {
        Settings {
            backend: backend::bind(self),
            http: http::bind(self),
            change: change::bind(self),
            encrypt: encrypt::bind(self),
            bus: bus::bind(self),
            serving: serving::bind(self),
            management: management::bind(self),
            monitor: monitor::bind(self),
            log: process::log_format(self),
            profiles: self.profiles.to_vec(),
            shown: Default::default(),
        }
    }
}
