//! The pattern of a path, such as `/items/{id:int}`.

use spikard_core::ParameterType;

use crate::TemplateError;

/// The words that may follow the colon of a parameter.
pub(crate) const CONVERTERS: [&str; 12] = [
    "str", "string", "int", "integer", "float", "number", "bool", "boolean", "uuid", "date",
    "datetime", "path",
];

/// The tree names parameters by letters and panics when it runs out of them.
pub(crate) const PARAMETER_LIMIT: usize = 25;

/// A path template: literal segments, `{name}`, `{name:converter}`, and at the end `{name:path}`.
///
/// # Example
///
/// ```
/// use spikard_core::ParameterType;
/// use spikard_routing::PathTemplate;
///
/// let template = PathTemplate::parse("/items/{id:int}/{file:path}")?;
/// let [id, file] = template.parameters() else { panic!("has two parameters") };
/// assert_eq!((id.name(), id.ty()), ("id", Some(&ParameterType::Integer)));
/// assert_eq!((file.name(), file.ty()), ("file", Some(&ParameterType::String)));
/// # Ok::<(), spikard_routing::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    parameters: Vec<PathParameter>,
    tree_path: String,
}

/// A parameter as a path template declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathParameter {
    name: String,
    ty: Option<ParameterType>,
    takes_rest: bool,
}

impl PathTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let Some(relative) = text.strip_prefix('/') else {
            return Err(TemplateError::NoLeadingSlash {
                template: text.to_owned(),
            });
        };
        if let Some(character) = text
            .chars()
            .find(|character| matches!(character, '?' | '#') || character.is_control())
        {
            return Err(TemplateError::ForbiddenCharacter { character });
        }

        let mut parameters: Vec<PathParameter> = Vec::new();
        let mut tree_path = String::with_capacity(text.len());
        let mut segments = relative.split('/').peekable();
        while let Some(segment) = segments.next() {
            tree_path.push('/');
            let Some(inner) = parameter_in(segment)? else {
                tree_path.push_str(segment);
                continue;
            };
            let parameter = PathParameter::parse(inner)?;
            if parameters.iter().any(|other| other.name == parameter.name) {
                return Err(TemplateError::DuplicateName {
                    name: parameter.name,
                });
            }
            if parameter.takes_rest && segments.peek().is_some() {
                return Err(TemplateError::PathNotLast {
                    name: parameter.name,
                });
            }
            tree_path.push_str(if parameter.takes_rest { "{*p}" } else { "{p}" });
            parameters.push(parameter);
        }
        if parameters.len() > PARAMETER_LIMIT {
            return Err(TemplateError::TooManyParameters {
                count: parameters.len(),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            parameters,
            tree_path,
        })
    }

    /// The parameters from left to right.
    pub fn parameters(&self) -> &[PathParameter] {
        &self.parameters
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The template in the notation of the tree. Names are left out: two templates that differ in nothing else are
    /// the same route.
    pub(crate) fn tree_path(&self) -> &str {
        &self.tree_path
    }
}

impl PathParameter {
    /// The name between the braces.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the converter stands for; `None` where there is no converter.
    pub fn ty(&self) -> Option<&ParameterType> {
        self.ty.as_ref()
    }

    /// Reads what is between the braces.
    fn parse(inner: &str) -> Result<Self, TemplateError> {
        let (name, converter) = match inner.split_once(':') {
            Some((name, converter)) => (name, Some(converter)),
            None => (inner, None),
        };
        if name.is_empty() {
            return Err(TemplateError::EmptyName {
                parameter: format!("{{{inner}}}"),
            });
        }
        let is_allowed = |character: char| character.is_alphanumeric() || "_-.".contains(character);
        if let Some(character) = name.chars().find(|&character| !is_allowed(character)) {
            return Err(TemplateError::InvalidName {
                name: name.to_owned(),
                character,
            });
        }
        let ty = converter.map(|converter| parameter_type(name, converter));
        Ok(Self {
            name: name.to_owned(),
            ty: ty.transpose()?,
            takes_rest: converter == Some("path"),
        })
    }
}

/// What is between the braces of `segment`; `None` if it has none.
fn parameter_in(segment: &str) -> Result<Option<&str>, TemplateError> {
    let mut parameters = 0;
    let mut is_open = false;
    for brace in segment
        .chars()
        .filter(|character| matches!(character, '{' | '}'))
    {
        if is_open == (brace == '{') {
            return Err(TemplateError::UnbalancedBrace {
                segment: segment.to_owned(),
            });
        }
        is_open = !is_open;
        parameters += usize::from(is_open);
    }
    let inner = segment
        .strip_prefix('{')
        .and_then(|segment| segment.strip_suffix('}'));
    match (parameters, inner) {
        _ if is_open => Err(TemplateError::UnbalancedBrace {
            segment: segment.to_owned(),
        }),
        (0, _) => Ok(None),
        (1, Some(inner)) => Ok(Some(inner)),
        // The tree can match text beside a parameter, but loses routes: `/{a}x/y` hides `/{a}/z`, and `/a{x}` refuses
        // `/{x}/y`.
        (1, None) => Err(TemplateError::TextBesideParameter {
            segment: segment.to_owned(),
        }),
        _ => Err(TemplateError::TwoParameters {
            segment: segment.to_owned(),
        }),
    }
}

/// The type that `converter` stands for.
fn parameter_type(name: &str, converter: &str) -> Result<ParameterType, TemplateError> {
    Ok(match converter {
        "str" | "string" | "path" => ParameterType::String,
        "int" | "integer" => ParameterType::Integer,
        "float" | "number" => ParameterType::Number,
        "bool" | "boolean" => ParameterType::Boolean,
        "uuid" => ParameterType::Uuid,
        "date" => ParameterType::Date,
        "datetime" => ParameterType::DateTime,
        _ => {
            return Err(TemplateError::UnknownConverter {
                name: name.to_owned(),
                converter: converter.to_owned(),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters_from_left_to_right() {
        use ParameterType::{Boolean, Date, DateTime, Integer, Number, String, Uuid};

        // Template, its form in the tree, its parameters.
        let no_parameters: &[(&str, Option<ParameterType>)] = &[];
        for (template, tree_path, expected) in [
            ("/", "/", no_parameters),
            ("/a//b/", "/a//b/", no_parameters),
            ("/100%/é", "/100%/é", no_parameters),
            ("/{id}", "/{p}", &[("id", None)]),
            ("/{größe}/", "/{p}/", &[("größe", None)]),
            (
                "/{a:str}/{b:string}",
                "/{p}/{p}",
                &[("a", Some(String)), ("b", Some(String))],
            ),
            (
                "/{a:int}/{b:integer}",
                "/{p}/{p}",
                &[("a", Some(Integer)), ("b", Some(Integer))],
            ),
            (
                "/{a:float}/{b:number}",
                "/{p}/{p}",
                &[("a", Some(Number)), ("b", Some(Number))],
            ),
            (
                "/{a:bool}/{b:boolean}",
                "/{p}/{p}",
                &[("a", Some(Boolean)), ("b", Some(Boolean))],
            ),
            ("/{a:uuid}/x", "/{p}/x", &[("a", Some(Uuid))]),
            (
                "/{a:date}/{b:datetime}",
                "/{p}/{p}",
                &[("a", Some(Date)), ("b", Some(DateTime))],
            ),
            ("/f/{rest:path}", "/f/{*p}", &[("rest", Some(String))]),
        ] {
            let parsed = PathTemplate::parse(template).expect(template);
            let parameters: Vec<_> = parsed
                .parameters()
                .iter()
                .map(|parameter| (parameter.name(), parameter.ty().cloned()))
                .collect();
            assert_eq!(parameters, expected, "template: {template}");
            assert_eq!(parsed.tree_path(), tree_path, "template: {template}");
            assert_eq!(parsed.as_str(), template);
        }
    }

    #[test]
    fn says_what_is_wrong_and_what_would_be_right() {
        for (template, message) in [
            ("", "it does not start with `/`; write `/`"),
            (
                "items/{id}",
                "it does not start with `/`; write `/items/{id}`",
            ),
            (
                "/items?q={q}",
                "it has the character '?'; a template is the decoded path alone, without query, fragment and control \
                 characters",
            ),
            (
                "/a\0",
                "it has the character '\\0'; a template is the decoded path alone, without query, fragment and control \
                 characters",
            ),
            (
                "/items/{id",
                "segment `{id` has an unbalanced brace; write a parameter as `{name}` or `{name:int}`",
            ),
            (
                "/items/id}",
                "segment `id}` has an unbalanced brace; write a parameter as `{name}` or `{name:int}`",
            ),
            (
                "/{{id}}",
                "segment `{{id}}` has an unbalanced brace; write a parameter as `{name}` or `{name:int}`",
            ),
            (
                "/{a}}{b}",
                "segment `{a}}{b}` has an unbalanced brace; write a parameter as `{name}` or `{name:int}`",
            ),
            (
                "/{a/b}",
                "segment `{a` has an unbalanced brace; write a parameter as `{name}` or `{name:int}`",
            ),
            (
                "/{}",
                "parameter `{}` has no name; write `{name}` or `{name:int}`",
            ),
            (
                "/{:int}",
                "parameter `{:int}` has no name; write `{name}` or `{name:int}`",
            ),
            (
                "/{*rest}",
                "parameter name `*rest` has the character '*'; use letters, digits, `_`, `-` and `.`",
            ),
            (
                "/{ id }",
                "parameter name ` id ` has the character ' '; use letters, digits, `_`, `-` and `.`",
            ),
            (
                "/{id}/x/{id:int}",
                "two parameters are named `id`; give each a name of its own",
            ),
            (
                "/{id:in}",
                "parameter `id` has the unknown converter `in`; use one of str, string, int, integer, float, number, \
                 bool, boolean, uuid, date, datetime, path",
            ),
            (
                "/{id:}",
                "parameter `id` has the unknown converter ``; use one of str, string, int, integer, float, number, \
                 bool, boolean, uuid, date, datetime, path",
            ),
            (
                "/{a}-{b}",
                "segment `{a}-{b}` has two parameters; put a `/` between them",
            ),
            (
                "/reports/{name}.csv",
                "segment `{name}.csv` has text beside its parameter; a parameter is a whole segment, such as `/{name}`",
            ),
            (
                "/x-{rest:path}",
                "segment `x-{rest:path}` has text beside its parameter; a parameter is a whole segment, such as `/{name}`",
            ),
            (
                "/{rest:path}/",
                "parameter `{rest:path}` takes the rest of the path; move it to the end of the template",
            ),
        ] {
            let error = PathTemplate::parse(template).expect_err(template);
            assert_eq!(error.to_string(), message, "template: {template}");
        }
    }

    #[test]
    fn counts_parameters_before_the_tree_does() {
        let template = |count| (0..count).fold(String::new(), |path, n| format!("{path}/{{p{n}}}"));
        assert!(PathTemplate::parse(&template(PARAMETER_LIMIT)).is_ok());
        assert_eq!(
            PathTemplate::parse(&template(PARAMETER_LIMIT + 1)),
            Err(TemplateError::TooManyParameters { count: 26 })
        );
    }

    #[test]
    fn knows_every_converter_it_offers() {
        for converter in CONVERTERS {
            assert!(parameter_type("id", converter).is_ok(), "{converter}");
        }
    }
}
