//! Server-sent events, parsed from whatever pieces the network delivers. No I/O.

/// A line longer than this is not an event of this API: parsing it would only fill the memory.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// One event: what stands between two blank lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The event's name; empty means a message.
    pub(crate) name: Vec<u8>,
    /// Its data lines, joined with line feeds.
    pub(crate) data: Vec<u8>,
}

/// A line or an event grew beyond all measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Parser state: feed it bytes with [`Parser::push`], get events out.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The line that has begun.
    line: Vec<u8>,
    /// The last byte was a CR: a LF now belongs to it.
    after_cr: bool,
    /// Bytes of lines so far, to find the byte order mark.
    begun: bool,
    event: Event,
    has_data: bool,
}

impl Parser {
    /// Takes the next piece of the stream; complete events go to `sink`.
    pub(crate) fn push(&mut self, mut piece: &[u8], mut sink: impl FnMut(Event)) -> Result<(), TooLong> {
        if std::mem::take(&mut self.after_cr) {
            if let Some((b'\n', rest)) = piece.split_first() {
                piece = rest;
            } else if piece.is_empty() {
                self.after_cr = true;
            }
        }
        while let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = piece.split_at(end);
            self.extend_line(line)?;
            piece = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
            if let Some(event) = self.end_line()? {
                sink(event);
            }
        }
        self.extend_line(piece)
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > LONGEST_LINE {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Event>, TooLong> {
        let line = std::mem::take(&mut self.line);
        let text = match (self.begun, line.strip_prefix(b"\xef\xbb\xbf")) {
            (false, Some(rest)) => rest,
            _ => &line,
        };
        self.begun = true;
        let event = if text.is_empty() {
            let event = std::mem::take(&mut self.event);
            // A block without data, such as one of comments only, is no event.
            std::mem::take(&mut self.has_data).then_some(event)
        } else {
            self.field(text)?;
            None
        };
        // Keep the buffer for the next line.
        self.line = line;
        self.line.clear();
        Ok(event)
    }

    fn field(&mut self, line: &[u8]) -> Result<(), TooLong> {
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.event.data.len() + value.len() > LONGEST_LINE {
                    return Err(TooLong);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            b"event" => self.event.name = value.to_vec(),
            // Comments have an empty name; `id` and `retry` mean nothing in this API.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.push(piece, |event| events.push(event)).unwrap();
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        events.into_iter().map(|event| (text(event.name), text(event.data))).collect()
    }

    fn data(text: &str) -> Vec<String> {
        parse([text.as_bytes()]).into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn events_end_at_a_blank_line() {
        assert_eq!(data("data: a\n\ndata:b\n\ndata: c\n"), ["a", "b"]);
        assert_eq!(data("data: a\ndata: b\n\n"), ["a\nb"]);
        assert_eq!(data("data\n\n"), [""]);
        assert_eq!(data("data:  two spaces\n\n"), [" two spaces"]);
    }

    #[test]
    fn all_line_ends_and_a_byte_order_mark() {
        assert_eq!(data("\u{feff}data: a\r\n\r\ndata: b\r\rdata: c\n\n"), ["a", "b", "c"]);
        assert_eq!(data("data: \u{feff}a\n\n"), ["\u{feff}a"]);
    }

    #[test]
    fn comments_ids_and_named_blocks_without_data_are_no_events() {
        assert_eq!(data(": ping\n\n:\n\nid: 7\n\nevent: x\n\nretry: 5\n\ndata: a\n\n"), ["a"]);
        assert_eq!(data("datas: x\n data: y\n\n"), Vec::<String>::new());
    }

    #[test]
    fn a_name_belongs_to_one_event() {
        let events = parse([&b"event: error\ndata: {}\n\ndata: a\n\n"[..]]);
        assert_eq!(events, [("error".into(), "{}".into()), (String::new(), "a".into())]);
    }

    #[test]
    fn endless_lines_and_events_are_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1024 * 1024];
        let result = (0..20).try_for_each(|_| parser.push(&piece, |_| ()));
        assert_eq!(result, Err(TooLong));

        let mut parser = Parser::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        let result = (0..20).try_for_each(|_| parser.push(&line, |_| ()));
        assert_eq!(result, Err(TooLong));
        // Names are replaced, not collected.
        let line = [b"event: ".as_slice(), &piece, b"\n"].concat();
        let mut parser = Parser::default();
        (0..20).for_each(|_| parser.push(&line, |_| ()).unwrap());
        assert!(parser.event.name.len() == piece.len() && parser.line.len() < piece.len());
    }

    proptest! {
        #[test]
        fn where_the_network_cuts_does_not_matter(
            lines in prop::collection::vec(("(data: ?|event: ?|: ?|id: ?|)", "[aä😀 :]{0,6}", "\n|\r\n|\r"), 0..30),
            cuts in prop::collection::vec(0usize..400, 0..20),
        ) {
            let text: String = lines.iter().map(|(field, value, end)| format!("{field}{value}{end}")).collect();
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
            prop_assert_eq!(parse(pieces), parse([bytes]));
        }

        #[test]
        fn what_was_written_is_read(events in prop::collection::vec("[^\r\n]{0,20}(\n[^\r\n]{0,20}){0,3}", 0..10)) {
            let text: String = events
                .iter()
                .map(|event| event.split('\n').map(|line| format!("data: {line}\n")).collect::<String>() + "\n")
                .collect();
            prop_assert_eq!(data(&text), events);
        }

        #[test]
        fn any_bytes_are_survived_wherever_they_are_cut(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\r\n: datevn\xef\xbb\xbf"[..])], 0..300),
            size in 1usize..20,
        ) {
            let events = |size| {
                let (mut parser, mut events) = (Parser::default(), Vec::new());
                for piece in bytes.chunks(size) {
                    parser.push(piece, |event| events.push(event)).unwrap();
                }
                events
            };
            prop_assert_eq!(events(size), events(bytes.len().max(1)));
        }
    }
}
