//! The fields of a form, urlencoded or multipart, put together to one JSON value by the schema of the content.
//!
//! - A repeated name is an array, and so is `a[]`, or a single value where the schema has an array.
//! - `a[b]` is a member of the object `a`; `a[0]` an item of the array `a`, unless the schema has an object there.
//!   Items are in the order of their numbers, and gaps are closed. `a[][b]` adds `b` to the last item of `a`, or to a
//!   new one if that has a `b`.
//! - All other names are flat: with dots, with brackets that do not pair, and what the schema names exactly so.
//! - Text is converted as the schema declares, and stays text where it cannot be or where text is allowed. Empty text
//!   is null where null is allowed and nothing else fits.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use smallvec::SmallVec;
use spikard_core::{UploadedFile, Value};
use spikard_problem::{Cause, FieldError};

use crate::Rejection;
use crate::convert::Conversion;
use crate::schema_types::{Place, SchemaTypes, Types};

/// Most fields of a form; more are refused.
pub(crate) const FIELD_LIMIT: usize = 1000;

/// Most brackets of a name.
const BRACKET_LIMIT: usize = 32;

/// The fields of one form.
#[derive(Debug, Default)]
pub(crate) struct Form<'c> {
    names: Vec<Cow<'c, str>>,
    values: Vec<FieldValue<'c>>,
    files: Vec<UploadedFile>,
}

#[derive(Debug)]
enum FieldValue<'c> {
    Text(Cow<'c, str>),
    /// The index of a file.
    File(usize),
}

/// A form as one value.
#[derive(Debug)]
pub(crate) struct FormValue {
    pub(crate) value: Json,
    pub(crate) files: Vec<UploadedFile>,
    /// Text that could not be converted.
    pub(crate) errors: Vec<FieldError>,
}

impl<'c> Form<'c> {
    pub(crate) fn push_text(&mut self, name: Cow<'c, str>, text: Cow<'c, str>) {
        self.names.push(name);
        self.values.push(FieldValue::Text(text));
    }

    /// Adds a file. Its name is not taken apart, but for `[]` at the end.
    pub(crate) fn push_file(&mut self, file: UploadedFile) {
        self.names.push(Cow::Owned(file.field.clone()));
        self.values.push(FieldValue::File(self.files.len()));
        self.files.push(file);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Puts the fields together, and converts them by `schema`. Errors have `loc` and the way down from there.
    pub(crate) fn into_value(
        self,
        schema: &SchemaTypes,
        loc: &[&str],
    ) -> Result<FormValue, Rejection> {
        let Self {
            names,
            values,
            files,
        } = self;
        let mut assembly = Assembly {
            schema,
            values,
            files,
            errors: Vec::new(),
            place: loc.iter().copied().map(Segment::Name).collect(),
            root_depth: loc.len(),
        };
        let value = if are_flat(&names) {
            let fields = names.iter().enumerate();
            assembly.object(
                fields.map(|(index, name)| (&**name, Node::field(index))),
                schema.root(),
            )
        } else {
            let root = assembly.tree(&names)?;
            assembly.object(root.members, schema.root())
        };
        Ok(FormValue {
            value: Json::Object(value),
            files: assembly.files,
            errors: assembly.errors,
        })
    }
}

/// Whether names are so few and so plain that each is a place of its own at sight, as in most forms.
fn are_flat(names: &[Cow<'_, str>]) -> bool {
    names.len() <= 8
        && names.iter().enumerate().all(|(index, name)| {
            !name.contains('[') && names[..index].iter().all(|other| other != name)
        })
}

/// A name on its way into the value: `a[b][]` is `a`, then `b` and the empty key.
struct Path<'n> {
    first: &'n str,
    keys: SmallVec<[&'n str; 4]>,
}

impl<'n> Path<'n> {
    fn flat(name: &'n str) -> Self {
        Self {
            first: name,
            keys: SmallVec::new(),
        }
    }

    fn parse(name: &'n str) -> Result<Self, Rejection> {
        let brackets = name.split_once('[').filter(|(first, _)| !first.is_empty());
        let Some((first, mut rest)) = brackets else {
            return Ok(Self::flat(name));
        };
        let mut keys = SmallVec::new();
        while let Some((key, after)) = rest.split_once(']').filter(|(key, _)| !key.contains('[')) {
            keys.push(key);
            if keys.len() > BRACKET_LIMIT {
                return Err(Rejection::NestedTooDeep {
                    limit: BRACKET_LIMIT,
                });
            }
            if after.is_empty() {
                return Ok(Self { first, keys });
            }
            let Some(after) = after.strip_prefix('[') else {
                break;
            };
            rest = after;
        }
        Ok(Self::flat(name))
    }
}

/// What the names say of one place: it has fields of its own, items, or members; only one of the three.
#[derive(Default)]
struct Node<'n> {
    fields: SmallVec<[usize; 1]>,
    /// Whether a field is an item by its name.
    is_list: bool,
    items: Vec<Self>,
    members: IndexMap<&'n str, Self>,
}

impl<'n> Node<'n> {
    fn field(index: usize) -> Self {
        Self {
            fields: SmallVec::from_elem(index, 1),
            ..Self::default()
        }
    }

    /// Adds a field. `None` if another field makes something else of its place.
    fn insert(&mut self, first: &'n str, keys: &[&'n str], field: usize) -> Option<()> {
        let mut node = self.members.entry(first).or_default();
        for (index, key) in keys.iter().enumerate() {
            let next = keys.get(index + 1);
            node = match (*key, next) {
                ("", None) => {
                    node.is_list = true;
                    node
                }
                ("", Some(next)) => node.item(next)?,
                (key, _) => node.member(key)?,
            };
        }
        let is_free = node.items.is_empty() && node.members.is_empty();
        is_free.then(|| node.fields.push(field))
    }

    /// The last item, or a new one if that has a member `next` already.
    fn item(&mut self, next: &str) -> Option<&mut Self> {
        if !self.fields.is_empty() || !self.members.is_empty() {
            return None;
        }
        let is_taken = |item: &Self| next.is_empty() || item.members.contains_key(next);
        if self.items.last().is_none_or(is_taken) {
            self.items.push(Self::default());
        }
        self.items.last_mut()
    }

    fn member(&mut self, key: &'n str) -> Option<&mut Self> {
        let is_free = self.fields.is_empty() && self.items.is_empty();
        is_free.then(|| self.members.entry(key).or_default())
    }
}

/// A form on its way to one value.
struct Assembly<'s, 'n, 'c> {
    schema: &'s SchemaTypes,
    values: Vec<FieldValue<'c>>,
    files: Vec<UploadedFile>,
    errors: Vec<FieldError>,
    /// Where in the value it is, after where that is itself.
    place: SmallVec<[Segment<'n>; 8]>,
    root_depth: usize,
}

/// One step on the way into a value.
#[derive(Clone, Copy)]
enum Segment<'n> {
    Name(&'n str),
    Index(usize),
}

impl Segment<'_> {
    fn to_text(self) -> String {
        match self {
            Self::Name(name) => name.to_owned(),
            Self::Index(index) => index.to_string(),
        }
    }
}

impl<'n> Assembly<'_, 'n, '_> {
    /// The places of all fields, by their names.
    fn tree(&self, names: &'n [Cow<'_, str>]) -> Result<Node<'n>, Rejection> {
        let mut root = Node::default();
        for (index, name) in names.iter().enumerate() {
            let mut path = if self.schema.has_member(self.schema.root(), name) {
                Path::flat(name)
            } else {
                Path::parse(name)?
            };
            let is_file = matches!(self.values[index], FieldValue::File(_));
            if is_file && path.keys[..] != [""] {
                path = Path::flat(name);
            }
            root.insert(path.first, &path.keys, index)
                .ok_or_else(|| Rejection::FieldConflict {
                    name: name.clone().into_owned(),
                })?;
        }
        Ok(root)
    }

    fn value(&mut self, node: Node<'n>, place: Place) -> Json {
        let types = self.schema.types(place);
        if !node.items.is_empty() {
            return self.array(node.items, place);
        }
        if !node.members.is_empty() {
            let is_array =
                types == Types::ANY || types.has(Types::ARRAY) && !types.has(Types::OBJECT);
            return if is_array && node.members.keys().all(|name| number(name).is_some()) {
                self.array(numbered(node.members), place)
            } else {
                Json::Object(self.object(node.members, place))
            };
        }
        let scalars = Types::BOOLEAN | Types::INTEGER | Types::NUMBER | Types::STRING;
        let is_array = types.has(Types::ARRAY) && !types.has(scalars);
        if node.is_list || node.fields.len() > 1 || is_array {
            self.list(&node.fields, place)
        } else {
            self.field(node.fields[0], place, None)
        }
    }

    fn object(
        &mut self,
        members: impl IntoIterator<Item = (&'n str, Node<'n>)>,
        place: Place,
    ) -> Map<String, Json> {
        let members = members.into_iter().map(|(name, node)| {
            self.place.push(Segment::Name(name));
            let value = self.value(node, self.schema.member(place, name));
            self.place.pop();
            (name.to_owned(), value)
        });
        members.collect()
    }

    fn array(&mut self, items: Vec<Node<'n>>, place: Place) -> Json {
        let items = items.into_iter().enumerate().map(|(index, node)| {
            self.place.push(Segment::Index(index));
            let value = self.value(node, self.schema.item(place, index));
            self.place.pop();
            value
        });
        items.collect()
    }

    /// The fields of one name. Where the schema has no array, each is converted as the one that was expected.
    fn list(&mut self, fields: &[usize], place: Place) -> Json {
        let is_array = self.schema.types(place).has(Types::ARRAY);
        let items = fields.iter().enumerate().map(|(index, field)| {
            let place = if is_array {
                self.schema.item(place, index)
            } else {
                place
            };
            self.field(*field, place, Some(index))
        });
        items.collect()
    }

    fn field(&mut self, field: usize, place: Place, index: Option<usize>) -> Json {
        match &mut self.values[field] {
            FieldValue::File(file) => {
                let file = &mut self.files[*file];
                file.index = index;
                if let Some(Segment::Name(name)) = self.place.get(self.root_depth) {
                    (*name).clone_into(&mut file.field);
                }
                Json::String(file.filename.clone())
            }
            FieldValue::Text(text) => {
                let text = std::mem::take(text);
                convert(&text, self.schema.types(place)).unwrap_or_else(|cause| {
                    if let Some(cause) = cause {
                        let index = index.map(Segment::Index);
                        let place = self.place.iter().copied().chain(index);
                        let loc = place.map(Segment::to_text);
                        self.errors.push(FieldError::new(loc, cause, Some(&text)));
                    }
                    Json::String(text.into_owned())
                })
            }
        }
    }
}

/// The members, whose names are numbers, in their order.
fn numbered<'n>(members: IndexMap<&str, Node<'n>>) -> Vec<Node<'n>> {
    let mut items: Vec<_> = members.into_iter().collect();
    items.sort_by_key(|(name, _)| number(name));
    items.into_iter().map(|(_, node)| node).collect()
}

fn number(name: &str) -> Option<u32> {
    name.parse().ok().filter(|_| !name.starts_with('+'))
}

/// The value of `text` among `types`. Without, the reason, or none where another error is there to come.
fn convert(text: &str, types: Types) -> Result<Json, Option<Cause>> {
    if types.has(Types::STRING) {
        return Err(None);
    }
    let conversions = [
        (Types::INTEGER, Conversion::Integer),
        (Types::NUMBER, Conversion::Number),
        (Types::BOOLEAN, Conversion::Boolean),
    ];
    let mut first_cause = None;
    for (ty, conversion) in conversions {
        if !types.has(ty) {
            continue;
        }
        let cause = match conversion.convert(Cow::Borrowed(text)) {
            Ok(Value::BigInteger(digits)) => match digits.parse::<u64>() {
                Ok(value) => return Ok(value.into()),
                // Past 64 bits it would lose digits.
                Err(_) => Cause::Integer,
            },
            Ok(value) => return Ok(value.to_json()),
            Err(refusal) => refusal.cause,
        };
        first_cause.get_or_insert(cause);
    }
    if text.is_empty() && types.has(Types::NULL) {
        return Ok(Json::Null);
    }
    Err(first_cause)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;
    use spikard_core::FileData;

    use super::*;
    use crate::urlencoded;

    fn file(field: &str, filename: &str) -> UploadedFile {
        UploadedFile {
            field: field.to_owned(),
            index: None,
            filename: filename.to_owned(),
            media_type: "text/plain".to_owned(),
            headers: HeaderMap::new(),
            data: FileData::Memory(Bytes::new()),
        }
    }

    fn value(content: &str, schema: Option<&Json>) -> Result<FormValue, Rejection> {
        urlencoded::parse(content.as_bytes())?.into_value(&SchemaTypes::compile(schema), &["body"])
    }

    #[test]
    fn names_become_places() {
        for (content, expected) in [
            ("", json!({})),
            ("&&", json!({})),
            ("a=1", json!({"a": "1"})),
            ("a", json!({"a": ""})),
            ("=1", json!({"": "1"})),
            ("b=2&a=1", json!({"b": "2", "a": "1"})),
            ("a+b=c%2Bd+%C3%BC", json!({"a b": "c+d ü"})),
            ("a=1&a=2", json!({"a": ["1", "2"]})),
            ("a[]=1", json!({"a": ["1"]})),
            ("a%5B%5D=1&a[]=2&a=3", json!({"a": ["1", "2", "3"]})),
            ("a[b]=1&a[c]=2", json!({"a": {"b": "1", "c": "2"}})),
            (
                "a[b][c]=1&a[b][d][]=2",
                json!({"a": {"b": {"c": "1", "d": ["2"]}}}),
            ),
            ("a[b]=1&a[b]=2", json!({"a": {"b": ["1", "2"]}})),
            ("a[0]=x&a[2]=y", json!({"a": ["x", "y"]})),
            ("a[10]=z&a[9]=y", json!({"a": ["y", "z"]})),
            ("a[4000000000]=x", json!({"a": ["x"]})),
            ("a[4300000000]=x", json!({"a": {"4300000000": "x"}})),
            ("a[0]=x&a[b]=y", json!({"a": {"0": "x", "b": "y"}})),
            ("a[-1]=x", json!({"a": {"-1": "x"}})),
            ("a[+1]=x", json!({"a": {" 1": "x"}})),
            ("a[%2B1]=x", json!({"a": {"+1": "x"}})),
            (
                "a[0][b]=x&a[0][c]=y&a[1][b]=z",
                json!({"a": [{"b": "x", "c": "y"}, {"b": "z"}]}),
            ),
            (
                "a[][b]=x&a[][c]=y&a[][b]=z",
                json!({"a": [{"b": "x", "c": "y"}, {"b": "z"}]}),
            ),
            ("a[][]=x&a[][]=y", json!({"a": [["x"], ["y"]]})),
            (
                "a.b=1&c-d=2&e_f=3",
                json!({"a.b": "1", "c-d": "2", "e_f": "3"}),
            ),
            ("a.b[c]=1", json!({"a.b": {"c": "1"}})),
            ("a[b=1", json!({"a[b": "1"})),
            ("a]b=1", json!({"a]b": "1"})),
            ("a[b]c=1", json!({"a[b]c": "1"})),
            ("a[b]]=1", json!({"a[b]]": "1"})),
            ("a[[b]=1", json!({"a[[b]": "1"})),
            ("[a]=1", json!({"[a]": "1"})),
            ("[]=1", json!({"[]": "1"})),
            ("__proto__[a]=1", json!({"__proto__": {"a": "1"}})),
        ] {
            let form = value(content, None).expect(content);
            assert_eq!(form.value, expected, "content: {content}");
            assert_eq!(form.errors, [], "content: {content}");
        }
    }

    #[test]
    fn the_schema_converts() {
        let schema = json!({
            "type": "object",
            "properties": {
                "age": {"type": "integer"},
                "price": {"type": "number"},
                "is_new": {"type": "boolean"},
                "name": {"type": "string"},
                "note": {"type": ["string", "null"]},
                "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "flag": {"type": ["boolean", "null"]},
                "tags": {"type": "array", "items": {"type": "string"}},
                "ids": {"type": "array", "items": {"type": "integer"}},
                "more": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
                "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
                "user": {"$ref": "#/$defs/User"},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/User"}},
                "codes": {"type": "object", "additionalProperties": {"type": "integer"}},
                "a[b]": {"type": "integer"},
                "mixed": {"type": ["integer", "boolean"]},
                "object": {"type": "object"},
            },
            "$defs": {"User": {"properties": {"age": {"type": "integer"}, "name": {"type": "string"}}}},
        });
        for (content, expected) in [
            ("age=0042", json!({"age": 42})),
            ("age=-1", json!({"age": -1})),
            ("age=18446744073709551615", json!({"age": u64::MAX})),
            ("age=1&age=2", json!({"age": [1, 2]})),
            ("price=1.5e1", json!({"price": 15.0})),
            ("is_new=on", json!({"is_new": true})),
            ("is_new=", json!({"is_new": false})),
            ("name=25", json!({"name": "25"})),
            ("name=true", json!({"name": "true"})),
            ("note=", json!({"note": ""})),
            ("size=3", json!({"size": 3})),
            ("size=", json!({"size": null})),
            ("flag=", json!({"flag": false})),
            ("tags=a", json!({"tags": ["a"]})),
            ("tags=", json!({"tags": [""]})),
            ("tags=1&tags=2", json!({"tags": ["1", "2"]})),
            ("ids=1", json!({"ids": [1]})),
            ("ids[]=1&ids[]=02", json!({"ids": [1, 2]})),
            ("ids[1]=1&ids[0]=02", json!({"ids": [2, 1]})),
            ("more=1", json!({"more": [1]})),
            ("either=1", json!({"either": 1})),
            ("either=1&either=2", json!({"either": [1, 2]})),
            (
                "user[age]=30&user[name]=31&user[x]=32",
                json!({"user": {"age": 30, "name": "31", "x": "32"}}),
            ),
            (
                "lines[0][age]=1&lines[1][name]=2",
                json!({"lines": [{"age": 1}, {"name": "2"}]}),
            ),
            ("codes[7]=1&codes[8]=2", json!({"codes": {"7": 1, "8": 2}})),
            ("a[b]=1", json!({"a[b]": 1})),
            ("mixed=1", json!({"mixed": 1})),
            ("mixed=yes", json!({"mixed": true})),
            ("object=1", json!({"object": "1"})),
            ("unknown=1", json!({"unknown": "1"})),
        ] {
            let form = value(content, Some(&schema)).expect(content);
            assert_eq!(form.value, expected, "content: {content}");
            assert_eq!(form.errors, [], "content: {content}");
        }

        // Content, where it cannot be converted, the code, the text that stays there.
        for (content, pointer, code, text) in [
            ("age=x", "/age", "int_parsing", "x"),
            ("age=", "/age", "int_parsing", ""),
            ("age=1.0", "/age", "int_parsing", "1.0"),
            (
                "age=18446744073709551616",
                "/age",
                "int_parsing",
                "18446744073709551616",
            ),
            ("age=1&age=x", "/age/1", "int_parsing", "x"),
            ("price=NaN", "/price", "float_parsing", "NaN"),
            ("is_new=2", "/is_new", "bool_parsing", "2"),
            ("size=x", "/size", "int_parsing", "x"),
            ("ids=1&ids=x", "/ids/1", "int_parsing", "x"),
            ("ids[5]=1&ids[7]=x", "/ids/1", "int_parsing", "x"),
            ("user[age]=x", "/user/age", "int_parsing", "x"),
            ("lines[3][age]=x", "/lines/0/age", "int_parsing", "x"),
            ("mixed=x", "/mixed", "int_parsing", "x"),
        ] {
            let form = value(content, Some(&schema)).expect(content);
            assert_eq!(
                form.value.pointer(pointer),
                Some(&json!(text)),
                "content: {content}"
            );
            let errors: Vec<_> = form.errors.iter().map(FieldError::to_json).collect();
            let loc: Vec<_> = format!("body{pointer}")
                .split('/')
                .map(Json::from)
                .collect();
            assert_eq!(errors.len(), 1, "content: {content}");
            assert_eq!(errors[0]["loc"], Json::from(loc), "content: {content}");
            assert_eq!(errors[0]["type"], code, "content: {content}");
            assert_eq!(errors[0]["input"], text, "content: {content}");
        }
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        for content in [
            "a=1&a[b]=2",
            "a[b]=1&a=2",
            "a[]=1&a[b]=2",
            "a[]=1&a[][b]=2",
            "a[][b]=1&a[]=2",
            "a[][b]=1&a[c]=2",
            "a[b]=1&a[][c]=2",
            "a[b]=1&a[b][c]=2",
        ] {
            let error = value(content, None).expect_err(content);
            assert!(
                matches!(error, Rejection::FieldConflict { .. }),
                "{content}: {error}"
            );
        }
    }

    #[test]
    fn fields_and_brackets_are_limited() {
        let fields = |count: usize| {
            (0..count).fold(String::new(), |form, n| form + &format!("a[{n}][b]=1&"))
        };
        let brackets = |count: usize| "a".to_owned() + &"[b]".repeat(count) + "=1";
        assert!(value(&fields(1000), None).is_ok());
        assert!(matches!(
            value(&fields(1001), None),
            Err(Rejection::TooManyFields { limit: 1000 })
        ));
        assert!(value(&brackets(32), None).is_ok());
        assert!(matches!(
            value(&brackets(33), None),
            Err(Rejection::NestedTooDeep { limit: 32 })
        ));
        assert!(matches!(
            value(&brackets(1_000_000), None),
            Err(Rejection::NestedTooDeep { .. })
        ));
        let unclosed = "a".to_owned() + &"[b".repeat(1_000_000);
        assert!(value(&unclosed, None).is_ok());
    }

    #[test]
    fn files_leave_their_names() {
        let mut form = Form::default();
        form.push_file(file("one", "1.txt"));
        form.push_file(file("many", "2.txt"));
        form.push_text("many".into(), "text".into());
        form.push_file(file("many", "3.txt"));
        form.push_file(file("list[]", "4.txt"));
        form.push_file(file("flat[name]", "5.txt"));
        form.push_file(file("array", "6.txt"));
        form.push_file(file("odd[]", "7.txt"));
        let schema = json!({"properties": {
            "array": {"type": "array", "items": {"type": "string", "format": "binary"}},
            "odd[]": {"type": "string"},
        }});
        let form = form
            .into_value(&SchemaTypes::compile(Some(&schema)), &["body"])
            .expect("is a form");
        assert_eq!(
            form.value,
            json!({
                "one": "1.txt", "many": ["2.txt", "text", "3.txt"], "list": ["4.txt"], "flat[name]": "5.txt",
                "array": ["6.txt"], "odd[]": "7.txt",
            })
        );
        let files: Vec<_> = form
            .files
            .iter()
            .map(|file| (&*file.field, file.index))
            .collect();
        let expected = [
            ("one", None),
            ("many", Some(0)),
            ("many", Some(2)),
            ("list", Some(0)),
            ("flat[name]", None),
            ("array", Some(0)),
            ("odd[]", None),
        ];
        assert_eq!(files, expected);
    }
}
