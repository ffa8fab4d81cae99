//! `.npy`: a magic, a version, a Python dictionary as text, then the array.
//!
//! Read here rather than by a crate: the one that is alive brings a parser generator, three
//! number crates and their procedural macros for a dictionary of three entries.

use crate::{
    bin::{Bin, Stored},
    error::Problem,
    matrix::{Kind, Values, each_kind},
    rows::{Rows, Taken},
    source::{Order, Scalar, Source},
};

pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

pub(crate) fn open<'a>(mut source: Source<'a>) -> Result<Box<dyn Rows + Send + 'a>, Problem> {
    let Header { descr, fortran_order, shape } = header(&mut source)?;
    let (order, kind) = match descr.split_at_checked(1) {
        Some(("<" | "|", kind)) => (Order::Little, kind),
        Some((">", kind)) => (Order::Big, kind),
        _ => return Err(Problem::NpyType(descr)),
    };
    let stored = match kind {
        "f8" => Stored::Kind(Kind::F64),
        "f4" => Stored::Kind(Kind::F32),
        "f2" => Stored::Kind(Kind::F16),
        "u1" => Stored::Kind(Kind::U8),
        "i1" => Stored::Kind(Kind::I8),
        "i4" => Stored::Kind(Kind::I32),
        "i8" => Stored::Kind(Kind::I64),
        "i2" => Stored::I16,
        "u2" => Stored::U16,
        "u4" => Stored::U32,
        "u8" => Stored::U64,
        _ => return Err(Problem::NpyType(descr)),
    };
    let &[rows, dim] = &*shape else { return Err(Problem::NpyShape(shape)) };
    if fortran_order && rows > 0 {
        return Ok(Box::new(Turned::open(source, stored, order, [rows, dim])?));
    }
    Ok(Box::new(Bin::behind_header(source, stored, order, [rows, dim])?))
}

fn header(source: &mut Source<'_>) -> Result<Header, Problem> {
    if &source.header::<6>()? != MAGIC {
        return Err(Problem::NotNpy);
    }
    let [major, minor] = source.header()?;
    let length = match major {
        1 => u32::from(u16::from_le_bytes(source.header()?)),
        2 | 3 => u32::from_le_bytes(source.header()?),
        _ => return Err(Problem::NpyVersion(major, minor)),
    };
    let mut text = Vec::<u8>::new();
    if let Err(found) = source.append(&mut text, length as usize, Order::Little)? {
        return Err(Problem::ShortHeader { needed: u64::from(length), found });
    }
    let text = std::str::from_utf8(&text).map_err(|_| Problem::NpyHeader("it is not text"))?;
    Header::parse(text)
}

/// An array that lies column by column, so that all of it is needed before the first row is known.
struct Turned<'a> {
    /// As it lies, an array is the transposed matrix row by row.
    columns: Bin<'a>,
    rows: usize,
    dim: usize,
    /// All rows, once they have been read, and how many of them have been taken.
    values: Option<Values>,
    done: usize,
}

impl<'a> Turned<'a> {
    fn open(
        source: Source<'a>,
        stored: Stored,
        order: Order,
        [rows, dim]: [u64; 2],
    ) -> Result<Self, Problem> {
        if dim == 0 {
            return Err(Problem::NoDimensions);
        }
        let columns = Bin::behind_header(source, stored, order, [dim, rows]);
        let columns = columns.map_err(|problem| turned(problem, rows, dim))?;
        let sizes = usize::try_from(rows).and_then(|rows| Ok((rows, usize::try_from(dim)?)));
        let (rows, dim) = sizes.map_err(|_| Problem::TooLarge { rows, dim })?;
        Ok(Self { columns, rows, dim, values: None, done: 0 })
    }
}

impl Rows for Turned<'_> {
    fn kind(&self) -> Kind {
        self.columns.kind()
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn total(&self) -> Option<u64> {
        Some(self.rows as u64)
    }

    fn next(&mut self, limit: usize) -> Result<Taken, Problem> {
        let (rows, dim) = (self.rows, self.dim);
        let taken = limit.min(rows - self.done);
        if taken == 0 {
            return Ok(Values::empty(self.kind()).into());
        }
        let whole = match self.values.take() {
            Some(values) => values,
            None => {
                let columns = self.columns.next(dim);
                let columns =
                    columns.map_err(|problem| turned(problem, rows as u64, dim as u64))?;
                transposed(&columns.values, rows, dim)
            }
        };
        let part = self.done * dim..(self.done + taken) * dim;
        self.done += taken;
        if taken == rows {
            return Ok(whole.into());
        }
        let values = each_kind!(&whole, v => Scalar::into_values(v[part].to_vec()));
        self.values = Some(whole);
        Ok(values.into())
    }
}

/// What is wrong with the transposed matrix, as said of the matrix.
fn turned(problem: Problem, rows: u64, dim: u64) -> Problem {
    match problem {
        Problem::Truncated { needed, found, .. } => Problem::Truncated { rows, dim, needed, found },
        Problem::Trailing { .. } => Problem::Trailing { rows, dim },
        Problem::TooLarge { .. } => Problem::TooLarge { rows, dim },
        Problem::DoesNotFit { row, column, value } => {
            Problem::DoesNotFit { row: column, column: row, value }
        }
        other => other,
    }
}

fn transposed(columns: &Values, rows: usize, dim: usize) -> Values {
    fn turn<T: Scalar>(columns: &[T], rows: usize, dim: usize) -> Values {
        let mut values = Vec::with_capacity(columns.len());
        for row in 0..rows {
            values.extend((0..dim).map(|column| columns[column * rows + row]));
        }
        T::into_values(values)
    }
    each_kind!(columns, v => turn(v, rows, dim))
}

/// The dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
#[derive(Debug, Default, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut parser = Parser { rest: text };
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        parser.expect("{", "it is no dictionary")?;
        while !parser.eat("}") {
            let key = parser.string()?;
            parser.expect(":", "a key stands without a value")?;
            match key {
                "descr" => descr = Some(parser.element_type()?.to_owned()),
                "fortran_order" => fortran_order = Some(parser.boolean()?),
                "shape" => shape = Some(parser.tuple()?),
                _ => return Err(Problem::NpyHeader("it has a key that no version knows")),
            }
            if !parser.eat(",") {
                parser.expect("}", "it does not end")?;
                break;
            }
        }
        if !parser.rest.trim().is_empty() {
            return Err(Problem::NpyHeader("text follows the dictionary"));
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => {
                Ok(Self { descr, fortran_order, shape })
            }
            _ => Err(Problem::NpyHeader("one of descr, fortran_order and shape is missing")),
        }
    }
}

/// What is left of the text; every method skips the white space in front.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: &str, otherwise: &'static str) -> Result<(), Problem> {
        self.eat(token).then_some(()).ok_or(Problem::NpyHeader(otherwise))
    }

    fn string(&mut self) -> Result<&'a str, Problem> {
        let quote = ["'", "\""].into_iter().find(|quote| self.eat(quote));
        let quote = quote.ok_or(Problem::NpyHeader("a string is missing"))?;
        let end = self.rest.split_once(quote);
        let (string, rest) = end.ok_or(Problem::NpyHeader("a string does not end"))?;
        self.rest = rest;
        Ok(string)
    }

    /// A string, or else a list, or a tuple, of which structures and arrays are made.
    fn element_type(&mut self) -> Result<&'a str, Problem> {
        let text = self.rest.trim_start();
        if !text.starts_with(['[', '(']) {
            return self.string();
        }
        let mut inside = Parser { rest: text };
        let mut depth = 0usize;
        loop {
            inside.rest = inside.rest.trim_start();
            match inside.rest.chars().next() {
                Some('\'' | '"') => {
                    inside.string()?;
                    continue;
                }
                Some('[' | '(') => depth += 1,
                Some(']' | ')') => depth -= 1,
                Some(_) => {}
                None => return Err(Problem::NpyHeader("the type of its elements does not end")),
            }
            let mut rest = inside.rest.chars();
            rest.next();
            inside.rest = rest.as_str();
            if depth == 0 {
                let whole = &text[..text.len() - inside.rest.len()];
                return Err(Problem::NpyStructure(whole.to_owned()));
            }
        }
    }

    fn boolean(&mut self) -> Result<bool, Problem> {
        if self.eat("True") {
            return Ok(true);
        }
        self.expect("False", "fortran_order is neither True nor False")?;
        Ok(false)
    }

    fn tuple(&mut self) -> Result<Vec<u64>, Problem> {
        let mut numbers = Vec::new();
        self.expect("(", "shape is no tuple")?;
        while !self.eat(")") {
            let text = self.rest.trim_start();
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (number, rest) = text.split_at(digits);
            let number = number.parse();
            numbers.push(number.map_err(|_| Problem::NpyHeader("shape holds no numbers"))?);
            // What Python 2 puts behind a `long`.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            if !self.eat(",") {
                self.expect(")", "shape does not end")?;
                break;
            }
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_numpy_and_others_write_it() {
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n",
            "{\"shape\":(2,3,),\"descr\":\"<f4\",\"fortran_order\":False}",
        ] {
            let header = Header::parse(text).unwrap();
            assert_eq!(
                header,
                Header { descr: "<f4".into(), fortran_order: false, shape: vec![2, 3] }
            );
        }
        let empty = Header::parse("{'descr': 'x', 'fortran_order': True, 'shape': ()}").unwrap();
        assert_eq!((empty.fortran_order, empty.shape), (true, vec![]));
    }

    #[test]
    fn a_damaged_header_says_where_it_is_damaged() {
        for (text, says) in [
            ("", "no dictionary"),
            ("{'descr'", "without a value"),
            ("{'descr': <f4", "a string is missing"),
            ("{'descr': '<f4", "a string does not end"),
            ("{'descr': '<f4'", "does not end"),
            ("{'descr': '<f4', 'fortran_order': 0}", "neither True nor False"),
            ("{'shape': [2, 3]}", "no tuple"),
            ("{'shape': (2, -3)}", "no numbers"),
            ("{'shape': (99999999999999999999, 3)}", "no numbers"),
            ("{'shape': (2, 3}", "shape does not end"),
            ("{'order': 1}", "no version knows"),
            ("{'descr': '<f4', 'shape': (2, 3)}", "is missing"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "text follows"),
        ] {
            let error = Header::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
