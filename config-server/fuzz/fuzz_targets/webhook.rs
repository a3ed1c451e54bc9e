#![no_main]

use config_server_fuzz::doors::monitor::{Call, targets};
use config_server_fuzz::settings::MonitorSettings;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

// Every provider's reader sees the body; none of them may fall over it.
fuzz_target!(|body: &[u8]| {
    let push = [
        "x-github-event",
        "x-gitlab-event",
        "x-git-oschina-event",
        "x-gogs-event",
        "x-event-key",
    ];
    for header in push {
        for value in ["push", "Push Hook", "repo:push", "repo:refs_changed"] {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static(value));
            let call = Call {
                headers: &headers,
                query: None,
                body,
            };
            let _ = targets(&call, &MonitorSettings::default());
        }
    }
});
