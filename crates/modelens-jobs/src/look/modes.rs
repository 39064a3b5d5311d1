//! What the mode changes in a network without dropout.

use candle_core::Tensor;

use super::{Context, LookError, both_modes};
use crate::photos::PhotoCache;
use crate::{ModesOutcome, Outcome, PassLook};
use modelens_core::model::{CallModes, Mode, Role};

pub fn compute(
    look: &PassLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let model = context.model(look)?;
    let graph = &model.graph;
    let modes = both_modes(look, &[], context, cache)?;
    let outer = look.outer(Mode::Training);
    let called = CallModes::of(graph, &look.flags, outer, look.semantics);
    let of_role = |role: Role| {
        let layers = graph.layers.iter().enumerate();
        layers.filter(move |(_, layer)| layer.kind.role() == role)
    };
    let drawing = of_role(Role::Augmentation)
        .filter(|&(id, _)| look.random && called.effective(graph, &look.flags, id).active);
    let norms = modes.training.batch_norm.values();
    let [left, right] = [&modes.training.output, &modes.inference.output];
    let [a, b] = [values(left)?, values(right)?];
    let differences = a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    let outcome = ModesOutcome {
        photos: modes.batch.len(),
        batch_norms: of_role(Role::BatchNorm).count(),
        on_batch: norms.filter(|done| done.batch.is_some()).count(),
        augmentations: of_role(Role::Augmentation).count(),
        drawing: drawing.count(),
        difference: differences.fold(0.0, f32::max),
        other_class: match left.rank() {
            2 => {
                let [left, right] = [classes(left)?, classes(right)?];
                Some(left.iter().zip(&right).filter(|(a, b)| a != b).count())
            }
            _ => None,
        },
    };
    Ok((modes.batch, Outcome::Modes(Box::new(outcome))))
}

fn values(output: &Tensor) -> candle_core::Result<Vec<f32>> {
    output.flatten_all()?.to_vec1()
}

/// The class of each row: the place of the largest value, or of one value whether it is above a half.
fn classes(output: &Tensor) -> candle_core::Result<Vec<usize>> {
    let class = |row: Vec<f32>| {
        if let [one] = row[..] {
            return usize::from(one > 0.5);
        }
        let places = row.iter().enumerate();
        let best = places.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        best.map_or(0, |(class, _)| class)
    };
    Ok(output.to_vec2::<f32>()?.into_iter().map(class).collect())
}
