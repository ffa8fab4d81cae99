#!/usr/bin/env python3
"""Times faiss's one-query-many-rows kernels, one sample per line of standard input.

`cargo xtask kernels --peers` starts it, so that its samples alternate with Nearfield's. A line is
`METRIC ELEMENT DIM ROWS CALLS`; the answer is the nanoseconds per distance, over CALLS calls, or
`none` where faiss has no such function. Makes its own virtual environment on the first run.

Only functions that score many rows in one call are here: a call from Python costs more than the
distance of one pair. What an empty call costs is taken off.
"""

import sys
import time

import environment

ENVIRONMENT = {"name": "faiss", "packages": ["faiss-cpu==1.15.1", "numpy>=2,<3"]}


def aligned(shape, kind):
    """Memory that begins on a cache line."""
    import numpy as np

    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    memory = np.empty(size + 64, "u1")
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(kind).reshape(shape)


def course(kind, width, rows, draw, function, exact):
    """A call of `function(out, query, base, rows)` over random vectors, once what it returns is seen
    to be right; and the memory it uses."""
    import faiss
    import numpy as np

    query, base, out = aligned(width, kind), aligned((rows, width), kind), aligned(rows, "f4")
    if kind == "u1":
        out = out.view("i4")
    query[:], base[:] = draw(query.shape), draw(base.shape)
    pointers = list(map(faiss.swig_ptr, (out, query, base)))
    function(*pointers, rows)
    assert np.allclose(out, exact(query, base), rtol=1e-4, atol=1e-4 * width**0.5)
    return lambda rows: function(*pointers, rows), (query, base, out)


def functions():
    """What faiss has for a metric and elements: from a dimension and a number of rows to a course."""
    import faiss
    import numpy as np

    random = np.random.default_rng(7)

    def floats(function, exact):
        def make(dim, rows):
            call = lambda out, x, y, rows: function(out, x, y, dim, rows)
            return course("f4", dim, rows, lambda n: random.uniform(-1, 1, n), call, exact)

        return make

    def bits(dim, rows):
        call = lambda out, x, y, rows: faiss.hammings(x, y, 1, rows, dim // 8, out)
        exact = lambda query, base: np.bitwise_count(query ^ base).sum(1)
        return course("u1", dim // 8, rows, lambda n: random.integers(0, 256, n), call, exact)

    return {
        ("l2", "f32"): floats(faiss.fvec_L2sqr_ny, lambda q, base: ((base - q) ** 2).sum(1)),
        ("ip", "f32"): floats(faiss.fvec_inner_products_ny, lambda q, base: base @ q),
        ("hamming", "bits"): bits,
        ("hamming", "u8"): bits,
    }


def sample(call, calls, rows):
    """Nanoseconds of `calls` calls."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        call(rows)
    return time.perf_counter_ns() - start


def main():
    environment.enter(**ENVIRONMENT)
    import faiss

    faiss.omp_set_num_threads(1)
    known = functions()
    print("ready", flush=True)
    last = None
    for line in sys.stdin:
        metric, element, dim, rows, calls = line.split()
        if (metric, element) not in known:
            print("none", flush=True)
            continue
        dim, rows, calls = int(dim), int(rows), int(calls)
        if last != (metric, element, dim, rows):
            last = metric, element, dim, rows
            call, _memory = known[metric, element](dim, rows)
            empty = min(sample(call, 1000, 0) / 1000 for _ in range(10))
        call(rows)  # whoever ran before may have emptied the caches
        print(max(sample(call, calls, rows) / calls - empty, 0.01) / rows, flush=True)


if __name__ == "__main__":
    main()
