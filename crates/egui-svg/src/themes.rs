//! One SVG with the colours of two themes: it follows the scheme of the page or the system.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::ids::{self, MARK};

/// What style sheets can set, and the value where an element does not name it.
const STYLED: [(&str, &str); 8] = [
    ("fill", "black"),
    ("fill-opacity", "1"),
    ("stroke", "none"),
    ("stroke-opacity", "1"),
    ("stroke-width", "1"),
    ("stop-color", "black"),
    ("stop-opacity", "1"),
    ("opacity", "1"),
];

/// Joins a light and a dark drawing of the same things into one SVG whose style sheet asks for
/// `prefers-color-scheme`. Programs without style sheets show the light one. Both are finished
/// documents of this crate.
pub fn with_dark_theme(light: &str, dark: &str) -> String {
    let [light, dark] = [light, dark].map(|svg| match prefix(svg) {
        Some(prefix) => svg.replace(prefix, &MARK.to_string()),
        None => svg.to_owned(),
    });
    let document = joined(&light, &dark).unwrap_or_else(|| both(&light, &dark));
    ids::unique(&document)
}

/// The prefix of a document's ids.
fn prefix(svg: &str) -> Option<&str> {
    let (_, rest) = svg.split_once("aria-labelledby=\"")?;
    let (id, _) = rest.split_once('"')?;
    id.strip_suffix('t')
}

/// The classes that dark colours need, by what they set.
#[derive(Default)]
struct Classes(BTreeMap<String, usize>);

impl Classes {
    fn of(&mut self, style: String) -> String {
        let next = self.0.len();
        let number = *self.0.entry(style).or_insert(next);
        format!("{MARK}k{number}")
    }
}

/// One drawing with classes; `None` if the drawings differ in more than styles and pictures.
fn joined(light: &str, dark: &str) -> Option<String> {
    let mut classes = Classes::default();
    let mut body = String::with_capacity(light.len() * 5 / 4);
    let mut dark_lines = dark.lines();
    for line in light.lines() {
        let other = dark_lines.next()?;
        if line == other {
            body.push_str(line);
        } else if let Some(pictures) = pictures(line, other) {
            body.push_str(&pictures);
        } else {
            body.push_str(&line_of(line, other, &mut classes)?);
        }
        body.push('\n');
    }
    if dark_lines.next().is_some() {
        return None;
    }
    let mut style = format!(
        "<style>.{MARK}d{{display:none}}@media (prefers-color-scheme:dark){{.{MARK}l{{display:none}}\
         .{MARK}d{{display:inline}}"
    );
    for (rules, number) in &classes.0 {
        let _ = write!(style, ".{MARK}k{number}{{{rules}}}");
    }
    style.push_str("}</style>\n");
    Some(body.replacen("<defs>\n", &format!("<defs>\n{style}"), 1))
}

/// Two pictures under one id, if both lines are pictures.
fn pictures(light: &str, dark: &str) -> Option<String> {
    let (id, light) = light.strip_prefix("<image id=\"")?.split_once('"')?;
    let dark = dark.strip_prefix("<image id=\"")?.strip_prefix(id)?;
    let dark = dark.strip_prefix('"')?;
    Some(format!(
        "<g id=\"{id}\"><image class=\"{MARK}l\"{light}<image class=\"{MARK}d\"{dark}</g>"
    ))
}

/// A line in which elements differ in style.
fn line_of(light: &str, dark: &str, classes: &mut Classes) -> Option<String> {
    let mut out = String::with_capacity(light.len() + 32);
    let [mut light, mut dark] = [light, dark];
    while !light.is_empty() {
        let (text, tag, rest) = next_tag(light)?;
        let (other_text, other_tag, other_rest) = next_tag(dark)?;
        if text != other_text {
            return None;
        }
        out.push_str(text);
        if tag == other_tag {
            out.push_str(tag);
        } else {
            out.push_str(&tag_of(tag, other_tag, classes)?);
        }
        [light, dark] = [rest, other_rest];
    }
    dark.is_empty().then_some(out)
}

/// The text before the next tag, the tag, and what follows.
fn next_tag(line: &str) -> Option<(&str, &str, &str)> {
    let Some(start) = line.find('<') else {
        return Some((line, "", ""));
    };
    let end = start + line[start..].find('>')? + 1;
    Some((&line[..start], &line[start..end], &line[end..]))
}

/// The light tag with a class that makes it the dark one.
fn tag_of(light: &str, dark: &str, classes: &mut Classes) -> Option<String> {
    let (name, light_attributes) = attributes(light)?;
    let (dark_name, dark_attributes) = attributes(dark)?;
    let is_styled = |(key, _): &&(&str, &str)| STYLED.iter().any(|(styled, _)| styled == key);
    let other = |all: &[(&str, &str)]| -> Vec<String> {
        let other = all.iter().filter(|a| !is_styled(a));
        other.map(|(key, value)| format!("{key}={value}")).collect()
    };
    if name != dark_name || other(&light_attributes) != other(&dark_attributes) {
        return None;
    }
    let mut style = String::new();
    for (key, default) in STYLED {
        let [a, b] = [&light_attributes, &dark_attributes].map(|all| {
            let found = all.iter().find(|(k, _)| *k == key);
            found.map_or(default, |(_, value)| *value)
        });
        if a != b {
            let _ = write!(style, "{key}:{b};");
        }
    }
    let class = classes.of(style);
    let at = 1 + name.len();
    Some(format!("<{name} class=\"{class}\"{}", &light[at..]))
}

/// The name of a tag and its attributes.
fn attributes(tag: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let inner = tag.strip_prefix('<')?.trim_end_matches(['>', '/']);
    let (name, mut rest) = inner.split_once(' ')?;
    let mut all = Vec::new();
    while let Some((key, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"')?;
        all.push((key.trim(), value));
        rest = next;
    }
    Some((name, all))
}

/// Both drawings, of which one is shown.
fn both(light: &str, dark: &str) -> String {
    // Ids of the dark drawing get a letter of their own.
    let dark = dark.replace(MARK, &format!("{MARK}n"));
    let split = |svg: &str| -> Option<[String; 3]> {
        let (head, rest) = svg.split_once("<defs>\n")?;
        let (defs, body) = rest.split_once("</defs>\n")?;
        let body = body.strip_suffix("</svg>\n")?;
        Some([head, defs, body].map(str::to_owned))
    };
    let (Some([head, defs, body]), Some([_, dark_defs, dark_body])) = (split(light), split(&dark))
    else {
        return light.to_owned();
    };
    format!(
        "{head}<defs>\n<style>.{MARK}d{{display:none}}@media (prefers-color-scheme:dark)\
         {{.{MARK}l{{display:none}}.{MARK}d{{display:inline}}}}</style>\n{defs}{dark_defs}</defs>\n\
         <g class=\"{MARK}l\">\n{body}</g>\n<g class=\"{MARK}d\">\n{dark_body}</g>\n</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(prefix: &str, defs: &str, body: &str) -> String {
        format!(
            "<svg role=\"img\" aria-labelledby=\"{prefix}t\">\n<defs>\n{defs}</defs>\n{body}</svg>\n"
        )
    }

    #[test]
    fn colours_become_classes() {
        let light = document(
            "f1-",
            "",
            "<rect x=\"1\" fill=\"#ffffff\"/>\n<text fill=\"#000000\"><tspan x=\"1\">a</tspan></text>\n",
        );
        let dark = light.replace("f1-", "f2-");
        let dark = dark.replace("\"#ffffff\"", "\"#111111\" fill-opacity=\"0.5\"");
        let svg = with_dark_theme(&light, &dark.replace("#000000", "#eeeeee"));
        assert!(svg.contains("k0{fill:#111111;fill-opacity:0.5;}"), "{svg}");
        assert!(svg.contains("k1{fill:#eeeeee;}"), "{svg}");
        assert!(svg.contains("k0\" x=\"1\" fill=\"#ffffff\"/>"), "{svg}");
        assert!(!svg.contains(MARK) && !svg.contains("f1-"));
        assert_eq!(svg.matches("<rect").count(), 1);
    }

    #[test]
    fn pictures_and_other_drawings_are_kept_twice() {
        let picture =
            |data: &str| format!("<image id=\"f1-i0\" width=\"2\" xlink:href=\"{data}\"/>\n");
        let [light, dark] = ["a", "b"].map(|data| document("f1-", &picture(data), "<g/>\n"));
        let svg = with_dark_theme(&light, &dark);
        assert_eq!(svg.matches("<image class=").count(), 2, "{svg}");
        assert_eq!(svg.matches("<g id=").count(), 1);
        let more = document("f1-", "", "<g/>\n<g/>\n");
        let svg = with_dark_theme(&light, &more);
        assert!(
            svg.contains("l\">\n<g/>\n</g>") && svg.contains("d\">\n<g/>\n<g/>\n</g>"),
            "{svg}"
        );
    }
}
