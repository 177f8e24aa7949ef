"""Tails and densities where float64 ends: probabilities below 1e-308, shapes of a million million.

Numbers called mpmath's are computed in 50 digits (150 for the inverse Gaussian law): series and continued fractions of
the incomplete gamma and beta functions, the closed forms elsewhere.
"""

import numpy as np
import pytest
import scipy
from scipy import stats
from scipy.integrate import quad
from univariate import TRUTHS, at, column

from skgen.parametric import (
    Beta,
    Cauchy,
    Exponential,
    Gamma,
    GeneralizedPareto,
    HalfNormal,
    InverseGaussian,
    LogNormal,
    Pareto,
    Uniform,
    VonMises,
    Weibull,
)
from skgen.parametric._bessel import bessel_ratio, bessel_shortfall
from skgen.parametric._quantiles import inverted, log_complement, log_hazard
from skgen.parametric._special import beta_quantile, gamma_quantile, log_beta_tails, log_gamma_tails, stirling_gap

LOWER, UPPER = 0, 1


def tails(family, theta, x):
    return at(family, theta)._conditional_log_cdf(column(x))


MPMATH = [  # family, parameters, x, side, the logarithm of that tail
    (Gamma, (0.001, 1.0), 600.0, UPPER, -613.29937246972608),
    (Gamma, (0.5, 1.0), 750.0, UPPER, -753.88306710538243),
    (Gamma, (2.5, 1.0), 1e-200, LOWER, -1152.4935200993699),
    (Gamma, (2.5, 1.0), 1e5, UPPER, -99983.015279673055),
    (Gamma, (100.0, 1.0), 0.001, LOWER, -1054.515893552739),
    (Gamma, (100.0, 1.0), 3000.0, UPPER, -2566.4702711438115),
    (Gamma, (1e4, 1.0), 5000.0, LOWER, -1936.3029753315976),
    (Gamma, (1e6, 1.0), 9.9e5, LOWER, -53.567042465432428),  # where scipy's series ends too early
    (Gamma, (1e6, 1.0), 1.04e6, UPPER, -783.89531375263303),
    (Beta, (2.0, 3.5), 1e-200, LOWER, -918.97034401290658),
    (Beta, (100.0, 200.0), 0.001, LOWER, -503.44363121653577),
    (Beta, (100.0, 200.0), 0.99, UPPER, -735.1881583721355),
    (Beta, (1e3, 0.1), 0.1, LOWER, -2310.960105822818),
    (Beta, (1e4, 10.0), 0.5, LOWER, -6867.6134955561409),
    (Beta, (1e5, 1e4), 0.97, UPPER, -4606.7003791909993),
    (Beta, (1e6, 1e6), 0.47, LOWER, -3611.855589263314),
    (Beta, (1e6, 2e6), 0.34, UPPER, -302.16349028460639),
    (InverseGaussian, (1.0, 1e-6), 1e-9, LOWER, -503.68066550438163),
    (InverseGaussian, (1.0, 1e-6), 2.0, UPPER, -7.481892330118681),
    (InverseGaussian, (1.0, 1e-6), 1e7, UPPER, -22.728184884830291),
    (InverseGaussian, (1.0, 1e-6), 1e9, UPPER, -524.40592339745709),
    (InverseGaussian, (1.0, 1.0), 0.001, LOWER, -502.68116550934453),
    (InverseGaussian, (1.0, 1.0), 2000.0, UPPER, -1010.6288921764142),
    (InverseGaussian, (1.0, 1e4), 0.5, LOWER, -2504.8900085338221),
    (InverseGaussian, (1.0, 1e8), 0.999, LOWER, -53.281320891805258),
    (InverseGaussian, (1.0, 1e8), 1.001, UPPER, -53.181349668525102),
    (InverseGaussian, (1.0, 1e8), 3.0, UPPER, -66666677.632933802),
]


@pytest.mark.parametrize("family, theta, x, side, expected", MPMATH)
def test_tails_as_mpmath_has_them(family, theta, x, side, expected):
    both = tails(family, theta, [x])
    assert both[side] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(both[1 - side], np.log1p(-np.exp(expected)), rtol=1e-11)  # next to one, or nearly


def test_tails_that_have_closed_forms():
    x = np.geomspace(1e-280, 1e5, 200)
    h = x / 3
    with np.errstate(under="ignore"):
        for family, theta in [(Exponential, (1 / 3,)), (Gamma, (1.0, 3.0)), (Weibull, (1.0, 3.0))]:
            lower, upper = tails(family, theta, x)
            np.testing.assert_allclose(upper[:, 0], -h, rtol=1e-13)
            np.testing.assert_allclose(lower[:, 0], log_complement(-h), rtol=1e-13, atol=1e-300)
        upper = tails(Gamma, (2.0, 1.0), [750.0, 1e4])[1][:, 0]
        np.testing.assert_allclose(upper, np.log1p([750, 1e4]) - [750, 1e4], rtol=1e-14)
        u = np.geomspace(1e-200, 0.9, 50)
        for b in (1.0, 30.0, 1e6):
            np.testing.assert_allclose(tails(Beta, (1.0, b), u)[1][:, 0], b * np.log1p(-u), rtol=1e-12)
            np.testing.assert_allclose(tails(Beta, (b, 1.0), u)[0][:, 0], b * np.log(u), rtol=1e-12)
        np.testing.assert_allclose(tails(Weibull, (1e3, 1.0), [0.3])[0], 1e3 * np.log(0.3), rtol=1e-14)
        np.testing.assert_allclose(tails(Pareto, (2.0, 1.5), [1.5e100])[0], -1e-200, rtol=1e-12)


def test_a_row_beyond_the_reach_of_probabilities_is_a_row():
    """A time of which only is known that it exceeds 750 means."""
    model = at(Exponential, (1.0,))
    for censored in (at(Gamma, (1.0, 1.0), censoring="interval"), at(Weibull, (1.0, 1.0), censoring="interval")):
        terms = censored._log_terms(np.array([[750.0]]), np.array([[np.inf]]), censored._theta())
        assert terms == pytest.approx(-750, rel=1e-14) and model._conditional_log_cdf(column([750.0]))[1] == -750
    far = Gamma(censoring="interval").fit([[1.0, 1.0], [2.0, 2.0], [1.5, 1.5], [3.0, np.inf], [1e4, np.inf]])
    assert np.isfinite(far.score([[1.0, 1.0], [2.0, 2.0], [1.5, 1.5], [3.0, np.inf], [1e4, np.inf]]))
    window = at(Gamma, (2.0, 1.0), truncation=(800.0, np.inf))
    np.testing.assert_allclose(window.mean(), 800 + (800 + 2) / 801, rtol=1e-9)  # the mean excess of Erlang's law
    np.testing.assert_allclose(window.cdf(window.ppf(column([0.01, 0.5, 0.99])))[:, 0], [0.01, 0.5, 0.99], rtol=1e-9)


DENSITIES = [
    (Gamma, (1e6, 1.0), 1003000.0, -12.32070960602113),
    (Gamma, (1e9, 1.0), 1000060000.0, -13.080559453201128),
    (Gamma, (1e12, 1.0), 999997500000.0, -17.859451799509004),
    (Beta, (1e6, 1e6), 0.501, 3.0285333916040418),
    (Beta, (1e9, 3e9), 0.25001, 9.9061554123767171),
    (Beta, (1e12, 1e12), 0.499999, 9.9362927958094382),
    (Beta, (1e12, 2.0), 1 - 2.0**-40, 26.626660307687852),
    (Weibull, (1e6, 1.0), 0.999997, 10.765722213657185),
    (Weibull, (1e12, 1.0), 1.000000000001, 25.912586520472151),
    (InverseGaussian, (1.0, 1e12), 1.000003, 8.3965810248001171),
]


@pytest.mark.parametrize("family, theta, x, expected", DENSITIES)
def test_densities_of_narrow_laws_as_mpmath_has_them(family, theta, x, expected):
    assert at(family, theta).score_samples([[x]]) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("family, theta", [(Gamma, (999.0, 2.0)), (Beta, (400.0, 599.0)), (Weibull, (999.0, 2.0))])
def test_both_forms_of_a_density_agree(family, theta):
    """On either side of the shape from which a log-density is written otherwise, and for columns on both sides."""
    rng = np.random.default_rng(0)
    x, one = family._draw((100, 1), rng, *theta), np.ones(2)
    shapes = [np.array([1.0, 2.0]) * value if family is Beta else value * one for value in theta]
    if family is not Beta:
        shapes[0] = np.array([theta[0], 2 * theta[0]])
    wide = family._logpdf(np.hstack([x, x]), *shapes)
    np.testing.assert_allclose(wide[:, 0], family._logpdf(x[:, 0], *theta), rtol=1e-11)


def test_variances_of_narrow_laws():
    mpmath = {0.5: 20.0, 3.0: 0.10533288486847873, 1e3: 1.6406426814849911e-6, 1e8: 1.6449340238174553e-16}
    for shape, expected in mpmath.items():
        np.testing.assert_allclose(at(Weibull, (shape, 2.0)).var(), 4 * expected, rtol=1e-13)
    np.testing.assert_allclose(at(LogNormal, (2.0, 1e-8)).var(), 1e-16 * np.exp(4), rtol=1e-14)
    np.testing.assert_allclose(at(LogNormal, (1.0, 0.7)).var(), stats.lognorm(0.7, scale=np.e).var(), rtol=1e-13)
    shape = np.array([19.999, 20.001])  # on both sides of where the series begins
    model = at(Weibull, (shape[0], 1.0))
    model._set((shape, np.ones(2)))
    assert np.diff(model.var() * shape**2) == pytest.approx(0, abs=1e-4)
    for family in (Weibull, LogNormal):
        model = at(family, TRUTHS[family], truncation=(1.0, 9.0))
        drawn = model.sample(50_000, random_state=0)
        np.testing.assert_allclose(model.var(), drawn.var(), rtol=0.05)


@pytest.mark.parametrize("mean, shape", [(1e300, 1e300), (1e-300, 1e-300), (1.0, 1e-8), (1.0, 1e10), (2.0, 5.0)])
def test_draws_of_inverse_gaussian_laws_at_any_scale(mean, shape):
    model = at(InverseGaussian, (mean, shape))
    X = model.sample(5000, random_state=0)
    assert np.isfinite(X).all() and (X > 0).all()
    assert stats.kstest(model.cdf(X)[:, 0], "uniform").pvalue > 1e-4


# Quantiles and windows of all families

LEVELS = np.array([-1.0, -30.0, -600.0, -1000.0])
# scipy 1.13 inverts incomplete gamma, beta and Student's functions to fewer digits
INVERSES = 1e-12 if np.lib.NumpyVersion(scipy.__version__) >= "1.14.0" else 1e-9
UNDERFLOWS = {  # how far down the smaller tail a float64 lies that has the quantile's digits: (lower, upper)
    Cauchy: (-600, -600),
    Exponential: (-600, -1000),
    HalfNormal: (-600, -1000),
    GeneralizedPareto: (-600, -1000),
    Pareto: (-1, -1000),  # above its scale, and so next to it
    Uniform: (-1, -1),
    Beta: (-1000, -30),  # next to one
    VonMises: (-1, -1),  # next to the ends of the turn
}
CONTINUOUS = [family for family in TRUTHS if not family()._support.discrete]


@pytest.mark.parametrize("family", CONTINUOUS, ids=lambda f: f.__name__)
def test_quantiles_have_the_tails_they_were_asked_for(family):
    """In logarithms, relative to the smaller tail."""
    model = at(family, TRUTHS[family])
    for side, lowest in enumerate(UNDERFLOWS.get(family, (-1000, -1000))):
        small = column(LEVELS[lowest <= LEVELS])
        both = (small, log_complement(small)) if side == LOWER else (log_complement(small), small)
        again = model._conditional_log_cdf(model._conditional_ppf(*both))
        np.testing.assert_allclose(again[side], small, rtol=INVERSES)


@pytest.mark.parametrize("family", CONTINUOUS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("side", [LOWER, UPPER])
def test_windows_far_out_have_the_mass_of_their_density(family, side):
    """A window of one nat, by quadrature of the density relative to its highest value there."""
    theta = TRUTHS[family]
    lowest = UNDERFLOWS.get(family, (-1000, -1000))[side]
    for level in (-1.0, -20.0, -40.0, -590.0, -950.0):
        if level - 1 < lowest and level != -1:
            continue
        small = np.array([level - 1, level])
        both = (small, log_complement(small)) if side == LOWER else (log_complement(small), small)
        low, high = np.sort(family._inverse(*both, *theta))
        top = family._logpdf(np.array([low, high]), *theta).max()

        def relative(x, top=top):
            return np.exp(family._logpdf(np.array([x]), *theta)[0] - top)

        mass = quad(relative, low, high, epsabs=0, epsrel=1e-13, limit=200)[0]
        ours = at(family, theta)._log_mass(np.array([low]), np.array([high]), tuple(np.array([v]) for v in theta))
        np.testing.assert_allclose(ours, np.log(mass) + top, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [0.5, 30.0, 1e4, 1e6])
def test_quantiles_at_large_and_small_shapes(shape):
    small = np.array([-0.7, -5.0, -100.0, -600.0, -1e4])
    for log_u, log_v in [(small, log_complement(small)), (log_complement(small), small)]:
        x = gamma_quantile(shape, log_u, log_v)
        kept = x > 1e-290
        again = np.where(log_u < log_v, *log_gamma_tails(shape, x))
        np.testing.assert_allclose(again[kept], small[kept], rtol=INVERSES)
        x = beta_quantile(shape, 2 * shape, log_u, log_v)
        kept = (x > 1e-290) & (x < 0.99)
        again = np.where(log_u < log_v, *log_beta_tails(shape, 2 * shape, x))
        np.testing.assert_allclose(again[kept], small[kept], rtol=INVERSES)


@pytest.mark.parametrize("ratio", [1e-6, 1e-3, 1.0, 100.0, 1e4, 1e8])
def test_quantiles_of_inverse_gaussian_laws(ratio):
    small = np.array([-0.7, -5.0, -100.0, -600.0, -1e4])
    for log_u, log_v in [(small, log_complement(small)), (log_complement(small), small)]:
        x = InverseGaussian._inverse(log_u, log_v, 2.0, 2.0 * ratio)
        again = np.where(log_u < log_v, *InverseGaussian._log_tails(x, 2.0, 2.0 * ratio))
        np.testing.assert_allclose(again, small, rtol=1e-11)


def test_inversion_has_rows_of_columns_that_differ():
    scale = np.array([1e-3, 1.0, 1e3])
    log_u = np.log(np.random.default_rng(0).random((50, 3)))

    def log_tails(t):
        return log_complement(-np.exp(t) / scale), -np.exp(t) / scale

    def log_density(t):
        return t - np.log(scale) - np.exp(t) / scale

    t = inverted(log_tails, log_density, log_u, log_complement(log_u))
    np.testing.assert_allclose(np.exp(t), -scale * log_complement(log_u), rtol=1e-12)


def test_helpers_at_their_ends():
    np.testing.assert_allclose(log_complement(np.array([-np.inf, -1e-300, -1e3])), [0, np.log(1e-300), 0], atol=1e-300)
    log_u = np.array([-1000.0, -50.0, -1.0, -1e-3])
    expected = [-1000.0, -50.0, np.log(-np.log1p(-np.exp(-1.0))), np.log(-np.log(-np.expm1(-1e-3)))]
    np.testing.assert_allclose(log_hazard(log_u, log_complement(log_u)), expected, rtol=1e-14)
    assert stirling_gap(np.array([1e-3, 49.999, 50.001]))[1:] == pytest.approx(1 / 600, rel=1e-4)


# Angles


@pytest.mark.parametrize("direction", [0.0, 0.5, -3.0, np.pi])
@pytest.mark.parametrize("kappa", [1e-3, 0.8, 4.0, 30.0, 200.0, 1e4])
def test_the_distribution_function_of_an_angle(direction, kappa):
    """By quadrature of the density from -pi on, and both tails by their own digits."""
    model = at(VonMises, (direction, kappa))
    peak = np.mod(direction + np.pi, 2 * np.pi) - np.pi
    places = np.clip(peak + np.array([-12, -3, -0.5, 0.0, 0.1, 2, 9]) / np.sqrt(max(kappa, 1)), -3.0, 3.0)
    x = np.unique(np.r_[-3.1, -1.0, 2.0, 3.1, places])
    steps = np.array([1e-3, 0.01, 0.1, 0.3, 1, 2, 4, 8, 16]) / np.sqrt(max(kappa, 1))
    cuts = np.r_[x, peak - steps, peak + steps, -peak, np.pi, -np.pi]
    cuts = np.unique(cuts[np.abs(cuts) <= np.pi])

    def density(a):
        return np.exp(VonMises._logpdf(np.array([a]), direction, kappa)[0])

    parts = np.array([quad(density, *ends, epsabs=0, epsrel=1e-13)[0] for ends in zip(cuts, cuts[1:], strict=False)])
    lower = np.array([parts[cuts[1:] <= end].sum() for end in x])
    upper = np.array([parts[cuts[:-1] >= end].sum() for end in x])
    log_f, log_s = model._conditional_log_cdf(column(x))
    seen = (lower > 1e-250) & (upper > 1e-250)
    np.testing.assert_allclose(log_f[seen, 0], np.log(lower[seen]), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(log_s[seen, 0], np.log(upper[seen]), rtol=1e-11, atol=1e-12)


def test_distribution_functions_of_angles_as_scipy_has_them():
    x = column(np.linspace(-3.1, 3.1, 41))
    for kappa in (0.1, 2.0, 20.0):  # from 50 on scipy's is a normal approximation
        law = stats.vonmises(kappa)
        expected = law.cdf(x) - law.cdf(-np.pi)
        np.testing.assert_allclose(at(VonMises, (0.0, kappa)).cdf(x), expected, atol=1e-9)


def test_an_angle_counts_by_its_place_on_the_turn():
    model = at(VonMises, (0.3, 2.0))
    x = column([-3.0, 0.1, 2.9])
    np.testing.assert_allclose(model.cdf(x + 2 * np.pi), model.cdf(x), rtol=1e-13)
    np.testing.assert_allclose(model.cdf(x - 4 * np.pi), model.cdf(x), rtol=1e-13)
    np.testing.assert_array_equal(model.cdf([[-np.pi], [np.pi]]), [[0], [1]])


@pytest.mark.parametrize("direction", [0.0, 0.5, -3.0, np.pi])
@pytest.mark.parametrize("kappa", [1e-3, 4.0, 200.0, 1e6])
def test_quantiles_of_angles(direction, kappa):
    model = at(VonMises, (direction, kappa))
    u = np.linspace(0.001, 0.999, 101)
    spacing = np.spacing(np.pi) * np.sqrt(kappa)  # of angles, as a probability
    np.testing.assert_allclose(model.cdf(model.ppf(column(u)))[:, 0], u, rtol=1e-11, atol=spacing)


MPMATH_OF_ANGLES = {  # concentration: circular variance, entropy
    1e-3: (0.99950000006249999, 1.8378768164093924),
    4.0: (0.13647738897544942, 0.80875941782660246),
    60.0: (0.0083686498757912276, -0.62401375138803825),
    1e4: (5.0001250125019535e-5, -3.1862066509081582),
    1e12: (5.00000000000125e-13, -12.396572024759351),
}


@pytest.mark.parametrize("kappa", MPMATH_OF_ANGLES)
def test_moments_of_angles_as_mpmath_has_them(kappa):
    variance, entropy = MPMATH_OF_ANGLES[kappa]
    model = at(VonMises, (0.3, kappa))
    assert model.var() == pytest.approx(variance, rel=1e-12)
    assert model.entropy() == pytest.approx(entropy, rel=1e-13)
    assert model.mean() == 0.3


def test_what_a_resultant_lacks_of_one():
    x = np.r_[0, np.geomspace(1e-3, 30, 20)]
    for order in (0.5, 1.0, 1.5, 7.0, 60.0):
        np.testing.assert_allclose(bessel_shortfall(order, x), 1 - bessel_ratio(order, x), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(bessel_shortfall(0.5, 9.0), 2 / (np.exp(18.0) + 1), rtol=1e-9)  # 1 - tanh
    np.testing.assert_allclose(1e200 * bessel_shortfall(1.5, 1e200), 1, rtol=1e-12)  # coth x - 1 / x
