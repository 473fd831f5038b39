//! What is to be taken from a request besides its content, compiled once for each operation.

use std::borrow::Cow;
use std::collections::HashSet;

use http::{HeaderMap, HeaderName};
use serde_json::Value as Json;
use smallvec::SmallVec;
use spikard_core::{ArrayStyle, Inputs, Operation, Parameter, ParameterIn, ParameterType, Value};
use spikard_problem::FieldError;

use crate::convert::Conversion;
use crate::declared::{Declared, Shape};
use crate::deep_object::ObjectParameter;
use crate::header::HeaderParameter;
use crate::path::PathParameter;
use crate::schema_types::SchemaTypes;
use crate::{PlanError, cookie, header, path, query};

/// How the inputs of one operation are taken from its requests.
#[derive(Clone, Debug)]
pub struct Plan {
    input_count: usize,
    // All sorted by name: to find it, and since errors are.
    cookies: Box<[Declared]>,
    headers: Box<[HeaderParameter]>,
    path: Box<[PathParameter]>,
    query: Box<[Declared]>,
    objects: Box<[ObjectParameter]>,
}

/// The parameters of a request that is refused.
#[derive(Debug)]
pub struct Refused<'r> {
    /// All errors of all places, sorted by their `loc`.
    pub errors: Vec<FieldError>,
    /// What could be taken all the same; absent where there is an error.
    pub inputs: Inputs<'r>,
}

impl Plan {
    /// Compiles the parameters of `operation`; `path_names` are those of its path template, from left to right.
    ///
    /// # Errors
    ///
    /// A path parameter is not among `path_names`, a parameter is declared twice, or its type or name is not possible
    /// in its place.
    pub fn compile(operation: &Operation, path_names: &[&str]) -> Result<Self, PlanError> {
        let mut plan = Sources::default();
        for (input, parameter) in operation.parameters().iter().enumerate() {
            plan.add(operation, parameter, path_names, input)?;
        }
        plan.cookies.sort_by(|a, b| a.name.cmp(&b.name));
        plan.headers
            .sort_by(|a, b| a.declared.name.cmp(&b.declared.name));
        plan.path
            .sort_by(|a, b| a.declared.name.cmp(&b.declared.name));
        plan.query.sort_by(|a, b| a.name.cmp(&b.name));
        plan.objects.sort_by(|a, b| a.name.cmp(&b.name));
        let plan = Self {
            input_count: operation.parameters().len(),
            cookies: plan.cookies.into(),
            headers: plan.headers.into(),
            path: plan.path.into(),
            query: plan.query.into(),
            objects: plan.objects.into(),
        };
        match plan.twice() {
            None => Ok(plan),
            Some((location, name)) => Err(PlanError::Duplicate {
                location,
                name: name.to_owned(),
                declaration: operation.declaration().clone(),
            }),
        }
    }

    /// The inputs of one request, in the order in which the operation declares them.
    ///
    /// `path` has the decoded values of the path template, from left to right; `query` is the query component of the
    /// request target, not decoded. Text that needs no decoding is borrowed, and single values cost no allocation.
    ///
    /// # Errors
    ///
    /// All errors of all places, and what could be taken all the same.
    pub fn extract<'r>(
        &self,
        mut path: SmallVec<[Cow<'r, str>; 4]>,
        query: Option<&'r str>,
        headers: &'r HeaderMap,
    ) -> Result<Inputs<'r>, Box<Refused<'r>>> {
        let mut values = SmallVec::new();
        values.resize_with(self.input_count, || Value::Absent);
        self.gather(&mut path, query, headers, &mut values);
        let mut errors = Vec::new();
        for declared in self.declared() {
            declared.convert(&mut values[declared.input], &mut errors);
        }
        if !self.objects.is_empty() {
            for object in &self.objects {
                let value = &mut values[object.input];
                object.extract(query.unwrap_or_default(), value, &mut errors);
            }
            errors.sort_by(FieldError::cmp_loc);
        }
        let inputs = Inputs::new(values);
        if errors.is_empty() {
            Ok(inputs)
        } else {
            Err(Box::new(Refused { errors, inputs }))
        }
    }

    /// What the request has for one input, not converted: a text, the texts of an array or an object, or null if it is
    /// absent.
    ///
    /// It stands in errors of values that are converted already, and takes all sources apart once more.
    pub fn received(
        &self,
        input: usize,
        path: &[Cow<'_, str>],
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Json {
        if let Some(object) = self.objects.iter().find(|object| object.input == input) {
            return object.received(query.unwrap_or_default());
        }
        let mut path: SmallVec<[Cow<'_, str>; 4]> = path
            .iter()
            .map(|text| Cow::Borrowed(text.as_ref()))
            .collect();
        let mut values = vec![Value::Absent; self.input_count];
        self.gather(&mut path, query, headers, &mut values);
        values.get(input).map_or(Json::Null, Value::to_json)
    }

    fn gather<'r>(
        &self,
        path: &mut [Cow<'r, str>],
        query: Option<&'r str>,
        headers: &'r HeaderMap,
        values: &mut [Value<'r>],
    ) {
        if !self.cookies.is_empty() {
            cookie::gather(&self.cookies, headers, values);
        }
        header::gather(&self.headers, headers, values);
        path::gather(&self.path, path, values);
        if let Some(query) = query.filter(|_| !self.query.is_empty()) {
            query::gather(&self.query, query, values);
        }
    }

    /// All parameters in the order of errors: by place, then by name.
    fn declared(&self) -> impl Iterator<Item = &Declared> {
        let headers = self.headers.iter().map(|header| &header.declared);
        let path = self.path.iter().map(|parameter| &parameter.declared);
        self.cookies
            .iter()
            .chain(headers)
            .chain(path)
            .chain(&self.query)
    }

    /// Place and name of a parameter that there is twice.
    fn twice(&self) -> Option<(ParameterIn, &str)> {
        let declared = self.declared();
        let declared = declared.map(|declared| (declared.place, &*declared.name));
        let objects = self.objects.iter();
        let objects = objects.map(|object| (ParameterIn::Query, &*object.name));
        let mut known = HashSet::new();
        declared.chain(objects).find(|name| !known.insert(*name))
    }
}

/// The parameters of an operation, by place.
#[derive(Default)]
struct Sources {
    cookies: Vec<Declared>,
    headers: Vec<HeaderParameter>,
    path: Vec<PathParameter>,
    query: Vec<Declared>,
    objects: Vec<ObjectParameter>,
}

impl Sources {
    fn add(
        &mut self,
        operation: &Operation,
        parameter: &Parameter,
        path_names: &[&str],
        input: usize,
    ) -> Result<(), PlanError> {
        if (parameter.location(), parameter.ty()) == (ParameterIn::Query, &ParameterType::Object) {
            self.objects.push(ObjectParameter {
                name: parameter.name().into(),
                types: SchemaTypes::compile(parameter.schema()),
                is_required: parameter.is_required(),
                input,
            });
            return Ok(());
        }
        let (ty, shape) = match (parameter.ty(), parameter.array_style()) {
            (ParameterType::Array(item), ArrayStyle::Repeated) => (&**item, Shape::Repeated),
            (ParameterType::Array(item), ArrayStyle::Separated(separator)) => {
                (&**item, Shape::Separated(separator))
            }
            (ParameterType::Array(_), _) => return Err(impossible_type(operation, parameter)),
            (ty, _) => (ty, Shape::Single),
        };
        let types = match ty {
            ParameterType::AnyOf(types) => types.as_slice(),
            single => std::slice::from_ref(single),
        };
        let conversions: Option<Vec<Conversion>> = types.iter().map(Conversion::new).collect();
        let impossible = || impossible_type(operation, parameter);
        let conversions = conversions.ok_or_else(impossible)?;
        let (conversion, alternatives) = conversions.split_first().ok_or_else(impossible)?;
        let mut declared = Declared {
            place: parameter.location(),
            name: parameter.name().into(),
            conversion: *conversion,
            alternatives: alternatives.into(),
            shape,
            is_required: parameter.is_required() || parameter.location() == ParameterIn::Path,
            input,
        };
        match parameter.location() {
            ParameterIn::Path if shape == Shape::Repeated => {
                return Err(impossible_type(operation, parameter));
            }
            ParameterIn::Path => self.path.push(PathParameter {
                declared,
                segment: position_in_path(operation, parameter, path_names)?,
            }),
            ParameterIn::Query => self.query.push(declared),
            ParameterIn::Header => {
                let name = HeaderName::from_bytes(parameter.name().as_bytes())
                    .map_err(|_| impossible_name(operation, parameter))?;
                declared.name = name.as_str().into();
                self.headers.push(HeaderParameter { declared, name });
            }
            ParameterIn::Cookie if is_cookie_name(parameter.name()) => self.cookies.push(declared),
            ParameterIn::Cookie => return Err(impossible_name(operation, parameter)),
            _ => return Err(impossible_type(operation, parameter)),
        }
        Ok(())
    }
}

/// Whether a `Cookie` field can have a pair of this name.
fn is_cookie_name(name: &str) -> bool {
    !name.is_empty() && name.trim_ascii() == name && !name.contains(['=', ';'])
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

fn impossible_name(operation: &Operation, parameter: &Parameter) -> PlanError {
    PlanError::Name {
        location: parameter.location(),
        name: parameter.name().to_owned(),
        declaration: operation.declaration().clone(),
    }
}
