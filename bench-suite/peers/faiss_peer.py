#!/usr/bin/env python3
"""Measures faiss's IndexHNSWFlat: `python3 faiss_peer.py --base F --query F --metric l2|ip|cosine ...`

Takes what `cargo xtask ann` takes and prints the same JSON lines. Its package holds builds for AVX2
and AVX-512 and loads the one that fits this machine.
"""

import sys

import faiss_kernels
import index_peer

ENVIRONMENT = {
    "name": "faiss-index",
    "packages": [*faiss_kernels.ENVIRONMENT["packages"], "zstandard>=0.23"],
}


class Index:
    """HNSW over rows of f32."""

    def __init__(self, metric, base, args):
        import faiss

        # Rows of length 1 need no norms.
        kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        faiss.omp_set_num_threads(args.threads)
        self.faiss = faiss
        self.index = faiss.IndexHNSWFlat(base.shape[1], args.m, kind)
        self.index.hnsw.efConstruction = args.ef_construction
        self.index.add(base)
        # From here on it is searched, on one thread.
        faiss.omp_set_num_threads(1)

    def search(self, queries, k, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, k)[1]

    def bytes(self):
        return self.faiss.serialize_index(self.index).nbytes

    def distances(self):
        return self.faiss.cvar.hnsw_stats.ndis


if __name__ == "__main__":
    sys.exit(index_peer.main(ENVIRONMENT, Index))
