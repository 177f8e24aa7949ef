"""One pass over the pairs finds what refits at every bandwidth and fold find."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit, TimeSeriesSplit
from sklearn.utils.estimator_checks import check_estimator

from skgen import supports
from skgen.checks import check_density_estimator
from skgen.nonparametric import KernelDensity, StudentTKernel
from skgen.nonparametric._kde_cv import KernelDensityCV
from skgen.nonparametric._kernels import KERNELS
from skgen.nonparametric._sums import _held_out as held_out
from skgen.parametric import Independent

GRID = [0.15, 0.3, 0.45, 0.8, 1.6]
BY_PAIRS, BY_NUMPY = 0, np.inf  # values up to which numpy makes the sums


@pytest.fixture(params=[BY_PAIRS, BY_NUMPY], ids=["compiled", "numpy"])
def engine(request, monkeypatch):
    monkeypatch.setattr(held_out, "BY_NUMPY", request.param)


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(held_out, "BY_NUMPY", BY_PAIRS)


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def by_search(X, grid, cv, weights=None, **options):
    with config_context(enable_metadata_routing=True):
        model = KernelDensity(**options).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"bandwidth": list(grid)}, cv=cv)
        with warnings.catch_warnings():  # it says where kernels do not reach, and takes their deviation
            warnings.simplefilter("ignore")
            return search.fit(X) if weights is None else search.fit(X, sample_weight=weights)


def by_refits(X, grid, given=None, **options):
    """Each observation under a new fit to all others."""
    weights = np.ones(len(X)) if given is None else given
    found = []
    for h in grid:
        scores = []
        for i, w in enumerate(weights):
            rest = weights.copy()
            rest[i] -= w if options.get("weights") == "importance" else min(w, 1.0)
            scores.append(
                KernelDensity(bandwidth=h, **options).fit(X, sample_weight=rest).score_samples(X[i : i + 1])[0]
            )
        found.append(np.average(scores, weights=weights))
    return np.array(found)


def assert_same_search(model, search):
    assert model.n_splits_ == search.n_splits_
    names = ["mean_test_score", "rank_test_score", *(f"split{k}_test_score" for k in range(search.n_splits_))]
    finite = np.isfinite(search.cv_results_["mean_test_score"])
    for name in names:
        np.testing.assert_allclose(model.cv_results_[name], search.cv_results_[name], rtol=1e-11, atol=1e-9)
    deviations = model.cv_results_["std_test_score"], search.cv_results_["std_test_score"]
    np.testing.assert_allclose(deviations[0][finite], deviations[1][finite], rtol=1e-9, atol=1e-9)
    assert model.best_index_ == search.best_index_
    assert model.best_score_ == pytest.approx(search.best_score_, abs=1e-9)
    np.testing.assert_array_equal(model.best_params_["bandwidth"], search.best_params_["bandwidth"])
    assert model.cv_results_["param_bandwidth"].dtype == search.cv_results_["param_bandwidth"].dtype


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("multivariate", ["radial", "product"])
@pytest.mark.parametrize("kernel", [*KERNELS, StudentTKernel(2.5)], ids=str)
def test_folds_are_those_of_a_grid_search(kernel, multivariate, d, engine):
    X, grid = rows(90, d), [0.15, 0.5, 2.0, 5.0]
    options = {"kernel": kernel, "multivariate": multivariate}
    search = by_search(X, grid, 4, **options)
    assert_same_search(KernelDensityCV(grid, estimator=KernelDensity(**options), cv=4).fit(X), search)


@pytest.mark.parametrize(
    "metric, params",
    [
        ("manhattan", None),
        ("chebyshev", None),
        ("minkowski", {"p": 3}),
        ("minkowski", {"p": 1.5, "w": [1.0, 4.0, 0.5]}),
    ],
)
@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "epanechnikov", "tricube", "cosine"])
def test_metrics_are_those_of_a_grid_search(metric, params, kernel, engine):
    X, options = rows(80, 3), {"metric": metric, "metric_params": params, "kernel": kernel}
    grid = [2.0, 1.0, 4.0, 6.0] if kernel not in ("gaussian", "exponential") else [0.6, 0.2, 1.0, 3.0]
    X = np.clip(X, -1.5, 1.5)  # within reach
    search = by_search(X, grid, 5, **options)
    assert_same_search(KernelDensityCV(grid, estimator=KernelDensity(**options), cv=5).fit(X), search)


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=1),
        LeaveOneOut(),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=0.3, random_state=0),
        TimeSeriesSplit(3),
        [(np.arange(40), np.arange(40, 70))],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_splits_of_all_sorts_are_those_of_a_grid_search(cv, engine):
    X, weights = rows(70, 2), np.random.default_rng(1).uniform(0.2, 3.0, 70)
    assert_same_search(KernelDensityCV(GRID, cv=cv).fit(X), by_search(X, GRID, cv))
    assert_same_search(KernelDensityCV(GRID, cv=cv).fit(X, sample_weight=weights), by_search(X, GRID, cv, weights))


def test_masks_make_folds_too():
    X, half = rows(40, 2), np.arange(40) < 20
    by_numbers = KernelDensityCV(GRID, cv=[(np.flatnonzero(half), np.flatnonzero(~half))]).fit(X)
    assert KernelDensityCV(GRID, cv=[(half, ~half)]).fit(X).best_score_ == by_numbers.best_score_


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "student_t", "biweight"])
@pytest.mark.parametrize("weights", ["frequency", "importance"])
def test_leaving_one_out_is_a_refit_without_it(kernel, weights, d, engine):
    X = np.vstack([rows(18, d), rows(6, d)[:3]])  # three rows come twice
    w = np.random.default_rng(1).integers(1, 4, len(X)).astype(float)
    options = {"kernel": kernel, "weights": weights}
    grid = [0.4, 1.0, 6.0]
    for given in (None, w):
        model = KernelDensityCV(grid, estimator=KernelDensity(**options)).fit(X, sample_weight=given)
        expected = by_refits(X, grid, given, **options)
        np.testing.assert_allclose(model.cv_results_["mean_test_score"], expected, rtol=1e-11, atol=1e-9)
        assert model.n_splits_ == 1


def test_rows_without_weight_keep_their_place_in_splits():
    X, weights = rows(60, 2), np.random.default_rng(0).integers(0, 3, 60).astype(float)
    assert_same_search(KernelDensityCV(GRID, cv=3).fit(X, sample_weight=weights), by_search(X, GRID, 3, weights))
    with pytest.raises(ValueError, match="split 0 has 40 to learn from and 0 to score: choose another cv"):
        KernelDensityCV(GRID, cv=3).fit(X, sample_weight=np.arange(60) >= 20)


def test_parts_of_observations_are_put_together():
    X = rows(30, 2)
    whole = KernelDensityCV([0.01, 0.3, 0.6]).fit(X)
    halves = KernelDensityCV([0.01, 0.3, 0.6]).fit(np.vstack([X, X]), sample_weight=np.full(60, 0.5))
    np.testing.assert_allclose(
        halves.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"], rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "logistic", "student_t"])
@pytest.mark.parametrize("multivariate", ["radial", "product"])
@pytest.mark.parametrize("d", [1, 2, 8])
def test_far_rows_are_finite(kernel, multivariate, d, compiled):
    X = rows(60, d)
    X[7], X[30], X[31] = 1e3, -1e4, -1e4 - 1.0
    options = {"kernel": kernel, "multivariate": multivariate}
    grid = [0.02, 0.5, 40.0]
    for cv in (3, None):
        model = KernelDensityCV(grid, estimator=KernelDensity(**options), cv=cv).fit(X)
        means = model.cv_results_["mean_test_score"]
        assert np.isfinite(means).all()
        expected = (
            by_refits(X, grid, **options)
            if cv is None
            else by_search(X, grid, cv, **options).cv_results_["mean_test_score"]
        )
        np.testing.assert_allclose(means, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("kernel", ["tophat", "linear", "epanechnikov", "biweight", "cosine", "tricube"])
@pytest.mark.parametrize("d", [1, 2])
def test_rows_at_the_very_edge_of_a_kernel_are_out_of_reach(kernel, d, engine):
    X = np.zeros((9, d))
    X[:, 0] = np.arange(9) + 1e6
    model = KernelDensityCV([1.0, 2.0, 3.0], estimator=KernelDensity(kernel=kernel)).fit(X)
    means = model.cv_results_["mean_test_score"]
    reaches = KERNELS[kernel].log_value(np.array([1.0]), d)[0] == 0
    assert np.isfinite(means[0]) == reaches
    near = KERNELS[kernel].log_value(np.array([[1.0], [4.0]]) / 4.0, d).ravel()
    values = np.exp(near)
    counts = np.add.outer(np.arange(9) > 0, 0) + 0 + (np.arange(9) < 8)
    twos = (np.arange(9) > 1).astype(int) + (np.arange(9) < 7)
    single = KernelDensity(kernel=kernel, bandwidth=2.0).fit(X[:1]).score_samples(X[:1])[0]
    expected = np.log((counts * values[0] + twos * values[1]) / 8).mean() + single
    assert means[1] == pytest.approx(expected, abs=1e-12)


def test_bandwidths_that_see_nothing_come_last(engine):
    X = np.array([[0.0], [0.3], [0.5], [4.0], [4.2], [9.0]])
    model = KernelDensityCV([0.1, 0.4, 6.0, 8.0], estimator=KernelDensity(kernel="linear"), cv=3).fit(X)
    assert (model.cv_results_["mean_test_score"][:2] == -np.inf).all()
    assert model.cv_results_["rank_test_score"].tolist()[:2] == [3, 3]
    assert model.best_params_ == {"bandwidth": 6.0} or model.best_params_ == {"bandwidth": 8.0}
    with pytest.raises(ValueError, match="out of reach of all others at each of its bandwidths: add wider ones"):
        KernelDensityCV([0.1, 0.4], estimator=KernelDensity(kernel="linear"), cv=3).fit(X)


@pytest.mark.parametrize(
    "options",
    [
        {"adaptive": "abramson"},
        {"bounds": (-6.0, 6.0)},
        {"bounds": (-6.0, 6.0), "boundary": "transform"},
        {"bounds": (-6.0, np.inf), "boundary": "renormalize"},
        {"periodic": {1: 12.0}},
        {"discrete": {1: "ordered"}},
    ],
    ids=str,
)
def test_everything_else_is_refitted(options, engine):
    X = rows(50, 2)
    X[:, 1] = np.round(X[:, 1]) if "discrete" in options else X[:, 1]
    grid = [0.2, 0.5, 1.0]
    estimator = KernelDensity(**options)
    assert_same_search(KernelDensityCV(grid, estimator=estimator, cv=3).fit(X), by_search(X, grid, 3, **options))
    left_out = [KernelDensity(bandwidth=h, **options).fit(X).leave_one_out_score_samples().mean() for h in grid]
    means = KernelDensityCV(grid, estimator=estimator).fit(X).cv_results_["mean_test_score"]
    np.testing.assert_allclose(means, left_out, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "grid",
    [
        [np.array([0.1, 2.0]), np.array([0.2, 4.0]), np.array([0.35, 7.0])],
        [np.array([0.1, 2.0]), np.array([0.2, 3.0]), np.array([0.35, 7.0])],
        [0.3 * np.array([[1.0, 0.4], [0.4, 2.0]]), 0.6 * np.array([[1.0, 0.4], [0.4, 2.0]])],
        [0.3 * np.array([[1.0, 0.0], [0.0, 2.0]]), 0.6 * np.array([[1.0, 0.4], [0.4, 2.0]])],
        ["silverman", "scott", 0.3],
        [0.3, np.array([0.1, 2.0]), "nrd"],
    ],
    ids=["multiples", "arrays", "multiples of a matrix", "matrices", "rules", "of all sorts"],
)
def test_bandwidths_of_all_forms(grid, engine):
    X = rows(80, 2) * [0.5, 10.0]
    model = KernelDensityCV(grid, cv=4).fit(X)
    assert_same_search(model, by_search(X, grid, 4))
    np.testing.assert_allclose(model.bandwidth_, model.best_estimator_.bandwidth_)


def test_the_usual_grid_is_around_the_rule():
    X = rows(120, 2) * [0.01, 100.0]
    model = KernelDensityCV().fit(X)
    rule = KernelDensity(bandwidth="silverman").fit(X).bandwidth_
    np.testing.assert_allclose(np.array(model.bandwidths_), np.geomspace(0.1, 3, 30)[:, None] * rule, rtol=1e-14)
    assert 0 < model.best_index_ < 29
    moved = KernelDensityCV().fit(X * [1e4, 1e-3] + [5.0, -1.0])
    np.testing.assert_allclose(moved.bandwidth_, model.bandwidth_ * [1e4, 1e-3], rtol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("cv", [None, 5])
@pytest.mark.parametrize("many", [100, 3000], ids=["trees", "pairs"])
def test_many_rows_and_threads(many, d, cv, monkeypatch):
    monkeypatch.setattr(held_out, "MANY", many)
    X = rows(1500, d)
    X[17] = 60.0
    grid = np.geomspace(0.02, 2.0, 6)
    alone = KernelDensityCV(grid, cv=cv).fit(X)
    if cv is None:
        expected = [KernelDensity(bandwidth=h).fit(X).leave_one_out_score_samples().mean() for h in grid]
        np.testing.assert_allclose(alone.cv_results_["mean_test_score"], expected, rtol=1e-11, atol=1e-9)
    else:
        assert_same_search(alone, by_search(X, grid, cv))
    together = KernelDensityCV(grid, cv=cv, n_jobs=3).fit(X)
    np.testing.assert_allclose(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], rtol=1e-12, atol=0
    )


def test_what_it_learned_is_a_kernel_density():
    frame = pd.DataFrame(rows(60, 2), columns=["a", "b"])
    model = KernelDensityCV(GRID).fit(frame)
    best = KernelDensity(bandwidth=model.bandwidth_).fit(frame)
    np.testing.assert_array_equal(model.score_samples(frame), best.score_samples(frame))
    np.testing.assert_array_equal(model.best_estimator_.score_samples(frame), best.score_samples(frame))
    pd.testing.assert_frame_equal(model.sample(5, random_state=0), best.sample(5, random_state=0))
    np.testing.assert_array_equal(model.conditional_cdf(frame), best.conditional_cdf(frame))
    gap = frame.mask(np.eye(60, 2, dtype=bool))
    pd.testing.assert_frame_equal(
        model.sample_conditional(gap, random_state=0), best.sample_conditional(gap, random_state=0)
    )
    bounded = KernelDensityCV(GRID, estimator=KernelDensity(bounds=(-9.0, 9.0)))
    assert bounded.support.low == -9.0
    assert bounded.fit(frame).support.contains(np.array([[0.0, 10.0]])).tolist() == [False]


def test_labels_and_parts_of_other_models():
    frame = pd.DataFrame({"x": rows(60, 1)[:, 0], "kind": np.tile(["a", "b", "c"], 20)})
    model = KernelDensityCV(GRID, estimator=KernelDensity(discrete="auto"), cv=KFold(4, shuffle=True, random_state=0))
    search = by_search(frame, GRID, model.cv, discrete="auto")
    assert_same_search(model.fit(frame), search)
    assert set(model.sample(9, random_state=0)["kind"]) <= {"a", "b", "c"}
    X = rows(40, 2)
    parts = Independent(KernelDensityCV(GRID, cv=3)).fit(X).estimators_
    for j, part in enumerate(parts):
        assert part.best_score_ == KernelDensityCV(GRID, cv=3).fit(X[:, [j]]).best_score_


@pytest.mark.parametrize(
    "bandwidths, message",
    [
        ([], "got no bandwidths"),
        ([0.3, -1.0], r"wants positive finite bandwidths, but bandwidths\[1\] is -1.0"),
        ([0.3, np.nan], r"bandwidths\[1\] is nan"),
        ([[0.3, 1.0, 1.0]], "bandwidth is a positive number, 2 of them"),
        (["wide"], "bandwidth"),
    ],
)
def test_what_is_no_bandwidth_is_refused(bandwidths, message):
    with pytest.raises(ValueError, match=message):
        KernelDensityCV(bandwidths).fit(rows(20, 2))


def test_one_row_is_too_few():
    with pytest.raises(ValueError, match="n_samples = 1 and nothing is left without it"):
        KernelDensityCV([0.3]).fit([[1.0]])
    with pytest.raises(ValueError, match="n_samples = 1"):
        KernelDensityCV([0.3], estimator=KernelDensity(weights="importance")).fit([[1.0]], sample_weight=[2.0])
    assert KernelDensityCV([0.3, 0.1]).fit([[1.0]], sample_weight=[2.0]).bandwidth_ == 0.1


@pytest.mark.parametrize("n_columns", [1, 2, 4])
@pytest.mark.parametrize("bandwidths", [[0.3, 0.6, 1.2], None], ids=["given", "usual"])
def test_it_keeps_the_laws(bandwidths, n_columns):
    X = supports.real.draw(np.random.default_rng(0), 200, n_columns)
    verdicts = check_density_estimator(KernelDensityCV(bandwidths), X, on_fail="report")
    broken = [verdict for verdict in verdicts if verdict.status not in ("kept", "not applicable")]
    assert not broken


@pytest.mark.parametrize("model", [KernelDensityCV(), KernelDensityCV([0.3, 1.0], cv=2)], ids=["alone", "folds"])
def test_scikit_learn_takes_it(model):
    check_estimator(model, on_skip=None)
    assert clone(model).get_params() == model.get_params()


def test_few_rows_wait_for_no_compiler():
    code = (
        "import sys, numpy as np\n"
        "from skgen.nonparametric._kde_cv import KernelDensityCV\n"
        "X = np.random.default_rng(0).standard_normal((200, 2))\n"
        "KernelDensityCV(np.geomspace(0.1, 1, 30), cv=5).fit(X).score(X)\n"
        "KernelDensityCV().fit(X[:, :1]).score(X[:, :1])\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_clusters_far_apart():
    """Differences of rows keep their digits: the scores are those of each estimate by itself."""
    near = np.random.default_rng(0).normal(size=(100, 2))
    X = np.round(np.vstack([near, near + 1e9]), 3)
    for grid in ([0.02, 0.1, 1.0], [[0.02, 0.1], [0.2, 1.0]]):
        found = KernelDensityCV(grid).fit(X).cv_results_["mean_test_score"]
        wanted = [KernelDensity(bandwidth=h).fit(X).leave_one_out_score_samples().mean() for h in grid]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)
