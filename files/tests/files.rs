//! Every format, whole and damaged.

use std::{
    fs,
    path::{Path, PathBuf},
    slice,
};

use half::f16;
use nearfield_files::{
    Columns, Kind, Matrix, Problem, Reader, Values, read, read_first, read_from, write,
};

/// What a file's name can have behind it.
const SUFFIXES: &[&str] = if cfg!(feature = "zstd") { &["", ".zst"] } else { &[""] };

/// A small matrix of every kind, with the formats that hold it.
fn matrices() -> Vec<(Matrix, &'static [&'static str])> {
    let floats = [0.5, -1.0, f32::MAX, f32::MIN_POSITIVE, -0.0, 3.25];
    let matrix = |values| Matrix::new(3, values);
    vec![
        (matrix(Values::F64(vec![0.1, -1.0, f64::MAX, f64::MIN_POSITIVE, -0.0, 3.25])), &["npy"]),
        (matrix(Values::F32(floats.to_vec())), &["fbin", "fvecs", "npy"]),
        (
            matrix(Values::F16(floats.iter().map(|&v| f16::from_f32(v)).collect())),
            &["f16bin", "npy"],
        ),
        (matrix(Values::U8(vec![0, 1, 127, 128, 254, 255])), &["u8bin", "bvecs", "npy"]),
        (matrix(Values::I8(vec![0, 1, 127, -128, -2, -1])), &["i8bin", "npy"]),
        (matrix(Values::I32(vec![0, 1, i32::MAX, i32::MIN, -1, 7])), &["ibin", "ivecs", "npy"]),
        (matrix(Values::I64(vec![0, 1, i64::MAX, i64::MIN, -1, 7])), &["npy"]),
    ]
}

/// Every matrix in every format, plain and compressed, written to a directory of its own.
fn written() -> (tempfile::TempDir, Vec<(PathBuf, Matrix)>) {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (matrix, formats) in matrices() {
        for format in formats {
            for suffix in SUFFIXES {
                let name = format!("{}.{format}{suffix}", matrix.values().kind());
                let path = dir.path().join(name);
                write(&path, &matrix).unwrap();
                all.push((path, matrix.clone()));
            }
        }
    }
    assert_eq!(all.len(), SUFFIXES.len() * (8 + 7)); // eight formats of one kind, .npy with seven
    (dir, all)
}

/// The problem found in a file of these bytes.
fn problem(name: &str, bytes: &[u8]) -> Problem {
    let error = read_from(Path::new(name), bytes, usize::MAX).unwrap_err();
    assert!(error.to_string().contains(name), "{error} does not name the file");
    error.problem
}

fn npy(header: &str, body: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

fn rows_and_dim(rows: u32, dim: u32) -> Vec<u8> {
    [rows.to_le_bytes(), dim.to_le_bytes()].concat()
}

#[test]
fn what_is_written_is_read() {
    let (_dir, all) = written();
    for (path, matrix) in all {
        assert_eq!(read(&path).unwrap(), matrix, "{}", path.display());
        let first = read_first(&path, 1).unwrap();
        assert_eq!(first, matrix.truncated(1), "first row of {}", path.display());
    }
}

#[test]
fn chunks_together_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    for (name, kind) in [("a.fbin", Kind::F32), ("a.fvecs", Kind::F32), ("a.npy", Kind::F32)] {
        let values: Vec<f32> = (0..30u8).map(f32::from).collect();
        let path = dir.path().join(name);
        write(&path, &Matrix::new(3, Values::F32(values.clone()))).unwrap();
        for rows in [0, 1, 3, 7, 10, 11, usize::MAX] {
            let mut reader = Reader::open(&path).unwrap();
            let known = (reader.kind(), reader.dim(), reader.total(), reader.done());
            assert_eq!(known, (kind, 3, Some(10), 0), "{name}");
            let mut read = Vec::new();
            for chunk in reader.chunks(rows) {
                let chunk = chunk.unwrap();
                assert_eq!(chunk.first as usize, read.len() / 3);
                assert_eq!(chunk.matrix.rows(), rows.max(1).min(10 - read.len() / 3), "{name}");
                assert_eq!(chunk.keys, None);
                let Values::F32(values) = chunk.matrix.values() else { panic!("another kind") };
                read.extend(values);
            }
            assert_eq!((&read, reader.done()), (&values, 10), "{rows} rows of {name}");
            assert_eq!(reader.next_chunk(rows).unwrap(), None);
        }
    }
}

/// Of bytes that come from elsewhere nobody says how many there are.
#[test]
fn rows_are_counted_beforehand_where_that_is_possible() {
    let total = |name: &str, bytes: &[u8]| {
        Reader::from_bytes(name, bytes, &Columns::default()).unwrap().total()
    };
    assert_eq!(total("a.bvecs", &[1, 0, 0, 0, 7]), None);
    assert_eq!(total("a.u8bin", &[2, 0, 0, 0, 1, 0, 0, 0, 7, 8]), Some(2));
}

#[test]
fn an_error_ends_the_chunks_that_came_before_it() {
    let bytes = [&rows_and_dim(3, 2)[..], &[1, 2, 3, 4, 5]].concat();
    let mut reader = Reader::from_bytes("a.u8bin", &*bytes, &Columns::default()).unwrap();
    assert_eq!(reader.next_chunk(2).unwrap().unwrap().matrix.rows(), 2);
    let error = reader.next_chunk(2).unwrap_err();
    let expected = "a.u8bin: the header says 3 rows of 2, which take 6 bytes, but 5 follow it";
    assert_eq!(error.to_string(), expected);
    assert_eq!(reader.next_chunk(2).unwrap(), None);

    // In chunks as in one piece: what is wrong with a later row is told by its number.
    let ragged = [1, 0, 0, 0, 7, 1, 0, 0, 0, 7, 2, 0, 0, 0, 7, 7];
    let mut reader = Reader::from_bytes("a.bvecs", &ragged[..], &Columns::default()).unwrap();
    let error = reader.chunks(1).find_map(Result::err).unwrap();
    assert!(matches!(error.problem, Problem::Ragged { row: 2, dim: 2, first: 1 }), "{error}");
}

#[test]
fn what_a_format_or_a_build_lacks_is_said() {
    let columns = Columns::default().keys("id");
    let error = Reader::from_bytes("a.fbin", &[0; 8][..], &columns).unwrap_err();
    assert!(matches!(error.problem, Problem::NoColumns("fbin")), "{error}");
    if !cfg!(feature = "zstd") {
        let expected = "a .zst file needs the feature `zstd` of nearfield-files, which is off";
        assert_eq!(problem("a.fbin.zst", &[0; 8]).to_string(), expected);
    }
    if !cfg!(feature = "arrow") {
        let expected = "a .arrow file needs the feature `arrow` of nearfield-files, which is off";
        assert_eq!(problem("a.feather", &[0; 8]).to_string(), expected);
    }
}

/// A cut between two rows of a `.?vecs` file leaves a shorter, sound file; every other cut shows.
#[test]
fn a_file_cut_at_any_byte_is_an_error() {
    let (_dir, all) = written();
    for (path, matrix) in all {
        let bytes = fs::read(&path).unwrap();
        let row = 4 + (bytes.len().saturating_sub(8)) / 2;
        let is_vecs = path.extension().unwrap().to_str().unwrap().ends_with("vecs");
        for end in 0..bytes.len() {
            match read_from(&path, &bytes[..end], usize::MAX) {
                Err(_) => {}
                Ok(cut) if is_vecs && end == row => assert_eq!(cut, matrix.clone().truncated(1)),
                Ok(_) => panic!("{} may end at byte {end}", path.display()),
            }
        }
    }
}

/// No claim about the result: a changed value is a value. That it neither panics nor asks for
/// memory that a few bytes cannot justify is the test.
#[test]
fn a_file_with_any_byte_changed_is_survived() {
    let (_dir, all) = written();
    for (path, _) in all {
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= mask;
                let _ = read_from(&path, &*bytes, usize::MAX);
            }
        }
    }
}

#[test]
fn bytes_behind_the_last_row_are_an_error() {
    let (_dir, all) = written();
    for (path, _) in all {
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, &bytes).unwrap();
        let error = read(&path).unwrap_err();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = match (name.ends_with(".zst"), name.contains("vecs")) {
            (true, _) => matches!(error.problem, Problem::Compression(_)),
            (_, true) => matches!(error.problem, Problem::ShortRow { row: 2, found: 1, .. }),
            _ => matches!(error.problem, Problem::Trailing { rows: 2, dim: 3 }),
        };
        assert!(expected, "{error}");
    }
}

#[test]
fn a_header_that_promises_more_than_the_file_holds_is_not_believed() {
    let bytes = [rows_and_dim(1_000_000, 1_000), vec![0; 12]].concat();
    let error = problem("a.fbin", &bytes);
    let expected =
        "the header says 1000000 rows of 1000, which take 4000000000 bytes, but 12 follow it";
    assert_eq!(error.to_string(), expected);
    for name in ["a.fbin", "a.u8bin", "a.ibin"] {
        let error = problem(name, &rows_and_dim(u32::MAX, u32::MAX));
        assert!(matches!(error, Problem::TooLarge { .. }), "{error}");
    }
    let error = problem("a.fvecs", &[i32::MAX.to_le_bytes(), [0; 4]].concat());
    assert!(matches!(error, Problem::ShortRow { row: 0, found: 8, .. }), "{error}");

    let header = "{'descr': '<i8', 'fortran_order': True, 'shape': (4611686018427387904, 8), }";
    assert!(matches!(problem("a.npy", &npy(header, &[])), Problem::TooLarge { .. }));
    let header = "{'descr': '<i8', 'fortran_order': True, 'shape': (4, 2), }";
    let error = problem("a.npy", &npy(header, &[0; 63]));
    assert!(matches!(error, Problem::Truncated { rows: 4, dim: 2, needed: 64, found: 63 }));
}

#[test]
fn headers_without_sense_are_told_apart() {
    assert!(matches!(problem("a.fbin", &[1, 2, 3]), Problem::ShortHeader { needed: 8, found: 3 }));
    assert!(matches!(problem("a.fbin", &rows_and_dim(3, 0)), Problem::NoDimensions));
    assert!(matches!(problem("a.fvecs", &[]), Problem::Empty));
    assert!(matches!(problem("a.fvecs", &[0; 4]), Problem::RowLength { row: 0, dim: 0 }));
    assert!(matches!(problem("a.ivecs", &[255; 4]), Problem::RowLength { row: 0, dim: -1 }));
    let ragged = [1, 0, 0, 0, 7, 2, 0, 0, 0, 7, 7];
    assert!(matches!(problem("a.bvecs", &ragged), Problem::Ragged { row: 1, dim: 2, first: 1 }));
    for name in ["a", "a.bin", "a.csv.zst", ".zst", "fbin"] {
        assert!(matches!(problem(name, &[0; 8]), Problem::UnknownFormat), "{name}");
    }
    if cfg!(feature = "zstd") {
        assert!(matches!(problem("a.fbin.zst", &[0; 20]), Problem::Compression(_)));
    }
    let missing = read(Path::new("/nowhere/at all.fbin")).unwrap_err();
    assert!(matches!(missing.problem, Problem::Io(_)));
    assert!(missing.to_string().starts_with("/nowhere/at all.fbin: "), "{missing}");
}

#[test]
fn an_empty_matrix_has_a_dimension_and_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    for name in SUFFIXES.iter().flat_map(|end| [format!("a.fbin{end}"), format!("a.npy{end}")]) {
        let path = dir.path().join(name);
        let empty = Matrix::new(7, Values::F32(vec![]));
        write(&path, &empty).unwrap();
        assert_eq!(read(&path).unwrap(), empty);
    }
}

#[test]
fn npy_comes_in_either_byte_order_and_column_by_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npy");
    let rows = Matrix::new(3, Values::I32(vec![1, 2, 3, 4, 5, 6]));
    let bytes = |values: [i32; 6], order: fn(i32) -> [u8; 4]| values.map(order).concat();
    for (descr, fortran, body) in [
        ("<i4", "False", bytes([1, 2, 3, 4, 5, 6], i32::to_le_bytes)),
        (">i4", "False", bytes([1, 2, 3, 4, 5, 6], i32::to_be_bytes)),
        ("<i4", "True", bytes([1, 4, 2, 5, 3, 6], i32::to_le_bytes)),
        (">i4", "True", bytes([1, 4, 2, 5, 3, 6], i32::to_be_bytes)),
    ] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (2, 3)}}");
        fs::write(&path, npy(&header, &body)).unwrap();
        assert_eq!(read(&path).unwrap(), rows, "{header}");
        assert_eq!(read_first(&path, 1).unwrap(), rows.clone().truncated(1), "{header}");
    }
    // The whole is read for the first chunk, and cut as any other.
    let mut reader = Reader::open(&path).unwrap();
    let chunks: Vec<Matrix> = reader.chunks(1).map(|chunk| chunk.unwrap().matrix).collect();
    let row = |values: &[i32]| Matrix::new(3, Values::I32(values.to_vec()));
    assert_eq!(chunks, [row(&[1, 2, 3]), row(&[4, 5, 6])]);
    for whole in [2, 3] {
        let mut reader = Reader::open(&path).unwrap();
        let chunks: Vec<Matrix> = reader.chunks(whole).map(|chunk| chunk.unwrap().matrix).collect();
        assert_eq!(chunks, slice::from_ref(&rows));
    }
    // Version 3 differs in the width of its length.
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)}";
    let length = (header.len() as u32).to_le_bytes();
    let bytes = [b"\x93NUMPY\x03\x00", &length[..], header.as_bytes(), &[8, 9]].concat();
    fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).unwrap(), Matrix::new(2, Values::U8(vec![8, 9])));
}

#[test]
fn npy_that_is_no_matrix_of_known_elements_is_refused() {
    let header = |descr: &str, shape: &str| {
        npy(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"), &[0; 64])
    };
    for (descr, words) in [
        ("<f16", "floats of another width than 8, 4 or 2 bytes"),
        ("<c8", "complex numbers"),
        ("|b1", "truth values"),
        ("|O", "Python objects"),
        ("<U5", "text"),
        ("|S5", "bytes"),
        ("<M8[ns]", "dates"),
        ("|V2", "bytes without a type"),
        ("=f4", "floats of another width than 8, 4 or 2 bytes"),
        ("", "of a type that is not known"),
        ("é4", "of a type that is not known"),
    ] {
        let error = problem("a.npy", &header(&format!("'{descr}'"), "(2, 2)"));
        let expected = format!(
            "the elements are {words} (`{descr}`), which are not read; save the array as numbers that \
             are, as with `array.astype('float32')`"
        );
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, Problem::NpyType(_)), "{descr}: {error}");
    }
    for descr in ["[('x', '<f4'), ('a ]', '|V4')]", "('<f4', (3,))", "[('v', [('x', '<f4')])]"] {
        let error = problem("a.npy", &header(descr, "(2, 2)"));
        assert!(matches!(&error, Problem::NpyStructure(found) if found == descr), "{error}");
        assert!(error.to_string().contains("`numpy.save(path, array['field'])`"), "{error}");
    }
    for descr in ["[('x', '<f4'", "['x", "[", "(]("] {
        let error = problem("a.npy", &header(descr, "(2, 2)"));
        assert!(matches!(error, Problem::NpyHeader(_) | Problem::NpyStructure(_)), "{error}");
    }
    for (shape, axes) in [("()", 0), ("(4,)", 1), ("(2, 2, 2)", 3)] {
        let error = problem("a.npy", &header("'<f4'", shape));
        assert!(matches!(error, Problem::NpyShape(found) if found.len() == axes));
    }
    let error = problem("a.npy", &header("'<f4'", "(2, 3, 4L)")).to_string();
    assert!(error.contains("the shape (2, 3, 4)") && error.contains("reshape it to"), "{error}");
    assert!(matches!(problem("a.npy", &header("'<f4'", "(2, 0)")), Problem::NoDimensions));
    assert!(matches!(problem("a.npy", b"\x93NUMPY\x04\x00"), Problem::NpyVersion(4, 0)));
    assert!(matches!(problem("a.npy", b"NUMPY\x93\x01\x00 and more"), Problem::NotNpy));
}

#[test]
fn a_format_takes_only_its_own_kind_of_element() {
    let floats = Matrix::new(1, Values::F32(vec![1.0]));
    let error = write(Path::new("/nowhere/a.u8bin"), &floats).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nowhere/a.u8bin: elements of type f32 do not fit a .u8bin file; convert them, or write .npy"
    );
}

/// `u2`, `i2`, `u4` and `u8` have no kind of their own: they become a wider one.
#[test]
fn npy_of_other_integers_is_read_as_wider_ones() {
    let array = |descr: &str, fortran: &str, body: &[u8]| {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (2L, 2L), }}");
        read_from("a.npy", &*npy(&header, body), usize::MAX)
    };
    let narrow = Matrix::new(2, Values::I32(vec![0, 1, 40_000, 65_535]));
    let bytes = |order: fn(u16) -> [u8; 2]| [0, 1, 40_000, 65_535].map(order).concat();
    assert_eq!(array("<u2", "False", &bytes(u16::to_le_bytes)).unwrap(), narrow);
    assert_eq!(array(">u2", "False", &bytes(u16::to_be_bytes)).unwrap(), narrow);
    let turned = [0, 40_000, 1, 65_535].map(u16::to_le_bytes).concat();
    assert_eq!(array("<u2", "True", &turned).unwrap(), narrow);
    let signed = [0, -1, i16::MIN, i16::MAX].map(i16::to_le_bytes).concat();
    let expected = Values::I32(vec![0, -1, -32_768, 32_767]);
    assert_eq!(array("<i2", "False", &signed).unwrap(), Matrix::new(2, expected));
    let wide = [0, 1, 1 << 31, u32::MAX].map(u32::to_le_bytes).concat();
    let expected = Values::I64(vec![0, 1, 1 << 31, i64::from(u32::MAX)]);
    assert_eq!(array("<u4", "False", &wide).unwrap(), Matrix::new(2, expected));
    let widest = |last: u64| [0, 1, 2, last].map(u64::to_le_bytes).concat();
    let expected = Values::I64(vec![0, 1, 2, i64::MAX]);
    let read = array("<u8", "False", &widest(i64::MAX as u64)).unwrap();
    assert_eq!(read, Matrix::new(2, expected));

    let says = "row 1, column 1: 9223372036854775808 does not fit i64, as which unsigned integers are read";
    for fortran in ["False", "True"] {
        let error = array("<u8", fortran, &widest(1 << 63)).unwrap_err();
        assert_eq!(error.problem.to_string(), says);
    }
    let second = [0, 1 << 63, 2, 3].map(u64::to_le_bytes).concat();
    for (fortran, place) in [("False", (0, 1)), ("True", (1, 0))] {
        let error = array("<u8", fortran, &second).unwrap_err();
        let Problem::DoesNotFit { row, column, .. } = error.problem else { panic!("{error}") };
        assert_eq!((row, column), place, "fortran order: {fortran}");
    }
    for end in 0..8 {
        let error = array("<u2", "False", &bytes(u16::to_le_bytes)[..end]).unwrap_err().problem;
        let is_cut = matches!(error, Problem::Truncated { rows: 2, dim: 2, needed: 8, found }
            if found == end as u64);
        assert!(is_cut, "{error}");
    }
}

/// In chunks the place of a number counts from the front of the file.
#[test]
fn a_number_that_does_not_fit_is_placed_in_the_file() {
    let header = "{'descr': '<u8', 'fortran_order': False, 'shape': (5, 1)}";
    let body = [1, 2, 3, u64::MAX, 5].map(u64::to_le_bytes).concat();
    let bytes = npy(header, &body);
    let mut reader = Reader::from_bytes("a.npy", &*bytes, &Columns::default()).unwrap();
    let error = reader.chunks(2).find_map(Result::err).unwrap();
    assert!(matches!(error.problem, Problem::DoesNotFit { row: 3, column: 0, .. }), "{error}");
}

#[test]
fn names_end_in_capitals_too_and_need_not_be_text() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["a.NPY", "a.FVECS", "a.Fbin", ".fbin", "a.b.npy"];
    for name in SUFFIXES.iter().flat_map(|end| names.map(|name| format!("{name}{end}"))) {
        for name in [name.clone(), name.replace(".zst", ".ZST")] {
            let path = dir.path().join(name);
            let matrix = Matrix::new(2, Values::F32(vec![1.0, 2.0]));
            write(&path, &matrix).unwrap();
            assert_eq!(read(&path).unwrap(), matrix, "{}", path.display());
            let is_compressed = path.as_os_str().to_str().unwrap().to_lowercase().ends_with("zst");
            let begins = fs::read(&path).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
            assert_eq!(begins, is_compressed, "{}", path.display());
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let path = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe.fbin"));
        let matrix = Matrix::new(2, Values::F32(vec![1.0, 2.0]));
        write(&path, &matrix).unwrap();
        assert_eq!(read(&path).unwrap(), matrix);
        let error = read(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff.csv"))).unwrap_err();
        assert!(matches!(error.problem, Problem::Io(_)), "{error}");
    }
}
