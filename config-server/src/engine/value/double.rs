//! Doubles as Java writes them: the shortest digits that read back as the same number, but at least
//! two, in plain form from 10⁻³ up to 10⁷ and with an `E` beyond.

use std::fmt::{self, Write};

/// Writes `number` as `Double.toString` does.
pub(super) fn write(out: &mut impl Write, number: f64) -> fmt::Result {
    if number.is_nan() {
        return out.write_str("NaN");
    }
    if number.is_infinite() {
        return out.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if number == 0.0 {
        return out.write_str(if number.is_sign_negative() { "-0.0" } else { "0.0" });
    }
    let spelt = digits(number.abs());
    // `{:e}` always has an exponent in the range of an i32.
    let (mantissa, exponent) = spelt.split_once('e').unwrap_or((&spelt, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if number < 0.0 {
        out.write_char('-')?;
    }
    match exponent {
        -3..=-1 => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            write!(out, "0.{:0<zeros$}{first}{rest}", "")
        }
        0..=6 => {
            let whole = usize::try_from(exponent).unwrap_or(0);
            let (whole, fraction) = rest.split_at(whole.min(rest.len()));
            let zeros = usize::try_from(exponent).unwrap_or(0) - whole.len();
            let fraction = if fraction.is_empty() { "0" } else { fraction };
            write!(out, "{first}{whole}{:0<zeros$}.{fraction}", "")
        }
        _ => {
            let rest = if rest.is_empty() { "0" } else { rest };
            write!(out, "{first}.{rest}E{exponent}")
        }
    }
}

/// The shortest digits in scientific form. Where one digit is enough, Java looks among those of two
/// for the nearest: the smallest double is 4.9E-324, not 5E-324.
fn digits(number: f64) -> String {
    let shortest = format!("{number:e}");
    if shortest.contains('.') {
        return shortest;
    }
    let two = format!("{number:.1e}");
    if two.parse() == Ok(number) && !two.contains(".0e") {
        two
    } else {
        shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: f64, expected: &str) {
        let mut out = String::new();
        write(&mut out, number).expect("a string");
        assert_eq!(out, expected);
    }

    #[test]
    fn doubles_are_spelt_as_in_java() {
        check(1.0, "1.0");
        check(-0.0, "-0.0");
        check(0.1, "0.1");
        check(1.10, "1.1");
        check(100.0, "100.0");
        check(9_999_999.0, "9999999.0");
        check(10_000_000.0, "1.0E7");
        check(12_345_678.9, "1.23456789E7");
        check(0.001, "0.001");
        check(0.012_5, "0.0125");
        check(0.0001, "1.0E-4");
        check(1.5e-7, "1.5E-7");
        check(1e10, "1.0E10");
        check(1e21, "1.0E21");
        check(3.402_823_5e38, "3.4028235E38");
        check(f64::from_bits(1), "4.9E-324");
        check(2e-323, "2.0E-323");
        check(f64::MAX, "1.7976931348623157E308");
        check(-1234.5, "-1234.5");
        check(f64::INFINITY, "Infinity");
        check(f64::NEG_INFINITY, "-Infinity");
        check(f64::NAN, "NaN");
    }
}
