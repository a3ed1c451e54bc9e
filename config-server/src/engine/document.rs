//! What a configuration file becomes when it is read.

use std::sync::Arc;

use thiserror::Error;

use super::value::Property;

/// How a file is read, chosen by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// In rising precedence within one directory and stem (contract 2.1).
    Yaml,
    Yml,
    Xml,
    Properties,
}

/// One document of a file: its properties in file order, flat.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Position among the non-empty documents of the file, from 0.
    pub index: usize,
    pub properties: Arc<[Property]>,
}

/// Why a file cannot be read: where and what, never the value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}{}", passed(.limit.as_ref()))]
pub struct Fault {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    pub message: String,
    /// The limit that was passed, by its setting's name; `None` for a plain mistake.
    pub limit: Option<&'static str>,
}

/// Bounds on what one file may ask of the server (promise 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one configuration file: `config-bus.limits.file-size`.
    pub file_size: usize,
    /// Levels of nesting: `config-bus.limits.depth`.
    pub depth: usize,
    /// Nodes after aliases are expanded, and directories that one pattern looks into:
    /// `config-bus.limits.nodes`.
    pub nodes: usize,
    /// Bytes that aliases, nested keys or placeholders may grow a file or an answer to:
    /// `config-bus.limits.expansion`.
    pub expansion: usize,
}

impl Fault {
    /// A plain mistake at a place of the file.
    #[must_use]
    pub fn new(line: u32, column: u32, message: impl Into<String>) -> Self {
        Self {
            line,
            column,
            message: message.into(),
            limit: None,
        }
    }

    /// A limit passed at a place of the file.
    #[must_use]
    pub fn limit(line: u32, column: u32, message: impl Into<String>, limit: &'static str) -> Self {
        Self {
            limit: Some(limit),
            ..Self::new(line, column, message)
        }
    }
}

fn passed(limit: Option<&&str>) -> String {
    limit.map_or_else(String::new, |name| format!(", past the limit `{name}`"))
}

impl Limits {
    /// The settings' names, for messages.
    pub const FILE_SIZE: &'static str = "config-bus.limits.file-size";
    pub const DEPTH: &'static str = "config-bus.limits.depth";
    pub const NODES: &'static str = "config-bus.limits.nodes";
    pub const EXPANSION: &'static str = "config-bus.limits.expansion";
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_size: 4 * 1024 * 1024,
            depth: 200,
            nodes: 200_000,
            expansion: 64 * 1024 * 1024,
        }
    }
}

impl Format {
    /// All formats in rising precedence.
    pub const RISING: [Self; 4] = [Self::Yaml, Self::Yml, Self::Xml, Self::Properties];

    /// The extension, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Yml => "yml",
            Self::Xml => "xml",
            Self::Properties => "properties",
        }
    }

    /// The format of a file by its name; `None` for files that are no property source.
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        let (_, extension) = file_name.rsplit_once('.')?;
        Self::RISING.into_iter().find(|format| format.extension() == extension)
    }
}
