//! Figures for paper and slides: laid out so that their words are large enough at the given width.

use egui_svg::{Images, smallest_text, with_dark_theme};

use super::draw::{DrawError, Drawn, PageSize, What, draw};
use crate::state::{LEGIBLE, Paper, Part, State};
use crate::theme::sizes;
use crate::theme::text::{BODY, SMALLEST};

/// A figure on paper.
#[derive(Clone, Debug)]
pub struct OnPaper {
    pub drawn: Drawn,
    /// Its width in points of print: that of the paper, or less where the height is not enough.
    pub width: f32,
    /// The size of its smallest text in points of print.
    pub text: f32,
}

/// Draws a figure for paper. Its layout is as narrow as the wanted size of text makes it; where a view
/// needs more room, the text is smaller.
///
/// # Errors
/// See [`DrawError`].
pub fn on_paper(
    state: &State,
    images: &Images,
    what: &What,
    paper: &Paper,
) -> Result<OnPaper, DrawError> {
    if what.part == Part::Window {
        let drawn = draw(state, images, what)?;
        return Ok(placed(drawn, paper));
    }
    let at = |size: PageSize| draw(state, images, &What { size, ..*what });
    let width_of = |text: f32| (paper.width * SMALLEST / text).floor();
    let Some(height) = paper.height else {
        return Ok(placed(as_narrow(at, width_of(paper.text))?, paper));
    };
    // The larger the text, the less room there is for the view.
    let mut text = paper.text.max(LEGIBLE);
    let mut best: Option<OnPaper> = None;
    loop {
        let width = width_of(text);
        let page = [width, (width * height / paper.width).floor()];
        match at(PageSize::Exact(page)) {
            Ok(drawn) if drawn.left_out.is_empty() => return Ok(placed(drawn, paper)),
            // The largest text wins, unless all of the view fits with text that is a little smaller.
            Ok(drawn) => {
                best.get_or_insert_with(|| placed(drawn, paper));
            }
            Err(DrawError::Size { .. }) => {}
            Err(error) => return Err(error),
        }
        let least = if best.is_some() {
            LEGIBLE.max(paper.text * SMALLER_FOR_ALL)
        } else {
            LEGIBLE
        };
        if text <= least {
            break;
        }
        text = (text * TEXT_STEP).max(least);
    }
    if let Some(best) = best {
        return Ok(best);
    }
    let whole = |width: f32| -> Result<OnPaper, DrawError> {
        Ok(placed(as_narrow(at, width + 2.0 * what.margin)?, paper))
    };
    let narrow = whole(sizes::FIGURE_NARROW)?;
    let wide = whole(sizes::FIGURE_LEAST)?;
    Ok(if wide.text > narrow.text {
        wide
    } else {
        narrow
    })
}

/// From one size of text that is tried to the next.
const TEXT_STEP: f32 = 0.93;
/// How much smaller than wanted the text may be so that all of a view fits.
const SMALLER_FOR_ALL: f32 = 0.7;

/// A figure of this width, or the narrowest that the view allows.
fn as_narrow(
    at: impl Fn(PageSize) -> Result<Drawn, DrawError>,
    width: f32,
) -> Result<Drawn, DrawError> {
    match at(PageSize::Width(width)) {
        Err(DrawError::Size { least, .. }) => at(PageSize::Width(least[0])),
        drawn => drawn,
    }
}

/// A figure as wide as the paper, or less if it would be too high.
fn placed(drawn: Drawn, paper: &Paper) -> OnPaper {
    let [width, height] = drawn.size;
    let scale = paper.width / width;
    let scale = paper.height.map_or(scale, |most| scale.min(most / height));
    OnPaper {
        width: width * scale,
        text: smallest_text(&drawn.svg, BODY) * scale,
        drawn,
    }
}

/// A figure whose colours follow the scheme of the page: the light drawing and the dark one in one SVG.
///
/// # Errors
/// See [`DrawError`].
pub fn with_both_themes(
    state: &State,
    images: &Images,
    what: &What,
    light: Drawn,
) -> Result<Drawn, DrawError> {
    let dark = What {
        size: PageSize::Exact(light.size),
        dark: true,
        ..*what
    };
    let dark = draw(state, images, &dark)?;
    Ok(Drawn {
        svg: with_dark_theme(&light.svg, &dark.svg),
        ..light
    })
}
