//! Generated schemas and values: the errors and the verdict agree, and what is wrong on purpose is what is named.

use serde_json::{Map, Value, json};
use spikard_validation::Validator;

/// A small generator (xorshift); the same seed gives the same case.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    fn pick<T: Clone>(&mut self, options: &[T]) -> T {
        let index = usize::try_from(self.below(options.len() as u64)).expect("an index");
        options[index].clone()
    }
}

const NAMES: [&str; 6] = ["a", "b", "a/b", "c~d", "0", ""];

/// Any value, as long as it is small.
fn value(random: &mut Random, depth: u64) -> Value {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.one_in(2)),
        2 => json!(random.below(5)),
        3 => random.pick(&[
            json!(1.5),
            json!(2.0),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
        ]),
        4 => json!(random.pick(&["", "a", "ab", "abc", "0", "2024-01-01", "é"])),
        5 => (0..random.below(4))
            .map(|_| value(random, depth - 1))
            .collect(),
        _ => {
            let count = random.below(4);
            let member =
                |random: &mut Random| (random.pick(&NAMES).to_owned(), value(random, depth - 1));
            Value::Object((0..count).map(|_| member(random)).collect())
        }
    }
}

/// Any schema: some keywords, each with a value that is allowed.
fn schema(random: &mut Random, depth: u64) -> Value {
    let mut schema = Map::new();
    for _ in 0..=random.below(3) {
        let types = [
            "integer", "number", "string", "boolean", "array", "object", "null",
        ];
        let below = |random: &mut Random| match (depth, random.below(8)) {
            (0, _) => json!(true),
            (_, 0) => json!(random.one_in(2)),
            (_, 1) => json!({"$ref": "#/$defs/shared"}),
            _ => self::schema(random, depth - 1),
        };
        let several = |random: &mut Random| {
            (0..=random.below(2))
                .map(|_| below(random))
                .collect::<Value>()
        };
        let named = |random: &mut Random| {
            let count = random.below(4);
            Value::Object(
                (0..count)
                    .map(|_| (random.pick(&NAMES).to_owned(), below(random)))
                    .collect(),
            )
        };
        let names = |random: &mut Random| {
            let start = usize::try_from(random.below(5)).expect("an index");
            json!(NAMES[start..start + 2])
        };
        let (keyword, keyword_value) = match random.below(35) {
            0 | 1 => ("type", json!(random.pick(&types))),
            2 => (
                "type",
                json!([random.pick(&types[..3]), random.pick(&types[3..])]),
            ),
            3 => ("enum", json!([value(random, 1), value(random, 1)])),
            4 => ("const", value(random, 2)),
            5 => ("minimum", json!(random.below(4))),
            6 => ("maximum", json!(random.below(4))),
            7 => ("exclusiveMinimum", json!(1.5)),
            8 => ("exclusiveMaximum", json!(2)),
            9 => ("multipleOf", json!(random.pick(&[0.5, 2.0, 3.0]))),
            10 => ("minLength", json!(random.below(3))),
            11 => ("maxLength", json!(random.below(3))),
            12 => (
                "pattern",
                json!(random.pick(&["^a", "b$", "^(?=a)", "[0-9]+"])),
            ),
            13 => (
                "format",
                json!(random.pick(&["date", "uuid", "uri", "email", "regex"])),
            ),
            14 => ("minItems", json!(random.below(3))),
            15 => ("maxItems", json!(random.below(3))),
            16 => ("uniqueItems", json!(true)),
            17 => ("items", below(random)),
            18 => ("prefixItems", several(random)),
            19 => ("contains", below(random)),
            20 => ("minProperties", json!(random.below(3))),
            21 => ("maxProperties", json!(random.below(3))),
            22 => ("required", names(random)),
            23 => ("properties", named(random)),
            24 => ("additionalProperties", below(random)),
            25 => ("patternProperties", json!({"^a": below(random)})),
            26 => ("propertyNames", below(random)),
            27 => (
                "dependencies",
                json!({"a": names(random), "b": below(random)}),
            ),
            28 => ("dependentRequired", json!({"": names(random)})),
            29 => ("allOf", several(random)),
            30 => ("anyOf", several(random)),
            31 => ("oneOf", several(random)),
            32 => ("not", below(random)),
            33 => ("unevaluatedProperties", json!(false)),
            _ => {
                schema.insert("then".to_owned(), below(random));
                schema.insert("else".to_owned(), below(random));
                ("if", below(random))
            }
        };
        schema.insert(keyword.to_owned(), keyword_value);
    }
    Value::Object(schema)
}

#[test]
fn errors_are_empty_exactly_when_the_value_is_valid() {
    let mut verdicts = [0, 0];
    for seed in 1..=4000 {
        let mut random = Random::new(seed);
        let mut whole = schema(&mut random, 3);
        whole["$defs"] = json!({"shared": schema(&mut random, 1)});
        let validator = Validator::compile(&whole).expect("is a schema");
        let narrowing = validator.clone().with_narrowed_unions();
        for _ in 0..4 {
            let instance = value(&mut random, 3);
            let case = format!("seed {seed}: {whole}: {instance}");
            let is_valid = validator.is_valid(&instance);
            verdicts[usize::from(is_valid)] += 1;
            for validator in [&validator, &narrowing] {
                let errors = validator.errors(&instance, &["body"]);
                assert_eq!(errors.is_empty(), is_valid, "{case}: {errors:?}");
                assert!(
                    errors.is_sorted_by(|left, right| left.cmp_loc(right).is_le()),
                    "{case}"
                );
                for error in &errors {
                    assert_eq!(error.loc()[0], "body", "{case}");
                    assert!(
                        !error.message().is_empty() && !error.code().is_empty(),
                        "{case}"
                    );
                }
            }
        }
    }
    assert!(
        verdicts.iter().all(|count| *count > 2000),
        "both verdicts come up: {verdicts:?}"
    );
}

/// A type of which values are made that are right, or wrong in known places.
enum Shape {
    Integer,
    Text,
    Choice,
    Uuid,
    Nullable(Box<Self>),
    Array(Box<Self>),
    /// Properties with whether they are required, and whether others are refused.
    Object(Vec<(String, Self, bool)>, bool),
}

impl Shape {
    fn new(random: &mut Random, depth: u64) -> Self {
        match random.below(if depth == 0 { 4 } else { 8 }) {
            0 => Self::Integer,
            1 => Self::Text,
            2 => Self::Choice,
            3 => Self::Uuid,
            4 => Self::Nullable(Box::new(Self::new(random, depth - 1))),
            5 => Self::Array(Box::new(Self::new(random, depth - 1))),
            _ => {
                let properties = NAMES
                    .iter()
                    .filter(|_| random.below(3) > 0)
                    .collect::<Vec<_>>();
                let properties = properties.into_iter().map(|name| {
                    (
                        (*name).to_owned(),
                        Self::new(random, depth - 1),
                        random.one_in(2),
                    )
                });
                let properties = properties.collect();
                Self::Object(properties, random.one_in(2))
            }
        }
    }

    fn schema(&self, random: &mut Random) -> Value {
        match self {
            Self::Integer => json!({"type": "integer", "minimum": 0, "maximum": 9}),
            Self::Text => json!({"type": "string", "minLength": 1, "maxLength": 3}),
            Self::Choice => json!({"enum": ["light", "dark"]}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Nullable(shape) => json!({"anyOf": [shape.schema(random), {"type": "null"}]}),
            Self::Array(shape) => {
                json!({"type": "array", "items": shape.schema(random), "minItems": 1, "maxItems": 3})
            }
            Self::Object(properties, is_closed) => {
                let required: Value = properties
                    .iter()
                    .filter(|(_, _, is_required)| *is_required)
                    .map(|(name, _, _)| json!(name))
                    .collect();
                let properties: Map<_, _> = properties
                    .iter()
                    .map(|(name, shape, _)| (name.clone(), shape.schema(random)))
                    .collect();
                let mut schema =
                    json!({"type": "object", "required": required, "properties": properties});
                if *is_closed {
                    schema["additionalProperties"] = json!(false);
                }
                if random.one_in(3) {
                    schema = json!({"allOf": [schema]});
                }
                schema
            }
        }
    }

    /// A value that is wrong in one of `rate` places; their locations are added to `wrong`.
    fn value(
        &self,
        random: &mut Random,
        rate: u64,
        loc: &[String],
        wrong: &mut Vec<Vec<String>>,
    ) -> Value {
        let at = |below: &str| [loc, &[below.to_owned()]].concat();
        if !matches!(self, Self::Nullable(_)) && random.one_in(rate) {
            wrong.push(loc.to_vec());
            return match self {
                Self::Integer => {
                    random.pick(&[json!("1"), json!(1.5), json!(true), json!(-1), json!(10)])
                }
                Self::Text => random.pick(&[json!(1), json!(""), json!("abcd"), json!(["a"])]),
                Self::Choice => random.pick(&[json!("Light"), json!(0)]),
                Self::Uuid => random.pick(&[json!("x"), json!(1)]),
                Self::Array(_) => random.pick(&[json!([]), json!("a"), json!({"0": 1})]),
                Self::Object(..) | Self::Nullable(_) => {
                    random.pick(&[json!([]), json!("a"), json!(1)])
                }
            };
        }
        match self {
            Self::Integer => json!(random.below(10)),
            Self::Text => json!(random.pick(&["a", "é", "abc", "🎉🎉🎉"])),
            Self::Choice => json!(random.pick(&["light", "dark"])),
            Self::Uuid => json!("c892496f-b1fd-4b91-bdb8-b46f92df1716"),
            Self::Nullable(_) if random.one_in(2) => Value::Null,
            Self::Nullable(shape) => shape.value(random, rate, loc, wrong),
            Self::Array(shape) => (0..=random.below(3))
                .map(|index| shape.value(random, rate, &at(&index.to_string()), wrong))
                .collect(),
            Self::Object(properties, is_closed) => {
                let mut object = Map::new();
                for (name, shape, is_required) in properties {
                    if *is_required && random.one_in(rate) {
                        wrong.push(at(name));
                    } else if *is_required || random.one_in(2) {
                        object.insert(name.clone(), shape.value(random, rate, &at(name), wrong));
                    }
                }
                if !is_closed {
                    object.insert("surplus".to_owned(), json!(1));
                } else if random.one_in(rate) {
                    wrong.push(at("surplus"));
                    object.insert("surplus".to_owned(), json!(1));
                }
                Value::Object(object)
            }
        }
    }
}

#[test]
fn errors_name_exactly_the_places_that_are_wrong() {
    let mut most = 0;
    for seed in 1..=4000 {
        let mut random = Random::new(seed);
        let shape = Shape::new(&mut random, 4);
        let schema = shape.schema(&mut random);
        let validator = Validator::compile(&schema)
            .expect("is a schema")
            .with_narrowed_unions();
        for rate in [u64::MAX, 10, 3] {
            let mut wrong = Vec::new();
            let instance = shape.value(&mut random, rate, &["body".to_owned()], &mut wrong);
            let case = format!("seed {seed}: {schema}: {instance}");
            assert_eq!(validator.is_valid(&instance), wrong.is_empty(), "{case}");
            let errors = validator.errors(&instance, &["body"]);
            let mut places: Vec<_> = errors.iter().map(|error| error.loc().to_vec()).collect();
            places.sort();
            wrong.sort();
            assert_eq!(places, wrong, "{case}");
            most = most.max(wrong.len());
        }
    }
    assert!(most > 10, "some values are wrong in many places: {most}");
}
