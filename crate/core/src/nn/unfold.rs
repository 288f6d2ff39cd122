//! What each position of a filter reads, laid out as a matrix, so that a convolution is a matrix product (im2col), and
//! the way back (col2im). Works on the channels of one group of one sample.

use std::ops::Range;

use super::Window;

/// Numbers that are unfolded at once: 128 kB, so that they are still in the cache when they are multiplied.
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

    /// The positions in ranges that are unfolded at once.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let all = self.positions.len();
        let at_once = match MOST_AT_ONCE / self.taps.len().max(1) {
            few @ 0..8 => few.max(1),
            many => many - many % 8, // whole panels of the product
        };
        (0..all).step_by(at_once).map(move |start| start..all.min(start + at_once))
    }

    /// The image with its border of zeros; without border, the image itself.
    pub(super) fn pad<'a>(&self, image: &'a [f32], padded: &'a mut Vec<f32>) -> &'a [f32] {
        if self.padding == [0, 0] {
            return image;
        }
        self.clear(padded);
        for (row, values) in self.rows_within(padded).zip(image.chunks_exact(self.image[1].max(1))) {
            // By numbers: a general copy would call a function for these few.
            row.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
        }
        padded
    }

    /// The inverse of [`Self::pad`]: the image within its border.
    pub(super) fn crop(&self, padded: &mut [f32], image: &mut [f32]) {
        for (row, values) in self.rows_within(padded).zip(image.chunks_exact_mut(self.image[1].max(1))) {
            row.iter().zip(values).for_each(|(from, to)| *to = *from);
        }
    }

    /// Zeros of the size of a padded image.
    pub(super) fn clear(&self, padded: &mut Vec<f32>) {
        padded.clear();
        padded.resize(self.channels * self.padded[0] * self.padded[1], 0.0);
    }

    /// The rows of the image inside a padded one, channel by channel.
    fn rows_within<'a>(&self, padded: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> + use<'a> {
        let ([above, left], [height, width], [_, stride]) = (self.padding, self.image, self.padded);
        padded
            .chunks_exact_mut((self.padded[0] * stride).max(1))
            .flat_map(move |channel| channel.chunks_exact_mut(stride.max(1)).skip(above).take(height))
            .filter_map(move |row| row.get_mut(left..left + width))
    }

    /// Positions of a range, four at once where they lie beside each other: (place in the range, offset, how many).
    fn runs(&self, range: Range<usize>) -> impl Iterator<Item = (usize, usize, usize)> {
        let (runs, rest) = self.positions.get(range).unwrap_or_default().as_chunks::<RUN>();
        let beside = |run: &[usize; RUN]| run[RUN - 1] - run[0] == RUN - 1;
        let in_runs = runs.iter().enumerate().flat_map(move |(index, run)| {
            let (whole, steps) = if beside(run) { (RUN, 1) } else { (1, RUN) };
            run.iter().enumerate().take(steps).map(move |(step, &start)| (index * RUN + step, start, whole))
        });
        let after = runs.len() * RUN;
        in_runs.chain(rest.iter().enumerate().map(move |(index, &start)| (after + index, start, 1)))
    }

    /// columns [taps, range] = what each position of the range reads of a padded image.
    pub(super) fn unfold(&self, padded: &[f32], range: Range<usize>, columns: &mut Vec<f32>) {
        let count = range.len();
        columns.resize(self.taps.len() * count, 0.0);
        for (at, start, run) in self.runs(range) {
            for (row, tap) in columns.chunks_exact_mut(count).zip(&self.taps) {
                let from = padded.get(start + tap..start + tap + run).unwrap_or_default();
                let to = row.get_mut(at..at + run).unwrap_or_default();
                move_run(from, to, |to, from| *to = from);
            }
        }
    }

    /// Adds columns [taps, range] to the places of a padded image that they were read from.
    pub(super) fn fold(&self, columns: &[f32], range: Range<usize>, padded: &mut [f32]) {
        let count = range.len();
        for (at, start, run) in self.runs(range) {
            for (row, tap) in columns.chunks_exact(count).zip(&self.taps) {
                let from = row.get(at..at + run).unwrap_or_default();
                let to = padded.get_mut(start + tap..start + tap + run).unwrap_or_default();
                move_run(from, to, |to, from| *to += from);
            }
        }
    }
}

/// Four numbers as one vector, or a single one.
#[inline]
fn move_run(from: &[f32], to: &mut [f32], step: impl Fn(&mut f32, f32)) {
    match (from.first_chunk::<RUN>(), to.first_chunk_mut::<RUN>()) {
        (Some(from), Some(to)) => to.iter_mut().zip(from).for_each(|(to, &from)| step(to, from)),
        _ => to.iter_mut().zip(from).for_each(|(to, &from)| step(to, from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let window = Window { kernel: [2, 2], stride: [1, 1], padding: [1, 0] };
        let unfold = Unfold::new(1, [1, 3], window, window.positions([1, 3]).unwrap());
        let (mut padded, mut columns) = (Vec::new(), Vec::new());
        let image = unfold.pad(&[1.0, 2.0, 3.0], &mut padded);
        assert_eq!(image, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
        unfold.unfold(image, 0..4, &mut columns);
        // Rows: upper left, upper right, lower left, lower right tap; columns: the four positions.
        let expected = [0., 0., 1., 2., 0., 0., 2., 3., 1., 2., 0., 0., 2., 3., 0., 0.];
        assert_eq!(columns, expected);
        let (mut sums, mut back) = (vec![0.0; 9], vec![0.0; 3]);
        unfold.fold(&columns, 0..4, &mut sums);
        unfold.crop(&mut sums, &mut back);
        assert_eq!(back, [2.0, 8.0, 6.0], "each number times how often it is read");
    }
}
