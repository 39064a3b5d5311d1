//! Carries out the commands of the dropout view.

use super::App;
use crate::command::NoiseCommand;
use crate::model::LayerKind;
use modelens_jobs::DropoutSetting;

/// The most passes that the user can choose.
const MOST_PASSES: usize = DropoutSetting::PASSES[DropoutSetting::PASSES.len() - 1];

impl App {
    /// Changes the chosen noise layer.
    pub(super) fn apply_noise(&mut self, command: NoiseCommand) {
        let semantics = self.state.semantics();
        if let NoiseCommand::SetPasses(passes) = command {
            self.state.settings.monte_carlo = passes.clamp(1, MOST_PASSES);
        }
        let Some(base) = &mut self.state.opened.base else {
            return;
        };
        let Some(layer) = base.noise else { return };
        base.refused_rate = None;
        match command {
            NoiseCommand::SetRate(rate) => {
                let LayerKind::Noise(noise) = &base.model.graph.layers[layer].kind else {
                    return;
                };
                match noise.with_strength(rate).acts(semantics) {
                    Err(error) => base.refused_rate = Some(error.to_string()),
                    Ok(_) => {
                        base.noise_rates.insert(layer, rate);
                    }
                }
            }
            NoiseCommand::ResetRate => {
                base.noise_rates.remove(&layer);
            }
            NoiseCommand::SetPasses(_) => {}
        }
    }
}
