"""The benchmark of nearest neighbours runs: its quick mode, whose times are no matter here."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("bench_neighbors")
        for name in ("bench_neighbors", "_report"):
            sys.modules.pop(name, None)


def test_quick_tables(bench, capsys):
    times, quality = bench.main(["--quick"])
    text = capsys.readouterr().out
    for line in (":command: python benchmarks/bench_neighbors.py --quick", ":commit:", ":seed: 0", ":versions:"):
        assert line in text
    assert len(times) == len(bench.QUICK_CASES)
    for row in times:
        assert row["difference"] < 1e-9 and row["score"] > 0 and np.isfinite(row["overhead"])
    assert [row["task"] for row in quality] == list(bench.QUICK_TASKS)
    for row in quality:
        best = row[row["best"]]
        assert all(row[name] <= best for name in bench.MODELS)
        assert best < row.get("truth", np.inf) + 3 * row["error"]  # nothing beats the truth but by chance
    assert all(np.isfinite(row[name]) for row in quality[:2] for name in bench.MODELS)
