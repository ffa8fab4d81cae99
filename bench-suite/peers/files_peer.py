#!/usr/bin/env python3
"""Saves and opens an index of hnswlib or usearch: `python3 files_peer.py hnswlib --base F --query F --metric l2|ip|cosine ...`

Prints the lines of `cargo xtask durability --json` that say what that took. Neither of the two sees to
it that a file survives power loss.
"""

import sys
import tempfile
import time
from pathlib import Path

import environment
import hnswlib_peer
import index_peer

USEARCH = {"name": "usearch-files", "packages": ["usearch==2.21.0", "numpy>=2,<3", "zstandard>=0.23"]}


class Hnswlib:
    environment = hnswlib_peer.ENVIRONMENT
    ways = ["load"]

    def __init__(self, metric, base, args):
        self.index = hnswlib_peer.Index(metric, base, args).index

    def save(self, path):
        self.index.save_index(path)

    def open(self, path, _way):
        import hnswlib

        index = hnswlib.Index(space=self.index.space, dim=self.index.dim)
        index.load_index(path)
        index.set_ef(64)
        return lambda query: index.knn_query(query, 10, num_threads=1)


class Usearch:
    environment = USEARCH
    ways = ["view", "load"]

    def __init__(self, metric, base, args):
        import numpy as np
        from usearch.index import Index

        metric = {"l2": "l2sq", "ip": "ip", "cosine": "cos"}[metric]
        self.index = Index(
            ndim=base.shape[1],
            metric=metric,
            dtype="f32",
            connectivity=args.m,
            expansion_add=args.ef_construction,
            expansion_search=64,
        )
        self.index.add(np.arange(len(base)), base, threads=args.threads)

    def save(self, path):
        self.index.save(path)

    def open(self, path, way):
        from usearch.index import Index

        index = Index.restore(path, view=way == "view")
        index.expansion_search = 64
        return lambda query: index.search(query[0], 10, threads=1)


def measure(library, name, args):
    base, queries, _ = index_peer.data(args)
    index = library(args.metric, base, args)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "index")
        for _ in range(args.passes):
            start = time.perf_counter()
            index.save(path)
            seconds = time.perf_counter() - start
            size = Path(path).stat().st_size / len(base)
            index_peer.tell(
                event="save", library=name, seconds=seconds, bytes_per_vector=size, synced=False
            )
            for way in library.ways:
                start = time.perf_counter()
                search = index.open(path, way)
                opened = time.perf_counter()
                search(queries[:1])
                searched = time.perf_counter()
                index_peer.tell(
                    event="open",
                    library=name,
                    way=way,
                    ms=(opened - start) * 1e3,
                    first_search_ms=(searched - opened) * 1e3,
                )
    return 0


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    library = {"hnswlib": Hnswlib, "usearch": Usearch}.get(name)
    if library is None:
        return "error: hnswlib or usearch?"
    environment.enter(**library.environment)
    del sys.argv[1]
    args = index_peer.arguments()
    return 0 if args.prepare else measure(library, name, args)


if __name__ == "__main__":
    sys.exit(main())
