//! `.npy`: a magic, a version, a Python dictionary as text, then the array.
//!
//! Read here rather than by a crate: the one that is alive brings a parser generator, three
//! number crates and their procedural macros for a dictionary of three entries.

use half::f16;

use super::{
    bin,
    error::Problem,
    source::{Order, Scalar, Source},
};
use crate::matrix::{Matrix, Values, each_kind};

pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";

pub(super) fn read(source: &mut Source<'_>, limit: usize) -> Result<Matrix, Problem> {
    if &source.header::<6>()? != MAGIC {
        return Err(Problem::NotNpy);
    }
    let [major, minor] = source.header()?;
    let length = match major {
        1 => u64::from(u16::from_le_bytes(source.header()?)),
        2 | 3 => u64::from(u32::from_le_bytes(source.header()?)),
        _ => return Err(Problem::NpyVersion(major, minor)),
    };
    let mut text = Vec::<u8>::new();
    if let Err(found) = source.append(&mut text, length as usize, Order::Little)? {
        return Err(Problem::ShortHeader { needed: length, found });
    }
    let text = std::str::from_utf8(&text).map_err(|_| Problem::NpyHeader("it is not text"))?;
    let Header { descr, fortran_order, shape } = Header::parse(text)?;

    let (order, kind) = match descr.split_at_checked(1) {
        Some(("<" | "|", kind)) => (Order::Little, kind),
        Some((">", kind)) => (Order::Big, kind),
        _ => return Err(Problem::NpyType(descr)),
    };
    let read = match kind {
        "f4" => array::<f32>,
        "f2" => array::<f16>,
        "u1" => array::<u8>,
        "i1" => array::<i8>,
        "i4" => array::<i32>,
        "i8" => array::<i64>,
        _ => return Err(Problem::NpyType(descr)),
    };
    let &[rows, dim] = &*shape else { return Err(Problem::NpyShape(shape)) };
    read(source, [rows, dim], limit, order, fortran_order)
}

fn array<T: Scalar>(
    source: &mut Source<'_>,
    [rows, dim]: [u64; 2],
    limit: usize,
    order: Order,
    fortran_order: bool,
) -> Result<Matrix, Problem> {
    if !fortran_order {
        return bin::rest::<T>(source, rows, dim, limit, order);
    }
    // Column by column, so the whole array is needed before its first row is known. Read as it
    // lies it is the transposed matrix, only that the axis which may be empty is the other one.
    if dim == 0 {
        return Err(Problem::NoDimensions);
    }
    if rows == 0 {
        return bin::rest::<T>(source, 0, dim, limit, order);
    }
    let columns =
        bin::rest::<T>(source, dim, rows, usize::MAX, order).map_err(|problem| match problem {
            Problem::Truncated { needed, found, .. } => {
                Problem::Truncated { rows, dim, needed, found }
            }
            Problem::Trailing { .. } => Problem::Trailing { rows, dim },
            Problem::TooLarge { .. } => Problem::TooLarge { rows, dim },
            other => other,
        })?;
    Ok(transposed(columns).truncated(limit))
}

fn transposed(columns: Matrix) -> Matrix {
    let (dim, rows) = (columns.rows(), columns.dim());
    fn turn<T: Scalar>(columns: &[T], rows: usize, dim: usize) -> Values {
        let mut values = Vec::with_capacity(columns.len());
        for row in 0..rows {
            values.extend((0..dim).map(|column| columns[column * rows + row]));
        }
        T::into_values(values)
    }
    Matrix::new(dim, each_kind!(columns.values(), v => turn(v, rows, dim)))
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
                "descr" => descr = Some(parser.string()?.to_owned()),
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
            self.rest = rest;
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
