#!/usr/bin/env python3
"""Measures Nearfield and hnswlib in one run, alternating, and prints who is how much faster.

    python3 bench-suite/peers/compare.py [--rounds 3] [--threads N] [FILES AND SETTINGS]

Everything but --rounds goes to both (see `cargo xtask ann --help`). Without files: the bundled
Fashion-MNIST. Every round builds and searches with each library once; the one that begins changes
from round to round. A ratio is taken within a round, where both met the same machine, and the
median over the rounds is printed, beside its range.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import environment
import hnswlib_peer

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "bench-suite" / "data" / "fashion-mnist"
FASHION_MNIST = [
    *("--base", DATA / "base.u8bin.zst", "--query", DATA / "query.u8bin.zst"),
    *("--gt", DATA / "gt.ibin.zst", "--metric", "l2"),
]
XTASK = ["--quiet", "--release", "--package", "xtask", "--manifest-path", ROOT / "Cargo.toml"]
COMMANDS = {
    "nearfield": ["cargo", "run", *XTASK, "--", "ann", "--json"],
    "hnswlib": [sys.executable, ROOT / "bench-suite" / "peers" / "hnswlib_peer.py"],
}
RECALLS = [0.90, 0.95, 0.99]


def measure(name, settings):
    """One build and its searches: the build event and the search events."""
    print(f"  {name} …", end="", file=sys.stderr, flush=True)
    command = [*COMMANDS[name], *settings]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    build, *searches = map(json.loads, run.stdout.splitlines())
    if any(search["recall"] is None for search in searches):
        sys.exit("speed means nothing without recall: give --gt or --limit-base")
    print(f" built in {build['seconds']:.2f} s", file=sys.stderr)
    return build, searches


def qps_at(recall, searches):
    """Queries per second at a recall, by a straight line in (recall, log QPS) between the two
    measured points around it; None where it is not between two."""
    points = sorted((s["recall"], s["qps"]) for s in searches)
    for (low, qps_low), (high, qps_high) in zip(points, points[1:]):
        if low <= recall <= high and low < high:
            share = (recall - low) / (high - low)
            return math.exp((1 - share) * math.log(qps_low) + share * math.log(qps_high))
    return None


def row(label, pairs, better, unit):
    """One line of the table: medians, and the ratio by which Nearfield is better."""
    pairs = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
    if not pairs:
        print(f"{label:<18}{'not between two measured points':>30}")
        return
    ratios = [better(ours, theirs) for ours, theirs in pairs]
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    span = f"{min(ratios):.2f}–{max(ratios):.2f}"
    print(f"{label:<18}{ours:>12{unit}}{theirs:>12{unit}}{statistics.median(ratios):>9.2f}   {span}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    args, settings = parser.parse_known_args()
    if "--base" not in settings:
        settings = [*FASHION_MNIST, *settings]

    # The compilers' work, before anything is timed.
    subprocess.run(["cargo", "build", *XTASK], check=True)
    environment.make(**hnswlib_peer.ENVIRONMENT)

    rounds = []
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
        order = list(COMMANDS)[:: 1 if number % 2 == 0 else -1]
        results = {name: measure(name, settings) for name in order}
        rounds.append((results["nearfield"], results["hnswlib"]))

    print(f"{'':<18}{'nearfield':>12}{'hnswlib':>12}{'ratio':>9}   range")
    seconds = [(ours[0]["seconds"], theirs[0]["seconds"]) for ours, theirs in rounds]
    row("build, s", seconds, lambda ours, theirs: theirs / ours, ".2f")
    for recall in RECALLS:
        qps = [(qps_at(recall, ours[1]), qps_at(recall, theirs[1])) for ours, theirs in rounds]
        row(f"QPS at {recall:.2f}", qps, lambda ours, theirs: ours / theirs, ".0f")
    print()
    print(f"{'ef':>6}{'recall':>10}{'QPS':>10}{'recall':>12}{'QPS':>10}{'QPS ratio':>12}")
    for events in zip(*(side[1] for pair in rounds for side in pair)):
        ours, theirs = events[0::2], events[1::2]
        qps = [statistics.median(e["qps"] for e in side) for side in (ours, theirs)]
        ratio = statistics.median(a["qps"] / b["qps"] for a, b in zip(ours, theirs))
        print(
            f"{ours[0]['ef']:>6}{ours[0]['recall']:>10.4f}{qps[0]:>10.0f}"
            f"{statistics.median(e['recall'] for e in theirs):>12.4f}{qps[1]:>10.0f}{ratio:>12.2f}"
        )


if __name__ == "__main__":
    main()
