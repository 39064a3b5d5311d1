//! Reads a pipeline from Python code of the usual forms. Nothing is executed.

mod arguments;
mod imports;
mod tokens;
mod torchvision;

use std::collections::BTreeMap;

use thiserror::Error;

use super::{AugmentLayer, Framework, ParameterValue, Pipeline, Transform};
use arguments::{Argument, Arguments};
use imports::Imports;
use tokens::{Token, tokens};

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
/// Arguments of every layer that do not change what it draws.
const COMMON: [&str; 10] = [
    "seed",
    "name",
    "dtype",
    "trainable",
    "input_shape",
    "data_format",
    "bounding_box_format",
    "inplace",
    "num_classes",
    "labels_getter",
];

/// Code that cannot be read as a list of layers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {why}")]
pub struct CodeError {
    /// Counted from 1.
    pub line: usize,
    pub why: String,
}

impl Pipeline {
    /// The layers that code calls, in order: of a `keras.Sequential([...])`, a `v2.Compose([...])`, a list,
    /// calls of `add`, or calls of layers one after the other. Imports, comments and assignments are passed
    /// over. Of several `Compose`, it is the first that draws, which is the one for training.
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
            imports: Imports::of(&tokens),
            composed: false,
        };
        // Each `Compose` on its own, and what is in none.
        let mut composed: Vec<Vec<AugmentLayer>> = Vec::new();
        let mut others = Vec::new();
        let mut end = 0;
        while let Some((token, line)) = reader.next() {
            let Token::Name(name) = token else {
                continue;
            };
            if name == "import" || name == "from" {
                reader.skip_line(*line);
            } else if reader.is_at('(') {
                let inside = reader.at < end;
                if class_of(name) == COMPOSE && !inside {
                    end = reader.closing();
                    composed.push(Vec::new());
                }
                reader.composed = inside;
                let layers = reader.call(name, *line)?;
                match composed.last_mut() {
                    Some(own) if inside => own.extend(layers),
                    _ => others.extend(layers),
                }
            }
        }
        let first_with = |found: fn(&AugmentLayer) -> bool| {
            let has = |layers: &Vec<AugmentLayer>| layers.iter().any(found);
            composed.iter().position(has)
        };
        let layers = match first_with(AugmentLayer::is_random).or(first_with(|_| true)) {
            Some(first) => {
                // What mixes a batch stands outside of the transforms of one image.
                others.retain(AugmentLayer::mixes_labels);
                [composed.swap_remove(first), others].concat()
            }
            None => others,
        };
        if layers.is_empty() {
            return Err(at(
                1,
                "no layer is called; paste keras.Sequential([...]), v2.Compose([...]) or a list of layers",
            ));
        }
        Ok(layers.into_iter().collect())
    }
}

/// The class that holds transforms of torchvision.
const COMPOSE: &str = "Compose";

/// The last part of a name with points.
fn class_of(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
    imports: Imports,
    /// True inside of the brackets of a `Compose`.
    composed: bool,
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

    /// The place of the bracket that closes the one that comes next, or the end.
    fn closing(&self) -> usize {
        let mut depth = 0_usize;
        let closes = |(token, _): &(Token, usize)| {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.saturating_sub(1),
                Token::Name(_) | Token::Number(_) | Token::Text(_) | Token::Sign(_) => {}
            }
            depth == 0
        };
        let rest = self.tokens[self.at..].iter();
        self.at
            + rest
                .map(closes)
                .position(|closed| closed)
                .unwrap_or(usize::MAX >> 1)
    }

    /// The layers that this call makes; none for a call that makes none.
    fn call(&mut self, name: &str, line: usize) -> Result<Vec<AugmentLayer>, CodeError> {
        let class = class_of(name);
        // A function, or a class that holds layers: what is inside its brackets is read as well.
        if class == COMPOSE || !class.starts_with(char::is_uppercase) || HOLDERS.contains(&class) {
            return Ok(Vec::new());
        }
        match self.imports.framework(name, self.composed) {
            Framework::Torchvision => self.torchvision(class, line),
            Framework::Keras if !is_known(class) => Err(unknown(class, Framework::Keras, line)),
            Framework::Keras => {
                let layer = self.layer(class, class, line)?;
                Ok(vec![layer])
            }
        }
    }

    /// Reads the arguments of the layer `id` of the table, which the code calls `class`.
    fn layer(&mut self, id: &str, class: &str, line: usize) -> Result<AugmentLayer, CodeError> {
        let names = argument_names(id);
        let values = self.arguments_of(class, &names, line)?;
        let layer = AugmentLayer::read(id, &Arguments { line, values })?;
        layer.ok_or_else(|| unknown(class, Framework::Keras, line))
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
                    if let Some(text) = torchvision::constant(word) {
                        Ok(Argument::Text(text))
                    } else {
                        self.at -= 1;
                        Err(unreadable(self))
                    }
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

/// A class that is not known, with the nearest one that is.
fn unknown(class: &str, framework: Framework, line: usize) -> CodeError {
    let known = Transform::all(1, 1).into_iter();
    let known = known
        .filter(|transform| transform.framework() == framework)
        .map(|transform| transform.class());
    let distance = |id: &&str| strsim::levenshtein(class_of(id), class);
    let near = known.min_by_key(distance).filter(|id| distance(id) < 6);
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let what = match framework {
        Framework::Keras => "there is no layer",
        Framework::Torchvision => "torchvision has no transform that is known here as",
    };
    CodeError {
        line,
        why: format!("{what} `{class}`{hint}"),
    }
}

/// True if the table has it.
fn is_known(id: &str) -> bool {
    Transform::all(1, 1)
        .iter()
        .any(|transform| transform.class() == id)
}

/// The names of the arguments of a layer of the table, in the order of its constructor.
fn argument_names(id: &str) -> Vec<&'static str> {
    let mut all = Transform::all(1, 1).into_iter();
    let Some(mut transform) = all.find(|transform| transform.class() == id) else {
        return Vec::new();
    };
    let of = |parameter: super::Parameter<'_>| match parameter.value {
        ParameterValue::Sampling(_) => vec!["fill_mode", "interpolation", "fill_value"],
        _ => vec![parameter.name],
    };
    transform.parameters().into_iter().flat_map(of).collect()
}
