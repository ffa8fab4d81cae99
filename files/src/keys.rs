//! The keys that a file has beside its vectors, and the columns in which both stand.

/// Keys of rows, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Signed integers of any width.
    Signed(Vec<i64>),
    /// Unsigned integers of any width.
    Unsigned(Vec<u64>),
    /// Text.
    Text(Vec<String>),
    /// Bytes, of one width or of many. A UUID is 16: `<[u8; 16]>::try_from(key)`.
    Bytes(Vec<Vec<u8>>),
}

impl Keys {
    /// Number of keys.
    pub fn len(&self) -> usize {
        match self {
            Self::Signed(keys) => keys.len(),
            Self::Unsigned(keys) => keys.len(),
            Self::Text(keys) => keys.len(),
            Self::Bytes(keys) => keys.len(),
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which columns of a Parquet or Arrow file are wanted. The other formats have no columns, so none
/// may be named.
///
/// ```
/// use nearfield_files::Columns;
///
/// let columns = Columns::default().vectors("embedding").keys("id");
/// assert_eq!(columns.vectors.as_deref(), Some("embedding"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The column of vectors; without a name, the only one that holds lists of numbers.
    pub vectors: Option<String>,
    /// The column of keys; without a name, none is read.
    pub keys: Option<String>,
}

impl Columns {
    /// Takes the vectors from the column of this name.
    #[must_use]
    pub fn vectors(self, name: impl Into<String>) -> Self {
        Self { vectors: Some(name.into()), ..self }
    }

    /// Takes keys from the column of this name.
    #[must_use]
    pub fn keys(self, name: impl Into<String>) -> Self {
        Self { keys: Some(name.into()), ..self }
    }
}
