//! A figure, or the reason why it could not be had: no probe may end a report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a probe found, or why it found nothing.
pub type Probed<T> = Result<T, NotAvailable>;

/// Why a figure is missing. It stands in the report where the figure would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotAvailable(pub String);

impl NotAvailable {
    /// A reason in words.
    pub fn because(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for NotAvailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not available: {}", self.0)
    }
}

impl std::error::Error for NotAvailable {}
