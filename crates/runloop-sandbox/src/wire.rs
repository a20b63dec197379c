//! How values become bytes between the harness, the zygote and the brokers: lengths first, host byte order, no
//! interpretation of text. Reading never trusts a length: a value that is not there is `None`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// A value that can be written and read back.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    /// Takes the value off the front of `from`.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// Reads a value that is the whole message.
pub(crate) fn read<T: Wire>(mut message: &[u8]) -> Option<T> {
    let value = T::take(&mut message)?;
    message.is_empty().then_some(value)
}

fn take_bytes<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(bytes)
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Wire for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_ne_bytes());
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                take_bytes(from, size_of::<Self>())?.try_into().ok().map(Self::from_ne_bytes)
            }
        }
    )*};
}
number!(u8, u32, i32, u64, i64);

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for OsString {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend(self.as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(u64::take(from)?).ok()?;
        Some(Self::from_vec(take_bytes(from, length)?.to_vec()))
    }
}

impl Wire for PathBuf {
    fn put(&self, out: &mut Vec<u8>) {
        (self.as_os_str().len() as u64).put(out);
        out.extend(self.as_os_str().as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        OsString::take(from).map(Self::from)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend(self.as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(u64::take(from)?).ok()?;
        Self::from_utf8(take_bytes(from, length)?.to_vec()).ok()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        if bool::take(from)? { T::take(from).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        T::take(from).map(Self::new)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = u64::take(from)?;
        // The claimed length is not used to reserve memory: every element must really be there.
        let mut values = Self::new();
        for _ in 0..length {
            values.push(T::take(from)?);
        }
        Some(values)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

/// Declares a struct whose fields go over the wire in order.
macro_rules! wire_struct {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $kind,)*
        }
        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::wire::Wire::put(&self.$field, out);)*
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::wire::Wire::take(from)?,)* })
            }
        }
    };
}

/// Declares an enum of struct variants, each with its number.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $number:literal = $variant:ident {
            $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)?
        },)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum $name {
            $($(#[$variant_meta])* $variant { $($(#[$field_meta])* $field: $kind),* },)*
        }
        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        out.push($number);
                        $($crate::wire::Wire::put($field, out);)*
                    })*
                }
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                match <u8 as $crate::wire::Wire>::take(from)? {
                    $($number => Some(Self::$variant { $($field: $crate::wire::Wire::take(from)?),* }),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};

#[cfg(test)]
mod tests {
    use super::*;

    fn write(value: &impl Wire) -> Vec<u8> {
        let mut out = Vec::new();
        value.put(&mut out);
        out
    }

    wire_struct!(Sample { number: u32, text: OsString, list: Vec<(u64, Option<bool>)>, });
    wire_enum!(Choice { 1 = Nothing {}, 2 = Something { path: PathBuf, code: i32 }, });

    #[test]
    fn values_come_back_as_they_went() {
        let sample = Sample {
            number: 7,
            text: OsString::from_vec(vec![0xff, b'\n', 0]),
            list: vec![(1, None), (2, Some(true))],
        };
        assert_eq!(read::<Sample>(&write(&sample)), Some(sample));
        for choice in [Choice::Nothing {}, Choice::Something { path: "/a".into(), code: -1 }] {
            assert_eq!(read::<Choice>(&write(&choice)), Some(choice));
        }
    }

    #[test]
    fn every_cut_message_is_refused() {
        let whole = write(&Choice::Something { path: "/a/b".into(), code: 3 });
        for length in 0..whole.len() {
            assert_eq!(read::<Choice>(&whole[..length]), None, "cut at {length}");
        }
        assert_eq!(read::<Choice>(&[whole, vec![0]].concat()), None, "something follows");
    }

    #[test]
    fn a_length_that_is_a_lie_reserves_nothing() {
        let message = write(&u64::MAX);
        assert_eq!(read::<Vec<u64>>(&message), None);
        assert_eq!(read::<OsString>(&message), None);
    }
}
