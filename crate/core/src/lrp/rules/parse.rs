//! Rules as people write them.

use std::sync::Arc;

use super::{AlphaBeta, Epsilon, Flat, Gamma, Norm, Pass, Rule, WSquare, ZBox, ZPlus};
use crate::lrp::LrpError;

/// All rules with their settings.
pub const RULES: &str = "epsilon(e), gamma(g), z-plus, alpha-beta(a,b), z-box(lo,hi), w-square, flat, norm, pass";

/// A rule from its text: a name, and in parentheses its settings. `_` may stand for `-`; ε and γ have defaults.
///
/// # Errors
/// [`LrpError::UnknownRule`] lists the known ones; [`LrpError::Setting`] says what a setting must be.
pub fn parse(text: &str) -> Result<Arc<dyn Rule>, LrpError> {
    let unknown = || LrpError::UnknownRule { rule: text.into(), known: RULES };
    let (name, settings) = match text.trim().split_once('(') {
        None => (text.trim(), None),
        Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')').ok_or_else(unknown)?)),
    };
    let numbers = settings.into_iter().flat_map(|settings| settings.split(','));
    let numbers: Vec<f32> =
        numbers.map(|number| number.trim().parse()).collect::<Result<_, _>>().map_err(|_| unknown())?;
    Ok(match (name.replace('_', "-").as_str(), numbers.as_slice()) {
        ("epsilon", []) => Arc::new(Epsilon::DEFAULT),
        ("epsilon", &[epsilon]) => Arc::new(Epsilon::new(epsilon)?),
        ("gamma", []) => Arc::new(Gamma::DEFAULT),
        ("gamma", &[gamma]) => Arc::new(Gamma::new(gamma)?),
        ("z-plus", []) => Arc::new(ZPlus),
        ("alpha-beta", &[alpha, beta]) => Arc::new(AlphaBeta::new(alpha, beta)?),
        ("z-box", &[low, high]) => Arc::new(ZBox::new(low, high)?),
        ("w-square", []) => Arc::new(WSquare),
        ("flat", []) => Arc::new(Flat::default()),
        ("norm", []) => Arc::new(Norm),
        ("pass", []) => Arc::new(Pass),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_their_settings() {
        let debug = |text: &str| format!("{:?}", parse(text).unwrap());
        assert_eq!(debug("epsilon(1e-6)"), "Epsilon { epsilon: 1e-6 }");
        assert_eq!(debug(" alpha_beta( 2, 1 )"), "AlphaBeta { alpha: 2.0, beta: 1.0 }");
        assert_eq!(debug("z-box(-1,1)"), "ZBox { low: -1.0, high: 1.0 }");
        for text in ["best", "", "epsilon(", "epsilon(a)", "flat(1)", "z-box(1)", "alpha-beta"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), "lrp/rule");
            assert!(error.to_string().contains(RULES), "{error}");
        }
        for text in ["epsilon(0)", "gamma(-1)", "alpha-beta(1,1)", "z-box(1,1)", "epsilon(NaN)"] {
            assert_eq!(parse(text).unwrap_err().code(), "lrp/setting", "{text}");
        }
    }
}
