//! What is looked up when metrics are asked for: nothing is kept up to date for nobody.

mod delivery;
mod heard;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bus::LinkState;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::sync::watch;

use crate::change::{Change, clock};
use crate::read::Reader;
use crate::store::{HeadStatus, Store};

pub use heard::Heard;

type Labels<'h> = [(&'static str, &'h str); 2];

/// The store, the outbox, the bus and the kept answers, as they stand.
#[derive(Debug)]
pub struct Gathered {
    pub store: Arc<Store>,
    pub change: Arc<Change>,
    pub reader: Arc<Reader>,
    pub bus: Option<watch::Receiver<LinkState>>,
    /// `None` without a broker.
    pub heard: Option<Heard>,
}

impl Gathered {
    fn heads(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let heads = self.store.heads();
        let series = series(&heads);
        let help = "Since the remote was last seen to stand where the served head does";
        let mut ages =
            encoder.encode_descriptor("config_snapshot_age", help, Some(&Unit::Seconds), MetricType::Gauge)?;
        for (labels, (age, _)) in &series {
            ConstGauge::new(age.as_secs_f64()).encode(ages.encode_family(labels)?)?;
        }
        let help = "Configuration files of the served head that cannot be read";
        let mut files = encoder.encode_descriptor("config_broken_files", help, None, MetricType::Gauge)?;
        for (labels, (_, broken)) in &series {
            ConstGauge::new(count(*broken)).encode(files.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn looks(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Looks at a remote that have ended";
        let mut looks = encoder.encode_descriptor("config_refresh", help, None, MetricType::Counter)?;
        for (outcome, count) in self.store.looks().counts() {
            ConstCounter::new(count).encode(looks.encode_family(&[("outcome", outcome)])?)?;
        }
        Ok(())
    }

    fn oldest(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "How long the first event in the outbox has been waiting";
        let made = self.change.progress().oldest;
        let waits = made.map_or(0, |made| clock::now().saturating_sub(made));
        let oldest = encoder.encode_descriptor("outbox_oldest", help, Some(&Unit::Seconds), MetricType::Gauge)?;
        ConstGauge::new(Duration::from_millis(waits).as_secs_f64()).encode(oldest)
    }

    fn gauges(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (bytes, answers) = self.reader.kept();
        let connected = self.bus.as_ref().is_none_or(|bus| bus.borrow().is_connected());
        let unwritten = self.store.heads().iter().filter(|head| head.moved.is_none()).count();
        let gauges = [
            ("config_cache_answers", "Rendered answers kept", answers),
            ("config_cache_bytes", "Bytes of the rendered answers kept", bytes),
            (
                "config_moves_unwritten",
                "Heads whose move could not be written down: its event waits",
                unwritten as u64,
            ),
            (
                "outbox_pending",
                "Events that wait for the bus",
                self.change.progress().queued as u64,
            ),
            (
                "bus_connected",
                "Whether the bus takes events now",
                u64::from(connected),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.heads(&mut encoder)?;
        self.looks(&mut encoder)?;
        self.oldest(&mut encoder)?;
        self.gauges(&mut encoder)?;
        delivery::encode(&self.change, &mut encoder)?;
        self.heard.iter().try_for_each(|heard| heard.encode(&mut encoder))
    }
}

/// The age and the broken files of each series. Directories of a composite share a name: the one
/// looked at longest ago counts, and the files of all.
fn series(heads: &[HeadStatus]) -> BTreeMap<Labels<'_>, (Duration, usize)> {
    let mut series = BTreeMap::new();
    for head in heads {
        let labels = [("repository", &*head.repository), ("label", head.label.as_str())];
        let (age, broken): &mut (Duration, usize) = series.entry(labels).or_default();
        *age = head.age.max(*age);
        *broken += head.broken.len();
    }
    series
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
