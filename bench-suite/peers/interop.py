#!/usr/bin/env python3
"""Indexes of other libraries for `cargo xtask interop`, and their answers.

    interop.py write FOLDER     each library builds, saves and answers: CASE.index, CASE.answers
    interop.py answer FOLDER    hnswlib loads ours-*.index, which Nearfield has written, and answers

FOLDER has the rows in base.fbin and query.fbin. The answers are little-endian: u32 queries, k and number
of beams, each beam as u32, the queries in the index's element type, and for each beam the keys (u64) and
the distances (f32) of k hits per query. Makes its own virtual environment on the first run.
"""

import sys
from pathlib import Path

import environment

PACKAGES = ["hnswlib==0.8.0", "usearch==2.26.6", "faiss-cpu==1.15.1", "numpy>=2,<3"]
K, BEAMS = 10, (10, 32, 100)
M, EF_CONSTRUCTION = 16, 100


def fbin(path):
    """The rows of a file."""
    import numpy as np

    rows, dim = np.fromfile(path, "<u4", 2)
    return np.fromfile(path, "<f4", int(rows) * int(dim), offset=8).reshape(rows, dim)


def keys(count):
    """Keys that are no places."""
    import numpy as np

    return np.arange(count, dtype="u8") * 3 + 1000


class Case:
    """Rows and queries, and where the files go."""

    def __init__(self, folder):
        self.folder = folder
        self.base, self.queries = fbin(folder / "base.fbin"), fbin(folder / "query.fbin")

    def path(self, name):
        return str(self.folder / f"{name}.index")

    def elements(self, kind):
        """Base and queries in a type, of which they are exact values."""
        import numpy as np

        if kind == "i8":
            scale = 127 / max(abs(self.base).max(), abs(self.queries).max())
            return [np.round(rows * scale).astype("i1") for rows in (self.base, self.queries)]
        if kind == "bf16":
            cut = lambda rows: (rows.view("u4") & np.uint32(0xFFFF0000)).view("f4")
            return [cut(rows) for rows in (self.base, self.queries)]
        return [rows.astype({"f32": "f4", "f16": "f2"}[kind]) for rows in (self.base, self.queries)]

    def answers(self, name, queries, kind, search):
        """Writes what `search(beam)` finds."""
        import numpy as np

        out = [np.array([len(queries), K, len(BEAMS), *BEAMS], "<u4").tobytes()]
        if kind == "bf16":
            out.append((queries.view("u4") >> 16).astype("<u2").tobytes())
        else:
            out.append(queries.tobytes())
        for beam in BEAMS:
            found, distances = search(beam)
            out += [found.astype("<u8").tobytes(), distances.astype("<f4").tobytes()]
        (self.folder / f"{name}.answers").write_bytes(b"".join(out))

    def hnswlib(self, name, space, deleted=0):
        import hnswlib

        index = hnswlib.Index(space=space, dim=self.base.shape[1])
        index.init_index(len(self.base), M=M, ef_construction=EF_CONSTRUCTION, random_seed=7)
        index.add_items(self.base, keys(len(self.base)))
        for key in keys(len(self.base))[:deleted]:
            index.mark_deleted(key)
        index.save_index(self.path(name))
        self.answers_of_hnswlib(name, index)

    def answers_of_hnswlib(self, name, index):
        def search(beam):
            index.set_ef(beam)
            return index.knn_query(self.queries, K, num_threads=1)

        self.answers(name, self.queries, "f32", search)

    def usearch(self, name, metric, kind, removed=0):
        from usearch.index import Index

        base, queries = self.elements(kind)
        index = Index(
            ndim=base.shape[1],
            metric=metric,
            dtype=kind,
            connectivity=M,
            expansion_add=EF_CONSTRUCTION,
        )
        index.add(keys(len(base)), base)
        for key in keys(len(base))[:removed]:
            index.remove(key)
        index.save(self.path(name))

        def search(beam):
            index.expansion_search = beam
            matches = index.search(queries, K, threads=1)
            return matches.keys, matches.distances

        self.answers(name, queries, kind, search)

    def faiss(self, name, make):
        import faiss

        index = make(faiss, self.base.shape[1])
        graph = index
        while not hasattr(graph, "hnsw"):
            graph = faiss.downcast_index(graph.index)
        graph.hnsw.efConstruction = EF_CONSTRUCTION
        index.train(self.base)
        if isinstance(index, faiss.IndexIDMap):
            index.add_with_ids(self.base, keys(len(self.base)).astype("i8"))
        else:
            index.add(self.base)
        faiss.write_index(index, self.path(name))

        def search(beam):
            graph.hnsw.efSearch = beam
            distances, found = index.search(self.queries, K)
            return found, distances

        self.answers(name, self.queries, "f32", search)


def write(case):
    tenth = len(case.base) // 10
    for space in ("l2", "ip", "cosine"):
        case.hnswlib(f"hnswlib-{space}", space)
    case.hnswlib("hnswlib-deleted", "l2", tenth)
    for metric in ("l2sq", "ip", "cos"):
        for kind in ("f32", "f16", "bf16", "i8"):
            case.usearch(f"usearch-{kind}-{metric}", metric, kind)
    case.usearch("usearch-removed", "l2sq", "f32", tenth)
    case.faiss("faiss-flat-l2", lambda faiss, dim: faiss.IndexHNSWFlat(dim, M))
    inner_product = lambda faiss, dim: faiss.IndexHNSWFlat(dim, M, faiss.METRIC_INNER_PRODUCT)
    case.faiss("faiss-flat-ip", inner_product)
    factory = lambda name: lambda faiss, dim: faiss.index_factory(dim, name)
    case.faiss("faiss-idmap", factory(f"IDMap,HNSW{M}"))
    case.faiss("faiss-l2norm", factory(f"L2norm,HNSW{M}"))
    for kind in ("QT_8bit", "QT_8bit_uniform", "QT_6bit", "QT_4bit", "QT_fp16", "QT_bf16"):
        quantizer = lambda faiss: getattr(faiss.ScalarQuantizer, kind)
        case.faiss(
            f"faiss-{kind.lower().replace('_', '-')}",
            lambda faiss, dim: faiss.IndexHNSWSQ(dim, quantizer(faiss), M),
        )


def answer(case):
    import hnswlib

    for path in sorted(case.folder.glob("ours-*.index")):
        space = path.stem.split("-")[1]
        index = hnswlib.Index(space=space, dim=case.base.shape[1])
        index.load_index(str(path))
        case.answers_of_hnswlib(path.stem, index)


def main():
    environment.enter("interop", PACKAGES)
    step, folder = sys.argv[1:]
    {"write": write, "answer": answer}[step](Case(Path(folder)))


if __name__ == "__main__":
    main()
