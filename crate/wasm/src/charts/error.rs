//! What can be wrong with a chart's input, each with the stable code that a JavaScript `Error` gets as its `name`.

/// Why a chart could not be drawn. Sizes never lead here: a canvas too small for a picture stays empty.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// The value has not the shape of its type in `types.ts`.
    #[error("{what} is malformed: {reason}. Pass an object of the type in types.ts.")]
    Malformed {
        /// `data` or `theme`.
        what: &'static str,
        /// What the conversion met.
        reason: String,
    },
    /// A list without entries.
    #[error("{field} is empty; a chart needs at least one entry.")]
    Empty {
        /// The list's name.
        field: &'static str,
    },
    /// Two lists that run in parallel differ in length.
    #[error("{field} has {got} entries; it needs {want}, one per mark.")]
    Length {
        /// The list's name.
        field: &'static str,
        /// Its length.
        got: usize,
        /// The length of the list it accompanies.
        want: usize,
    },
    /// NaN, an infinity, or a number outside its range.
    #[error("{field} holds {got}; it must be {range}.")]
    Range {
        /// The list's or number's name.
        field: &'static str,
        /// The first offending number.
        got: f64,
        /// The allowed range in words.
        range: &'static str,
    },
    /// The index of the zero cluster points past the clusters.
    #[error("zero is {zero}; there are only {clusters} clusters.")]
    Zero {
        /// The index.
        zero: usize,
        /// Length of `centroids`.
        clusters: usize,
    },
    /// A colour of the theme that is not `#rrggbb`.
    #[error("theme.{field} is \"{got}\"; colours are written #rrggbb.")]
    Colour {
        /// The colour's name.
        field: &'static str,
        /// What stands there.
        got: String,
    },
    /// The canvas gave no 2d context, for instance because it already has another kind.
    #[error("the canvas has no 2d context; pass a canvas that nothing else draws on.")]
    Canvas,
    /// The drawing surface refused a mark.
    #[error("the canvas refused to draw: {reason}.")]
    Backend {
        /// The surface's own words.
        reason: String,
    },
}

impl ChartError {
    /// A stable word for programs: `module/what`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "chart/malformed",
            Self::Empty { .. } => "chart/empty",
            Self::Length { .. } => "chart/length",
            Self::Range { .. } => "chart/range",
            Self::Zero { .. } => "chart/zero",
            Self::Colour { .. } => "chart/colour",
            Self::Canvas => "chart/canvas",
            Self::Backend { .. } => "chart/backend",
        }
    }
}

/// How far a share may lie outside 0 to 1 from rounding alone; such shares are drawn as 0 or 1.
const ROUNDING: f64 = 1e-6;

/// Checks that each number is finite.
///
/// # Errors
/// [`ChartError::Range`] with the first that is not.
pub(crate) fn finite(field: &'static str, values: &[f64]) -> Result<(), ChartError> {
    match values.iter().find(|v| !v.is_finite()) {
        Some(&got) => Err(ChartError::Range { field, got, range: "finite" }),
        None => Ok(()),
    }
}

/// Checks that each number is a share; bounds allow for rounding.
///
/// # Errors
/// [`ChartError::Range`] with the first that is not.
pub(crate) fn shares(field: &'static str, values: &[f64]) -> Result<(), ChartError> {
    match values.iter().find(|v| !(-ROUNDING..=1.0 + ROUNDING).contains(*v)) {
        Some(&got) => Err(ChartError::Range { field, got, range: "from 0 to 1" }),
        None => Ok(()),
    }
}

/// Checks one list of shares that runs parallel to another of length `want`.
///
/// # Errors
/// [`ChartError::Length`] or [`ChartError::Range`].
pub(crate) fn parallel(field: &'static str, values: &[f64], want: usize) -> Result<(), ChartError> {
    if values.len() != want {
        return Err(ChartError::Length { field, got: values.len(), want });
    }
    shares(field, values)
}
