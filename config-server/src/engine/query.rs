//! What a request asks for, after the vetoes.

/// Application names and profiles of one request, each checked (contract 1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// As requested, after `(_)` became `/`: the `name` of the answer.
    pub name: String,
    /// The applications in rising precedence, without `application` in front.
    pub applications: Vec<String>,
    /// As requested: the one element of the answer's `profiles`.
    pub profiles_text: String,
    /// The profiles in request order.
    pub profiles: Vec<String>,
    /// As requested, after `(_)` became `/`; `None` when the URL had none.
    pub label: Option<String>,
}
