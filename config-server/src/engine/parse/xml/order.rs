//! The order in which Java lists XML properties: that of a `ConcurrentHashMap` into which they were
//! put one by one. Spring answers in this order, so the merged forms depend on it.

use std::collections::VecDeque;

/// Sorts `entries`, given in the order they were put.
pub(super) fn sort(entries: &mut Vec<(String, String)>) {
    let hashes: Vec<u32> = entries.iter().map(|(key, _)| spread(key)).collect();
    let mut bins: Vec<Vec<usize>> = vec![Vec::new(); 16];
    for (index, hash) in hashes.iter().enumerate() {
        let bin = slot(*hash, bins.len());
        bins[bin].push(index);
        if (index + 1) * 4 >= bins.len() * 3 {
            bins = grow(&bins, &hashes);
        }
    }
    let mut old: Vec<_> = std::mem::take(entries).into_iter().map(Some).collect();
    entries.extend(bins.into_iter().flatten().filter_map(|index| old[index].take()));
}

/// Splits each bin in two. The longest tail that goes to one side keeps its order; what stands
/// before it is put in front one by one.
fn grow(bins: &[Vec<usize>], hashes: &[u32]) -> Vec<Vec<usize>> {
    let size = bins.len();
    let mut grown = vec![Vec::new(); size * 2];
    for bin in bins {
        let side = |index: usize| slot(hashes[index], size * 2);
        let Some(last) = bin.last() else { continue };
        let tail = bin
            .iter()
            .rposition(|index| side(*index) != side(*last))
            .map_or(0, |at| at + 1);
        let mut halves: [VecDeque<usize>; 2] = Default::default();
        let half = |index: usize| usize::from(side(index) >= size);
        halves[half(*last)].extend(&bin[tail..]);
        for index in &bin[..tail] {
            halves[half(*index)].push_front(*index);
        }
        for part in halves {
            if let Some(first) = part.front().copied() {
                grown[side(first)] = part.into();
            }
        }
    }
    grown
}

fn slot(hash: u32, size: usize) -> usize {
    hash as usize & (size - 1)
}

/// `String.hashCode`, spread as the map does.
fn spread(key: &str) -> u32 {
    let hash = key
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    (hash ^ (hash >> 16)) & 0x7fff_ffff
}
