//! Shapes in messages.

use std::fmt::Display;

/// A shape for a message: `[8, any, 3]`, with `any` for an axis that depends on the photo.
pub fn shape_text<T: Display>(shape: &[Option<T>]) -> String {
    let side = |n: &Option<T>| n.as_ref().map_or_else(|| "any".to_owned(), T::to_string);
    let sides: Vec<String> = shape.iter().map(side).collect();
    format!("[{}]", sides.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_axes_are_any() {
        assert_eq!(shape_text(&[Some(8), None, Some(3)]), "[8, any, 3]");
        assert_eq!(shape_text::<usize>(&[]), "[]");
    }
}
