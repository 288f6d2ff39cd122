//! In which order weights are coded: row after row, or in square blocks.
//!
//! Blocks view the tensor as a matrix, [first dimension, all others]. They have an edge of 8, 16, 32 or 64 (scan order 1 to
//! 4), are cut off at the borders, and go left to right, then down; inside a block row after row. Each row of blocks
//! begins anew: contexts return to their start, nothing is remembered of the weight before, and the coder restarts its
//! range, so that a decoder could begin there.

use super::CodecError;

/// Scan order, 0 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// 0: row after row.
    order: u8,
    rows: usize,
    columns: usize,
}

impl Scan {
    pub(super) const MOST: u8 = 4;

    /// # Errors
    /// [`CodecError::Setting`] for an order above 4, [`CodecError::Unsupported`] for blocks of a matrix with one row or
    /// column, where tools disagree.
    pub(super) fn new(order: u8, shape: &[usize]) -> Result<Self, CodecError> {
        if order > Self::MOST {
            return Err(CodecError::Setting { name: "scan order", got: order.into(), range: "0 to 4" });
        }
        let (rows, columns) = shape.split_first().map_or((1, 1), |(&rows, rest)| (rows, rest.iter().product()));
        if order > 0 && (rows == 1 || columns == 1) {
            return Err(CodecError::Unsupported { what: "a block scan of a single row or column" });
        }
        Ok(Self { order, rows, columns })
    }

    /// The same for an encoder: row after row where blocks would make no more than one row, which tools read differently.
    ///
    /// # Errors
    /// [`CodecError::Setting`] for an order above 4.
    pub(super) fn for_encoder(order: u8, shape: &[usize]) -> Result<Self, CodecError> {
        match Self::new(order, shape) {
            Ok(scan) if scan.entries() > 0 => Ok(scan),
            Ok(_) | Err(CodecError::Unsupported { .. }) => Self::new(0, shape),
            error => error,
        }
    }

    pub(super) fn order(self) -> u8 {
        self.order
    }

    /// Weights of each stretch that begins anew.
    pub(super) fn stretches(self) -> impl Iterator<Item = usize> {
        let rows = if self.order == 0 { self.rows } else { self.edge() };
        (0..self.rows).step_by(rows.max(1)).map(move |top| rows.min(self.rows - top) * self.columns)
    }

    /// Stretches but the first, where there are blocks.
    pub(super) fn entries(self) -> usize {
        if self.order == 0 { 0 } else { self.rows.div_ceil(self.edge()) - 1 }
    }

    /// The weights in the order in which they are coded.
    pub(super) fn apply<T: Copy>(self, values: &[T]) -> Vec<T> {
        self.places().filter_map(|place| values.get(place).copied()).collect()
    }

    /// The weights in their own order.
    pub(super) fn undo<T: Copy + Default>(self, coded: Vec<T>) -> Vec<T> {
        if self.order == 0 {
            return coded;
        }
        let mut values = vec![T::default(); coded.len()];
        for (place, value) in self.places().zip(coded) {
            if let Some(slot) = values.get_mut(place) {
                *slot = value;
            }
        }
        values
    }

    fn edge(self) -> usize {
        4 << self.order
    }

    /// Where each weight lies, in the order in which they are coded.
    fn places(self) -> impl Iterator<Item = usize> {
        let Self { rows, columns, .. } = self;
        let edge = if self.order == 0 { rows.max(columns).max(1) } else { self.edge() };
        let tops = (0..rows).step_by(edge);
        let corners = tops.flat_map(move |top| (0..columns).step_by(edge).map(move |left| (top, left)));
        corners.flat_map(move |(top, left)| {
            let (bottom, right) = (rows.min(top + edge), columns.min(left + edge));
            (top..bottom).flat_map(move |row| (left..right).map(move |column| row * columns + column))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_go_right_then_down() {
        let scan = Scan::new(1, &[9, 2, 5]).unwrap();
        assert_eq!(scan.stretches().collect::<Vec<_>>(), [80, 10]);
        let values: Vec<i32> = (0..90).collect();
        let coded = scan.apply(&values);
        assert_eq!(coded[..9], [0, 1, 2, 3, 4, 5, 6, 7, 10]);
        assert_eq!(coded[64..68], [8, 9, 18, 19]);
        assert_eq!(coded[80..], [80, 81, 82, 83, 84, 85, 86, 87, 88, 89]);
        assert_eq!(scan.undo(coded), values);
        let plain = Scan::new(0, &[9, 10]).unwrap();
        assert_eq!((plain.apply(&values), plain.stretches().collect::<Vec<_>>()), (values, vec![90]));
        assert!(Scan::new(5, &[9, 9]).is_err() && Scan::new(1, &[9]).is_err() && Scan::new(1, &[1, 9]).is_err());
        let order = |order, shape: &[usize]| Scan::for_encoder(order, shape).map(Scan::order).ok();
        assert_eq!(
            (order(1, &[9, 9]), order(2, &[9, 9]), order(1, &[1, 9]), order(5, &[9])),
            (Some(1), Some(0), Some(0), None)
        );
    }
}
