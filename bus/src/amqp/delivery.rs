//! A delivery read as a message: tolerant of everything Spring tolerates, bounded, never panicking.

use std::io::Read;

use contract::{EventError, Message, Notice};
use flate2::read::GzDecoder;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use thiserror::Error;

/// Longest body that is read, unpacked.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Why a delivery is no message. It is counted and dropped, never given back to the queue.
#[derive(Debug, Error)]
pub(crate) enum DeliveryError {
    #[error("the body is longer than {MAX_BODY} bytes")]
    TooLong,
    #[error("the body cannot be unpacked")]
    Packed(#[source] std::io::Error),
    #[error("{0}")]
    Event(#[from] EventError),
}

/// Reads a body with its properties. The content type is not asked for: what parses is taken
/// (a Spring 4 receiver would lose it, spring-cloud-bus contract 3.1).
pub(crate) fn message(body: &[u8], properties: &BasicProperties) -> Result<Message, DeliveryError> {
    let unpacked;
    let body = if is_gzip(properties) {
        unpacked = unpack(body)?;
        &unpacked
    } else {
        body
    };
    if body.len() > MAX_BODY {
        return Err(DeliveryError::TooLong);
    }
    Ok(Message {
        event: contract::BusEvent::parse(body)?,
        notice: properties.headers().as_ref().and_then(notice),
    })
}

fn is_gzip(properties: &BasicProperties) -> bool {
    let encoding = properties.content_encoding().as_ref();
    encoding.is_some_and(|encoding| encoding.as_str().to_ascii_lowercase().contains("gzip"))
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, DeliveryError> {
    let mut unpacked = Vec::new();
    let mut reader = GzDecoder::new(body).take(MAX_BODY as u64 + 1);
    reader.read_to_end(&mut unpacked).map_err(DeliveryError::Packed)?;
    Ok(unpacked)
}

fn notice(headers: &FieldTable) -> Option<Notice> {
    Notice::from_headers(|name| match headers.inner().get(name)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    const REFRESH: &str =
        r#"{"type":"RefreshRemoteApplicationEvent","originService":"s:1:a","destinationService":"**","id":"1"}"#;

    fn packed(body: &[u8]) -> (Vec<u8>, BasicProperties) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("memory takes everything");
        let properties = BasicProperties::default().with_content_encoding("gzip".into());
        (encoder.finish().expect("memory takes everything"), properties)
    }

    #[test]
    fn a_gzip_body_is_unpacked() {
        let (body, properties) = packed(REFRESH.as_bytes());
        let told = message(&body, &properties).expect("a message");
        assert_eq!(told.event.id.as_str(), "1");
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let (body, properties) = packed(&vec![b' '; MAX_BODY + 1]);
        assert!(matches!(message(&body, &properties), Err(DeliveryError::TooLong)));
        assert!(matches!(
            message(b"no gzip", &properties),
            Err(DeliveryError::Packed(_))
        ));
    }

    #[test]
    fn headers_of_other_kinds_are_no_notice() {
        let mut headers = FieldTable::default();
        headers.insert("x-config-bus-label".into(), AMQPValue::Boolean(true));
        headers.insert("x-config-bus-to".into(), AMQPValue::LongString("short".into()));
        let properties = BasicProperties::default().with_headers(headers);
        let told = message(REFRESH.as_bytes(), &properties).expect("a message");
        assert_eq!(told.notice, None);
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200), gzip: bool) {
            let mut properties = BasicProperties::default();
            if gzip {
                properties = properties.with_content_encoding("gzip".into());
            }
            let _ = message(&body, &properties);
        }
    }
}
