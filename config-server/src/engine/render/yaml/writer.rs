//! Bytes with a column: what SnakeYAML's emitter knows about the place it writes at.

/// Columns of one level.
pub(super) const STEP: usize = 2;

/// Texts that pass this column are folded at the next space.
pub(super) const WIDTH: usize = 80;

#[derive(Debug)]
pub(super) struct Writer {
    out: Vec<u8>,
    /// In UTF-16 units, as Java counts.
    pub column: usize,
    /// The last thing written was blank.
    pub whitespace: bool,
    /// Nothing but indentation and indicators stands on this line.
    pub indention: bool,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: Vec::new(),
            column: 0,
            whitespace: true,
            indention: true,
        }
    }
}

impl Writer {
    pub(super) fn is_at_indentation(&self) -> bool {
        self.indention
    }

    pub(super) fn indicator(&mut self, indicator: &str, need_whitespace: bool, whitespace: bool, indention: bool) {
        if need_whitespace && !self.whitespace {
            self.text(" ");
        }
        self.whitespace = whitespace;
        self.indention &= indention;
        self.text(indicator);
    }

    /// Goes to the column `indent`, on a new line if this one is past it.
    pub(super) fn indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            self.out.resize(self.out.len() + indent - self.column, b' ');
            self.column = indent;
        }
    }

    pub(super) fn line_break(&mut self, line_break: char) {
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
        self.raw(line_break.encode_utf8(&mut [0; 4]));
    }

    /// Text that moves the column.
    pub(super) fn text(&mut self, text: &str) {
        self.column += width(text);
        self.raw(text);
    }

    /// Text that a line break follows: the column does not matter.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// What follows is no longer blank, nor indentation.
    pub(super) fn solid(&mut self) {
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.indent(0);
        self.out
    }
}

/// The length of a text as Java counts it.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}
