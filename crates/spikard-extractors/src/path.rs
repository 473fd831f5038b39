//! Texts of the path, whose values arrive decoded from the router.

use std::borrow::Cow;

use spikard_core::Value;

use crate::declared::Declared;

/// One declared path parameter.
#[derive(Clone, Debug)]
pub(crate) struct PathParameter {
    pub(crate) declared: Declared,
    /// Which parameter of the path template it is.
    pub(crate) segment: usize,
}

/// Moves the texts of `path` into `values`.
pub(crate) fn gather<'r>(
    parameters: &[PathParameter],
    path: &mut [Cow<'r, str>],
    values: &mut [Value<'r>],
) {
    for PathParameter { declared, segment } in parameters {
        if let Some(text) = path.get_mut(*segment) {
            declared.gather(std::mem::take(text), &mut values[declared.input]);
        }
    }
}
