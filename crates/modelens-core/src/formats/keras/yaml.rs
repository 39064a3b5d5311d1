//! YAML as `model.to_yaml()` of Keras 1 and 2 writes it: block and flow collections, plain and quoted
//! scalars, anchors and aliases. Tags such as `!!python/tuple` say nothing that matters and are skipped, so
//! nothing is built but lists, maps and scalars. Source: <https://yaml.org/spec/1.1/>.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

/// Collections inside of each other, at most.
const MAX_DEPTH: usize = 64;
/// Values that aliases may repeat, in total.
const MAX_REPEATED: usize = 100_000;

/// The value of a document; `None` if it is not of this kind.
pub(super) fn parse(text: &str) -> Option<Value> {
    let lines = text.lines().filter_map(|line| {
        let content = line.trim_start_matches(' ');
        let is_content = !content.trim_end().is_empty() && !content.starts_with('#');
        let is_content = is_content && !matches!(content.trim_end(), "---" | "...");
        is_content.then(|| Line {
            indent: line.len() - content.len(),
            text: content.trim_end().to_owned(),
        })
    });
    let mut parser = Parser {
        lines: lines.collect(),
        at: 0,
        anchors: HashMap::new(),
        repeated: 0,
    };
    let value = parser.block(0)?;
    (parser.at == parser.lines.len()).then_some(value)
}

struct Line {
    indent: usize,
    text: String,
}

struct Parser {
    lines: Vec<Line>,
    at: usize,
    anchors: HashMap<String, Value>,
    repeated: usize,
}

/// A key and what follows its colon; `None` if the line has no key.
fn key(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let end = text[1..].find(quote)? + 1;
        let rest = text[end + 1..].strip_prefix(':')?;
        return Some((text[1..end].to_owned(), rest.trim_start()));
    }
    if text.starts_with(['{', '[']) {
        return None;
    }
    match text.find(": ") {
        Some(at) => Some((text[..at].to_owned(), text[at + 2..].trim_start())),
        None => Some((text.strip_suffix(':')?.to_owned(), "")),
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

impl Parser {
    /// The collection or scalar that begins at this line.
    fn block(&mut self, depth: usize) -> Option<Value> {
        let line = self.lines.get(self.at)?;
        if depth > MAX_DEPTH {
            return None;
        }
        let indent = line.indent;
        if is_item(&line.text) {
            return self.sequence(indent, depth);
        }
        if key(&line.text).is_some() {
            return self.mapping(indent, depth);
        }
        let text = std::mem::take(&mut self.lines[self.at].text);
        self.at += 1;
        self.value(&text, indent, depth)
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        while let Some(line) = self.lines.get_mut(self.at)
            && line.indent == indent
            && is_item(&line.text)
        {
            let rest = line.text[1..].trim_start().to_owned();
            if key(&rest).is_some() || is_item(&rest) {
                // What follows the dash is the first line of a collection of its own.
                line.indent = indent + (line.text.len() - rest.len());
                line.text = rest;
                items.push(self.block(depth + 1)?);
            } else {
                self.at += 1;
                items.push(self.value(&rest, indent, depth)?);
            }
        }
        Some(Value::Array(items))
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        while let Some(line) = self.lines.get(self.at)
            && line.indent == indent
            && !is_item(&line.text)
        {
            let (key, rest) = key(&line.text)?;
            let rest = rest.to_owned();
            self.at += 1;
            let value = self.value(&rest, indent, depth)?;
            map.insert(key, value);
        }
        Some(Value::Object(map))
    }

    /// The value after a key or a dash at this indent: on the same line, or on the following ones.
    fn value(&mut self, text: &str, indent: usize, depth: usize) -> Option<Value> {
        let (mut text, mut anchor) = (text, None);
        loop {
            let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
            match word.chars().next() {
                Some('!') => {}
                Some('&') => anchor = Some(word[1..].to_owned()),
                _ => break,
            }
            text = rest.trim_start();
        }
        let value = if let Some(name) = text.strip_prefix('*') {
            let value = self.anchors.get(name)?.clone();
            self.repeated += count(&value);
            (self.repeated <= MAX_REPEATED).then_some(value)?
        } else if text.is_empty() {
            match self.lines.get(self.at) {
                Some(next) if next.indent > indent => self.block(depth + 1)?,
                // The items of a list may be as far left as its key.
                Some(next) if next.indent == indent && is_item(&next.text) => {
                    self.sequence(indent, depth + 1)?
                }
                _ => Value::Null,
            }
        } else if text.starts_with(['[', '{', '"', '\'']) {
            let mut whole = text.to_owned();
            // Long collections go on in the next lines.
            while !is_closed(&whole) {
                let next = self.lines.get(self.at)?;
                whole.push(' ');
                whole.push_str(&next.text);
                self.at += 1;
            }
            let mut flow = Flow { rest: &whole };
            let value = flow.value(depth + 1)?;
            flow.rest.trim().is_empty().then_some(value)?
        } else {
            scalar(text)
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, value.clone());
        }
        Some(value)
    }
}

/// Values inside of a value, itself included.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// True if every bracket and quote is closed.
fn is_closed(text: &str) -> bool {
    let (mut open, mut quote) = (0_usize, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open = open.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
    }
    open == 0 && quote.is_none()
}

/// A collection in brackets.
struct Flow<'a> {
    rest: &'a str,
}

impl Flow<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        // Tags and anchors in front of an inner value.
        while self.rest.starts_with(['!', '&']) {
            self.rest = self.rest.split_once(' ')?.1.trim_start();
        }
        let first = self.rest.chars().next()?;
        match first {
            '[' => {
                self.rest = &self.rest[1..];
                let mut items = Vec::new();
                while !self.takes(']') {
                    items.push(self.value(depth + 1)?);
                    if !self.takes(',') && !self.rest.starts_with(']') {
                        return None;
                    }
                }
                Some(Value::Array(items))
            }
            '{' => {
                self.rest = &self.rest[1..];
                let mut map = Map::new();
                while !self.takes('}') {
                    let (key, rest) = self.rest.split_once(':')?;
                    let key = key.trim().trim_matches(['"', '\'']).to_owned();
                    self.rest = rest;
                    map.insert(key, self.value(depth + 1)?);
                    if !self.takes(',') && !self.rest.starts_with('}') {
                        return None;
                    }
                }
                Some(Value::Object(map))
            }
            '"' | '\'' => {
                let end = self.rest[1..].find(first)? + 1;
                let text = self.rest[1..end].to_owned();
                self.rest = &self.rest[end + 1..];
                Some(Value::String(text))
            }
            _ => {
                let end = self.rest.find([',', ']', '}']).unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                let text = text.trim();
                // PyYAML writes aliases of lists, which are never inside of brackets.
                (!text.starts_with('*')).then(|| scalar(text))
            }
        }
    }

    /// Skips this mark if it comes next.
    fn takes(&mut self, mark: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

/// A scalar without quotes.
fn scalar(text: &str) -> Value {
    match text {
        "null" | "~" | "" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Number(whole.into());
    }
    let begins_like_a_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let number = text.parse::<f64>().ok().filter(|_| begins_like_a_number);
    match number.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn block_and_flow_as_pyyaml_writes_them() {
        let block = "backend: tensorflow\nclass_name: Sequential\nconfig:\n  layers:\n  - class_name: Conv2D\n    config:\n      batch_input_shape: !!python/tuple\n      - null\n      - 28\n      epsilon: 1.0e-05\n      kernel_size: &id001 !!python/tuple\n      - 3\n      - 3\n      strides: *id001\n      initializer:\n        class_name: Zeros\n        config: {}\n  name: 'a b'\nkeras_version: 2.4.0\n";
        let expected = json!({"backend": "tensorflow", "class_name": "Sequential", "config": {
            "layers": [{"class_name": "Conv2D", "config": {"batch_input_shape": [null, 28],
                "epsilon": 1e-5, "kernel_size": [3, 3], "strides": [3, 3],
                "initializer": {"class_name": "Zeros", "config": {}}}}],
            "name": "a b"}, "keras_version": "2.4.0"});
        assert_eq!(parse(block), Some(expected));
        let flow = "config:\n- class_name: Dense\n  config:\n    shape: !!python/tuple [null, 28,\n      28]\n    kernel: {class_name: Zeros, config: {scale: 1.0, seed: null, mode: fan_avg}}\n    on: true\n";
        let expected = json!({"config": [{"class_name": "Dense", "config": {
            "shape": [null, 28, 28],
            "kernel": {"class_name": "Zeros", "config": {"scale": 1.0, "seed": null, "mode": "fan_avg"}},
            "on": true}}]});
        assert_eq!(parse(flow), Some(expected));
    }

    #[test]
    fn other_text_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg"].map(|s| s.split_at(1)) {
            let item = format!("- *{from}\n");
            bomb.extend([to, ": &", to, "\n", &item.repeat(10)]);
        }
        for text in [
            "a: [1, 2",
            "a: {b c}",
            "a: *nothing",
            "a: 1\n    b: 2\n",
            &deep,
            &bomb,
        ] {
            assert_eq!(
                parse(text),
                None,
                "{}",
                text.chars().take(40).collect::<String>()
            );
        }
    }
}
