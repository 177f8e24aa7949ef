"""Standard errors where maxima are narrow, and of parameters at the ends of their ranges."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma

from skgen.parametric import (
    Beta,
    Gamma,
    GeneralizedPareto,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    ScipyDensity,
    Weibull,
)
from skgen.parametric._curvature import covariance

N = 500
SHAPES = [3.0, 1e3, 1e5, 1e7]


def errors(model, X):
    return model.fit(X).standard_errors(X)


@pytest.mark.parametrize("shape", SHAPES)
def test_gamma(shape):
    model = Gamma()
    found = errors(model, np.random.default_rng(0).gamma(shape, 2.0, (N, 1)))
    k = model.shape_[0]
    determinant = k * polygamma(1, k) - 1 if k < 1e4 else 1 / (2 * k) + 1 / (6 * k**2)  # DLMF 5.15.8
    relative = np.sqrt(np.array([1 / k, polygamma(1, k)]) / determinant / N)  # of the shape over k, and of the scale
    np.testing.assert_allclose([found["shape_"][0] / k, found["scale_"][0] / model.scale_[0]], relative, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_gaussian(shape):
    model = InverseGaussian()
    found = errors(model, np.random.default_rng(0).wald(1, shape, (N, 1)))
    np.testing.assert_allclose(found["shape_"], model.shape_ * np.sqrt(2 / N), rtol=1e-6)
    np.testing.assert_allclose(found["mean_"], np.sqrt(model.mean_**3 / model.shape_ / N), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_weibull(shape):
    """The errors of the logarithm's location and scale do not know the shape."""
    model, plain = Weibull(), Weibull()
    y = np.random.default_rng(0).weibull(1.0, (N, 1))
    narrow, wide = errors(model, y ** (1 / shape)), errors(plain, y)
    np.testing.assert_allclose(narrow["shape_"] / model.shape_, wide["shape_"] / plain.shape_, rtol=1e-5)
    np.testing.assert_allclose(
        narrow["scale_"] / model.scale_ * model.shape_, wide["scale_"] / plain.scale_ * plain.shape_, rtol=1e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_beta(shape):
    model = Beta()
    found = errors(model, np.random.default_rng(0).beta(shape, 2 * shape, (N, 1)))
    a, b = model.alpha_[0], model.beta_[0]
    if shape < 1e4:
        information = np.diag(polygamma(1, [a, b])) - polygamma(1, a + b)
        expected = np.sqrt(np.diag(np.linalg.inv(information)) / N)
    else:  # the trigamma functions cancel; where the beta law is a normal one, its variance has the error sqrt(2 / n)
        expected = np.array([a, b]) * np.sqrt(2 / N)
    np.testing.assert_allclose([found["alpha_"][0], found["beta_"][0]], expected, rtol=1e-4)


def test_a_size_at_the_end_of_its_range_has_no_error():
    X = np.random.default_rng(0).binomial(20, 0.4, (200, 1))
    model = NegativeBinomial().fit(X)
    found = model.standard_errors(X)
    assert model.size_ == 1e6 and np.isnan(found["size_"])
    np.testing.assert_allclose(found["mean_"], np.sqrt(model.mean_ / 200), rtol=1e-4)


def test_errors_near_the_end_of_a_support():
    """By differences of scipy's log-density and distribution function."""
    law = stats.genpareto(0.2, 0, 2)
    end = law.ppf(0.9)
    x = law.ppf(np.random.default_rng(0).uniform(0, 0.9, 5000))
    model = GeneralizedPareto(truncation=(0, end)).fit(x[:, None])
    scale, shape = model.scale_[0], model.shape_[0]

    def height(h, k):
        law = stats.genpareto(shape + k, 0, scale + h)
        return (law.logpdf(x) - law.logcdf(end)).sum()

    h = 3e-3
    twist = (height(h, h) - height(h, -h) - height(-h, h) + height(-h, -h)) / 4
    hessian = [[height(h, 0) - 2 * height(0, 0) + height(-h, 0), twist],
               [twist, height(0, h) - 2 * height(0, 0) + height(0, -h)]]  # fmt: skip
    expected = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian) / h**2)))
    found = model.standard_errors(x[:, None])
    np.testing.assert_allclose([found["scale_"][0], found["shape_"][0]], expected, rtol=1e-4)


def test_huge_counts_and_huge_scales():
    counts = np.round(1e12 * np.random.default_rng(0).gamma(3, 1, (200, 1)))
    model = Poisson().fit(counts)
    np.testing.assert_allclose(model.standard_errors(counts)["rate_"], np.sqrt(model.rate_ / 200))
    sizes = np.exp(np.random.default_rng(0).normal(size=(200, 1)))
    small, large = Gamma().fit(sizes), Gamma().fit(1e160 * sizes)
    ratio = large.standard_errors(1e160 * sizes)["scale_"] / small.standard_errors(sizes)["scale_"]
    np.testing.assert_allclose(ratio, 1e160, rtol=1e-5)
    np.testing.assert_allclose(ScipyDensity("norm").fit(1e160 * sizes).parameters_[0]["scale"] / 1e160, sizes.std())


def test_what_is_no_maximum_has_no_covariance():
    assert np.isnan(covariance(lambda u: u[0], np.zeros(1))).all()
    assert np.isnan(covariance(lambda u: u[0] ** 2 - u[1] ** 2, np.zeros(2))).all()
    assert np.isnan(covariance(lambda u: 0.0 * u[0], np.zeros(1))).all()
    assert np.isnan(covariance(lambda u: -abs(u[0]), np.zeros(1))).all()
    tilted = np.array([[1e8, 9.999e7], [9.999e7, 1e8]])  # a ridge
    np.testing.assert_allclose(
        covariance(lambda u: -0.5 * u @ tilted @ u, np.zeros(2)), np.linalg.inv(tilted), rtol=1e-6
    )
