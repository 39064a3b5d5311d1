//! The peak memory of a call, counted per thread so that concurrent tests do not disturb it.

/// The result of a call, and the largest number of bytes that it held at one time on its thread.
pub fn most_bytes<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let mut value = None;
    let counted = allocation_counter::measure(|| value = Some(call()));
    (value.expect("the call returned"), counted.bytes_max)
}

#[test]
fn the_count_is_of_what_is_held_at_one_time() {
    let (_, most) = most_bytes(|| {
        drop(std::hint::black_box(vec![0_u8; 3_000_000]));
        drop(std::hint::black_box(vec![1_u8; 2_000_000]));
        std::hint::black_box(vec![2_u8; 1_000_000])
    });
    assert!((3_000_000..3_010_000).contains(&most), "{most}");
}
