//! What a broker does on its own: the bytes of one event, through a bare fanout exchange to many
//! queues, each consumed over a connection of its own. The baseline of `just bench-bus`.
//!
//! `raw_fanout PORT QUEUES` says `ready`, then publishes once for each line of standard input and
//! prints how many microseconds after that each consumer had the message.

use std::io::{BufRead, Write};
use std::time::Duration;

use contract::{Affects, BusEvent, BusId, Destination, EventId, Notice, Scope};
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const EXCHANGE: &str = "raw";
/// As many as an agent takes.
const PREFETCH: u16 = 64;
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, queues] = arguments.as_slice() else {
        return Err("raw_fanout PORT QUEUES".into());
    };
    let (uri, queues) = (format!("amqp://127.0.0.1:{port}/%2f"), queues.parse()?);
    let publisher = connect(&uri).await?;
    let fanout = ExchangeKind::Fanout;
    let options = ExchangeDeclareOptions::default();
    publisher
        .exchange_declare(EXCHANGE.into(), fanout, options, FieldTable::default())
        .await?;
    publisher.confirm_select(ConfirmSelectOptions::default()).await?;
    let (arrived, mut arrivals) = mpsc::channel(queues);
    let tasks = TaskTracker::new();
    for _ in 0..queues {
        let channel = connect(&uri).await?;
        let consumer = consume(&channel).await?;
        tasks.spawn(hear(channel, consumer, arrived.clone()));
    }
    say("ready")?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let began = Instant::now();
        publish(&publisher).await?;
        let mut took = Vec::with_capacity(queues);
        while took.len() < queues {
            let at: Instant = timeout(DEADLINE, arrivals.recv()).await?.ok_or("nobody consumes")?;
            took.push(at.duration_since(began).as_micros().to_string());
        }
        say(&took.join(" "))?;
    }
    Ok(())
}

async fn connect(uri: &str) -> Outcome<Channel> {
    let connection = Connection::connect(uri, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    // The channel keeps the connection.
    Ok(channel)
}

async fn consume(channel: &Channel) -> Outcome<Consumer> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare("".into(), options, FieldTable::default())
        .await?
        .name()
        .clone();
    let (bind, consume) = (QueueBindOptions::default(), BasicConsumeOptions::default());
    channel
        .queue_bind(queue.clone(), EXCHANGE.into(), "".into(), bind, FieldTable::default())
        .await?;
    Ok(channel
        .basic_consume(queue, "".into(), consume, FieldTable::default())
        .await?)
}

async fn hear(_channel: Channel, mut consumer: Consumer, arrived: mpsc::Sender<Instant>) {
    while let Some(Ok(delivery)) = consumer.next().await {
        let told = arrived.send(Instant::now()).await;
        if told.is_err() || delivery.ack(BasicAckOptions::default()).await.is_err() {
            break;
        }
    }
}

/// The bytes that a head move costs: Spring's JSON, the notice in headers, persistent, confirmed.
async fn publish(channel: &Channel) -> Outcome<()> {
    let origin: BusId = "config-server:8888:raw".parse()?;
    let event = BusEvent::refresh(EventId::random(), 0, &origin, Destination::received("**"));
    let notice = Notice {
        label: "main".parse()?,
        from: Some("a".repeat(40).parse()?),
        to: "b".repeat(40).parse()?,
        affects: Affects::union([Scope::new(Some("bench"), None)]),
        spread_millis: 0,
        report_spread_millis: 0,
        moved: None,
    };
    let mut headers = FieldTable::default();
    for (name, value) in notice.to_headers() {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_headers(headers);
    let options = BasicPublishOptions::default();
    let body = event.to_json();
    channel
        .basic_publish(EXCHANGE.into(), "".into(), options, &body, properties)
        .await?
        .await?;
    Ok(())
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}
