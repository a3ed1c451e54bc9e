//! From a server's answer to lines of text. Pure: what is a minute ago is one by the server's clock.

mod agents;
mod heads;
mod round;
mod words;

use contract::ServerStatus;
use contract::status::BusStatus;

pub use words::clean;

use self::words::{number, span};

/// One line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Heading,
    /// Somebody should look at it.
    Fault,
}

impl Line {
    pub(super) fn fault(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Fault)
    }

    fn plain(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    fn heading(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Heading)
    }

    /// A fault when `faulty`.
    fn judged(text: impl Into<String>, faulty: bool) -> Self {
        Self::toned(text, if faulty { Tone::Fault } else { Tone::Plain })
    }

    fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }

    /// For a terminal with so many columns.
    pub(super) fn drawn(&self, columns: usize) -> String {
        let text = words::cut(&self.text, columns);
        match self.tone {
            Tone::Plain => text,
            Tone::Heading => format!("\x1b[1m{text}\x1b[0m"),
            Tone::Fault => format!("\x1b[31m{text}\x1b[0m"),
        }
    }
}

/// Everything.
#[must_use]
pub fn page(status: &ServerStatus) -> Vec<Line> {
    let mut page = vec![server(status), bus(status)];
    for part in [heads::lines(status), agents::lines(status), round::lines(status)] {
        page.push(Line::plain(""));
        page.extend(part);
    }
    page
}

/// The newest round, and how many things somebody should look at, in one line.
#[must_use]
pub fn line(status: &ServerStatus) -> String {
    let faults = page(status).iter().filter(|line| line.tone == Tone::Fault).count();
    let round = status
        .round
        .as_ref()
        .map_or_else(|| "no refresh yet".to_owned(), round::summary);
    match faults {
        0 => round,
        1 => format!("{round}  1 fault"),
        faults => format!("{round}  {} faults", number(faults)),
    }
}

fn server(status: &ServerStatus) -> Line {
    let name = format!("{}  {}", clean(status.bus_id.as_str()), clean(&status.version));
    if status.ready {
        Line::heading(format!("{name}  ready"))
    } else {
        Line::fault(format!("{name}  not ready"))
    }
}

fn bus(status: &ServerStatus) -> Line {
    let bus = &status.bus;
    let mut text = format!("bus {}", clean(&bus.state));
    if let Some(hearing) = bus.hearing.as_ref().filter(|hearing| **hearing != bus.state) {
        text += &format!(", hearing {}", clean(hearing));
    }
    if bus.state != "off" {
        text += &format!(", {}", waiting(bus));
    }
    if let Some(reason) = &bus.reason {
        text += &format!(": {}", clean(reason));
    }
    Line::judged(text, bus.is_faulty())
}

fn waiting(bus: &BusStatus) -> String {
    let oldest = bus.oldest.map(span);
    match (bus.queued, oldest) {
        (0, _) => "nothing waiting for it".to_owned(),
        (1, None) => "1 event waiting for it".to_owned(),
        (1, Some(oldest)) => format!("1 event waiting for it for {oldest}"),
        (queued, None) => format!("{} events waiting for it", number(queued)),
        (queued, Some(oldest)) => format!("{} events waiting for it, the oldest for {oldest}", number(queued)),
    }
}

/// `milliseconds` before now.
fn ago(milliseconds: u64) -> String {
    match milliseconds {
        0 => "just now".to_owned(),
        milliseconds => format!("{} ago", span(milliseconds)),
    }
}
