//! How much memory a call takes at most, counted where it is asked for: by thread, so that tests beside
//! each other do not disturb the count.

#![allow(
    unsafe_code,
    reason = "the one way to count; every call goes on to the system unchanged"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: isize) {
    let now = NOW.get() + bytes;
    NOW.set(now);
    MOST.set(MOST.get().max(now));
}

// SAFETY: the system's allocator does the work; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a call returns, and the bytes that it held at most at one time, on its own thread.
pub fn most_bytes<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let before = NOW.get();
    MOST.set(before);
    let value = call();
    (
        value,
        MOST.get().saturating_sub(before).max(0).cast_unsigned() as u64,
    )
}

#[test]
fn the_count_is_of_what_is_held_at_one_time() {
    let (_, most) = most_bytes(|| {
        drop(vec![0_u8; 3_000_000]);
        drop(vec![1_u8; 2_000_000]);
        let mut grown = Vec::with_capacity(10);
        grown.resize(1_000_000, 2_u8);
        grown
    });
    assert!((3_000_000..3_010_000).contains(&most), "{most}");
}
