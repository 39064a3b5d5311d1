//! Why a batch mean is another one than before: an earlier layer does something else now.

use crate::model::Role;
use crate::words::number::count;

/// An earlier layer that does something else than under the setting before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierChange {
    pub name: String,
    pub role: Role,
    /// A BatchNorm: whether it uses the batch now; a random layer: whether it draws now.
    pub active: bool,
}

/// What the mean was and is, the nearest change, and the number of layers that changed like it.
pub fn changed_before([was, is]: &[String; 2], nearest: &EarlierChange, all: usize) -> String {
    let name = &nearest.name;
    let does = match (nearest.role, nearest.active) {
        (Role::BatchNorm, true) => "uses the batch now",
        (Role::BatchNorm, false) => "uses its stored statistics now",
        (Role::Noise | Role::Augmentation | Role::Weights | Role::Plain, true) => "draws now",
        (Role::Noise | Role::Augmentation | Role::Weights | Role::Plain, false) => "is off now",
    };
    let others = all.saturating_sub(1);
    let also = match nearest.role {
        _ if others == 0 => String::new(),
        Role::BatchNorm => {
            let layers = count(others, "BatchNorm layer", "BatchNorm layers");
            format!(
                ", and so do{} {layers} before it",
                if others == 1 { "es" } else { "" }
            )
        }
        Role::Noise | Role::Augmentation | Role::Weights | Role::Plain => {
            format!(", like {} before it", count(others, "layer", "layers"))
        }
    };
    format!("This batch mean was {was} and is {is} because {name} {does}{also}. ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_layer_is_named() {
        let nearest = EarlierChange {
            name: "block_13_depthwise_BN".into(),
            role: Role::BatchNorm,
            active: true,
        };
        let means = ["0.4322".to_owned(), "0.8917".to_owned()];
        assert_eq!(
            changed_before(&means, &nearest, 1),
            "This batch mean was 0.4322 and is 0.8917 because block_13_depthwise_BN uses the \
             batch now. "
        );
        let several = changed_before(&means, &nearest, 3);
        assert!(
            several.ends_with("now, and so do 2 BatchNorm layers before it. "),
            "{several}"
        );
    }
}
