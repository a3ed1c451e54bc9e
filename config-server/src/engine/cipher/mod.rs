//! `{cipher}` values (contract section 4).
