//! Where the pixels of an augmented image come from: the composed transform, and the pixels that the
//! fill modes painted.

use super::{Draw, Pipeline};

/// A 3 x 3 matrix, row by row, on (x = column, y = row, 1).
pub type Matrix = [f64; 9];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

/// A determinant below this squeezes the image into a line.
const SINGULAR: f64 = 1e-9;

impl Pipeline {
    /// The matrix of all steps together, from the output (x = column, y = row) to the input, for an
    /// image of `height` x `width` pixels; `None` if a step changes the size (crop, resizing), or moves
    /// pixels in a way that no matrix describes (elastic, a mixture).
    ///
    /// The last step is applied first, because its output is the pipeline's output.
    pub fn input_from_output(&self, draws: &[Draw], height: usize, width: usize) -> Option<Matrix> {
        let steps = self.matrices(draws, height, width)?;
        Some(
            steps
                .into_iter()
                .fold(IDENTITY, |all, step| product(&all, &step)),
        )
    }

    /// Which output pixels, row by row, were painted by a step's fill mode, because the step reads
    /// outside its input there. `None` as for [`Self::input_from_output`].
    pub fn painted_by_fill(
        &self,
        draws: &[Draw],
        height: usize,
        width: usize,
    ) -> Option<Vec<bool>> {
        let steps = self.matrices(draws, height, width)?;
        // A pixel is a square around its centre, so the image ends half a pixel beyond the last one.
        let inside = |c: f64, len: usize| c > -0.5 - 1e-3 && c < len as f64 - 0.5 + 1e-3;
        let painted = |x: usize, y: usize| {
            let mut at = [x as f64, y as f64];
            for step in steps.iter().rev() {
                at = apply(step, at);
                if !(inside(at[0], width) && inside(at[1], height)) {
                    return true;
                }
            }
            false
        };
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Some(rows.map(|(x, y)| painted(x, y)).collect())
    }

    /// One matrix for each step that moves pixels, in order.
    fn matrices(&self, draws: &[Draw], height: usize, width: usize) -> Option<Vec<Matrix>> {
        let mut matrices = Vec::new();
        for (step, draw) in self.steps.iter().filter(|step| step.on).zip(draws) {
            let changed = |size: [usize; 2]| step.layer.is_random() || size != [height, width];
            if step.layer.size_for(height, width).is_some_and(changed)
                || draw.bends()
                || draw.size(height, width).is_some()
            {
                return None;
            }
            if let Some([a0, a1, a2, b0, b1, b2, c0, c1]) = draw.input_from_output(height, width) {
                matrices.push([a0, a1, a2, b0, b1, b2, c0, c1, 1.0]);
            }
        }
        Some(matrices)
    }
}

/// `a b`: first `b`, then `a`.
fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| {
        let [row, column] = [i / 3, i % 3];
        (0..3).map(|k| a[3 * row + k] * b[3 * k + column]).sum()
    })
}

/// The point that the matrix maps this one to.
pub fn apply(matrix: &Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    let [a0, a1, a2, b0, b1, b2, c0, c1, c2] = *matrix;
    let k = c0 * x + c1 * y + c2;
    [(a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k]
}

/// The matrix of the opposite direction; `None` if the image is squeezed into a line (zoom 0).
pub fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let m = |row: usize, column: usize| matrix[3 * (row % 3) + column % 3];
    // With indices taken modulo 3 the cofactors need no signs.
    let cofactor = |row: usize, column: usize| {
        m(row + 1, column + 1) * m(row + 2, column + 2)
            - m(row + 1, column + 2) * m(row + 2, column + 1)
    };
    let determinant: f64 = (0..3)
        .map(|column| m(0, column) * cofactor(0, column))
        .sum();
    (determinant.abs() > SINGULAR)
        .then(|| std::array::from_fn(|i| cofactor(i % 3, i / 3) / determinant))
}

/// The four corners of the photo in the output, clockwise from the top left. Pixels are squares, so
/// the photo reaches half a pixel beyond the outermost centres.
pub fn photo_outline(matrix: &Matrix, height: usize, width: usize) -> Option<[[f64; 2]; 4]> {
    let output_from_input = inverse(matrix)?;
    let [right, bottom] = [width as f64 - 0.5, height as f64 - 0.5];
    let corners = [[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]];
    Some(corners.map(|corner| apply(&output_from_input, corner)))
}
