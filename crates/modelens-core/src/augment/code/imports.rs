//! What the imports of a piece of code say about its names.

use super::tokens::Token;
use super::{class_of, is_known};
use crate::augment::Framework;

/// Names that people give to torchvision's modules.
const USUAL: [&str; 5] = ["torchvision", "transforms", "v2", "T", "transforms_v2"];

/// The names that code gives to torchvision's modules and transforms.
pub(super) struct Imports {
    of_torchvision: Vec<String>,
}

impl Imports {
    /// Reads the imports: `import torchvision.transforms as T`, `from torchvision import transforms as tf`,
    /// `from torchvision.transforms.v2 import (Compose, RandomCrop)`.
    pub fn of(tokens: &[(Token, usize)]) -> Self {
        let mut of_torchvision: Vec<String> = USUAL.map(str::to_owned).into();
        for (place, (token, line)) in tokens.iter().enumerate() {
            let (Token::Name(word), Some((Token::Name(module), _))) =
                (token, tokens.get(place + 1))
            else {
                continue;
            };
            let imports = word == "from" || word == "import";
            if !imports || module.split('.').next() != Some("torchvision") {
                continue;
            }
            // To the end of the line, or of the bracket that begins on it.
            let mut depth = 0;
            for (token, own) in &tokens[place + 2..] {
                if *own != *line && depth == 0 {
                    break;
                }
                match token {
                    Token::Name(name) => of_torchvision.push(name.clone()),
                    Token::Sign('(') => depth += 1,
                    Token::Sign(')') if depth > 0 => depth -= 1,
                    Token::Number(_) | Token::Text(_) | Token::Sign(_) => {}
                }
            }
        }
        Self { of_torchvision }
    }

    /// The framework whose class a name calls. A bare name of both frameworks is torchvision's if it was
    /// imported from there or stands inside of a `Compose`.
    pub fn framework(&self, name: &str, composed: bool) -> Framework {
        let imported = |part: &str| self.of_torchvision.iter().any(|own| own == part);
        let class = class_of(name);
        let of_torchvision = match name
            .strip_suffix(class)
            .map(|prefix| prefix.trim_end_matches('.'))
        {
            Some("") | None => {
                composed || imported(class) || !is_known(class) && is_known(&format!("v2.{class}"))
            }
            Some(prefix) => prefix.split('.').any(imported),
        };
        if of_torchvision {
            Framework::Torchvision
        } else {
            Framework::Keras
        }
    }
}
