//! The recorded repositories, read from their `git fast-import` streams.

use std::collections::BTreeMap;
use std::path::Path;

/// Files of the first branch's last commit, by `repository/path`.
pub(crate) fn load(streams: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(streams).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "fi") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            read(&name, &std::fs::read(&path).unwrap(), &mut files);
        }
    }
    files
}

fn read(repository: &str, stream: &[u8], files: &mut BTreeMap<String, Vec<u8>>) {
    let mut rest = stream;
    let mut branch = None;
    let mut is_head = true;
    let mut file = None;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[(end + 1).min(rest.len())..];
        if let Some(name) = line.strip_prefix("commit ") {
            is_head = branch.get_or_insert_with(|| name.to_owned()) == name;
        } else if let Some(size) = line.strip_prefix("data ") {
            let (content, after) = rest.split_at(size.parse().unwrap());
            rest = after;
            if let Some(path) = file.take().filter(|_| is_head) {
                files.insert(format!("{repository}/{path}"), content.to_vec());
            }
        } else if let Some((_, path)) = line.split_once(" inline ") {
            file = Some(path.trim_matches('"').to_owned());
        }
    }
}
