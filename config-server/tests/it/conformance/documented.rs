//! No deviation without a row that says why.

use std::collections::BTreeSet;
use std::path::Path;

use super::suite::{CASES, SUITES, Suite, load_all};

/// The suites in the column *recorded in* of the tables.
fn named(page: &str) -> BTreeSet<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').nth(3))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn the_page_of_deviations_names_every_suite_that_has_one() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(crate_root.join("../docs/deviations.md")).unwrap();
    let suites = load_all(&crate_root.join("tests/data/conformance/cases")).unwrap();
    let deviates = |suite: &&Suite| suite.cases.iter().any(|case| case.deviation.is_some());
    let recorded: BTreeSet<&str> = suites
        .iter()
        .filter(deviates)
        .map(|suite| suite.suite.as_str())
        .collect();
    assert_eq!(named(&page), recorded);
    let cases: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    assert_eq!((cases, suites.len()), (CASES, SUITES));
    assert!(page.contains("1,923"));
}
