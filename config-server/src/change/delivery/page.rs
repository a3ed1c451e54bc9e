//! A part of the list of members: there may be fifty thousand.

use contract::AgentStatus;

use super::census::Standing;

/// Which members, and how many at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Those of this application alone.
    pub application: Option<String>,
    /// Those who stand so alone.
    pub standing: Option<Standing>,
    /// Those whose bus ids come after this text.
    pub after: Option<String>,
    pub limit: usize,
}

/// Members in the order of their bus ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub agents: Vec<AgentStatus>,
    /// How many of those wanted come after the page.
    pub more: usize,
    /// How many are wanted, on this page, before and after it.
    pub total: usize,
}

impl Wanted {
    fn is_met_by(&self, status: &AgentStatus, fresh: u64) -> bool {
        let application = self.application.as_ref().is_none_or(|name| *name == status.application);
        application
            && self
                .standing
                .is_none_or(|standing| standing == Standing::of(status, fresh))
    }
}

/// The page of `members` that is wanted; those last seen before `fresh` are away.
pub(super) fn page<'a>(members: impl Iterator<Item = &'a AgentStatus>, wanted: &Wanted, fresh: u64) -> Page {
    let all: Vec<&AgentStatus> = members.filter(|status| wanted.is_met_by(status, fresh)).collect();
    let total = all.len();
    let mut rest = all;
    if let Some(after) = &wanted.after {
        rest.retain(|status| name(status) > after.as_str());
    }
    let more = rest.len().saturating_sub(wanted.limit);
    if more > 0 {
        rest.select_nth_unstable_by_key(wanted.limit, name);
        rest.truncate(wanted.limit);
    }
    rest.sort_unstable_by_key(name);
    Page {
        agents: rest.into_iter().cloned().collect(),
        more,
        total,
    }
}

fn name<'a>(status: &&'a AgentStatus) -> &'a str {
    status.bus_id.as_str()
}

#[cfg(test)]
mod tests {
    use contract::report::Outcome;

    use super::*;

    fn status(bus_id: &str, outcome: Outcome) -> AgentStatus {
        AgentStatus {
            bus_id: bus_id.parse().expect("an id"),
            application: bus_id.split(':').next().unwrap_or_default().to_owned(),
            profiles: Vec::new(),
            label: None,
            commit: None,
            digest: None,
            outcome,
            reason: None,
            last_seen: 10,
        }
    }

    fn wanted(limit: usize) -> Wanted {
        Wanted {
            application: None,
            standing: None,
            after: None,
            limit,
        }
    }

    /// The bus ids of the page that is wanted, how many come after it, and of how many it is.
    fn shown(wanted: &Wanted) -> (Vec<String>, usize, usize) {
        let members = [
            status("stock:1:a", Outcome::Applied),
            status("orders:3:c", Outcome::Failed),
            status("orders:1:a", Outcome::Applied),
            status("orders:2:b", Outcome::Vetoed),
        ];
        let page = page(members.iter(), wanted, 0);
        let ids = page.agents.iter().map(|agent| agent.bus_id.to_string()).collect();
        (ids, page.more, page.total)
    }

    #[test]
    fn a_page_holds_what_is_wanted_in_order_and_tells_how_much_more_there_is() {
        let after = |id: &str, limit| Wanted {
            after: Some(id.to_owned()),
            ..wanted(limit)
        };
        let of = |application: &str, standing| Wanted {
            application: Some(application.to_owned()),
            standing,
            ..wanted(9)
        };
        for (wanted, ids, more, total) in [
            (
                wanted(9),
                &["orders:1:a", "orders:2:b", "orders:3:c", "stock:1:a"][..],
                0,
                4,
            ),
            (
                wanted(4),
                &["orders:1:a", "orders:2:b", "orders:3:c", "stock:1:a"],
                0,
                4,
            ),
            (wanted(2), &["orders:1:a", "orders:2:b"], 2, 4),
            (after("orders:2:b", 1), &["orders:3:c"], 1, 4),
            // It is gone meanwhile: the place in the list is not.
            (after("orders:2:zzz", 9), &["orders:3:c", "stock:1:a"], 0, 4),
            (after("stock:1:a", 9), &[], 0, 4),
            (of("stock", None), &["stock:1:a"], 0, 1),
            (of("orders", Some(Standing::Failed)), &["orders:3:c"], 0, 1),
            (of("stock", Some(Standing::Failed)), &[], 0, 0),
        ] {
            let ids = ids.iter().map(|&id| id.to_owned()).collect();
            assert_eq!(shown(&wanted), (ids, more, total), "{wanted:?}");
        }
    }
}
