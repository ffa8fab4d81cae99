//! What is wrong with the bytes of a file.

use std::fmt;

use super::kind::Kind;

/// Why bytes are no index: they were damaged, or never were one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corruption {
    /// It does not begin as a saved index does.
    NotAnIndex,
    /// A version of the format that this version of the library does not know.
    Version(u32),
    /// The file is shorter or longer than it says.
    Length {
        /// What it says; the least that it must have, where it ends before it says so.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// Head and table of sections do not have their checksum.
    Head,
    /// A field of the head, or of the table of sections, cannot be.
    Field {
        /// Its name.
        name: &'static str,
        /// What it holds.
        value: u64,
    },
    /// A name in the head is unknown.
    Name {
        /// Of what.
        of: &'static str,
        /// What stands there.
        found: String,
    },
    /// A section is missing.
    Missing(Kind),
    /// A section has another length than the head demands.
    Section {
        /// Which.
        section: Kind,
        /// Bytes that it must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A section holds more or fewer items than belong to it.
    Count {
        /// Which.
        section: Kind,
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// A section does not have its checksum.
    Checksum(Kind),
    /// What a section says of a point, or of another item, cannot be.
    Item {
        /// Which section.
        section: Kind,
        /// The number of the item in it.
        item: u64,
    },
    /// The graph is not whole.
    Graph(String),
    /// The bytes of a point's key are no key, or those of another point's.
    Key {
        /// The point.
        id: u32,
    },
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnIndex => f.write_str("not a saved index"),
            Self::Version(version) => write!(
                f,
                "a saved index in version {version} of the format, of which this library reads version 1: \
                 open it with the one that wrote it, or a later one"
            ),
            Self::Length { expected, found } if found < expected => {
                write!(f, "it is cut short: {found} bytes instead of {expected}")
            }
            Self::Length { expected, found } => {
                write!(f, "it goes on behind its end: {found} bytes instead of {expected}")
            }
            Self::Head => f.write_str("its head and table do not have their checksum"),
            Self::Field { name, value } => {
                write!(f, "its {name} is {value}, which no saved index can have")
            }
            Self::Name { of, found } => {
                write!(
                    f,
                    "the {of} `{found}` is unknown: the file is damaged, or of a later version"
                )
            }
            Self::Missing(section) => write!(f, "the section `{section}` is missing"),
            Self::Section { section, expected, found } => {
                write!(f, "the section `{section}` has {found} bytes instead of {expected}")
            }
            Self::Count { section, expected, found } => {
                write!(f, "the section `{section}` holds {found} items instead of {expected}")
            }
            Self::Checksum(section) => {
                write!(f, "the section `{section}` does not have its checksum")
            }
            Self::Item { section, item } => {
                write!(f, "item {item} of the section `{section}` contradicts the others")
            }
            Self::Graph(broken) => write!(f, "the graph is not whole: {broken}"),
            Self::Key { id } => write!(
                f,
                "the key of point {id} cannot be read as one of the type, or another point has the same: \
                 the file is damaged, or its keys are of another type"
            ),
        }
    }
}

impl std::error::Error for Corruption {}
