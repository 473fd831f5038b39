//! What is to be taken from a request, compiled once for each operation.

use std::borrow::Cow;

use smallvec::SmallVec;
use spikard_core::{Inputs, Operation, Parameter, ParameterIn, ParameterType, Value};
use spikard_problem::FieldError;

use crate::convert::Conversion;
use crate::path::PathParameter;
use crate::query::QueryParameter;
use crate::{PlanError, path, query};

/// How the inputs of one operation are taken from its requests.
#[derive(Clone, Debug)]
pub struct Plan {
    input_count: usize,
    /// Sorted by name, as errors are.
    path: Box<[PathParameter]>,
    /// Sorted by name, to find it.
    query: Box<[QueryParameter]>,
}

impl Plan {
    /// Compiles the parameters of `operation`; `path_names` are those of its path template, from left to right.
    ///
    /// # Errors
    ///
    /// A path parameter is not among `path_names`, a parameter is declared twice, or its type is not possible in its
    /// place.
    pub fn compile(operation: &Operation, path_names: &[&str]) -> Result<Self, PlanError> {
        let mut path = Vec::new();
        let mut query = Vec::new();
        for (input, parameter) in operation.parameters().iter().enumerate() {
            let (ty, is_array) = match (parameter.location(), parameter.ty()) {
                (ParameterIn::Query, ParameterType::Array(item)) => (&**item, true),
                (_, ty) => (ty, false),
            };
            let conversion =
                Conversion::new(ty).ok_or_else(|| impossible_type(operation, parameter))?;
            let name = parameter.name().into();
            let is_required = parameter.is_required();
            match parameter.location() {
                ParameterIn::Path => path.push(PathParameter {
                    name,
                    conversion,
                    segment: position_in_path(operation, parameter, path_names)?,
                    input,
                }),
                ParameterIn::Query => query.push(QueryParameter {
                    name,
                    conversion,
                    is_array,
                    is_required,
                    input,
                }),
                _ => return Err(impossible_type(operation, parameter)),
            }
        }
        path.sort_by(|a, b| a.name.cmp(&b.name));
        query.sort_by(|a, b| a.name.cmp(&b.name));
        let path_twice = path.windows(2).find(|pair| pair[0].name == pair[1].name);
        let query_twice = query.windows(2).find(|pair| pair[0].name == pair[1].name);
        let twice = path_twice
            .map(|pair| (ParameterIn::Path, &pair[0].name))
            .or_else(|| query_twice.map(|pair| (ParameterIn::Query, &pair[0].name)));
        if let Some((location, name)) = twice {
            return Err(PlanError::Duplicate {
                location,
                name: name.to_string(),
                declaration: operation.declaration().clone(),
            });
        }
        Ok(Self {
            input_count: operation.parameters().len(),
            path: path.into(),
            query: query.into(),
        })
    }

    /// The inputs of one request, in the order in which the operation declares them.
    ///
    /// `path` has the decoded values of the path template, from left to right; `query` is the query component of the
    /// request target, not decoded. Text that needs no decoding is borrowed, and single values cost no allocation.
    ///
    /// # Errors
    ///
    /// All errors of both places, sorted by their `loc`.
    pub fn extract<'r>(
        &self,
        mut path: SmallVec<[Cow<'r, str>; 4]>,
        query: Option<&'r str>,
    ) -> Result<Inputs<'r>, Vec<FieldError>> {
        let mut values = SmallVec::new();
        values.resize_with(self.input_count, || Value::Absent);
        let mut errors = Vec::new();
        path::extract(&self.path, &mut path, &mut values, &mut errors);
        if !self.query.is_empty() {
            query::extract(&self.query, query, &mut values, &mut errors);
        }
        if errors.is_empty() {
            Ok(Inputs::new(values))
        } else {
            Err(errors)
        }
    }
}

fn position_in_path(
    operation: &Operation,
    parameter: &Parameter,
    path_names: &[&str],
) -> Result<usize, PlanError> {
    path_names
        .iter()
        .position(|name| *name == parameter.name())
        .ok_or_else(|| PlanError::NotInTemplate {
            name: parameter.name().to_owned(),
            template: operation.path().to_owned(),
            declaration: operation.declaration().clone(),
        })
}

fn impossible_type(operation: &Operation, parameter: &Parameter) -> PlanError {
    PlanError::Type {
        location: parameter.location(),
        name: parameter.name().to_owned(),
        ty: parameter.ty().clone(),
        declaration: operation.declaration().clone(),
    }
}
