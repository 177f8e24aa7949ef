"""Facts of the counts: trials, tails that underflow, long sums, extra zeros, rows of counts of several kinds.

Reference numbers with a comment "mpmath" are sums of 40 digits by that library.
"""

import numpy as np
import pytest
import scipy
from scipy.special import xlogy
from sklearn.base import clone

from skgen import supports
from skgen.columns import Columns
from skgen.parametric import (
    Bernoulli,
    Binomial,
    Categorical,
    DirichletMultinomial,
    Geometric,
    Independent,
    NegativeBinomial,
    PointMass,
    Poisson,
    ScipyDensity,
    ZeroInflated,
)

RNG = np.random.default_rng(0)


def at(family, *theta):
    """A model of one column with given parameters."""
    model = family()
    model._set([[value] for value in theta])
    model.columns_, model.n_features_in_, model._fitted = Columns.of_array(np.zeros((1, 1))), 1, True
    return model


# Trials


def test_each_column_has_its_own_number_of_trials():
    model = Binomial(n_trials=[9, 3]).fit([[1, 1], [8, 2]])
    assert [(part.low, part.high) for part in model.support.parts] == [(0, 9), (0, 3)]
    np.testing.assert_array_equal(model.score_samples([[9, 3], [9, 4], [10, 1]]) > -np.inf, [True, False, False])
    assert not model.support.contains(np.array([[9.0, 4.0]])).any()
    assert model.sample(200, random_state=0).max(axis=0).tolist() <= [9, 3]
    assert Binomial(n_trials=[9, 3]).support.high == 9


def test_a_window_and_intervals_end_at_the_trials():
    X = [[1, 1], [8, 2]]
    window = Binomial(n_trials=[9, 3], truncation=(1, 5)).fit([[1, 1], [5, 2]])
    assert [(part.low, part.high) for part in window.support.parts] == [(1, 5), (1, 3)]
    pairs = Binomial(n_trials=[9, 3], censoring="interval").fit(np.repeat(X, 2, axis=1))
    assert isinstance(pairs.support, supports.Pairs)
    scores = pairs.score_samples([[8, np.inf, 2, 2], [10, np.inf, 2, 2], [8, 9, 4, 5], [3, 3, 4, 4]])
    np.testing.assert_array_equal(scores > -np.inf, [True, False, False, False])
    values = pairs.underlying()
    np.testing.assert_allclose(scores[0], values.score_samples([[8, 2]])[0] + np.log1p(_odds(values)), rtol=1e-12)


def _odds(model):
    """P(9) / P(8) in the first column."""
    p = model.probability_[0]
    return p / (9 * (1 - p))


def test_a_part_that_is_a_product_of_one_is_that_one():
    model = Independent([Binomial(n_trials=4), Poisson()]).fit([[1, 2], [4, 0]])
    assert repr(model.support) == "integer x integer" and model.score_samples([[5, 0]])[0] == -np.inf


@pytest.mark.parametrize(
    "n_trials", [True, "9", 0, -3, [9, 0], [9.5, 3], [np.inf, 3], [np.nan, 3], [[9, 3]], ["9", "3"], [True, False], []]
)
def test_trials_are_whole_numbers(n_trials):
    with pytest.raises(ValueError, match="n_trials|'n_trials'"):
        Binomial(n_trials=n_trials).fit([[1, 1], [3, 2]])


def test_trials_that_do_not_fit_the_rows():
    with pytest.raises(ValueError, match="3 numbers for 2 columns: give one for each"):
        Binomial(n_trials=[9, 3, 3]).fit([[1, 1], [3, 2]])
    with pytest.raises(ValueError, match=r"counts up to 2\^53, but X holds 1e\+300. Use Poisson"):
        Binomial().fit([[1e300], [2.0]])
    assert Binomial(n_trials=np.array([9.0, 3.0])).fit([[1, 1], [3, 2]]).n_trials_.tolist() == [9, 3]


def test_a_block_with_more_than_the_trials_is_refused():
    model = Binomial(n_trials=[9, 3]).partial_fit([[1, 1], [9, 3]])
    before = model.probability_.copy()
    with pytest.raises(ValueError, match="from 0 to 3 in .* row 1 holds 9. Raise n_trials, and fit all rows"):
        model.partial_fit([[1, 1], [9, 9]])
    np.testing.assert_array_equal(model.probability_, before)
    learned = Binomial().fit([[1, 1], [9, 3]])
    assert not hasattr(learned, "partial_fit")  # the next block may hold more
    learned.set_params(n_trials=20)
    with pytest.raises(ValueError, match="Raise n_trials, and fit all rows"):
        learned.partial_fit([[1, 20]])
    assert (learned.probability_ <= 1).all() and learned.n_trials_.tolist() == [9, 3]


def test_new_trials_do_not_touch_a_fitted_model():
    model = Binomial(n_trials=10).fit([[3], [5]])
    X = [[4], [11]]
    before, errors = model.score_samples(X), model.standard_errors([[3], [5]])
    model.set_params(n_trials=4)
    np.testing.assert_array_equal(model.score_samples(X), before)
    assert model.standard_errors([[3], [5]]) == errors and model.support.parts[0].high == 10
    assert model.underlying().n_trials_ == 10


def test_a_refit_keeps_the_trials():
    model = Binomial().fit([[1, 1], [9, 3]])
    refit = model._refit([[1, 1], [2, 2]], np.array([1.0, 2.0]))
    assert refit.n_trials_.tolist() == [9, 3] and model.n_trials is None
    pairs = Binomial(censoring="interval").fit([[1, 1], [9, 9], [2, np.inf]])
    assert pairs._refit([[1, 1], [2, 3]], np.ones(2)).n_trials_.tolist() == [9]


# Probabilities and tails


@pytest.mark.parametrize(
    "model, x, log_p",
    [  # mpmath
        (at(Poisson, 1e15), 1e15 + 1e8, -23.188326613993355),
        (at(Binomial, 1e12, 0.25), 0.25e12 + 1e6, -16.564126504014188),
        (at(NegativeBinomial, 1e9, 0.5), 1e9, -22.142204370401084),
    ],
    ids=lambda value: type(value).__name__,
)
def test_probabilities_of_huge_counts(model, x, log_p):
    np.testing.assert_allclose(model._logpdf(np.array([[x]]), *model._theta()), log_p, rtol=1e-9)


@pytest.mark.parametrize(
    "model, x, side, log_tail",
    [  # mpmath; the tails are those of x <= and of x >
        (at(Poisson, 3), 749, 1, -3398.3207719918596),
        (at(Poisson, 1e6), 1_050_000, 1, -1234.5281541803346),
        (at(Poisson, 1e9), 1_000_200_000, 1, -22.785751728889068),  # no underflow, but scipy's series stops too early
        (at(Poisson, 1000), 10, 0, -946.01681962963279),
        (at(Binomial, 1000, 0.25), 989, 1, -1321.3768730684724),
        (at(Binomial, 2000, 0.75), 5, 0, -2733.8828087834471),
        (at(NegativeBinomial, 3, 0.5), 5000, 1, -774.76628012890511),
        (at(NegativeBinomial, 1e4, 400), 20, 0, -1226.0111040816758),
        (at(Geometric, 0.75), 999, 1, 1000 * np.log(0.25)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tails_that_underflow(model, x, side, log_tail):
    tails = model._tails(np.array([[float(x)]]), model._theta())
    np.testing.assert_allclose(tails[side], log_tail, rtol=1e-12)
    np.testing.assert_allclose(np.exp(tails[0]) + np.exp(tails[1]), 1, rtol=1e-15)


@pytest.mark.parametrize(
    "family, theta",
    [(Poisson, (0.0,)), (Geometric, (1.0,)), (NegativeBinomial, (0.0, 1e6)), (Binomial, (5.0, 0.0))],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_law_of_nothing_but_zeros(family, theta):
    model = at(family, *theta)
    np.testing.assert_array_equal(model.score_samples([[0], [1], [3]]), [0, -np.inf, -np.inf])
    np.testing.assert_array_equal(model.cdf([[-1], [0], [2]]), [[0], [1], [1]])
    assert model.entropy() == 0 and model.mode() == 0 and (model.sample(5, random_state=0) == 0).all()


def test_a_count_that_is_known_to_be_far_out():
    model = Poisson(censoring="interval").fit([[1, 1], [5, 5], [2, 4]])
    model.rate_ = np.array([3.0])
    np.testing.assert_allclose(model.score_samples([[750, np.inf]]), -3398.3207719918596, rtol=1e-13)


# Entropy


@pytest.mark.parametrize("mean", [1e-3, 1.0, 1e2, 3e4])
@pytest.mark.parametrize("size", [0.05, 1.0, 30.0, 1e6])
def test_the_entropy_of_a_long_tail(mean, size):
    model, entropy = at(NegativeBinomial, mean, size), 0.0
    for start in range(0, int(60 * mean + 60 * mean / size) + 200, 2**20):
        log_p = model._logpdf(np.arange(start, start + 2.0**20), mean, size)
        entropy -= np.exp(log_p) @ log_p
    np.testing.assert_allclose(model.entropy(), entropy, rtol=1e-10)


@pytest.mark.parametrize("mean", [0.2, 30.0, 1e4, 1e7])
def test_entropies_of_families_meet_in_their_limits(mean):
    poisson = at(Poisson, mean).entropy()
    np.testing.assert_allclose(at(Binomial, 1e15, mean / 1e15).entropy(), poisson, rtol=1e-7)
    np.testing.assert_allclose(at(NegativeBinomial, mean, 1.0).entropy(), at(Geometric, 1 / (1 + mean)).entropy())
    if mean > 1e3:
        np.testing.assert_allclose(poisson, 0.5 * np.log(2 * np.pi * np.e * mean) - 1 / (12 * mean), rtol=1e-9)


# Modes


@pytest.mark.parametrize(
    "model, modes",
    [
        (at(Poisson, 4), (3, 4)),
        (at(Poisson, 4.2), (4,)),
        (at(Binomial, 9, 0.5), (4, 5)),
        (at(Binomial, 9, 1.0), (9,)),
        (at(NegativeBinomial, 3, 3), (1, 2)),
        (at(NegativeBinomial, 3, 0.5), (0,)),
        (at(Geometric, 0.3), (0,)),
    ],
    ids=lambda value: str(value),
)
def test_of_two_modes_the_larger_is_given(model, modes):
    probability = np.exp(model.score_samples(np.arange(10.0)[:, None]))
    np.testing.assert_array_equal(np.flatnonzero(np.isclose(probability, probability.max(), rtol=1e-12)), modes)
    assert model.mode() == modes[-1]


# Extra zeros


def zeros_and(counts, share=0.7, seed=1):
    """Counts in one column, of which a share is left."""
    counts = np.asarray(counts)[:, None]
    return counts * (np.random.default_rng(seed).random(counts.shape) < share)


def test_errors_where_a_parameter_stands_at_its_end():
    X = zeros_and(RNG.binomial(9, 0.5, 1000))
    model = ZeroInflated(NegativeBinomial()).fit(X)
    errors, poisson = model.standard_errors(X), ZeroInflated().fit(X)
    assert model.size_ == 1e6 and np.isnan(errors["size_"])
    expected = poisson.standard_errors(X)
    np.testing.assert_allclose(errors["inflation_"], expected["inflation_"], rtol=1e-4)
    np.testing.assert_allclose(errors["mean_"], expected["rate_"], rtol=1e-4)


def test_errors_without_extra_zeros_are_the_familys():
    X = RNG.poisson(2, (500, 1))[:, [0, 0]]
    X[X[:, 0] == 0, 0] = 1  # fewer zeros than a Poisson law has
    X[:, 1] = zeros_and(X[:, 1])[:, 0]
    model = ZeroInflated().fit(X)
    errors = model.standard_errors(X)
    assert model.inflation_[0] == 0 and np.isnan(errors["inflation_"][0]) and errors["inflation_"][1] > 0
    np.testing.assert_allclose(errors["rate_"][0], Poisson().fit(X).standard_errors(X)["rate_"][0], rtol=1e-9)
    binomial = ZeroInflated(Binomial(n_trials=12)).fit(np.minimum(X, 12)).standard_errors(np.minimum(X, 12))
    np.testing.assert_array_equal(binomial["n_trials_"], 0)
    assert (binomial["probability_"] > 0).all()


def test_another_estimator_does_not_touch_a_fitted_model():
    X = zeros_and(RNG.negative_binomial(4, 0.4, 300))
    model = ZeroInflated(NegativeBinomial()).fit(X)
    before, errors, aic = model.score_samples(X), model.standard_errors(X), model.aic(X)
    model.set_params(estimator=Geometric())
    np.testing.assert_array_equal(model.score_samples(X), before)
    assert np.isfinite(errors["size_"]) and model.standard_errors(X) == errors
    assert list(model._parameters) == ["inflation_", "mean_", "size_"]
    assert model.aic(X) == aic
    assert list(model.fit(X)._parameters) == ["inflation_", "probability_"] and not hasattr(model, "size_")


@pytest.mark.parametrize(
    "family",
    [
        Geometric(),
        Binomial(n_trials=20),
        Binomial(),
        NegativeBinomial(),
        ScipyDensity("poisson"),
        ScipyDensity("nbinom"),
        Independent(Poisson()),
    ],
    ids=repr,
)
def test_families_that_serve_under_extra_zeros(family):
    X = zeros_and(RNG.binomial(15, 0.3, 400))
    model = ZeroInflated(family).fit(X)
    x = np.arange(400.0)[:, None]
    p = np.exp(model.score_samples(x))
    np.testing.assert_allclose([p.sum(), p @ x[:, 0]], [1, model.mean()[0]], rtol=1e-6)
    np.testing.assert_allclose(model.cdf(x)[:, 0], np.cumsum(p), rtol=1e-9)
    np.testing.assert_array_equal(model.ppf(model.cdf(x[:9])), x[:9])
    np.testing.assert_allclose(model.entropy(), -xlogy(p, p).sum(), rtol=1e-6)
    assert model.mode() == np.argmax(p)


@pytest.mark.parametrize(
    "family, way_out",
    [
        (Categorical(), "Categorical is none. Use Poisson"),
        (PointMass(), "PointMass is none. Use Poisson"),
        (DirichletMultinomial(), "DirichletMultinomial is none. Use Poisson"),
        (ZeroInflated(), "ZeroInflated is none. Use Poisson"),
        (Bernoulli(), "Use Bernoulli alone"),
        (ScipyDensity("gamma"), "has a density. Use Poisson"),
        (ScipyDensity("logser"), "Use a family whose support holds them"),
        (Poisson(truncation=(1, np.inf)), "Leave out its censoring and truncation"),
        (Poisson(censoring="interval"), "Leave out its censoring and truncation"),
        (Binomial(n_trials=2), "Raise n_trials"),
    ],
    ids=repr,
)
def test_families_that_do_not_serve_under_extra_zeros(family, way_out):
    with pytest.raises(ValueError, match=way_out):
        ZeroInflated(family).fit([[0], [0], [1], [3]])


# Extremes


@pytest.mark.parametrize(
    "X, weight",
    [
        ([[0], [0], [0]], None),
        ([[0]], None),
        ([[5]], None),
        ([[7], [7], [7]], None),
        ([[1e15], [3e15], [2e15]], None),
        ([[0], [1e15], [3]], None),
        ([[0], [5], [3]], [1e-300] * 3),
        ([[0], [5], [3]], [1e300] * 3),
        (np.array([[0], [5], [3]], dtype=np.float32), None),
    ],
    ids=["zeros", "a zero", "a row", "one value", "huge", "mixed", "light", "heavy", "float32"],
)
@pytest.mark.parametrize(
    "model", [Poisson(), Geometric(), NegativeBinomial(), Binomial(), ZeroInflated(), ZeroInflated(NegativeBinomial())]
)
def test_extremes_are_nothing_special(model, X, weight):
    """Warnings are errors in these tests."""
    model = clone(model).fit(X, sample_weight=weight)
    for name in model._parameters:
        assert np.isfinite(getattr(model, name)).all()
    assert np.isfinite(model.score_samples(X)).all() and np.isfinite(model.entropy())
    np.testing.assert_allclose(model.mean(), np.mean(X), rtol=1e-6)
    small = np.array([[0], [1], [2], [3]])
    if np.max(X) < 9:
        u = model.cdf(small)
        inner = (u > 0) & (u < 1)
        np.testing.assert_array_equal(model.ppf(u)[inner], small[inner])
    median, drawn = model.ppf([[0.5]])[0, 0], model.sample(400, random_state=0)
    assert np.mean(drawn <= median) >= 0.4 and np.mean(drawn >= median) >= 0.4 and (drawn >= 0).all()
    if weight is not None:
        plain = clone(model).fit(X)
        for name in model._parameters:
            np.testing.assert_allclose(getattr(model, name), getattr(plain, name), rtol=1e-6)


@pytest.mark.parametrize(
    "model, low, theta",
    [
        (Poisson(truncation=(750, np.inf)), 750, [3.0]),
        (NegativeBinomial(truncation=(100_000, np.inf)), 100_000, [3.0, 0.5]),
        (Binomial(1000, truncation=(990, 1000)), 990, [1000.0, 0.01]),
    ],
    ids=repr,
)
def test_a_window_where_hardly_anything_falls(model, low, theta):
    model.fit([[low], [low + 1], [low], [low + 5]])
    model._set([[value] for value in theta])
    x = low + np.arange(8.0)[:, None]
    np.testing.assert_allclose(np.cumsum(np.exp(model.score_samples(x))), model.cdf(x)[:, 0], rtol=1e-9)
    u = np.array([[1e-6], [0.2], [0.5], [0.9], [0.9997], [0.999999]])
    quantile = model.ppf(u).astype(float)
    assert (model.cdf(quantile) >= u).all() and (model.cdf(quantile - 1) < u).all()
    drawn = model.sample(4000, random_state=0)
    assert abs(drawn.mean() - model.mean()[0]) < 5 * np.sqrt(model.var()[0] / 4000) + 1e-12


def test_quantiles_of_huge_counts():
    model = Poisson().fit([[1e15], [3e15]])
    X = np.array([[2e15 - 1e8], [2e15], [2e15 + 3e7]])
    digits = 1e-13 if np.lib.NumpyVersion(scipy.__version__) >= "1.14.0" else 1e-10  # a standard deviation is 2e-8
    np.testing.assert_allclose(model.ppf(model.cdf(X)), X, rtol=digits)


# Rows of counts


def rows_up_to(most, d):
    """All rows of d counts whose sum is at most that."""
    rows = np.stack(np.meshgrid(*[np.arange(most + 1)] * d, indexing="ij"), axis=-1).reshape(-1, d)
    return rows[rows.sum(axis=1) <= most]


@pytest.mark.parametrize(
    "total, X",
    [
        (None, [[9, 1, 2], [5, 5, 2], [2, 8, 2], [7, 3, 2]]),
        (Poisson(), [[3, 1, 0], [1, 0, 2], [0, 0, 0], [2, 4, 1]]),
        (Binomial(12), [[3, 1, 0], [1, 0, 2], [0, 0, 0], [2, 4, 1]]),
        (Poisson(truncation=(1, 20)), [[3, 1, 0], [1, 0, 2], [2, 4, 1]]),
    ],
    ids=repr,
)
def test_the_entropy_of_rows_is_that_of_all_rows(total, X):
    model = DirichletMultinomial(total).fit(X)
    log_p = model.score_samples(rows_up_to(40, 3))
    np.testing.assert_allclose(model.entropy(), -np.sum(np.exp(log_p) * np.maximum(log_p, -1e300)), rtol=1e-9)


def test_an_entropy_of_too_many_terms_is_refused():
    model = DirichletMultinomial().fit([[1000, 2000], [30, 400_000]])
    with pytest.raises(ValueError, match="Take -model.score"):
        model.entropy()
    assert not hasattr(DirichletMultinomial(Independent(Poisson())).fit([[3, 1], [1, 0]]), "entropy")


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_errors_of_rows_with_light_and_heavy_weights(weight):
    X = [[9, 1], [5, 5], [2, 8], [7, 3]]
    model = DirichletMultinomial().fit(X)
    light = clone(model).fit(X, sample_weight=np.full(4, weight)).standard_errors(X, sample_weight=np.full(4, weight))
    expected = model.standard_errors(X)["concentration_"] / np.sqrt(weight)
    np.testing.assert_allclose(light["concentration_"], expected, rtol=1e-6)
