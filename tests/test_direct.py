"""Sums over pairs against sums in extended precision, compiled and by numpy, for every kernel and metric."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skgen.balls import Minkowski
from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._sums import _direct
from skgen.nonparametric._sums._direct import Direct, GreatCircle, Product
from skgen.nonparametric._sums._frame import Frame

METRICS = {
    "product": Product(),
    "euclidean": Minkowski(2),
    "manhattan": Minkowski(1),
    "chebyshev": Minkowski(np.inf),
    "minkowski": Minkowski(3),
}
PATHS = {"compiled": 0.0, "numpy": np.inf}


def exact(U, log_weights, kernel, metric, scales, Q, frame=None):
    """Log-sum-exp of all terms in extended precision."""
    D = Q.astype(np.longdouble)[:, None] - U.astype(np.longdouble)
    if frame is not None:
        D = D / frame.table[0] if frame.root is None else D @ frame.root.astype(np.longdouble)
    D = np.moveaxis(D, 2, 0)
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


def frame_of(Z, is_matrix, rng):
    d = Z.shape[1]
    widths = rng.uniform(0.3, 2, d)
    root = np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(rng.normal(size=(d, 50)))))).T if is_matrix else None
    return Frame(Z.mean(axis=0), widths, root)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 6),
    st.sampled_from([1.0, 1e3, 1e5, 1e7, 1e12]),
    st.booleans(),
    st.sampled_from([None, 1.0, 1e-3]),
    st.sampled_from(sorted(KERNELS)),
    st.sampled_from(sorted(METRICS)),
    st.integers(0, 2**32 - 1),
)
def test_clusters_far_apart(n, d, apart, is_matrix, narrowest, name, metric, seed):
    """Rows that spread over many bandwidths keep the digits of their differences."""
    rng = np.random.default_rng(seed)
    Z = 0.3 * clustered(rng, n, d) + apart * rng.integers(-2, 3, (n, d))
    Q = np.vstack([Z[:20] + 0.1 * rng.standard_normal((len(Z[:20]), d)), Z[:3], Z[:3] + apart * 0.3])
    frame, log_weights = frame_of(Z, is_matrix, rng), rng.normal(0, 1, n)
    scales = np.ones(n) if narrowest is None else narrowest * np.exp(rng.normal(0, 0.3, n))
    given = None if narrowest is None else scales
    sums = Direct(Z, log_weights, KERNELS[name], METRICS[metric], given, tile=32, frame=frame)
    own, place = np.append(np.arange(len(Q) - 1), 0) % n, (KERNELS[name], METRICS[metric], scales, Q, frame)
    wanted = exact(Z, log_weights, *place)
    alone = [exact(Z, np.where(np.arange(n) == i, -np.inf, log_weights), *place)[k] for k, i in enumerate(own)]
    for limit in PATHS.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_direct, "BY_NUMPY", limit)
            for found, right in (
                (sums.log_sums(Q), wanted),
                (sums.log_sums(Q, own, np.full(len(Q), -np.inf)), np.array(alone)),
            ):
                is_there = np.isfinite(right)
                np.testing.assert_array_equal(np.isneginf(found), ~is_there)
                np.testing.assert_allclose(found[is_there], right[is_there], rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize("correlation, apart", [(0.99, 1e6), (0.9999999, 1e8), (0.99999, 1e12)])
@pytest.mark.parametrize("name", ["tophat", "gaussian", "epanechnikov"])
def test_boxes_are_as_blurred_as_coordinates(name, correlation, apart, monkeypatch):
    """Along a long thin kernel, coordinates of large rows cancel; no tile in reach is left out for it."""
    monkeypatch.setattr(_direct, "BY_NUMPY", 0)
    rng = np.random.default_rng(0)
    L = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    Z = rng.standard_normal((600, 2)) @ L.T + apart * rng.integers(-3, 4, (600, 1))
    frame = Frame(Z.mean(axis=0), np.ones(2), np.linalg.inv(L).T)
    found = Direct(Z, np.zeros(600), KERNELS[name], Minkowski(2), tile=32, frame=frame).log_sums(Z[:200])
    assert (found >= -1e-9).all()  # each row is a centre
    monkeypatch.setattr(_direct, "BY_NUMPY", np.inf)
    by_pairs = Direct(Z, np.zeros(600), KERNELS[name], Minkowski(2), tile=32, frame=frame).log_sums(Z[:200])
    np.testing.assert_allclose(found, by_pairs, atol=1e-9)


def test_wide_rows_cost_no_more():
    """Rows far apart by themselves stand in as few tiles as others, whose boxes are looked at for every query."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((5000, 2))
    sums = Direct(Z, np.zeros(5000), KERNELS["gaussian"], Minkowski(2), frame=Frame(np.zeros(2), np.full(2, 1e-9)))
    assert len(sums.starts) == -(-5000 // _direct.TILE) + 1


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
    for spread in (1.0, 1e6):
        Z = spread * np.random.default_rng(0).standard_normal((400, 2))
        frame = Frame(np.zeros(2), np.full(2, 1e-3))
        sums = Direct(Z, np.zeros(400), KERNELS["gaussian"], Minkowski(2), frame=frame)
        Q = np.vstack([Z[:40], np.full((1, 2), 1e308)])  # overflows in bandwidths
        log_sums, gradients, steepness = sums.log_sums_and_pulls(Q)
        np.testing.assert_allclose(sums.log_sums(Q), log_sums, rtol=1e-12, atol=1e-12)
        assert np.isfinite(log_sums[:40]).all() and np.isneginf(log_sums[40])
        assert not gradients[40].any() and steepness[40] == 0


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


def test_the_other_side_of_the_sphere(path):
    """Angles keep their digits beside the antipode, where the chord's length says little about them."""
    gaps = np.array([0.0, 1e-9, 1e-6, 1e-3])
    Q = np.column_stack([-np.cos(gaps), np.sin(gaps), np.zeros(4)])
    found = Direct(np.array([[1.0, 0, 0]]), np.zeros(1), KERNELS["exponential"], GreatCircle(0.01)).log_sums(Q)
    np.testing.assert_allclose(found, -(np.pi - gaps) / 0.01, atol=1e-12, rtol=0)
    found = Direct(np.array([[1.0, 0, 0]]), np.zeros(1), KERNELS["linear"], GreatCircle(np.pi)).log_sums(Q[1:])
    np.testing.assert_allclose(found, np.log(gaps[1:] / np.pi), atol=1e-6, rtol=0)


@pytest.mark.parametrize("is_adaptive", [False, True])
@pytest.mark.parametrize(
    "d, is_matrix, apart", [(1, None, 0), (3, False, 0), (2, True, 0), (2, True, 1e6), (1, False, 1e6)]
)
@pytest.mark.parametrize("name", KERNELS)
def test_pulls(name, d, is_matrix, apart, is_adaptive, path):
    """The gradient by its formula, and the way to the mean of the centres; nothing where no kernel reaches."""
    rng = np.random.default_rng(0)
    U = clustered(rng, 400, d) + apart * rng.integers(0, 3, (400, 1))
    Q = np.vstack([clustered(rng, 30, d), U[:10] + 0.1, np.full((1, d), 100.0)])
    kernel, frame = KERNELS[name], None if is_matrix is None else frame_of(U, is_matrix, rng)
    scales = np.exp(rng.normal(0, 0.3, 400)) if is_adaptive else np.ones(400)
    log_weights = rng.normal(0, 1, 400)
    sums = Direct(U, log_weights, kernel, Minkowski(2), scales if is_adaptive else None, tile=64, frame=frame)
    log_sums, gradients, steepness = sums.log_sums_and_pulls(Q, n_jobs=2)
    np.testing.assert_allclose(log_sums, sums.log_sums(Q), rtol=1e-14, atol=1e-12)
    D = Q[:, None] - U if frame is None else frame.turned(Q[:, None] - U)
    s = (D**2).sum(axis=2) / scales**2
    log_terms = log_weights + kernel.log_value(s, d)
    shares = np.exp(log_terms - np.maximum(log_terms.max(axis=1), -1e300)[:, None])
    shares /= np.maximum(shares.sum(axis=1), 1e-300)[:, None]
    pulls = shares * -2 * kernel.log_slope(s, d) / scales**2
    np.testing.assert_allclose(gradients, -np.einsum("qi,qid->qd", pulls, D), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(steepness, pulls.sum(axis=1), rtol=1e-9)
    with np.errstate(over="ignore"):
        _, gradients, steepness = sums.log_sums_and_pulls(np.full((2, d), 1e200))
    assert name == "student_t" or not (gradients.any() or steepness.any())


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
    from skgen import balls
    from skgen.nonparametric import _kernels
    from skgen.nonparametric._sums import _direct_loops, _held_out_loops

    kernels = ("GAUSSIAN", "POWER", "COSINE", "EXPONENTIAL", "LOGISTIC", "STUDENT")
    metrics = ("SQUARES", "SUM", "LARGEST", "POWERS")
    for loops in (_direct_loops, _held_out_loops):
        assert [getattr(loops, name) for name in kernels] == [getattr(_kernels, name) for name in kernels]
        assert [getattr(loops, name) for name in metrics] == [getattr(balls, name) for name in metrics]
    assert (_direct_loops.CHORD, _direct_loops.PRODUCT) == (balls.CHORD, balls.PRODUCT)


def test_small_problems_load_no_compiler():
    code = (
        "import sys, numpy as np; from skgen import KernelDensity;"
        "X = np.random.default_rng(0).standard_normal((200, 3));"
        "KernelDensity(bandwidth='scott').fit(X).score_samples(X);"
        "KernelDensity(bandwidth='plug_in').fit(X[:, :1]).score_samples(X[:, :1]);"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
