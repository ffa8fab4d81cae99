#!/usr/bin/env python3
"""Runs hnswlib over the files that `cargo xtask ann` takes, and prints the same JSON lines.

    python3 bench-suite/peers/hnswlib_peer.py --base F --query F [--gt F] --metric l2|ip|cosine ...

Makes its own virtual environment on the first run (hnswlib is compiled there for this machine,
which takes a C++ compiler). The name is not hnswlib.py because that would shadow the package.

Times are taken as for Nearfield: building from rows in memory, searching by `knn_query` over all
queries with num_threads=1, best of the passes. What hnswlib does not tell is null.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import environment

ENVIRONMENT = {
    "name": "hnswlib",
    "packages": ["hnswlib==0.8.0", "numpy>=2,<3", "zstandard>=0.23"],
    "from_source": "hnswlib",
}


def read(path, limit=None):
    """The rows of a file, in the element type that its name says."""
    import numpy as np
    import zstandard

    types = {"fbin": "<f4", "f16bin": "<f2", "u8bin": "u1", "i8bin": "i1", "ibin": "<i4"}
    vecs = {"fvecs": "<f4", "ivecs": "<i4", "bvecs": "u1"}
    path = Path(path)
    with open(path, "rb") as file:
        if path.suffix == ".zst":
            data = zstandard.ZstdDecompressor().stream_reader(file).read()
            path = path.with_suffix("")
        else:
            data = file.read()
    kind = path.suffix[1:]
    if kind in types:
        rows, dim = np.frombuffer(data, "<u4", 2)
        matrix = np.frombuffer(data, types[kind], int(rows) * int(dim), 8).reshape(rows, dim)
    elif kind in vecs:
        dim = int(np.frombuffer(data, "<i4", 1)[0])
        row = np.dtype([("dim", "<i4"), ("values", vecs[kind], dim)])
        matrix = np.frombuffer(data, row)["values"]
    elif kind == "npy":
        import io

        matrix = np.load(io.BytesIO(data))
    else:
        sys.exit(f"{path}: unknown format")
    return matrix[:limit]


def distances(metric, queries, base, ids):
    """Distances of each query to the rows named for it, in f64."""
    import numpy as np

    rows = base[ids].astype("f8")
    queries = queries[:, None, :].astype("f8")
    if metric == "l2":
        return ((rows - queries) ** 2).sum(2)
    dots = (rows * queries).sum(2)
    if metric == "cosine":
        dots = dots / np.linalg.norm(rows, axis=2) / np.linalg.norm(queries, axis=2)
    return 1 - dots


def exact(metric, base, queries, k):
    """The ids of the exact nearest rows: twice as many by f32 products, ranked again in f64."""
    import numpy as np

    if metric == "cosine":
        base = base / np.linalg.norm(base, axis=1, keepdims=True)
    norms = (base**2).sum(1) if metric == "l2" else 0
    truth = []
    for start in range(0, len(queries), 256):
        some = queries[start : start + 256]
        near = norms - 2 * (some @ base.T)
        near = np.argpartition(near, min(2 * k, len(base)) - 1, axis=1)[:, : 2 * k]
        near.sort(axis=1)  # equal distances go to the lower id
        order = np.argsort(distances(metric, some, base, near), axis=1, kind="stable")
        truth.append(np.take_along_axis(near, order, 1)[:, :k])
    return np.concatenate(truth)


def recall(metric, base, queries, truth, found):
    """Nearfield's definition: a row at the distance of the last true neighbour counts too."""
    points = 0
    for start in range(0, len(queries), 256):
        part = slice(start, start + 256)
        known = (found[part, :, None] == truth[part, None, :]).any(2)
        edge = distances(metric, queries[part], base, truth[part, -1:])
        tied = distances(metric, queries[part], base, found[part]) == edge
        points += int((known | tied).sum())
    return points / truth.size


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", required=True)
    parser.add_argument("--query", required=True)
    parser.add_argument("--gt")
    parser.add_argument("--metric", required=True, choices=["l2", "ip", "cosine"])
    parser.add_argument("--m", type=int, default=16)
    parser.add_argument("--ef-construction", type=int, default=200)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--ef", default="10,16,24,32,48,64,96,128,192,256")
    parser.add_argument("--limit-base", type=int)
    parser.add_argument("--limit-query", type=int)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="accepted and ignored")
    return parser.parse_args()


def main():
    args = arguments()
    environment.enter(**ENVIRONMENT)
    import hnswlib
    import numpy as np

    whole = read(args.base)
    base = np.ascontiguousarray(whole[: args.limit_base], "f4")
    queries = np.ascontiguousarray(read(args.query, args.limit_query), "f4")
    truth = None
    if args.limit_base is not None and (len(base) < len(whole) or not args.gt):
        truth = exact(args.metric, base, queries, args.k)
    elif args.gt:
        truth = read(args.gt)[: len(queries), : args.k]
    del whole

    start = time.perf_counter()
    index = hnswlib.Index(space=args.metric, dim=base.shape[1])
    index.init_index(len(base), M=args.m, ef_construction=args.ef_construction, random_seed=args.seed)
    index.add_items(base, num_threads=args.threads)
    seconds = time.perf_counter() - start
    event = {
        "event": "build",
        "n": len(base),
        "dim": base.shape[1],
        "threads": args.threads,
        "seconds": seconds,
        "distances": None,
        "bytes_per_vector": index.index_file_size() / len(base),
        "graph_hash": None,
    }
    print(json.dumps(event), flush=True)

    for ef in map(int, args.ef.split(",")):
        index.set_ef(ef)
        best = float("inf")
        for _ in range(args.passes):
            start = time.perf_counter()
            found, _ = index.knn_query(queries, args.k, num_threads=1)
            best = min(best, time.perf_counter() - start)
        found = found.astype("i8")
        event = {
            "event": "search",
            "ef": ef,
            "recall": None if truth is None else recall(args.metric, base, queries, truth, found),
            "qps": len(queries) / best,
            "p50_us": None,
            "p99_us": None,
            "distances_per_query": None,
        }
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
