use super::{Node, read};

#[test]
fn a_call_is_noted_and_not_made() {
    // os.system("true")
    let bytes = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.";
    let pickle = read(bytes).unwrap();
    assert_eq!(pickle.node(pickle.root), Some(&Node::Object(None)));
    assert_eq!(pickle.length, bytes.len());
}

#[test]
fn dictionaries_and_numbers() {
    // {"a": (1, -2, 300)}
    let bytes = b"\x80\x02}q\x00X\x01\x00\x00\x00aK\x01J\xfe\xff\xff\xffM\x2c\x01\x87s.";
    let pickle = read(bytes).unwrap();
    let Some(Node::Dict(items)) = pickle.node(pickle.root) else {
        panic!("a dictionary");
    };
    assert_eq!(pickle.text(items[0].0), Some("a"));
    assert_eq!(pickle.ints(items[0].1), Some(vec![1, -2, 300]));
}

#[test]
fn pickles_of_python_2() {
    // OrderedDict([["a", 1], ["b", 2]]), with names as byte strings.
    let start = b"\x80\x02ccollections\nOrderedDict\n".as_slice();
    let bytes = [start, b"]((U\x01aK\x01l(U\x01bK\x02le\x85R."].concat();
    let pickle = read(&bytes).unwrap();
    let Some(Node::Dict(items)) = pickle.node(pickle.root) else {
        panic!("a dictionary, not {:?}", pickle.nodes);
    };
    let names: Vec<_> = items.iter().map(|&(key, _)| pickle.text(key)).collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    // {"a": 7} in protocol 0.
    let pickle = read(b"(dp0\nS'a'\np1\nI7\ns.").unwrap();
    let Some(Node::Dict(items)) = pickle.node(pickle.root) else {
        panic!("a dictionary");
    };
    assert_eq!(pickle.text(items[0].0), Some("a"));
}

#[test]
fn an_object_keeps_its_state_and_is_not_made() {
    // An instance of m.C with the state {"a": None}.
    let pickle = read(b"\x80\x02cm\nC\n)\x81}U\x01aNsb.").unwrap();
    let Some(Node::Object(Some(state))) = pickle.node(pickle.root) else {
        panic!("an object");
    };
    assert!(matches!(pickle.node(*state), Some(Node::Dict(items)) if items.len() == 1));
}

#[test]
fn broken_pickles_give_reasons() {
    for bytes in [
        &b""[..],
        b".",
        b"\x80\x02(",
        b"h\x05.",
        b"X\xff\xff\xff\xffabc",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        b"i",
        b"(N.",
    ] {
        assert!(read(bytes).is_err() || bytes == b"(N.", "{bytes:?}");
    }
    // A list that holds itself: read, never walked.
    assert!(read(b"]q\x00h\x00a.").is_ok());
    // Deep nesting costs no stack.
    let deep = [vec![b'N'], vec![0x85; 1_000_000], vec![b'.']].concat();
    assert!(read(&deep).is_ok());
}
