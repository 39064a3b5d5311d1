//! The names that a person may have meant.

/// Names that are shown.
const MOST: usize = 5;

/// Up to five of the names that come closest to `wanted`: those that begin with it or hold one of
/// its words, and those a few letters away; the closest first.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    let mut close: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let known = name.to_lowercase();
            let distance = distance(&wanted, &known);
            let begins = !wanted.is_empty() && known.starts_with(&wanted);
            let is_typing_error = distance <= (letters / 3).max(1);
            let rank = match (is_typing_error, begins, shares_a_word(&wanted, &known)) {
                (true, _, _) => 0,
                (false, true, _) => 1,
                (false, false, true) => 2,
                (false, false, false) => return None,
            };
            // Ranks are apart by more than names are long.
            Some((rank * 10_000 + distance, name))
        })
        .collect();
    close.sort_by_key(|(far, _)| *far);
    close.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// `; the closest are a, b`, or nothing where no name comes near.
pub fn the_closest(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("; the closest is {one}"),
        many => format!("; the closest are {}", many.join(", ")),
    }
}

/// A word of one letter says nothing.
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

/// Letters to insert, leave out or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_letters_changed() {
        for (a, b, far) in [
            ("", "", 0),
            ("units", "unit", 1),
            ("dropped", "droped", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
        ] {
            assert_eq!([distance(a, b), distance(b, a)], [far, far], "{a} {b}");
        }
    }

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
