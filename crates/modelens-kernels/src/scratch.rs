//! Working memory of kernels that starts at a cache line: a vector that lies across two lines takes twice as
//! long to load.

/// Bytes in a cache line.
const LINE: usize = 64;
/// Values in a cache line.
const VALUES: usize = LINE / size_of::<f32>();

/// The first `length` values of a buffer from a cache line on, with unspecified contents. The buffer grows if it
/// is too short.
pub fn aligned(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length + VALUES {
        buffer.resize(length + VALUES, 0.0);
    }
    // At most a line less one value; the standard library may also refuse to say.
    let skip = buffer.as_ptr().align_offset(LINE).min(VALUES);
    &mut buffer[skip..skip + length]
}
