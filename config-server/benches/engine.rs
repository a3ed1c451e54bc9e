//! What the engine costs, on the largest recorded repository: reading a file, finding what answers a
//! query, writing the answer, and comparing two commits.

#![expect(clippy::unwrap_used, reason = "recorded data that cannot be read ends the benchmark")]

#[path = "../tests/it/recorded.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod recorded;

use std::hint::black_box;
use std::sync::Arc;

use config_server::engine::diff::diff;
use config_server::engine::document::{Format, Limits};
use config_server::engine::parse::parse;
use config_server::engine::query::Query;
use config_server::engine::render::{Envelope, Merged, environment, merged};
use config_server::engine::resolve::{Layout, Source, resolve};
use config_server::engine::tree::Directory;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const FILES: [&str; 2] = ["application-mz.properties", "registration-processor-mz.properties"];

const REPOSITORY: &str = "public-mosip";
const FOLDER: &str = "sandbox";

struct Sample {
    properties: Vec<u8>,
    yaml: Vec<u8>,
    sources: Vec<Source>,
    query: Query,
}

impl Sample {
    fn load() -> Self {
        let files = recorded::files_at_head(REPOSITORY).unwrap();
        let content = |name: &str| {
            let path = format!("{FOLDER}/{name}");
            let file = files.iter().find(|file| file.path == path);
            file.expect("a recorded file").content.clone()
        };
        let limits = Limits::default();
        let sources: Vec<Source> = FILES
            .iter()
            .map(|name| Source {
                name: format!("https://git.example/config/sandbox/{name}").into(),
                properties: parse(Format::Properties, &content(name), &limits)
                    .expect("a recorded file")
                    .remove(0)
                    .properties,
            })
            .collect();
        let yaml = merged(Merged::Yaml, &sources, false, true, &limits).expect("a recorded answer");
        Self {
            properties: content(FILES[0]),
            yaml: yaml.to_vec(),
            sources,
            query: Query {
                name: "registration-processor".into(),
                applications: vec!["registration-processor".into()],
                profiles_text: "mz".into(),
                profiles: vec!["mz".into()],
                label: None,
            },
        }
    }
}

fn reading(criterion: &mut Criterion) {
    let sample = Sample::load();
    let mut group = criterion.benchmark_group("parse");
    for (format, bytes) in [(Format::Properties, &sample.properties), (Format::Yaml, &sample.yaml)] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format.extension()), |bencher| {
            bencher.iter(|| parse(format, black_box(bytes), &Limits::default()));
        });
    }
}

fn writing(criterion: &mut Criterion) {
    let sample = Sample::load();
    let mut group = criterion.benchmark_group("render");
    for origins in [false, true] {
        let envelope = Envelope {
            query: &sample.query,
            version: Some("63839e1a3f14139d4abecc46a6323184f53aa582"),
            state: Some(""),
            origins,
        };
        group.throughput(Throughput::Bytes(environment(&envelope, &sample.sources).len() as u64));
        let name = if origins { "environment v2" } else { "environment v1" };
        group.bench_function(name, |bencher| {
            bencher.iter(|| environment(&envelope, black_box(&sample.sources)))
        });
    }
    for form in [Merged::Yaml, Merged::Json, Merged::Properties] {
        for resolve in [false, true] {
            let render = || merged(form, black_box(&sample.sources), resolve, true, &Limits::default());
            group.throughput(Throughput::Bytes(render().map_or(0, |bytes| bytes.len()) as u64));
            let name = format!("{form:?}{}", if resolve { ", placeholders resolved" } else { "" });
            group.bench_function(name, |bencher| bencher.iter(render));
        }
    }
}

/// The files are parsed once per content, so `cold` reads them all and `warm` none.
fn resolving(criterion: &mut Criterion) {
    let (files, query) = (recorded::files_at_head(REPOSITORY).unwrap(), Sample::load().query);
    let layout = Layout::Repository {
        uri: "https://git.example/config".into(),
        search_paths: vec![FOLDER.to_owned()].into(),
        reverse_location_order: false,
    };
    let limits = Limits::default();
    let found = |root: &Directory| resolve(root, &layout, "main", black_box(&query), &limits);
    let mut group = criterion.benchmark_group("resolve");
    let fresh = || recorded::tree(files.clone()).unwrap();
    group.bench_function("cold", |bencher| {
        bencher.iter_batched(fresh, |root| found(&root), BatchSize::PerIteration);
    });
    let root = fresh();
    group.bench_function("warm", |bencher| bencher.iter(|| found(&root)));
}

/// A commit that changes one file: shared directories are not entered.
fn comparing(criterion: &mut Criterion) {
    let mut files = recorded::files_at_head(REPOSITORY).unwrap();
    let before = recorded::tree(files.clone()).unwrap();
    files[0].content.push(b'\n');
    let after: Arc<Directory> = recorded::tree(files).unwrap();
    criterion.bench_function("diff", |bencher| {
        bencher.iter(|| diff(black_box(&before), black_box(&after)));
    });
}

criterion_group!(benches, reading, resolving, writing, comparing);
criterion_main!(benches);
