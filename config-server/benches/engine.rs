//! What one file costs to read and one answer to write, on the largest recorded repository.

#![expect(clippy::unwrap_used, reason = "recorded data that cannot be read ends the benchmark")]

#[path = "../tests/it/golden/repositories.rs"]
mod repositories;

use std::hint::black_box;
use std::path::Path;

use config_server::engine::document::{Format, Limits};
use config_server::engine::parse::parse;
use config_server::engine::query::Query;
use config_server::engine::render::{Envelope, Merged, environment, merged};
use config_server::engine::resolve::Source;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const FILES: [&str; 2] = ["application-mz.properties", "registration-processor-mz.properties"];

struct Sample {
    properties: Vec<u8>,
    yaml: Vec<u8>,
    sources: Vec<Source>,
    query: Query,
}

impl Sample {
    fn load() -> Self {
        let streams = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance/repos");
        let files = repositories::load(&streams);
        let limits = Limits::default();
        let sources: Vec<Source> = FILES
            .iter()
            .map(|name| Source {
                name: format!("https://git.example/config/sandbox/{name}").into(),
                properties: parse(
                    Format::Properties,
                    &files[&format!("public-mosip/sandbox/{name}")],
                    &limits,
                )
                .expect("a recorded file")
                .remove(0)
                .properties,
            })
            .collect();
        let yaml = merged(Merged::Yaml, &sources, false, true, &limits).expect("a recorded answer");
        Self {
            properties: files[&format!("public-mosip/sandbox/{}", FILES[0])].clone(),
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

criterion_group!(benches, reading, writing);
criterion_main!(benches);
