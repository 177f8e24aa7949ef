"""Facts of the univariate families: other software's numbers, certified maxima, censoring, truncation, precision."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.model_selection import cross_val_score
from univariate import OPTIONAL, TRUTHS, at, censored, column, draw, unfitted

from skgen import parametric as families
from skgen.base import UnboundedLikelihood
from skgen.parametric import (
    GEV,
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Cauchy,
    Exponential,
    Gamma,
    Gaussian,
    GeneralizedPareto,
    Geometric,
    Gumbel,
    HalfNormal,
    Independent,
    InverseGaussian,
    Laplace,
    LocationScaleT,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    PointMass,
    Poisson,
    ScipyDensity,
    SkewNormal,
    StudentT,
    Uniform,
    VonMises,
    Weibull,
    ZeroInflated,
)
from skgen.parametric._product import UnivariateProduct

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "families.json").read_text())

BY_R = {
    "norm": (Normal, lambda m: [m.mean_, m.std_]),
    "gamma": (Gamma, lambda m: [m.shape_, 1 / m.scale_]),
    "weibull": (Weibull, lambda m: [m.shape_, m.scale_]),
    "lnorm": (LogNormal, lambda m: [m.log_mean_, m.log_std_]),
    "exp": (Exponential, lambda m: [m.rate_]),
    "logis": (Logistic, lambda m: [m.location_, m.scale_]),
    "cauchy": (Cauchy, lambda m: [m.location_, m.scale_]),
    "pois": (Poisson, lambda m: [m.rate_]),
    "nbinom": (NegativeBinomial, lambda m: [m.size_, m.mean_]),
    "geom": (Geometric, lambda m: [m.probability_]),
}


@pytest.mark.parametrize("data, name", [(d, f) for d, fits in GOLDEN["fitdist"].items() for f in fits])
def test_fitdistrplus(data, name):
    """The same maximum; where their optimiser stopped before it, ours has the higher likelihood."""
    X, golden = column(GOLDEN["data"][data]), GOLDEN["fitdist"][data][name]
    family, estimate = BY_R[name]
    model = family().fit(X)
    gain = model.score(X) * len(X) - golden["loglik"]
    assert gain > -1e-8 * abs(golden["loglik"]) / 1e3
    close = np.allclose(np.ravel(estimate(model)), list(golden["estimate"].values()), rtol=1e-6)
    assert close or gain > 1e-7
    np.testing.assert_allclose(np.ravel(estimate(model)), list(golden["estimate"].values()), rtol=5e-4)
    np.testing.assert_allclose([model.aic(X), model.bic(X)], [golden["aic"], golden["bic"]], atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "data, name",
    [(d, f) for d, fits in GOLDEN["fitdist"].items() for f in fits if f not in ("gamma", "nbinom")],
)
def test_standard_errors_of_fitdistrplus(data, name):
    """Theirs come from a Hessian by differences (wrong by half a percent for the rate of an exponential)."""
    X, golden = column(GOLDEN["data"][data]), GOLDEN["fitdist"][data][name]
    errors = BY_R[name][0]().fit(X).standard_errors(X)
    np.testing.assert_allclose(np.ravel(list(errors.values())), list(golden["sd"].values()), rtol=6e-3)


def test_annual_maxima_of_port_pirie():
    """Coles 2001, section 3.4.1, prints 3.87 (.028), .198 (.020), -.050 (.098) and 4.34."""
    X, golden = column(GOLDEN["data"]["portpirie"]), GOLDEN["portpirie"]
    model = GEV().fit(X)
    np.testing.assert_allclose([v[0] for v in model._theta()], golden["estimate"], rtol=2e-4)
    assert 0 < model.score(X) * len(X) - golden["loglik"] < 1e-6
    errors = [float(error[0]) for error in model.standard_errors(X).values()]
    np.testing.assert_allclose(errors, [0.028, 0.020, 0.098], atol=5e-4)
    gumbel = Gumbel().fit(X)
    np.testing.assert_allclose([v[0] for v in gumbel._theta()], golden["gumbel"], rtol=1e-5)
    assert 0 < gumbel.score(X) * len(X) - golden["gumbel_loglik"] < 1e-6


@pytest.mark.parametrize("family", TRUTHS, ids=lambda f: f.__name__)
def test_scipy_has_the_same_law(family):
    model = at(family, TRUTHS[family])
    X = model.sample(500, random_state=1)
    law = family._law(*TRUTHS[family] if family is not Binomial else (12, 0.3))
    density = law.logpmf(X) if family._support is not None and model._support.discrete else law.logpdf(X)
    np.testing.assert_allclose(model.score_samples(X), density[:, 0], rtol=1e-10, atol=1e-12)
    if family is not VonMises:  # whose distribution function starts at -pi, scipy's half a turn before the peak
        np.testing.assert_allclose(model.cdf(X), law.cdf(X), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(model.mean(), law.mean(), rtol=1e-9)
        np.testing.assert_allclose(model.var(), law.var(), rtol=1e-9)
    np.testing.assert_allclose(model.entropy(), law.entropy(), rtol=1e-6)


@pytest.mark.parametrize("family", TRUTHS, ids=lambda f: f.__name__)
def test_quantiles_invert_the_distribution_function(family):
    model = at(family, TRUTHS[family])
    U = column([1e-12, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9])
    X = model.ppf(U)
    if model._support.discrete:
        assert (model.cdf(X) >= U - 1e-12).all()
        assert (np.where(X > 0, model.cdf(np.maximum(X - 1, 0)), 0) <= U).all()
        np.testing.assert_array_equal(model.ppf(model.cdf(X)), X)
    else:
        np.testing.assert_allclose(model.cdf(X), U, rtol=1e-9, atol=1e-14)


SCIPY_FIXES = {Beta: {"floc": 0, "fscale": 1}} | dict.fromkeys(
    (Exponential, HalfNormal, LogNormal, Gamma, InverseGaussian, Weibull, Pareto, GeneralizedPareto), {"floc": 0}
)


@pytest.mark.parametrize(
    "family", [f for f in OPTIONAL if not TRUTHS[f] or not f()._support.discrete], ids=lambda f: f.__name__
)
def test_censored_rows_as_scipy_has_them(family):
    """scipy's CensoredData has the same likelihood, and its optimiser finds no more."""
    low, high = censored(draw(family, 200)[:, 0])
    if family is Beta:
        high = np.where(np.isfinite(high), np.minimum(high, 1.0), high)
    model = family(censoring="interval").fit(np.column_stack([low, high]))
    known, left, right = low == high, np.isneginf(low), np.isposinf(high)
    bins = ~(known | left | right)
    law = family._law(*(float(v[0]) for v in model._theta()))
    with np.errstate(divide="ignore"):
        expected = (
            law.logpdf(low[known]).sum()
            + law.logcdf(high[left]).sum()
            + law.logsf(low[right]).sum()
            + np.log(law.cdf(high[bins]) - law.cdf(low[bins])).sum()
        )
    ours = model.score(np.column_stack([low, high])) * len(low)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    data = stats.CensoredData(low[known], left=high[left], right=low[right], interval=np.c_[low, high][bins])
    with np.errstate(all="ignore"):  # its start for beta takes the root of a negative number
        theirs = law.dist.fit(data, **SCIPY_FIXES.get(family, {}))
    assert ours >= -law.dist._penalized_nnlf(theirs, data) - 1e-6


@pytest.mark.parametrize("family", OPTIONAL, ids=lambda f: f.__name__)
def test_intervals_without_width_are_values(family):
    x = draw(family, 300)
    plain = unfitted(family).fit(x)
    model = unfitted(family, censoring="interval").fit(np.hstack([x, x]))
    np.testing.assert_allclose(model.score_samples(np.hstack([x, x])), plain.score_samples(x), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.cdf(x), plain.cdf(x), atol=1e-6)
    np.testing.assert_allclose(model.underlying().score_samples(x), plain.score_samples(x), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.ppf([[0.3]]), plain.ppf([[0.3]]), rtol=1e-5)
    assert model.sample(3, random_state=0).shape == (3, 2)


WINDOWS = {
    Normal: (2.0, 6.0),
    Laplace: (-2.0, 0.5),
    Logistic: (-2.0, 9.0),
    Cauchy: (-5.0, 20.0),
    LocationScaleT: (-3.0, 8.0),
    SkewNormal: (0.5, 5.0),
    Gumbel: (6.0, np.inf),
    GEV: (6.0, 60.0),
    GeneralizedPareto: (0.5, np.inf),
    Exponential: (1.0, np.inf),
    HalfNormal: (1.0, 8.0),
    LogNormal: (1.0, 12.0),
    Gamma: (2.0, 30.0),
    InverseGaussian: (0.5, np.inf),
    Weibull: (1.0, 10.0),
    Pareto: (1.0, 12.0),
    Beta: (0.1, 0.9),
    Poisson: (1, np.inf),
    Geometric: (1, 12),
    Binomial: (1, 12),
    NegativeBinomial: (1, np.inf),
}


def test_every_family_with_the_option_has_a_window():
    assert set(WINDOWS) == set(OPTIONAL)


@pytest.mark.parametrize("family", WINDOWS, ids=lambda f: f.__name__)
def test_a_window_is_undone(family):
    """From rows inside a window, the law without it is found again; all that is said of it refers to the window."""
    low, high = WINDOWS[family]
    x = draw(family, 6000)
    x = x[(x >= low) & (x <= high)][:, None]
    model = unfitted(family, truncation=(low, high)).fit(x)
    errors = model.standard_errors(x)
    for (name, error), truth in zip(errors.items(), TRUTHS[family], strict=True):
        if name not in (*model._fixed(), *model._irregular):
            assert abs(getattr(model, name)[0] - truth) < 5 * max(error[0], 1e-12), name
    np.testing.assert_allclose(
        model.underlying().cdf([[np.median(x)]]), at(family, TRUTHS[family]).cdf([[np.median(x)]]), atol=0.1
    )
    drawn = model.sample(20_000, random_state=3)
    assert drawn.min() >= low and drawn.max() <= high
    np.testing.assert_allclose(model.mean(), drawn.mean(), atol=6 * drawn.std() / np.sqrt(len(drawn)))
    scores = model.score_samples(drawn)
    np.testing.assert_allclose(model.entropy(), -scores.mean(), atol=6 * scores.std() / np.sqrt(len(drawn)) + 1e-9)
    np.testing.assert_allclose(model.var(), drawn.var(), rtol=0.3)
    assert model.score_samples([[low - 1.0]]) == -np.inf
    u = column([0.01, 0.5, 0.99])
    if not model._support.discrete:
        np.testing.assert_allclose(model.cdf(model.ppf(u)), u, rtol=1e-8)
    with pytest.raises(ValueError, match=family.__name__):
        model.fit(np.vstack([x, [[low - 1.0]]]))


def test_a_window_of_scipy():
    x = stats.truncnorm(-1, 2).rvs(500, random_state=0)[:, None]
    model = Normal(truncation=(-1.0, 2.0)).fit(x)
    mean, std = model.mean_[0], model.std_[0]
    law = stats.truncnorm((-1 - mean) / std, (2 - mean) / std, mean, std)
    np.testing.assert_allclose(model.score_samples(x), law.logpdf(x)[:, 0], rtol=1e-9)
    np.testing.assert_allclose([model.mean()[0], model.var()[0]], [law.mean(), law.var()], rtol=1e-7)
    np.testing.assert_allclose(model.entropy(), law.entropy(), rtol=1e-7)


def test_bins_with_counts_are_intervals_with_weights():
    """Grouped wages: the counts of a histogram alone give nearly what the rows give."""
    x = draw(Gamma, 5000)[:, 0]
    edges = np.r_[0, np.quantile(x, [0.1, 0.3, 0.5, 0.7, 0.9]), np.inf]
    counts = np.histogram(x, np.where(np.isinf(edges), 1e9, edges))[0]
    bins = np.column_stack([edges[:-1], edges[1:]])
    model = Gamma(censoring="interval").fit(bins, sample_weight=counts)
    repeated = Gamma(censoring="interval").fit(np.repeat(bins, counts, axis=0))
    np.testing.assert_allclose(model.shape_, repeated.shape_, rtol=1e-7)
    np.testing.assert_allclose(model.shape_, Gamma().fit(x[:, None]).shape_, rtol=0.1)
    np.testing.assert_allclose(
        model.standard_errors(bins, counts)["shape_"], model.standard_errors(np.repeat(bins, counts, axis=0))["shape_"]
    )


def test_folds_slice_intervals():
    low, high = censored(draw(Weibull, 300)[:, 0])
    frame = pd.DataFrame({"low": low, "high": high})
    scores = cross_val_score(Weibull(censoring="interval"), frame, cv=3)
    assert np.isfinite(scores).all()
    assert Weibull(censoring="interval").fit(frame).sample(2, random_state=0).columns.tolist() == ["low", "high"]


@pytest.mark.parametrize(
    "model, X, message",
    [
        (Normal(censoring="interval"), [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], "come in pairs"),
        (Normal(censoring="interval"), [[2.0, 1.0], [1.0, 2.0]], "low <= high"),
        (Normal(censoring="interval"), [[np.nan, 1.0], [1.0, 2.0]], "NaN"),
        (Gamma(censoring="interval"), [[-2.0, -1.0], [1.0, 2.0]], "positive numbers"),
        (Normal(truncation=(3, 1)), [[1.0], [2.0]], "low < high"),
        (Normal(truncation=(1, 2, 3)), [[1.0], [2.0]], "low < high"),
        (Normal(truncation=(0, 1)), [[0.5], [2.0]], "from 0 to 1"),
        (Poisson(), [[1.5]], "whole numbers"),
        (Gamma(), [[1.0], [0.0]], "positive numbers"),
        (Beta(), [[0.5], [1.0]], "between 0 and 1"),
        (Binomial(n_trials=3), [[1], [4]], "from 0 to 3"),
        (Binomial(n_trials=[9, 3]), [[1, 1], [9, 4]], "Raise n_trials"),
        (Exponential(truncation=(0, 4)), [[3.0], [3.5], [3.9]], "has no maximum"),
        (Cauchy(), [[1.0], [1.0], [2.0]], "on which it collapses"),
        (VonMises(), [[1.0], [1.0]], "is one angle"),
        (LogNormal(), [[3.0], [3.0]], "is constant \\(3\\)"),
        (Gamma(), [[3.0]], "is constant"),
        (Normal(), [["a"], ["b"]], "Convert your data"),
    ],
    ids=str,
)
def test_what_is_refused(model, X, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X)


@pytest.mark.parametrize("family", [f for f in TRUTHS if not f()._support.discrete], ids=lambda f: f.__name__)
def test_a_constant_column_has_no_fit(family):
    if family in (Exponential, HalfNormal):
        pytest.skip("a scale alone is bounded")
    x = np.column_stack([draw(family, 20)[:, 0], np.full(20, 0.25)])
    with pytest.raises(UnboundedLikelihood, match=r"X\[:, 1\]"):
        family().fit(x)


def test_ends_of_a_support_have_no_standard_error():
    X = draw(Uniform, 100)
    model = Uniform().fit(X)
    for method in ("information", "bootstrap"):
        errors = model.standard_errors(X, method=method, n_resamples=5, random_state=0)
        assert np.isnan(errors["low_"]).all() and np.isnan(errors["high_"]).all()
    X = draw(Pareto, 100)
    errors = Pareto().fit(X).standard_errors(X)
    assert np.isnan(errors["scale_"]) and errors["shape_"] > 0
    beyond = GeneralizedPareto().fit(draw(Uniform, 300) + 2.0)
    assert beyond.shape_[0] < -0.5 and np.isnan(beyond.standard_errors(draw(Uniform, 300) + 2.0)["shape_"])


@pytest.mark.parametrize(
    "model",
    [
        Gamma(),
        LogNormal(),
        Laplace(),
        Gaussian(),
        Gaussian("diag"),
        StudentT(),
        ZeroInflated(),
        Normal(censoring="interval"),
    ],
    ids=repr,
)
def test_bootstrap_and_information_agree(model):
    rng = np.random.default_rng(5)
    X = {
        "Gaussian": rng.multivariate_normal([0, 1], [[2, 0.5], [0.5, 1]], 800),
        "StudentT": stats.multivariate_t([0, 1], [[2, 0.5], [0.5, 1]], 5, seed=0).rvs(800),
        "ZeroInflated": np.where(rng.random((800, 1)) < 0.3, 0, rng.poisson(3, (800, 1))),
        "Normal": np.column_stack(censored(rng.normal(3, 2, 800))),
        "Laplace": rng.laplace(3, 2, (800, 1)),  # whose expected information is that of its own rows
    }.get(type(model).__name__, rng.gamma(2, 3, (800, 1)))
    model.fit(X)
    exact = model.standard_errors(X)
    drawn = model.standard_errors(X, method="bootstrap", n_resamples=150, random_state=0)
    for name in model._parameters:
        assert np.shape(exact[name]) == np.shape(drawn[name]) == np.shape(getattr(model, name))
        np.testing.assert_allclose(exact[name], drawn[name], rtol=0.35)
    for method in ("information", "bootstrap"):
        intervals = model.confidence_intervals(X, level=0.9, method=method, n_resamples=60, random_state=0)
        for name, interval in intervals.items():
            assert interval.shape == (*np.shape(getattr(model, name)), 2)
            assert (interval[..., 0] <= getattr(model, name)).all() and (interval[..., 1] >= getattr(model, name)).all()


def test_intervals_cover_and_stay_in_the_domain():
    rng, covered = np.random.default_rng(0), []
    for _ in range(200):
        X = rng.gamma(2.0, 3.0, (40, 1))
        low, high = Gamma().fit(X).confidence_intervals(X, level=0.9)["shape_"][0]
        covered.append(low <= 2.0 <= high)
    assert stats.binom.cdf(sum(covered), 200, 0.9) > 1e-4 and 0.8 < np.mean(covered)
    low, high = Bernoulli(alpha=0).fit([[0]] * 19 + [[1]]).confidence_intervals([[0]] * 19 + [[1]])["probability_"][0]
    assert 0 < low < 0.05 < high < 1


def test_criteria_count_parameters_and_weights():
    X, weight = draw(Gamma, 50), np.arange(50) % 3
    model = Gamma().fit(X, sample_weight=weight)
    log_likelihood = weight @ model.score_samples(X)
    assert model.aic(X, weight) == pytest.approx(4 - 2 * log_likelihood)
    assert model.bic(X, weight) == pytest.approx(2 * np.log(weight.sum()) - 2 * log_likelihood)
    counts = {
        Gaussian(): 5, Gaussian("diag"): 4, Gaussian("spherical"): 3, StudentT(): 6, StudentT(df=4): 5, Normal(): 4,
        LocationScaleT(df=3): 4, LocationScaleT(): 6, PointMass(): 0, Independent(Gamma()): 4,
    }  # fmt: skip
    rows = np.random.default_rng(0).gamma(2, size=(80, 2))
    for estimator, expected in counts.items():
        fitted = estimator.fit(rows if type(estimator) is not PointMass else rows[:1])
        assert fitted._n_parameters() == expected, estimator
    assert Categorical().fit([["a"], ["b"]])._n_parameters() == 2  # and a cell for all other labels
    assert ZeroInflated(NegativeBinomial()).fit([[0], [0], [0], [3], [9], [1]])._n_parameters() == 3
    with pytest.raises(ValueError, match="level"):
        model.confidence_intervals(X, level=95)
    with pytest.raises(ValueError, match="method"):
        model.standard_errors(X, method="jackknife")


def test_zero_inflation_is_a_window_on_the_positive_rows():
    """The rows above zero determine the family alone: the fit is that of the law truncated at one (Lambert 1992)."""
    rng = np.random.default_rng(0)
    X = np.where(rng.random((500, 1)) < 0.4, 0, rng.poisson(2.5, (500, 1)))
    model = ZeroInflated().fit(X)
    window = Poisson(truncation=(1, np.inf)).fit(X[X > 0][:, None])
    np.testing.assert_allclose(model.rate_, window.rate_, rtol=1e-7)
    assert np.exp(model.score_samples([[0]])[0]) == pytest.approx((X == 0).mean())
    plain = ZeroInflated().fit(rng.binomial(3, 0.7, (200, 1)))
    assert plain.inflation_ == 0
    weight = rng.integers(0, 3, 500)
    np.testing.assert_allclose(
        ZeroInflated().fit(X, sample_weight=weight).inflation_,
        ZeroInflated().fit(np.repeat(X, weight, axis=0)).inflation_,
        rtol=1e-7,
    )


def test_far_tails_keep_their_logarithms():
    """Forty standard deviations out, neither tail is rounded to 0 or 1."""
    for model, x in [(at(Normal, (0, 1)), 40.0), (at(Logistic, (0, 1)), 2000.0), (at(Gumbel, (0, 1)), 500.0)]:
        log_f, log_s = model._conditional_log_cdf(column([x, -x if type(model) is not Gumbel else -6.0]))
        assert np.isfinite(log_s[0]) and log_s[0] < -400 and np.isfinite(log_f[1]) and log_f[1] < -400
        again = model._conditional_ppf(log_f, log_s)
        np.testing.assert_allclose(again[0], x, rtol=1e-12)


def test_large_and_small_shapes_lose_no_digits():
    rng = np.random.default_rng(0)
    narrow = Gamma().fit(1e6 * (1 + 1e-5 * rng.standard_normal((1000, 1))))
    assert narrow.shape_[0] == pytest.approx(1e10, rel=0.2)
    heavy = Weibull().fit(np.exp(200 * rng.standard_normal((1000, 1))))
    assert 1e-3 < heavy.shape_[0] < 1e-2
    skewed = SkewNormal().fit(np.abs(rng.standard_normal((50, 1))))
    assert abs(skewed.shape_[0]) <= 1000
    under = NegativeBinomial().fit(rng.binomial(10, 0.5, (100, 1)))
    assert under.size_[0] == 1e6
    angles = VonMises().fit(np.pi + 1e-6 * rng.standard_normal((1000, 1)))
    assert angles.concentration_[0] == pytest.approx(1e12, rel=0.2)


def test_a_million_rows_and_a_thousand_columns():
    rng = np.random.default_rng(0)
    assert GEV().fit(rng.gumbel(size=(1_000_000, 1))).shape_[0] == pytest.approx(0, abs=0.01)
    wide = Gamma().fit(rng.gamma(2, size=(50, 1000)))
    assert wide.shape_.shape == (1000,) and np.isfinite(wide.score_samples(rng.gamma(2, size=(3, 1000)))).all()


def test_the_chapter_names_every_family_and_each_shares_the_options():
    for name in families.__all__:
        assert name in families.__doc__, name
        cls = getattr(families, name)
        if issubclass(cls, UnivariateProduct) and "censoring" in cls().get_params():
            assert "censoring : " in cls.__doc__ and "truncation : " in cls.__doc__
            assert cls.__doc__.count("Parameters\n    ----------") == 1


@pytest.mark.parametrize("family", WINDOWS, ids=lambda f: f.__name__)
def test_intervals_in_a_window(family):
    """Bins that part the window have probabilities that add up to one; what reaches beyond it says no more."""
    low, high = WINDOWS[family]
    x = draw(family, 400)
    x = x[(x >= low) & (x <= high)][:, None]
    model = unfitted(family, censoring="interval", truncation=(low, high)).fit(np.hstack([x, x]))
    assert model.score_samples([[-np.inf, np.inf]]) == pytest.approx(0, abs=1e-9)
    cut = np.floor(np.median(x)) if model._support.discrete else np.median(x)
    after = cut + 1 if model._support.discrete else cut
    parts = np.exp(model.score_samples([[-np.inf, cut], [after, np.inf]]))
    assert parts.sum() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(model.score_samples([[after, np.inf]]), model.score_samples([[after, high]]))
    assert model.cdf([[low - 1]]) == 0 and model.cdf([[cut]]) == pytest.approx(parts[0])


def test_a_window_of_counts_with_ends_between_whole_numbers():
    model = Geometric(truncation=(0.5, 9.5)).fit([[1], [2], [2], [5]])
    k = np.arange(1, 10)
    p = np.exp(model.score_samples(k[:, None]))
    assert p.sum() == pytest.approx(1)
    np.testing.assert_allclose([model.mean()[0], model.var()[0]], [p @ k, p @ (k - p @ k) ** 2])
    assert model.entropy() == pytest.approx(-p @ np.log(p))
    assert model.ppf([[0.01]]) == 1 and model.mode() == 1
    np.testing.assert_array_equal(model.cdf([[-3], [0]]), [[0], [0]])
    np.testing.assert_allclose(model.cdf([[2.5], [2]])[:, 0], p[:2].sum())
    assert Poisson(truncation=(0, 7.5)).fit([[7], [7], [6]]).mode() in (6, 7)


@pytest.mark.parametrize("family", [Gamma, Weibull, LogNormal, InverseGaussian, Beta], ids=lambda f: f.__name__)
def test_a_window_leaves_an_open_end_open(family):
    model = family(truncation=(0, 0.9)).fit(np.random.default_rng(0).beta(0.5, 2, (200, 1)).clip(1e-9, 0.89))
    assert model.score_samples([[0.0]]) == -np.inf
    with pytest.raises(ValueError, match="low <= high|intervals|numbers"):
        family(censoring="interval").fit([[np.inf, np.inf], [0.2, 0.3]])


def test_only_what_has_standard_errors_offers_them():
    for model, X in [
        (Categorical(), [["a"], ["b"]]),
        (PointMass(), [[1.0]]),
        (Independent([Normal(), PointMass()]), [[1.0, 3.0], [2.0, 3.0], [4.0, 3.0]]),
    ]:
        assert not hasattr(model.fit(X), "standard_errors")


def test_independent_columns_have_the_errors_of_their_families():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=100), rng.gamma(2, 1, 100), rng.poisson(3, 100)])
    model = Independent([Normal(), ScipyDensity("gamma", fixed={"loc": 0}), ZeroInflated()]).fit(X)
    first, second, third = model.standard_errors(X)
    np.testing.assert_allclose(first["std_"], Normal().fit(X[:, :1]).standard_errors(X[:, :1])["std_"])
    assert second["loc"] == 0 and set(third) == {"inflation_", "rate_"}
    np.testing.assert_allclose(second["a"], Gamma().fit(X[:, 1:2]).standard_errors(X[:, 1:2])["shape_"][0], rtol=1e-4)
    drawn = model.standard_errors(X, method="bootstrap", n_resamples=50, random_state=0)
    np.testing.assert_allclose(drawn[0]["mean_"], first["mean_"], rtol=0.4)
    low, high = model.confidence_intervals(X)[1]["a"]
    assert low < model.estimators_[1].parameters_[0]["a"] < high


def test_a_table_has_the_moments_of_its_columns():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=100), rng.gamma(2, 1, 100)])
    model = Independent([Normal(), Gamma()]).fit(X)
    parts = Normal().fit(X[:, :1]), Gamma().fit(X[:, 1:])
    for quantity in ("mean", "var", "mode"):
        np.testing.assert_allclose(getattr(model, quantity)(), [getattr(part, quantity)()[0] for part in parts])
    assert model.entropy() == pytest.approx(sum(part.entropy() for part in parts))
    np.testing.assert_allclose(model.ppf(model.cdf(X)), X, rtol=1e-9)
    constant = Independent().fit([[1.0, 7.0], [2.0, 7.0], [4.0, 7.0]])
    np.testing.assert_array_equal(constant.cdf([[2.0, 6.0], [2.0, 7.0]])[:, 1], [0, 1])
    np.testing.assert_array_equal(constant.ppf([[0.5, 0.01]])[:, 1], [7])
    labels = Independent().fit([["a", 1.0], ["b", 2.5], ["a", 2.0]])
    assert not hasattr(labels, "mean") and labels.mode()[0] == "a"
    with pytest.raises(ValueError, match="Categorical has no distribution function"):
        labels.cdf([["a", 1.0]])
    close = np.array([[1e8], [1e8 + 3e-8], [1e8 + 6e-8], [1e8]])
    assert np.isfinite(Independent().fit(close).score(close))


@pytest.mark.parametrize("family", [GeneralizedPareto, GEV, SkewNormal, LocationScaleT], ids=lambda f: f.__name__)
def test_the_order_of_many_rows_is_irrelevant(family):
    """Two populations in turn: what the search looks at first must not depend on where a row stands."""
    rng = np.random.default_rng(0)
    x = np.empty((12_000, 1))
    x[::2, 0], x[1::2, 0] = rng.random(6000), rng.pareto(1.5, 6000)
    first, second = family().fit(x), family().fit(rng.permutation(x))
    np.testing.assert_allclose(first.score(x), second.score(x), rtol=1e-9)
    np.testing.assert_allclose(first._theta(), second._theta(), rtol=1e-6)


def test_thin_tails_keep_their_digits():
    """The lower tail of a skewed law and that of a half-normal one; quantiles of counts next to one."""
    skewed = at(SkewNormal, (0.0, 1.0, 4.0))
    log_f = skewed._conditional_log_cdf(column([-2.0, -1.5]))[0]
    np.testing.assert_allclose(log_f[:, 0], [-40.7934, -25.3738156], rtol=1e-6)  # by quadrature in 50 digits
    half = at(HalfNormal, (1.0,))
    np.testing.assert_allclose(half.cdf([[1e-15], [1e-12]]), stats.halfnorm.cdf([[1e-15], [1e-12]]), rtol=1e-12)
    poisson = at(Poisson, (3.5,))
    u = 1 - 10.0 ** -np.arange(1, 15)
    np.testing.assert_array_equal(poisson.ppf(column(u))[:, 0], stats.poisson(3.5).ppf(u))


def test_entropy_of_inflated_counts():
    rng = np.random.default_rng(0)
    for rate in (3.0, 3e6):
        model = ZeroInflated().fit(rng.poisson(rate, (2000, 1)) * (rng.random((2000, 1)) < 0.7))
        scores = model.score_samples(model.sample(100_000, random_state=0))
        assert model.entropy() == pytest.approx(-scores.mean(), abs=6 * scores.std() / np.sqrt(len(scores)))
    with pytest.raises(ValueError, match="family of counts"):
        ZeroInflated(Normal()).fit([[0], [1]])
