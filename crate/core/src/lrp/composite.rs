//! Which rule applies where.

use super::LrpError;
use super::rules::{Epsilon, Rule};

/// A choice of rule for each affine layer of a net.
#[derive(Debug)]
pub struct Composite {
    name: String,
    dense: Box<dyn Rule>,
}

impl Composite {
    /// All names that [`Self::named`] knows.
    pub const NAMES: [&'static str; 1] = ["epsilon"];

    /// A composite by its published name.
    ///
    /// # Errors
    /// [`LrpError::UnknownComposite`] lists the known ones.
    pub fn named(name: &str) -> Result<Self, LrpError> {
        match name {
            "epsilon" => Ok(Self { name: name.into(), dense: Box::new(Epsilon::DEFAULT) }),
            _ => Err(LrpError::UnknownComposite { name: name.into(), known: Self::NAMES.join(", ") }),
        }
    }

    /// The name it was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rule for dense layers.
    pub fn dense(&self) -> &dyn Rule {
        &*self.dense
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = Composite::named("epsilon-minus").unwrap_err().to_string();
        assert!(error.contains("epsilon-minus") && error.contains("choose one of: epsilon"), "{error}");
        assert!(Composite::NAMES.iter().all(|name| Composite::named(name).unwrap().name() == *name));
    }
}
