//! The present setting in Keras or PyTorch, to copy.

use crate::model::Semantics;
use crate::model::graph::Noise;
use crate::views::parts::code::call;
use crate::words::number::trimmed;

/// What the view is set to.
pub struct Setting<'a> {
    /// The layer as the file has it.
    pub file: &'a Noise,
    /// The rate in force.
    pub rate: f64,
    /// All noise layers of the model: each draws in the passes.
    pub all: Vec<&'a Noise>,
    /// The layer's name.
    pub layer: &'a str,
    /// Whether it is in a nested model.
    pub nested: bool,
    /// Passes of the Monte Carlo histogram.
    pub passes: usize,
}

impl Setting<'_> {
    fn is_changed(&self) -> bool {
        (self.rate - self.file.strength()).abs() > 0.0
    }

    /// The name of the argument that was changed.
    fn attribute(&self) -> &'static str {
        match self.file {
            Noise::GaussianNoise { .. } => "stddev",
            _ => "rate",
        }
    }
}

/// The layer in both modes, and the passes of the whole model.
pub fn snippet(setting: &Setting<'_>, semantics: Semantics) -> String {
    let noise = setting.file.with_strength(setting.rate);
    let passes = setting.passes;
    if semantics == Semantics::PyTorch {
        let (line, kind) = torch(&noise);
        if kind.is_none() {
            return format!("drop = {line}");
        }
        let changed = if setting.is_changed() {
            let get = call("model.get_submodule", setting.layer);
            format!("{get}.p = {}\n", trimmed(setting.rate))
        } else {
            String::new()
        };
        let mut kinds: Vec<&str> = setting.all.iter().filter_map(|n| torch(n).1).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kinds = match kinds.as_slice() {
            [one] => (*one).to_owned(),
            more => format!("(\n        {})", more.join(", ")),
        };
        return format!(
            "drop = {line}\n\
             drop.train(); drop(x)  # a new mask every call\n\
             drop.eval();  drop(x)  # identity\n\
             # Monte Carlo: only noise in training mode\n\
             {changed}model.eval()\n\
             for m in model.modules():\n    \
                 if isinstance(m, {kinds}): m.train()\n\
             ys = [model(photo) for _ in range({passes})]"
        );
    }
    let changed = if setting.is_changed() {
        let owner = if setting.nested { "base" } else { "model" };
        let get = call(&format!("{owner}.get_layer"), setting.layer);
        let rate = trimmed(setting.rate);
        format!("{get}.{} = {rate}\n", setting.attribute())
    } else {
        String::new()
    };
    // A value recorded at the base would reach the dropout layer of the head.
    let alone = if semantics == Semantics::Keras316 {
        "# and nothing recorded before it\n"
    } else {
        ""
    };
    format!(
        "drop = keras.layers.{}\n\
         drop(x, training=True)   # a new mask every call\n\
         drop(x, training=False)  # identity\n\
         # Monte Carlo: only noise in training mode\n\
         {alone}model.trainable = False  # stored statistics\n\
         {changed}ys = [model(photo, training=True)\n      for _ in range({passes})]",
        keras(&noise)
    )
}

/// Where the base has no such layer: how one is added.
pub fn without_a_layer(semantics: Semantics) -> String {
    if semantics == Semantics::PyTorch {
        return "head = nn.Sequential(\n    nn.Dropout(p=0.2),\n    nn.Linear(features, classes),\n)"
            .to_owned();
    }
    if semantics == Semantics::Keras316 {
        return "base.trainable = False  # training=False would also\n\
                x = base(inputs)        # switch off the head's dropout\n\
                x = keras.layers.GlobalAveragePooling2D()(x)\n\
                x = keras.layers.Dropout(0.2)(x)\nx = keras.layers.Dense(classes)(x)"
            .to_owned();
    }
    "x = base(inputs, training=False)\nx = keras.layers.GlobalAveragePooling2D()(x)\n\
     x = keras.layers.Dropout(0.2)(x)\nx = keras.layers.Dense(classes)(x)"
        .to_owned()
}

fn keras(noise: &Noise) -> String {
    let rate = trimmed(noise.strength());
    match noise {
        Noise::Dropout {
            noise_shape: Some(shape),
            ..
        } => {
            let axes = shape.iter().map(|axis| match axis {
                Some(length) => length.to_string(),
                None => "None".to_owned(),
            });
            let axes: Vec<String> = axes.collect();
            let comma = if axes.len() == 1 { "," } else { "" };
            format!(
                "Dropout(\n    {rate}, noise_shape=({}{comma}))",
                axes.join(", ")
            )
        }
        Noise::Dropout { .. } => format!("Dropout({rate})"),
        Noise::SpatialDropout2d { .. } => format!("SpatialDropout2D({rate})"),
        Noise::AlphaDropout { .. } => format!("AlphaDropout({rate})"),
        Noise::GaussianDropout { .. } => format!("GaussianDropout({rate})"),
        Noise::GaussianNoise { .. } => format!("GaussianNoise({rate})"),
        Noise::DropConnect { .. } => {
            format!("Dropout(\n    {rate}, noise_shape=(None, 1, 1, 1))")
        }
    }
}

/// The layer and its class; no class if torch.nn has none.
fn torch(noise: &Noise) -> (String, Option<&'static str>) {
    let p = trimmed(noise.strength());
    let row = [None, Some(1), Some(1), Some(1)];
    match noise {
        Noise::Dropout {
            noise_shape: Some(shape),
            ..
        } if *shape != row && shape.iter().any(Option::is_some) => (
            "...  # nn.Dropout has no noise_shape:\n       # multiply by a mask of your own"
                .to_owned(),
            None,
        ),
        Noise::Dropout {
            noise_shape: Some(shape),
            ..
        } if *shape == row => stochastic_depth(&p),
        Noise::DropConnect { .. } => stochastic_depth(&p),
        Noise::Dropout { .. } => (format!("nn.Dropout(p={p})"), Some("nn.Dropout")),
        Noise::SpatialDropout2d { .. } => (format!("nn.Dropout2d(p={p})"), Some("nn.Dropout2d")),
        Noise::AlphaDropout { .. } => (format!("nn.AlphaDropout(p={p})"), Some("nn.AlphaDropout")),
        Noise::GaussianDropout { .. } | Noise::GaussianNoise { .. } => (
            "...  # torch.nn has no such layer:\n       # draw with torch.randn_like(x)".to_owned(),
            None,
        ),
    }
}

fn stochastic_depth(p: &str) -> (String, Option<&'static str>) {
    let line = format!("torchvision.ops.StochasticDepth(\n    p={p}, mode=\"row\")");
    (line, Some("StochasticDepth"))
}

/// The code for a layer `dropout` outside of the base, as the tests keep it.
#[cfg(test)]
pub fn of_layer(file: &Noise, rate: f64, passes: usize, semantics: Semantics) -> String {
    let setting = Setting {
        file,
        rate,
        all: vec![file],
        layer: "dropout",
        nested: false,
        passes,
    };
    snippet(&setting, semantics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(file: &Noise, rate: f64) -> Setting<'_> {
        Setting {
            file,
            rate,
            all: vec![file],
            layer: "dropout",
            nested: false,
            passes: 32,
        }
    }

    #[test]
    fn the_present_rate_and_passes_are_in_the_code() {
        let file = Noise::Dropout {
            rate: 0.3,
            noise_shape: None,
        };
        let keras = snippet(&setting(&file, 0.3), Semantics::Keras3);
        assert!(keras.contains("keras.layers.Dropout(0.3)\n"), "{keras}");
        assert!(keras.contains("range(32)"), "{keras}");
        assert!(!keras.contains("get_layer"), "the file's own: {keras}");
        let keras = snippet(&setting(&file, 0.55), Semantics::Keras2);
        let changed = "model.get_layer(\"dropout\").rate = 0.55\n";
        assert!(keras.contains(changed), "{keras}");
        let torch = snippet(&setting(&file, 0.55), Semantics::PyTorch);
        assert!(torch.contains("nn.Dropout(p=0.55)"), "{torch}");
        let changed = "get_submodule(\"dropout\").p = 0.55\n";
        assert!(torch.contains(changed), "{torch}");
        assert!(torch.contains("isinstance(m, nn.Dropout)"), "{torch}");
        assert!(!torch.contains("training="), "{torch}");
    }

    #[test]
    fn each_kind_of_noise_draws_in_the_passes_of_pytorch() {
        let file = Noise::Dropout {
            rate: 0.2,
            noise_shape: None,
        };
        let block = Noise::DropConnect { rate: 0.1 };
        let mut setting = setting(&file, 0.2);
        setting.all = vec![&block, &block, &file];
        let torch = snippet(&setting, Semantics::PyTorch);
        assert!(torch.contains("StochasticDepth, nn.Dropout)"), "{torch}");
    }

    #[test]
    fn every_noise_has_code_in_every_framework() {
        let noises = [
            Noise::Dropout {
                rate: 0.2,
                noise_shape: Some(vec![None, Some(1), Some(1), None]),
            },
            Noise::SpatialDropout2d { rate: 0.2 },
            Noise::AlphaDropout { rate: 0.2 },
            Noise::GaussianDropout { rate: 0.2 },
            Noise::GaussianNoise { stddev: 0.2 },
            Noise::DropConnect { rate: 0.2 },
        ];
        for noise in &noises {
            let keras = snippet(&setting(noise, 0.2), Semantics::Keras3);
            assert!(keras.contains("0.2"), "{keras}");
            assert!(!snippet(&setting(noise, 0.2), Semantics::PyTorch).is_empty());
        }
        let shaped = snippet(&setting(&noises[0], 0.2), Semantics::Keras3);
        assert!(
            shaped.contains("noise_shape=(None, 1, 1, None)"),
            "{shaped}"
        );
        let noise = snippet(&setting(&noises[4], 0.4), Semantics::Keras3);
        assert!(noise.contains(".stddev = 0.4"), "{noise}");
    }
}
