//! The branch of a union (`anyOf`, `oneOf`) that a value is meant for.

use std::slice;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::Location;
use jsonschema::{JsonTypeSet, ValidationError};
use serde_json::Value;
use spikard_problem::Cause;

use crate::keyword;

type Error = ValidationError<'static>;

/// What is wrong with a value that matches no branch.
pub(crate) enum Narrowed<'e> {
    /// These errors, of the branch that the value is meant for or of all branches alike.
    Errors(Vec<&'e Error>),
    /// This cause at this place.
    Cause(&'e Location, Cause),
}

/// Says of the value at `place` what is wrong with it, given the errors under each branch; `None` if that depends on
/// which branch is meant and nothing tells.
pub(crate) fn narrow<'e>(branches: &'e [Vec<Error>], place: &'e Location) -> Option<Narrowed<'e>> {
    let has_another_type = |branch: &[Error]| {
        branch
            .iter()
            .any(|error| allowed_types(error, place).is_some())
    };
    let of_type: Vec<_> = branches
        .iter()
        .filter(|branch| !has_another_type(branch))
        .collect();
    if of_type.is_empty() {
        let errors = branches.iter().flatten();
        let allowed = errors.filter_map(|error| allowed_types(error, place));
        let allowed = allowed.flat_map(|types| types.iter());
        let allowed = allowed.fold(JsonTypeSet::empty(), JsonTypeSet::insert);
        let is_any = allowed.iter().next().is_some();
        return is_any.then(|| Narrowed::Cause(place, keyword::types(allowed)));
    }
    if let [branch] = of_type[..] {
        return Some(Narrowed::Errors(branch.iter().collect()));
    }
    let has_another_tag = |branch: &[Error]| {
        branch
            .iter()
            .any(|error| allowed_tags(error, place).is_some())
    };
    let of_tag: Vec<_> = of_type
        .iter()
        .filter(|branch| !has_another_tag(branch))
        .collect();
    match of_tag[..] {
        [] => unknown_tag(of_type.iter().flat_map(|branch| branch.iter()), place),
        [branch] => Some(Narrowed::Errors(branch.iter().collect())),
        [first, ref others @ ..] => {
            let is_everywhere = |error: &Error| {
                let is_in =
                    |branch: &[Error]| branch.iter().any(|other| is_same_absence(error, other));
                others.iter().all(|branch| is_in(branch))
            };
            let everywhere: Vec<_> = first.iter().filter(|error| is_everywhere(error)).collect();
            (!everywhere.is_empty()).then_some(Narrowed::Errors(everywhere))
        }
    }
}

/// The types that the value at `place` could have, if `error` is that it has another.
fn allowed_types(error: &Error, place: &Location) -> Option<JsonTypeSet> {
    match error.kind() {
        _ if error.instance_path() != place => None,
        Kind::Type {
            kind: TypeKind::Single(name),
        } => Some(JsonTypeSet::empty().insert(*name)),
        Kind::Type {
            kind: TypeKind::Multiple(names),
        } => Some(*names),
        Kind::FalseSchema => Some(JsonTypeSet::empty()),
        _ => None,
    }
}

/// The values that could stand where `error` finds another, if it finds it at `place` or in a tag: a property of the
/// object there that has one certain value.
fn allowed_tags<'e>(error: &'e Error, place: &Location) -> Option<&'e [Value]> {
    let tags = match error.kind() {
        Kind::Constant { expected_value } => slice::from_ref(expected_value.as_ref()),
        Kind::Enum { options } => options.as_array()?,
        _ => return None,
    };
    let below = error
        .instance_path()
        .as_str()
        .strip_prefix(place.as_str())?;
    let is_tag = below.is_empty() || (below.matches('/').count() == 1 && tags.len() == 1);
    is_tag.then_some(tags)
}

/// What is wrong with a tag that no branch has, if all branches have theirs in the same place.
fn unknown_tag<'e>(
    errors: impl Iterator<Item = &'e Error>,
    place: &Location,
) -> Option<Narrowed<'e>> {
    let mut allowed = Vec::new();
    let mut tag = None;
    for error in errors {
        if let Some(tags) = allowed_tags(error, place) {
            if *tag.get_or_insert(error.instance_path()) != error.instance_path() {
                return None;
            }
            allowed.extend_from_slice(tags);
        }
    }
    Some(Narrowed::Cause(tag?, Cause::Enum(allowed)))
}

/// Whether both say that the same property is missing.
fn is_same_absence(left: &Error, right: &Error) -> bool {
    match (left.kind(), right.kind()) {
        (
            Kind::Required {
                property: left_name,
            },
            Kind::Required {
                property: right_name,
            },
        ) => left_name == right_name && left.instance_path() == right.instance_path(),
        _ => false,
    }
}
