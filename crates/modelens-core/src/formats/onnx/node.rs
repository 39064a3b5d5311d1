//! Typed access to the attributes of one node.

use super::proto::{Attribute, Node};
use crate::formats::OpenError;

/// Maximum side of a window, stride or pad, as for Keras files.
const MAX_STEP: i64 = 1 << 16;

/// A node and the name of its layer.
pub struct Op<'b, 'a> {
    pub node: &'b Node<'a>,
    pub name: String,
    pub opset: i64,
}

impl Op<'_, '_> {
    /// An error for an unsupported setting, with the operator that has it.
    pub fn refuse(&self, reason: impl std::fmt::Display) -> OpenError {
        let op: String = self.node.op.chars().take(80).collect();
        OpenError::UnsupportedSetting {
            layer: self.name.clone(),
            reason: format!("{reason} (ONNX {op})"),
        }
    }

    fn get(&self, name: &str) -> Option<&Attribute<'_>> {
        let mut attributes = self.node.attributes.iter();
        attributes.find(|(n, _)| *n == name).map(|(_, a)| a)
    }

    fn odd(&self, name: &str) -> OpenError {
        self.refuse(format!("its setting `{name}` is not understood"))
    }

    pub fn int(&self, name: &str, default: i64) -> Result<i64, OpenError> {
        match self.get(name) {
            None => Ok(default),
            Some(Attribute::Int(n)) => Ok(*n),
            Some(_) => Err(self.odd(name)),
        }
    }

    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, OpenError> {
        match self.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(list)) => Ok(Some(list.clone())),
            Some(_) => Err(self.odd(name)),
        }
    }

    pub fn float(&self, name: &str, default: f32) -> Result<f32, OpenError> {
        match self.get(name) {
            None => Ok(default),
            Some(Attribute::Float(x)) => Ok(*x),
            Some(_) => Err(self.odd(name)),
        }
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f32>, OpenError> {
        match self.get(name) {
            Some(Attribute::Floats(list)) => Ok(list.clone()),
            _ => Err(self.odd(name)),
        }
    }

    /// The decimal number that was meant; the file stores it in 32 bits.
    pub fn decimal(&self, name: &str, default: f32) -> Result<f64, OpenError> {
        let x = self.float(name, default)?;
        Ok(x.to_string().parse().unwrap_or(f64::from(x)))
    }

    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Attribute::Text(text)) => text,
            _ => "",
        }
    }

    /// `N` integers from `least` to [`MAX_STEP`].
    pub fn steps<const N: usize>(
        &self,
        name: &str,
        least: i64,
        default: usize,
    ) -> Result<[usize; N], OpenError> {
        let Some(list) = self.ints(name)? else {
            return Ok([default; N]);
        };
        let list: [i64; N] = list.try_into().map_err(|_| self.odd(name))?;
        if list.iter().any(|n| !(least..=MAX_STEP).contains(n)) {
            return Err(self.odd(name));
        }
        Ok(list.map(|n| n as usize))
    }

    /// The index of an axis of a value with `rank` axes.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, OpenError> {
        let from_start = if axis < 0 {
            axis.checked_add(rank as i64)
        } else {
            Some(axis)
        };
        let found = from_start.and_then(|a| usize::try_from(a).ok());
        let found = found.filter(|&a| a < rank);
        found
            .ok_or_else(|| self.refuse(format!("it names axis {axis} of a value with {rank} axes")))
    }

    /// A permutation of `rank` axes.
    pub fn order(&self, order: Vec<i64>, rank: usize) -> Result<Vec<usize>, OpenError> {
        let order = order.into_iter().map(|a| self.axis(a, rank));
        let order = order.collect::<Result<Vec<_>, _>>()?;
        let mut seen = order.clone();
        seen.sort_unstable();
        if seen != (0..rank).collect::<Vec<_>>() {
            return Err(self.odd("perm"));
        }
        Ok(order)
    }
}
