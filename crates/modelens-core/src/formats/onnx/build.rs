//! The nodes of the file, one after the other, as layers.

use std::collections::{HashMap, HashSet};

use super::constant::{self, Constant};
use super::node::Op;
use super::proto::{self, Node, ValueInfo};
use super::value::{IMAGE, Known, Value};
use super::{arithmetic, blocks, fold, names, parts, resize, shapes, weighted, windows};
use crate::formats::OpenError;
use crate::model::graph::{Input, Layer, LayerKind};
use crate::model::layers::Permute;
use crate::model::layers::{NewWeight, WeightMap};
use crate::model::{Graph, NodeId, graph};

/// Pixels a side of the photos that a network may ask for, as for Keras files.
const MAX_SIDE: usize = 4096;

/// A graph under construction.
pub struct Build<'a> {
    pub graph: Graph,
    pub weights: WeightMap,
    known: HashMap<&'a str, Known<'a>>,
    /// How often each value is read.
    readers: HashMap<&'a str, usize>,
    /// Nodes whose value has several names, which readers are counted by.
    shared: HashSet<NodeId>,
    /// The size of the batch that the file was exported with, where it is fixed.
    pub batch: Option<usize>,
    names: HashSet<String>,
}

/// The graph of the file. Of several outputs, `output` names the one that is shown; without it the first
/// is.
pub fn build(
    model: &proto::Model<'_>,
    output: Option<&str>,
) -> Result<(Graph, WeightMap), OpenError> {
    let file = model
        .graph
        .as_ref()
        .ok_or_else(|| OpenError::Broken("it is an ONNX file without a graph".into()))?;
    let stored: HashSet<&str> = file.initializers.iter().map(|t| t.name).collect();
    let mut inputs = file.inputs.iter().filter(|i| !stored.contains(i.name));
    let input = inputs
        .next()
        .ok_or_else(|| OpenError::NotAModel("its graph takes no input".into()))?;
    if let Some(second) = inputs.next() {
        let shown = |name: &str| name.chars().take(40).collect::<String>();
        return Err(OpenError::Refused(format!(
            "the model takes {} inputs (`{}` and `{}` among them), and photos can be only one of them. \
             Export the part that takes the photos as a model of its own",
            inputs.count() + 2,
            shown(input.name),
            shown(second.name)
        )));
    }
    let output = match output {
        Some(wanted) => {
            let mut outputs = file.outputs.iter();
            outputs.find(|o| o.name == wanted).ok_or_else(|| {
                let names: Vec<&str> = file.outputs.iter().map(|o| o.name).collect();
                OpenError::Refused(format!(
                    "the model has no output `{wanted}`; its outputs are {}",
                    names.join(", ")
                ))
            })?
        }
        None => file
            .outputs
            .first()
            .ok_or_else(|| OpenError::NotAModel("its graph has no output".into()))?,
    };
    let order = in_order(&file.nodes)?;
    let live = live(&file.nodes, &order, output.name);
    let mut build = Build::new(file, input, &live)?;
    for index in order.into_iter().filter(|&i| live[i]) {
        let node = &file.nodes[index];
        let second = build
            .known
            .get(node.inputs.get(1).copied().unwrap_or_default());
        let is_stored = matches!(second, Some(Known::Constant(Constant::Stored(_))));
        let name = names::of_node(node, index, is_stored);
        let op = Op {
            node,
            name,
            opset: model.opset,
        };
        build.step(&op)?;
    }
    let why = match build.known.get(output.name) {
        Some(Known::Value(value)) => {
            let value = value.clone();
            build.graph.output = build.in_own_layout(output.name, &value);
            return Ok((build.graph, build.weights));
        }
        Some(Known::Line(_)) => "its output has no axis for the photos of the batch",
        _ => "its output does not depend on its input",
    };
    Err(OpenError::NotAModel(why.into()))
}

/// The nodes, each after those whose values it reads. ONNX asks for such an order; keras2onnx did not
/// keep it. Nodes that are in order stay where they are.
fn in_order(nodes: &[Node<'_>]) -> Result<Vec<usize>, OpenError> {
    let mut makers = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        makers.extend(
            node.outputs
                .iter()
                .filter(|o| !o.is_empty())
                .map(|&o| (o, i)),
        );
    }
    let mut order = Vec::with_capacity(nodes.len());
    // For each node how many of its inputs were visited; `None` when it is in the order.
    let mut visited: Vec<Option<usize>> = vec![Some(0); nodes.len()];
    let mut is_open = vec![false; nodes.len()];
    for first in 0..nodes.len() {
        // Not recursive: a file may chain nodes to any depth.
        let mut open = vec![first];
        while let Some(&i) = open.last() {
            let Some(next) = visited[i] else {
                open.pop();
                continue;
            };
            is_open[i] = true;
            let Some(input) = nodes[i].inputs.get(next) else {
                order.push(i);
                visited[i] = None;
                is_open[i] = false;
                open.pop();
                continue;
            };
            visited[i] = Some(next + 1);
            match makers.get(input) {
                Some(&maker) if is_open[maker] => {
                    return Err(OpenError::Broken(
                        "its nodes wait for each other in a circle".into(),
                    ));
                }
                Some(&maker) if visited[maker].is_some() => open.push(maker),
                _ => {}
            }
        }
    }
    Ok(order)
}

/// By node: whether the output depends on it. `order` lists the nodes, each after those it reads.
fn live(nodes: &[Node<'_>], order: &[usize], output: &str) -> Vec<bool> {
    let mut needed = HashSet::from([output]);
    let mut live = vec![false; nodes.len()];
    for &i in order.iter().rev() {
        let node = &nodes[i];
        live[i] = node.outputs.iter().any(|o| needed.contains(o));
        if live[i] {
            needed.extend(&node.inputs);
        }
    }
    live
}

/// Whether the file keeps its images as `[N, H, W, C]`: what reads them turns them first.
fn is_channels_last(file: &proto::Graph<'_>, input: &ValueInfo<'_>) -> bool {
    let mut name = input.name;
    let reader = |name: &str| file.nodes.iter().find(|n| n.inputs.contains(&name));
    for _ in 0..8 {
        let Some(node) = reader(name) else { break };
        match node.op {
            "Transpose" => {
                let perm = node.attributes.iter().find(|(name, _)| *name == "perm");
                let turns = |a: &proto::Attribute<'_>| matches!(a, proto::Attribute::Ints(p) if *p == [0, 3, 1, 2]);
                return perm.is_some_and(|(_, a)| turns(a));
            }
            "Conv" => return false,
            _ => match node.outputs.first() {
                Some(next) => name = next,
                None => break,
            },
        }
    }
    false
}

impl<'a> Build<'a> {
    fn new(
        file: &proto::Graph<'a>,
        input: &ValueInfo<'a>,
        live: &[bool],
    ) -> Result<Self, OpenError> {
        let dims = input.dims.clone().unwrap_or(vec![None; 4]);
        let &[batch, a, b, c] = dims.as_slice() else {
            return Err(OpenError::NotAModel(format!(
                "its input has {} axes; only models of images are supported",
                dims.len()
            )));
        };
        if let Some(side) = [a, b, c].into_iter().flatten().find(|&n| n > MAX_SIDE) {
            return Err(OpenError::TooLarge(format!(
                "its input has {side} pixels a side; the limit is {MAX_SIDE}"
            )));
        }
        let last = is_channels_last(file, input);
        let [h, w, c] = if last { [a, b, c] } else { [b, c, a] };
        let mut build = Self {
            graph: Graph {
                name: file.name.chars().take(80).collect(),
                root_trainable: true,
                input_hwc: [h, w, c],
                ..Graph::default()
            },
            weights: WeightMap::new(),
            known: HashMap::new(),
            readers: HashMap::new(),
            shared: HashSet::new(),
            batch,
            names: HashSet::new(),
        };
        let node = build.emit("input", "Input", LayerKind::Input, Vec::new(), Vec::new());
        let dims = vec![None, h, w, c];
        // Bytes and other integers: photos are cast, as TensorFlow and ONNX Runtime's users do.
        let node = match arithmetic::cast_to(input.element) {
            None => node,
            Some(kind) => {
                let inputs = vec![Input::Node(node)];
                build.emit("input_cast", "Cast", kind, Vec::new(), inputs)
            }
        };
        build.graph.layers.iter_mut().for_each(|l| l.listed = false);
        let value = if last {
            Value::plain(node, dims)
        } else {
            Value::image(node, dims)
        };
        for stored in &file.initializers {
            let constant = Constant::Stored(stored.clone());
            build.known.insert(stored.name, Known::Constant(constant));
        }
        build.learn(input.name, value);
        let nodes = file.nodes.iter().zip(live).filter(|(_, live)| **live);
        let read = nodes.flat_map(|(node, _)| &node.inputs).copied();
        for name in read.chain(file.outputs.iter().map(|o| o.name)) {
            *build.readers.entry(name).or_default() += 1;
        }
        Ok(build)
    }

    fn step(&mut self, op: &Op<'_, 'a>) -> Result<(), OpenError> {
        let node = op.node;
        if !matches!(node.domain, "" | "ai.onnx") {
            return Err(self.unknown(op, &format!("{}.{}", node.domain, node.op)));
        }
        let Some(&output) = node.outputs.first() else {
            return Ok(());
        };
        if node.op == "Constant" {
            let constant = constant::of_node(op)?;
            self.known.insert(output, Known::Constant(constant));
            return Ok(());
        }
        // What is left out at the end is not written in the same way by all.
        let given = node.inputs.iter().rposition(|name| !name.is_empty());
        let inputs = &node.inputs[..given.map_or(0, |last| last + 1)];
        let constants = inputs.iter().map(|name| match self.known.get(name) {
            Some(Known::Constant(constant)) => Some(constant.clone()),
            _ => None,
        });
        let constants: Option<Vec<_>> = constants.collect();
        if let Some(constants) = constants {
            let folded = fold::fold(op, &constants)?;
            let folded = folded
                .ok_or_else(|| op.refuse("it combines constants in a way that is not supported"))?;
            self.known.insert(output, Known::Constant(folded));
            return Ok(());
        }
        if node.op == "Shape" {
            let x = self.value(op, 0)?;
            let list: Vec<Option<i64>> = x
                .file_dims()
                .into_iter()
                .map(|d| d.map(|d| d as i64))
                .collect();
            if list.iter().skip(1).any(Option::is_none) {
                return Err(op.refuse("the shape it asks for is left open in the file"));
            }
            let shape = fold::shape(op, &list)?;
            self.known.insert(output, Known::Constant(shape));
            return Ok(());
        }
        if node.op == "Split" {
            let values = parts::split(self, op)?;
            for (name, value) in node.outputs.iter().zip(values) {
                self.learn(name, value);
            }
            return Ok(());
        }
        if let Some(line) = shapes::line(self, op)? {
            self.known.insert(output, Known::Line(line));
            return Ok(());
        }
        let value = match node.op {
            "Gather" if matches!(self.known(op, 0), Some(Known::Line(_))) => {
                shapes::gather(self, op)?
            }
            "Gather" => parts::gather(self, op)?,
            "Slice" => parts::slice(self, op)?,
            "Resize" | "Upsample" => resize::layer(self, op)?,
            "Softmax" | "LogSoftmax" => shapes::softmax(self, op)?,
            "Conv"
            | "BatchNormalization"
            | "Gemm"
            | "MatMul"
            | "LayerNormalization"
            | "InstanceNormalization"
            | "PRelu"
            | "ConvTranspose" => weighted::layer(self, op)?,
            "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "Pad" => {
                windows::layer(self, op)?
            }
            "DepthToSpace" | "SpaceToDepth" => blocks::layer(self, op)?,
            "Flatten" | "Reshape" | "Transpose" | "Squeeze" | "Unsqueeze" | "Concat"
            | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceSum" => shapes::layer(self, op)?,
            _ => match arithmetic::layer(self, op)? {
                Some(value) => value,
                None => return Err(self.unknown(op, node.op)),
            },
        };
        self.learn(output, value);
        Ok(())
    }

    /// Makes a value known by its name.
    fn learn(&mut self, name: &'a str, value: Value) {
        // A node's own layout is that of its first value; transpositions give it others.
        let layouts = &mut self.graph.layouts;
        layouts
            .entry(value.node)
            .or_insert_with(|| value.axes.clone());
        self.known.insert(name, Known::Value(value));
    }

    #[allow(clippy::unused_self, reason = "one place for what is refused")]
    fn unknown(&self, op: &Op<'_, 'a>, class: &str) -> OpenError {
        OpenError::UnsupportedLayer {
            layer: op.name.clone(),
            place: String::new(),
            class: format!("ONNX {}", class.chars().take(80).collect::<String>()),
            what_to_do: "docs/layers.md lists the operators that are",
        }
    }

    /// An input that depends on the photo.
    pub fn value(&self, op: &Op<'_, 'a>, at: usize) -> Result<Value, OpenError> {
        let name = op.node.inputs.get(at).copied().unwrap_or_default();
        match self.known.get(name) {
            Some(Known::Value(value)) => Ok(value.clone()),
            Some(Known::Line(_)) => Err(op.refuse(format!(
                "its input {at} has no axis for the photos of the batch"
            ))),
            Some(Known::Constant(_)) => Err(op.refuse(format!("its input {at} is a constant"))),
            None => Err(op.refuse(format!("its input {at} is not the output of any node"))),
        }
    }

    /// An input that does not depend on the photo; `None` where it is left out.
    pub fn constant(&self, op: &Op<'_, 'a>, at: usize) -> Result<Option<Constant<'a>>, OpenError> {
        let name = op.node.inputs.get(at).copied().unwrap_or_default();
        match self.known.get(name) {
            _ if name.is_empty() => Ok(None),
            Some(Known::Constant(constant)) => Ok(Some(constant.clone())),
            Some(Known::Value(_) | Known::Line(_)) => Err(op.refuse(format!(
                "its input {at} depends on the photo; only a constant is supported there"
            ))),
            None => Err(op.refuse(format!("its input {at} is not the output of any node"))),
        }
    }

    pub fn known(&self, op: &Op<'_, 'a>, at: usize) -> Option<&Known<'a>> {
        self.known.get(op.node.inputs.get(at)?)
    }

    /// Whether nothing else reads this input.
    pub fn is_only_reader(&self, op: &Op<'_, 'a>, at: usize) -> bool {
        let name = op.node.inputs.get(at).copied().unwrap_or_default();
        let once = self.readers.get(name) == Some(&1);
        match self.known.get(name) {
            Some(Known::Value(value)) => once && !self.shared.contains(&value.node),
            _ => once,
        }
    }

    /// A value that goes on under another name.
    pub fn renamed(&mut self, op: &Op<'_, 'a>, value: Value) -> Value {
        if !self.is_only_reader(op, 0) {
            self.shared.insert(value.node);
        }
        value
    }

    /// A layer, called on these.
    pub fn emit(
        &mut self,
        name: &str,
        class: &str,
        kind: LayerKind,
        weights: Vec<NewWeight>,
        inputs: Vec<Input>,
    ) -> NodeId {
        let mut unique = name.to_owned();
        let mut count = 1;
        while !self.names.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        let id = self.graph.layers.len();
        let mut layer = Layer::new(unique, class, kind);
        for weight in weights {
            weight.add_to(&mut layer, id, &mut self.weights);
        }
        self.graph.layers.push(layer);
        self.graph.nodes.push(graph::Node::new(id, inputs));
        self.graph.nodes.len() - 1
    }

    /// A layer of this node on one value.
    pub fn on(
        &mut self,
        op: &Op<'_, 'a>,
        kind: LayerKind,
        weights: Vec<NewWeight>,
        x: &Value,
    ) -> NodeId {
        self.emit(
            &op.name,
            op.node.op,
            kind,
            weights,
            vec![Input::Node(x.node)],
        )
    }

    /// The value with its axes in this order, turned where it has another.
    pub fn turned(&mut self, op: &Op<'_, 'a>, x: Value, axes: &[usize]) -> Value {
        if x.axes == axes {
            return x;
        }
        // The file's axis `f` moves from `x.axes[f]` to `axes[f]`.
        let mut order = vec![0; axes.len()];
        for (from, &to) in x.axes.iter().zip(axes) {
            order[to] = *from;
        }
        let dims: Vec<_> = order.iter().map(|&from| x.dims[from]).collect();
        let order = order.iter().skip(1).map(|from| from - 1).collect();
        let kind = LayerKind::Permute(Permute { order });
        let name = format!("{}.permute", op.name);
        let node = self.emit(
            &name,
            "Transpose",
            kind,
            Vec::new(),
            vec![Input::Node(x.node)],
        );
        self.graph.layouts.insert(node, axes.to_vec());
        Value {
            node,
            axes: axes.to_vec(),
            dims,
        }
    }

    /// The node of the output, with the layout of the output.
    fn in_own_layout(&mut self, name: &str, value: &Value) -> NodeId {
        if self.graph.layouts.get(&value.node) == Some(&value.axes) {
            return value.node;
        }
        let inputs = vec![Input::Node(value.node)];
        let name: String = name.chars().take(80).collect();
        let node = self.emit(&name, "Transpose", LayerKind::Identity, Vec::new(), inputs);
        self.graph.layouts.insert(node, value.axes.clone());
        node
    }

    /// The value as `[N, H, W, C]`.
    pub fn image(&mut self, op: &Op<'_, 'a>, x: Value) -> Result<Value, OpenError> {
        if x.rank() != 4 {
            return Err(op.refuse(format!(
                "it takes images, but its input has {} axes",
                x.rank()
            )));
        }
        Ok(self.turned(op, x, &IMAGE))
    }
}
