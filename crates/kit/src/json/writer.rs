//! A serializer that writes JSON into a vector.
//!
//! `serde_json` looks each text over byte by byte, and hands its pieces one after another to an `io::Write`. More than half
//! of what a history of 50 messages cost beyond the store was that.

use serde::{
    Serialize, Serializer,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::{Error, Result};

use super::scalar;

/// Appends `value` to `out`. Fails as `serde_json` does: on a map whose keys are no texts, numbers or truths, and when the
/// value says so itself.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<()> {
    value.serialize(Writer { out })
}

/// Writes one value.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

/// Writes the parts of an array or an object, and then its end.
struct Parts<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
    end: &'static [u8],
}

impl<'o> Parts<'o> {
    fn begin(out: &'o mut Vec<u8>, start: u8, end: &'static [u8]) -> Self {
        out.push(start);
        Self { out, is_first: true, end }
    }

    /// Begins the next part.
    fn next(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.next();
        write(value, self.out)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.next();
        scalar::text(self.out, key);
        self.out.push(b':');
        write(value, self.out)
    }

    fn finish(self) {
        self.out.extend_from_slice(self.end);
    }
}

macro_rules! numbers {
    ($($method:ident $number:ty => $write:ident),*) => { $(
        fn $method(self, number: $number) -> Result<()> {
            scalar::$write(self.out, number.into());
            Ok(())
        }
    )* };
}

macro_rules! rarities {
    ($($method:ident $value:ty),*) => { $(
        fn $method(self, value: $value) -> Result<()> {
            serde_json::to_writer(self.out, &value)
        }
    )* };
}

impl<'o> Serializer for Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'o>;
    type SerializeTuple = Parts<'o>;
    type SerializeTupleStruct = Parts<'o>;
    type SerializeTupleVariant = Parts<'o>;
    type SerializeMap = Parts<'o>;
    type SerializeStruct = Parts<'o>;
    type SerializeStructVariant = Parts<'o>;

    numbers!(
        serialize_i8 i8 => signed, serialize_i16 i16 => signed, serialize_i32 i32 => signed, serialize_i64 i64 => signed,
        serialize_u8 u8 => unsigned, serialize_u16 u16 => unsigned, serialize_u32 u32 => unsigned,
        serialize_u64 u64 => unsigned
    );

    rarities!(
        serialize_i128 i128, serialize_u128 u128, serialize_f32 f32, serialize_f64 f64, serialize_char char,
        serialize_bytes &[u8]
    );

    fn serialize_bool(self, truth: bool) -> Result<()> {
        self.out.extend_from_slice(if truth { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<()> {
        scalar::text(self.out, text);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let mut object = Parts::begin(self.out, b'{', b"}");
        object.field(variant, value)?;
        object.finish();
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Parts<'o>> {
        Ok(Parts::begin(self.out, b'[', b"]"))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Parts<'o>> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Parts<'o>> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Parts<'o>> {
        self.out.push(b'{');
        scalar::text(self.out, variant);
        self.out.push(b':');
        Ok(Parts::begin(self.out, b'[', b"]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Parts<'o>> {
        Ok(Parts::begin(self.out, b'{', b"}"))
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Parts<'o>> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Parts<'o>> {
        self.out.push(b'{');
        scalar::text(self.out, variant);
        self.out.push(b':');
        Ok(Parts::begin(self.out, b'{', b"}}"))
    }
}

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next();
        let start = self.out.len();
        write(key, self.out)?;
        match self.out.get(start) {
            Some(b'"') => Ok(()),
            // Numbers and truths are put in quotes.
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.out.insert(start, b'"');
                self.out.push(b'"');
                Ok(())
            }
            _ => Err(Error::custom("the key of an object is no text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.out.push(b':');
        write(value, self.out)
    }

    fn end(self) -> Result<()> {
        self.finish();
        Ok(())
    }
}

/// Arrays of all kinds have elements, objects of all kinds have fields.
macro_rules! parts {
    ($($kind:ident :: $method:ident ($($key:ident)?) => $part:ident),*) => { $(
        impl $kind for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<()> {
                self.$part($($key,)? value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    )* };
}
parts!(
    SerializeSeq::serialize_element () => element, SerializeTuple::serialize_element () => element,
    SerializeTupleStruct::serialize_field () => element, SerializeTupleVariant::serialize_field () => element,
    SerializeStruct::serialize_field (key) => field, SerializeStructVariant::serialize_field (key) => field
);
