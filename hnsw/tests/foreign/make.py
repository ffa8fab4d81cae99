#!/usr/bin/env python3
"""Makes the files of other libraries that `hnsw/tests/foreign.rs` reads, and the libraries' own answers.

    python3 -m venv venv && venv/bin/pip install hnswlib==0.8.0 usearch==2.26.6 faiss-cpu==1.15.1 numpy
    venv/bin/python hnsw/tests/foreign/make.py

For each case there is the index, `CASE.index`, and `CASE.answers`, little-endian: u32 queries, k and
number of beams, each beam as u32, the queries in the index's element type, and for each beam the keys
(u64) and the distances (f32) of k hits per query.
"""

from pathlib import Path

import faiss
import hnswlib
import numpy as np
from usearch.index import Index

FOLDER = Path(__file__).parent
POINTS, DIM, LONG, QUERIES, K, BEAMS = 120, 20, 72, 16, 10, (10, 25)
M, EF_CONSTRUCTION = 6, 40
RANDOM = np.random.default_rng(7)


def rows(count, dim, kind="f4"):
    """Random rows, exact in their type."""
    if kind == "i1":
        return RANDOM.integers(-100, 101, (count, dim)).astype("i1")
    values = RANDOM.normal(size=(count, dim)).astype("f4")
    if kind == "bf16":
        return (values.view("u4") & np.uint32(0xFFFF0000)).view("f4")
    return values.astype(kind)


def keys(count):
    """Labels that are no places."""
    return np.arange(count, dtype="u8") * 3 + 1000


def write(case, queries, kind, search, beams=BEAMS):
    """The answers of `search(beam)`: keys and distances."""
    out = [np.array([len(queries), K, len(beams), *beams], "<u4").tobytes()]
    if kind == "bf16":
        out.append((queries.view("u4") >> 16).astype("<u2").tobytes())
    else:
        out.append(queries.astype("<" + kind).tobytes())
    for beam in beams:
        found, distances = search(beam)
        out += [found.astype("<u8").tobytes(), distances.astype("<f4").tobytes()]
    (FOLDER / f"{case}.answers").write_bytes(b"".join(out))


def with_hnswlib(case, space, dim=DIM, deleted=0):
    index = hnswlib.Index(space=space, dim=dim)
    index.init_index(2 * POINTS, M=M, ef_construction=EF_CONSTRUCTION, random_seed=7)
    index.add_items(rows(POINTS, dim), keys(POINTS), num_threads=1)
    for key in keys(POINTS)[:deleted]:
        index.mark_deleted(key)
    index.save_index(str(FOLDER / f"{case}.index"))
    queries = rows(QUERIES, dim)

    def search(beam):
        index.set_ef(beam)
        return index.knn_query(queries, K, num_threads=1)

    write(case, queries, "f4", search)


def with_usearch(case, metric, kind="f4", dim=DIM, deleted=0):
    dtype = {"f4": "f32", "f2": "f16", "bf16": "bf16", "i1": "i8"}[kind]
    index = Index(
        ndim=dim, metric=metric, dtype=dtype, connectivity=M, expansion_add=EF_CONSTRUCTION
    )
    index.add(keys(POINTS), rows(POINTS, dim, kind), threads=1)
    for key in keys(POINTS)[:deleted]:
        index.remove(key)
    index.save(str(FOLDER / f"{case}.index"))
    queries = rows(QUERIES, dim, kind)

    def search(beam):
        index.expansion_search = beam
        matches = index.search(queries, K, threads=1)
        return matches.keys, matches.distances

    write(case, queries, kind, search)


def with_faiss(case, index, dim=DIM):
    faiss.omp_set_num_threads(1)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    points, queries = rows(POINTS, dim), rows(QUERIES, dim)
    index.train(points)
    index.add(points)
    faiss.write_index(index, str(FOLDER / f"{case}.index"))

    def search(beam):
        index.hnsw.efSearch = beam
        distances, found = index.search(queries, K)
        return found, distances

    write(case, queries, "f4", search)


with_hnswlib("hnswlib-l2", "l2")
with_hnswlib("hnswlib-ip", "ip")
with_hnswlib("hnswlib-cosine", "cosine")
with_hnswlib("hnswlib-long", "l2", dim=LONG)
with_hnswlib("hnswlib-deleted", "l2", deleted=POINTS // 2)
for metric in ("l2sq", "ip", "cos"):
    with_usearch(f"usearch-f32-{metric}", metric)
with_usearch("usearch-f16-cos", "cos", "f2")
with_usearch("usearch-bf16-ip", "ip", "bf16")
with_usearch("usearch-bf16-l2sq", "l2sq", "bf16")
with_usearch("usearch-i8-cos", "cos", "i1")
with_usearch("usearch-i8-l2sq", "l2sq", "i1")
with_usearch("usearch-f32-removed", "l2sq", deleted=POINTS // 2)
with_faiss("faiss-flat-l2", faiss.IndexHNSWFlat(DIM, M))
with_faiss("faiss-flat-ip", faiss.IndexHNSWFlat(DIM, M, faiss.METRIC_INNER_PRODUCT))
with_faiss("faiss-long", faiss.IndexHNSWFlat(LONG, M), LONG)
EIGHT = faiss.ScalarQuantizer.QT_8bit
with_faiss("faiss-sq8", faiss.IndexHNSWSQ(DIM, EIGHT, M))
with_faiss("faiss-sq8-uniform", faiss.IndexHNSWSQ(DIM, faiss.ScalarQuantizer.QT_8bit_uniform, M))

# A few points on several levels, of which each byte is damaged.
index = hnswlib.Index(space="l2", dim=2)
index.init_index(14, M=2, ef_construction=20, random_seed=7)
index.add_items(rows(14, 2), keys(14), num_threads=1)
index.mark_deleted(1003)
index.save_index(str(FOLDER / "hnswlib-small.index"))
index = Index(ndim=3, metric="cos", dtype="i8", connectivity=2)
index.add(keys(14), rows(14, 3, "i1"), threads=1)
index.remove(1003)
index.save(str(FOLDER / "usearch-small.index"))
for case, index in (
    ("faiss-small", faiss.IndexHNSWFlat(2, 2)),
    ("faiss-small-sq8", faiss.IndexHNSWSQ(3, EIGHT, 2)),
):
    points = rows(14, index.d)
    index.train(points)
    index.add(points)
    faiss.write_index(index, str(FOLDER / f"{case}.index"))


def with_layers(case, index, kind="f4", keyed=False, beams=BEAMS):
    """A few points in an index of faiss around another."""
    graph = index
    while not hasattr(graph, "hnsw"):
        inside = getattr(graph, "index", None) or graph.base_index
        graph = faiss.downcast_index(inside)
    graph.hnsw.efConstruction = EF_CONSTRUCTION
    scale = 20 if kind == "u1" else 1
    points, queries = (abs(rows(count, 8) * scale) if kind == "u1" else rows(count, 8) for count in (30, 6))
    if kind in ("u1", "i1"):
        points, queries = (np.round(values * 20) if kind == "i1" else np.round(values) for values in (points, queries))
    index.train(points)
    if keyed:
        index.add_with_ids(points, keys(30).astype("i8"))
    else:
        index.add(points)
    faiss.write_index(index, str(FOLDER / f"{case}.index"))

    def search(beam):
        graph.hnsw.efSearch = beam
        distances, found = index.search(queries, K)
        return found, distances

    write(case, queries, "f4", search, beams)


L2, IP = faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT
for name, kind in (
    ("4bit", "f4"),
    ("4bit_uniform", "f4"),
    ("6bit", "f4"),
    ("fp16", "f4"),
    ("bf16", "f4"),
    ("8bit_direct", "u1"),
    ("8bit_direct_signed", "i1"),
):
    quantizer = getattr(faiss.ScalarQuantizer, f"QT_{name}")
    with_layers(f"faiss-sq-{name.replace('_', '-')}", faiss.IndexHNSWSQ(8, quantizer, M), kind)
with_layers("faiss-l1", faiss.IndexHNSWFlat(8, M, faiss.METRIC_L1))
with_layers("faiss-idmap", faiss.IndexIDMap(faiss.IndexHNSWFlat(8, M)), keyed=True)
fp16 = faiss.ScalarQuantizer.QT_fp16
with_layers("faiss-idmap2-ip", faiss.IndexIDMap2(faiss.IndexHNSWSQ(8, fp16, M, IP)), keyed=True)
with_layers("faiss-l2norm-ip", faiss.index_factory(8, f"L2norm,HNSW{M}", IP))
with_layers("faiss-l2norm-l2", faiss.index_factory(8, f"IDMap,L2norm,HNSW{M}", L2), keyed=True)
same = faiss.RemapDimensionsTransform(8, 8, False)
with_layers("faiss-same", faiss.IndexPreTransform(same, faiss.IndexHNSWFlat(8, M)))
# Refined by all points, so that the answers are exact.
for name in ("RFlat", "Refine(SQfp16)"):
    index = faiss.index_factory(8, f"HNSW{M}_SQ8,{name}", L2)
    faiss.downcast_index(index).k_factor = 3
    with_layers(f"faiss-refine-{'flat' if name == 'RFlat' else 'fp16'}", index, beams=(30,))

# What is refused, and a few points inside of everything, of which each byte is damaged.
points = rows(14, 3)
codes = faiss.IndexHNSWSQ(3, faiss.ScalarQuantizer.QT_6bit, 2, IP)
refined, unit = faiss.IndexRefineFlat(codes), faiss.NormalizationTransform(3, 2.0)
normalised = faiss.IndexPreTransform(unit, refined)
layers = faiss.IndexIDMap(normalised)
for case, index in (
    ("faiss-pca", faiss.index_factory(3, "PCA2,HNSW2")),
    ("faiss-l2norm-sq8", faiss.index_factory(3, "L2norm,HNSW2_SQ8")),
    ("faiss-refine-l2norm", faiss.index_factory(3, "L2norm,HNSW2,RFlat")),
    ("faiss-small-layers", layers),
):
    index.train(points)
    index.add_with_ids(points, keys(14).astype("i8")) if isinstance(index, faiss.IndexIDMap) else index.add(points)
    faiss.write_index(index, str(FOLDER / f"{case}.index"))
