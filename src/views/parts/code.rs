//! Lines of code that several views offer.

/// A call with the layer's name, on two lines if one would be too long for the card.
pub fn call(function: &str, layer: &str) -> String {
    const LONGEST: usize = 34;
    let between = if function.len() + layer.len() > LONGEST {
        "\n    "
    } else {
        ""
    };
    format!("{function}({between}\"{layer}\")")
}
