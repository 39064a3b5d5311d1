//! Messages of ONNX files, written by hand.

/// A length-delimited field.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(bytes);
    out
}

/// A graph that multiplies its input `x` of shape [1, 3, 4, 4] by `tensor`, a message named `w`.
pub fn product_with(tensor: &[u8]) -> Vec<u8> {
    let shape = [1, 3, 4, 4].map(|side| field(1, &[8, side])).concat();
    let kind = field(1, &[b"\x08\x01".to_vec(), field(2, &shape)].concat());
    let info = |name: &[u8]| [field(1, name), field(2, &kind)].concat();
    let node = [
        field(1, b"x"),
        field(1, b"w"),
        field(2, b"y"),
        field(4, b"Mul"),
    ];
    let graph = [
        field(1, &node.concat()),
        field(5, tensor),
        field(11, &info(b"x")),
        field(12, &info(b"y")),
    ];
    graph.concat()
}

/// The file that holds a graph.
pub fn model(graph: &[u8]) -> Vec<u8> {
    [b"\x08\x08".to_vec(), field(7, graph)].concat()
}
