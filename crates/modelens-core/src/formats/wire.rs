//! Reads protocol buffers as numbered fields, without copying.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use crate::formats::OpenError;

/// The value of one field.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    Varint(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

/// Iterates over the fields of a message.
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = varint(&mut self.0)?;
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut self.0)?),
            1 => Field::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            5 => Field::Fixed32(self.array()?),
            _ => return None,
        };
        Some((tag >> 3, field))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| OpenError::Broken("its protocol buffers are cut off".into())))
    }
}

/// A varint: seven bits per byte, the lowest first.
pub fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_order() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 0, 0, 128, 63,
        ];
        let fields: Vec<_> = Fields::new(&bytes).map(Result::unwrap).collect();
        assert!(matches!(fields[0], (1, Field::Varint(150))));
        assert!(matches!(fields[1], (2, Field::Bytes(b"hi"))));
        assert!(matches!(fields[2], (3, Field::Fixed32([0, 0, 128, 63]))));
    }

    #[test]
    fn cut_and_endless_messages_give_errors() {
        for bytes in [
            &[0x08][..],
            &[0x12, 0x05, b'h'],
            &[0xff; 20],
            &[0x0b],
            &[0x0d, 1],
        ] {
            assert!(Fields::new(bytes).any(|f| f.is_err()), "{bytes:?}");
        }
    }
}
