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

#[test]
fn what_pyarrow_writes_is_read() {
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
        match (&parts[1].1, &whole[0].1) {
            (Keys::Text(part), Keys::Text(whole)) => assert_eq!(part, &whole[3..]),
            (Keys::Signed(part), Keys::Signed(whole)) => assert_eq!(part, &whole[3..]),
            (Keys::Unsigned(part), Keys::Unsigned(whole)) => assert_eq!(part, &whole[3..]),
            kinds => panic!("{name} has keys of two kinds: {kinds:?}"),
        }

        // And where the bytes come from elsewhere.
        let bytes = fs::read(&path).unwrap();
        let mut reader = Reader::from_bytes(&path, &*bytes, &columns).unwrap();
        assert_eq!(reader.next_chunk(100).unwrap().unwrap().matrix, whole[0].0, "{name}");
    }
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
        "column `name` holds Utf8, where lists of f64, f32, f16, u8, i8, i32 or i64 are wanted"
    );
    let expected = "where integers or text are wanted";
    assert!(says(name, &Columns::default().keys("embedding")).ends_with(expected));
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
        "column `embedding`: row 2 has 1 dimensions, the rows before it 2"
    );
    assert_eq!(says("null_row.parquet", &any), "column `embedding`: a null in row 1");
    assert_eq!(says("null_element.parquet", &any), "column `embedding`: a null in row 2");
    let names = Columns::default().keys("name");
    assert_eq!(says("fixed_f32.parquet", &names), "column `name`: a null in row 1");
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
    let keys = [texts(), numbers(-2..3), Keys::Unsigned((u64::MAX - 4..=u64::MAX).collect())];
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
