"""Measures an index library from Python: the arguments of `cargo xtask ann`, the same JSON lines.

    sys.exit(main(ENVIRONMENT, Index))

`Index(metric, base, args)` builds; `search(queries, k, ef)` answers all queries on one thread with a
matrix of ids; `bytes()` tells the size, `distances()` how many the searches computed so far, or None.
Times are taken as for Nearfield: building from rows in memory, searching with one call for all
queries, best of the passes. What a library does not tell is null.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import environment


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
        sys.exit(f"error: {path}: unknown format")
    return matrix[:limit]


def normalised(rows):
    """The rows with length 1; one without a direction is an error, as it is for Nearfield."""
    import numpy as np

    norms = np.linalg.norm(rows.astype("f8"), axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        sys.exit("error: a row is zero or not finite, so it has no direction")
    return np.ascontiguousarray(rows / norms, "f4")


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
        # faiss says -1 where it found fewer.
        points += int(((known | tied) & (found[part] >= 0)).sum())
    return points / truth.size


def data(args):
    """The rows to index, the rows to search for, and the true ids of the latter, where known."""
    import numpy as np

    whole = read(args.base)
    base = np.ascontiguousarray(whole[: args.limit_base], "f4")
    queries = np.ascontiguousarray(read(args.query, args.limit_query), "f4")
    if args.metric == "cosine":
        base, queries = normalised(base), normalised(queries)
    if args.limit_base is not None and (len(base) < len(whole) or not args.gt):
        return base, queries, exact(args.metric, base, queries, args.k)
    return base, queries, read(args.gt)[: len(queries), : args.k] if args.gt else None


def measure(Index, args):
    """Builds and searches, and prints a line for each."""
    base, queries, truth = data(args)
    start = time.perf_counter()
    index = Index(args.metric, base, args)
    seconds = time.perf_counter() - start
    tell(
        event="build",
        n=len(base),
        dim=base.shape[1],
        threads=args.threads,
        seconds=seconds,
        distances=None,
        bytes_per_vector=index.bytes() / len(base),
        graph_hash=None,
    )
    for ef in map(int, args.ef.split(",")):
        best, before = float("inf"), index.distances()
        for _ in range(args.passes):
            start = time.perf_counter()
            found = index.search(queries, args.k, max(ef, args.k))
            best = min(best, time.perf_counter() - start)
        found, after = found.astype("i8"), index.distances()
        searches = len(queries) * args.passes
        tell(
            event="search",
            ef=ef,
            recall=None if truth is None else recall(args.metric, base, queries, truth, found),
            qps=len(queries) / best,
            p50_us=None,
            p99_us=None,
            distances_per_query=None if before is None else (after - before) / searches,
        )


def tell(**event):
    print(json.dumps(event), flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepare", action="store_true", help="make the environment, and no more")
    parser.add_argument("--base")
    parser.add_argument("--query")
    parser.add_argument("--gt")
    parser.add_argument("--metric", default="l2")
    parser.add_argument("--m", type=int, default=16)
    parser.add_argument("--ef-construction", type=int, default=200)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--ef", default="10,16,24,32,48,64,96,128,192,256")
    parser.add_argument("--limit-base", type=int)
    parser.add_argument("--limit-query", type=int)
    parser.add_argument("--passes", type=int, default=3)
    return parser.parse_args()


def main(settings, Index):
    """Makes and enters the environment that the settings describe, and measures there."""
    args = arguments()
    environment.enter(**settings)
    if args.prepare:
        return 0
    if not (args.base and args.query):
        return "error: --base and --query name the files"
    if args.metric not in ("l2", "ip", "cosine"):
        return f"error: no {args.metric}"
    measure(Index, args)
    return 0
