//! `POST /monitor`: a git server says that something was pushed (contract section 6).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::{Destination, EventKind};
use http::{HeaderMap, StatusCode, Uri};

use super::body::Body;
use super::failure::JournalFailure;
use super::{BusState, spring_error};
use crate::api::accepted;
use crate::api::problem::{Problem, ProblemKind};
use crate::change::journal::JournalError;
use crate::doors::monitor::{Call, provider, secret, target};
use crate::doors::operator;
use crate::store::Cause;

pub(super) async fn call(state: State<BusState>, uri: Uri, headers: HeaderMap, Body(body): Body) -> Response {
    let call = Call {
        headers: &headers,
        query: uri.query(),
        body: &body,
    };
    let told = match call.read() {
        Ok(told) => told,
        Err(error) => return spring_error(error.status(), &error.to_string(), &uri, &headers),
    };
    if let Err(stranger) = secret::admit(&told, &body, &state.monitor) {
        return Problem::new(ProblemKind::Unauthorized, stranger.to_string()).into_response();
    }
    let targets = target::of_paths(provider::paths(&told, &state.monitor));
    match announce(&state, &targets).await {
        Err(error) => JournalFailure::from(error).into_response(),
        // As recorded: the events have gone out by then.
        Ok(()) if !accepted(&headers).accepts_error_document() => StatusCode::NOT_ACCEPTABLE.into_response(),
        Ok(()) => Json(targets).into_response(),
    }
}

/// Looks at git, whatever the call says has changed, then sees to it that the applications hear.
///
/// A head that moved has an event of its own, which names the commit and reaches Spring's
/// applications as well: it goes to `**`. The targets are guesses at less than that, so they are
/// announced only when no head moved; then somebody else has looked before, or the call is about
/// something that is not in git, and the stock server's events are what is expected.
async fn announce(state: &BusState, targets: &[String]) -> Result<(), JournalError> {
    let BusState { store, change, .. } = state;
    let outcome = store.refresh(Cause::Webhook).await;
    if operator::moved(change, &outcome).await?.is_some() {
        return Ok(());
    }
    for target in targets {
        let destination = Destination::normalised(Some(target));
        change.announce(destination, EventKind::Refresh, Cause::Webhook).await?;
    }
    Ok(())
}
