# The one door: `just` lists what there is.
default:
    @just --list

# Start the server, a service, and a repository to play with
demo *arguments:
    cargo run -q -p examples --bin demo -- {{arguments}}

# Everything CI runs: formatting, lints, docs, dependencies, all tests
check:
    scripts/test

# Unit and integration tests of one crate
test crate:
    cargo test -p {{crate}}

# Formatting, lints and documentation only
lint:
    scripts/lint

# Every fuzz target for a while
fuzz seconds="10":
    scripts/fuzz {{seconds}}

# Line coverage of the engine, at least 95 %
coverage:
    scripts/coverage

# Servers, bus and agents through 20,000 seeded histories; `--seed N` shows one step by step
simulate *arguments:
    cargo run -q --release -p examples --bin simulate -- {{arguments}}

# Real faults, each some times: how long until all is well, and which promises were not kept
chaos *arguments:
    cargo build -q -p config-server -p bus-agent --bins
    cargo run -q -p examples --bin chaos -- {{arguments}}

# Requests per second and p99 of a cached read, beside a bare hyper server
bench-fetch *arguments:
    cargo run -q --release -p examples --bin bench-fetch -- {{arguments}}

# From a commit to the last of many agents, beside a bare fanout of the broker
bench-bus *arguments:
    ulimit -n 65536 || ulimit -n "$(ulimit -Hn)"; cargo build -q --release -p bus --example raw_fanout && cargo run -q --release -p examples --bin bench-bus -- {{arguments}}

# Parse, resolve, render, diff on the public samples (criterion)
bench-engine *arguments:
    cargo bench -p config-server --bench engine -- {{arguments}}

# Rewrite generated documentation after its source changed
regenerate:
    UPDATE_DOCS=1 cargo test -p config-server --lib settings
