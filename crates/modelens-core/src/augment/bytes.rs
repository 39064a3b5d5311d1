//! Images of bytes: what torchvision's transforms take and make of photos, in a quarter of the memory.

use std::borrow::Cow;
use std::sync::Arc;

use modelens_kernels::simd::vectorized;

use crate::dataset::Image;

/// A value of an image. Kernels compute with floats, whatever the image holds.
pub trait Value: Copy + Default + PartialEq + Send + Sync {
    fn get(self) -> f32;

    /// The value of a byte, without its fraction.
    fn whole(self) -> i32;

    /// The reverse of [`Self::whole`].
    fn put_whole(x: i32) -> Self;

    /// The reverse of [`Self::get`]. For bytes, a number within [0, 255], which is rounded half to even.
    fn put(x: f32) -> Self;
}

impl Value for f32 {
    #[inline(always)]
    fn get(self) -> f32 {
        self
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self as i32
    }

    #[inline(always)]
    fn put_whole(x: i32) -> Self {
        x as f32
    }

    #[inline(always)]
    fn put(x: f32) -> Self {
        x
    }
}

impl Value for u8 {
    #[inline(always)]
    fn get(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn whole(self) -> i32 {
        self.into()
    }

    #[inline(always)]
    fn put_whole(x: i32) -> Self {
        x as u8
    }

    #[inline(always)]
    fn put(x: f32) -> Self {
        // 2^23: a sum with it has no bits for a fraction, and its lowest bits are the number.
        (x + 8_388_608.0).to_bits() as u8
    }
}

/// The byte nearest to a value.
#[inline(always)]
pub(super) fn nearest(x: f32) -> u8 {
    // Comparisons, which NaN fails, are one instruction each.
    let x = if x > 0.0 { x } else { 0.0 };
    u8::put(if x < 255.0 { x } else { 255.0 })
}

/// The 8-bit image nearest to an image.
pub fn to_bytes(image: &Image) -> Image<u8> {
    converted(image, nearest)
}

/// An image of other values. A loop, because `collect` is not inlined into the kernel.
fn converted<T: Value, U: Value>(image: &Image<T>, value: impl Fn(T) -> U) -> Image<U> {
    let mut pixels_hwc = vec![U::default(); image.pixels_hwc.len()];
    vectorized(
        #[inline(always)]
        || {
            for (out, &x) in pixels_hwc.iter_mut().zip(&image.pixels_hwc) {
                *out = value(x);
            }
        },
    );
    Image {
        pixels_hwc,
        height: image.height,
        width: image.width,
        channels: image.channels,
    }
}

/// An image in a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyImage {
    Bytes(Arc<Image<u8>>),
    Floats(Arc<Image>),
}

impl From<Image<u8>> for AnyImage {
    fn from(image: Image<u8>) -> Self {
        Self::Bytes(Arc::new(image))
    }
}

impl From<Image> for AnyImage {
    fn from(image: Image) -> Self {
        Self::Floats(Arc::new(image))
    }
}

impl AnyImage {
    /// The same values as floats.
    pub fn floats(&self) -> Cow<'_, Image> {
        match self {
            Self::Floats(image) => Cow::Borrowed(image),
            Self::Bytes(image) => Cow::Owned(to_floats(image)),
        }
    }

    /// The same values as floats.
    pub fn into_floats(self) -> Image {
        match self {
            Self::Floats(image) => Arc::unwrap_or_clone(image),
            Self::Bytes(image) => to_floats(&image),
        }
    }

    /// The nearest bytes.
    pub(super) fn bytes(&self) -> Cow<'_, Image<u8>> {
        match self {
            Self::Bytes(image) => Cow::Borrowed(image),
            Self::Floats(image) => Cow::Owned(to_bytes(image)),
        }
    }
}

/// The same values as floats.
pub(super) fn to_floats(image: &Image<u8>) -> Image {
    converted(
        image,
        #[inline(always)]
        |x: u8| x.get(),
    )
}
