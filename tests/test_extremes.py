"""Families of extremes and of the line at their edges: ties, ends of supports, scales, tails, moments, certificates."""

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.special import log_expit
from sklearn.exceptions import ConvergenceWarning
from univariate import column

from skgen.base import UnboundedLikelihood
from skgen.parametric import GEV, Cauchy, GeneralizedPareto, Gumbel, Laplace, LocationScaleT, Logistic, SkewNormal
from skgen.parametric._maximum import Peak, certified
from skgen.parametric._skewed import _log_far_tail, _log_thin_tail


def excess_likelihood(x, share, shape, log_scale):
    """Mean log-density on a grid, by the formula; -inf where a row is outside."""
    shape, scale = np.asarray(shape)[..., None], np.exp(log_scale)[..., None]
    with np.errstate(all="ignore"):
        terms = -np.log(scale) - (1 + 1 / shape) * np.log1p(shape * x / scale)
        return np.nan_to_num(terms @ share, nan=-np.inf, neginf=-np.inf)


def most_likely_excess(x, share):
    """The highest likelihood of a grid and of climbs from its best places; in units of the largest row."""
    zeros = share[x == 0].sum()
    most = min(0.9 * (1 - zeros) / zeros, 60.0) if zeros else 60.0
    middle = np.linspace(-0.499, min(2, most), 51)
    shapes = np.r_[np.geomspace(1e-6, 0.5, 30) - 1, middle, np.geomspace(most / 30, most)]
    scales = np.linspace(np.log(x[x > 0].min()) - 8, 5, 150)
    values = np.array([excess_likelihood(x, share, np.full(150, shape), scales) for shape in shapes])

    def loss(u):
        return -max(excess_likelihood(x, share, np.clip(u[0], -1 + 1e-12, most), u[1]), -1e10)

    best = [0.0]  # of the uniform distribution
    for place in np.argsort(-values, axis=None)[:3]:
        k, m = np.unravel_index(place, values.shape)
        options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 2000}
        best.append(-optimize.minimize(loss, [shapes[k], scales[m]], method="Nelder-Mead", options=options).fun)
    return max(best)


@pytest.mark.parametrize("seed", range(50))
def test_no_excess_law_is_more_likely(seed):
    rng = np.random.default_rng(seed)
    n, shape = rng.choice([2, 3, 5, 15, 60]), rng.choice([-1.0, -0.95, -0.5, 0.2, 2.0])
    x = (rng.random(n) ** -shape - 1) / shape
    if seed % 2:
        x[rng.random(n) < rng.random()] = rng.choice([0.0, x.min()])
    if np.ptp(x) == 0:
        x[0] += 1
    weights = rng.integers(1, 4, n).astype(float)
    model = GeneralizedPareto().fit(column(x), sample_weight=weights)
    own = model.score(column(x), sample_weight=weights)
    best = most_likely_excess(x / x.max(), weights / weights.sum()) - np.log(x.max())
    assert own >= best - 1e-7


def test_zeros_do_not_make_the_likelihood_of_excesses_unbounded():
    model = GeneralizedPareto().fit([[0], [0], [0], [0], [1]])
    assert model.shape_[0] == pytest.approx(0.9 * 0.2 / 0.8)
    assert model.score([[0], [0], [0], [0], [1]]) > 1  # the uniform distribution has 0


@pytest.mark.parametrize("place", [-30.0, 0.3, 30.0])
def test_ties_on_which_a_heavy_tail_collapses(place):
    """A share p of one value is a spike of any height for df < p / (1 - p), wherever that value lies."""
    x = np.random.default_rng(0).standard_normal(100)
    x[:45] = place
    with pytest.raises(UnboundedLikelihood, match=f"45% of X.*one value \\({place:g}\\)"):
        LocationScaleT(df=0.7).fit(column(x))
    assert np.isfinite(LocationScaleT(df=0.9).fit(column(x)).score(column(x)))
    assert np.isfinite(Cauchy().fit(column(x)).score(column(x)))
    x[:60] = place
    with pytest.raises(UnboundedLikelihood, match="collapses"):
        Cauchy().fit(column(x))


@pytest.mark.parametrize("seed", range(20))
def test_a_fit_with_ties_is_a_maximum_or_an_error(seed):
    rng = np.random.default_rng(seed)
    x, tied = rng.standard_t(rng.choice([1, 3, 30]), 200), rng.uniform(0.2, 0.9)
    x[: int(200 * tied)] = rng.choice([0.0, x.min(), 5 * x.max()])
    tied = np.unique(x, return_counts=True)[1].max() / 200
    try:
        model = LocationScaleT().fit(column(x))
    except UnboundedLikelihood:
        assert tied >= 1 / 3
        return
    location, scale, df = (value[0] for value in model._theta())
    assert tied < df / (df + 1)
    own = model.score(column(x))
    for step in (-1e-3, 1e-3):
        near = [(location + step * scale, scale, df), (location, scale * np.exp(step), df)]
        near += [(location, scale, df * np.exp(step))] if 0.5 < df < 9e4 else []
        assert max(model._logpdf(x, *theta).mean() for theta in near) < own


@pytest.mark.parametrize("seed", range(3))
def test_many_ties_with_light_tails_elsewhere_are_no_reason_to_refuse(seed):
    """Two in five rows are one value and the rest is normal: a maximum at many degrees of freedom, whatever the end."""
    x = np.random.default_rng(seed).standard_normal(1000)
    for tied, place in [(340, 2.0), (400, 2.0), (450, 30.0), (400, 30.0)]:
        x[:tied] = place
        assert LocationScaleT().fit(column(x)).df_[0] > 1


@pytest.mark.parametrize("scale, offset", [(1e250, 0.0), (1e-250, 0.0), (1.0, 1e8)])
@pytest.mark.parametrize(
    "family", [Gumbel, GEV, Logistic, Cauchy, LocationScaleT, SkewNormal], ids=lambda f: f.__name__
)
def test_units_do_not_matter(family, scale, offset):
    """Plain, censored and truncated fits in units of 1e250 and 1e-250, and far from the origin."""
    x = np.random.default_rng(0).gumbel(size=(200, 1))
    pairs = np.hstack([np.minimum(x, 1.0), np.where(x > 1, np.inf, x)])
    for options, rows in [({}, x), ({"censoring": "interval"}, pairs), ({"truncation": (-5.0, 10.0)}, x)]:
        moved = dict(options)
        if "truncation" in moved:
            moved["truncation"] = tuple(scale * end + offset for end in moved["truncation"])
        near, far = family(**options).fit(rows), family(**moved).fit(scale * rows + offset)
        np.testing.assert_allclose((far.location_ - offset) / scale, near.location_, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(far.scale_ / scale, near.scale_, rtol=1e-5)
        np.testing.assert_allclose(far.score(scale * rows + offset), near.score(rows) - _units(rows, options, scale))
        assert np.isfinite(far.sample(3, random_state=0)).all()


def _units(rows, options, scale):
    """What the unit adds to the mean log-density: only values that are known have one."""
    known = (rows[:, 0] == rows[:, -1]).mean() if "censoring" in options else 1.0
    return known * np.log(scale)


def fitted(family, *theta):
    """A model of one column with these parameters."""
    model = family().fit(column(np.arange(1.0, 9.0) ** 2))
    model._set([[value] for value in theta])
    return model


@pytest.mark.parametrize("shape", [-2.0, -0.5, -1e-7, 0.0, 1e-12, 1e-7, 0.2, 0.45])
@pytest.mark.parametrize("family", [GEV, GeneralizedPareto], ids=lambda f: f.__name__)
def test_moments_of_extremes_by_quadrature(family, shape):
    model = fitted(family, *(1.5, 2.0, shape)[-len(family._parameters) :])
    mean = integral(model, lambda x: x)
    assert model.mean()[0] == pytest.approx(mean, rel=1e-8)
    assert model.var()[0] == pytest.approx(integral(model, lambda x: (x - mean) ** 2), rel=1e-6)
    if shape > -0.5:  # below, the quadrature's rows are rounded onto the end of the support
        entropy = -integral(model, lambda x: model._logpdf(x, *(value[0] for value in model._theta())))
        assert model.entropy() == pytest.approx(entropy, abs=1e-8)


def integral(model, function):
    """The expectation of a function, over probabilities on the scale of their logit."""

    def term(t):
        x = model._inverse(log_expit(t), log_expit(-t), *(value[0] for value in model._theta()))
        return function(x) * np.exp(log_expit(t) + log_expit(-t))

    return integrate.quad(term, -300, 300, points=[-10, 0, 10, 40], epsabs=0, epsrel=1e-11, limit=500)[0]


def test_moments_that_do_not_exist():
    assert fitted(GEV, 0.0, 1.0, 1.0).mean() == np.inf and fitted(GEV, 0.0, 1.0, 0.5).var() == np.inf
    assert fitted(GeneralizedPareto, 1.0, 1.0).mean() == np.inf
    assert fitted(GeneralizedPareto, 1.0, 0.5).var() == np.inf


TAILS = [  # parameters, a value, log F and log(1 - F): closed forms, betainc and quadrature of mpmath 1.3, 60 digits
    (Logistic, (0.0, 1.0), -300.0, -300.0, -5.148200222412013e-131),
    (Cauchy, (0.0, 1.0), -1e100, -231.40323918525397, -3.183098861837907e-101),
    (Laplace, (0.0, 1.0), 300.0, -2.5741001112060067e-131, -300.69314718055995),
    (Gumbel, (0.0, 1.0), -6.9, -992.2747156050262, 0.0),
    (Gumbel, (0.0, 1.0), 300.0, -5.148200222412013e-131, -300.0),
    (Gumbel, (0.0, 1.0), 1000.0, 0.0, -1000.0),
    (GEV, (0.0, 1.0, 0.5), -1.9, -399.9999999999993, -1.91516959671401e-174),
    (GEV, (0.0, 1.0, 0.5), 1e30, -4e-60, -136.76881121852284),
    (GEV, (0.0, 1.0, -0.3), 3.3, -2.154434690031947e-07, -15.350567394348674),
    (GeneralizedPareto, (1.0, 0.5), 1e-20, -46.051701859880914, -1e-20),
    (GeneralizedPareto, (1.0, -0.3), 3.3, -2.1544349221114222e-07, -15.350567286626942),
    (LocationScaleT, (0.0, 1.0, 3.0), -1e30, -207.13493493041952, -1.102657790843584e-90),
    (LocationScaleT, (0.0, 1.0, 3.0), 1e100, -1.1026577908435840e-300, -690.6778044591691),
    (LocationScaleT, (0.0, 1.0, 30.0), -1e30, -2023.9364919859188, 0.0),
    (LocationScaleT, (0.0, 1.0, 10000.0), 40.0, 0.0, -746.6342824782068),
    (SkewNormal, (0.0, 1.0, 0.5), -40.0, -1008.0559657715149, 0.0),
    (SkewNormal, (0.0, 1.0, 0.5), -20.0, -256.6798909079975, -3.3522759638077e-112),
    (SkewNormal, (0.0, 1.0, 4.0), -8.0, -553.5259262807614, -4.0433806265217e-241),
    (SkewNormal, (0.0, 1.0, 4.0), -1.5, -25.3738155575624, -9.556347165344813e-12),
]


@pytest.mark.parametrize("family, theta, x, lower, upper", TAILS)
def test_far_tails_and_their_quantiles(family, theta, x, lower, upper):
    model = fitted(family, *theta)
    log_f, log_s = model._conditional_log_cdf(column([x]))
    np.testing.assert_allclose([log_f[0, 0], log_s[0, 0]], [lower, upper], rtol=2e-11, atol=1e-305)
    again = model._conditional_ppf(log_f, log_s)[0, 0]
    tails = model._conditional_log_cdf(column([again]))
    smaller = 0 if lower < upper else 1
    np.testing.assert_allclose(tails[smaller][0, 0], [lower, upper][smaller], rtol=1e-11)


@pytest.mark.parametrize("shape", [0.5, 3.0, 1e4])
@pytest.mark.parametrize("family", [LocationScaleT, SkewNormal], ids=lambda f: f.__name__)
def test_tails_are_monotone_where_the_method_changes(family, shape):
    with np.errstate(divide="ignore"):
        lower, upper = family._log_tails(np.linspace(-40, 40, 80_001), 0.0, 1.0, np.float64(shape))
    assert (np.diff(lower) >= 0).all() and (np.diff(upper) <= 0).all()


@pytest.mark.parametrize("shape", [0.0, 0.3, 1.0, 4.0, 1000.0])
def test_both_ways_to_the_thin_tail_agree_where_they_meet(shape):
    z = np.array([3.5 * (1 - 1e-12) / np.hypot(1, shape)])
    shape = np.array([shape])
    np.testing.assert_allclose(_log_far_tail(z, shape), _log_thin_tail(z, shape), rtol=1e-12)


HARD = {
    "few": lambda rng: rng.standard_normal(4),
    "ties": lambda rng: rng.poisson(3, 50).astype(float),
    "small": lambda rng: 1e-200 * rng.standard_normal(20),
    "large": lambda rng: 1e200 * rng.lognormal(0, 3, 20),
    "far": lambda rng: 1e8 + rng.random(100),
    "heavy": lambda rng: rng.standard_cauchy(10_000),
    "spike": lambda rng: np.r_[np.zeros(30), rng.standard_normal(70)],
}


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("family", [Logistic, Cauchy, LocationScaleT, SkewNormal, GEV], ids=lambda f: f.__name__)
def test_fits_are_certified_without_a_warning(family, kind, recwarn):
    for seed in range(5):
        x = column(HARD[kind](np.random.default_rng(seed)))
        assert np.isfinite(family().fit(x).score(x))
    assert not recwarn.list


def test_what_is_not_solved_warns_at_the_callers_line():
    model = Logistic().fit(column([0.0, 1.0, 3.0]))
    peak = Peak(np.array([1.0, 0.0]), -1.0, 1e-3, False)
    with pytest.warns(ConvergenceWarning, match=r"Logistic did not converge in X\[:, 0\]: 1.0e-03 nats") as caught:
        certified(model, peak, model.columns_.name(0))
    assert caught[0].filename == __file__


def test_half_of_the_rows_in_one_value():
    """Two values of one half each have a ridge of equally likely Cauchy laws; with other rows, one collapses."""
    assert np.isfinite(Cauchy().fit(column([1, 1, 2, 2])).score(column([1, 1, 2, 2])))
    with pytest.raises(UnboundedLikelihood, match="50% of X"):
        Cauchy().fit(column([1, 1, 2, 3]))
