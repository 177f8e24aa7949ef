"""Compression: means, weights and scatters that add up, and a bound that holds for every kernel, metric and stream."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from skgen.balls import PRODUCT, Minkowski
from skgen.nonparametric._compress import compress, curvature, error_bound, slope
from skgen.nonparametric._kernels import KERNELS, Power, StudentTKernel
from skgen.nonparametric._sums._direct import Direct, Product

BOUNDED = {name: kernel for name, kernel in KERNELS.items() if name != "tophat"}
ROUND = ("gaussian", "biweight", "triweight", "tricube", "logistic", "student_t")  # whose slope does not jump
METRICS = {"l2": Minkowski(2), "l1": Minkowski(1), "l3": Minkowski(3), "linf": Minkowski(np.inf), "product": Product()}

each_bounded = pytest.mark.parametrize("name", BOUNDED)
each_metric = pytest.mark.parametrize("metric", METRICS)


def values(kernel, metric, differences):
    """The kernel at differences by column."""
    d = len(differences)
    if metric.code[0] == PRODUCT:
        return np.exp(kernel.log_value(differences**2, 1).sum(axis=0))
    return np.exp(kernel.log_value(metric.squared(differences), d))


def largest_error(kernel, metric, Z, weights, centers, new_weights, rng):
    """The largest difference of the two densities on a grid and around the points, as a share of k(0)."""
    d = Z.shape[1]
    axes = [
        np.linspace(low - 1.2, high + 1.2, {1: 4001, 2: 61, 3: 17}[d]) for low, high in zip(*extremes(Z), strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    near = [points[rng.integers(len(points), size=500)] + rng.uniform(-1.2, 1.2, (500, d)) for points in (Z, centers)]
    Q = np.concatenate([grid, *near, Z, centers])
    before = np.exp(Direct(Z, np.log(weights), kernel, metric).log_sums(Q))
    after = np.exp(Direct(centers, np.log(new_weights), kernel, metric).log_sums(Q))
    return np.abs(before - after).max() / weights.sum()


def extremes(Z):
    return Z.min(axis=0), Z.max(axis=0)


def clusters(rng, n, d, width):
    """Weighted points in clusters of the given width, some of them twice."""
    Z = rng.uniform(-2, 2, (4, d))[rng.integers(4, size=n)] + width * rng.standard_normal((n, d))
    Z[rng.random(n) < 0.2] = Z[0]
    return Z, rng.uniform(0.1, 3, n)


# What is kept


@pytest.mark.parametrize("d", [1, 2, 5])
def test_weights_means_and_scatters_add_up(d):
    rng = np.random.default_rng(0)
    Z, weights = clusters(rng, 500, d, 0.3)
    carried = rng.uniform(0, 1, 500)
    mean = weights @ Z / weights.sum()
    for n_centers in [1, 2, 37, 200]:
        centers, new_weights, scatter = compress(Z, weights, carried, n_centers)
        assert centers.shape == (n_centers, d)
        assert_allclose(new_weights.sum(), weights.sum(), rtol=1e-13)
        assert_allclose(new_weights @ centers, weights @ Z, rtol=1e-12, atol=1e-12)
        around = weights @ ((Z - mean) ** 2).sum(axis=1) + carried.sum()  # the parallel axis theorem
        assert_allclose(scatter.sum() + new_weights @ ((centers - mean) ** 2).sum(axis=1), around, rtol=1e-12)


def test_the_distinct_points_are_kept_to_the_last_bit_where_there_is_room():
    rng = np.random.default_rng(1)
    Z, weights = rng.integers(0, 6, (300, 2)) / 7 + 1e6, rng.uniform(1, 2, 300)
    distinct = np.unique(Z, axis=0)
    for n_centers in [len(distinct), 1000]:
        centers, new_weights, scatter = compress(Z, weights, np.zeros(300), n_centers)
        order = np.lexsort(centers.T[::-1])
        assert_array_equal(centers[order], distinct)
        expected = [weights[(Z == point).all(axis=1)].sum() for point in distinct]
        assert_allclose(new_weights[order], expected, rtol=1e-14)
        assert_array_equal(scatter, 0)
    assert len(compress(Z, weights, np.zeros(300), len(distinct) - 1)[0]) == len(distinct) - 1


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(2)
    Z, weights = clusters(rng, 1000, 2, 0.2)
    order = rng.permutation(1000)
    one = compress(Z, weights, np.zeros(1000), 50)
    other = compress(Z[order], weights[order], np.zeros(1000), 50)
    for a, b in zip(one, other, strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_points_that_stand_side_by_side_are_told_apart(offset):
    low = np.nextafter(offset + 1, 2 * offset + 2)
    Z = np.array([[offset + 1], [low], [offset + 5], [offset + 5]])
    centers, weights, _ = compress(Z, np.array([1.0, 3.0, 1.0, 1.0]), np.zeros(4), 2)
    assert len(centers) == 2
    assert_array_equal(np.sort(weights), [2, 4])
    tiny = np.array([[0.0], [1e-200], [2e-200]])  # their squares are zero
    assert len(compress(tiny, np.ones(3), np.zeros(3), 2)[0]) <= 2


def test_points_far_from_zero_lose_nothing():
    rng = np.random.default_rng(3)
    Z = np.round(rng.standard_normal((400, 2)) * 1024) / 1024
    near, far = (compress(Z + offset, np.ones(400), np.zeros(400), 30) for offset in (0, 2.0**20))
    assert_allclose(far[0] - 2.0**20, near[0], atol=1e-9)
    assert_allclose(far[2], near[2], rtol=1e-6, atol=1e-9)


# The bound


@each_bounded
@each_metric
@settings(max_examples=15)
@given(
    d=st.sampled_from([1, 2, 3]),
    n=st.integers(2, 40),
    n_centers=st.integers(1, 20),
    width=st.sampled_from([0.001, 0.03, 0.3, 2.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_density_changes_by_more_than_the_bound(name, metric, d, n, n_centers, width, seed):
    kernel, metric, rng = KERNELS[name], METRICS[metric], np.random.default_rng(seed)
    Z, weights = clusters(rng, n, d, width)
    centers, new_weights, scatter = compress(Z, weights, np.zeros(n), n_centers)
    bound = error_bound(kernel, d, metric.code[0] == PRODUCT, metric, new_weights, scatter)
    assert largest_error(kernel, metric, Z, weights, centers, new_weights, rng) <= bound + 1e-13


@each_bounded
def test_the_bound_holds_for_a_stream(name):
    rng = np.random.default_rng(4)
    blocks = [clusters(rng, 200, 2, 0.1) for _ in range(10)]
    Z, weights = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    kept = np.empty((0, 2)), np.empty(0), np.empty(0)
    for block, w in blocks:
        kept = compress(
            np.concatenate([kept[0], block]), np.append(kept[1], w), np.append(kept[2], np.zeros(len(block))), 100
        )
        assert len(kept[0]) == 100
    centers, new_weights, scatter = kept
    assert_allclose(new_weights.sum(), weights.sum(), rtol=1e-12)
    bound = error_bound(KERNELS[name], 2, False, Minkowski(2), new_weights, scatter)
    error = largest_error(KERNELS[name], Minkowski(2), Z, weights, centers, new_weights, rng)
    assert 0 < error <= bound < 1


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_bound_is_no_more_than_thirty_times_the_error_of_clustered_data(d):
    rng = np.random.default_rng(5)
    for width in [0.001, 0.05]:
        Z, weights = clusters(rng, 200, d, width)
        centers, new_weights, scatter = compress(Z, weights, np.zeros(200), 5)
        bound = error_bound(KERNELS["gaussian"], d, False, Minkowski(2), new_weights, scatter)
        error = largest_error(KERNELS["gaussian"], Minkowski(2), Z, weights, centers, new_weights, rng)
        assert error <= bound < 30 * error


def test_the_bound_is_one_at_most_and_zero_where_nothing_was_merged():
    everything = np.array([2.0]), np.array([1e9])
    nothing = np.array([2.0]), np.array([0.0])
    for kernel in BOUNDED.values():
        assert error_bound(kernel, 2, False, Minkowski(2), *everything) == 1
        assert error_bound(kernel, 2, False, Minkowski(2), *nothing) == 0


@pytest.mark.parametrize("is_product", [False, True])
def test_the_tophat_is_refused(is_product):
    with pytest.raises(ValueError, match="tophat kernel jumps at its edge.*n_centers=None"):
        error_bound(KERNELS["tophat"], 2, is_product, Minkowski(2), np.ones(1), np.zeros(1))


# The constants


@pytest.mark.parametrize("d", [1, 2, 3, 10])
@pytest.mark.parametrize("kernel", [*BOUNDED.values(), StudentTKernel(2.5), Power(2, 7), Power(4, 2), Power(3, 1)])
def test_the_constants_are_the_largest_of_the_profile(kernel, d):
    r = np.linspace(0, min(kernel.reach, 12.0), 200_001)
    k = np.exp(kernel.log_value(r**2, d))
    slopes = np.abs(np.diff(k)) / r[1]
    assert_allclose(slopes.max(), kernel.slope_bound(d), rtol=1e-4)
    step = r[1] * 50
    mirrored = np.exp(kernel.log_value(np.arange(-step, min(kernel.reach, 12.0) + 3 * step, step) ** 2, d))
    bends = np.abs(np.diff(mirrored, 2)) / step**2
    if np.isfinite(kernel.curvature(d)):
        assert_allclose(bends.max(), kernel.curvature(d), rtol=2e-2)  # at an edge it takes a step to be seen
        assert bends.max() <= kernel.curvature(d) + 1e-8
    else:
        assert bends.max() > 0.1 / step  # a jump of the slope


def test_round_kernels_have_a_curvature():
    assert {name for name, kernel in KERNELS.items() if np.isfinite(kernel.curvature(2))} == set(ROUND)
    assert {name for name, kernel in KERNELS.items() if np.isinf(kernel.slope_bound(2))} == {"tophat"}


@each_bounded
@each_metric
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_no_straight_line_bends_more_or_is_steeper(name, metric, d):
    kernel, metric, rng = KERNELS[name], METRICS[metric], np.random.default_rng(6)
    is_product, step = metric.code[0] == PRODUCT, 1e-3
    U = rng.standard_normal((d, 20_000)) * rng.uniform(0, 1.5, 20_000)
    U[rng.random(U.shape) < 0.3] *= 1e-3  # near axes and near zero
    V = rng.standard_normal((d, 20_000)) * rng.choice([0.01, 1.0], (d, 20_000))
    V *= step / np.linalg.norm(V, axis=0)
    before, here, after = (values(kernel, metric, U + t * V) for t in (-1, 0, 1))
    assert (np.abs(after - here) / step).max() <= slope(kernel, d, is_product, metric) + 1e-9
    bends = np.abs(before - 2 * here + after).max() / step**2
    assert bends <= curvature(kernel, d, is_product, metric) + 1e-8
    if d == 2 and name == "gaussian" and metric.code[0] == 0:
        assert bends > 0.9


# Speed


def test_a_million_rows_take_seconds():
    rng = np.random.default_rng(7)
    Z = rng.standard_normal((1_000_000, 2))
    begin = time.process_time()
    centers, weights, scatter = compress(Z, np.ones(len(Z)), np.zeros(len(Z)), 1000)
    assert time.process_time() - begin < 20  # 1.7 s on one core at 2 GHz
    assert len(centers) == 1000
    assert scatter.sum() / weights.sum() < 0.01  # that of the best 1000 discs is about 0.003
    assert logsumexp(np.log(weights)) == pytest.approx(np.log(1e6))
