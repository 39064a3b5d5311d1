//! Layers that move values, and those of transformers.

use super::{Net, Value, misfit};
use crate::formats::OpenError;
use crate::model::graph::Activation;
use crate::model::graph::{LayerKind, Noise, Slice};
use crate::model::layers::{
    Attention, ChannelShuffle, Dense, GetItem, InsertTokens, Reduce, Reduction, Reshape,
    ResponseNorm, WindowAttention, ZeroPadding2d,
};

impl Net<'_> {
    /// The pixels of `[N, H, W, C]` as `count` tokens `[N, T, C]`.
    pub fn tokens(&mut self, name: &str, x: Value, count: usize) -> Value {
        let target = vec![Some(count), Some(x.channels)];
        self.plain(name, "Flatten", LayerKind::Reshape(Reshape { target }), x)
    }

    /// One token of `[N, T, C]`: `[N, C]`.
    pub fn token(&mut self, name: &str, x: Value, at: i64) -> Value {
        let slices = vec![Slice::WHOLE, Slice::Index(at)];
        self.plain(name, "GetItem", LayerKind::GetItem(GetItem { slices }), x)
    }

    /// The mean over the tokens from `first` on: `[N, C]`.
    pub fn mean_of_tokens(&mut self, name: &str, x: Value, first: usize) -> Value {
        let mut x = x;
        if first > 0 {
            let patches = Slice::Range {
                start: Some(first as i64),
                stop: None,
                step: 1,
            };
            let slices = vec![Slice::WHOLE, patches];
            let name = format!("{name}.patches");
            x = self.plain(&name, "GetItem", LayerKind::GetItem(GetItem { slices }), x);
        }
        let mean = Reduce {
            by: Reduction::Mean,
            axes: vec![1],
            keep_dims: false,
        };
        self.plain(name, "Mean", LayerKind::Reduce(mean), x)
    }

    /// Tokens of the file, `[1, count, C]`, before token `at`.
    pub fn insert_tokens(
        &mut self,
        key: &str,
        x: Value,
        count: usize,
        at: usize,
    ) -> Result<Value, OpenError> {
        let shape = [1, count, x.channels];
        let weight = self.builder.parameter("tokens", key, &shape, &shape[1..])?;
        let kind = LayerKind::InsertTokens(InsertTokens { at });
        Ok(self.weighted(key, "Parameter", kind, vec![weight], x))
    }

    /// Adds the file's embedding `[1, count, C]` of the positions.
    pub fn position_embedding(
        &mut self,
        key: &str,
        x: Value,
        count: usize,
    ) -> Result<Value, OpenError> {
        let shape = [1, count, x.channels];
        let weight = self
            .builder
            .parameter("embedding", key, &shape, &shape[1..])?;
        let kind = LayerKind::PositionEmbedding;
        Ok(self.weighted(key, "Parameter", kind, vec![weight], x))
    }

    /// A factor for each channel, which the file keeps as a tensor `shape`.
    pub fn layer_scale(
        &mut self,
        key: &str,
        x: Value,
        shape: &[usize],
    ) -> Result<Value, OpenError> {
        let weight = self.builder.parameter("gamma", key, shape, &[x.channels])?;
        Ok(self.weighted(key, "LayerScale", LayerKind::LayerScale, vec![weight], x))
    }

    /// timm's `GlobalResponseNorm`, if the file has one of this name.
    pub fn response_norm(&mut self, name: &str, x: Value) -> Result<Value, OpenError> {
        if !self.has(&format!("{name}.weight")) {
            return Ok(x);
        }
        let shape = [x.channels];
        let weights = vec![
            self.builder.learnable("gamma", name, "weight", &shape)?,
            self.builder.learnable("beta", name, "bias", &shape)?,
        ];
        let kind = LayerKind::ResponseNorm(ResponseNorm { epsilon: 1e-6 });
        Ok(self.weighted(name, "GlobalResponseNorm", kind, weights, x))
    }

    /// `nn.Linear` with this number of outputs.
    pub fn square_linear(
        &mut self,
        name: &str,
        x: Value,
        outputs: usize,
    ) -> Result<Value, OpenError> {
        let y = self.linear(name, x, None)?;
        if y.channels != outputs {
            let found = [y.channels, x.channels];
            return Err(misfit(name, "weight", &found, &[outputs, x.channels]));
        }
        Ok(y)
    }

    /// The linear layer of queries, keys and values, whose tensors are `start` followed by `weight` and
    /// `bias`.
    pub fn packed_linear(
        &mut self,
        start: &str,
        x: Value,
        outputs: usize,
    ) -> Result<Value, OpenError> {
        let name = start.trim_end_matches(['.', '_']);
        let key = format!("{start}weight");
        let kernel = self.builder.transposed(&key, [outputs, x.channels])?;
        let mut weights = vec![kernel];
        let key = format!("{start}bias");
        if self.has(&key) {
            let shape = [outputs];
            weights.push(self.builder.parameter("bias", &key, &shape, &shape)?);
        }
        let kind = LayerKind::Dense(Dense {
            activation: Activation::Linear,
        });
        let x = self.weighted(name, "Linear", kind, weights, x);
        Ok(Value {
            channels: outputs,
            ..x
        })
    }

    /// Attention between the tokens of `[N, T, 3 C]`.
    pub fn attention(&mut self, name: &str, x: Value, heads: usize) -> Value {
        let kind = LayerKind::Attention(Attention { heads });
        let y = self.plain(name, "Attention", kind, x);
        Value {
            channels: x.channels / 3,
            ..y
        }
    }

    /// Attention inside the windows of `[N, H, W, 3 C]`, with the file's table of biases.
    pub fn window_attention(
        &mut self,
        key: &str,
        x: Value,
        settings: WindowAttention,
    ) -> Result<Value, OpenError> {
        let offsets = 2 * settings.window - 1;
        let shape = [offsets * offsets, settings.heads];
        let weight = self
            .builder
            .parameter("position_bias", key, &shape, &shape)?;
        let kind = LayerKind::WindowAttention(settings);
        let y = self.weighted(key, "WindowAttention", kind, vec![weight], x);
        Ok(Value {
            channels: x.channels / 3,
            ..y
        })
    }

    /// Every second pixel of `[N, H, W, C]` along both axes, from this one on.
    pub fn every_second(&mut self, name: &str, x: Value, from: [i64; 2]) -> Value {
        let every = |start| Slice::Range {
            start: Some(start),
            stop: None,
            step: 2,
        };
        let slices = vec![Slice::WHOLE, every(from[0]), every(from[1])];
        self.plain(name, "GetItem", LayerKind::GetItem(GetItem { slices }), x)
    }

    /// The first or the second half of the channels of `[N, H, W, C]`.
    pub fn half_of_channels(&mut self, name: &str, x: Value, at: usize) -> Value {
        let half = x.channels / 2;
        let channels = Slice::Range {
            start: Some((at * half) as i64),
            stop: Some(((at + 1) * half) as i64),
            step: 1,
        };
        let slices = vec![Slice::WHOLE, Slice::WHOLE, Slice::WHOLE, channels];
        let kind = LayerKind::GetItem(GetItem { slices });
        let y = self.plain(name, "Chunk", kind, x);
        Value {
            channels: half,
            ..y
        }
    }

    /// `nn.ChannelShuffle`.
    pub fn channel_shuffle(&mut self, name: &str, x: Value, groups: usize) -> Value {
        let kind = LayerKind::ChannelShuffle(ChannelShuffle { groups });
        self.plain(name, "ChannelShuffle", kind, x)
    }

    /// Zeros around an image.
    pub fn zero_padding(&mut self, name: &str, x: Value, pixels: usize) -> Value {
        let kind = LayerKind::ZeroPadding2d(ZeroPadding2d {
            pixels: [pixels; 4],
        });
        self.plain(name, "ZeroPad2d", kind, x)
    }

    /// The length of the last axis of a tensor; 0 if it is missing.
    pub fn last_axis(&self, key: &str) -> usize {
        let shape = self.builder.shape(key).unwrap_or_default();
        shape.last().copied().unwrap_or_default()
    }

    /// Drops whole images before a residual sum; a layer also at a rate of 0.
    pub fn stochastic_depth(&mut self, name: &str, x: Value, rate: f64) -> Value {
        let kind = LayerKind::Noise(Noise::DropConnect { rate });
        self.plain(name, "StochasticDepth", kind, x)
    }

    /// Marks a tensor as one that takes no part in the outputs.
    pub fn leave_out(&mut self, key: &str) {
        self.builder.mark_used(key);
    }
}
