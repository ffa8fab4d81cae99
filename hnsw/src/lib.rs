//! Approximate nearest neighbours on a flat-array HNSW graph: the same graph for any number of threads.
