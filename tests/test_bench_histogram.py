"""The benchmark of the histogram runs: its quick mode, whose times are no matter here."""

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
        yield importlib.import_module("bench_histogram")
        for name in ("bench_histogram", "_memory", "_report"):
            sys.modules.pop(name, None)


def test_quick_table(bench, capsys):
    rows = bench.main(["--quick"])
    text = capsys.readouterr().out
    for line in (":command: python benchmarks/bench_histogram.py --quick", ":commit:", ":seed: 0", ":versions:"):
        assert line in text
    for case in bench.QUICK:
        of_case = {row["side"]: row for row in rows if bench.Case(row["n"], row["d"], row["bins"]) == case}
        assert set(of_case) >= {"ours", "ours, alpha and tails", "ours, at its defaults", "numpy.histogramdd"}
        assert ("scipy.stats.rv_histogram" in of_case) == (case.d == 1)
        assert (of_case["numpy.histogramdd"]["fit"] is None) == (case.d == 20)
        for row in of_case.values():
            if row["fit"] is not None:
                assert row["fit"] > 0 and row["score"] > 0 and np.isfinite(row["mean"])
            assert row.get("difference", 0.0) < 1e-12


def test_peaks_are_those_of_the_call(bench):
    memory = importlib.import_module("_memory")
    assert memory.peak(lambda: np.ones(5_000_000)) == pytest.approx(40, abs=8)
