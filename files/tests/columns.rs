//! Parquet and Arrow: as others write them (`fixtures/make.py`), as this crate does, and damaged.
#![cfg(feature = "arrow")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use half::f16;
use nearfield_files::{
    Columns, FileError, Keys, Kind, Matrix, Problem, Reader, Values, read, read_first, write,
    write_keyed,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What stands in all fixtures that are not about an error, as `f64`.
fn rows() -> Vec<f64> {
    (0..5u8).map(f64::from).flat_map(|i| [i, i + 0.5, 0.0 - i]).collect()
}

fn floats() -> Matrix {
    Matrix::new(3, Values::F32(rows().iter().map(|&x| x as f32).collect()))
}

/// All that a file has, in chunks of `rows`.
fn chunked(path: &Path, columns: &Columns, rows: usize) -> Result<Vec<(Matrix, Keys)>, FileError> {
    let mut reader = Reader::open_columns(path, columns)?;
    let mut first = 0;
    let mut chunks = Vec::new();
    for chunk in reader.chunks(rows) {
        let chunk = chunk?;
        assert_eq!(chunk.first, first);
        first += chunk.matrix.rows() as u64;
        let keys = chunk.keys.expect("keys were asked for");
        assert_eq!(keys.len(), chunk.matrix.rows());
        chunks.push((chunk.matrix, keys));
    }
    Ok(chunks)
}

fn numbers(range: std::ops::Range<i64>) -> Keys {
    Keys::Signed(range.collect())
}

fn texts() -> Keys {
    Keys::Text((0..5).map(|i| format!("key {i}")).collect())
}

fn uuids() -> Keys {
    Keys::Bytes((0..5).map(|i| ((1u128 << 127) + i).to_be_bytes().to_vec()).collect())
}

/// The keys from a place on.
fn behind(keys: &Keys, at: usize) -> Keys {
    match keys {
        Keys::Signed(keys) => Keys::Signed(keys[at..].to_vec()),
        Keys::Unsigned(keys) => Keys::Unsigned(keys[at..].to_vec()),
        Keys::Text(keys) => Keys::Text(keys[at..].to_vec()),
        Keys::Bytes(keys) => Keys::Bytes(keys[at..].to_vec()),
    }
}

#[test]
fn what_pyarrow_and_polars_write_is_read() {
    let integers = Matrix::new(3, Values::I32(rows().into_iter().map(|x| x as i32).collect()));
    let doubles = Matrix::new(3, Values::F64(rows()));
    let halves = Matrix::new(3, Values::F16(rows().into_iter().map(f16::from_f64).collect()));
    let bytes = Matrix::new(3, Values::I8(rows().into_iter().map(|x| x as i8).collect()));
    for (name, matrix, keys, total) in [
        ("fixed_f32.parquet", floats(), texts(), Some(5)),
        ("list_f64.parquet", doubles, numbers(10..15), Some(5)),
        ("large_f16.parquet", halves, numbers(10..15), Some(5)),
        ("fixed_i8.parquet", bytes, Keys::Unsigned((0..5).collect()), Some(5)),
        ("fixed_f32.arrow", floats(), numbers(10..15), None),
        ("list_f32.feather", floats(), texts(), None),
        ("fixed_f32.arrows", floats(), texts(), None),
        ("polars_categorical.arrow", floats(), texts(), None),
        ("polars_zstd.arrow", floats(), numbers(10..15), None),
        ("polars_stream.arrow", floats(), texts(), None), // a stream under the name of a file
        ("dictionary.arrows", floats(), texts(), None),
        ("dictionary.parquet", floats(), texts(), Some(5)), // brotli
        ("dictionary_i64.feather", floats(), numbers(10..15), None),
        ("uuid.arrow", integers.clone(), uuids(), None), // list<i16>
        ("binary.parquet", integers.clone(), uuids(), Some(5)),
        ("binary_view.arrow", integers, uuids(), None), // large_list<i32>
        ("view.arrow", floats(), numbers(10..15), None),
        ("large_view.arrow", floats(), numbers(10..15), None),
    ] {
        let path = fixture(name);
        assert_eq!(read(&path).unwrap(), matrix, "{name}");
        assert_eq!(read_first(&path, 3).unwrap(), matrix.clone().truncated(3), "{name}");
        let reader = Reader::open(&path).unwrap();
        let known = (reader.dim(), reader.kind(), reader.total());
        assert_eq!(known, (3, matrix.values().kind(), total), "{name}");

        let columns = Columns::default().keys("id");
        let whole = chunked(&path, &columns, 100).unwrap();
        assert_eq!(whole, [(matrix.clone(), keys)], "{name}");
        // Chunks that are no multiple of the batches in the file, which have two rows or five.
        let parts = chunked(&path, &columns, 3).unwrap();
        assert_eq!(parts.iter().map(|(part, _)| part.rows()).collect::<Vec<_>>(), [3, 2], "{name}");
        assert_eq!(parts[0].0, matrix.truncated(3), "{name}");
        assert_eq!(parts[1].1, behind(&whole[0].1, 3), "{name}");

        // And where the bytes come from elsewhere.
        let bytes = fs::read(&path).unwrap();
        let mut reader = Reader::from_bytes(&path, &*bytes, &columns).unwrap();
        assert_eq!(reader.next_chunk(100).unwrap().unwrap().matrix, whole[0].0, "{name}");
    }
}

#[test]
fn unsigned_lists_become_wider_ones() {
    let rows = |last: i64| vec![0, 7, 1, 8, 2, 9, last, 0];
    let narrow = rows(i64::from(u16::MAX)).into_iter().map(|x| x as i32).collect();
    assert_eq!(read(fixture("u16.arrow")).unwrap(), Matrix::new(2, Values::I32(narrow)));
    for (name, last) in [("u32.arrow", i64::from(u32::MAX)), ("u64.arrow", i64::MAX)] {
        assert_eq!(read(fixture(name)).unwrap(), Matrix::new(2, Values::I64(rows(last))), "{name}");
    }
    let path = fixture("u64_large.arrow");
    let says = |rows: usize| {
        let mut reader = Reader::open(&path).unwrap();
        reader.chunks(rows).find_map(Result::err).unwrap().problem.to_string()
    };
    let expected = "row 1, column 1: 9223372036854775808 does not fit i64, as which unsigned \
                    integers are read";
    assert_eq!((says(1), says(9)), (expected.to_owned(), expected.to_owned()));
}

#[test]
fn columns_that_are_not_read_are_named() {
    let says = |columns: &Columns| {
        let error = Reader::open_columns(fixture("refused.arrow"), columns).unwrap_err();
        error.problem.to_string()
    };
    let there = "no column holds lists of floats or integers; there are `id` (Float64), `when` (Date32), \
                 `embedding` (List(Utf8))";
    assert_eq!(says(&Columns::default()), there);
    let advice = "; cast it, or name another column";
    let expected =
        "column `embedding` holds List(Utf8), where lists of floats or integers are wanted";
    assert_eq!(says(&Columns::default().vectors("embedding")), format!("{expected}{advice}"));
    let columns = Columns::default().vectors("embedding");
    for (keys, holds) in [("id", "Float64"), ("when", "Date32"), ("embedding", "List(Utf8)")] {
        let expected =
            format!("column `{keys}` holds {holds}, where integers, text or bytes are wanted");
        assert_eq!(says(&columns.clone().keys(keys)), format!("{expected}{advice}"));
    }
}

#[test]
fn what_is_no_arrow_file_is_named() {
    let says = |bytes: &[u8]| {
        let error = Reader::from_bytes("a.arrow", bytes, &Columns::default()).unwrap_err();
        error.problem.to_string()
    };
    let good = fs::read(fixture("polars_categorical.arrow")).unwrap();
    assert!(says(b"FEA1 and more").contains("Feather of version 1"));
    assert!(says(b"ARROW1").contains("does not end with the length of a footer"));
    assert!(says(&[good.clone(), vec![0]].concat()).contains("does not end with the length"));
    let at = good.len() - 10;
    let mut bytes = good.clone();
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(says(&bytes).contains("the footer would be longer than the file"));

    // The places of messages: offset `i64`, metadata `i32`, 4 bytes, body `i64`.
    let start = good.windows(8).rposition(|bytes| bytes == 8u64.to_le_bytes());
    assert!(start.is_none(), "polars's messages are not at the front");
    let footer =
        good.len() - 10 - u32::from_le_bytes(good[at..at + 4].try_into().unwrap()) as usize;
    let mut refused = 0;
    for place in (footer..at - 8).step_by(4) {
        let number = i64::from_le_bytes(good[place..place + 8].try_into().unwrap());
        if !(1..=footer as i64).contains(&number) {
            continue;
        }
        for hostile in [i64::MAX, -1, footer as i64 + 1] {
            let mut bytes = good.clone();
            bytes[place..place + 8].copy_from_slice(&hostile.to_le_bytes());
            let columns = Columns::default().keys("id");
            let error = Reader::from_bytes("a.arrow", &*bytes, &columns).err();
            refused += usize::from(error.is_some_and(|error| {
                error.problem.to_string().contains("a message lies outside of the file")
            }));
        }
    }
    assert!(refused >= 6, "{refused}");
}

#[test]
fn the_column_is_the_only_one_or_named() {
    let open = |name: &str, columns: &Columns| Reader::open_columns(fixture(name), columns);
    let says = |name: &str, columns: &Columns| open(name, columns).unwrap_err().problem.to_string();
    let two = "two_columns.parquet";
    assert_eq!(
        says(two, &Columns::default()),
        "the columns `embedding`, `other` hold lists of numbers; name one"
    );
    for column in ["embedding", "other"] {
        let columns = Columns::default().vectors(column).keys("id");
        assert_eq!(chunked(&fixture(two), &columns, 9).unwrap(), [(floats(), numbers(10..15))]);
    }
    let name = "fixed_f32.parquet";
    assert_eq!(
        says(name, &Columns::default().vectors("vec")),
        "there is no column `vec`; there are `id`, `embedding`, `name`"
    );
    assert_eq!(
        says(name, &Columns::default().vectors("name")),
        "column `name` holds Utf8, where lists of floats or integers are wanted; cast it, or name \
         another column"
    );
}

#[test]
fn holes_and_ragged_rows_are_named() {
    let says = |name: &str, columns: &Columns| {
        let problem = |rows| {
            let mut reader = Reader::open_columns(fixture(name), columns).unwrap();
            let error = reader.chunks(rows).find_map(Result::err).unwrap();
            assert!(error.to_string().contains(name), "{error} does not name the file");
            error.problem.to_string()
        };
        assert_eq!(problem(1), problem(2));
        problem(9)
    };
    let any = Columns::default();
    assert_eq!(
        says("ragged.parquet", &any),
        "column `embedding`: row 2 has 1 dimensions, the rows before it 2; all must have the same"
    );
    let null = |column: &str, row: u8| {
        format!("column `{column}`: a null in row {row}; leave such rows out, or fill them")
    };
    assert_eq!(says("null_row.parquet", &any), null("embedding", 1));
    assert_eq!(says("null_element.parquet", &any), null("embedding", 2));
    let names = Columns::default().keys("name");
    assert_eq!(says("fixed_f32.parquet", &names), null("name", 1));
    // In a dictionary.
    assert_eq!(says("list_f32.feather", &names), null("name", 1));
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let halves = rows().into_iter().map(f16::from_f64).collect();
    let integers = |i: usize| i as i64 * 1_000_000_007 - 9;
    let all = [
        Values::F64(rows()),
        floats().into_values(),
        Values::F16(halves),
        Values::U8((0..15).collect()),
        Values::I8((-5..10).collect()),
        Values::I32((-5..10).collect()),
        Values::I64((0..15).map(integers).collect()),
    ];
    let unsigned = Keys::Unsigned((u64::MAX - 4..=u64::MAX).collect());
    let keys = [texts(), numbers(-2..3), unsigned, uuids()];
    let columns = Columns::default().vectors("vector").keys("key");
    for format in ["parquet", "arrow", "feather", "arrows"] {
        let path = dir.path().join(format!("a.{format}"));
        for values in &all {
            let matrix = Matrix::new(3, values.clone());
            write(&path, &matrix).unwrap();
            assert_eq!(read(&path).unwrap(), matrix, "{format}");
            for keys in &keys {
                write_keyed(&path, &matrix, keys).unwrap();
                let read = chunked(&path, &columns, 9).unwrap();
                assert_eq!(read, [(matrix.clone(), keys.clone())], "{format}");
            }
        }
        let empty = Matrix::new(7, Values::empty(Kind::U8));
        write(&path, &empty).unwrap();
        assert_eq!(read(&path).unwrap(), empty, "{format}");

        let error = write_keyed(&path, &floats(), &numbers(0..4)).unwrap_err();
        assert!(matches!(error.problem, Problem::KeyCount { keys: 4, rows: 5 }), "{error}");
    }
    let error = write_keyed(dir.path().join("a.npy"), &floats(), &numbers(0..5)).unwrap_err();
    assert!(matches!(error.problem, Problem::NoColumns("npy")), "{error}");
}

/// More rows than a batch or a page has.
#[test]
fn many_rows_arrive_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let matrix = Matrix::new(2, Values::I32((0..100_000).collect()));
    for format in ["parquet", "arrow", "arrows"] {
        let path = dir.path().join(format!("a.{format}"));
        write_keyed(&path, &matrix, &numbers(0..50_000)).unwrap();
        assert_eq!(read(&path).unwrap(), matrix);
        let columns = Columns::default().keys("key");
        let mut next = 0;
        for (part, keys) in chunked(&path, &columns, 7_777).unwrap() {
            let rows = part.rows() as i64;
            assert_eq!(keys, numbers(next..next + rows));
            let values = (next * 2..(next + rows) * 2).map(|i| i as i32).collect();
            assert_eq!(part, Matrix::new(2, Values::I32(values)));
            next += rows;
        }
        assert_eq!(next, 50_000, "{format}");
    }
}

/// No claim about the result: a changed value is a value. That nothing panics is the test.
#[test]
fn a_file_cut_or_changed_at_any_byte_is_survived() {
    let columns = Columns::default().vectors("embedding").keys("id");
    for name in [
        "fixed_f32.parquet",
        "list_f64.parquet",
        "fixed_f32.arrow",
        "list_f32.feather",
        "fixed_f32.arrows",
        "polars_categorical.arrow",
        "polars_zstd.arrow",
        "dictionary.arrows",
        "dictionary.parquet",
        "uuid.arrow",
        "view.arrow",
    ] {
        let survive = |bytes: &[u8]| {
            Reader::from_bytes(name, bytes, &columns)
                .map(|mut reader| reader.chunks(2).try_for_each(|chunk| chunk.map(drop)))
        };
        let bytes = fs::read(fixture(name)).unwrap();
        for end in 0..bytes.len() {
            let result = survive(&bytes[..end]);
            // A stream may end behind any batch, and needs no mark that it does.
            assert!(
                name.ends_with("arrows") || !matches!(result, Ok(Ok(()))),
                "{name} may end at {end}"
            );
        }
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= mask;
                let _ = survive(&bytes);
            }
        }
    }
}
