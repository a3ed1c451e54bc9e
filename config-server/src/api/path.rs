//! Spring's path grammar: one pure parser from the raw request path to what is asked for
//! (contract 1.1, 1.2).

use percent_encoding::percent_decode_str;

use crate::engine::render::Merged;

/// What a path asks for. The texts are percent-decoded once and not checked yet:
/// [`Query::new`](crate::engine::query::Query::new) does that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/{name}/{profiles}[/{label}]`
    Environment {
        name: String,
        profiles: String,
        label: Option<String>,
    },
    /// `[/{label}]/{name}-{profiles}.{yml,yaml,json,properties}`
    Merged {
        form: Merged,
        name: String,
        profiles: String,
        label: Option<String>,
    },
    /// `/{name}/{profiles}/{label}/{path..}`, or without label `/{name}/{profiles}/{path}?useDefaultLabel`
    File {
        name: String,
        profiles: String,
        label: Option<String>,
        path: String,
    },
    /// `/encrypt`, `/decrypt`, `/key` and what is below them.
    Crypto(Crypto),
    /// No route of Spring's: 404 with its error document.
    NotFound,
    /// What a servlet container does not let in: 400.
    BadRequest,
}

/// The crypto routes; `whom` is the application and the profiles, when named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crypto {
    Status,
    Encrypt { whom: Option<(String, String)> },
    Decrypt { whom: Option<(String, String)> },
    Key { whom: Option<(String, String)> },
}

/// What decides between routes besides the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// `useDefaultLabel` stands in the query, with any value.
    pub default_label: bool,
    /// The method is POST.
    pub post: bool,
}

/// Reads `path` as it stands in the request line: without the server's prefix and without the query.
/// Clients of older Spring versions post to `/encrypt/` and `/decrypt/`.
#[must_use]
pub fn parse(path: &str, asked: Asked) -> Route {
    let Some(path) = path.strip_prefix('/') else {
        return Route::NotFound;
    };
    let raw: Vec<&str> = path.split('/').map(without_parameters).collect();
    let Some(segments) = decode(&raw, asked) else {
        return Route::BadRequest;
    };
    if let ([word @ ("encrypt" | "decrypt"), ""], true) = (&raw[..], asked.post) {
        return one(word);
    }
    // Only the path of a file may repeat slashes or end with one.
    if segments.iter().take(3).any(String::is_empty) {
        return Route::NotFound;
    }
    let mut segments = segments.into_iter();
    match (segments.next(), segments.next(), segments.next()) {
        (Some(only), None, _) => one(&only),
        (Some(first), Some(second), None) => two(first, second),
        (Some(name), Some(profiles), Some(third)) => {
            three_or_more(name, profiles, third, &segments.collect::<Vec<_>>(), asked)
        }
        (None, ..) => Route::NotFound,
    }
}

fn one(only: &str) -> Route {
    match only {
        "encrypt" => Route::Crypto(Crypto::Encrypt { whom: None }),
        "decrypt" => Route::Crypto(Crypto::Decrypt { whom: None }),
        "key" => Route::Crypto(Crypto::Key { whom: None }),
        _ => merged_file(only).map_or(Route::NotFound, |file| file.into_route(None)),
    }
}

fn two(first: String, second: String) -> Route {
    if let Some(file) = merged_file(&second) {
        return file.into_route(Some(first));
    }
    if first == "encrypt" && second == "status" {
        return Route::Crypto(Crypto::Status);
    }
    if has_extension_word(&second) {
        return Route::NotFound;
    }
    Route::Environment {
        name: first,
        profiles: second,
        label: None,
    }
}

fn three_or_more(name: String, profiles: String, third: String, rest: &[String], asked: Asked) -> Route {
    if !rest.is_empty() {
        return Route::File {
            name,
            profiles,
            label: Some(third),
            path: rest.join("/"),
        };
    }
    if let Some(crypto) = crypto_for(&name, &profiles, &third, asked) {
        return Route::Crypto(crypto);
    }
    if asked.default_label {
        return Route::File {
            name,
            profiles,
            label: None,
            path: third,
        };
    }
    Route::Environment {
        name,
        profiles,
        label: Some(third),
    }
}

/// The words are applications, too: the method tells which is meant.
fn crypto_for(word: &str, name: &str, profiles: &str, asked: Asked) -> Option<Crypto> {
    let whom = || Some((name.to_owned(), profiles.to_owned()));
    match (word, asked.post) {
        ("encrypt", true) => Some(Crypto::Encrypt { whom: whom() }),
        ("decrypt", true) => Some(Crypto::Decrypt { whom: whom() }),
        ("key", false) => Some(Crypto::Key { whom: whom() }),
        _ => None,
    }
}

struct MergedFile<'p> {
    form: Merged,
    name: &'p str,
    profiles: &'p str,
}

impl MergedFile<'_> {
    fn into_route(self, label: Option<String>) -> Route {
        Route::Merged {
            form: self.form,
            name: self.name.to_owned(),
            profiles: self.profiles.to_owned(),
            label,
        }
    }
}

/// `{name}-{profiles}.{extension}`: the name takes all it can, so the last hyphen divides.
fn merged_file(segment: &str) -> Option<MergedFile<'_>> {
    let (stem, extension) = segment.rsplit_once('.')?;
    let form = match extension {
        "yml" | "yaml" => Merged::Yaml,
        "json" => Merged::Json,
        "properties" => Merged::Properties,
        _ => return None,
    };
    let (name, profiles) = stem.rsplit_once('-')?;
    Some(MergedFile { form, name, profiles })
}

/// Spring's `\b\.(?:ya?ml|properties|json)\b` anywhere in a segment.
fn has_extension_word(segment: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    segment.match_indices('.').any(|(dot, _)| {
        let rest = &segment[dot + 1..];
        segment[..dot].ends_with(word)
            && ["yml", "yaml", "properties", "json"].iter().any(|extension| {
                rest.strip_prefix(extension)
                    .is_some_and(|after| !after.starts_with(word))
            })
    })
}

/// `;matrix=parameters` are dropped from every segment.
fn without_parameters(segment: &str) -> &str {
    segment.split_once(';').map_or(segment, |(segment, _)| segment)
}

/// The segments decoded once; `None` for what a container refuses before routing. An escaped slash
/// is let in where a label stands: clients send branch names that way.
fn decode(raw: &[&str], asked: Asked) -> Option<Vec<String>> {
    let label = match raw {
        [_, file] => merged_file(file).map(|_| 0),
        [_, _, _] => (!asked.default_label).then_some(2),
        [_, _, _, ..] => Some(2),
        _ => None,
    };
    let decode_at = |(index, segment): (usize, &&str)| decode_segment(segment, label == Some(index));
    raw.iter().enumerate().map(decode_at).collect()
}

fn decode_segment(segment: &str, may_hold_slash: bool) -> Option<String> {
    let escapes_hold = segment.match_indices('%').all(|(at, _)| {
        let digits = segment.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(segment).decode_utf8().ok()?.into_owned();
    let slashes = decoded.contains('/') && !may_hold_slash;
    let goes_up = decoded.split('/').any(|name| name == "..");
    let allowed = escapes_hold && !slashes && !goes_up && !decoded.contains(['\\', '\0']);
    allowed.then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn get(path: &str) -> Route {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let default_label = query
            .split('&')
            .any(|item| item.split('=').next() == Some("useDefaultLabel"));
        parse(
            path,
            Asked {
                default_label,
                post: false,
            },
        )
    }

    /// One line: `E name profiles label`, `M form name profiles label`, `F name profiles label path`.
    fn told(route: Route) -> String {
        let label = |label: Option<String>| label.unwrap_or_else(|| "-".to_owned());
        match route {
            Route::Environment {
                name,
                profiles,
                label: at,
            } => format!("E {name} {profiles} {}", label(at)),
            Route::Merged {
                form,
                name,
                profiles,
                label: at,
            } => format!("M {form:?} {name} {profiles} {}", label(at)),
            Route::File {
                name,
                profiles,
                label: at,
                path,
            } => format!("F {name} {profiles} {} {path}", label(at)),
            Route::Crypto(crypto) => format!("{crypto:?}"),
            Route::NotFound => "404".to_owned(),
            Route::BadRequest => "400".to_owned(),
        }
    }

    #[track_caller]
    fn check(cases: &[(&str, &str)]) {
        for (path, expected) in cases {
            assert_eq!(told(get(path)), *expected, "{path}");
        }
    }

    #[test]
    fn environments() {
        check(&[
            ("/foo/dev", "E foo dev -"),
            ("/foo/dev,cloud", "E foo dev,cloud -"),
            ("/foo/dev%2Ccloud", "E foo dev,cloud -"),
            ("/%66oo/d%65v", "E foo dev -"),
            ("/f%C3%B6o/dev", "E föo dev -"),
            ("/foo;a=b/dev;x=1", "E foo dev -"),
            ("/foo/dev/main", "E foo dev main"),
            ("/foo/dev/a.yml", "E foo dev a.yml"),
            ("/foo/dev/feature(_)x", "E foo dev feature(_)x"),
            ("/foo/dev/feature%2Fx", "E foo dev feature/x"),
            ("/foo/a.ymlx", "E foo a.ymlx -"),
            ("/foo/v1.2", "E foo v1.2 -"),
            ("/foo/dev-yml", "E foo dev-yml -"),
            ("/encrypt/foo/dev", "E encrypt foo dev"),
        ]);
    }

    #[test]
    fn merged_files_divide_at_the_last_hyphen() {
        check(&[
            ("/foo-dev.yml", "M Yaml foo dev -"),
            ("/foo-dev.yaml", "M Yaml foo dev -"),
            ("/foo-bar-dev.json", "M Json foo-bar dev -"),
            ("/foo-dev,cloud.properties", "M Properties foo dev,cloud -"),
            ("/foo-.yml", "M Yaml foo  -"),
            ("/-dev.yml", "M Yaml  dev -"),
            ("/main/foo-dev.yml", "M Yaml foo dev main"),
            ("/feature%2Fx/foo-dev.yml", "M Yaml foo dev feature/x"),
        ]);
    }

    #[test]
    fn plain_files() {
        check(&[
            ("/foo/dev/main/t.txt", "F foo dev main t.txt"),
            ("/foo/dev/main/sub//deep/f.conf", "F foo dev main sub//deep/f.conf"),
            ("/foo/dev/main/sub/", "F foo dev main sub/"),
            ("/foo/dev/main/", "F foo dev main "),
            ("/foo/dev/feature%2Fx/t.txt", "F foo dev feature/x t.txt"),
            ("/foo/dev/t.txt?useDefaultLabel", "F foo dev - t.txt"),
            ("/foo/dev/t.txt?useDefaultLabel=false&x=1", "F foo dev - t.txt"),
        ]);
    }

    #[test]
    fn what_is_no_route() {
        for path in [
            "",
            "/",
            "/foo",
            "/foo-dev",
            "/foo.yml",
            "/foo-dev.xml",
            "/foo/dev/",
            "//foo/dev",
            "/foo//dev",
            "/foo/dev.yml",
            "/foo/dev.json.x",
            "/foo/dev.properties",
            "/main/foo.yml",
            "/foo-dev.yml/",
        ] {
            assert_eq!(get(path), Route::NotFound, "{path}");
        }
    }

    #[test]
    fn what_a_container_refuses() {
        for path in [
            "/..%2Ffoo/dev",
            "/foo%2Fbar/dev",
            "/foo/dev%00",
            "/foo/dev%5Cx",
            "/foo/dev/main/..%2F..%2Fetc",
            "/foo/dev/main/%5c..%5cx",
            "/foo/dev/main/../../x",
            "/foo/dev/main/%2e%2e/x",
            "/foo/dev%",
            "/foo/dev%zz",
            "/foo/%FF",
            "/foo/dev/a%2Fb?useDefaultLabel",
            "/foo/dev/a%2F..%2Fb",
        ] {
            assert_eq!(get(path), Route::BadRequest, "{path}");
        }
    }

    #[test]
    fn the_method_tells_crypto_from_applications() {
        let post = Asked {
            post: true,
            ..Asked::default()
        };
        let whom = || Some(("foo".to_owned(), "dev".to_owned()));
        assert_eq!(
            parse("/encrypt/foo/dev", post),
            Route::Crypto(Crypto::Encrypt { whom: whom() })
        );
        for path in ["/decrypt", "/decrypt/"] {
            assert_eq!(parse(path, post), Route::Crypto(Crypto::Decrypt { whom: None }));
        }
        assert_eq!(get("/decrypt/"), Route::NotFound);
        assert_eq!(get("/key/foo/dev"), Route::Crypto(Crypto::Key { whom: whom() }));
        assert_eq!(get("/encrypt/status"), Route::Crypto(Crypto::Status));
        assert_eq!(told(get("/key/dev")), "E key dev -");
    }

    proptest! {
        #[test]
        fn no_path_panics_and_none_comes_out_with_a_backslash_or_nul(path in "[/a-z.;%025CcFf(_)\\-]{0,40}") {
            let text = format!("{:?}", parse(&path, Asked::default()));
            prop_assert!(!text.contains("\\\\") && !text.contains("\\0"));
        }
    }
}
