//! Shapes in words.

use std::fmt::Display;

/// A shape as a sentence names it: `[8, 8, 3]`, and `any` where only a photo will tell.
pub fn shape_text<T: Display>(shape: &[Option<T>]) -> String {
    let side = |n: &Option<T>| n.as_ref().map_or_else(|| "any".to_owned(), T::to_string);
    let sides: Vec<String> = shape.iter().map(side).collect();
    format!("[{}]", sides.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_sides_are_named() {
        assert_eq!(shape_text(&[Some(8), None, Some(3)]), "[8, any, 3]");
        assert_eq!(shape_text::<usize>(&[]), "[]");
    }
}
