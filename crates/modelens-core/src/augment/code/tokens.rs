//! Cuts code into tokens.

use super::CodeError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `keras.layers.RandomFlip`, without spaces.
    Name(String),
    Number(f64),
    Text(String),
    Sign(char),
}

/// Cuts the text into names, numbers, strings and signs, each with its line.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, CodeError> {
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
