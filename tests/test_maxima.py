"""Every fit is a maximum of the likelihood, and comes as near to the truth as the information says."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy import stats
from univariate import PARAMETERS, REGULAR, TRUTHS, at, draw, unfitted

from skgen.parametric import (
    GEV,
    Bernoulli,
    Binomial,
    GeneralizedPareto,
    LocationScaleT,
    NegativeBinomial,
    Pareto,
    SkewNormal,
    Uniform,
)
from skgen.parametric._maximum import differences
from skgen.parametric._partial import Line


@pytest.mark.parametrize("family", REGULAR, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [30, 1000])
def test_the_score_equations_are_solved(family, n):
    """The gradient of the log-likelihood a row vanishes at the fit, in coordinates of order one."""
    X = np.hstack([draw(family, n, seed) for seed in range(2)])
    weight = np.random.default_rng(0).integers(1, 4, n).astype(float)
    model = unfitted(family).fit(X, sample_weight=weight)
    line, theta = Line(model, X), model._theta()

    def value(u):
        return weight @ model._log_terms(X, X, line.theta(u, theta)) / weight.sum()

    # a skewness of some hundreds, whose density is nearly cut off, wants a finer stencil
    is_cut_off = family is SkewNormal and (np.abs(model.shape_) > 20).any()
    gradient = np.abs(differences(value, line.point(theta), 1e-5 if is_cut_off else 1e-3)[1])
    inside = np.full(2, True)  # an estimate at the end of its range is no root
    for name, (low, high) in family._ranges.items():
        inside &= (low < getattr(model, name)) & (getattr(model, name) < high)
    assert inside.any() or n == 30
    assert (gradient[:, inside] < 1e-8).all()


@pytest.mark.parametrize("family", [f for f in TRUTHS if f is not Binomial], ids=lambda f: f.__name__)
def test_no_neighbour_is_more_likely(family):
    """Neither the truth nor random neighbours of the fit have a higher likelihood."""

    @examples(max_examples=25)
    @given(st.data())
    def fit_is_highest(data):
        theta = [data.draw(PARAMETERS[domain]) for domain in family._parameters.values()]
        theta = [
            np.clip(v, *family._ranges.get(k, (-200, 200))) for k, v in zip(family._parameters, theta, strict=True)
        ]
        if family is Uniform:
            theta = sorted([theta[0], theta[1] + 5])
        truth = at(family, theta)
        n = data.draw(st.sampled_from([30, 300]))
        X = truth.sample(n, random_state=data.draw(st.integers(0, 999)))
        if len(np.unique(X)) < 3:
            return
        model = unfitted(family).fit(X)
        highest = model.score(X)
        slack = 1e-9 * (1 + abs(highest))
        assert highest >= truth.score(X) - slack
        rng, line = np.random.default_rng(0), Line(model, X)
        here = line.point(model._theta())
        for size in (1e-4, 1e-2, 0.3):
            for _ in range(5):
                there = line.theta(here + size * rng.standard_normal(here.shape), model._theta())
                if all(low <= v <= high for v, (low, high) in _with_ranges(family, there)):
                    assert at(family, [v[0] for v in there]).score(X) <= highest + slack

    fit_is_highest()


def _with_ranges(family, theta):
    names = zip(family._parameters, theta, strict=True)
    return [(v[0], family._ranges.get(name, (-np.inf, np.inf))) for name, v in names]


@pytest.mark.parametrize("family", [f for f in TRUTHS if f not in (Uniform, Pareto)], ids=lambda f: f.__name__)
def test_estimates_spread_as_the_information_says(family):
    """Over 60 samples of 500 rows, fitted as 60 columns, (estimate - truth) / error has variance one."""
    n, n_fits = 500, 60
    X = np.random.default_rng(1).permutation(draw(family, n * n_fits, seed=7).ravel()).reshape(n, n_fits)
    model = unfitted(family).fit(X)
    for (name, errors), truth in zip(model.standard_errors(X).items(), TRUTHS[family], strict=True):
        if name in model._fixed():
            assert (errors == 0).all()
            continue
        away = getattr(model, name) - truth
        z = away / errors if name != "mean_direction_" else np.angle(np.exp(1j * away)) / errors
        z = z[np.isfinite(z)]
        assert len(z) > 0.9 * n_fits
        assert stats.chi2.cdf((z**2).sum(), len(z)) < 1 - 1e-6, name
        assert stats.chi2.cdf((z**2).sum(), len(z)) > 1e-6, name


SMOOTH_RANGES = {  # where the information is finite and of full rank
    (GEV, "shape_"): (-0.4, 1.5),
    (GeneralizedPareto, "shape_"): (-0.4, 1.5),
    (SkewNormal, "shape_"): (1.5, 8.0),
    (LocationScaleT, "df_"): (0.6, 20.0),
    (NegativeBinomial, "size_"): (0.3, 10.0),
}


@pytest.mark.parametrize("family", [f for f in REGULAR if f is not Binomial], ids=lambda f: f.__name__)
def test_fits_approach_any_truth_at_the_rate_of_the_information(family):
    """Twice what the fit gains on the truth is chi-square, and each estimate is a few standard errors away."""

    @examples(max_examples=12)
    @given(st.data())
    def is_near(data):
        theta = [data.draw(PARAMETERS[domain]) for domain in family._parameters.values()]
        names = enumerate(family._parameters)
        theta = [np.clip(theta[i], *SMOOTH_RANGES.get((family, name), (-200, 200))) for i, name in names]
        n, truth = data.draw(st.sampled_from([1000, 30_000])), at(family, theta)
        X = truth.sample(n, random_state=data.draw(st.integers(0, 999)))
        assume(len(np.unique(X)) > 5 or family is Bernoulli)
        model = unfitted(family).fit(X)
        gain = 2 * n * (model.score(X) - truth.score(X))
        assert -1e-6 <= gain < stats.chi2.isf(1e-8, len(theta))
        for name, ((low, high),) in model.confidence_intervals(X, level=1 - 1e-9).items():
            value = theta[list(family._parameters).index(name)]
            if name == "mean_direction_":
                value = low + np.mod(value - low, 2 * np.pi)
            assert np.isnan(low) or low <= value <= high, name

    is_near()
