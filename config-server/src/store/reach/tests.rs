use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("a commit")
}

#[test]
fn what_a_bound_takes_depends_on_whose_log_it_is_of() {
    let (sure, held, looked) = (Reach::Sure, Reach::Held, Reach::Looked);
    for (head, moved, bound, expected) in [
        ('b', Some("own-2"), ('b', None), sure),
        ('b', Some("own-2"), ('b', Some("other-9")), sure),
        ('b', None, ('b', Some("other-9")), sure),
        ('b', Some("own-2"), ('a', None), held),
        ('b', None, ('a', None), held),
        ('b', Some("own-2"), ('a', Some("own-1")), sure),
        // A head that holds back shows an older commit under its move.
        ('b', Some("own-2"), ('a', Some("own-2")), sure),
        // The log was put back to an older copy.
        ('b', Some("own-2"), ('a', Some("own-3")), looked),
        ('b', Some("own-2"), ('a', Some("other-1")), looked),
        ('b', None, ('a', Some("own-1")), looked),
        ('b', Some("own-2"), ('*', None), looked),
    ] {
        let parsed = |text: &str| text.parse::<MoveId>().expect("a move");
        let moved = moved.map(parsed);
        let asked = AtLeast {
            commit: (bound.0 != '*').then(|| commit(bound.0)),
            moved: bound.1.map(parsed),
            age: None,
        };
        let reach = Reach::of(&commit(head), moved.as_ref(), &asked);
        assert_eq!(reach, expected, "{head} {moved:?} {asked}");
    }
    // Who says since when it knows is not content with what was part of the branch all along.
    let known = AtLeast {
        age: Some(Duration::from_secs(1)),
        ..commit('a').into()
    };
    assert_eq!(Reach::of(&commit('b'), None, &known), looked);
}

/// What may happen to a branch, to servers that follow it and to a client that asks any of them.
#[derive(Debug, Clone)]
enum Step {
    /// The branch goes to a commit, new or old.
    Push(char),
    /// A server looks by itself.
    Look(usize),
    /// The client asks a server, which can reach the remote or not.
    Ask { server: usize, reachable: bool },
}

/// A server.
#[derive(Debug, Clone, Copy)]
struct Server {
    commit: char,
    /// Moves in its log.
    moves: usize,
    /// The place in the branch's history that it saw last, and when.
    place: usize,
    looked: usize,
}

/// A client: what it has live, since when, and the place in history that this surely is past.
#[derive(Debug)]
struct Client {
    live: AtLeast,
    since: usize,
    place: usize,
}

impl Server {
    fn look(&mut self, history: &[char], now: usize) {
        let place = history.len() - 1;
        if self.commit != history[place] {
            self.commit = history[place];
            self.moves += 1;
        }
        (self.place, self.looked) = (place, now);
    }

    fn head(&self, name: usize) -> AtLeast {
        AtLeast {
            moved: format!("server{name}-{}", self.moves).parse().ok(),
            ..commit(self.commit).into()
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::char::range('a', 'd').prop_map(Step::Push),
        2 => (0..3_usize).prop_map(Step::Look),
        5 => (0..3_usize, any::<bool>()).prop_map(|(server, reachable)| Step::Ask { server, reachable }),
    ]
}

proptest! {
    /// Every commit is taken to be part of every other: only the order can tell them apart.
    #[test]
    fn a_client_of_several_servers_never_sees_the_branch_go_backward(steps in prop::collection::vec(step(), 0..200)) {
        let mut history = vec!['a'];
        let mut servers = [Server { commit: 'a', moves: 1, place: 0, looked: 0 }; 3];
        let mut client = Client { live: servers[0].head(0), since: 0, place: 0 };
        for (now, step) in (1..).zip(steps) {
            match step {
                Step::Push(to) => history.push(to),
                Step::Look(server) => servers[server].look(&history, now),
                Step::Ask { server: name, reachable } => {
                    let head = servers[name].head(name);
                    let server = &mut servers[name];
                    let reach = Reach::of(&commit(server.commit), head.moved.as_ref(), &client.live);
                    if reach == Reach::Looked && server.looked < client.since {
                        if !reachable {
                            continue;
                        }
                        server.look(&history, now);
                    }
                    let served = server.head(name);
                    if served.commit == client.live.commit {
                        // It says no more than what the client knows, as far as the client can tell.
                        continue;
                    }
                    prop_assert!(server.place >= client.place, "from place {} to {}", client.place, server.place);
                    client = Client { live: served, since: now, place: server.place };
                }
            }
        }
    }
}
