//! Turns values into the order of axes that a layer needs, and gives them other shapes.
//!
//! Most permutations and reshapes of a program cost nothing here: a value only records which axes of the
//! node it consists of, see [`Value::axes`]. Layers are added where the numbers have to move.

use std::collections::VecDeque;

use super::build::{Build, NewLayer};
use super::node::Op;
use super::value::{Batch, Length, Value};
use crate::formats::OpenError;
use crate::model::NodeId;
use crate::model::graph::Input;
use crate::model::layers::{LayerKind, Permute, Reshape};

impl<'a> Build<'a> {
    /// The batch axis of a value. `None` if the program was exported for one photo and the value lost the
    /// axis.
    pub fn batch_axis(&self, op: &Op<'a>, x: &Value) -> Result<Option<usize>, OpenError> {
        if self.batch == Batch::One {
            return Ok(x.axes.iter().position(Vec::is_empty));
        }
        let axis = x.axes.iter().position(|axis| axis.contains(&0));
        let alone = axis.filter(|&axis| {
            let others = x.axes[axis].iter().filter(|&&a| a != 0);
            others.map(|&a| x.dims[a]).all(|d| d == Some(1))
        });
        alone
            .map(Some)
            .ok_or_else(|| op.refuse("it joins the photos of the batch with another axis"))
    }

    /// The axis of the program that counts the photos, perhaps together with parts of each photo (windows,
    /// heads). `None` as for [`Self::batch_axis`].
    pub fn photos(&self, op: &Op<'a>, x: &Value) -> Result<Option<usize>, OpenError> {
        if self.batch == Batch::One {
            return Ok(x.axes.iter().position(Vec::is_empty));
        }
        let axis = x.axes.iter().position(|axis| axis.contains(&0));
        axis.map(Some)
            .ok_or_else(|| op.refuse("it has no axis for the photos of the batch"))
    }

    /// The value with the photos first, then the parts of photos that share their axis, then the other
    /// axes of the program in this order, each as one axis here.
    pub fn arranged(
        &mut self,
        op: &Op<'a>,
        x: &Value,
        order: &[usize],
        is_own: bool,
    ) -> Result<Value, OpenError> {
        let photos = self.photos(op, x)?;
        if self.batch != Batch::One && photos.is_some_and(|axis| order.contains(&axis)) {
            return Err(op.refuse("it works along the axis of the photos"));
        }
        let photos = photos.filter(|axis| !order.contains(axis));
        let is_one = |axis: usize| x.dims[axis] == Some(1);
        // The parts of photos before and after the batch axis.
        let list = photos.map(|axis| x.axes[axis].as_slice());
        let parts: Vec<Vec<usize>> = list
            .unwrap_or_default()
            .split(|&axis| axis == 0)
            .map(|run| run.iter().copied().filter(|&a| !is_one(a)).collect())
            .collect();
        let runs = || parts.iter().filter(|run: &&Vec<usize>| !run.is_empty());
        let others = order.iter().map(|&axis| &x.axes[axis]);
        let wanted: Vec<&Vec<usize>> = runs().chain(others).collect();
        let target: Vec<Option<usize>> = wanted
            .iter()
            .map(|list| {
                let mut inner = list.iter().filter(|&&a| a != 0).map(|&a| x.dims[a]);
                inner.try_fold(1_usize, |n, d| n.checked_mul(d?))
            })
            .collect();
        let first = wanted.len() - order.len();
        let mut axes = vec![Vec::new(); x.rank()];
        if let Some(axis) = photos.filter(|_| self.batch != Batch::One) {
            let mut next = 0;
            for (i, run) in parts.iter().enumerate() {
                if i > 0 {
                    axes[axis].push(0);
                }
                if !run.is_empty() {
                    next += 1;
                    axes[axis].push(next);
                }
            }
        }
        for (i, &axis) in order.iter().enumerate() {
            axes[axis] = vec![first + i + 1];
        }
        let is_plain = |(i, list): (usize, &&Vec<usize>)| list.as_slice() == [i + 1];
        if x.dims.len() == wanted.len() + 1 && wanted.iter().enumerate().all(is_plain) {
            return Ok(Value { axes, ..x.clone() });
        }
        let mut from: Vec<usize> = wanted.iter().copied().flatten().copied().collect();
        from.retain(|&axis| axis != 0);
        let hidden: Vec<usize> = (1..x.dims.len())
            .filter(|axis| !from.contains(axis))
            .collect();
        if hidden.iter().any(|&axis| !is_one(axis)) {
            return Err(op.refuse("it leaves an axis of its input out"));
        }
        from.extend(hidden);
        let key = (x.node, from.clone(), target.clone());
        let node = if let Some(&node) = self.arranged.get(&key) {
            node
        } else {
            let node = self.rearrange(op, x, &from, &target, is_own)?;
            self.arranged.insert(key, node);
            node
        };
        let dims = std::iter::once(None).chain(target).collect();
        Ok(Value { node, dims, axes })
    }

    /// Permutes and reshapes as far as the order of the numbers changes.
    fn rearrange(
        &mut self,
        op: &Op<'a>,
        x: &Value,
        from: &[usize],
        target: &[Option<usize>],
        is_own: bool,
    ) -> Result<NodeId, OpenError> {
        let long = from.iter().filter(|&&axis| x.dims[axis] != Some(1));
        let (mut node, mut dims) = (x.node, x.dims[1..].to_vec());
        if !long.is_sorted() {
            let order = from.iter().map(|axis| axis - 1).collect();
            let kind = LayerKind::Permute(Permute { order });
            (node, dims) = self.helper(op, "permute", kind, node)?;
            dims.remove(0);
        }
        if dims == target {
            return Ok(node);
        }
        if target.iter().filter(|d| d.is_none()).count() > 1 {
            return Err(op.refuse(
                "the size of its input is left open in the file; export the network for photos of one size",
            ));
        }
        let kind = match target.len() {
            1 => LayerKind::Flatten,
            _ => LayerKind::Reshape(Reshape {
                target: target.to_vec(),
            }),
        };
        if !is_own {
            return Ok(self.helper(op, "reshape", kind, node)?.0);
        }
        let new = NewLayer::of(op, kind, Vec::new());
        let (node, dims) = self.call(op, new, vec![Input::Node(node)])?;
        self.graph.layouts.insert(node, (0..dims.len()).collect());
        Ok(node)
    }

    /// A layer that the program does not have.
    fn helper(
        &mut self,
        op: &Op<'a>,
        what: &str,
        kind: LayerKind,
        x: NodeId,
    ) -> Result<(NodeId, Vec<Option<usize>>), OpenError> {
        let new = NewLayer {
            name: format!("{}.{what}", op.name),
            class: what.to_owned(),
            kind,
            weights: Vec::new(),
            is_module: false,
            listed: false,
        };
        let (node, dims) = self.call(op, new, vec![Input::Node(x)])?;
        self.graph.layouts.insert(node, (0..dims.len()).collect());
        Ok((node, dims))
    }

    /// The axes of the program without the batch axis, in the order that they have here, if each is one
    /// axis here; else in the program's order.
    fn order(&self, op: &Op<'a>, x: &Value) -> Result<Vec<usize>, OpenError> {
        let photos = self.photos(op, x)?;
        let mut order: Vec<usize> = (0..x.rank()).filter(|&axis| Some(axis) != photos).collect();
        if order.iter().all(|&axis| x.axes[axis].len() == 1) {
            order.sort_by_key(|&axis| x.axes[axis][0]);
        }
        Ok(order)
    }

    /// The value with each axis of the program as one axis here.
    pub fn simple(&mut self, op: &Op<'a>, x: &Value) -> Result<Value, OpenError> {
        let order = self.order(op, x)?;
        self.arranged(op, x, &order, false)
    }

    /// The value with these axes of the program last here, in this order.
    pub fn last(&mut self, op: &Op<'a>, x: &Value, last: &[usize]) -> Result<Value, OpenError> {
        let mut order = self.order(op, x)?;
        order.retain(|axis| !last.contains(axis));
        order.extend(last);
        self.arranged(op, x, &order, false)
    }

    /// The value with the second axis of the program last here: images as `[N, H, W, C]`.
    pub fn channels_last(&mut self, op: &Op<'a>, x: &Value) -> Result<Value, OpenError> {
        if x.rank() < 2 || self.batch_axis(op, x)? != Some(0) {
            return Err(
                op.refuse("its input has another order of axes than [photos, channels, ...]")
            );
        }
        let order: Vec<usize> = (2..x.rank()).chain([1]).collect();
        self.arranged(op, x, &order, false)
    }

    /// An image `[N, C, H, W]` of the program as `[N, H, W, C]`.
    pub fn image(&mut self, op: &Op<'a>, x: &Value) -> Result<Value, OpenError> {
        if x.rank() != 4 {
            return Err(op.refuse(format!(
                "it takes images, but its input has {} axes",
                x.rank()
            )));
        }
        self.channels_last(op, x)
    }

    /// Two values with the same order of axes, for operators that broadcast.
    pub fn aligned(&mut self, op: &Op<'a>, a: &Value, b: &Value) -> Result<[Value; 2], OpenError> {
        if a.axes == b.axes && a.dims.len() == b.dims.len() {
            return Ok([a.clone(), b.clone()]);
        }
        let rank = a.rank().max(b.rank());
        let padded = |x: &Value| {
            let mut x = x.clone();
            let missing = rank - x.rank();
            x.axes.splice(0..0, vec![Vec::new(); missing]);
            x
        };
        let [a, b] = [padded(a), padded(b)];
        // Of a program for one photo, an axis of length 1 in both is the batch axis.
        let photos = match self.batch {
            Batch::One => {
                (0..rank).find(|&axis| a.axes[axis].is_empty() && b.axes[axis].is_empty())
            }
            Batch::Any | Batch::Fixed(_) => {
                let [of_a, of_b] = [self.photos(op, &a)?, self.photos(op, &b)?];
                let parts = |x: &Value, axis: Option<usize>| {
                    let list = axis.map(|axis| x.axes[axis].iter());
                    let kept = list.into_iter().flatten();
                    let kept = kept.filter(|&&a| a == 0 || x.dims[a] != Some(1));
                    let mut runs: Vec<Option<usize>> = vec![Some(1)];
                    for &axis in kept {
                        if axis == 0 {
                            runs.extend([None, Some(1)]);
                        } else if let Some(Some(count)) = runs.last_mut() {
                            *count = count.saturating_mul(x.dims[axis].unwrap_or(usize::MAX));
                        }
                    }
                    runs
                };
                if of_a != of_b || parts(&a, of_a) != parts(&b, of_b) {
                    return Err(
                        op.refuse("its inputs have the photos of the batch along different axes")
                    );
                }
                of_a
            }
        };
        let mut order: Vec<usize> = (0..rank).filter(|&axis| Some(axis) != photos).collect();
        let widest = if a.dims.len() >= b.dims.len() { &a } else { &b };
        if order.iter().all(|&axis| widest.axes[axis].len() == 1) {
            order.sort_by_key(|&axis| widest.axes[axis][0]);
        }
        Ok([
            self.arranged(op, &a, &order, false)?,
            self.arranged(op, &b, &order, false)?,
        ])
    }

    /// The output, with axes whose order can be told.
    pub fn plain_output(&mut self, x: &Value) -> Result<NodeId, OpenError> {
        static NODE: std::sync::LazyLock<super::schema::Node> =
            std::sync::LazyLock::new(|| super::schema::Node {
                target: "output".to_owned(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                metadata: super::schema::Metadata::default(),
            });
        let op = Op {
            node: &NODE,
            op: "output",
            name: "output".to_owned(),
            class: "output".to_owned(),
            is_module: false,
        };
        let batch = self.batch_axis(&op, x)?;
        let natural: Vec<usize> = (0..x.rank()).filter(|&axis| Some(axis) != batch).collect();
        let value = self.arranged(&op, x, &natural, false)?;
        if value.node != x.node {
            return Ok(value.node);
        }
        // The same numbers, seen with other axes than the layer's own.
        let axes = value
            .axes
            .iter()
            .map(|list| list.first().copied().unwrap_or(0));
        let axes: Vec<usize> = axes.collect();
        let node = self.helper(&op, "view", LayerKind::Identity, x.node)?.0;
        self.graph.layouts.insert(node, axes);
        Ok(node)
    }

    /// The numbers of a value in the program's order, as axes of these lengths. `None` is the length that
    /// is left.
    pub fn view(
        &mut self,
        op: &Op<'a>,
        x: &Value,
        target: &[Option<Length>],
    ) -> Result<Value, OpenError> {
        let atoms = x.axes.iter().flatten();
        let atoms = atoms.filter(|&&axis| axis == 0 || x.dims[axis] != Some(1));
        let mut atoms: VecDeque<Atom> = atoms
            .map(|&axis| Atom {
                axis,
                length: x.dims[axis],
            })
            .collect();
        let open = target.iter().position(Option::is_none);
        let count = open.unwrap_or(target.len());
        let mut groups = vec![Vec::new(); target.len()];
        for (at, length) in target.iter().enumerate().take(count) {
            if let Some(length) = length {
                groups[at] = self
                    .group(&mut atoms, *length, false)
                    .ok_or_else(|| misfit(op))?;
            }
        }
        for (at, length) in target.iter().enumerate().skip(count + 1).rev() {
            let length = length.ok_or_else(|| op.refuse("its shape leaves two lengths open"))?;
            groups[at] = self
                .group(&mut atoms, length, true)
                .ok_or_else(|| misfit(op))?;
        }
        match open {
            Some(open) => groups[open] = atoms.into(),
            None if !atoms.is_empty() => return Err(misfit(op)),
            None => {}
        }
        self.regrouped(op, x, &groups)
    }

    /// Takes atoms off one end until they make up this length.
    fn group(
        &self,
        atoms: &mut VecDeque<Atom>,
        wanted: Length,
        from_end: bool,
    ) -> Option<Vec<Atom>> {
        let take = |atoms: &mut VecDeque<Atom>| {
            if from_end {
                atoms.pop_back()
            } else {
                atoms.pop_front()
            }
        };
        let mut group = VecDeque::new();
        let push = |group: &mut VecDeque<Atom>, atom| {
            if from_end {
                group.push_front(atom);
            } else {
                group.push_back(atom);
            }
        };
        let Some(count) = wanted.count else {
            // An open length is that of one open axis.
            let atom = take(atoms).filter(|atom| atom.axis != 0 && atom.length.is_none())?;
            return Some(vec![atom]);
        };
        let (mut product, mut has_batch) = (1_usize, false);
        while product != count || has_batch != wanted.of_batch {
            let atom = take(atoms)?;
            if atom.axis == 0 {
                match self.batch {
                    Batch::Fixed(n) if !wanted.of_batch => {
                        product = product
                            .checked_mul(n)
                            .filter(|&p| count.is_multiple_of(p))?;
                    }
                    _ if !wanted.of_batch || has_batch => return None,
                    _ => has_batch = true,
                }
                push(&mut group, atom);
                continue;
            }
            let length = atom.length.filter(|&n| n > 0)?;
            let whole = product.checked_mul(length)?;
            if count.is_multiple_of(whole) {
                product = whole;
                push(&mut group, atom);
                continue;
            }
            let part = count.checked_div(product)?;
            if !count.is_multiple_of(product) || part == 0 || !length.is_multiple_of(part) {
                return None;
            }
            let piece = |length| Atom {
                axis: atom.axis,
                length: Some(length),
            };
            push(&mut group, piece(part));
            if from_end {
                atoms.push_back(piece(length / part));
            } else {
                atoms.push_front(piece(length / part));
            }
            product = count;
        }
        Some(group.into())
    }

    /// The value with axes of the program made up of these pieces; axes here are cut where they are in
    /// several pieces.
    fn regrouped(
        &mut self,
        op: &Op<'a>,
        x: &Value,
        groups: &[Vec<Atom>],
    ) -> Result<Value, OpenError> {
        let pieces = |axis: usize| {
            groups
                .iter()
                .flatten()
                .filter(move |atom| atom.axis == axis)
                .count()
        };
        if (0..x.dims.len()).all(|axis| pieces(axis) <= 1) {
            let axes = groups
                .iter()
                .map(|group| group.iter().map(|atom| atom.axis).collect());
            return Ok(Value {
                node: x.node,
                dims: x.dims.clone(),
                axes: axes.collect(),
            });
        }
        // The first index here of the pieces of each axis; axes of length 1 that no one reads are dropped.
        let mut first = vec![0];
        let mut target = Vec::new();
        for axis in 1..x.dims.len() {
            first.push(target.len() + 1);
            let own = groups.iter().flatten().filter(|atom| atom.axis == axis);
            target.extend(own.map(|atom| atom.length));
        }
        let mut next = first;
        let axes: Vec<Vec<usize>> = groups
            .iter()
            .map(|group| {
                let index = |atom: &Atom| {
                    let at = next[atom.axis];
                    next[atom.axis] += usize::from(atom.axis != 0);
                    at
                };
                group.iter().map(index).collect()
            })
            .collect();
        if target.iter().filter(|d| d.is_none()).count() > 1 {
            return Err(op.refuse("the size of its input is left open in the file; export the network for photos of one size"));
        }
        let kind = LayerKind::Reshape(Reshape { target });
        let (node, dims) = self.helper(op, "reshape", kind, x.node)?;
        Ok(Value { node, dims, axes })
    }
}

/// An axis here, or a part of it.
#[derive(Clone, Copy, Debug)]
struct Atom {
    axis: usize,
    length: Option<usize>,
}

fn misfit(op: &Op<'_>) -> OpenError {
    op.refuse("it mixes the photos of the batch, or its shape does not fit its input")
}
