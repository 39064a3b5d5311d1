//! Suggests the names that a person may have meant.

use strsim::levenshtein;

/// Number of names that are suggested.
const MOST: usize = 5;

/// Up to five names similar to `wanted`, the most similar first: names a few letters away, names that
/// begin with it, and names that share a word with it.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    let mut close: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let known = name.to_lowercase();
            let distance = levenshtein(&wanted, &known);
            let begins = !wanted.is_empty() && known.starts_with(&wanted);
            let is_typing_error = distance <= (letters / 3).max(1);
            let rank = match (is_typing_error, begins, shares_a_word(&wanted, &known)) {
                (true, _, _) => 0,
                (false, true, _) => 1,
                (false, false, true) => 2,
                (false, false, false) => return None,
            };
            // No name is as long as the distance between two ranks.
            Some((rank * 10_000 + distance, name))
        })
        .collect();
    close.sort_by_key(|(far, _)| *far);
    close.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// `; the closest are a, b`, or nothing if there are no names.
pub fn the_closest(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("; the closest is {one}"),
        many => format!("; the closest are {}", many.join(", ")),
    }
}

/// True if a word of more than one letter occurs in both, or begins one in `known`.
fn shares_a_word(wanted: &str, known: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|w| w.len() > 1).map(str::to_owned).collect()
    };
    let (wanted, known) = (words(wanted), words(known));
    wanted
        .iter()
        .any(|w| known.iter().any(|k| k == w || k.starts_with(w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_close_is_named_closest_first() {
        let names = ["units", "dropped", "dropped_inference", "photo", "photos"];
        let of = |wanted: &str| nearest(wanted, names.into_iter());
        assert_eq!(of("unit"), ["units"]);
        assert_eq!(of("droped"), ["dropped"]);
        assert_eq!(
            of("units_dropped"),
            ["dropped", "units", "dropped_inference"]
        );
        assert_eq!(of("PHOTO"), ["photo", "photos"]);
        assert!(of("nosuch").is_empty());
        assert!(of("").is_empty());
        let many: Vec<String> = (0..9).map(|n| format!("fish{n}")).collect();
        assert_eq!(nearest("fish", many.iter().map(String::as_str)).len(), MOST);
    }
}
