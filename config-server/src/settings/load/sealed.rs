//! `{cipher}` texts among the settings themselves, for the key of `encrypt.*`.

use std::cell::RefCell;

use super::concerns::{Binder, encrypt};
use super::fault::{Reason, SettingFault};
use super::key::parts;
use super::known::{Kind, Table};
use super::layers::{Files, Layers};
use super::origin::Written;
use super::tree::Node;
use crate::engine::cipher::{Keys, MARKER};
use crate::settings::encrypt::KeysError;

/// Opens the keys and decrypts what is encrypted. Overrides stay as they are: clients get them so
/// (contract 2.7).
pub(super) fn open(layers: &mut Layers, root: &Node, files: &dyn Files, table: &Table) -> Vec<SettingFault> {
    let mut faults = Vec::new();
    let keys = keys(root, &layers.profiles, files).unwrap_or_else(|fault| {
        faults.push(fault);
        Keys::none()
    });
    for written in layers
        .layers
        .iter_mut()
        .flatten()
        .filter(|written| is_sealed(written, table))
    {
        match keys.decrypt(&written.text[MARKER.len()..]) {
            Ok(plain) => {
                plain.as_str().clone_into(&mut written.text);
                written.sealed = true;
            }
            Err(_) => faults.push(SettingFault::at(written, Reason::Undecipherable)),
        }
    }
    faults
}

fn is_sealed(written: &Written, table: &Table) -> bool {
    let kind = || table.row(&parts(&written.key)).map(|row| row.key.kind);
    written.text.starts_with(MARKER) && kind().is_some_and(|kind| kind != Kind::Values)
}

/// The faults of `encrypt.*` itself are told when it is bound with the rest.
fn keys(root: &Node, profiles: &[String], files: &dyn Files) -> Result<Keys, SettingFault> {
    let binder = Binder {
        root,
        profiles,
        faults: RefCell::default(),
    };
    let settings = encrypt::bind(&binder);
    if !binder.faults.borrow().is_empty() {
        return Ok(Keys::none());
    }
    settings.keys(files).map_err(|error| {
        let key = match settings.key_store {
            Some(_) => "encrypt.key-store",
            None => "encrypt.key",
        };
        SettingFault::absent(key, Reason::Unreadable(told(&error)))
    })
}

/// The error with its cause.
fn told(error: &KeysError) -> String {
    match error {
        KeysError::Read(cause) => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}
