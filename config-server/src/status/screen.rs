//! What is written for one answer after another.

use contract::ServerStatus;

use super::StatusError;
use super::view::{self, Line};

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// Where it is written.
#[derive(Debug)]
pub enum Screen {
    /// A terminal: the page is drawn over the one before, and cut to its size.
    Terminal {
        size: fn() -> Option<Size>,
        /// Lines of the page that is on it.
        drawn: usize,
    },
    /// The whole page, once; without any control character unless `coloured`.
    Page { coloured: bool },
    /// The same while watching: one line whenever the newest round or a fault changed.
    Lines { last: String },
    /// For programs: the answer in one line, whenever it changed.
    Json { last: String },
}

/// Where a terminal does not tell.
const USUAL: Size = Size { columns: 80, rows: 24 };

impl Screen {
    /// A terminal of that `size`, which may change.
    #[must_use]
    pub fn terminal(size: fn() -> Option<Size>) -> Self {
        Self::Terminal { size, drawn: 0 }
    }

    #[must_use]
    pub fn lines() -> Self {
        Self::Lines { last: String::new() }
    }

    #[must_use]
    pub fn json() -> Self {
        Self::Json { last: String::new() }
    }

    /// What to write now; `None` when there is nothing new to say.
    pub fn show(&mut self, asked: &Result<ServerStatus, StatusError>) -> Option<String> {
        match self {
            Self::Terminal { size, drawn } => {
                let size = size().unwrap_or(USUAL);
                let lines = lines(asked);
                let shown = lines.len().min(size.rows.saturating_sub(1).max(1));
                let text = over(*drawn) + &drawing(&lines[..shown], size.columns);
                *drawn = shown;
                Some(text)
            }
            Self::Page { coloured: true } => Some(drawing(&lines(asked), usize::MAX)),
            Self::Page { coloured: false } => {
                Some(lines(asked).iter().map(|line| format!("{}\n", line.text)).collect())
            }
            Self::Lines { last } => {
                let line = asked.as_ref().map_or_else(told, view::line);
                news(last, line)
            }
            Self::Json { last } => {
                let status = asked.as_ref().ok()?;
                let known = std::mem::replace(last, json(&undated(status)));
                (known != *last).then(|| json(status) + "\n")
            }
        }
    }
}

fn lines(asked: &Result<ServerStatus, StatusError>) -> Vec<Line> {
    match asked {
        Ok(status) => view::page(status),
        Err(error) => vec![Line::fault(told(error))],
    }
}

fn told(error: &StatusError) -> String {
    view::clean(&error.to_string())
}

fn news(last: &mut String, line: String) -> Option<String> {
    if *last == line {
        return None;
    }
    last.clone_from(&line);
    Some(line + "\n")
}

/// Back to the first of `drawn` lines, and everything below away.
fn over(drawn: usize) -> String {
    match drawn {
        0 => String::new(),
        drawn => format!("\x1b[{drawn}F\x1b[J"),
    }
}

fn drawing(lines: &[Line], columns: usize) -> String {
    lines.iter().map(|line| line.drawn(columns) + "\n").collect()
}

/// What would be the same a moment later if nothing happened.
fn undated(status: &ServerStatus) -> ServerStatus {
    let mut undated = status.clone();
    undated.time = 0;
    undated.bus.oldest = None;
    undated
}

fn json(status: &ServerStatus) -> String {
    serde_json::to_string(status).expect("texts and numbers serialise")
}
