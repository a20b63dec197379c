//! Text out of a byte stream that is cut anywhere.

/// How many of these bytes can be sent as text now: all but an unfinished character at the end.
///
/// Bytes that are no UTF-8 at all do not hold anything back.
pub(crate) fn complete_prefix(bytes: &[u8]) -> usize {
    // A character has at most four bytes, so its first byte is among the last three if it is unfinished.
    for back in 1..=bytes.len().min(3) {
        let first = bytes[bytes.len() - back];
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => break,
        };
        if length > back {
            return bytes.len() - back;
        }
        break;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_characters_pass() {
        for text in ["", "a", "é", "€", "𝄞", "a€b"] {
            assert_eq!(complete_prefix(text.as_bytes()), text.len(), "{text}");
        }
    }

    #[test]
    fn an_unfinished_character_is_held_back() {
        for text in ["é", "€", "𝄞"] {
            for cut in 1..text.len() {
                let bytes = [b"ab", &text.as_bytes()[..cut]].concat();
                assert_eq!(complete_prefix(&bytes), 2, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn garbage_is_not_held_back() {
        assert_eq!(complete_prefix(&[0xff]), 1);
        assert_eq!(complete_prefix(&[0x80, 0x80, 0x80, 0x80]), 4);
        assert_eq!(complete_prefix(&[b'a', 0xc0]), 2);
    }

    #[test]
    fn text_cut_at_every_byte_comes_out_whole() {
        let text = "naïve €uro 𝄞 end";
        for size in 1..text.len() {
            let (mut out, mut pending) = (String::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                pending.extend_from_slice(piece);
                let ready = complete_prefix(&pending);
                out.push_str(std::str::from_utf8(&pending[..ready]).unwrap());
                pending.drain(..ready);
            }
            assert_eq!((out.as_str(), pending.len()), (text, 0));
        }
    }
}
