"""NearestNeighborsDensity: the formula, ties and frequencies, its integral and its draws, numbers of FNN."""

import json
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgen import Independent, KernelDensity, NearestNeighborsDensity, compare, load, save
from skgen.balls import Balls, Minkowski, balls_of
from skgen.base import UnboundedLikelihood
from skgen.datasets import load_faithful
from skgen.neighbors import Neighbors, distinct_rows
from skgen.nonparametric import StudentTKernel
from skgen.nonparametric import _n_neighbors as module
from skgen.nonparametric._balloon import ByRows, by_draws

GOLDEN = json.loads((Path(__file__).parent / "golden" / "neighbors.json").read_text())
ROWS = {"faithful": load_faithful().data, "iris": load_iris().data[:, [0, 2, 3]]}
COVARIANCE = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.5]])
METRICS = [
    ("euclidean", {}, {}),
    ("l2", {}, {}),
    ("manhattan", {}, {}),
    ("cityblock", {}, {}),
    ("l1", {}, {}),
    ("chebyshev", {}, {}),
    ("infinity", {}, {}),
    ("minkowski", {"p": 3}, {}),
    ("minkowski", {"p": 1.5}, {"w": [1.0, 4.0, 0.5]}),
    ("minkowski", {"p": np.inf}, {}),
    ("seuclidean", {}, {"V": [1.0, 4.0, 0.25]}),
    ("mahalanobis", {}, {"V": COVARIANCE}),
    ("mahalanobis", {}, {"VI": np.linalg.inv(COVARIANCE)}),
]


def normal_rows(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def slow_radius(query, rows, weights, k):
    """By the definition: the smallest distance within which the weight reaches k, or the next k of positive radius."""
    distance = np.sqrt(((rows - query) ** 2).sum(axis=1))
    while True:
        reach = min(r for r in [*distance, np.inf] if weights[distance <= r].sum() >= min(k, weights.sum()) - 1e-9)
        if reach > 0:
            return reach, min(k, weights.sum())
        k += 1


# Distances and volumes


@pytest.mark.parametrize("name", ROWS)
def test_numbers_of_fnn(name):
    golden = GOLDEN[name]
    for k, numbers in golden["neighbors"].items():
        model = NearestNeighborsDensity(int(k)).fit(ROWS[name])
        np.testing.assert_allclose(np.exp(model.score_samples(golden["points"])), numbers["density"], rtol=1e-10)
        search = Neighbors(*distinct_rows(ROWS[name], np.ones(len(ROWS[name])))[:2], model._neighbors_.balls)
        np.testing.assert_allclose(search.radii(np.array(golden["points"]), int(k))[0], numbers["distance"], rtol=1e-10)
        ours = search.left_out_radii([int(k)])[0][model.place_, 0][:20]
        theirs = np.array(numbers["left_out_distance"])
        np.testing.assert_allclose(ours[theirs > 0], theirs[theirs > 0], rtol=1e-10)
        assert (ours > 0).all()  # theirs are 0 where rows repeat


@pytest.mark.parametrize("metric, given, params", METRICS, ids=str)
def test_balls_have_the_volume_of_their_metric(metric, given, params):
    X = normal_rows(200, 3)
    balls = balls_of(metric, X, np.ones(200), p=given.get("p", 2), params=params)
    U = np.random.default_rng(1).uniform(-4, 4, size=(400_000, 3))
    search = NearestNeighbors(metric=metric, metric_params=params or None, algorithm="ball_tree", **given)
    distance = search.fit(np.zeros((2, 3))).kneighbors(U[:2000], 1)[0][:, 0]
    np.testing.assert_allclose(balls.length(U[:2000]), distance, rtol=1e-12)
    inside = np.mean(balls.length(U) < 1.5)
    volume = inside * 8**3
    assert abs(volume - np.exp(balls.log_volume(1.5))) < 5 * 8**3 * np.sqrt(inside / len(U))


@pytest.mark.parametrize("metric, given, params", METRICS, ids=str)
def test_every_metric_by_its_formula(metric, given, params):
    X, Z = normal_rows(80, 3), normal_rows(20, 3, seed=1)
    model = NearestNeighborsDensity(6, metric=metric, metric_params=params or None, **given).fit(X)
    search = NearestNeighbors(
        n_neighbors=6, metric=metric, metric_params=params or None, algorithm="ball_tree", **given
    )
    radius = search.fit(X).kneighbors(Z)[0][:, -1]
    expected = np.log(6 / 80) - model._neighbors_.balls.log_volume(radius)
    np.testing.assert_allclose(model.score_samples(Z), expected, rtol=1e-10)


def test_caps_of_the_sphere():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arcsin(rng.uniform(-1, 1, 4000)), rng.uniform(-np.pi, np.pi, 4000)])
    model = NearestNeighborsDensity(400, metric="haversine").fit(X)
    Z = np.column_stack([np.arcsin(rng.uniform(-1, 1, 200)), rng.uniform(-np.pi, np.pi, 200)])
    assert abs(model.score(Z) + np.log(4 * np.pi)) < 0.02  # even on the sphere
    assert model._neighbors_.balls.log_volume(np.pi) == pytest.approx(np.log(4 * np.pi))
    assert repr(model.support) == repr(NearestNeighborsDensity(metric="haversine").support) == "globe"


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_variances_are_those_of_the_rows(metric):
    X, weights = normal_rows(50, 2), np.random.default_rng(1).integers(1, 4, 50)
    covariance = np.cov(np.repeat(X, weights, axis=0).T)
    given = np.diag(covariance) if metric == "seuclidean" else covariance
    learned = NearestNeighborsDensity(5, metric=metric).fit(X, sample_weight=weights)
    told = NearestNeighborsDensity(5, metric=metric, metric_params={"V": given}).fit(X, sample_weight=weights)
    np.testing.assert_allclose(learned.score_samples(X), told.score_samples(X), rtol=1e-10)


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree", "ball_tree"])
def test_algorithms_agree_where_squares_cancel(algorithm):
    X = normal_rows(60, 20) + 1e7
    model = NearestNeighborsDensity(4, algorithm=algorithm).fit(X)
    expected = [slow_radius(x, X, np.ones(60), 4)[0] for x in X + 0.01]
    np.testing.assert_allclose(model._neighbors_.radii(X + 0.01, 4)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("k", [1, 4])
def test_brute_force_tells_near_rows_apart_that_are_far_out(k):
    near = np.random.default_rng(0).normal(size=(40, 20))
    X = np.vstack([1e-3 * near, 1e6 + 1e-3 * near[::-1]])
    Z = np.vstack([X[:5], X[-5:]]) + 1e-4
    brute, tree = (NearestNeighborsDensity(k, algorithm=a).fit(X) for a in ("brute", "kd_tree"))
    np.testing.assert_allclose(brute.score_samples(Z), tree.score_samples(Z), rtol=1e-9)
    expected = tree.leave_one_out_score_samples()
    np.testing.assert_allclose(brute.leave_one_out_score_samples(), expected, rtol=1e-9)


# Ties, frequencies, self-exclusion


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("algorithm", ["kd_tree", "brute"])
def test_frequencies_by_the_definition(k, algorithm):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, size=(60, 2)).astype(float)
    weights = rng.choice([0.5, 1.0, 2.0, 3.0], 60)
    rows, counts, place = distinct_rows(X, weights)
    np.testing.assert_array_equal(rows[place], X)
    balls = balls_of("euclidean", rows, counts)
    neighbors = Neighbors(rows, counts, balls, algorithm=algorithm)
    Z = np.vstack([X, rng.uniform(0, 5, size=(40, 2))])
    expected = np.transpose([slow_radius(z, X, weights, k) for z in Z])
    radius, reached = neighbors.radii(Z, k)
    np.testing.assert_allclose(radius, expected[0], rtol=1e-12)
    tied = np.array([weights[(z == X).all(axis=1)].sum() for z in Z])
    np.testing.assert_allclose(reached, np.minimum(np.maximum(k, np.floor(tied) + 1), weights.sum()))
    left_out, _, others = neighbors.left_out_radii([k])
    for i in range(len(rows)):
        fewer = counts.copy()
        fewer[i] -= min(1, counts[i])
        assert left_out[i, 0] == pytest.approx(slow_radius(rows[i], rows[fewer > 0], fewer[fewer > 0], k)[0])
        assert others[i] == pytest.approx(fewer.sum())


def test_light_rows_are_many_to_a_neighbour():
    X = normal_rows(300, 2)
    weights = np.random.default_rng(0).uniform(0.01, 0.5, 300)
    rows, counts, _ = distinct_rows(X, weights)
    radius, reached = Neighbors(rows, counts, balls_of("l2", rows, counts)).radii(X[:20], 7)
    np.testing.assert_allclose(radius, [slow_radius(x, X, weights, 7)[0] for x in X[:20]])
    assert (reached == 7).all()


def test_a_row_leaves_itself_out():
    X = normal_rows(40, 2)
    model = NearestNeighborsDensity(3).fit(X)
    expected = [
        NearestNeighborsDensity(3).fit(X[train]).score_samples(X[test])[0] for train, test in LeaveOneOut().split(X)
    ]
    np.testing.assert_allclose(model.leave_one_out_score_samples(), expected, rtol=1e-12)
    model = NearestNeighborsDensity(3, normalize="sample_point").fit(X)
    scale = model.radii_ / 2  # sqrt(d + 2)
    for i in (0, 7):
        others = np.arange(40) != i
        place = model.place_
        terms = stats.norm.pdf(X[i] - X[others], scale=scale[place][others, None]).prod(axis=1)
        assert model.leave_one_out_score_samples()[i] == pytest.approx(np.log(terms.mean()))


def test_the_correction_has_the_right_mean():
    scores = {False: [], True: []}
    for seed, unbiased in product(range(400), (False, True)):
        X = np.random.default_rng(seed).uniform(size=(200, 1))
        model = NearestNeighborsDensity(5, unbiased=unbiased).fit(X)
        scores[unbiased].append(np.exp(model.score_samples([[0.5]]))[0])
    assert abs(np.mean(scores[True]) - 1) < 0.08 < np.mean(scores[False]) - 1  # 5 / 4 without


# The mixture of sample points


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", "exponential", "student_t"])
def test_the_kernel_has_the_variance_of_the_ball(kernel):
    X = np.array([[0.0, 0.0], [3.0, 4.0], [1e9, 0.0], [1e9, 1.0]])
    model = NearestNeighborsDensity(1, normalize="sample_point", kernel=kernel).fit(X)
    np.testing.assert_allclose(model.radii_, [5, 5, 1, 1])
    drawn = model.sample(200_000, random_state=0)
    near = drawn[np.abs(drawn[:, 0] - 1e9) < 1e3, 0] - 1e9
    assert abs(near.var() - 1 / 4) < 0.02  # of a disk of radius 1


def test_tophat_is_the_ball():
    model = NearestNeighborsDensity(1, normalize="sample_point", kernel="tophat").fit([[0.0], [1.0], [4.0]])
    expected = np.array([1 / 2, 1 / 2 + 1 / 2 + 0, 1 / 6]) / 3
    np.testing.assert_allclose(np.exp(model.score_samples([[-0.5], [0.5], [6.5]])), expected)
    student = StudentTKernel(1.5)  # without variance
    model = NearestNeighborsDensity(1, normalize="sample_point", kernel=student).fit([[0.0], [1.0], [4.0]])
    widths = np.array([1, 1, 3]) / np.sqrt(3)
    assert np.exp(model.score([[0]])) == pytest.approx(np.mean(stats.t(1.5).pdf(np.array([0, 1, 4]) / widths) / widths))


# The balloon


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev", "mahalanobis"])
@pytest.mark.parametrize("d, n_points", [(1, 20_000), (2, 700), (3, 90)])
def test_the_balloon_integrates_to_one(metric, d, n_points):
    X = normal_rows(60, d)
    model = NearestNeighborsDensity(9, normalize="balloon", metric=metric).fit(X)
    low, high = model.box_
    axes = [a + (b - a) * (np.arange(n_points) + 0.5) / n_points for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, d)
    mass = np.exp(model.score_samples(grid)).mean() * (high - low).prod()
    assert model.likelihood == "exact" and 0 < model.log_normalizer_error_ < 5e-3
    assert abs(np.log(mass)) < model.log_normalizer_error_ + 2e-4
    assert (model.score_samples([low - 1, high + 1]) == -np.inf).all()


@pytest.mark.parametrize("metric", ["euclidean", "chebyshev", "mahalanobis"])
def test_the_balloon_in_five_columns(metric):
    X = normal_rows(150, 5)
    model = NearestNeighborsDensity(normalize="balloon", metric=metric).fit(X)
    assert model.likelihood == "estimate" and model.log_normalizer_error_ < 0.01
    low, high = model.box_
    wide = stats.truncnorm((low - 0) / 1.4, (high - 0) / 1.4, scale=1.4)  # a wide normal distribution on the box
    Z = wide.rvs((100_000, 5), random_state=np.random.default_rng(0))
    ratio = np.exp(model.score_samples(Z) - wide.logpdf(Z).sum(axis=1))
    error = np.hypot(ratio.std() / np.sqrt(len(Z)), model.log_normalizer_error_)
    assert abs(ratio.mean() - 1) < 4 * error < 0.1
    drawn = model.sample(40_000, random_state=0)
    for function in (np.abs, np.square, lambda x: x.clip(-1, 1), lambda x: np.roll(x, 1, axis=1) * x):
        expected, spread = (ratio[:, None] * function(Z)).mean(axis=0), (ratio[:, None] * function(Z)).std(axis=0)
        error = np.sqrt(spread**2 / len(Z) + function(drawn).var(axis=0) / len(drawn) + (0.01 * expected) ** 2)
        assert (np.abs(function(drawn).mean(axis=0) - expected) < 4.5 * error).all()


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_both_ways_to_draw_agree(d, weighted):
    """Draws by cells and by rows share no bound; the Monte Carlo integral is that of the quadrature."""
    X = normal_rows(50, d)
    weights = np.random.default_rng(1).choice([0.5, 1.0, 2.5], 50) if weighted else None
    model = NearestNeighborsDensity(6, normalize="balloon").fit(X, sample_weight=weights)
    by_rows = ByRows(model._neighbors_, 6, *model.box_)
    log_integral, error = by_draws(by_rows)[:2]
    total = 50 if weights is None else weights.sum()
    assert abs(log_integral - np.log(total) - model.log_normalizer_) < 4 * error + model.log_normalizer_error_
    one, other = model.sample(20_000, random_state=0), by_rows.sample(20_000, np.random.default_rng(1))
    directions = np.random.default_rng(2).normal(size=(d, 12))
    for u in directions.T:
        assert stats.ks_2samp(one @ u, other @ u).pvalue > 1e-4
    radii = [np.log(model._neighbors_.radii(rows, 6)[0]) for rows in (one, other)]
    assert stats.ks_2samp(*radii).pvalue > 1e-4


@pytest.mark.parametrize("most, has_cells", [(1_000_000, True), (10_000, False)])
def test_an_integral_that_would_take_too_many_queries_is_estimated(monkeypatch, most, has_cells):
    X = normal_rows(300, 3)
    exact = NearestNeighborsDensity(10, normalize="balloon").fit(X)
    monkeypatch.setattr("skgen.nonparametric._balloon.MOST_VISITED", most)
    model = NearestNeighborsDensity(10, normalize="balloon").fit(X)
    assert (exact.likelihood, exact.normalizer_method_) == ("exact", "quadrature")
    assert (model.likelihood, model.normalizer_method_) == ("estimate", "monte_carlo")
    assert hasattr(model, "cells_") == has_cells
    assert model.log_normalizer_error_ < 0.01
    gap = abs(model.log_normalizer_ - exact.log_normalizer_)
    assert 0 < gap < 4 * model.log_normalizer_error_ + exact.log_normalizer_error_
    directions = np.random.default_rng(2).normal(size=(3, 6))
    for u in directions.T:
        drawn = [m.sample(5000, random_state=seed) @ u for seed, m in enumerate((exact, model))]
        assert stats.ks_2samp(*drawn).pvalue > 1e-4


def test_the_bounds_under_which_draws_are_thinned_hold():
    X = normal_rows(80, 2)
    model = NearestNeighborsDensity(7, normalize="balloon").fit(X)
    for way in (model._draws_, ByRows(model._neighbors_, 7, *model.box_)):
        chance = way.propose(50_000, np.random.default_rng(0))[1]
        assert 0.5 < chance.max() <= 1 + 1e-9 and chance.min() >= 0
    cells = model.cells_
    np.testing.assert_allclose((2 * cells["halves"]).prod(axis=1).sum(), np.ptp(model.box_, axis=0).prod())


def test_an_integral_that_draws_do_not_find_is_refused(monkeypatch):
    monkeypatch.setattr("skgen.nonparametric._balloon.MOST_PROPOSED", 20_000)
    with pytest.raises(ValueError, match="no integral over a box of 60 features.*sample_point"):
        NearestNeighborsDensity(5, normalize="balloon").fit(normal_rows(60, 60))


def test_units_do_not_matter_to_the_box():
    X = normal_rows(100, 2) * [1e-3, 1e3]  # a box a million times as long as wide
    model = NearestNeighborsDensity(normalize="balloon").fit(X)
    drawn = model.sample(2000, random_state=0)
    assert np.isfinite(model.score_samples(drawn)).all() and len(model.cells_["radii"]) < 1e5


def test_bounds_by_name_and_by_number():
    X = np.abs(normal_rows(60, 2))
    model = NearestNeighborsDensity(normalize="balloon", bounds={0: (0, 5)}).fit(X)
    np.testing.assert_allclose(model.box_[:, 0], [0, 5])
    margin = 0.1 * np.ptp(X[:, 1])
    np.testing.assert_allclose(model.box_[:, 1], [X[:, 1].min() - margin, X[:, 1].max() + margin])
    plain, other = (NearestNeighborsDensity(5, normalize="balloon", unbiased=u).fit(X) for u in (False, True))
    np.testing.assert_allclose(plain.score_samples(X), other.score_samples(X))  # the correction cancels
    difference = plain.log_normalizer_ - other.log_normalizer_
    assert difference == pytest.approx(np.log(5 / 4))


# The number of neighbours


def test_the_root_of_the_rows():
    assert NearestNeighborsDensity().fit(normal_rows(200, 1)).n_neighbors_ == 14
    assert NearestNeighborsDensity().fit([[0.0], [1.0]]).n_neighbors_ == 1
    copies = np.repeat(normal_rows(9, 2), 7, axis=0)
    assert NearestNeighborsDensity(normalize="balloon").fit(copies).n_neighbors_ == 8


def test_folds_by_brute_force():
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = NearestNeighborsDensity("cv", normalize="sample_point").fit(X)
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    for k in list(model.cv_scores_)[::4]:
        plain = NearestNeighborsDensity(k, normalize="sample_point")
        each = [plain.fit(model.rows_[train]).score_samples(model.rows_[test]) for train, test in folds]
        assert model.cv_scores_[k] == pytest.approx(np.concatenate(each).mean())
    assert model.cv_scores_[model.n_neighbors_] == max(model.cv_scores_.values())
    assert NearestNeighborsDensity("cv").fit(X).cv_scores_ == model.cv_scores_
    assert min(model.cv_scores_) == 2 and max(model.cv_scores_) == 30


def test_left_out_rows_on_the_box_by_brute_force():
    X = normal_rows(40, 1)
    model = NearestNeighborsDensity("cv", normalize="balloon").fit(X)
    for k in list(model.cv_scores_)[::3]:
        plain = NearestNeighborsDensity(k, unbiased=True)
        each = [plain.fit(X[train]).score(X[test]) for train, test in LeaveOneOut().split(X)]
        mass = NearestNeighborsDensity(k, unbiased=True, normalize="balloon").fit(X).log_normalizer_
        assert model.cv_scores_[k] == pytest.approx(np.mean(each) - mass, abs=0.02)


@pytest.mark.parametrize(
    "normalize, d", [("balloon", 1), ("balloon", 2), ("sample_point", 1), ("sample_point", 2), ("sample_point", 5)]
)
def test_the_chosen_number_is_as_good_as_any(normalize, d):
    rng = np.random.default_rng(d)
    X, held_out = rng.normal(size=(300, d)) ** 3, rng.normal(size=(4000, d)) ** 3
    held_out = held_out[(np.abs(held_out) < 10).all(axis=1)]
    X = X[(np.abs(X) < 10).all(axis=1)]
    bounds = (-10, 10) if normalize == "balloon" else None
    scores = {
        k: NearestNeighborsDensity(k, normalize=normalize, bounds=bounds).fit(X).score(held_out)
        for k in (2, 3, 4, 6, 9, 13, 20, 30, 45, 70, 100)
    }
    model = NearestNeighborsDensity("cv", normalize=normalize, bounds=bounds).fit(X)
    assert model.score(held_out) > max(scores.values()) - 0.05


@pytest.mark.parametrize("normalize", ["balloon", "sample_point"])
def test_many_rows_are_scored_in_part(monkeypatch, normalize):
    X = normal_rows(400, 2)
    whole = NearestNeighborsDensity("cv", normalize=normalize).fit(X)
    monkeypatch.setattr(module, "MOST_SCORED", 100)
    part = NearestNeighborsDensity("cv", normalize=normalize).fit(X)
    other = NearestNeighborsDensity("cv", normalize=normalize).fit(X[::-1])
    assert whole.cv_scores_ != part.cv_scores_ == pytest.approx(whole.cv_scores_, abs=0.3)
    assert part.cv_scores_ == pytest.approx(other.cv_scores_, rel=1e-9)


def test_neighbours_stay_the_same_in_blocks_and_threads(monkeypatch):
    X = normal_rows(300, 3)
    expected = NearestNeighborsDensity(20).fit(X).score_samples(X + 0.1)
    monkeypatch.setattr("skgen.neighbors.BLOCK", 100)
    np.testing.assert_array_equal(NearestNeighborsDensity(20).fit(X).score_samples(X + 0.1), expected)
    model = NearestNeighborsDensity(20, n_jobs=2, leaf_size=3).fit(X)
    np.testing.assert_array_equal(model.score_samples(X + 0.1), expected)


# Improper or not, kept or refused


def test_an_improper_density_says_so():
    model = NearestNeighborsDensity(3).fit(normal_rows(30, 2))
    assert model.likelihood == "improper"
    with pytest.raises(ValueError, match="infinite mass.*nothing to draw.*normalize='sample_point'"):
        model.sample()
    with pytest.raises(ValueError, match="no region has a mass"):
        model.highest_density_threshold(0.5)
    with pytest.raises(ValueError, match="KernelDensity.metric='haversine'"):
        NearestNeighborsDensity(3, metric="haversine").fit(0.1 * normal_rows(30, 2)).sample()
    z = np.array([[1e3], [1e6], [1e9]])
    with pytest.raises(ValueError, match="infinite mass"):
        Independent(NearestNeighborsDensity(3)).fit(normal_rows(30, 2)).sample()
    line = NearestNeighborsDensity(3).fit(normal_rows(30, 1))
    np.testing.assert_allclose(np.exp(line.score_samples(z))[:, None] * z, 0.05, rtol=1e-2)  # tails like 1 / x


def test_the_mixture_competes_in_a_comparison():
    from skgen.selection import default_candidates

    candidate = default_candidates()["NearestNeighborsDensity"]
    rows = {
        row.model: row for row in compare(load_faithful().data, {"neighbours": candidate, "plain": KernelDensity()})
    }
    [plain] = compare(load_faithful().data, NearestNeighborsDensity())
    assert plain.reason == "Its likelihood is improper: its mass is not one."
    assert rows["neighbours"].is_ranked and rows["neighbours"].likelihood == "exact"


@pytest.mark.parametrize("normalize, bounds", [("sample_point", None), ("balloon", (-5, 5))])
def test_neighbours_are_searched_in_a_pipeline(normalize, bounds):
    pipeline = make_pipeline(StandardScaler(), NearestNeighborsDensity(normalize=normalize, bounds=bounds))
    grid = {"nearestneighborsdensity__n_neighbors": [2, 20, 150, "sqrt"]}
    search = GridSearchCV(pipeline, grid, error_score="raise").fit(normal_rows(250, 2))
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1] > scores[2]  # two neighbours are too few, 150 too many
    assert search.best_estimator_[-1].n_neighbors_ in (16, 20)


@pytest.mark.parametrize("options", [{}, {"normalize": "sample_point"}, {"normalize": "balloon"}], ids=str)
@pytest.mark.parametrize("d", [2, 4])
def test_a_copy_scores_and_draws_alike(options, d, tmp_path):
    X = normal_rows(50, d)
    model = NearestNeighborsDensity(6, metric="mahalanobis", **options).fit(X)
    save(model, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(model)), load(tmp_path / "model")):
        np.testing.assert_array_equal(copy.score_samples(X), model.score_samples(X))
        if options:
            np.testing.assert_array_equal(copy.sample(20, random_state=0), model.sample(20, random_state=0))


def test_far_queries_score_no_nan():
    for options in ({}, {"algorithm": "brute"}, {"metric": "mahalanobis"}, {"p": 3}, {"p": np.inf}):
        model = NearestNeighborsDensity(3, **options).fit(normal_rows(30, 2))
        score = model.score_samples([[1e300, -1e300], [1e160, 0.0], [1e20, 1e20]])
        assert not np.isnan(score).any() and (score < -50).all()


@pytest.mark.parametrize("scale", [1e-200, 1e-90, 1e90, 1e200])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"p": 12},
        {"p": np.inf},
        {"metric": "manhattan"},
        {"metric": "seuclidean"},
        {"metric": "mahalanobis"},
        {"algorithm": "brute"},
        {"normalize": "sample_point"},
        {"normalize": "sample_point", "metric": "seuclidean", "kernel": "epanechnikov"},
        {"normalize": "sample_point", "n_neighbors": "cv", "metric": "chebyshev"},
        {"normalize": "balloon"},
    ],
    ids=str,
)
def test_tiny_and_huge_units(scale, options):
    X = normal_rows(60, 2)
    plain, scaled = (NearestNeighborsDensity(**options).fit(rows) for rows in (X, scale * X))
    expected = plain.score_samples(X[::-1]) - 2 * np.log(scale)
    np.testing.assert_allclose(scaled.score_samples(scale * X[::-1]), expected, rtol=1e-9)
    if options.get("normalize"):
        drawn = plain.sample(10, random_state=0), scaled.sample(10, random_state=0)
        np.testing.assert_allclose(drawn[1] / scale, drawn[0], rtol=1e-9)


def test_powers_of_distances_are_numbers():
    X = np.random.default_rng(0).lognormal(10, 1, (300, 3))
    high, chebyshev = (NearestNeighborsDensity(5, p=p).fit(X).score(X) for p in (19, np.inf))
    assert abs(high - chebyshev) < 0.1
    with pytest.raises(ValueError, match="p=100: such powers.*p=np.inf"):
        NearestNeighborsDensity(5, p=100).fit(X)
    line = [NearestNeighborsDensity(5, p=p).fit(X[:, :1]).score(X[:, :1]) for p in (1, 2, 100, np.inf)]
    np.testing.assert_allclose(line, line[0], rtol=1e-12)


TWO = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 0.5]])


@pytest.mark.parametrize(
    "options, X, message",
    [
        ({"n_neighbors": 5}, TWO, "n_neighbors=5, but with n_samples=5 a row has 4 others: take fewer"),
        ({}, TWO[:1], "n_samples=1"),
        ({"n_neighbors": 1, "unbiased": True}, TWO, "unbiased=True wants 2 neighbours or more"),
        ({"n_neighbors": 1, "normalize": "balloon"}, TWO, "normalize='balloon' wants 2 neighbours or more"),
        (
            {"n_neighbors": 2, "normalize": "balloon"},
            TWO[[0, 0, 1, 2, 3]],
            "wants 3 neighbours or more where 2 rows are at one place",
        ),
        ({}, TWO * [1, 0], r"X\[:, 1\] is constant"),
        (
            {"n_neighbors": "cv", "unbiased": True},
            TWO[:2],
            "unbiased=True wants 2 neighbours or more, but with n_samples=2",
        ),
        (
            {"normalize": "balloon"},
            TWO[[0, 0, 0, 1]],
            "wants 4 neighbours.*3 of them at one place, a row has 3 others: give more rows",
        ),
        ({"metric": "haversine", "n_neighbors": "cv"}, TWO, "does not go with n_neighbors='cv'"),
        ({"metric_params": {"w": [1.0, 2.0]}, "p": np.inf}, TWO, "p=inf has none"),
        ({"bounds": ("a", "b"), "normalize": "balloon"}, TWO, "give a pair"),
        ({"metric": "canberra"}, TWO, "volume of its balls is not known"),
        ({"metric": max}, TWO, "volume of its balls is not known"),
        ({"metric": "haversine", "normalize": "balloon"}, TWO, "a density on the sphere is KernelDensity"),
        ({"metric": "haversine"}, np.hstack([TWO, TWO]), "only valid in 2 dimensions"),
        ({"metric": "haversine"}, 100 * TWO, "wants radians"),
        ({"metric": "haversine", "algorithm": "kd_tree"}, TWO, "no kd_tree"),
        ({"metric": "haversine", "metric_params": {"p": 2}}, TWO, "takes no metric_params"),
        ({"bounds": (0, 9)}, TWO, "bounds are the box of normalize='balloon'"),
        ({"bounds": (0, 1), "normalize": "balloon", "n_neighbors": 2}, TWO, "wants numbers from 0 to 1, but X"),
        ({"bounds": (0, None), "normalize": "balloon", "n_neighbors": 2}, TWO, "wants a finite box"),
        ({"bounds": {7: (0, 1)}, "normalize": "balloon"}, TWO, "no such feature"),
        ({"metric": "seuclidean", "metric_params": {"V": [1.0]}}, TWO, "one positive variance for each of 2"),
        ({"metric": "mahalanobis", "metric_params": {"V": np.ones((2, 2))}}, TWO, "positive definite"),
        ({"metric": "mahalanobis"}, TWO @ [[1, 1], [0, 0]], "positive definite"),
        ({"metric": "mahalanobis", "metric_params": {"V": np.eye(2), "q": 1}}, TWO, r"no metric_params \['q'\]"),
        ({"metric": "mahalanobis", "normalize": "sample_point"}, 1e-200 * TWO, "scale the columns"),
        ({"metric_params": {"w": [1.0, 2.0, 3.0]}}, TWO, "one positive weight for each of 2"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_is_refused(options, X, message):
    with pytest.raises(ValueError, match=message):
        NearestNeighborsDensity(**options).fit(X)


def test_more_that_is_refused():
    with pytest.raises(UnboundedLikelihood, match="one place"):
        Neighbors(np.zeros((1, 2)), np.ones(1), Balls(Minkowski(2), np.zeros(2)))
    with pytest.raises(ValueError, match="more rows than can be counted"):
        NearestNeighborsDensity().fit(TWO, sample_weight=np.full(5, 1e308))
    with pytest.raises(ValueError, match="one integral for all rows"):
        NearestNeighborsDensity(2, normalize="balloon").fit(TWO).leave_one_out_score_samples()


def test_the_formula():
    X, z = normal_rows(100, 3), np.array([[0.3, -0.2, 0.1]])
    radius = np.sort(np.linalg.norm(X - z, axis=1))[9]
    expected = 10 / (100 * np.pi**1.5 / gamma(2.5) * radius**3)
    assert np.exp(NearestNeighborsDensity().fit(X).score_samples(z)) == pytest.approx(expected)
