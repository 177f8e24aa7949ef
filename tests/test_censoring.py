"""Rows that say little: likelihoods without a maximum, windows, what a fitted model keeps, moments in a window."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from skgen.base import UnboundedLikelihood
from skgen.parametric import (
    Bernoulli,
    Binomial,
    Cauchy,
    Exponential,
    Gamma,
    Gaussian,
    GeneralizedPareto,
    Gumbel,
    Independent,
    LocationScaleT,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    Poisson,
    StudentT,
    Uniform,
    Weibull,
    ZeroInflated,
)

RIGHT = [[1.0, np.inf], [2.0, np.inf], [3.0, np.inf]]
LEFT = [[-np.inf, 1.0], [-np.inf, 2.0], [-np.inf, 3.0]]
VAGUE = [[-np.inf, np.inf]] * 3
OVERLAP = [[1.0, 3.0], [2.0, 4.0], [2.5, 5.0]]
SEPARATED = [[-np.inf, 2.0], [5.0, np.inf], [-np.inf, 2.0], [5.0, np.inf]]
ONE_KNOWN = [[2.0, 2.0], [1.0, np.inf], [-np.inf, 5.0]]
FAR_AWAY = [[2.0, 2.0], [3.0, 3.0]] + [[4.0, np.inf]] * 50  # the maximum is far from every row


@pytest.mark.parametrize("family", [Normal, Logistic, Cauchy, LogNormal, Gamma, Weibull, Gumbel])
@pytest.mark.parametrize("rows", [RIGHT, LEFT, VAGUE, OVERLAP, SEPARATED, ONE_KNOWN], ids=str)
def test_rows_that_do_not_tell_the_parameters_are_refused(family, rows):
    with pytest.raises(UnboundedLikelihood, match=r"X\[:, 0\]"):
        family(censoring="interval").fit(rows)


@pytest.mark.parametrize("family", [Exponential, Poisson, NegativeBinomial, GeneralizedPareto])
@pytest.mark.parametrize("rows", [RIGHT, LEFT, VAGUE], ids=str)
def test_nor_do_they_tell_a_rate(family, rows):
    with pytest.raises(UnboundedLikelihood, match="no maximum"):
        family(censoring="interval").fit(rows)


@pytest.mark.parametrize("family", [Normal, Logistic, LogNormal, Gamma, Weibull, Gumbel, Exponential])
def test_a_maximum_far_from_the_rows_is_found(family):
    model = family(censoring="interval").fit(FAR_AWAY)
    best = model.score(FAR_AWAY)
    for name in model._parameters:
        kept = getattr(model, name)
        for factor in (0.97, 1.03):
            setattr(model, name, kept * factor)
            assert model.score(FAR_AWAY) < best
        setattr(model, name, kept)


@pytest.mark.parametrize("ends", [(3, 1), ("a", 1), (1,), (0, 1j), (True, 5), (0, np.nan), (1, 1), [0, 1, 2]], ids=str)
def test_a_window_is_a_pair_of_numbers(ends):
    with pytest.raises(ValueError, match="pair of numbers"):
        Normal(truncation=ends).fit([[1.0], [2.0]])


def test_what_lies_outside_a_window_is_named():
    with pytest.raises(ValueError, match="widen the window"):
        Normal(truncation=(0, 1)).fit([[0.5], [2.0]])
    with pytest.raises(UnboundedLikelihood, match="the rows say too little"):
        Normal(censoring="interval").fit([[2.0, 4.0]])


def test_a_window_outside_the_support_is_refused():
    with pytest.raises(ValueError, match="leaves nothing of Gamma's positive numbers"):
        Gamma(truncation=(-5, -1)).fit([[1.0], [2.0]])


def test_a_window_that_holds_the_support_is_none():
    X = np.random.default_rng(0).gamma(2, 1, (50, 1))
    whole, plain = Gamma(truncation=(-1, np.inf)).fit(X), Gamma().fit(X)
    np.testing.assert_array_equal(whole.shape_, plain.shape_)
    assert hasattr(whole, "partial_fit") and repr(whole.support) == "positive"


def test_a_fitted_window_outlives_its_parameter():
    X = np.random.default_rng(0).normal(0, 1, (200, 1))
    X = X[(X > -1).all(axis=1)]
    model = Normal(truncation=(-1, np.inf)).fit(X)
    before = model.score_samples(X), model.mean(), model.ppf([[0.5]])
    model.set_params(truncation=None)
    for one, other in zip(before, (model.score_samples(X), model.mean(), model.ppf([[0.5]])), strict=True):
        np.testing.assert_array_equal(one, other)
    model = Normal().partial_fit(X)
    before = model.score_samples(X)
    np.testing.assert_array_equal(model.set_params(truncation=(-1, 9)).score_samples(X), before)


def test_refits_and_underlying_laws_have_the_options_of_the_fit():
    rng = np.random.default_rng(0)
    X = rng.standard_t(4, (200, 1))
    seen = X[np.abs(X[:, 0]) < 1]
    fits = [
        (Normal(truncation=(-1, 1)), seen, {"truncation": None}),
        (LocationScaleT(), X, {"df": 3.0}),
        (LocationScaleT(df=3.0), X, {"df": None}),
        (StudentT(df=3.0), X, {"df": None}),
        (Gaussian("diag"), np.hstack([X, X**2]), {"covariance": "full"}),
        (Binomial(), np.floor(np.abs(X)), {"n_trials": 99}),
        (ZeroInflated(NegativeBinomial()), np.floor(np.abs(X)), {"estimator": None}),
        (Independent([Normal()]), X, {"estimators": "auto"}),
    ]
    for model, rows, options in fits:
        model.fit(rows)
        how = {"method": "bootstrap", "n_resamples": 4, "random_state": 0}
        before = repr(model.standard_errors(rows, **how))
        below = repr(model.underlying().standard_errors(rows)) if hasattr(model, "underlying") else None
        model.set_params(**options)
        assert repr(model.standard_errors(rows, **how)) == before
        assert below is None or repr(model.underlying().standard_errors(rows)) == below


def test_values_of_models_of_intervals():
    rows = pd.DataFrame({"low": [1.0, 2.0, 3.0, 5.0], "high": [2.0, 2.0, np.inf, 6.0]})
    model = Normal(censoring="interval", truncation=(0, np.inf)).fit(rows)
    median = model.ppf([[0.5]])
    assert median.columns.tolist() == ["low"]
    np.testing.assert_allclose(model.cdf(median), 0.5)
    for refuse in (model.conditional_cdf, model.sample_conditional, model.conditional_ppf):
        with pytest.raises(ValueError, match="`underlying`"):
            refuse(np.full((1, 2), 0.5) if refuse == model.conditional_ppf else rows)
    assert repr(Uniform().fit([[1.0], [2.0]]).underlying()) == "Uniform()"
    assert repr(Bernoulli().fit([[1], [0]]).underlying()) == "Bernoulli()"


@pytest.mark.parametrize("family", [Normal, Logistic, LogNormal, Gamma, Weibull, Gumbel, Pareto])
def test_rounded_rows_are_narrow_intervals(family):
    """Amounts to the cent, as the bins that they are: the difference of distribution functions would cancel."""
    amounts = np.abs(np.random.default_rng(0).normal(3e6, 1e6, (500, 1))).round(2)
    binned, plain = (
        family(censoring="interval").fit(np.hstack([amounts - 0.005, amounts + 0.005])),
        family().fit(amounts),
    )
    np.testing.assert_allclose(binned._theta(), plain._theta(), rtol=1e-6)
    model = Normal()
    model._set([[0.3], [2.0]])
    model.is_censored_, model.window_, model._fitted = True, (-np.inf, np.inf), True
    low, high = np.array([[1.0], [-30.0]]), np.array([[1.0 + 2**-45], [-30.0 + 2**-40]])
    density = stats.norm(0.3, 2.0).logpdf(low) + np.log(high - low)
    np.testing.assert_allclose(model._log_mass(low, high, model._theta()), density, rtol=1e-10)


WINDOWS = [
    (Normal, (0.0, 1.0), (0.5, np.inf)),
    (Gamma, (2.0, 3.0), (1.0, np.inf)),
    (Weibull, (1.5, 2.0), (0.5, 3.0)),
    (Cauchy, (0.0, 1.0), (-3.0, 40.0)),
    (LocationScaleT, (0.0, 1.0, 2.5), (1.0, np.inf)),
    (Pareto, (2.1, 1.0), (2.0, np.inf)),
    (GeneralizedPareto, (1.0, 0.4), (1.0, np.inf)),
]


@pytest.mark.parametrize("family, theta, window", WINDOWS, ids=str)
@np.errstate(all="ignore")  # the reference integrates far beyond what numbers can hold
def test_moments_in_a_window(family, theta, window):
    model = family(truncation=window)
    model._set([[value] for value in theta])
    model.window_, model._fitted = window, True
    law = family._law(*theta)
    mass = law.sf(window[0]) - law.sf(window[1])

    def expected(g):
        def decades(s):  # of x - low
            x = window[0] + np.exp(s)
            density = law.pdf(x) * np.exp(s)
            return g(x) * density if density > 0 else 0.0

        top = np.log(window[1] - window[0]) if np.isfinite(window[1]) else 400.0
        parts = np.linspace(-60, top, 40)
        return (
            sum(
                integrate.quad(decades, a, b, epsabs=1e-200, full_output=1)[0]
                for a, b in zip(parts, parts[1:], strict=False)
            )
            / mass
        )

    mean = expected(lambda x: x)
    np.testing.assert_allclose(model.mean(), mean, rtol=1e-8)
    np.testing.assert_allclose(model.var(), expected(lambda x: (x - mean) ** 2), rtol=1e-7)
    np.testing.assert_allclose(model.entropy(), expected(lambda x: np.log(mass) - law.logpdf(x)), rtol=1e-8)


def test_moments_that_do_not_exist_in_a_window():
    rows = np.abs(stats.cauchy.rvs(size=(300, 1), random_state=0)) + 0.1
    model = Cauchy(truncation=(0, np.inf)).fit(rows)
    assert model.mean() == np.inf and np.isnan(model.var())
    assert np.isfinite(Cauchy(truncation=(0, 1e4)).fit(rows).var()).all()
    assert LocationScaleT(df=1.5, truncation=(0, np.inf)).fit(rows).var() == np.inf
    assert GeneralizedPareto(truncation=(0.01, np.inf)).fit(rows**2).mean() == np.inf
