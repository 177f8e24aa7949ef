"""Sums over pairs against sums in extended precision, compiled and by numpy, for every kernel and metric."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._metrics import Minkowski
from skgen.nonparametric._sums import _direct
from skgen.nonparametric._sums._direct import Direct, GreatCircle, Product

METRICS = {
    "product": Product(),
    "euclidean": Minkowski(2),
    "manhattan": Minkowski(1),
    "chebyshev": Minkowski(np.inf),
    "minkowski": Minkowski(3),
}
PATHS = {"compiled": 0.0, "numpy": np.inf}


def exact(U, log_weights, kernel, metric, scales, Q):
    """Log-sum-exp of all terms in extended precision."""
    D = Q.astype(np.longdouble).T[:, :, None] - U.astype(np.longdouble).T[:, None, :]
    inverse = 1 / np.asarray(scales, dtype=np.longdouble)
    with np.errstate(divide="ignore"):
        if isinstance(metric, Product):
            log_values = sum(kernel.log_value((d * inverse) ** 2, 1) for d in D)
        else:
            log_values = kernel.log_value(metric.squared(D) * inverse**2, len(D))
        terms = log_weights + log_values
        top = terms.max(axis=1, keepdims=True)
        top = np.where(np.isneginf(top), 0, top)
        return (top[:, 0] + np.log(np.exp(terms - top).sum(axis=1))).astype(float)


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    monkeypatch.setattr(_direct, "BY_NUMPY", PATHS[request.param])


def clustered(rng, n, d):
    """Rows with outliers, clusters and duplicates."""
    X = rng.standard_normal((n, d)) * rng.choice([0.1, 1, 5], (n, 1)) + rng.choice([0, 8], (n, 1))
    X[rng.random(n) < 0.2] = X[0]
    return X


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", KERNELS)
def test_sums(name, metric, path):
    rng = np.random.default_rng(0)
    for d, n, is_adaptive in [(1, 70, False), (2, 700, True), (3, 90, True), (5, 600, False), (10, 50, False)]:
        U, Q = (
            clustered(rng, n, d),
            np.vstack([clustered(rng, 30, d), 12 + clustered(rng, 5, d), 1e3 * np.ones((1, d))]),
        )
        Q[3] = U[5]
        log_weights = rng.normal(0, 3, n)
        scales = np.exp(rng.normal(0, 0.3, n)) if is_adaptive else np.ones(n)
        sums = Direct(U, log_weights, KERNELS[name], METRICS[metric], scales if is_adaptive else None, tile=64)
        wanted = exact(U, log_weights, KERNELS[name], METRICS[metric], scales, Q)
        found = sums.log_sums(Q)
        np.testing.assert_array_equal(np.isneginf(found), np.isneginf(wanted))
        inside = np.isfinite(wanted)
        np.testing.assert_allclose(found[inside], wanted[inside], rtol=1e-13, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 40),
    st.integers(1, 8),
    st.floats(-3, 3),
    st.sampled_from([0.0, 1.0, 1e6]),
    st.sampled_from(sorted(KERNELS)),
    st.sampled_from(sorted(METRICS)),
    st.integers(0, 2**32 - 1),
)
def test_any_shape(n, m, d, log_bandwidth, offset, name, metric, seed):
    """Both paths, centres at an offset that the caller takes away, weights over many powers of ten."""
    rng = np.random.default_rng(seed)
    X, Y = clustered(rng, n, d) + offset, clustered(rng, m, d) * rng.choice([1, 10]) + offset
    U, Q = ((Z - X.mean(axis=0)) / np.exp(log_bandwidth) for Z in (X, Y))
    log_weights = rng.normal(0, rng.choice([0, 1, 200]), n)
    wanted = exact(U, log_weights, KERNELS[name], METRICS[metric], np.ones(n), Q)
    sums = Direct(U, log_weights, KERNELS[name], METRICS[metric], tile=32)
    inside = np.isfinite(wanted)
    for limit in PATHS.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_direct, "BY_NUMPY", limit)
            found = sums.log_sums(Q)
        np.testing.assert_array_equal(np.isneginf(found), ~inside)
        np.testing.assert_allclose(found[inside], wanted[inside], rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize("name", ["gaussian", "epanechnikov", "logistic"])
@pytest.mark.parametrize("metric", ["euclidean", "product", "manhattan"])
def test_own_weight(name, metric, path):
    """A query's own centre with another weight, or none; and no change where own is -1."""
    rng = np.random.default_rng(0)
    U, log_weights = clustered(rng, 300, 2), rng.normal(0, 1, 300)
    sums = Direct(U, log_weights, KERNELS[name], METRICS[metric], tile=64)
    own = np.array([0, 7, 150, 299, -1])
    log_own = np.array([-np.inf, log_weights[7] - 0.3, -np.inf, -5.0, 3.0])
    found = sums.log_sums(U[own], own, log_own)
    for k, i in enumerate(own):
        changed = log_weights.copy()
        if i >= 0:
            changed[i] = log_own[k]
        wanted = exact(U, changed, KERNELS[name], METRICS[metric], np.ones(300), U[[i]])
        assert found[k] == pytest.approx(wanted[0], abs=1e-10)


def test_outlier_without_itself_is_finite(path):
    U = np.append(np.random.default_rng(0).standard_normal((500, 2)), [[60.0, 0.0]], axis=0)
    sums = Direct(U, np.zeros(501), KERNELS["gaussian"], Minkowski(2))
    found = sums.log_sums(U[[500]], np.array([500]), np.array([-np.inf]))
    assert found[0] == pytest.approx(exact(U[:500], np.zeros(500), KERNELS["gaussian"], Minkowski(2), 1.0, U[[500]])[0])


def test_far_queries_are_no_accident(path):
    sums = Direct(np.zeros((3, 2)), np.zeros(3), KERNELS["gaussian"], Minkowski(2))
    with np.errstate(over="ignore"):
        assert np.isneginf(sums.log_sums(np.full((2, 2), 1e200))).all()


def test_angles_on_the_sphere(path):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((200, 3))
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    kernel, metric = KERNELS["biweight"], GreatCircle(0.7)
    found = Direct(Z, np.zeros(200), kernel, metric, tile=32).log_sums(Z[:20])
    apart, across = (np.linalg.norm(Z[:20, None] - sign * Z, axis=2) for sign in (1, -1))
    angles = 2 * np.arctan2(apart, across) / 0.7
    with np.errstate(divide="ignore"):
        wanted = np.log(np.exp(kernel.log_value(angles**2, 2)).sum(axis=1))
    np.testing.assert_allclose(found, wanted, atol=1e-10)


def test_threads_agree():
    rng = np.random.default_rng(0)
    sums = Direct(rng.standard_normal((5000, 3)), np.zeros(5000), KERNELS["gaussian"], Minkowski(2))
    Q = rng.standard_normal((3000, 3))
    np.testing.assert_allclose(sums.log_sums(Q, n_jobs=2), sums.log_sums(Q), rtol=0, atol=1e-12)


def test_shape_of_student_t_follows_the_dimension(path):
    rng = np.random.default_rng(0)
    U, kernel = rng.standard_normal((50, 4)), StudentTKernel(3)
    found = Direct(U, np.zeros(50), kernel, Minkowski(2)).log_sums(U[:5])
    s = ((U[:5, None] - U) ** 2).sum(axis=2)
    np.testing.assert_allclose(found, np.log(((1 + s / 3) ** -3.5).sum(axis=1)), atol=1e-12)


def test_codes_mean_the_same_everywhere():
    """Compiled files repeat the codes of kernels and metrics, since they may not import what could go stale."""
    from skgen.nonparametric import _kernels, _metrics
    from skgen.nonparametric._sums import _direct_loops, _held_out_loops

    kernels = ("GAUSSIAN", "POWER", "COSINE", "EXPONENTIAL", "LOGISTIC", "STUDENT")
    metrics = ("SQUARES", "SUM", "LARGEST", "POWERS")
    for loops in (_direct_loops, _held_out_loops):
        assert [getattr(loops, name) for name in kernels] == [getattr(_kernels, name) for name in kernels]
        assert [getattr(loops, name) for name in metrics] == [getattr(_metrics, name) for name in metrics]
    assert (_direct_loops.CHORD, _direct_loops.PRODUCT) == (_metrics.CHORD, _metrics.PRODUCT)


def test_small_problems_load_no_compiler():
    code = (
        "import sys, numpy as np; from skgen import KernelDensity;"
        "X = np.random.default_rng(0).standard_normal((200, 3));"
        "KernelDensity(bandwidth='scott').fit(X).score_samples(X);"
        "KernelDensity(bandwidth='plug_in').fit(X[:, :1]).score_samples(X[:, :1]);"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
