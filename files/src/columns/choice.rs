//! Which columns of a file are read.

use arrow_schema::Schema;

use super::vectors::{WANTED, holds_vectors};
use crate::{error::Problem, keys::Columns};

/// The places of the wanted columns in a schema.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) vectors: usize,
    pub(super) keys: Option<usize>,
}

impl Choice {
    pub(super) fn of(schema: &Schema, columns: &Columns) -> Result<Self, Problem> {
        let names = || schema.fields().iter().map(|field| field.name().clone());
        let place = |name: &String| {
            let found = schema.fields().iter().position(|field| field.name() == name);
            found.ok_or_else(|| Problem::NoSuchColumn {
                name: name.clone(),
                there: names().collect(),
            })
        };
        let keys = columns.keys.as_ref().map(place).transpose()?;
        let vectors = match &columns.vectors {
            Some(name) => place(name)?,
            None => {
                let holds = |at: &usize| holds_vectors(schema.field(*at).data_type());
                let found: Vec<usize> = (0..schema.fields().len()).filter(holds).collect();
                let name = |at: &usize| schema.field(*at).name().clone();
                match *found {
                    [only] => only,
                    [] => return Err(no_vectors(schema)),
                    _ => return Err(Problem::WhichColumn(found.iter().map(name).collect())),
                }
            }
        };
        Ok(Self { vectors, keys })
    }

    /// The places, in order and each once.
    pub(super) fn wanted(self) -> Vec<usize> {
        let mut wanted = vec![self.vectors];
        wanted.extend(self.keys);
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// The places where all other columns are left out.
    pub(super) fn among_wanted(self) -> Self {
        let wanted = self.wanted();
        let place = |at: usize| wanted.iter().take_while(|other| **other < at).count();
        Self { vectors: place(self.vectors), keys: self.keys.map(place) }
    }
}

fn no_vectors(schema: &Schema) -> Problem {
    let fields = schema.fields().iter();
    let there = fields.map(|field| format!("`{}` ({})", field.name(), field.data_type()));
    Problem::NoVectors { wanted: WANTED, there: there.collect() }
}
