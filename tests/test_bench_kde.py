"""The benchmark of the kernel density estimator runs: its quick mode, whose times are no matter here."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("bench_kde")
        for name in ("bench_kde", "_kde_sides", "_kde_processes", "_report"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def sides(bench):
    return importlib.import_module("_kde_sides")


@pytest.fixture(scope="module")
def report(bench):
    return importlib.import_module("_report")


def test_quick_tables(bench, capsys):
    rows = bench.main(["--quick"])
    text = capsys.readouterr().out
    for line in (":command: python benchmarks/bench_kde.py --quick", ":commit:", ":seed: 0", ":versions:", ":machine:"):
        assert line in text
    assert "KDEpy" in text.split(":versions:")[1].splitlines()[0]
    for heading in ("Speed and errors", "Memory", "Growth", "The first call", "Other methods"):
        assert f"\n{heading}\n" in text
    for case in bench.QUICK.cases:
        names = [
            row["side"] for row in rows["speed"] if bench.Case(row["d"], row["n"], row["m"], row["kernel"]) == case
        ]
        assert names[:3] == ["ours", "scikit-learn", "scikit-learn, rtol=1e-4"]
        assert ("scipy, logpdf" in names) == (case.kernel == "gaussian")
    for row in rows["speed"]:
        assert row["seconds"] > 0 and row["queries"] <= row["m"]
        assert ("ratio" in row) == (row["side"] != "ours")
        if row["side"] == "ours":
            assert max(row["bulk worst"], row["tails worst"]) < 1e-10
            assert row["bulk off"] == row["tails off"] == row["bulk broken"] == row["tails broken"] == 0
    assert [row["megabytes"] > 0 for row in rows["memory"]] == [True]
    assert [(row["side"], row["cache"]) for row in rows["first"]] == [
        ("ours", "empty"),
        ("ours", "full"),
        ("scikit-learn", "-"),
    ]
    assert all(0 < row["call"] < row["seconds"] and row["imports"] < row["seconds"] for row in rows["first"])
    assert {row["side"] for row in rows["growth"]} == {"ours", "scikit-learn"}
    assert all(np.isfinite(row["exponent"]) for row in rows["growth"])
    assert {"score_samples", "sample", "gradient"} <= {row["method"] for row in rows["others"]}


def test_device_table_and_its_file(bench, report, capsys, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setattr(bench, "GPU_RESULT", tmp_path / "results" / "kde_gpu.rst")
    (row,) = bench.main(["--quick", "--gpu", "--device", "cpu", "--write"])["gpu"]
    assert row["bulk worst"] < 1e-10 and row["tails worst"] < 1e-10
    assert row["bulk broken"] == row["tails broken"] == 0
    text = capsys.readouterr().out
    assert (tmp_path / "results" / "kde_gpu.rst").read_text() + "\n" == text
    assert ":device: cpu" in text and "torch" in text.split(":versions:")[1].splitlines()[0]
    assert "first call, s" in text


def test_stars_at_missed_targets(bench, report):
    row = {"kernel": "gaussian", "d": 5, "n": 10, "m": 10, "side": "scikit-learn", "queries": 10, "seconds": 1.0}
    row |= {"checked": 10, "bulk worst": 0.0, "bulk off": 0.0, "bulk broken": 0}
    row |= {"tails worst": 0.0, "tails off": 0.0, "tails broken": 0, "target": 40}
    assert "39.9*" in bench.speed_table([row | {"ratio": 39.9}])
    assert "*" not in bench.speed_table([row | {"ratio": 40.0}])
    assert "*" not in bench.speed_table([row | {"ratio": 0.1, "target": None}])
    memory = {"side": "ours", "d": 1, "n": 10, "m": 10, "target": 50.0}
    assert "50.1*" in bench.limited_table([memory | {"megabytes": 50.1}], bench.MEMORY, "megabytes")
    assert "*" not in bench.limited_table([memory | {"megabytes": 49.9}], bench.MEMORY, "megabytes")
    assert report.judged(np.nan, 50.0, at_least=False) == report.judged(np.nan, 50.0, at_least=True) == "nan*"


def test_targets_belong_to_measured_tasks(bench):
    gaussian = {(case.d, case.n) for case in bench.FULL.cases if case.kernel == "gaussian" and case.m == 10_000}
    assert set(bench.TIMES_SCIKIT_LEARN) <= gaussian
    assert {(d, n, m) for side, d, n, m in bench.FULL.memory if side == "ours"} == {
        (1, 100_000, 100_000),
        (5, 100_000, 100_000),
    }


def test_gaussian_reference(sides):
    rng = np.random.default_rng(0)
    X, Q = sides.standard_rows(40, 3, rng), rng.standard_normal((7, 3))
    s = ((Q[:, None] - X) ** 2).sum(axis=-1) / 0.3**2
    expected = logsumexp(-s / 2, axis=1) - np.log(40) - 3 * np.log(0.3) - 1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(sides.reference(X, Q, 0.3, "gaussian").astype(float), expected, rtol=1e-13)


@pytest.mark.parametrize("kernel", ["epanechnikov", "exponential", "tophat", "linear"])
def test_other_references_integrate_to_one(sides, kernel):
    X = np.zeros((1, 1))
    grid = np.linspace(-25, 25, 200_001)
    density = np.exp(sides.reference(X, grid[:, None], 0.7, kernel).astype(float))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=2e-4)
    radii = np.linspace(0, 25, 200_001)
    density = np.exp(sides.reference(np.zeros((1, 2)), np.c_[radii, 0 * radii], 0.7, kernel).astype(float))
    assert np.trapezoid(density * 2 * np.pi * radii, radii) == pytest.approx(1, abs=2e-4)


def test_errors_count_broken_rows(sides):
    true = np.array([-1.0, -2.0, -3.0, -np.inf, -np.inf], dtype=np.longdouble)
    found = np.array([-1.5, -np.inf, np.nan, -np.inf, -800.0])
    worst, off, broken = sides.errors(found, true)
    assert (worst, off, broken) == (0.5, 4 / 5, 2)
    assert sides.errors(true.astype(float), true) == (0.0, 0.0, 0)


def test_rows_are_standardised(sides):
    X = sides.standard_rows(50, 3, np.random.default_rng(1))
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(np.cov(X.T), np.eye(3), atol=1e-13)
    far = sides.far_rows(5, 3, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(far, axis=1), 12)


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.rst")), ids=lambda path: path.name)
def test_committed_results_say_where_they_come_from(path):
    fields = dict(
        line[1:].split(": ", 1) for line in path.read_text().splitlines() if line.startswith(":") and ": " in line
    )
    assert {"command", "commit", "seed", "versions", "machine"} <= set(fields)
    assert fields["command"].startswith("python benchmarks/bench_") and "--write" in fields["command"]
    assert len(fields["commit"].split()[0]) == 40
    assert fields["seed"].isdigit()
    assert all(name in fields["versions"] for name in ("numpy", "python", "scipy", "skgen"))
    assert "CPUs" in fields["machine"]
