#!/usr/bin/env python3
"""Measures hnswlib: `python3 hnswlib_peer.py --base F --query F [--gt F] --metric l2|ip|cosine ...`

Takes what `cargo xtask ann` takes and prints the same JSON lines. Makes its own virtual environment
on the first run; hnswlib is compiled there for this machine, which takes a C++ compiler. The name is
not hnswlib.py because that would shadow the package.
"""

import sys

import index_peer

ENVIRONMENT = {
    "name": "hnswlib",
    "packages": ["hnswlib==0.8.0", "numpy>=2,<3", "zstandard>=0.23"],
    "from_source": "hnswlib",
}


class Index:
    """hnswlib's own index."""

    def __init__(self, metric, base, args):
        import hnswlib

        # Rows of length 1 need no norms.
        space = "l2" if metric == "l2" else "ip"
        self.index = hnswlib.Index(space=space, dim=base.shape[1])
        self.index.init_index(
            len(base), M=args.m, ef_construction=args.ef_construction, random_seed=args.seed
        )
        self.index.add_items(base, num_threads=args.threads)

    def search(self, queries, k, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k, num_threads=1)[0]

    def bytes(self):
        return self.index.index_file_size()

    def distances(self):
        return None


if __name__ == "__main__":
    sys.exit(index_peer.main(ENVIRONMENT, Index))
