//! A safe face for the events of libyaml: the one place of the engine that needs `unsafe`.
//!
//! Everything handed out is owned; nothing of libyaml's memory outlives [`Events::next`].

#![expect(
    unsafe_code,
    reason = "libyaml is a C interface, translated; it is confined to this file"
)]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::addr_of_mut;
use std::slice;
use std::sync::Arc;

use unsafe_libyaml as unsafe_sys;

use super::super::super::document::Fault;
use super::super::super::value::Origin;

/// One event and where it starts.
#[derive(Debug)]
pub(super) struct Event {
    pub kind: Kind,
    pub mark: Origin,
}

#[derive(Debug)]
pub(super) enum Kind {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(Box<str>),
    Scalar {
        text: Arc<str>,
        /// The text decides the type: a plain scalar, or one tagged `!`.
        implicit: bool,
        properties: Properties,
    },
    SequenceStart(Properties),
    SequenceEnd,
    MappingStart(Properties),
    MappingEnd,
}

/// What may stand before a node.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub anchor: Option<Box<str>>,
    /// With its handle resolved: `tag:yaml.org,2002:str`.
    pub tag: Option<Box<str>>,
}

/// The events of one stream.
pub(super) struct Events<'input> {
    /// Heap-allocated and only touched through this pointer: libyaml keeps pointers into it.
    parser: *mut unsafe_sys::yaml_parser_t,
    input: &'input [u8],
    failed: bool,
    _borrows: PhantomData<&'input [u8]>,
}

/// Deletes libyaml's event however its conversion ends.
struct RawEvent(unsafe_sys::yaml_event_t);

impl<'input> Events<'input> {
    pub(super) fn new(input: &'input [u8]) -> Self {
        // libyaml would skip the mark as well, but its indices do not count it.
        let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
        let parser = Box::into_raw(Box::new(MaybeUninit::<unsafe_sys::yaml_parser_t>::uninit()))
            .cast::<unsafe_sys::yaml_parser_t>();
        // SAFETY: `parser` points to enough uninitialised memory; `input` outlives `Self`.
        unsafe {
            let initialized = unsafe_sys::yaml_parser_initialize(parser);
            assert!(initialized.ok, "out of memory");
            unsafe_sys::yaml_parser_set_input_string(parser, input.as_ptr(), input.len() as u64);
        }
        Self {
            parser,
            input,
            failed: false,
            _borrows: PhantomData,
        }
    }

    /// The next event; [`Kind::StreamEnd`] again and again once the stream has ended.
    pub(super) fn next(&mut self) -> Result<Event, Fault> {
        loop {
            let raw = self.raw()?;
            if raw.0.type_ == unsafe_sys::YAML_STREAM_START_EVENT {
                continue;
            }
            let mark = self.mark(&raw);
            return Ok(Event {
                kind: raw.kind(mark)?,
                mark,
            });
        }
    }

    /// Where the event starts. For a value that is missing in a flow collection (`{a: , b}`) libyaml
    /// says where the next token stands, SnakeYAML the end of the colon.
    fn mark(&self, raw: &RawEvent) -> Origin {
        let start = raw.0.start_mark;
        let mark = origin(start);
        if raw.0.type_ != unsafe_sys::YAML_SCALAR_EVENT || start.index != raw.0.end_mark.index || self.is_utf16() {
            return mark;
        }
        let index = usize::try_from(start.index).unwrap_or(usize::MAX);
        let Some(before) = self.input.get(..index) else {
            return mark;
        };
        let dense = before.trim_ascii_end();
        let blanks = &before[dense.len()..];
        if !dense.ends_with(b":") || blanks.is_empty() {
            return mark;
        }
        // Counted back from the mark: counting from the start each time would make long files slow.
        match blanks.iter().filter(|byte| **byte == b'\n').count() {
            0 => Origin {
                column: mark.column.saturating_sub(clamp(blanks.len() as u64)),
                ..mark
            },
            lines => Origin {
                line: mark.line.saturating_sub(clamp(lines as u64)),
                column: column_after(dense),
            },
        }
    }

    fn is_utf16(&self) -> bool {
        self.input.starts_with(b"\xfe\xff") || self.input.starts_with(b"\xff\xfe")
    }

    fn raw(&mut self) -> Result<RawEvent, Fault> {
        if self.failed {
            return Err(Fault::new(1, 1, "the rest of a broken stream"));
        }
        let mut event = MaybeUninit::<unsafe_sys::yaml_event_t>::uninit();
        // SAFETY: the parser is initialised and has not failed; on success libyaml fills `event`.
        unsafe {
            if unsafe_sys::yaml_parser_parse(self.parser, event.as_mut_ptr()).ok {
                return Ok(RawEvent(event.assume_init()));
            }
        }
        self.failed = true;
        Err(self.fault())
    }

    /// Why the parser failed. libyaml knows no line for input that is no text, only the byte.
    fn fault(&self) -> Fault {
        // SAFETY: the parser is initialised; `problem` is a string constant or null.
        let (problem, offset, mark, kind) = unsafe {
            let state = &**self.parser;
            let problem = (!state.problem.is_null()).then(|| CStr::from_ptr(state.problem.cast()));
            (problem, state.problem_offset, state.problem_mark, state.error)
        };
        let message = problem.map_or_else(|| "cannot be read".into(), CStr::to_string_lossy);
        if kind == unsafe_sys::YAML_READER_ERROR {
            let (line, column) = self.position(usize::try_from(offset).unwrap_or(usize::MAX));
            return Fault::new(line, column, message);
        }
        let Origin { line, column } = origin(mark);
        Fault::new(line, column, message)
    }

    fn position(&self, offset: usize) -> (u32, u32) {
        let before = &self.input[..offset.min(self.input.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        (clamp(line as u64), column_after(before))
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `new`, initialised there, and deleted only here.
        unsafe {
            unsafe_sys::yaml_parser_delete(self.parser);
            drop(Box::from_raw(
                self.parser.cast::<MaybeUninit<unsafe_sys::yaml_parser_t>>(),
            ));
        }
    }
}

impl RawEvent {
    fn kind(&self, mark: Origin) -> Result<Kind, Fault> {
        let data = &self.0.data;
        // SAFETY: each arm reads the member of the union that its event type says is filled.
        unsafe {
            Ok(match self.0.type_ {
                unsafe_sys::YAML_DOCUMENT_START_EVENT => Kind::DocumentStart,
                unsafe_sys::YAML_DOCUMENT_END_EVENT => Kind::DocumentEnd,
                unsafe_sys::YAML_ALIAS_EVENT => Kind::Alias(owned(data.alias.anchor, mark)?.unwrap_or_default()),
                unsafe_sys::YAML_SCALAR_EVENT => self.scalar(mark)?,
                unsafe_sys::YAML_SEQUENCE_START_EVENT => {
                    let start = data.sequence_start;
                    Kind::SequenceStart(properties(start.anchor, start.tag, mark)?)
                }
                unsafe_sys::YAML_SEQUENCE_END_EVENT => Kind::SequenceEnd,
                unsafe_sys::YAML_MAPPING_START_EVENT => {
                    let start = data.mapping_start;
                    Kind::MappingStart(properties(start.anchor, start.tag, mark)?)
                }
                unsafe_sys::YAML_MAPPING_END_EVENT => Kind::MappingEnd,
                _ => Kind::StreamEnd,
            })
        }
    }

    /// # Safety
    /// The event must be a scalar.
    unsafe fn scalar(&self, mark: Origin) -> Result<Kind, Fault> {
        // SAFETY: the caller vouches for the type; a scalar's text is `length` bytes long.
        unsafe {
            let scalar = self.0.data.scalar;
            let length = usize::try_from(scalar.length).unwrap_or(0);
            let text = std::str::from_utf8(slice::from_raw_parts(scalar.value, length));
            Ok(Kind::Scalar {
                text: text.map_err(|_| not_utf8(mark))?.into(),
                implicit: scalar.plain_implicit,
                properties: properties(scalar.anchor, scalar.tag, mark)?,
            })
        }
    }
}

impl Drop for RawEvent {
    fn drop(&mut self) {
        // SAFETY: the event was filled by libyaml and is deleted only here.
        unsafe { unsafe_sys::yaml_event_delete(addr_of_mut!(self.0)) }
    }
}

/// # Safety
/// Both pointers are null or C strings.
unsafe fn properties(anchor: *const u8, tag: *const u8, mark: Origin) -> Result<Properties, Fault> {
    // SAFETY: as the caller vouches.
    unsafe {
        Ok(Properties {
            anchor: owned(anchor, mark)?,
            tag: owned(tag, mark)?,
        })
    }
}

/// # Safety
/// `text` is null or a C string.
unsafe fn owned(text: *const u8, mark: Origin) -> Result<Option<Box<str>>, Fault> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller vouches.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    let text = text.to_str().map_err(|_| not_utf8(mark))?;
    Ok(Some(text.into()))
}

/// A tag may hold any byte by its `%` escapes.
fn not_utf8(mark: Origin) -> Fault {
    Fault::new(mark.line, mark.column, "not UTF-8")
}

fn origin(mark: unsafe_sys::yaml_mark_t) -> Origin {
    Origin {
        line: clamp(mark.line.saturating_add(1)),
        column: clamp(mark.column.saturating_add(1)),
    }
}

/// The column of what follows `before`.
fn column_after(before: &[u8]) -> u32 {
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    clamp(String::from_utf8_lossy(&before[start..]).chars().count() as u64 + 1)
}

fn clamp(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
