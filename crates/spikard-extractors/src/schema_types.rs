//! The types that a JSON Schema declares at each place: what text is converted by.
//!
//! Only types are looked at, through `properties`, `items`, `$ref`, `allOf`, `anyOf` and `oneOf`. A place about which
//! the schema says nothing can be of any type.

use std::collections::HashMap;
use std::ops::BitOr;

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

/// A set of the types of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(1 << 1);
    pub(crate) const INTEGER: Self = Self(1 << 2);
    pub(crate) const NUMBER: Self = Self(1 << 3);
    pub(crate) const STRING: Self = Self(1 << 4);
    pub(crate) const ARRAY: Self = Self(1 << 5);
    pub(crate) const OBJECT: Self = Self(1 << 6);
    pub(crate) const ANY: Self = Self((1 << 7) - 1);
    const NONE: Self = Self(0);

    /// Whether one of `others` is among them.
    pub(crate) fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    fn of_name(name: &Json) -> Self {
        match name.as_str() {
            Some("null") => Self::NULL,
            Some("boolean") => Self::BOOLEAN,
            Some("integer") => Self::INTEGER,
            Some("number") => Self::NUMBER,
            Some("string") => Self::STRING,
            Some("array") => Self::ARRAY,
            Some("object") => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    fn of_value(value: &Json) -> Self {
        match value {
            Json::Null => Self::NULL,
            Json::Bool(_) => Self::BOOLEAN,
            Json::Number(number) if number.is_f64() => Self::NUMBER,
            Json::Number(_) => Self::INTEGER,
            Json::String(_) => Self::STRING,
            Json::Array(_) => Self::ARRAY,
            Json::Object(_) => Self::OBJECT,
        }
    }

    /// The types that are among both; an integer is a number.
    fn intersect(self, other: Self) -> Self {
        match (self, other) {
            (Self::ANY, types) | (types, Self::ANY) => types,
            (one, other) => {
                let is_integer = one.has(Self::INTEGER) && other.has(Self::NUMBER)
                    || one.has(Self::NUMBER) && other.has(Self::INTEGER);
                let integer = if is_integer {
                    Self::INTEGER
                } else {
                    Self::NONE
                };
                Self(one.0 & other.0) | integer
            }
        }
    }
}

impl BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One place of a value, as far as the schema knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

/// The types of all places that a schema knows.
#[derive(Clone, Debug)]
pub(crate) struct SchemaTypes {
    /// The first is any place that the schema does not know.
    nodes: Vec<Node>,
    root: Place,
}

#[derive(Clone, Debug)]
struct Node {
    types: Types,
    members: HashMap<Box<str>, Place>,
    other_members: Place,
    first_items: Vec<Place>,
    other_items: Place,
}

const UNKNOWN: Place = Place(0);

impl Node {
    fn new(types: Types) -> Self {
        Self {
            types,
            members: HashMap::new(),
            other_members: UNKNOWN,
            first_items: Vec::new(),
            other_items: UNKNOWN,
        }
    }
}

impl SchemaTypes {
    pub(crate) fn compile(schema: Option<&Json>) -> Self {
        let mut nodes = vec![Node::new(Types::ANY)];
        let root = schema.map_or(UNKNOWN, |schema| {
            let mut compiler = Compiler {
                document: schema,
                nodes: &mut nodes,
                known: HashMap::new(),
            };
            compiler.place(&[schema])
        });
        Self { nodes, root }
    }

    /// The place of the whole value.
    pub(crate) fn root(&self) -> Place {
        self.root
    }

    pub(crate) fn types(&self, place: Place) -> Types {
        self.nodes[place.0].types
    }

    /// Whether the schema names this member of an object.
    pub(crate) fn has_member(&self, place: Place, name: &str) -> bool {
        self.nodes[place.0].members.contains_key(name)
    }

    /// The place of a member of an object.
    pub(crate) fn member(&self, place: Place, name: &str) -> Place {
        let node = &self.nodes[place.0];
        let member = node.members.get(name);
        member.copied().unwrap_or(node.other_members)
    }

    /// The place of an item of an array.
    pub(crate) fn item(&self, place: Place, index: usize) -> Place {
        let node = &self.nodes[place.0];
        let item = node.first_items.get(index);
        item.copied().unwrap_or(node.other_items)
    }

    /// The place that `segments`, names and indices, lead to.
    pub(crate) fn find(&self, segments: &[String]) -> Place {
        segments
            .iter()
            .fold(self.root, |place, segment| match segment.parse() {
                Ok(index) if !self.has_member(place, segment) => self.item(place, index),
                _ => self.member(place, segment),
            })
    }
}

struct Compiler<'s, 'n> {
    document: &'s Json,
    nodes: &'n mut Vec<Node>,
    /// The place of schemas that are known already, by their addresses; schemas can be recursive.
    known: HashMap<Vec<*const Json>, Place>,
}

impl<'s> Compiler<'s, '_> {
    /// The place that all of `schemas` describe.
    fn place(&mut self, schemas: &[&'s Json]) -> Place {
        let mut all = Vec::new();
        for schema in schemas {
            self.flatten(schema, &mut all);
        }
        let mut key: Vec<*const Json> = schemas.iter().map(|schema| &raw const **schema).collect();
        key.sort_unstable();
        if let Some(place) = self.known.get(&key) {
            return *place;
        }
        let place = Place(self.nodes.len());
        self.known.insert(key, place);
        let mut trail = Vec::new();
        let types: Vec<Types> = schemas
            .iter()
            .map(|schema| self.types(schema, &mut trail))
            .collect();
        let both = types.iter().copied().fold(Types::ANY, Types::intersect);
        let types = if both == Types::NONE {
            types.into_iter().fold(Types::NONE, Types::bitor)
        } else {
            both
        };
        self.nodes.push(Node::new(types));

        let mut members: HashMap<&str, Vec<&Json>> = HashMap::new();
        let mut other_members = Vec::new();
        let mut first_items: Vec<Vec<&Json>> = Vec::new();
        let mut other_items = Vec::new();
        for schema in all {
            if let Some(Json::Object(properties)) = schema.get("properties") {
                for (name, member) in properties {
                    members.entry(name).or_default().push(member);
                }
            }
            other_members.extend(schema.get("additionalProperties"));
            let items = schema.get("items");
            // Draft-07 writes the first items as `items`, and those after them as `additionalItems`.
            let first = schema.get("prefixItems").or(items).and_then(Json::as_array);
            for (index, item) in first.into_iter().flatten().enumerate() {
                if first_items.len() == index {
                    first_items.push(Vec::new());
                }
                first_items[index].push(item);
            }
            other_items.extend(match items {
                Some(Json::Array(_)) => schema.get("additionalItems"),
                items => items,
            });
        }
        let members = members
            .into_iter()
            .map(|(name, schemas)| (Box::from(name), self.place(&schemas)))
            .collect();
        let other_members = self.place_or_unknown(&other_members);
        let first_items = first_items
            .into_iter()
            .map(|schemas| self.place(&schemas))
            .collect();
        let other_items = self.place_or_unknown(&other_items);
        self.nodes[place.0] = Node {
            types,
            members,
            other_members,
            first_items,
            other_items,
        };
        place
    }

    fn place_or_unknown(&mut self, schemas: &[&'s Json]) -> Place {
        if schemas.is_empty() {
            UNKNOWN
        } else {
            self.place(schemas)
        }
    }

    /// Adds `schema` and the schemas that speak of the same place.
    fn flatten(&self, schema: &'s Json, all: &mut Vec<&'s Json>) {
        if all.iter().any(|known| std::ptr::eq(*known, schema)) {
            return;
        }
        all.push(schema);
        if let Some(target) = self.target(schema) {
            self.flatten(target, all);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for schema in schemas(schema, keyword) {
                self.flatten(schema, all);
            }
        }
    }

    /// The types that `schema` allows. `trail` has the schemas that this one is part of: a circle allows any.
    fn types(&self, schema: &'s Json, trail: &mut Vec<&'s Json>) -> Types {
        if trail.iter().any(|known| std::ptr::eq(*known, schema)) {
            return Types::ANY;
        }
        trail.push(schema);
        let mut types = match schema.get("type") {
            Some(Json::Array(names)) => union(names.iter().map(Types::of_name)),
            Some(name) => Types::of_name(name),
            None => Types::ANY,
        };
        if let Some(Json::Array(values)) = schema.get("enum") {
            types = types.intersect(union(values.iter().map(Types::of_value)));
        }
        if let Some(value) = schema.get("const") {
            types = types.intersect(Types::of_value(value));
        }
        if let Some(target) = self.target(schema) {
            types = types.intersect(self.types(target, trail));
        }
        for schema in schemas(schema, "allOf") {
            types = types.intersect(self.types(schema, trail));
        }
        for keyword in ["anyOf", "oneOf"] {
            let mut alternatives = schemas(schema, keyword).peekable();
            if alternatives.peek().is_some() {
                let alternatives = alternatives.map(|schema| self.types(schema, trail));
                types = types.intersect(union(alternatives));
            }
        }
        trail.pop();
        types
    }

    /// What `$ref` leads to, inside the document.
    fn target(&self, schema: &'s Json) -> Option<&'s Json> {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        self.document.pointer(&pointer)
    }
}

fn schemas<'s>(schema: &'s Json, keyword: &str) -> impl Iterator<Item = &'s Json> {
    let schemas = schema.get(keyword).and_then(Json::as_array);
    schemas.into_iter().flatten()
}

fn union(types: impl Iterator<Item = Types>) -> Types {
    types.fold(Types::NONE, Types::bitor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_types_of_a_place() {
        let schema = json!({
            "$ref": "#/$defs/Order",
            "$defs": {
                "Order": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "integer"},
                        "note": {"type": ["string", "null"]},
                        "price": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                        "size": {"enum": [1, 2, 3]},
                        "kind": {"const": "order"},
                        "mixed": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
                        "both": {"allOf": [{"type": ["number", "string"]}, {"type": "integer"}]},
                        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line%20Item"}},
                        "pair": {"prefixItems": [{"type": "integer"}], "items": {"type": "boolean"}},
                        "old": {"items": [{"type": "integer"}], "additionalItems": {"type": "null"}},
                        "flags": {"additionalProperties": {"type": "boolean"}},
                        "parent": {"anyOf": [{"$ref": "#/$defs/Order"}, {"type": "null"}]},
                        "loop": {"$ref": "#/$defs/Loop"},
                        "nowhere": {"$ref": "#/$defs/Nowhere"},
                        "far": {"$ref": "https://example.com/schema"},
                        "any": true,
                    },
                },
                "Line Item": {
                    "allOf": [
                        {"properties": {"count": {"type": "integer"}}},
                        {"properties": {"count": {"minimum": 1}, "gift": {"type": "boolean"}}},
                    ],
                },
                "Loop": {"$ref": "#/$defs/Loop"},
            },
        });
        let types = SchemaTypes::compile(Some(&schema));
        // Place, its types.
        let table: [(&[&str], Types); 28] = [
            (&[], Types::OBJECT),
            (&["id"], Types::INTEGER),
            (&["note"], Types::STRING | Types::NULL),
            (&["price"], Types::NUMBER | Types::NULL),
            (&["size"], Types::INTEGER),
            (&["kind"], Types::STRING),
            (&["mixed"], Types::INTEGER | Types::STRING),
            (&["both"], Types::INTEGER),
            (&["lines"], Types::ARRAY),
            (&["lines", "0"], Types::ANY),
            (&["lines", "7", "count"], Types::INTEGER),
            (&["lines", "0", "gift"], Types::BOOLEAN),
            (&["lines", "0", "other"], Types::ANY),
            (&["pair"], Types::ANY),
            (&["pair", "0"], Types::INTEGER),
            (&["pair", "1"], Types::BOOLEAN),
            (&["old", "0"], Types::INTEGER),
            (&["old", "1"], Types::NULL),
            (&["flags", "x"], Types::BOOLEAN),
            (&["parent"], Types::OBJECT | Types::NULL),
            (&["parent", "parent", "parent", "id"], Types::INTEGER),
            (&["loop"], Types::ANY),
            (&["nowhere"], Types::ANY),
            (&["far"], Types::ANY),
            (&["any"], Types::ANY),
            (&["any", "thing", "0"], Types::ANY),
            (&["unknown"], Types::ANY),
            (&["id", "deeper"], Types::ANY),
        ];
        for (segments, expected) in table {
            let segments: Vec<String> = segments.iter().map(ToString::to_string).collect();
            assert_eq!(
                types.types(types.find(&segments)),
                expected,
                "place: {segments:?}"
            );
        }
        let nothing = SchemaTypes::compile(None);
        assert_eq!(nothing.types(nothing.root()), Types::ANY);
    }
}
