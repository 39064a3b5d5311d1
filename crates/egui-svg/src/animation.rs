//! Animations from drawings: GIF and animated PNG.

use std::collections::{BTreeMap, HashMap};

use ::png::{BitDepth, BlendOp, ColorType, Compression, DisposeOp, Encoder};
use color_quant::NeuQuant;
use thiserror::Error;

use crate::png::Raster;

/// A picture, and how long it is shown.
#[derive(Clone, Debug)]
pub struct Frame {
    pub raster: Raster,
    pub milliseconds: u16,
}

/// Why an animation cannot be written.
#[derive(Debug, Error)]
pub enum AnimationError {
    /// No frames.
    #[error("an animation needs at least one frame")]
    Empty,
    /// The frames differ in size.
    #[error("the frames have different sizes")]
    Sizes,
    /// A side that the format cannot note.
    #[error("a GIF has at most 65535 pixels a side")]
    Side,
    #[error(transparent)]
    Png(#[from] ::png::EncodingError),
    #[error(transparent)]
    Gif(#[from] gif::EncodingError),
}

/// The part of a picture that differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    at: [usize; 2],
    size: [usize; 2],
}

/// Writes an animated PNG that repeats for ever. Frames after the first hold only the rectangle that
/// changed.
///
/// # Errors
/// See [`AnimationError`].
pub fn apng(frames: &[Frame]) -> Result<Vec<u8>, AnimationError> {
    let [width, height] = checked(frames)?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width as u32, height as u32);
    let all = frames.iter().flat_map(|frame| &frame.raster.rgba);
    let is_opaque = all.into_iter().all(|&[.., alpha]| alpha == 255);
    let (color, channels) = if is_opaque {
        (ColorType::Rgb, 3)
    } else {
        (ColorType::Rgba, 4)
    };
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_animated(frames.len() as u32, 0)?;
    encoder.set_dispose_op(DisposeOp::None)?;
    encoder.set_blend_op(BlendOp::Source)?;
    let mut writer = encoder.write_header()?;
    for (i, frame) in frames.iter().enumerate() {
        let part = part(frames, i);
        // The rectangle before must not reach out of the picture while this one is set.
        writer.reset_frame_position()?;
        writer.set_frame_dimension(part.size[0] as u32, part.size[1] as u32)?;
        writer.set_frame_position(part.at[0] as u32, part.at[1] as u32)?;
        writer.set_frame_delay(frame.milliseconds, 1000)?;
        let pixels = pixels(&frame.raster, part);
        let bytes: Vec<u8> = pixels.flat_map(|p| p[..channels].to_vec()).collect();
        writer.write_image_data(&bytes)?;
    }
    writer.finish()?;
    Ok(out)
}

/// Writes a GIF that repeats for ever, with one palette of 256 colours for all frames. Half-transparent
/// pixels become opaque or transparent.
///
/// # Errors
/// See [`AnimationError`].
pub fn gif(frames: &[Frame]) -> Result<Vec<u8>, AnimationError> {
    let size = checked(frames)?;
    let [Ok(width), Ok(height)] = size.map(u16::try_from) else {
        return Err(AnimationError::Side);
    };
    let mut palette = Palette::of(frames);
    let mut out = Vec::new();
    let mut encoder = gif::Encoder::new(&mut out, width, height, &palette.bytes())?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    for (i, frame) in frames.iter().enumerate() {
        let part = part(frames, i);
        let before = i.checked_sub(1).map(|i| &frames[i].raster);
        let mut indices = Vec::with_capacity(part.size[0] * part.size[1]);
        let earlier = before.map(|raster| pixels(raster, part).collect::<Vec<_>>());
        for (n, pixel) in pixels(&frame.raster, part).enumerate() {
            // A pixel that stays compresses best as a transparent one.
            let stays = earlier.as_ref().is_some_and(|earlier| earlier[n] == pixel);
            indices.push(if stays {
                TRANSPARENT
            } else {
                palette.index(pixel)
            });
        }
        let [left, top] = part.at.map(|n| n as u16);
        let [width, height] = part.size.map(|n| n as u16);
        encoder.write_frame(&gif::Frame {
            delay: (frame.milliseconds / 10).max(2),
            dispose: gif::DisposalMethod::Keep,
            transparent: Some(TRANSPARENT),
            left,
            top,
            width,
            height,
            buffer: indices.into(),
            ..gif::Frame::default()
        })?;
    }
    drop(encoder);
    Ok(out)
}

/// The size that all frames have.
fn checked(frames: &[Frame]) -> Result<[usize; 2], AnimationError> {
    let first = frames.first().ok_or(AnimationError::Empty)?;
    let size = first.raster.size;
    if frames.iter().any(|frame| frame.raster.size != size) {
        return Err(AnimationError::Sizes);
    }
    Ok(size)
}

/// The rectangle around what differs from the frame before: all of the first frame, and one pixel if
/// nothing differs.
fn part(frames: &[Frame], number: usize) -> Part {
    let raster = &frames[number].raster;
    let [width, height] = raster.size;
    let Some(before) = number.checked_sub(1).map(|i| &frames[i].raster) else {
        return Part {
            at: [0, 0],
            size: raster.size,
        };
    };
    let rows = before.rgba.chunks(width).zip(raster.rgba.chunks(width));
    let [mut left, mut right, mut top, mut bottom] = [width, 0, height, 0];
    for (y, (a, b)) in rows.enumerate() {
        let Some(first) = a.iter().zip(b).position(|(a, b)| a != b) else {
            continue;
        };
        let last = a.iter().zip(b).rposition(|(a, b)| a != b).unwrap_or(first);
        left = left.min(first);
        right = right.max(last + 1);
        top = top.min(y);
        bottom = y + 1;
    }
    if bottom == 0 {
        return Part {
            at: [0, 0],
            size: [1, 1],
        };
    }
    Part {
        at: [left, top],
        size: [right - left, bottom - top],
    }
}

/// The pixels of a rectangle, row by row.
fn pixels(raster: &Raster, part: Part) -> impl Iterator<Item = [u8; 4]> + '_ {
    let width = raster.size[0];
    let rows = raster
        .rgba
        .chunks(width)
        .skip(part.at[1])
        .take(part.size[1]);
    rows.flat_map(move |row| row[part.at[0]..part.at[0] + part.size[0]].iter().copied())
}

/// The index of the transparent entry.
const TRANSPARENT: u8 = 0;
/// Entries for the commonest colours: areas, lines and letters keep theirs exactly.
const EXACT: usize = 120;
/// Entries that share the other colours, those of photos.
const SHARED: usize = 256 - 1 - EXACT;
/// The most pixels that the shared entries are chosen from.
const SAMPLE: usize = 1 << 18;
/// Sampling of the neural quantizer: 1 is the slowest and best.
const QUALITY: i32 = 3;

/// The colours of a GIF.
struct Palette {
    colors: Vec<[u8; 3]>,
    known: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// The commonest colours of all frames, and a selection of the others.
    fn of(frames: &[Frame]) -> Self {
        let mut counts: BTreeMap<[u8; 3], usize> = BTreeMap::new();
        for (i, frame) in frames.iter().enumerate() {
            let part = part(frames, i);
            for [r, g, b, alpha] in pixels(&frame.raster, part) {
                if alpha >= 128 {
                    *counts.entry([r, g, b]).or_default() += 1;
                }
            }
        }
        let mut common: Vec<([u8; 3], usize)> = counts.into_iter().collect();
        // The colours are in order, so equal counts are too.
        common.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let all_fit = common.len() <= EXACT + SHARED;
        let exact = if all_fit { common.len() } else { EXACT };
        let rest = common.split_off(exact.min(common.len()));
        let mut colors = vec![[0; 3]];
        colors.extend(common.iter().map(|(color, _)| *color));
        if !rest.is_empty() {
            let total: usize = rest.iter().map(|(_, count)| count).sum();
            let step = total.div_ceil(SAMPLE).max(1);
            let mut sample = Vec::new();
            for ([r, g, b], count) in rest {
                for _ in 0..count.div_ceil(step) {
                    sample.extend([r, g, b, 255]);
                }
            }
            let chosen = NeuQuant::new(QUALITY, SHARED, &sample).color_map_rgb();
            colors.extend(chosen.chunks_exact(3).map(|c| [c[0], c[1], c[2]]));
        }
        let known = colors.iter().enumerate().skip(1).rev();
        let known = known.map(|(i, color)| (*color, i as u8)).collect();
        Self { colors, known }
    }

    fn bytes(&self) -> Vec<u8> {
        self.colors.concat()
    }

    /// The entry nearest to a colour.
    fn index(&mut self, [r, g, b, alpha]: [u8; 4]) -> u8 {
        if alpha < 128 {
            return TRANSPARENT;
        }
        let color = [r, g, b];
        if let Some(&known) = self.known.get(&color) {
            return known;
        }
        let distance = |other: &[u8; 3]| -> u32 {
            let channels = color.iter().zip(other);
            channels
                .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
                .sum()
        };
        let entries = self.colors.iter().enumerate().skip(1);
        let nearest = entries.min_by_key(|(_, other)| distance(other));
        let nearest = nearest.map_or(TRANSPARENT, |(i, _)| i as u8);
        self.known.insert(color, nearest);
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(colors: &[[u8; 4]]) -> Frame {
        let raster = Raster {
            size: [2, colors.len() / 2],
            rgba: colors.to_vec(),
        };
        Frame {
            raster,
            milliseconds: 100,
        }
    }

    const RED: [u8; 4] = [255, 0, 0, 255];
    const BLUE: [u8; 4] = [0, 0, 255, 255];

    #[test]
    fn a_gif_of_few_colours_keeps_them() {
        let frames = [
            frame(&[RED, RED, RED, RED]),
            frame(&[RED, RED, RED, BLUE]),
            frame(&[RED, RED, RED, BLUE]),
        ];
        let bytes = gif(&frames).expect("a GIF");
        assert_eq!(bytes, gif(&frames).expect("a GIF"), "the same bytes");
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes.as_slice()).expect("a GIF");
        let first = decoder
            .read_next_frame()
            .expect("a frame")
            .expect("a frame");
        assert_eq!(first.buffer.as_ref(), [RED; 4].concat());
        let second = decoder
            .read_next_frame()
            .expect("a frame")
            .expect("a frame");
        let place = [second.left, second.top, second.width, second.height];
        assert_eq!((place, second.buffer.as_ref()), ([1, 1, 1, 1], &BLUE[..]));
        assert!(decoder.read_next_frame().expect("a frame").is_some());
        assert!(decoder.read_next_frame().expect("the end").is_none());
    }

    #[test]
    fn many_colours_become_near_ones() {
        let colors: Vec<[u8; 4]> = (0..4096_u32)
            .map(|i| [(i % 256) as u8, (i / 16) as u8, 90, 255])
            .collect();
        let frames = [frame(&colors)];
        let mut palette = Palette::of(&frames);
        assert!(palette.colors.len() <= 256);
        for &[r, g, b, a] in &colors {
            let index = palette.index([r, g, b, a]);
            let near = palette.colors[usize::from(index)];
            let far = near.iter().zip([r, g, b]).map(|(a, b)| a.abs_diff(b));
            assert!(
                far.max().is_some_and(|far| far < 40),
                "{near:?} for {r} {g} {b}"
            );
        }
    }

    #[test]
    fn an_animated_png_holds_what_changed() {
        let frames = [frame(&[RED; 4]), frame(&[RED, BLUE, RED, RED])];
        let bytes = apng(&frames).expect("a PNG");
        let decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().expect("a PNG");
        let info = reader
            .info()
            .animation_control()
            .copied()
            .expect("animated");
        assert_eq!((info.num_frames, info.num_plays), (2, 0));
        let mut pixels = vec![0; 12];
        reader.next_frame(&mut pixels).expect("the first frame");
        assert_eq!(pixels, [255, 0, 0].repeat(4));
        reader.next_frame(&mut pixels).expect("the second frame");
        let control = reader.info().frame_control().copied().expect("a frame");
        assert_eq!([control.x_offset, control.width, control.height], [1, 1, 1]);
        assert_eq!(pixels[..3], [0, 0, 255]);
    }

    #[test]
    fn frames_of_two_sizes_are_refused() {
        let frames = [frame(&[RED; 4]), frame(&[RED; 2])];
        assert!(matches!(gif(&frames), Err(AnimationError::Sizes)));
        assert!(matches!(apng(&[]), Err(AnimationError::Empty)));
    }
}
