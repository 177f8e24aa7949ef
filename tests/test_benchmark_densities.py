"""The 28 benchmark densities: R's numbers, and density, distribution function, quantiles and draws that agree."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from skgen.datasets import BENCHMARK_DENSITIES, BenchmarkDensity, make_benchmark_density

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "benchden.json").read_text())
# R searches these quantiles, within about 1e-4 (the default tolerance of uniroot is eps^(1/4) = 1.22e-4): there its own
# distribution function, which ours equals to 1e-12, misses the probability by up to 4.2e-5.
SEARCHED_BY_R = {
    "logarithmic peak",
    "Marronite",
    "skewed bimodal",
    "claw",
    "smooth comb",
    "caliper",
    "bilogarithmic peak",
}
INFINITE_ROUGHNESS = {"infinite peak", "Matterhorn", "chi-square 1", "normal cubed"}
GRID = (np.arange(200) + 0.5) / 200

each = pytest.mark.parametrize("density", BENCHMARK_DENSITIES, ids=lambda density: density.name)
each_golden = pytest.mark.parametrize(
    ("density", "golden"),
    list(zip(BENCHMARK_DENSITIES, GOLDEN["densities"], strict=True)),
    ids=lambda entry: getattr(entry, "name", ""),
)


def pdf(density, x):
    return np.exp(density.score_samples(np.reshape(x, (-1, 1)))).reshape(np.shape(x))


def panels(density):
    """Left and right ends of intervals so short that a Gauss-Legendre rule of 12 nodes will do.

    They shrink towards every break and, at 0, where densities have poles, down to the smallest numbers; they leave a
    millionth of the mass out on either side that has no end.
    """
    low, high = density.ppf([1e-6, 1 - 1e-6])
    low, high = (end if np.isfinite(end) else tail for end, tail in zip(density.support, (low, high), strict=True))
    # 2^-45, for a node beside a break at 1 must not round to it
    sizes = np.concatenate([2.0 ** -np.arange(1.0, 1020), 2.0 ** np.arange(-45, 45, 0.5)])
    beside = [sign * sizes for sign in (-1, 1)]
    beside += [centre + sign * sizes[sizes >= 2.0**-45] for centre in density.breaks for sign in (-1, 1)]
    edges = np.concatenate([[low, high], density.breaks, np.linspace(-25, 25, 1001), *beside])
    edges = np.unique(edges[(edges >= low) & (edges <= high) & (edges != 0)])
    left, right = edges[:-1], edges[1:]
    whole = (left > 0) | (right < 0)
    return left[whole], right[whole]


def quadrature(function, left, right):
    """Integral of a function over each panel."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    x = left[:, None] + (right - left)[:, None] * (nodes + 1) / 2  # (panels, nodes)
    return function(x) @ weights * (right - left) / 2


# R's numbers


@each_golden
def test_density_and_distribution_function_are_those_of_r(density, golden):
    x = np.array(golden["x"])
    assert density.name == golden["name"].replace("(", "").replace(")", "")
    assert density.number == golden["dnum"]
    assert_allclose(pdf(density, x), golden["pdf"], rtol=1e-12, atol=0)
    assert_allclose(density.cdf(x), golden["cdf"], rtol=1e-12, atol=0)


@each_golden
def test_quantiles_are_those_of_r(density, golden):
    p, quantiles = np.array(GOLDEN["p"]), np.array(golden["q"])
    ours = density.ppf(p)
    if density.name == "trimodal uniform":  # the upper ends of its gaps, where ours are the lower ends
        assert_array_equal([ours[1], quantiles[1], ours[3], quantiles[3]], [-20, -1, 1, 20])
        assert_allclose(density.cdf(quantiles), p, rtol=1e-12)
        ours[[1, 3]] = quantiles[[1, 3]]
    if density.name in SEARCHED_BY_R:
        assert_allclose(ours, quantiles, rtol=0, atol=3e-5)
        assert 1e-9 < np.abs(density.cdf(quantiles) - p).max() < 5e-5  # if R's were exact, they would belong below
        assert np.abs(density.cdf(ours) - p).max() < 1e-14
    else:
        assert_allclose(ours, quantiles, rtol=1e-12, atol=1e-15)


# Density, distribution function and quantiles agree


@each
def test_the_density_is_the_slope_of_the_distribution_function(density):
    left, right = panels(density)
    masses = quadrature(lambda x: pdf(density, x), left, right)
    assert_allclose(masses, density.cdf(right) - density.cdf(left), rtol=1e-9, atol=1e-14)
    assert_array_equal(density.cdf(density.support), [0, 1])
    assert_array_equal(density.cdf([-np.inf, np.inf]), [0, 1])
    nearest_to_0 = 2 * 2 / 1019 / np.log(2) / 2 if density.name == "Matterhorn" else 0
    assert masses.sum() == pytest.approx(1 - nearest_to_0, abs=2.1e-6)


def rounding(density, x):
    """How much the distribution function changes from one float to the next."""
    return np.spacing(np.abs(x)) * pdf(density, x)


@each
def test_quantiles_invert_the_distribution_function(density):
    x = density.ppf(GRID)
    assert (np.diff(x) >= 0).all()
    assert_allclose(density.ppf(density.cdf(x)), x, rtol=1e-12, atol=1e-14)
    exact = abs(GRID - 0.5) > (0.003 if density.name == "Matterhorn" else 0)  # nearer to 0 than the smallest float
    x, p = x[exact], GRID[exact]
    assert (np.abs(density.cdf(x) - p) <= 1e-14 * p + 2e-16 + rounding(density, x)).all()
    assert_array_equal(density.ppf([0, 1]), density.support)
    assert density.ppf(GRID.reshape(20, 10)).shape == density.cdf(GRID.reshape(20, 10)).shape == (20, 10)
    assert np.shape(density.ppf(0.3)) == np.shape(density.cdf(0.3)) == ()


@each
def test_quantiles_far_out(density):
    p = np.array([1e-15, 1e-12, 1e-8, 1e-4])
    low, high = density.ppf(p), density.ppf(1 - p)
    last_digit = 3e-16 if np.isfinite(density.support[0]) else 0  # near an end, x itself has no more digits
    assert (np.abs(density.cdf(low) - p) <= 1e-13 * p + last_digit + rounding(density, low)).all()
    assert (np.abs(density.cdf(high) - (1 - p)) <= 3e-16 + rounding(density, high)).all()


@each
def test_roughness(density):
    if density.name in INFINITE_ROUGHNESS:
        assert density.roughness == np.inf
        scales = 10.0 ** -np.arange(2, 300, 50)
        log_weights = np.log(scales) + 2 * density.score_samples(scales[:, None])
        assert (log_weights >= log_weights[0] - 1e-9).all()  # the squared density beside 0 weighs no less near it
    else:
        left, right = panels(density)
        squared = quadrature(lambda x: pdf(density, x) ** 2, left, right).sum()
        assert density.roughness == pytest.approx(squared, rel=1e-9)


def test_a_quadrature_between_the_breaks():
    for name in ("caliper", "trimodal uniform", "sawtooth", "isosceles triangle", "bilogarithmic peak"):
        density = BenchmarkDensity(name)
        parts = [
            integrate.quad(lambda x, density=density: float(pdf(density, x)), *ends)[0]
            for ends in zip(density.breaks[:-1], density.breaks[1:], strict=True)
        ]
        assert sum(parts) == pytest.approx(1, abs=1e-9)


@each
def test_breaks(density):
    low, high = density.support
    assert list(density.breaks) == sorted(set(density.breaks))
    assert {end for end in (low, high) if np.isfinite(end)} <= set(density.breaks)
    assert all(low <= point <= high for point in density.breaks)
    outside = [end + sign for end, sign in ((low, -1), (high, 1)) if np.isfinite(end)]
    assert_array_equal(pdf(density, np.array(outside)), np.zeros(len(outside)))


@pytest.mark.parametrize(
    ("name", "poles"),
    [
        ("infinite peak", [0]),
        ("Matterhorn", [0]),
        ("logarithmic peak", [0]),
        ("chi-square 1", [0]),
        ("normal cubed", [0]),
        ("bilogarithmic peak", [0, 1]),
    ],
)
def test_poles(name, poles):
    assert_array_equal(BenchmarkDensity(name).score_samples(np.array(poles)[:, None]), np.full(len(poles), np.inf))


@each
def test_far_out(density, recwarn):
    far = np.array([1e200, -1e200, 1.7e308, -1.7e308, 5e-324, -5e-324, 0.0])
    scores = density.score_samples(far[:, None])
    assert not np.isnan(scores).any()
    assert (scores[:4] < -400).all()
    assert not np.isnan(density.cdf(far)).any()
    assert density.score_samples(np.empty((0, 1))).shape == (0,)
    assert not recwarn.list


# Draws


@each
def test_draws_follow_the_distribution_function(density):
    X = density.sample(50_000, random_state=0)
    assert X.shape == (50_000, 1)
    assert np.isfinite(density.score_samples(X)).all()
    assert stats.kstest(X[:, 0], density.cdf).pvalue > 1e-6
    assert stats.kstest(X[:, 0], lambda x: density.cdf(x) ** 1.05).pvalue < 1e-6  # what the test can see


def test_the_test_of_draws_sees_the_parts_of_a_mixture():
    X = BenchmarkDensity("claw").sample(50_000, random_state=0)[:, 0]
    assert stats.kstest(X, BenchmarkDensity("normal").cdf).pvalue < 1e-6


def test_same_seed_same_draw():
    for density in BENCHMARK_DENSITIES:
        X = density(5, random_state=0)
        assert_array_equal(X, make_benchmark_density(density.number, 5, random_state=0))
        assert_array_equal(X, pickle.loads(pickle.dumps(density)).sample(5, random_state=np.random.default_rng(0)))
        assert not np.array_equal(X, density.sample(5, random_state=1))
    assert make_benchmark_density("claw").shape == (1000, 1)


# By name and number


def test_names_and_numbers():
    assert [density.number for density in BENCHMARK_DENSITIES] == list(range(1, 29))
    assert all(density == BenchmarkDensity(density.name) for density in BENCHMARK_DENSITIES)
    assert repr(BenchmarkDensity(np.int64(24))) == "BenchmarkDensity(name='smooth comb')"
    assert len(set(BENCHMARK_DENSITIES)) == 28


@pytest.mark.parametrize("name", [0, 29, -1, "klaw", 2.5, None, ["claw"]])
def test_no_such_density(name):
    with pytest.raises(ValueError, match="Give a number from 1 to 28, or one of 'uniform', 'exponential', 'Maxwell'"):
        BenchmarkDensity(name)


def test_wrong_input():
    density = BenchmarkDensity("claw")
    with pytest.raises(ValueError, match=r"on the line.*\(n_samples, 1\), got shape \(3,\).*x\[:, None\]"):
        density.score_samples([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"X\[1, 0\] = nan"):
        density.score_samples([[0.0], [np.nan]])
    for p in (-0.1, 1.5, np.nan):
        with pytest.raises(ValueError, match=f"wants probabilities, got {p}. Give numbers from 0 to 1"):
            density.ppf([0.5, p])
    with pytest.raises(ValueError, match="whole number"):
        density.sample(0)
    assert np.isnan(density.cdf(np.nan))
