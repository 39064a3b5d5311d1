//! Reads a pipeline from Python code of the usual forms. Nothing is executed.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    AugmentLayer, Factor, FlipMode, KerasConfig, ParameterValue, Pipeline, RandomFlip,
    RandomGrayscale, RandomInvert, Transform,
};

/// The longest text that is read, in bytes.
pub const MOST_BYTES: usize = 64 << 10;
/// Calls inside calls, and lists inside lists, at most.
const DEPTH: usize = 24;

/// Classes that hold or feed layers and are no layers themselves.
const HOLDERS: [&str; 8] = [
    "Sequential",
    "Pipeline",
    "Input",
    "InputLayer",
    "Model",
    "Path",
    "Variable",
    "Dataset",
];
/// Transforms of torchvision that do what a layer of Keras does, with the default of their argument `p`.
/// RandomGrayscale has the same name as Keras' layer, and `v2` before it.
const TORCHVISION: [(&str, f64); 4] = [
    ("RandomHorizontalFlip", 0.5),
    ("RandomVerticalFlip", 0.5),
    ("RandomGrayscale", 0.1),
    ("RandomInvert", 0.5),
];
/// Arguments of every layer that do not change what it draws.
const COMMON: [&str; 7] = [
    "seed",
    "name",
    "dtype",
    "trainable",
    "input_shape",
    "data_format",
    "bounding_box_format",
];

/// Code that cannot be read as a list of layers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {why}")]
pub struct CodeError {
    /// Counted from 1.
    pub line: usize,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// `keras.layers.RandomFlip`, without spaces.
    Name(String),
    Number(f64),
    Text(String),
    Sign(char),
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Number(f64),
    Text(String),
    Flag(bool),
    None,
    List(Vec<Argument>),
}

impl Pipeline {
    /// The layers that code calls, in order: of a `keras.Sequential([...])`, a `v2.Compose([...])`, a list,
    /// calls of `add`, or calls of layers one after the other. Of torchvision, transforms are read that do
    /// what a layer of Keras does. Imports, comments and assignments are passed over.
    ///
    /// # Errors
    /// A layer that is not known, an argument that it does not take or that is no constant, and text
    /// without layers; with the line.
    pub fn from_code(text: &str) -> Result<Self, CodeError> {
        let at = |line: usize, why: &str| CodeError {
            line,
            why: why.to_owned(),
        };
        if text.len() > MOST_BYTES {
            return Err(at(1, "the text is too long for a list of layers"));
        }
        let tokens = tokens(text)?;
        let mut reader = Reader {
            tokens: &tokens,
            at: 0,
        };
        let mut layers = Vec::new();
        while let Some((token, line)) = reader.next() {
            let Token::Name(name) = token else {
                continue;
            };
            if name == "import" || name == "from" {
                reader.skip_line(*line);
            } else if reader.is_at('(') {
                layers.extend(reader.call(name, *line)?);
            }
        }
        if layers.is_empty() {
            return Err(at(
                1,
                "no layer is called; paste keras.Sequential([...]) or a list of layers",
            ));
        }
        Ok(layers.into_iter().collect())
    }
}

/// Cuts the text into names, numbers, strings and signs, each with its line.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, CodeError> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '\n' => {
                line += 1;
                1
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                let quote = if rest.starts_with(&first.to_string().repeat(3)) {
                    &rest[..3]
                } else {
                    &rest[..1]
                };
                let inside = &rest[quote.len()..];
                let end = inside.find(quote).ok_or_else(|| CodeError {
                    line,
                    why: "a string does not end".to_owned(),
                })?;
                tokens.push((Token::Text(inside[..end].to_owned()), line));
                line += inside[..end].matches('\n').count();
                end + 2 * quote.len()
            }
            c if c.is_ascii_digit()
                || c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let len = number_len(rest);
                let digits = rest[..len].replace('_', "");
                let number = digits.parse().map_err(|_| CodeError {
                    line,
                    why: format!("`{}` is no number", &rest[..len]),
                })?;
                tokens.push((Token::Number(number), line));
                len
            }
            c if c.is_alphabetic() || c == '_' => {
                let in_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                let len = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
                tokens.push((Token::Name(rest[..len].to_owned()), line));
                len
            }
            c => {
                if !c.is_whitespace() && c != '\\' {
                    tokens.push((Token::Sign(c), line));
                }
                c.len_utf8()
            }
        };
        rest = &rest[len..];
    }
    Ok(tokens)
}

/// The length of the number that the text begins with: digits, a point, an exponent.
fn number_len(text: &str) -> usize {
    let mut previous = ' ';
    let end = text.find(|c: char| {
        let sign = (c == '-' || c == '+') && matches!(previous, 'e' | 'E');
        previous = c;
        !(c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | 'E') || sign)
    });
    end.unwrap_or(text.len())
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a (Token, usize)> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn is_at(&self, sign: char) -> bool {
        matches!(self.tokens.get(self.at), Some((Token::Sign(found), _)) if *found == sign)
    }

    /// True if the sign was there, which is then passed.
    fn takes(&mut self, sign: char) -> bool {
        let found = self.is_at(sign);
        self.at += usize::from(found);
        found
    }

    fn skip_line(&mut self, line: usize) {
        while self
            .tokens
            .get(self.at)
            .is_some_and(|(_, own)| *own == line)
        {
            self.at += 1;
        }
    }

    /// The line of the token that comes next, or of the last one.
    fn line(&self) -> usize {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(1, |(_, line)| *line)
    }

    fn error(&self, why: String) -> CodeError {
        CodeError {
            line: self.line(),
            why,
        }
    }

    /// The layer that this call makes; `None` for a call that makes none.
    fn call(&mut self, name: &str, line: usize) -> Result<Option<AugmentLayer>, CodeError> {
        let class = name.rsplit('.').next().unwrap_or(name);
        let mut prefix = name.split('.').rev().skip(1);
        let is_class = class.starts_with(char::is_uppercase);
        if class == "Compose" {
            return Ok(None);
        }
        let of_torchvision = prefix.any(|part| matches!(part, "v2" | "transforms" | "T"));
        // Keras has no layers of the names of the two flips.
        if of_torchvision || TORCHVISION[..2].iter().any(|(own, _)| *own == class) {
            return self.torchvision(class, line).map(Some);
        }
        // A function, or a class that holds layers: what is inside its brackets is read as well.
        if !is_class || HOLDERS.contains(&class) {
            return Ok(None);
        }
        let known = Transform::all(1, 1).map(|transform| transform.class());
        if !known.contains(&class) {
            let distance = |known: &&&str| strsim::levenshtein(known, class);
            let near = known
                .iter()
                .min_by_key(distance)
                .filter(|near| distance(near) < 6);
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let why = format!("there is no layer `{class}`{hint}");
            return Err(CodeError { line, why });
        }
        let values = self.arguments(class, line)?;
        let config = Arguments { line, values };
        AugmentLayer::from_keras(class, &config)
    }

    /// A transform of torchvision that draws and does the same as a layer of Keras.
    fn torchvision(&mut self, class: &str, line: usize) -> Result<AugmentLayer, CodeError> {
        let Some((_, default)) = TORCHVISION.iter().find(|(own, _)| *own == class) else {
            let known = TORCHVISION.map(|(own, _)| own).join(", ");
            let why = format!("`{class}` of torchvision cannot be read; those that can: {known}");
            return Err(CodeError { line, why });
        };
        let values = self.arguments_of(class, &["p"], line)?;
        let config = Arguments { line, values };
        let p = config.number("p")?.unwrap_or(*default);
        let flip = |mode: FlipMode| match p {
            0.5 => Ok(Transform::Flip(RandomFlip { mode })),
            _ => config.wrong("p", "0.5, which is how Keras flips"),
        };
        let transform = match class {
            "RandomHorizontalFlip" => flip(FlipMode::Horizontal)?,
            "RandomVerticalFlip" => flip(FlipMode::Vertical)?,
            "RandomGrayscale" => Transform::Grayscale(RandomGrayscale { factor: p }),
            // Equal ends pin the probability, which Keras draws.
            _ => Transform::Invert(RandomInvert {
                factor: Factor::Pair(p, p),
                ..RandomInvert::default()
            }),
        };
        let layer = AugmentLayer::from(transform);
        let checked = layer.validate();
        checked.map_err(|error| config.refuse(error.to_string()))?;
        Ok(layer)
    }

    /// The arguments of a layer by name, from the opening bracket to the closing one.
    fn arguments(
        &mut self,
        class: &str,
        line: usize,
    ) -> Result<BTreeMap<String, Argument>, CodeError> {
        self.arguments_of(class, &argument_names(class), line)
    }

    /// The arguments of a call that has these names, in this order.
    fn arguments_of(
        &mut self,
        class: &str,
        names: &[&str],
        line: usize,
    ) -> Result<BTreeMap<String, Argument>, CodeError> {
        let mut values = BTreeMap::new();
        self.takes('(');
        let mut position = 0;
        while !self.takes(')') {
            let next = self.tokens.get(self.at..self.at + 2);
            let name = if let Some([(Token::Name(name), _), (Token::Sign('='), _)]) = next {
                self.at += 2;
                name.clone()
            } else {
                let name = names.get(position).ok_or_else(|| {
                    let most = names.len();
                    self.error(format!("{class} takes at most {most} values by position"))
                })?;
                position += 1;
                (*name).to_owned()
            };
            if !names.contains(&name.as_str()) && !COMMON.contains(&name.as_str()) {
                let why = format!(
                    "{class} has no argument `{name}`; it has {}",
                    names.join(", ")
                );
                return Err(CodeError { line, why });
            }
            // Shapes and names of types may be anything.
            let value = self.value(&name, DEPTH);
            match (value, COMMON[1..].contains(&name.as_str())) {
                (Ok(value), _) => {
                    values.insert(name, value);
                }
                (Err(error), false) => return Err(error),
                (Err(_), true) => self.skip_argument(),
            }
            if !self.takes(',') && !self.is_at(')') {
                return Err(self.error(format!("{class}(...) does not end, or a comma is missing")));
            }
        }
        Ok(values)
    }

    /// Passes over an argument that need not be understood.
    fn skip_argument(&mut self) {
        let mut depth = 0_usize;
        while let Some((token, _)) = self.tokens.get(self.at) {
            match token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}' | ',') if depth == 0 => return,
                Token::Sign(')' | ']' | '}') => depth -= 1,
                Token::Name(_) | Token::Number(_) | Token::Text(_) | Token::Sign(_) => {}
            }
            self.at += 1;
        }
    }

    /// A constant: a number or a product or quotient of some, a string, True, False, None, or a list.
    fn value(&mut self, name: &str, depth: usize) -> Result<Argument, CodeError> {
        let first = self.factor(name, depth)?;
        let Argument::Number(mut number) = first else {
            return Ok(first);
        };
        loop {
            let product = self.takes('*');
            if !product && !self.takes('/') {
                return Ok(Argument::Number(number));
            }
            let Argument::Number(other) = self.factor(name, depth)? else {
                return Err(self.error(format!("`{name}` is no number")));
            };
            number = if product {
                number * other
            } else {
                number / other
            };
        }
    }

    fn factor(&mut self, name: &str, depth: usize) -> Result<Argument, CodeError> {
        let unreadable = |reader: &Self| {
            reader.error(format!(
                "`{name}` is no constant; write its value as a number or a string"
            ))
        };
        if depth == 0 {
            return Err(unreadable(self));
        }
        let Some((token, _)) = self.tokens.get(self.at) else {
            return Err(unreadable(self));
        };
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Argument::Number(*number)),
            Token::Text(text) => Ok(Argument::Text(text.clone())),
            Token::Name(word) => match word.as_str() {
                "True" => Ok(Argument::Flag(true)),
                "False" => Ok(Argument::Flag(false)),
                "None" => Ok(Argument::None),
                _ => {
                    self.at -= 1;
                    Err(unreadable(self))
                }
            },
            Token::Sign('-') => match self.factor(name, depth - 1)? {
                Argument::Number(number) => Ok(Argument::Number(-number)),
                _ => Err(unreadable(self)),
            },
            Token::Sign(open @ ('(' | '[')) => {
                let close = if *open == '(' { ')' } else { ']' };
                let mut list = Vec::new();
                let mut comma = false;
                while !self.takes(close) {
                    list.push(self.value(name, depth - 1)?);
                    comma = self.takes(',');
                    if !comma && !self.is_at(close) {
                        return Err(unreadable(self));
                    }
                }
                // Brackets round one value only group it.
                match (open, list.len(), comma) {
                    ('(', 1, false) => Ok(list.remove(0)),
                    _ => Ok(Argument::List(list)),
                }
            }
            Token::Sign(_) => {
                self.at -= 1;
                Err(unreadable(self))
            }
        }
    }
}

/// The names of a layer's arguments, in the order of its constructor.
fn argument_names(class: &str) -> Vec<&'static str> {
    let mut all = Transform::all(1, 1).into_iter();
    let Some(mut transform) = all.find(|transform| transform.class() == class) else {
        return Vec::new();
    };
    let of = |parameter: super::Parameter<'_>| match parameter.value {
        ParameterValue::Sampling(_) => vec!["fill_mode", "interpolation", "fill_value"],
        _ => vec![parameter.name],
    };
    transform.parameters().into_iter().flat_map(of).collect()
}

/// The arguments of one call, read like a layer's configuration.
struct Arguments {
    line: usize,
    values: BTreeMap<String, Argument>,
}

impl Arguments {
    /// An argument that was passed and is not `None`.
    fn get(&self, key: &str) -> Option<&Argument> {
        self.values
            .get(key)
            .filter(|value| **value != Argument::None)
    }

    fn wrong<T>(&self, key: &str, what: &str) -> Result<T, CodeError> {
        Err(self.refuse(format!("`{key}` is not {what}")))
    }
}

impl KerasConfig for Arguments {
    type Error = CodeError;

    fn refuse(&self, why: String) -> CodeError {
        CodeError {
            line: self.line,
            why,
        }
    }

    fn text(&self, key: &str) -> Result<&str, CodeError> {
        match self.get(key) {
            None => Ok(""),
            Some(Argument::Text(text)) => Ok(text),
            Some(_) => self.wrong(key, "a string"),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, CodeError> {
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => self.wrong(key, "True or False"),
        }
    }

    fn count(&self, key: &str) -> Result<usize, CodeError> {
        match self.number(key)? {
            Some(number) if number >= 1.0 && number.fract() == 0.0 && number <= 1e9 => {
                Ok(number as usize)
            }
            _ => self.wrong(key, "a whole number of at least 1"),
        }
    }

    fn number(&self, key: &str) -> Result<Option<f64>, CodeError> {
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Number(number)) => Ok(Some(*number)),
            Some(_) => self.wrong(key, "a number"),
        }
    }

    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, CodeError> {
        let number = |value: &Argument| match value {
            Argument::Number(number) => Ok(*number),
            _ => self.wrong(key, "a list of numbers"),
        };
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Number(number)) => Ok(Some(vec![*number])),
            Some(Argument::List(list)) if !list.is_empty() => list
                .iter()
                .map(number)
                .collect::<Result<Vec<f64>, _>>()
                .map(Some),
            Some(_) => self.wrong(key, "a number or a list of numbers"),
        }
    }

    fn is_list(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Argument::List(_)))
    }

    fn seed(&self) -> Option<u64> {
        let Argument::Number(number) = self.get("seed")? else {
            return None;
        };
        (*number >= 0.0).then_some(*number as u64)
    }
}
