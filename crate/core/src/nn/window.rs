//! The geometry that convolution and pooling share: a window that steps over an image.

/// Rows and columns of a window, how far it steps, and the border of zeros around the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// [height, width]
    pub kernel: [usize; 2],
    /// [down, right]
    pub stride: [usize; 2],
    /// [above and below, left and right]
    pub padding: [usize; 2],
}

impl Window {
    /// How often the window fits, [down, right]: `⌊(size + 2·padding − kernel) / stride⌋ + 1`. `None` where it does not
    /// fit once, or has an extent or step of 0.
    pub(super) fn positions(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let fits = |axis: usize| {
            let padded = self.padding[axis].checked_mul(2)?.checked_add(image[axis])?;
            let room = padded.checked_sub(self.kernel[axis]).filter(|_| self.kernel[axis] > 0)?;
            room.checked_div(self.stride[axis])?.checked_add(1)
        };
        Some([fits(0)?, fits(1)?])
    }

    /// The upper left corner of each position in an image without border, row by row.
    pub(super) fn corners(&self, positions: [usize; 2]) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [down, right] = self.stride;
        (0..positions[0]).flat_map(move |y| (0..positions[1]).map(move |x| [y * down, x * right]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_fit_are_counted() {
        let count = |kernel, stride, padding, image| {
            let window = Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] };
            window.positions([image; 2]).map(|[down, _]| down)
        };
        assert_eq!(count(3, 1, 1, 8), Some(8));
        assert_eq!(count(3, 2, 1, 8), Some(4));
        assert_eq!(count(2, 2, 0, 7), Some(3));
        assert_eq!(count(9, 1, 0, 8), None);
        assert_eq!((count(0, 1, 0, 8), count(1, 0, 0, 8)), (None, None));
        assert_eq!(count(1, 1, usize::MAX, 8), None);
    }
}
