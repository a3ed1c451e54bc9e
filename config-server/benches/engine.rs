//! What the engine costs, on recorded repositories of others: reading a file, finding what answers a
//! query, writing the answer, and comparing two commits.

#![expect(clippy::unwrap_used, reason = "recorded data that cannot be read ends the benchmark")]

#[path = "../tests/it/recorded.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod recorded;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use config_server::engine::diff::diff;
use config_server::engine::document::{Format, Limits};
use config_server::engine::parse::parse;
use config_server::engine::query::{Query, Rules};
use config_server::engine::render::{Envelope, Merged, environment, merged};
use config_server::engine::resolve::{Layout, Source, resolve};
use config_server::engine::tree::Directory;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::time::Instant;

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

/// The recorded repositories of others, with the folder, the application and the profile to ask for.
const PUBLIC: [(&str, &[&str], &str, &str); 3] = [
    (REPOSITORY, &[FOLDER], "registration-processor", "mz"),
    ("public-petclinic", &[], "api-gateway", "default"),
    ("public-event-sourcing", &[], "application", "cloud"),
];

/// One environment of a recorded repository.
struct Asked {
    files: Vec<recorded::Recorded>,
    layout: Layout,
    query: Query,
}

impl Asked {
    fn new((repository, folders, application, profile): (&str, &[&str], &str, &str)) -> Self {
        Self {
            files: recorded::files_at_head(repository).unwrap(),
            layout: Layout::Repository {
                uri: "https://git.example/config".into(),
                search_paths: folders.iter().map(|&folder| folder.to_owned()).collect(),
                reverse_location_order: false,
            },
            query: Query::new(application, profile, None, &Rules::default()).expect("a recorded query"),
        }
    }

    /// The tree with nothing parsed yet.
    fn fresh(&self) -> Arc<Directory> {
        recorded::tree(self.files.clone()).unwrap()
    }

    fn resolve(&self, root: &Directory) -> Vec<Source> {
        let found = resolve(root, &self.layout, "main", black_box(&self.query), &Limits::default());
        found.expect("a recorded answer")
    }
}

/// The files are parsed once per content, so `cold` reads them all and `warm` none.
fn resolving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve");
    for sample in PUBLIC {
        let asked = Asked::new(sample);
        group.bench_function(BenchmarkId::new("cold", sample.0), |bencher| {
            bencher.iter_batched(|| asked.fresh(), |root| asked.resolve(&root), BatchSize::PerIteration);
        });
        let root = asked.fresh();
        group.bench_function(BenchmarkId::new("warm", sample.0), |bencher| {
            bencher.iter(|| asked.resolve(&root));
        });
    }
}

/// A commit that changes one file: shared directories are not entered.
fn comparing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    for sample in PUBLIC {
        let mut asked = Asked::new(sample);
        let before = asked.fresh();
        asked.files[0].content.push(b'\n');
        let after = asked.fresh();
        group.bench_function(BenchmarkId::from_parameter(sample.0), |bencher| {
            bencher.iter(|| diff(black_box(&before), black_box(&after)));
        });
    }
}

/// What the project promises of the largest sample.
#[expect(clippy::print_stdout, reason = "the verdict of the benchmark")]
fn verdict(_: &mut Criterion) {
    let asked = Asked::new(PUBLIC[0]);
    let mut took: Vec<Duration> = (0..201)
        .map(|_| {
            let root = asked.fresh();
            let begin = Instant::now();
            black_box(asked.resolve(&root));
            begin.elapsed()
        })
        .collect();
    took.sort_unstable();
    let median = took[took.len() / 2];
    println!("cold resolve of an environment of {REPOSITORY}: median {median:.0?} (promised: under 1 ms)");
    assert!(median < Duration::from_millis(1), "slower than promised");
}

criterion_group!(benches, reading, resolving, writing, comparing, verdict);
criterion_main!(benches);
