//! What each position of a filter reads, as a matrix, so that a convolution is a matrix product (im2col), and the way
//! back (col2im). The matrix is never in memory: it is laid out in the product's own panels. Works on the channels of
//! one group of one sample.

use std::ops::Range;

use super::Window;
use crate::matmul::{COLUMNS, NARROW, Right};

/// Numbers that are folded back at once: 128 kB, so that they are still in the cache when they are added.
const MOST_AT_ONCE: usize = 1 << 15;
/// Positions that are copied as one vector where they lie beside each other.
const RUN: usize = 4;

/// Offsets into an image with its border: position `p` reads at `positions[p] + taps[t]` for each tap `t`.
#[derive(Debug, Clone)]
pub(super) struct Unfold {
    channels: usize,
    image: [usize; 2],
    padding: [usize; 2],
    /// Height and width with the border.
    padded: [usize; 2],
    taps: Vec<usize>,
    positions: Vec<usize>,
}

impl Unfold {
    /// For images [channels, h, w] in which the window fits `positions` times.
    pub(super) fn new(channels: usize, image: [usize; 2], window: Window, positions: [usize; 2]) -> Self {
        let padded = [0, 1].map(|axis| image[axis] + 2 * window.padding[axis]);
        let [kernel_height, kernel_width] = window.kernel;
        let in_channel = |channel: usize| {
            (0..kernel_height)
                .flat_map(move |y| (0..kernel_width).map(move |x| (channel * padded[0] + y) * padded[1] + x))
        };
        Self {
            channels,
            image,
            padding: window.padding,
            padded,
            taps: (0..channels).flat_map(in_channel).collect(),
            positions: window.corners(positions).map(|[y, x]| y * padded[1] + x).collect(),
        }
    }

    /// Numbers that one position reads: channels · kernel height · kernel width.
    pub(super) fn taps(&self) -> usize {
        self.taps.len()
    }

    pub(super) fn positions(&self) -> usize {
        self.positions.len()
    }

    /// Numbers of the image [channels, h, w] without border.
    pub(super) fn numbers(&self) -> usize {
        self.channels * self.image[0] * self.image[1]
    }

    /// The positions in ranges that are folded back at once.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let all = self.positions.len();
        let at_once = match MOST_AT_ONCE / self.taps.len().max(1) {
            few @ 0..8 => few.max(1),
            many => many - many % 8, // whole panels of the product
        };
        (0..all).step_by(at_once).map(move |start| start..all.min(start + at_once))
    }

    /// The image with its border; without border, the image itself. `padded` comes from [`Self::clear`]: its border is
    /// zero, what is within is overwritten.
    pub(super) fn pad<'a>(&self, image: &'a [f32], padded: &'a mut [f32]) -> &'a [f32] {
        if self.padding == [0, 0] {
            return image;
        }
        let ([above, left], [height, width], [_, stride]) = (self.padding, self.image, self.padded);
        let planes = image.chunks_exact((height * width).max(1));
        for (padded, plane) in padded.chunks_exact_mut(self.padded_plane()).zip(planes) {
            let rows = padded.chunks_exact_mut(stride).skip(above);
            for (row, values) in rows.zip(plane.chunks_exact(width)) {
                copy_few(values, row.get_mut(left..).unwrap_or_default());
            }
        }
        padded
    }

    /// The inverse of [`Self::pad`]: the image within its border.
    pub(super) fn crop(&self, padded: &[f32], image: &mut [f32]) {
        let ([above, left], [height, width], [_, stride]) = (self.padding, self.image, self.padded);
        let planes = image.chunks_exact_mut((height * width).max(1));
        for (padded, plane) in padded.chunks_exact(self.padded_plane()).zip(planes) {
            let rows = padded.chunks_exact(stride).skip(above);
            for (row, values) in rows.zip(plane.chunks_exact_mut(width)) {
                copy_few(row.get(left..).unwrap_or_default(), values);
            }
        }
    }

    /// Zeros of the size of a padded image.
    pub(super) fn clear(&self, padded: &mut Vec<f32>) {
        padded.clear();
        padded.resize(self.channels * self.padded_plane(), 0.0);
    }

    /// Numbers in one channel of a padded image; a net has no images without any.
    fn padded_plane(&self) -> usize {
        (self.padded[0] * self.padded[1]).max(1)
    }

    /// Adds columns [taps, range] to the places of a padded image that they were read from.
    pub(super) fn fold(&self, columns: &[f32], range: Range<usize>, padded: &mut [f32]) {
        let count = range.len();
        let positions = self.positions.get(range).unwrap_or_default();
        for (row, tap) in columns.chunks_exact(count.max(1)).zip(&self.taps) {
            let padded = padded.get_mut(*tap..).unwrap_or_default();
            let ((runs, rest), (starts, last)) = (row.as_chunks::<RUN>(), positions.as_chunks::<RUN>());
            for (from, starts) in runs.iter().zip(starts) {
                match run_at::<RUN>(starts).and_then(|start| padded.get_mut(start..)?.first_chunk_mut::<RUN>()) {
                    Some(to) => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
                    None => add_each(padded, from, starts),
                }
            }
            add_each(padded, rest, last);
        }
    }
}

/// Where so many positions start, if they lie beside each other.
#[inline]
fn run_at<const LONG: usize>(starts: &[usize]) -> Option<usize> {
    let starts = starts.first_chunk::<LONG>()?;
    (starts[LONG - 1] - starts[0] == LONG - 1).then_some(starts[0])
}

fn add_each(padded: &mut [f32], values: &[f32], starts: &[usize]) {
    for (value, &start) in values.iter().zip(starts) {
        if let Some(to) = padded.get_mut(start) {
            *to += value;
        }
    }
}

/// What every position reads of a padded image, [taps, positions].
pub(super) struct Unfolded<'a>(pub &'a Unfold, pub &'a [f32]);

/// The same, transposed: [positions, taps].
pub(super) struct UnfoldedTransposed<'a>(pub &'a Unfold, pub &'a [f32]);

impl Right for Unfolded<'_> {
    fn size(&self) -> (usize, usize) {
        (self.0.taps.len(), self.0.positions.len())
    }

    fn pack(&self, front: usize, left: usize, panel: &mut [[f32; COLUMNS]]) {
        self.pack_any(front, left, panel);
    }

    fn pack_narrow(&self, front: usize, left: usize, panel: &mut [[f32; NARROW]]) {
        self.pack_any(front, left, panel);
    }
}

impl Unfolded<'_> {
    fn pack_any<const WIDE: usize>(&self, front: usize, left: usize, panel: &mut [[f32; WIDE]]) {
        let &Self(unfold, padded) = self;
        let taps = unfold.taps.get(front..).unwrap_or_default();
        let positions = unfold.positions.get(left..).unwrap_or_default();
        let positions = positions.get(..WIDE).unwrap_or(positions);
        if let Some(start) = run_at::<WIDE>(positions) {
            for (slot, tap) in panel.iter_mut().zip(taps) {
                *slot = padded.get(start + tap..).and_then(<[f32]>::first_chunk).copied().unwrap_or([0.0; WIDE]);
            }
            return;
        }
        let (starts, rest) = positions.as_chunks::<RUN>();
        for (at, starts) in starts.iter().enumerate() {
            let at = at * RUN;
            if let Some(start) = run_at::<RUN>(starts) {
                for (slot, tap) in panel.iter_mut().zip(taps) {
                    let from = padded.get(start + tap..).and_then(<[f32]>::first_chunk::<RUN>);
                    let to = slot.get_mut(at..).and_then(<[f32]>::first_chunk_mut);
                    if let (Some(from), Some(to)) = (from, to) {
                        *to = *from;
                    }
                }
            } else {
                pack_each(padded, taps, starts, at, panel);
            }
        }
        pack_each(padded, taps, rest, starts.len() * RUN, panel);
    }
}

fn pack_each<const WIDE: usize>(
    padded: &[f32],
    taps: &[usize],
    starts: &[usize],
    at: usize,
    panel: &mut [[f32; WIDE]],
) {
    for (slot, tap) in panel.iter_mut().zip(taps) {
        for (to, start) in slot.iter_mut().skip(at).zip(starts) {
            *to = padded.get(start + tap).copied().unwrap_or_default();
        }
    }
}

impl Right for UnfoldedTransposed<'_> {
    fn size(&self) -> (usize, usize) {
        (self.0.positions.len(), self.0.taps.len())
    }

    fn pack(&self, front: usize, left: usize, panel: &mut [[f32; COLUMNS]]) {
        self.pack_any(front, left, panel);
    }

    fn pack_narrow(&self, front: usize, left: usize, panel: &mut [[f32; NARROW]]) {
        self.pack_any(front, left, panel);
    }
}

impl UnfoldedTransposed<'_> {
    fn pack_any<const WIDE: usize>(&self, front: usize, left: usize, panel: &mut [[f32; WIDE]]) {
        let &Self(unfold, padded) = self;
        let positions = unfold.positions.get(front..).unwrap_or_default();
        for (column, tap) in unfold.taps.iter().skip(left).take(WIDE).enumerate() {
            let padded = padded.get(*tap..).unwrap_or_default();
            for (slot, &start) in panel.iter_mut().zip(positions) {
                slot[column] = padded.get(start).copied().unwrap_or_default();
            }
        }
    }
}

/// Copies a row. The sum keeps the compiler from calling a copy function, which takes longer than these few numbers.
#[inline]
fn copy_few(from: &[f32], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from + 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let window = Window { kernel: [2, 2], stride: [1, 1], padding: [1, 0] };
        let unfold = Unfold::new(1, [1, 3], window, window.positions([1, 3]).unwrap());
        let (mut padded, mut panel) = (Vec::new(), [[0.0; 4]; 4]);
        unfold.clear(&mut padded);
        let image = unfold.pad(&[1.0, 2.0, 3.0], &mut padded);
        assert_eq!(image, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
        Unfolded(&unfold, image).pack_narrow(0, 0, &mut panel);
        // Rows: upper left, upper right, lower left, lower right tap; columns: the four positions.
        let expected = [[0., 0., 1., 2.], [0., 0., 2., 3.], [1., 2., 0., 0.], [2., 3., 0., 0.]];
        assert_eq!(panel, expected);
        UnfoldedTransposed(&unfold, image).pack_narrow(0, 0, &mut panel);
        assert_eq!(panel, std::array::from_fn(|p| std::array::from_fn(|tap| expected[tap][p])));
        let (mut sums, mut back) = (vec![0.0; 9], vec![0.0; 3]);
        unfold.fold(expected.as_flattened(), 0..4, &mut sums);
        unfold.crop(&sums, &mut back);
        assert_eq!(back, [2.0, 8.0, 6.0], "each number times how often it is read");
    }
}
