"""Kernels and metrics: masses by quadrature in many dimensions, draws, tails, slopes."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln

from skgen.balls import METRICS, Minkowski, metric_of
from skgen.nonparametric._kernels import KERNELS, StudentTKernel

ALL = {**KERNELS, "student_t of 2.5": StudentTKernel(2.5)}
each_kernel = pytest.mark.parametrize("name", ALL)
DIMENSIONS = [1, 2, 3, 5, 10, 20, 50]


def radial_integral(kernel, d, power=1, extra=0):
    """log of the integral of k(r)^power r^(d - 1 + extra), by quadrature on pieces around the top."""
    log_f = lambda r: power * kernel.log_value(r * r, d) + (d - 1 + extra) * np.log(r)  # noqa: E731
    ends = [0, 0.25, 0.5, 0.75, 0.9, 1] if kernel.reach == 1 else np.append(0, np.geomspace(1e-2, 1e7, 60))
    grid = np.linspace(1e-6, 1 - 1e-6, 1001) if kernel.reach == 1 else np.geomspace(1e-3, 1e7, 4001)
    with np.errstate(divide="ignore"):
        top = log_f(grid).max()
        pieces = [
            quad(lambda r: np.exp(log_f(np.asarray(r)) - top), a, b, epsabs=1e-15, epsrel=1e-12, limit=200)[0]
            for a, b in zip(ends[:-1], ends[1:], strict=True)
        ]
    return top + np.log(np.sum(pieces))


@each_kernel
@pytest.mark.parametrize("d", DIMENSIONS)
def test_mass_is_the_radial_integral(name, d):
    kernel = ALL[name]
    np.testing.assert_allclose(kernel.log_mass(d), radial_integral(kernel, d), rtol=0, atol=1e-10)


@each_kernel
@pytest.mark.parametrize("d", DIMENSIONS)
def test_square_and_second_moment_are_radial_integrals(name, d):
    kernel = ALL[name]
    np.testing.assert_allclose(kernel.log_square(d), radial_integral(kernel, d, power=2), rtol=0, atol=1e-9)
    second = radial_integral(kernel, d, extra=2) - kernel.log_mass(d)
    np.testing.assert_allclose(np.log(kernel.mean_square(d)), second, rtol=0, atol=1e-3 if "2.5" in name else 1e-8)


@each_kernel
@pytest.mark.parametrize("d", [1, 2, 5, 20])
def test_radii_follow_the_radial_density(name, d):
    """Kolmogorov-Smirnov at 1e-6; radii that are a tenth too long are caught."""
    kernel, rng = ALL[name], np.random.default_rng(0)
    radii = kernel.radii(20_000, d, rng)
    grid = np.unique(np.quantile(radii, np.linspace(0, 1, 400)))
    inner, weights = np.polynomial.legendre.leggauss(20)
    edges = np.append(0.0, grid)
    half = np.diff(edges) / 2
    r = edges[:-1, None] + half[:, None] * (1 + inner)
    with np.errstate(divide="ignore"):
        density = np.exp(kernel.log_value(r * r, d) + (d - 1) * np.log(r) - kernel.log_mass(d))
    cdf = np.append(0.0, np.cumsum(half * (density @ weights)))

    def p_value(sample):
        return stats.kstest(sample, lambda x: np.interp(x, edges, cdf)).pvalue

    assert p_value(radii) > 1e-6
    assert (
        p_value(np.minimum(1.03 * radii, kernel.reach) if name == "tophat" and d > 5 else 1.03 * radii) < 1e-6 or d < 5
    )


@each_kernel
def test_tails_are_integrals_of_the_kernel(name):
    kernel = ALL[name]
    u = np.array([0.0, 0.1, 0.5, 0.9, 0.999]) if kernel.reach == 1 else np.array([0.0, 0.3, 2.0, 6.0, 12.0])
    high = 1.0 if kernel.reach == 1 else np.inf
    with np.errstate(divide="ignore"):
        wanted = [
            quad(lambda x: np.exp(kernel.log_value(np.asarray(x * x), 1)), a, high, epsabs=0, epsrel=1e-11)[0]
            for a in u
        ]
    np.testing.assert_allclose(kernel.log_upper_tail(u), np.log(wanted) - np.log(2) - kernel.log_mass(1), atol=1e-9)
    below, above = kernel.log_tails(np.append(-u, u))
    np.testing.assert_allclose(np.logaddexp(below, above), 0, atol=1e-12)
    np.testing.assert_allclose(below[: len(u)], above[len(u) :], rtol=1e-14)


@each_kernel
@pytest.mark.parametrize("d", [1, 3])
def test_slope_is_the_derivative(name, d):
    kernel, s, step = ALL[name], np.array([0.05, 0.3, 0.7]), 1e-6
    numeric = (kernel.log_value(s + step, d) - kernel.log_value(s - step, d)) / (2 * step)
    np.testing.assert_allclose(kernel.log_slope(s, d), numeric, rtol=1e-6, atol=1e-9)


@each_kernel
def test_value_is_one_at_the_centre_and_falls(name):
    kernel = ALL[name]
    s = np.linspace(0, 4, 100)
    for d in (1, 4):
        with np.errstate(divide="ignore"):
            values = np.exp(kernel.log_value(s, d))
        assert values[0] == pytest.approx(1) and (np.diff(values) <= 0).all()
        assert (values[s > 1] == 0).all() == (kernel.reach == 1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_unit_balls(p, d):
    """The volume by counting points of the cube; directions are those of uniform points of the ball."""
    metric, rng = Minkowski(p), np.random.default_rng(0)
    cube = rng.uniform(-1, 1, (200_000, d))
    share = (metric.squared(cube.T) <= 1).mean()
    error = np.sqrt(share * (1 - share) / len(cube)) + 1e-12
    assert abs(np.exp(metric.log_ball(d)) / 2**d - share) < 5 * error
    ball = cube[metric.squared(cube.T) <= 1]
    ours = metric.directions(len(ball), d, rng) * rng.random(len(ball))[:, None] ** (1 / d)
    np.testing.assert_allclose(metric.squared(metric.directions(50, d, rng).T), 1)
    for f in (lambda x: np.abs(x[:, 0]), lambda x: (x**2).prod(axis=1), lambda x: (x**2).sum(axis=1)):
        a, b = f(ball), f(ours)
        assert abs(a.mean() - b.mean()) < 5 * np.sqrt(a.var() / len(a) + b.var() / len(b)) + 1e-12
    second = (ball[:, 0] ** 2).mean() * (d + 2) / d
    assert metric.share(d) == pytest.approx(second, abs=6 * (ball[:, 0] ** 2).std() / np.sqrt(len(ball)) * (d + 2) / d)


def test_euclidean_ball_has_its_volume():
    for d in (1, 2, 10, 50):
        assert Minkowski(2).log_ball(d) == pytest.approx(d / 2 * np.log(np.pi) - gammaln(d / 2 + 1))


def test_slope_of_distances():
    rng = np.random.default_rng(0)
    D = rng.standard_normal((3, 5))
    for p in (1, 1.5, 2, 3, np.inf):
        metric, step = Minkowski(p), 1e-6
        for j in range(3):
            shift = np.zeros((3, 1))
            shift[j] = step
            numeric = (metric.squared(D + shift) - metric.squared(D - shift)) / (2 * step)
            np.testing.assert_allclose(metric.slope(D)[j], numeric, rtol=1e-5, atol=1e-6)


def test_metric_params():
    assert metric_of("minkowski", None)[0].p == 2
    metric, factors = metric_of("minkowski", {"p": 3, "w": [1.0, 8.0]})
    assert metric.p == 3 and factors == pytest.approx([1, 2])
    for name, params, sentence in [
        ("minkowski", {"p": 0.5}, "p must be at least 1"),
        ("minkowski", {"q": 2}, "takes no metric_params"),
        ("euclidean", {"w": [1.0]}, "takes no metric_params"),
        ("minkowski", {"w": [1.0, -1.0]}, "one positive weight"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            metric_of(name, params)
    assert set(METRICS) >= {"euclidean", "manhattan", "chebyshev", "minkowski", "haversine"}


def test_degrees_of_freedom():
    assert repr(StudentTKernel(3)) == "StudentTKernel(df=3)"
    with pytest.raises(ValueError, match="positive and finite"):
        StudentTKernel(0)
