"""The benchmarks run: their quick mode, whose numbers are no matter here."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "bench_parametric.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_quick_tables(bench, capsys):
    rows = bench.main(["--quick"])
    text = capsys.readouterr().out
    continuous, counts = (
        {case.name for case in cases} & set(bench.QUICK) for cases in (bench.CONTINUOUS, bench.COUNTS)
    )
    assert {row["family"] for row in rows["speed"]} == {row["family"] for row in rows["quality"]} == continuous
    assert {row["family"] for row in rows["counts"]} == counts
    assert set(bench.QUICK) <= {line.split()[0] for line in text.splitlines() if line}
    for row in rows["speed"]:
        assert all(np.isfinite(row[name]) and row[name] > 0 for name in ("ratio", "score ratio"))
        assert np.isfinite(row["log-likelihood"]) and row["difference"] > -1e-6
    for row in rows["counts"]:
        assert np.isfinite(row["score ratio"]) and np.isfinite(row["log-likelihood"])
    for row in rows["quality"]:
        assert row["ours exact"] == 1, row
        assert 0 <= row["scipy exact"] <= 1
