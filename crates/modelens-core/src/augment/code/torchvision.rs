//! Transforms of torchvision in code.

use super::{CodeError, Reader, class_of, is_known, unknown};
use crate::augment::torchvision::{DataType, ToDtype, ToImage};
use crate::augment::{AugmentLayer, Framework, Transform};

/// Classes that make tensors of 8-bit images, or only another object of the same values.
const SAME_VALUES: [&str; 2] = ["PILToTensor", "ToPILImage"];
/// Classes that do nothing to the values.
const NOTHING: [&str; 2] = ["ToPureTensor", "Identity"];

impl Reader<'_> {
    /// The transforms that a call of torchvision's `class` makes.
    pub(super) fn torchvision(
        &mut self,
        class: &str,
        line: usize,
    ) -> Result<Vec<AugmentLayer>, CodeError> {
        let scaled = Transform::V2ToDtype(ToDtype {
            dtype: DataType::Float32,
            scale: true,
        });
        let transforms = if class == "ToTensor" {
            vec![Transform::V2ToImage(ToImage {}), scaled]
        } else if SAME_VALUES.contains(&class) {
            vec![Transform::V2ToImage(ToImage {})]
        } else if NOTHING.contains(&class) {
            Vec::new()
        } else if class == "ConvertImageDtype" {
            let mut layer = self.layer("v2.ToDtype", class, line)?;
            if let Transform::V2ToDtype(to) = &mut layer.transform {
                to.scale = true;
            }
            return Ok(vec![layer]);
        } else {
            let id = format!("v2.{class}");
            if !is_known(&id) {
                return Err(unknown(class, Framework::Torchvision, line));
            }
            return Ok(vec![self.layer(&id, class, line)?]);
        };
        self.arguments_of(class, &[], line)?;
        Ok(transforms.into_iter().map(AugmentLayer::from).collect())
    }
}

/// The value of a name that torchvision takes for an argument: `InterpolationMode.BILINEAR`,
/// `torch.float32`; `None` for any other name.
pub(super) fn constant(name: &str) -> Option<String> {
    let last = class_of(name);
    let mut modules = name.split('.').rev().skip(1);
    match modules.next()? {
        // Pillow's names are the same.
        "InterpolationMode" | "Image" | "Resampling" => Some(last.to_lowercase().replace('_', "-")),
        "torch" => Some(last.to_owned()),
        _ => None,
    }
}
