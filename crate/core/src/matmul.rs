//! The matrix product under every layer. Written here because each output must be summed in one fixed order without
//! fused multiply-add: so native and WebAssembly results agree bit by bit, where library kernels choose instructions by
//! processor (and relaxed SIMD would let the browser choose). At the shapes of small nets it is also faster than those:
//! figures are in `tests/README.md`.

use ndarray::{ArrayView2, s};

/// Rows and columns of the register block: 4×8 sums fill the vector registers that WebAssembly engines keep.
const ROWS: usize = 4;
pub(crate) const COLUMNS: usize = 8;
/// Columns of the block for a narrow rest: ten outputs cost twelve columns, not sixteen.
pub(crate) const NARROW: usize = 4;
/// Depth of a packed panel of `b`: 8 kB, which stay in the first-level cache while the rows of `a` pass by.
const DEPTH: usize = 256;
/// Rows of `a` that pass by before the next panel of `b`: with [`DEPTH`], 128 kB of the second-level cache.
const TALL: usize = 128;

/// Scratch memory for packed panels; keep one and pass it to every call.
#[derive(Debug, Default, Clone)]
pub struct Pack {
    a: Vec<f32>,
    b: Vec<f32>,
}

/// What the output becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Update<'a> {
    /// `c = a·b`
    Replace,
    /// `c = c + a·b`
    Add,
    /// `c = a·b + bias`, one bias a column.
    ColumnBias(&'a [f32]),
    /// `c = a·b + bias`, one bias a row.
    RowBias(&'a [f32]),
}

/// Where a product goes: rows that start `stride` apart.
#[derive(Debug)]
pub struct Output<'a> {
    values: &'a mut [f32],
    stride: usize,
}

impl<'a> Output<'a> {
    /// A row-major matrix of `stride` columns, or the left part of one.
    pub fn new(values: &'a mut [f32], stride: usize) -> Self {
        Self { values, stride }
    }
}

/// The right factor of a product: whatever can lay out its columns. So a convolution needs no matrix in memory of what
/// its filters read.
pub trait Right {
    /// [depth, columns]
    fn size(&self) -> (usize, usize);

    /// Writes `panel[d][j]` = element [front + d, left + j] for each d of the panel and the columns that exist.
    fn pack(&self, front: usize, left: usize, panel: &mut [[f32; COLUMNS]]);

    /// The same for a narrow panel.
    fn pack_narrow(&self, front: usize, left: usize, panel: &mut [[f32; NARROW]]);
}

/// Matrix product into `c` [m, n] of `a` [m, k] and `b` [k, n], both of any strides: pass a transposed view for a
/// transposed product. Each element is summed over k in ascending order in panels of 256.
///
/// Shapes that disagree are a bug of the caller: checked in debug builds, else the common part is computed.
pub fn matmul(a: ArrayView2<'_, f32>, b: &dyn Right, c: &mut Output<'_>, update: Update<'_>, pack: &mut Pack) {
    let (depth, columns) = b.size();
    debug_assert_eq!(a.ncols(), depth);
    let (rows, depth) = (a.nrows(), a.ncols().min(depth));
    for front in (0..depth.max(1)).step_by(DEPTH) {
        let deep = DEPTH.min(depth - front);
        pack_right(&mut pack.b, b, front, deep);
        for top in (0..rows).step_by(TALL) {
            let tall = TALL.min(rows - top);
            let left_factor = Left::new(a, Cut { top, tall, front, deep }, &mut pack.a);
            let mut panels = pack.b.as_slice();
            for left in (0..columns).step_by(COLUMNS) {
                let wide = COLUMNS.min(columns - left);
                let place = Place { top, tall, left, wide, first: front == 0, update };
                let size = deep * if wide > NARROW { COLUMNS } else { NARROW };
                let (panel, rest) = panels.split_at_checked(size).unwrap_or_default();
                if wide > NARROW {
                    multiply_panel::<COLUMNS>(&left_factor, panel.as_chunks().0, place, c);
                } else {
                    multiply_panel::<NARROW>(&left_factor, panel.as_chunks().0, place, c);
                }
                panels = rest;
            }
        }
    }
}

/// The part of `a` that is multiplied at once.
#[derive(Clone, Copy)]
struct Cut {
    top: usize,
    tall: usize,
    front: usize,
    deep: usize,
}

/// That part, in whichever layout reads on along the depth.
enum Left<'a> {
    /// Row-major as it came: the first row's start, and how far apart rows are.
    Rows { values: &'a [f32], stride: usize, deep: usize },
    /// Panels of four rows, position by position, padded with zeros.
    Panels { values: &'a [[f32; ROWS]], deep: usize },
}

impl<'a> Left<'a> {
    fn new(a: ArrayView2<'a, f32>, Cut { top, tall, front, deep }: Cut, packed: &'a mut Vec<f32>) -> Self {
        if let Some(values) = a.to_slice() {
            let stride = a.ncols();
            return Self::Rows { values: values.get(top * stride + front..).unwrap_or_default(), stride, deep };
        }
        packed.resize(tall.div_ceil(ROWS) * ROWS * deep, 0.0);
        let panels = packed.as_chunks_mut::<ROWS>().0;
        panels.iter_mut().skip(tall / ROWS * deep).for_each(|slot| *slot = [0.0; ROWS]);
        if let Some(values) = a.t().to_slice() {
            let lines = values.chunks_exact(a.nrows().max(1)).skip(front);
            for (panel, above) in panels.chunks_exact_mut(deep.max(1)).zip((top..top + tall).step_by(ROWS)) {
                let below = (above + ROWS).min(top + tall);
                for (slot, line) in panel.iter_mut().zip(lines.clone()) {
                    copy_short(slot, line.get(above..below).unwrap_or_default());
                }
            }
        } else {
            for (row, d) in (0..tall).flat_map(|row| (0..deep).map(move |d| (row, d))) {
                panels[row / ROWS * deep + d][row % ROWS] = a[[top + row, front + d]];
            }
        }
        Self::Panels { values: packed.as_chunks().0, deep }
    }
}

/// Packs `deep` rows of `b` from `front` on into panels of eight columns (the last of four if they hold it), position
/// by position, padded with zeros.
fn pack_right(packed: &mut Vec<f32>, b: &dyn Right, front: usize, deep: usize) {
    let (_, columns) = b.size();
    let rest = columns % COLUMNS;
    let last = if rest > NARROW { COLUMNS } else { NARROW.min(rest * NARROW) };
    packed.resize((columns - rest + last) * deep, 0.0);
    packed.iter_mut().skip((columns - rest) * deep).for_each(|value| *value = 0.0);
    for (panel, left) in packed.chunks_mut((COLUMNS * deep).max(1)).zip((0..columns).step_by(COLUMNS)) {
        if columns - left > NARROW {
            b.pack(front, left, panel.as_chunks_mut().0);
        } else {
            b.pack_narrow(front, left, panel.as_chunks_mut().0);
        }
    }
}

impl Right for ArrayView2<'_, f32> {
    fn size(&self) -> (usize, usize) {
        self.dim()
    }

    fn pack(&self, front: usize, left: usize, panel: &mut [[f32; COLUMNS]]) {
        pack_view(*self, front, left, panel);
    }

    fn pack_narrow(&self, front: usize, left: usize, panel: &mut [[f32; NARROW]]) {
        pack_view(*self, front, left, panel);
    }
}

fn pack_view<const WIDE: usize>(b: ArrayView2<'_, f32>, front: usize, left: usize, panel: &mut [[f32; WIDE]]) {
    if let Some(values) = b.to_slice() {
        let right = b.ncols().min(left + WIDE);
        for (slot, row) in panel.iter_mut().zip(values.chunks_exact(b.ncols()).skip(front)) {
            copy_short(slot, row.get(left..right).unwrap_or_default());
        }
        return;
    }
    if let Some(values) = b.t().to_slice() {
        let lines = values.chunks_exact(b.nrows().max(1)).skip(left);
        let mut columns = lines.map(|line| line.get(front..front + panel.len()).unwrap_or_default());
        return transpose(std::array::from_fn(|_| columns.next().unwrap_or_default()), panel);
    }
    // Part of a larger matrix (rows are still whole in memory), or of any other strides.
    for (slot, row) in panel.iter_mut().zip(b.rows().into_iter().skip(front)) {
        let row = row.slice_move(s![left..row.len().min(left + WIDE)]);
        match row.to_slice() {
            Some(values) => copy_short(slot, values),
            None => slot.iter_mut().zip(row).for_each(|(slot, &value)| *slot = value),
        }
    }
}

/// Lays lines out side by side, four positions at once: so both are read and written as vectors. A line that is missing
/// leaves its place as it is.
fn transpose<const WIDE: usize>(lines: [&[f32]; WIDE], panel: &mut [[f32; WIDE]]) {
    const AT_ONCE: usize = 4;
    let (blocks, rest) = panel.as_chunks_mut::<AT_ONCE>();
    let whole = blocks.len();
    if lines.iter().all(|line| line.len() >= whole * AT_ONCE) {
        let chunks = lines.map(|line| line.as_chunks::<AT_ONCE>().0);
        for (index, block) in blocks.iter_mut().enumerate() {
            let values = chunks.map(|line| line[index]);
            *block = std::array::from_fn(|d| std::array::from_fn(|line| values[line][d]));
        }
    } else {
        for (line, values) in lines.iter().enumerate() {
            blocks.as_flattened_mut().iter_mut().zip(*values).for_each(|(slot, value)| slot[line] = *value);
        }
    }
    for (line, values) in lines.iter().enumerate() {
        rest.iter_mut().zip(values.iter().skip(whole * AT_ONCE)).for_each(|(slot, value)| slot[line] = *value);
    }
}

/// Copies up to WIDE numbers; a whole row of them as vectors. (The sum keeps the compiler from merging both cases into a
/// call of a copy function, which takes longer.)
#[inline]
fn copy_short<const WIDE: usize>(slot: &mut [f32; WIDE], values: &[f32]) {
    match values.first_chunk::<WIDE>() {
        Some(values) => *slot = *values,
        None => slot.iter_mut().zip(values).for_each(|(slot, &value)| *slot = value + 0.0),
    }
}

/// Where the blocks of one panel of `b` go.
#[derive(Clone, Copy)]
struct Place<'a> {
    top: usize,
    tall: usize,
    left: usize,
    wide: usize,
    /// Whether these are the first summands.
    first: bool,
    update: Update<'a>,
}

fn multiply_panel<const WIDE: usize>(a: &Left<'_>, b: &[[f32; WIDE]], place: Place<'_>, c: &mut Output<'_>) {
    let onto = Onto::new(place);
    for above in (0..place.tall).step_by(ROWS) {
        let high = ROWS.min(place.tall - above);
        let block = match *a {
            Left::Rows { values, stride, deep } => {
                // A missing row repeats the last one; what comes of it is not stored.
                let row = |r: usize| {
                    let start = (above + r.min(high - 1)) * stride;
                    values.get(start..start + deep).unwrap_or_default()
                };
                let rows = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
                multiply_block(rows.map(|(((&a0, &a1), &a2), &a3)| [a0, a1, a2, a3]), b)
            }
            Left::Panels { values, deep } => {
                let start = above / ROWS * deep;
                multiply_block(values.get(start..start + deep).unwrap_or_default().iter().copied(), b)
            }
        };
        store(&block, &onto, above, place, c);
    }
}

#[inline(always)]
#[allow(clippy::inline_always)] // the sums must stay in registers, whatever the iterator
fn multiply_block<const WIDE: usize>(a: impl Iterator<Item = [f32; ROWS]>, b: &[[f32; WIDE]]) -> [[f32; WIDE]; ROWS] {
    let mut block = [[0.0_f32; WIDE]; ROWS];
    for (a, b) in a.zip(b) {
        for (row, a) in block.iter_mut().zip(a) {
            for (sum, b) in row.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    block
}

/// What the sums of a panel are added to.
#[derive(Clone, Copy)]
enum Onto<'a, const WIDE: usize> {
    /// What is there.
    Output,
    /// A bias for each column; 0 for none.
    Columns([f32; WIDE]),
    /// A bias for each row.
    Rows(&'a [f32]),
}

impl<'a, const WIDE: usize> Onto<'a, WIDE> {
    fn new(Place { top, left, first, update, .. }: Place<'a>) -> Self {
        match update {
            Update::Replace if first => Self::Columns([0.0; WIDE]),
            Update::ColumnBias(bias) if first => {
                let bias = bias.get(left..).unwrap_or_default();
                Self::Columns(std::array::from_fn(|column| bias.get(column).copied().unwrap_or_default()))
            }
            Update::RowBias(bias) if first => Self::Rows(bias.get(top..).unwrap_or_default()),
            _ => Self::Output,
        }
    }

    /// For one row, of which `output` is there.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn row(&self, row: usize, output: impl Fn() -> [f32; WIDE]) -> [f32; WIDE] {
        match self {
            Self::Output => output(),
            Self::Columns(bias) => *bias,
            Self::Rows(bias) => [bias.get(row).copied().unwrap_or_default(); WIDE],
        }
    }
}

/// Brings a block to its place, in the panel's rows from `above` on.
#[inline(always)]
#[allow(clippy::inline_always)] // else the sums go through memory, which takes as long as ten steps of the depth
fn store<const WIDE: usize>(
    block: &[[f32; WIDE]; ROWS],
    onto: &Onto<'_, WIDE>,
    above: usize,
    place: Place<'_>,
    c: &mut Output<'_>,
) {
    let start = (place.top + above) * c.stride + place.left;
    let output = c.values.get_mut(start..).unwrap_or_default();
    if place.wide < WIDE || place.tall - above < ROWS {
        // A copy, so that the block itself need not have an address.
        let block = *block;
        return store_part(&block, onto, above, place, output.chunks_mut(c.stride.max(1)));
    }
    for (r, sums) in block.iter().enumerate() {
        let Some(row) = output.get_mut(r * c.stride..).and_then(|rest| rest.first_chunk_mut()) else { return };
        let onto = onto.row(above + r, || *row);
        *row = std::array::from_fn(|column| sums[column] + onto[column]);
    }
}

/// The same at the lower and right edge.
#[inline(never)]
fn store_part<'a, const WIDE: usize>(
    block: &[[f32; WIDE]; ROWS],
    onto: &Onto<'_, WIDE>,
    above: usize,
    place: Place<'_>,
    rows: impl Iterator<Item = &'a mut [f32]>,
) {
    for ((r, sums), row) in (above..place.tall).zip(block).zip(rows) {
        for (column, (value, sum)) in row.iter_mut().zip(sums).enumerate().take(place.wide) {
            *value = sum + onto.row(r, || [*value; WIDE])[column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn random(rows: usize, columns: usize, rng: &mut Rng) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |_| rng.uniform() as f32 - 0.5)
    }

    /// The same matrix in each layout that the product knows a way for: row-major, transposed, with gaps.
    fn layouts(matrix: &Array2<f32>) -> [Array2<f32>; 3] {
        let mut gaps = Array2::zeros((matrix.nrows() * 2, matrix.ncols() * 3));
        gaps.slice_mut(s![..;2, ..;3]).assign(matrix);
        [matrix.clone(), matrix.t().as_standard_layout().into_owned().reversed_axes(), gaps.slice_move(s![..;2, ..;3])]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn agrees_with_the_sum_in_f64(m in prop_oneof![4 => 1_usize..40, 1 => 120_usize..300], k in 1_usize..600, n in 1_usize..40, spare in 0_usize..3, seed: u64) {
            let mut rng = Rng::new(seed, 0);
            let (a, b) = (random(m, k, &mut rng), random(k, n, &mut rng));
            let (before, columns, rows) = (random(m, n + spare, &mut rng), random(1, n, &mut rng), random(1, m, &mut rng));
            let (columns, rows) = (columns.as_slice().unwrap(), rows.as_slice().unwrap());
            let mut pack = Pack::default();
            let mut bits: Option<Vec<u32>> = None;
            for a in layouts(&a) {
                for b in layouts(&b) {
                    for update in [Update::Replace, Update::Add, Update::ColumnBias(columns), Update::RowBias(rows)] {
                        let mut c = before.clone();
                        matmul(a.view(), &b.view(), &mut Output::new(c.as_slice_mut().unwrap(), n + spare), update, &mut pack);
                        for ((i, j), &value) in c.indexed_iter() {
                            if j >= n {
                                prop_assert_eq!(value, before[[i, j]], "beside the product");
                                continue;
                            }
                            let dot: f64 = (0..k).map(|d| f64::from(a[[i, d]]) * f64::from(b[[d, j]])).sum();
                            let more = match update {
                                Update::Replace => 0.0,
                                Update::Add => before[[i, j]],
                                Update::ColumnBias(bias) => bias[j],
                                Update::RowBias(bias) => bias[i],
                            };
                            prop_assert!((f64::from(value) - dot - f64::from(more)).abs() < 1e-4);
                        }
                        if update == Update::Replace {
                            let now: Vec<u32> = c.iter().map(|v| v.to_bits()).collect();
                            prop_assert_eq!(&now, bits.get_or_insert_with(|| now.clone()), "layouts give other bits");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_to_sum_leaves_zero_or_the_bias() {
        let (a, b, mut pack) = (Array2::zeros((2, 0)), Array2::zeros((0, 3)), Pack::default());
        let mut c = [7.0; 6];
        matmul(a.view(), &b.view(), &mut Output::new(&mut c, 3), Update::ColumnBias(&[1.0, 2.0, 3.0]), &mut pack);
        assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        matmul(a.view(), &b.view(), &mut Output::new(&mut c, 3), Update::Replace, &mut pack);
        assert_eq!(c, [0.0; 6]);
    }
}
