"""Laplace and Pareto with intervals and windows: likelihoods with kinks, whose maxima are those of a brute search."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import differential_evolution
from univariate import TRUTHS, at, censored, draw

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.parametric import Laplace, Pareto
from skgen.parametric._kinked import AboveEdge, AroundPeak

FAMILIES = [Laplace, Pareto]
WINDOWS = {Laplace: [(-1.8, 0.4), (-1.2, np.inf), (-np.inf, 0.0)], Pareto: [(1.2, 5.0), (1.7, np.inf), (0.0, 4.0)]}
UNSEEN = 0.2  # of the rows at most, to either side
SETTINGS = [(family, window) for family in FAMILIES for window in (None, *WINDOWS[family])]
RIGHT = [[1.0, np.inf], [2.0, np.inf], [3.0, np.inf]]
LEFT = [[-np.inf, 1.0], [-np.inf, 2.0], [-np.inf, 3.0]]


def known(x, rng):
    return x, x, np.ones(len(x))


def right_censored(x, rng):
    cut = np.quantile(x, 0.7)
    return np.minimum(x, cut), np.where(x > cut, np.inf, x), np.ones(len(x))


def left_censored(x, rng):
    cut = np.quantile(x, 0.3)
    return np.where(x < cut, -np.inf, x), np.maximum(x, cut), np.ones(len(x))


def binned(x, rng):
    edges = np.r_[-np.inf, np.quantile(x, [0.15, 0.4, 0.6, 0.85]) + 0.01 * rng.random(4), np.inf]
    counts = np.histogram(x, np.clip(edges, -1e9, 1e9))[0]
    return edges[:-1][counts > 0], edges[1:][counts > 0], counts[counts > 0].astype(float)


def mixed(x, rng):
    return *censored(x, seed=int(rng.integers(99))), np.ones(len(x))


def in_intervals(x, rng):
    return x - rng.random(len(x)), x + rng.random(len(x)), rng.integers(1, 4, len(x)).astype(float)


PATTERNS = [known, right_censored, left_censored, binned, mixed, in_intervals]


def seen(x, seed):
    """Low and high where some rows are seen from one side of a place that does not depend on them, some in bins."""
    rng = np.random.default_rng([seed, 1])  # not the numbers that the rows were drawn by
    kind, place, width = rng.random(len(x)), rng.permutation(x), np.median(np.abs(x - np.median(x)))
    is_above, is_below = (kind < UNSEEN) & (x > place), (kind > 1 - UNSEEN) & (x < place)
    low, high = np.where(is_above, place, x), np.where(is_below, place, x)
    low[is_below], high[is_above] = -np.inf, np.inf
    binned = np.abs(kind - 0.5) < 0.12
    low[binned] = np.floor(x[binned] / width) * width
    high[binned] = low[binned] + width
    return low, high


def some_rows(family, window, pattern, seed):
    """Intervals, and their weights."""
    x, rng = draw(family, [8, 15, 60][seed % 3], seed)[:, 0], np.random.default_rng(seed)
    low, high = window or (-np.inf, np.inf)
    low, high, weight = pattern(x[(low < x) & (x < high)], rng)
    return np.column_stack([low, high]), weight


def brute_maximum(family, window, X, weight):
    """The highest log-likelihood a row that a global search finds."""
    finite = X[np.isfinite(X)]
    model, at_log = family(censoring="interval", truncation=window), family is Pareto
    first = (-6.0, 6.0) if at_log else (finite.min() - 10, finite.max() + 10)
    second = (-3.0, np.log(finite.max() + 1)) if at_log else (-6.0, 4.0)

    def fall(u):
        theta = (np.exp(u[0]) if at_log else u[0]), np.exp(u[1])
        with np.errstate(all="ignore"):
            value = weight @ model._log_terms(X[:, :1], X[:, 1:], theta) / weight.sum()
        return np.where(np.isfinite(value), -value, 1e6)

    how = {"tol": 1e-12, "maxiter": 150, "popsize": 20, "polish": False, "updating": "deferred", "vectorized": True}
    return -differential_evolution(fall, [first, second], seed=0, **how).fun


def fitted(family, window, X, weight):
    """The fit, or None where there is no maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return family(censoring="interval", truncation=window).fit(X, sample_weight=weight)
        except UnboundedLikelihood:
            return None


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("family, window", SETTINGS, ids=str)
def test_no_search_finds_more(family, window, pattern):
    """Over 20 samples, of which a few in a narrow window say too little."""
    solved = 0
    for seed in range(20):
        X, weight = some_rows(family, window, pattern, seed)
        if len(X) < 3:
            continue
        model = fitted(family, window, X, weight)
        if model is not None:
            solved += 1
            assert model.score(X, sample_weight=weight) >= brute_maximum(family, window, X, weight) - 1e-12, seed
            neighbours_are_less_likely(model, X, weight)
    assert solved >= 12


def neighbours_are_less_likely(model, X, weight):
    best, theta, rng = model.score(X, sample_weight=weight), model._theta(), np.random.default_rng(0)
    for size in (1e-6, 1e-4, 1e-2, 0.3):
        for toward in rng.standard_normal((6, 2)) * size:
            model._set([theta[0] + toward[0] * theta[1], theta[1] * np.exp(toward[1])])
            if model.shape_ > 0 if isinstance(model, Pareto) else True:
                assert model.score(X, sample_weight=weight) <= best + 1e-13 * (1 + abs(best))
    model._set(theta)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [10, 1000])
def test_a_slope_of_the_profile_turns_at_the_fit(family, n):
    """The certificate: to the left of the origin the profile rises, to the right it falls, in either case in slopes."""
    low, high = censored(draw(family, n)[:, 0])
    if family is Pareto:
        low, high = np.log(np.maximum(low, 1e-300)), np.log(high)
    rows = (AroundPeak if family is Laplace else AboveEdge)(low, high, np.full(n, 1 / n), (-np.inf, np.inf))
    top = rows.summit()
    left, right = rows.slopes(top.origin)
    assert top.is_maximum and left >= -1e-9 and right <= 1e-9
    for step in (1e-3, 0.1, 10.0):
        assert rows.slopes(top.origin - step)[1] > -1e-12  # level between two values, if as many are on each side
        if top.origin + step < rows.cap:
            assert rows.slopes(top.origin + step)[0] < 1e-12


def test_right_censored_sizes_in_closed_form():
    x = draw(Pareto, 400)[:, 0]
    cut = np.quantile(x, 0.6)
    X, weight = np.column_stack([np.minimum(x, cut), np.where(x > cut, np.inf, x)]), np.arange(1, 401.0)
    model = Pareto(censoring="interval").fit(X, sample_weight=weight)
    share = weight / weight.sum()
    assert model.scale_[0] == x.min()
    shape = share @ (x <= cut) / (share @ np.log(np.minimum(x, cut) / x.min()))
    np.testing.assert_allclose(model.shape_, shape, rtol=1e-12)
    error = shape / np.sqrt(weight @ (x <= cut))
    np.testing.assert_allclose(model.standard_errors(X, weight)["shape_"], error, rtol=1e-6)
    assert np.isnan(model.standard_errors(X, weight)["scale_"])


def test_right_censored_peak_in_closed_form():
    """Above the location, a censored row counts by its distance alone, as in an exponential sample."""
    x = draw(Laplace, 401)[:, 0]
    cut = np.quantile(x, 0.8)
    X = np.column_stack([np.minimum(x, cut), np.where(x > cut, np.inf, x)])
    model = Laplace(censoring="interval").fit(X)
    assert model.location_[0] == np.median(x)
    away = np.abs(np.minimum(x, cut) - np.median(x)).sum()
    np.testing.assert_allclose(model.scale_, away / (x <= cut).sum(), rtol=1e-12)


def test_sizes_in_a_window_without_an_upper_end_are_sizes():
    """A Pareto law above any threshold is a Pareto law, so that a lower end says nothing new."""
    x = draw(Pareto, 300)
    x = x[x[:, 0] > 2.0]
    plain, window = Pareto().fit(x), Pareto(truncation=(2.0, np.inf)).fit(x)
    np.testing.assert_allclose(window._theta(), plain._theta(), rtol=1e-12)
    assert window.scale_ == plain.scale_ == x.min()
    np.testing.assert_allclose(window.score_samples(x), plain.score_samples(x), atol=1e-9)
    np.testing.assert_allclose(window.standard_errors(x)["shape_"], plain.standard_errors(x)["shape_"], rtol=1e-6)


def test_sizes_in_a_window_solve_their_equation():
    """Aban, Meerschaert and Panorska (2006): 1 / shape + r^shape log r / (1 - r^shape) is the mean logarithm."""
    x = draw(Pareto, 500)
    x = x[x[:, 0] < 4.0]
    model = Pareto(truncation=(0, 4.0)).fit(x)
    shape, ratio = model.shape_[0], x.min() / 4.0
    mean = 1 / shape + ratio**shape * np.log(ratio) / (1 - ratio**shape)
    np.testing.assert_allclose(mean, np.log(x / x.min()).mean(), rtol=1e-10)


def test_a_window_beyond_the_edge_keeps_its_end():
    """No scale below the window is likelier than its end; the law in the window is the same."""
    X = [[-np.inf, 3.0], [3.0, np.inf], [-np.inf, 2.5], [4.0, np.inf], [-np.inf, 3.5]]
    model = Pareto(censoring="interval", truncation=(2.0, np.inf)).fit(X)
    assert model.scale_ == 2.0
    lower = at(Pareto, (model.shape_[0], 1.0), censoring="interval", truncation=(2.0, np.inf))
    lower.columns_, lower.n_features_in_ = model.columns_, 2
    np.testing.assert_allclose(lower.score_samples(X), model.score_samples(X), rtol=1e-9)


def test_one_sided_exponentials_of_a_window():
    """Rows that only fall from the window's end: the location is there, and the scale is their mean excess."""
    X = [[1.0, 2.0], [1.0, 2.0], [2.0, 3.0], [3.0, np.inf]]
    model = Laplace(censoring="interval", truncation=(1.0, np.inf)).fit(X)
    assert model.location_ == 1.0
    np.testing.assert_allclose(model.scale_, 1 / np.log(2), rtol=1e-10)  # three of six steps are survived
    errors = model.standard_errors(X)
    assert np.isnan(errors["location_"]) and errors["scale_"] > 0


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("window", [None, (0.5, 20.0)], ids=str)
@pytest.mark.parametrize(
    "rows, message",
    [
        (RIGHT, "every row is certain"),
        (LEFT, "every row is certain"),
        ([[-np.inf, np.inf]] * 3, "every row is certain"),
        ([[1.0, 3.0], [2.0, 4.0], [2.5, 5.0]], "every row is certain"),
        ([[2.0, 2.0], [1.0, np.inf], [-np.inf, 5.0]], "all rows may be one value"),
        ([[2.0, 2.0], [1.0, 2.0]], "all rows may be one value"),
        ([[1.0, 2.0], [2.0, 3.0]], "all rows may be one value"),
    ],
    ids=str,
)
def test_rows_without_a_maximum_are_refused(family, window, rows, message):
    with pytest.raises(UnboundedLikelihood, match=rf"no maximum in X\[:, 0\]: .*{message}"):
        family(censoring="interval", truncation=window).fit(rows)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_known_rows_of_one_value_are_a_constant_column(family):
    rows = [[1.0, 1.5, 2.0, 2.0], [2.0, 2.5, 2.0, 2.0], [3.0, 3.5, 2.0, 2.0]]
    with pytest.raises(UnboundedLikelihood, match=r"X\[:, 2\] is constant \(2\)"):
        family(censoring="interval").fit(rows)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n_left", [1, 2, 3])
def test_rows_on_two_sides_say_too_little(family, n_left):
    rows = [[-np.inf, 2.0]] * n_left + [[5.0, np.inf]] * 2
    with pytest.raises(UnboundedLikelihood, match="the rows say too little of its parameters, which reached"):
        family(censoring="interval").fit(rows)


def test_rows_that_do_not_fall_in_a_window_are_refused():
    for model, x in [
        (Laplace(truncation=(0, 1)), [0, 0.01, 0.5, 0.99, 1]),
        (Pareto(truncation=(1, 4)), [1.1, 3.5, 3.9]),
    ]:
        with pytest.raises(UnboundedLikelihood, match="say too little"):
            model.fit(np.reshape(x, (-1, 1)))


def test_between_two_intervals_the_location_is_their_middle():
    model = Laplace(censoring="interval").fit([[1.0, 2.0], [5.0, 6.0]])
    assert model.location_ == 3.5
    np.testing.assert_allclose(2 * model.score([[1.0, 2.0], [5.0, 6.0]]), 2 * np.log(model.underlying().cdf([[2.0]]) -
                               model.underlying().cdf([[1.0]])).sum())  # fmt: skip
    assert Laplace(censoring="interval").fit([[1.0, 1.0], [4.0, 4.0], [-np.inf, np.inf]]).location_ == 2.5


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_units_do_not_matter(family):
    low, high = censored(draw(family, 100)[:, 0])
    X = np.column_stack([low, high])
    one = family(censoring="interval").fit(X)
    for factor in (1e-9, 1e9):
        other = family(censoring="interval").fit(factor * X)
        powers = [factor if name != "shape_" else 1.0 for name in one._parameters]
        for theta, again, power in zip(one._theta(), other._theta(), powers, strict=True):
            np.testing.assert_allclose(again, power * theta, rtol=1e-9)
    if family is Laplace:
        other = family(censoring="interval").fit(X + 1e3)
        np.testing.assert_allclose(other.location_ - 1e3, one.location_, atol=1e-9)
        np.testing.assert_allclose(other.scale_, one.scale_, rtol=1e-9)


@pytest.mark.parametrize("censoring", [None, "interval"])
@pytest.mark.parametrize("is_truncated", [False, True])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_all_that_is_said_in_every_option(family, is_truncated, censoring):
    window = WINDOWS[family][0] if is_truncated else None
    low, high = window or (-np.inf, np.inf)
    x = draw(family, 1500, seed=3)
    x = x[(low < x) & (x < high)][:, None]
    X = np.column_stack(seen(x[:, 0], 0)) if censoring else x
    model = family(censoring=censoring, truncation=window)
    assert isinstance(model.support, supports.Pairs) == bool(censoring)
    model.fit(X)
    assert isinstance(model.support, supports.Pairs) == bool(censoring)
    if family is Pareto and not censoring:
        below = model.support.contains(0.999 * model.scale_[None])
        assert below == is_truncated  # the window is the support, also where it reaches below the scale
    law = model.underlying()
    assert law.get_params() == family().get_params() and law._theta() == model._theta()
    for name, truth in zip(model._parameters, TRUTHS[family], strict=True):
        error = model.standard_errors(X)[name][0]
        if name in model._irregular:
            assert np.isnan(error) and model.scale_ == pytest.approx(truth, rel=0.01)
        else:
            assert abs(getattr(model, name)[0] - truth) < 4 * error
            (start, end) = model.confidence_intervals(X)[name][0]
            assert start < getattr(model, name)[0] < end
    drawn = model.sample(20_000, random_state=0)[:, :1]
    assert drawn.min() >= low and drawn.max() <= high
    np.testing.assert_allclose(model.mean(), drawn.mean(), atol=5 * drawn.std() / np.sqrt(len(drawn)))
    if family is Laplace or is_truncated:
        np.testing.assert_allclose(model.var(), drawn.var(), rtol=0.1)
    values = np.hstack([drawn, drawn]) if censoring else drawn
    scores = model.score_samples(values)
    np.testing.assert_allclose(model.entropy(), -scores.mean(), atol=5 * scores.std() / np.sqrt(len(drawn)))
    mode = np.repeat(model.mode()[None], 1 + bool(censoring), axis=1)
    assert model.score_samples(mode) >= scores.max() - 1e-12
    u = np.array([[0.01], [0.5], [0.99]])
    np.testing.assert_allclose(model.cdf(model.ppf(u)), u, rtol=1e-9)
    assert stats.kstest(model.cdf(drawn)[:, 0], "uniform").pvalue > 1e-4


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("window", [None, 0], ids=["whole", "window"])
def test_standard_errors_are_the_spread_of_estimates(family, window):
    """Over 80 samples of 300 rows; the location of a Laplace distribution is nearly always at a kink."""
    z, window = [], window if window is None else WINDOWS[family][window]
    low, high = window or (-np.inf, np.inf)
    for seed in range(80):
        x = draw(family, 300, seed)[:, 0]
        X = np.column_stack(seen(x[(low < x) & (x < high)], seed))
        model = family(censoring="interval", truncation=window).fit(X)
        errors = model.standard_errors(X)
        names = [name for name in model._parameters if name not in model._irregular]
        truths = [TRUTHS[family][list(model._parameters).index(name)] for name in names]
        z.append([(getattr(model, n)[0] - t) / errors[n][0] for n, t in zip(names, truths, strict=True)])
    z = np.array(z)
    assert np.isfinite(z).mean() > 0.9
    spread = np.sqrt(np.nanmean(z**2, axis=0))
    assert ((spread > 0.7) & (spread < 1.4)).all(), spread


def test_binned_sizes_have_the_errors_of_both_parameters():
    """In bins the scale is no row but a smooth maximum, and what it does not tell widens the shape's error."""
    edges, counts = np.array([1.0, 2.0, 3.0, 5.0, np.inf]), np.array([60.0, 50.0, 30.0, 20.0])
    X = np.column_stack([edges[:-1], edges[1:]])
    model = Pareto(censoring="interval").fit(X, sample_weight=counts)
    assert 1.0 < model.scale_ < 2.0
    held = model._shape_error(X[:, :1][:, 0], X[:, 1], counts, 0)
    assert model.standard_errors(X, counts)["shape_"] > 1.05 * held
    drawn = model.standard_errors(X, counts, method="bootstrap", n_resamples=100, random_state=0)
    np.testing.assert_allclose(model.standard_errors(X, counts)["shape_"], drawn["shape_"], rtol=0.3)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_a_plain_fit_is_in_closed_form(family):
    x = draw(family, 101)
    model, (a, b) = family().fit(x), (np.median(x), np.abs(x - np.median(x)).mean())
    if family is Pareto:
        a, b = 1 / np.log(x / x.min()).mean(), x.min()
    np.testing.assert_allclose(np.ravel(model._theta()), [a, b], rtol=1e-14)


def test_many_rows_take_seconds():
    x = draw(Laplace, 100_000)[:, 0]
    X = np.column_stack(seen(x, 0))
    model = Laplace(censoring="interval").fit(X)
    np.testing.assert_allclose(model._theta(), [[-1.0], [0.5]], atol=0.02)
    model = Laplace(truncation=(-2, 1)).fit(x[(x > -2) & (x < 1)][:, None])
    np.testing.assert_allclose(model._theta(), [[-1.0], [0.5]], atol=0.05)
