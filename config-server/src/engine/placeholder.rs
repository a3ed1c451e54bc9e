//! `${key:default}` substitution (contract 1.6).
