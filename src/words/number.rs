//! Numbers as the window writes them.

pub use modelens_core::number::{fixed, thousands, trimmed};

/// A measured value with about four digits and a real minus sign: `0.5296`, `−12.3`, `1.2e−7`.
pub fn measured(x: f64) -> String {
    let magnitude = x.abs();
    let digits = if x == 0.0 {
        "0".to_owned()
    } else if !x.is_finite() {
        return format!("{x}");
    } else if !(0.0005..1e7).contains(&magnitude) {
        format!("{magnitude:.1e}").replace("e-", "e\u{2212}")
    } else if magnitude < 10.0 {
        format!("{magnitude:.4}")
    } else if magnitude < 100.0 {
        format!("{magnitude:.2}")
    } else {
        format!("{magnitude:.1}")
    };
    with_sign(x, digits)
}

/// Two values with enough digits to distinguish them, if they differ.
pub fn told_apart([first, second]: [f64; 2]) -> [String; 2] {
    let short = [first, second].map(measured);
    if short[0] != short[1] || first == second {
        return short;
    }
    let is_small = first.abs() < 0.0005;
    let written = |x: f64, digits: usize| {
        if is_small {
            format!("{x:.digits$e}").replace('-', "\u{2212}")
        } else {
            fixed(x, digits)
        }
    };
    let mut longer = (2..=12).map(|digits| [first, second].map(|x| written(x, digits)));
    longer.find(|[a, b]| a != b).unwrap_or(short)
}

/// An angle with its sign: `+57.2°`.
pub fn angle(degrees: f64) -> String {
    let text = fixed(degrees, 1);
    let plus = if degrees > 0.0 && text.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        "+"
    } else {
        ""
    };
    format!("{plus}{text}°")
}

/// A percentage: `30%`, `30.5%`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if (percent - percent.round()).abs() < 0.05 {
        format!("{percent:.0}%")
    } else {
        format!("{percent:.1}%")
    }
}

/// A duration: `0.21 s`, `12 s`.
pub fn seconds(secs: f64) -> String {
    if secs < 9.95 {
        format!("{secs:.2} s")
    } else {
        format!("{secs:.0} s")
    }
}

/// A time that is an estimate: whole seconds, from a minute and a half on whole minutes.
pub fn estimate(secs: f64) -> String {
    if secs < 89.5 {
        format!("{:.0} s", secs.ceil().max(1.0))
    } else {
        format!("{:.0} min", (secs / 60.0).ceil())
    }
}

/// `1 photo`, `2 photos`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// A name of at most `most` characters; its middle is cut out.
pub fn shortened(name: &str, most: usize) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= most {
        return name.to_owned();
    }
    let kept = most.saturating_sub(1);
    let front: String = characters[..kept.div_ceil(2)].iter().collect();
    let back: String = characters[characters.len() - kept / 2..].iter().collect();
    format!("{front}…{back}")
}

fn with_sign(x: f64, digits: String) -> String {
    if x < 0.0 {
        format!("\u{2212}{digits}")
    } else {
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_are_told_apart_where_they_differ() {
        let apart = |a, b| told_apart([a, b]);
        assert_eq!(apart(0.5, 0.6), ["0.5000", "0.6000"]);
        assert_eq!(apart(0.885_833, 0.885_793), ["0.88583", "0.88579"]);
        assert_eq!(
            apart(2.51e-4, 2.52e-4),
            ["2.51e\u{2212}4", "2.52e\u{2212}4"]
        );
        assert_eq!(apart(0.1, 0.1), ["0.1000", "0.1000"]);
    }

    #[test]
    fn an_estimate_is_in_whole_seconds_or_minutes() {
        let told = [0.0, 0.2, 4.94, 89.0, 90.0, 3000.0].map(estimate);
        assert_eq!(told, ["1 s", "1 s", "5 s", "89 s", "2 min", "50 min"]);
    }

    #[test]
    fn measured_values_have_about_four_digits() {
        assert_eq!(measured(0.0), "0");
        assert_eq!(measured(0.529_61), "0.5296");
        assert_eq!(measured(-12.345), "−12.35");
        assert_eq!(measured(-0.000_012), "−1.2e−5");
        assert_eq!(measured(f64::NAN), "NaN");
    }

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        assert_eq!(angle(-0.01), "0.0°");
        assert_eq!(angle(0.01), "0.0°");
        assert_eq!(angle(57.24), "+57.2°");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("base.keras", 10), "base.keras");
        assert_eq!(shortened("a_very_long_name.keras", 11), "a_ver…keras");
    }

    #[test]
    fn percentages_show_a_decimal_only_where_it_says_something() {
        assert_eq!(percent(0.3), "30%");
        assert_eq!(percent(0.3047), "30.5%");
    }
}
