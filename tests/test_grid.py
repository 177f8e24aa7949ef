"""Sums through a grid: the promise at every query, the bound that it rests on, and when it pays."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgen.balls import Minkowski
from skgen.nonparametric._kernels import Gaussian
from skgen.nonparametric._sums._direct import Direct
from skgen.nonparametric._sums._grid import Binned, Plan, TooWide, grid_shape, is_worthwhile, tolerated_error

ROUNDING = 1e-13  # of the sums over pairs themselves


def exact(U, log_weights):
    return Direct(U, log_weights, Gaussian(), Minkowski(2))


def clusters(rng, n, d, spread):
    """Clusters of all widths, on and off the nodes, with weights of all sizes."""
    centers = spread * rng.uniform(-1, 1, (5, d))
    U = centers[rng.integers(5, size=n)] + rng.choice([0.0, 0.01, 1.0, 3.0], (n, 1)) * rng.standard_normal((n, d))
    return U, np.log(rng.uniform(1e-3, 1, n)) + rng.choice([0.0, -20.0], n)


def queries(rng, U):
    """At the rows, near, between and far from them."""
    steps = rng.choice([0.0, 0.5, 3.0, 9.0], (150, 1)) * rng.standard_normal((150, U.shape[1]))
    far = np.full((1, U.shape[1]), 1e4)
    return np.concatenate(
        [U[rng.integers(len(U), size=150)] + steps, rng.uniform(U.min(0), U.max(0), (50, len(U[0]))), far]
    )


@given(
    d=st.sampled_from([1, 2, 3]),
    n=st.integers(1, 300),
    spread=st.sampled_from([0.0, 1.0, 12.0]),
    rtol=st.sampled_from([1e-2, 1e-4, 1e-6, 1e-8]),
    atol=st.sampled_from([0.0, 1e-9, 1e-3]),
    log_unit=st.sampled_from([0.0, -800.0]),
    offset=st.sampled_from([0.0, -1e6]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150)
def test_the_promise_is_kept_at_every_query(d, n, spread, rtol, atol, log_unit, offset, seed):
    rng = np.random.default_rng(seed)
    U, log_weights = clusters(rng, n, d, spread)
    U, log_weights = U + offset, log_weights + log_unit
    Q = queries(rng, U)
    own, log_own = rng.integers(-1, n, len(Q)), rng.choice([-np.inf, log_unit - 1], len(Q))
    found = Binned(U, log_weights, rtol, atol * np.exp(log_unit))
    expected = exact(U, log_weights).log_sums(Q)
    promised(found.log_sums(Q) - log_unit, expected - log_unit, rtol, atol)
    there = own >= 0
    expected[there] = exact(U, log_weights).log_sums(Q[there], own[there], log_own[there])
    promised(found.log_sums(Q, own, log_own) - log_unit, expected - log_unit, rtol, atol)


def promised(found, expected, rtol, atol):
    """Whether sums agree as far as was asked for; where they are too small for numbers, whether their logarithms do."""
    visible = expected > -700
    error = np.abs(np.exp(found[visible]) - np.exp(expected[visible]))
    assert (error <= atol + (rtol + ROUNDING) * np.exp(expected[visible])).all()
    if atol == 0:
        assert_allclose(found[~visible], expected[~visible], atol=rtol)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-8])
def test_the_grid_is_as_exact_as_its_bound_says(d, tolerance):
    rng = np.random.default_rng(0)
    U, log_weights = clusters(rng, 300, d, 10.0)
    binned = Binned(U, log_weights, rtol=0.0, atol=4 * tolerance * np.exp(log_weights).sum())
    Q = np.concatenate([queries(rng, U), U.min(axis=0) - np.linspace(0, 3, 50)[:, None]])
    shares, _ = binned._through_grid(Q, None, None, None)
    expected = np.exp(exact(U, log_weights).log_sums(Q) - binned.log_total)
    inside = shares != 0
    error = np.abs(shares - expected)[inside]
    bound = binned.absolute + binned.relative * expected[inside]
    assert (error <= bound).all()
    assert bound.min() < 2 * tolerance
    assert (error / bound).max() > 1e-3  # it is a bound of this method, not of any


@pytest.mark.parametrize("d", [1, 2, 3])
def test_one_centre_anywhere_between_the_nodes_keeps_the_bound(d):
    rng = np.random.default_rng(1)
    for tolerance in [1e-3, 1e-9]:
        for _ in range(4):
            U = rng.uniform(0, 1, (1, d))
            binned = Binned(U, np.zeros(1), rtol=0.0, atol=4 * tolerance)
            Q = U + rng.uniform(-3, 3, (300, d))
            shares, _ = binned._through_grid(Q, None, None, None)
            expected = np.exp(-0.5 * ((Q - U) ** 2).sum(axis=1))
            error, bound = np.abs(shares - expected), binned.absolute + binned.relative * expected
            assert (error <= bound).all()
            assert error.max() > bound.max() * 1e-3


def test_the_check_is_needed_and_made():
    rng = np.random.default_rng(2)
    U = rng.standard_normal((500, 2)) * 5
    binned = Binned(U, np.zeros(500), rtol=1e-4)
    Q = U.max(axis=0) + np.array([[0.0, 0.0], [0.5, 2.9], [2.9, 2.9], [8.0, 0.0]])
    shares, is_kept = binned._through_grid(Q, None, None, None)
    expected = exact(U, np.zeros(500)).log_sums(Q)
    broken = np.abs(shares * 500 / np.exp(expected) - 1) > 1e-4
    assert broken.any()
    assert not (broken & is_kept).any()
    assert_allclose(binned.log_sums(Q), expected, atol=1e-4)
    rows = binned._through_grid(U, None, None, None)[1]
    assert rows.all()  # no row is left to the pairs


def test_a_query_that_leaves_its_only_neighbour_out_goes_to_the_pairs():
    U = np.array([[0.0], [12.0]])
    binned = Binned(U, np.zeros(2), rtol=1e-4)
    own, log_own = np.array([0, 1, -1]), np.full(3, -np.inf)
    found = binned.log_sums(np.array([[0.0], [12.0], [0.0]]), own, log_own)
    assert_allclose(found, [-72, -72, 0], rtol=1e-4, atol=1e-4)


def test_without_a_tolerance_every_sum_is_that_of_pairs():
    U = np.random.default_rng(3).standard_normal((50, 2))
    assert_array_equal(Binned(U, np.zeros(50), 0.0).log_sums(U), exact(U, np.zeros(50)).log_sums(U))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_range_that_no_grid_can_hold_is_refused(d):
    U = np.zeros((2, d))
    U[1] = 1e8 ** (1 / d)
    with pytest.raises(TooWide):
        Binned(U, np.zeros(2), 1e-4)
    assert not is_worthwhile(np.repeat(U, 10_000, axis=0), 10_000, 1e-4)
    with pytest.raises(TooWide):
        grid_shape(np.full(d, np.inf), Plan(d, 1e-6))


def test_threads_give_the_same():
    rng = np.random.default_rng(4)
    U = rng.standard_normal((1000, 2)) * 5
    binned = Binned(U, np.zeros(1000), 1e-6)
    assert_array_equal(binned.log_sums(U, n_jobs=2), binned.log_sums(U))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_bounds_shrink_with_the_tolerance_down_to_rounding(d):
    for tolerance in 10.0 ** -np.arange(3, 12):
        relative, absolute = Plan(d, tolerance).bounds(1, 2**16, 0.1, 50.0)
        assert relative < 2 * tolerance
        assert tolerance / 100 < absolute < tolerance  # whole nodes make it smaller
    assert Plan(d, 1e-16).bounds(1, 2**16, 0.1, 50.0)[1] < 2e-13
    assert tolerated_error(100, 1e-2, 0.0) == 1e-2 / 400
    assert tolerated_error(100, 0.0, 1e-4) == 1e-4 / 4


@pytest.mark.parametrize("d", [2, 3])
def test_the_grid_is_faster_where_it_is_said_to_be(d):
    rng, n = np.random.default_rng(5), 100_000
    U = rng.standard_normal((n, d)) * n ** (1 / (d + 4))  # Scott's rule
    log_weights = np.full(n, -np.log(n))
    assert is_worthwhile(U, n, 1e-4)
    assert not is_worthwhile(U[:1000], 100, 1e-4)
    assert not is_worthwhile(U, n, 0.0)
    assert not is_worthwhile(np.tile(U, (1, 2)), n, 1e-4)
    Binned(U[:500], np.zeros(500), 1e-4).log_sums(U[:500])  # compiles
    direct, some = exact(U, log_weights), U[:: n // 1000]
    direct.log_sums(some)
    begin = time.process_time()
    expected = direct.log_sums(some)
    by_pairs = (time.process_time() - begin) * n / len(some)
    begin = time.process_time()
    found = Binned(U, log_weights, 1e-4).log_sums(U)
    by_grid = time.process_time() - begin
    assert by_grid < by_pairs / 2  # a fiftieth in two dimensions, a tenth in three
    assert_allclose(found[:: n // 1000], expected, atol=1e-4)
