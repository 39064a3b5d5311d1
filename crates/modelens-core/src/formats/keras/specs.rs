//! The weights that a layer must have, and their shapes.

use crate::model::layers::Normalization;
use crate::model::shape_text;

/// What the settings of a layer say about its weights; with the input's shape it gives their shapes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum WeightSpec {
    None,
    Conv {
        kernel: [usize; 2],
        groups: usize,
        filters: usize,
        bias: bool,
    },
    Depthwise {
        kernel: [usize; 2],
        multiplier: usize,
        bias: bool,
    },
    Separable {
        kernel: [usize; 2],
        multiplier: usize,
        filters: usize,
        bias: bool,
    },
    /// `axis` counts the batch axis as 0.
    BatchNorm {
        scale: bool,
        center: bool,
        axis: i64,
    },
    Dense {
        units: usize,
        bias: bool,
    },
    TransposedConv {
        kernel: [usize; 2],
        filters: usize,
        bias: bool,
    },
    /// Weights over the last `axes` axes.
    Affine {
        axes: usize,
        /// The last of these axes as written, where the batch axis counts as 0.
        last: i64,
        names: Vec<&'static str>,
    },
    /// `mean`, `variance` and the number of values they were computed from.
    Statistics(Normalization),
    /// `alpha` over the whole image; the `shared` axes (of height, width, channels) have length 1.
    Alpha {
        shared: Vec<usize>,
    },
    /// One `gamma` per channel.
    LayerScale,
}

/// One weight that must be in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ExpectedWeight {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub learnable: bool,
    /// Keras keeps it as bfloat16, by the layer's dtype policy.
    pub bfloat16: bool,
}

impl ExpectedWeight {
    /// True if a file may use this name for the weight.
    pub fn is_called(&self, short: &str) -> bool {
        // Keras 3 calls the kernel of a depthwise convolution `kernel` in .h5 files.
        short == self.name || (self.name == "depthwise_kernel" && short == "kernel")
    }
}

impl WeightSpec {
    /// Refuses an input that leaves the size of a weight open; the error is a reason in words.
    pub fn check(&self, input: &[Option<usize>]) -> Result<(), String> {
        let open = |axis: usize| input.get(axis).is_none_or(Option::is_none);
        let mut all = 0..input.len();
        let fits = match self {
            Self::Affine { axes, last, .. } => {
                (*last == -1 || *last == input.len() as i64)
                    && *axes <= input.len()
                    && !all.skip(input.len() - axes).any(open)
            }
            Self::Alpha { shared } => {
                shared.iter().all(|axis| *axis < input.len())
                    && !all.any(|axis| !shared.contains(&axis) && open(axis))
            }
            Self::BatchNorm { axis, .. } if *axis != -1 && *axis != input.len() as i64 => {
                return Err(format!(
                    "it normalises over axis {axis}; only the last is supported"
                ));
            }
            Self::None
            | Self::Conv { .. }
            | Self::Depthwise { .. }
            | Self::Separable { .. }
            | Self::BatchNorm { .. }
            | Self::Dense { .. }
            | Self::TransposedConv { .. }
            | Self::LayerScale => true,
            Self::Statistics(norm) => norm
                .inner_axes(input.len())
                .is_some_and(|axes| !axes.into_iter().any(open)),
        };
        if fits {
            return Ok(());
        }
        let shape = shape_text(input);
        Err(match self {
            Self::Affine { axes, last, .. } if *last != -1 && *last != input.len() as i64 => {
                let all = (last - *axes as i64 + 1..=*last).map(|axis| axis.to_string());
                let all = all.collect::<Vec<_>>().join(", ");
                format!(
                    "it normalises over axis {all} of {shape}; only the last ones are supported"
                )
            }
            _ => format!("its weights cannot be as large as an image of the shape {shape}"),
        })
    }

    /// The weights in the framework's order of creation, for an input of this shape.
    pub fn needs(&self, input: &[Option<usize>]) -> Vec<ExpectedWeight> {
        // Shape inference has already refused an open number of channels.
        let channels = input.last().copied().flatten().unwrap_or(0);
        let need = |name, shape: &[usize]| ExpectedWeight {
            name,
            shape: shape.to_vec(),
            learnable: true,
            bfloat16: false,
        };
        let fixed = |name| ExpectedWeight {
            name,
            shape: vec![channels],
            learnable: false,
            bfloat16: false,
        };
        let mut needs = Vec::new();
        match *self {
            Self::None => {}
            Self::Conv {
                kernel: [h, w],
                groups,
                filters,
                bias,
            } => {
                needs.push(need("kernel", &[h, w, channels / groups, filters]));
                needs.extend(bias.then(|| need("bias", &[filters])));
            }
            Self::Depthwise {
                kernel: [h, w],
                multiplier,
                bias,
            } => {
                needs.push(need("depthwise_kernel", &[h, w, channels, multiplier]));
                // Shape inference has already refused a product that does not fit.
                let out = channels.saturating_mul(multiplier);
                needs.extend(bias.then(|| need("bias", &[out])));
            }
            Self::Separable {
                kernel: [h, w],
                multiplier,
                filters,
                bias,
            } => {
                let inner = channels.saturating_mul(multiplier);
                needs.push(need("depthwise_kernel", &[h, w, channels, multiplier]));
                needs.push(need("pointwise_kernel", &[1, 1, inner, filters]));
                needs.extend(bias.then(|| need("bias", &[filters])));
            }
            Self::BatchNorm { scale, center, .. } => {
                needs.extend(scale.then(|| need("gamma", &[channels])));
                needs.extend(center.then(|| need("beta", &[channels])));
                needs.push(fixed("moving_mean"));
                needs.push(fixed("moving_variance"));
            }
            Self::TransposedConv {
                kernel: [h, w],
                filters,
                bias,
            } => {
                needs.push(need("kernel", &[h, w, filters, channels]));
                needs.extend(bias.then(|| need("bias", &[filters])));
            }
            Self::Affine {
                axes, ref names, ..
            } => {
                let shape = input[input.len().saturating_sub(axes)..].iter();
                let shape: Vec<usize> = shape.map(|axis| axis.unwrap_or(0)).collect();
                needs.extend(names.iter().map(|name| need(name, &shape)));
            }
            Self::Statistics(ref norm) => {
                let axes = norm.inner_axes(input.len()).unwrap_or_default();
                let shape: Vec<usize> = axes.iter().map(|&a| input[a].unwrap_or(0)).collect();
                for name in ["mean", "variance"] {
                    needs.push(ExpectedWeight {
                        shape: shape.clone(),
                        ..fixed(name)
                    });
                }
                needs.push(ExpectedWeight {
                    shape: Vec::new(),
                    ..fixed("count")
                });
            }
            Self::Alpha { ref shared } => {
                let axis = |(i, axis): (usize, &Option<usize>)| match axis {
                    _ if shared.contains(&i) => 1,
                    axis => axis.unwrap_or(0),
                };
                let shape: Vec<usize> = input.iter().enumerate().map(axis).collect();
                needs.push(need("alpha", &shape));
            }
            Self::LayerScale => needs.push(need("gamma", &[channels])),
            Self::Dense { units, bias } => {
                needs.push(need("kernel", &[channels, units]));
                needs.extend(bias.then(|| need("bias", &[units])));
            }
        }
        needs
    }
}

/// The weight's own name in a path such as `sequential/dense/kernel:0`.
pub(super) fn split_path(path: &str) -> (&str, &str) {
    let path = match path.rsplit_once(':') {
        Some((before, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => before,
        _ => path,
    };
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(split_path("bn_Conv1/gamma:0"), ("bn_Conv1", "gamma"));
        assert_eq!(
            split_path("sequential/dense/kernel"),
            ("sequential/dense", "kernel")
        );
        assert_eq!(split_path("kernel"), ("", "kernel"));
    }

    #[test]
    fn batch_norm_without_gamma() {
        let spec = WeightSpec::BatchNorm {
            scale: false,
            center: true,
            axis: -1,
        };
        let names: Vec<_> = spec.needs(&[Some(4)]).into_iter().map(|n| n.name).collect();
        assert_eq!(names, ["beta", "moving_mean", "moving_variance"]);
    }
}
