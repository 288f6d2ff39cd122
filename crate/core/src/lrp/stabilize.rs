//! Division that never meets zero.

/// z + ε·sign(z) with sign(0) = 1: never 0, and on the same side as z.
#[inline]
pub fn stabilize(z: f32, epsilon: f32) -> f32 {
    // A comparison, not `signum`: −0 counts as 0 and thus as positive.
    if z < 0.0 { z - epsilon } else { z + epsilon }
}

#[cfg(test)]
mod tests {
    use super::stabilize;

    #[test]
    fn zero_counts_as_positive() {
        assert_eq!(stabilize(0.0, 0.5), 0.5);
        assert_eq!(stabilize(-0.0, 0.5), 0.5);
        assert_eq!(stabilize(-1.0, 0.5), -1.5);
    }
}
