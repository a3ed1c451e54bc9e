//! What the other members of a broker's bus say.

use std::fmt;
use std::sync::Arc;

use bus::{LinkState, Traffic};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::sync::watch;

/// The connection on which they are heard.
#[derive(Debug, Clone)]
pub struct Heard {
    pub state: watch::Receiver<LinkState>,
    pub traffic: Arc<Traffic>,
}

impl Heard {
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let hears = ConstGauge::new(i64::from(self.state.borrow().is_connected()));
        let help = "Whether what others put on the bus is heard now";
        hears.encode(encoder.encode_descriptor("bus_hearing", help, None, MetricType::Gauge)?)?;
        let counts = self.traffic.counts();
        let help = "Messages of others, by what became of them";
        let mut messages = encoder.encode_descriptor("bus_messages", help, None, MetricType::Counter)?;
        for (concern, count) in [
            ("taken", counts.delivered),
            ("own", counts.elsewhere),
            ("unknown", counts.unknown),
            ("malformed", counts.malformed),
        ] {
            ConstCounter::new(count).encode(messages.encode_family(&[("concern", concern)])?)?;
        }
        Ok(())
    }
}
