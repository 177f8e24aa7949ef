"""The benchmark of bandwidth selectors: its quick mode, and its errors against brute quadrature."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from skgen.datasets import BenchmarkDensity

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("bench_bandwidths")
        for name in ("bench_bandwidths", "_squared_error", "_report"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def squared_error(bench):
    return importlib.import_module("_squared_error")


def brute(density, x, h, power):
    """The integral of a power of the absolute difference between an estimate and a density, by a fine midpoint rule."""
    low, high = density.ppf([1e-12, 1 - 1e-12])
    low, high = min(low, x.min() - 10 * h), max(high, x.max() + 10 * h)
    ends = np.unique(np.concatenate([np.linspace(low, high, 400_001), density.breaks]))
    middles, widths = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    estimate = np.zeros(len(middles))
    for row in x:
        estimate += np.exp(-0.5 * ((middles - row) / h) ** 2)
    estimate /= len(x) * h * np.sqrt(2 * np.pi)
    return widths @ np.abs(estimate - np.exp(density.score_samples(middles[:, None]))) ** power


@pytest.mark.parametrize("name", ["uniform", "double exponential", "normal", "claw", "smooth comb", "trimodal uniform"])
@pytest.mark.parametrize("h", [0.02, 0.5, 3.0])
def test_squared_error(squared_error, name, h):
    density = BenchmarkDensity(name)
    x = density.sample(30, np.random.default_rng(0))[:, 0]
    assert squared_error.Errors(density, x).squared(h) == pytest.approx(brute(density, x, h, 2), rel=1e-6)


@pytest.mark.parametrize("name", ["Cauchy", "Pareto", "logarithmic peak", "inverse exponential"])
def test_squared_error_of_tails_and_peaks(squared_error, name):
    """Pair sums alone, where a midpoint rule is lost: the cross term by quantiles of the density."""
    density, h = BenchmarkDensity(name), 0.3
    x = density.sample(30, np.random.default_rng(1))[:, 0]
    nodes = density.ppf((np.arange(200_000) + 0.5) / 200_000)
    cross = np.mean([np.exp(-0.5 * ((nodes - row) / h) ** 2).mean() for row in x]) / (h * np.sqrt(2 * np.pi))
    pairs = np.exp(-0.25 * ((x[:, None] - x) / h) ** 2).mean() / (2 * h * np.sqrt(np.pi))
    expected = pairs - 2 * cross + density.roughness
    assert squared_error.Errors(density, x).squared(h) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("name", ["normal", "claw"])
def test_absolute_error(squared_error, name):
    density = BenchmarkDensity(name)
    x = density.sample(30, np.random.default_rng(2))[:, 0]
    assert squared_error.Errors(density, x).absolute(0.2) == pytest.approx(brute(density, x, 0.2, 1), rel=1e-3)


def test_absolute_error_at_an_infinite_peak(squared_error):
    """Where all mass of the estimate is away from the density, the two differ by 2."""
    density = BenchmarkDensity("Matterhorn")
    assert squared_error.Errors(density, np.array([50.0, 51.0])).absolute(0.1) == pytest.approx(2, abs=1e-9)


def test_no_bandwidth_is_better_than_the_best(squared_error):
    density = BenchmarkDensity("claw")
    errors = squared_error.Errors(density, density.sample(300, np.random.default_rng(3))[:, 0])
    h, least = errors.best(1.0)
    assert least == pytest.approx(errors.squared(h), rel=1e-12)
    assert least <= min(errors.squared(g) for g in np.geomspace(0.003, 3, 100)) * (1 + 1e-5)


def test_quick_tables(bench, capsys):
    found = bench.main(["--quick", "--no-r"])
    text = capsys.readouterr().out
    for line in (":command: python benchmarks/bench_bandwidths.py", ":commit:", ":seed: 0", ":versions:", ":machine:"):
        assert line in text
    assert ":r: not installed" in text and bench.WITHOUT_R in text
    assert len(found) == len(bench.QUICK) * bench.QUICK_SETS[100]
    for one in found:
        assert set(one["ratios"]) == set(one["chosen"]) == set(bench.RULES)
        ratios = np.array(list(one["ratios"].values()))
        assert (ratios[np.isfinite(ratios)] >= 1).all() and np.isfinite(ratios).sum() >= len(ratios) - 1
    assert "8 infinite peak (L1)" in text and "11 normal " in text
    assert {line.split()[0] for line in text.splitlines() if line} >= set(bench.RULES)


def test_a_selector_without_an_answer_is_no_ratio(bench, monkeypatch):
    def fails(x):
        return {"nrd0": (0.4, 0.1, False), "isj": (np.nan, 0.1, True)}

    monkeypatch.setattr(bench, "ours", fails)
    found, _ = bench.measure([BenchmarkDensity("normal")], 50, 2, 0)
    (line,) = bench.detail(found, ["nrd0", "isj"])
    assert line["isj"] == "failed" and "±" in line["nrd0"]
    rows = {row["selector"]: row for row in bench.summary(found, ["nrd0", "isj"])}
    assert (rows["isj"]["failed"], rows["isj"]["warned"], rows["nrd0"]["failed"]) == (2, 2, 0)
    assert np.isnan(rows["isj"]["mean"]) and rows["nrd0"]["mean"] >= 1


def test_lines_of_r_stand_beside_ours(bench):
    row = {"mean": 1.0, "median": 1.0, "worst": 1.0, "where": "claw", "failed": 0, "warned": 0, "seconds": 0.1}
    rows = bench.beside(
        [row | {"selector": "lscv"}, row | {"selector": "isj"}], [row | {"selector": "bw.ucv", "mean": 2.0}]
    )
    assert rows[0]["r"] == "bw.ucv" and rows[0]["r mean"] == 2.0
    assert "r" not in rows[1]
    assert set(bench.OF_R.values()) <= set(bench.RULES)


def test_the_same_samples_in_r(bench):
    rscript = bench.find_r()
    if rscript is None:
        pytest.skip("There is no Rscript with the package ks.")
    x = [np.random.default_rng(r).standard_normal(100) for r in range(2)]
    theirs, versions = bench.by_r(x, rscript)
    assert len(versions) == 2
    for sample, chosen in zip(x, theirs, strict=True):
        own = bench.ours(sample)
        for name in ("bw.nrd0", "bw.nrd"):
            assert chosen[name][0] == pytest.approx(own[bench.OF_R[name]][0], rel=1e-12)
        assert chosen["hpi"][0] == pytest.approx(own["plug_in"][0], rel=1e-2)  # it bins on 401 nodes
        assert chosen["hscv"][0] == pytest.approx(own["scv"][0], rel=1e-2)
