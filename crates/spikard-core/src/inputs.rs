//! What a handler receives: the converted parameters of one request.

use std::borrow::Cow;

use smallvec::SmallVec;

/// One converted value; text is borrowed from the request where it needed no decoding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'r> {
    /// An optional parameter that the request does not have.
    Absent,
    /// A boolean.
    Boolean(bool),
    /// An integer of at most 64 bits.
    Integer(i64),
    /// An integer past 64 bits: sign and decimal digits, at most 4,300 of them.
    BigInteger(Cow<'r, str>),
    /// A finite number.
    Number(f64),
    /// Text; also every format that is kept as sent.
    String(Cow<'r, str>),
    /// The values of a repeated name, in order.
    Array(Vec<Self>),
}

impl Value<'_> {
    /// The same value, independent of the request.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(value) => Value::Integer(value),
            Self::BigInteger(digits) => Value::BigInteger(Cow::Owned(digits.into_owned())),
            Self::Number(value) => Value::Number(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
        }
    }
}

/// The converted parameters of one request, in the order in which the operation declares them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs<'r> {
    values: SmallVec<[Value<'r>; 6]>,
}

impl<'r> Inputs<'r> {
    /// The values in the order of the operation's parameters.
    pub fn new(values: SmallVec<[Value<'r>; 6]>) -> Self {
        Self { values }
    }

    /// The values, in the order in which the operation declares its parameters.
    pub fn values(&self) -> &[Value<'r>] {
        &self.values
    }

    /// The same inputs, independent of the request.
    pub fn into_owned(self) -> Inputs<'static> {
        Inputs {
            values: self.values.into_iter().map(Value::into_owned).collect(),
        }
    }
}
