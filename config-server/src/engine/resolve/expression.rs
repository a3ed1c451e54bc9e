//! Profile expressions: `dev`, `!prod`, `(dev | test) & !cloud` (contract 2.3).

use thiserror::Error;

/// Deepest nesting of parentheses and negations.
const DEEPEST: usize = 32;

/// When a document counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Profile(Box<str>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Why a text is no expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum ExpressionError {
    #[error("mixes `&` and `|` without parentheses")]
    Mixed,
    #[error("lacks a profile")]
    Empty,
    #[error("is nested too deeply")]
    Deep,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
}

/// What the tokens being read stand in; a negation takes just one operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Parentheses,
    Negation,
}

struct Reader<'t> {
    rest: &'t str,
}

impl Expression {
    /// # Errors
    /// [`ExpressionError`] as Spring refuses it.
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        Reader { rest: text }.operands(Within::Nothing, 0)
    }

    /// Whether it holds for the active `profiles`.
    pub(super) fn holds(&self, profiles: &[String]) -> bool {
        match self {
            Self::Profile(name) => profiles.iter().any(|profile| **profile == **name),
            Self::Not(inner) => !inner.holds(profiles),
            Self::All(operands) => operands.iter().all(|operand| operand.holds(profiles)),
            Self::Any(operands) => operands.iter().any(|operand| operand.holds(profiles)),
        }
    }
}

impl<'t> Reader<'t> {
    fn operands(&mut self, within: Within, depth: usize) -> Result<Expression, ExpressionError> {
        if depth > DEEPEST {
            return Err(ExpressionError::Deep);
        }
        let mut operands = Vec::new();
        let mut operator = None;
        while let Some(token) = self.token() {
            let operand = match token {
                "&" => {
                    operator = Some(same_operator(operator, Operator::And)?);
                    continue;
                }
                "|" => {
                    operator = Some(same_operator(operator, Operator::Or)?);
                    continue;
                }
                // A lone `)` closes what stands before it, as Spring reads it.
                ")" => {
                    let closed = combine(std::mem::take(&mut operands), operator.take())?;
                    if within == Within::Parentheses {
                        return Ok(closed);
                    }
                    operands.push(closed);
                    continue;
                }
                "!" => Expression::Not(Box::new(self.operands(Within::Negation, depth + 1)?)),
                "(" => self.operands(Within::Parentheses, depth + 1)?,
                profile => Expression::Profile(profile.into()),
            };
            if within == Within::Negation && token != "!" {
                return Ok(operand);
            }
            operands.push(operand);
        }
        combine(operands, operator)
    }

    fn token(&mut self) -> Option<&'t str> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = match self.rest.find(['(', ')', '&', '|', '!']) {
                Some(0) => 1,
                Some(end) => end,
                None => self.rest.len(),
            };
            let (token, rest) = self.rest.split_at(end);
            self.rest = rest;
            let token = token.trim();
            if !token.is_empty() {
                return Some(token);
            }
        }
    }
}

fn same_operator(before: Option<Operator>, operator: Operator) -> Result<Operator, ExpressionError> {
    match before {
        Some(other) if other != operator => Err(ExpressionError::Mixed),
        _ => Ok(operator),
    }
}

fn combine(mut operands: Vec<Expression>, operator: Option<Operator>) -> Result<Expression, ExpressionError> {
    match operands.len() {
        0 => Err(ExpressionError::Empty),
        1 => operands.pop().ok_or(ExpressionError::Empty),
        _ if operator == Some(Operator::And) => Ok(Expression::All(operands)),
        _ => Ok(Expression::Any(operands)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(expression: &str, profiles: &[&str]) -> bool {
        let profiles: Vec<String> = profiles.iter().map(|profile| (*profile).to_owned()).collect();
        Expression::parse(expression).unwrap().holds(&profiles)
    }

    #[test]
    fn expressions_hold_for_profiles() {
        assert!(holds("dev", &["dev"]));
        assert!(!holds("dev", &["Dev"]));
        assert!(holds("dev & cloud", &["cloud", "dev"]));
        assert!(!holds("dev & cloud", &["dev"]));
        assert!(holds("dev | cloud", &["cloud"]));
        assert!(holds("!dev & !cloud", &["prod"]));
        assert!(holds("(dev | test) & !cloud", &["test"]));
        assert!(!holds("(dev | test) & !cloud", &["test", "cloud"]));
        assert!(holds("!(dev & cloud)", &["dev"]));
        assert!(holds("! ! dev", &["dev"]));
        assert!(!holds("*", &["dev"]));
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(Expression::parse("a & b | c"), Err(ExpressionError::Mixed));
        assert_eq!(Expression::parse("  "), Err(ExpressionError::Empty));
        assert_eq!(Expression::parse("()"), Err(ExpressionError::Empty));
        assert_eq!(Expression::parse("!"), Err(ExpressionError::Empty));
        assert_eq!(Expression::parse(&"(".repeat(100)), Err(ExpressionError::Deep));
        assert!(Expression::parse("(a & b) | c").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab()&|! ]{0,30}") {
            let _ = Expression::parse(&text).map(|expression| expression.holds(&["a".to_owned()]));
        }
    }
}
