"""Held-out likelihoods: by hand, on every container, and the table that compares models."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgen import (
    Bernoulli,
    Categorical,
    DensityEstimator,
    Exponential,
    Gaussian,
    Independent,
    Laplace,
    Normal,
    Poisson,
    StudentT,
    compare,
    cross_val_score_samples,
    supports,
)
from skgen.parametric._independent import AUTO
from skgen.selection import default_candidates
from skgen.sequences import SequenceDensityEstimator


def rng():
    return np.random.default_rng(0)


def correlated(n=300):
    return rng().multivariate_normal([0, 5], [[1, 0.8], [0.8, 2]], size=n)


def by_hand(make, X, n_folds=5):
    """Held-out log-densities from the shuffled folds, written out."""
    log_density = np.full(len(X), np.nan)
    for train, test in KFold(n_folds, shuffle=True, random_state=0).split(X):
        log_density[test] = make().fit(X[train]).score_samples(X[test])
    return log_density


def by_name(comparison):
    return {row.model: row for row in comparison}


class LengthModel(SequenceDensityEstimator):
    """Sequences of geometric length."""

    def _fit(self, X, y, sample_weight):
        self.stop_ = 1 / np.mean([len(x) for x in X])

    def _log_prob(self, X, y):
        return np.array([np.log(self.stop_) + (len(x) - 1) * np.log1p(-self.stop_) for x in X])

    def _sample(self, n_samples, y, rng):
        return [np.zeros((k, self.n_features_in_)) for k in rng.geometric(self.stop_, n_samples)]


class Shifted(Normal):
    """A normal density around its condition."""

    def __init__(self, conditional=True):
        self.conditional = conditional

    def _fit(self, X, y, sample_weight):
        super()._fit(X - y[:, None], None, sample_weight)

    def _log_prob(self, X, y):
        return super()._log_prob(X - y[:, None], None)


class Bound(Normal):
    likelihood = "bound"


class Estimate(Normal):
    likelihood = "estimate"


class Improper(Normal):
    likelihood = "improper"


class OnSphere(Normal):
    @property
    def support(self):
        return supports.sphere


class Broken(Normal):
    def _fit(self, X, y, sample_weight):
        raise RuntimeError("The wheels came off. Nobody knows why.")


class Interrupted(Normal):
    def _fit(self, X, y, sample_weight):
        raise KeyboardInterrupt


class NotANumber(Normal):
    value = np.nan

    def _log_prob(self, X, y):
        return np.full(len(X), self.value)


class Infinite(NotANumber):
    value = np.inf


# cross_val_score_samples


@pytest.mark.parametrize("make", [Gaussian, StudentT, lambda: KernelDensity(bandwidth=0.4)])
def test_held_out_scores_are_those_of_a_loop_over_folds(make):
    X = correlated()
    assert_array_equal(cross_val_score_samples(make(), X), by_hand(make, X))


def test_every_container_scores_alike():
    X = correlated()
    expected = cross_val_score_samples(Gaussian(), X)
    for same in (X.tolist(), pd.DataFrame(X, columns=["a", "b"]), pl.DataFrame(X, schema=["a", "b"])):
        assert_array_equal(cross_val_score_samples(Gaussian(), same), expected)


def test_labels_are_scored_in_place():
    X = pd.DataFrame({"word": list("aab") * 20})
    scores = cross_val_score_samples(Categorical(), X, cv=6)
    assert (scores[X["word"] == "a"] > np.log(0.5)).all()
    assert (scores[X["word"] == "b"] < np.log(0.5)).all()


def test_sequences_are_split_between_and_never_within():
    X = [np.zeros((length, 1)) for length in [1, 2, 3, 4, 5, 6]]
    scores = cross_val_score_samples(LengthModel(), X, cv=LeaveOneOut())
    stop = 1 / np.mean([2, 3, 4, 5, 6])
    assert_allclose(scores[0], np.log(stop))


def test_a_condition_is_sliced_with_its_rows():
    y = rng().uniform(0, 1000, 200)
    X = y[:, None] + rng().standard_normal((200, 1))
    assert cross_val_score_samples(Shifted(), X, y).mean() > -2
    with pytest.raises(ValueError, match="requires y"):
        cross_val_score_samples(Shifted(), X)


def test_weights_reach_the_fit():
    X = correlated(40)
    weight = np.tile([0, 1, 3], 14)[:40]
    [train, test] = next(iter(KFold(4).split(X)))
    expected = Gaussian().fit(X[train], sample_weight=weight[train]).score_samples(X[test])
    assert_array_equal(cross_val_score_samples(Gaussian(), X, cv=KFold(4), sample_weight=weight)[test], expected)


def test_searches_and_pipelines_are_left_as_they_are():
    X = correlated()
    search = GridSearchCV(Gaussian(), {"covariance": ["full", "diag"]}, cv=3)
    assert_array_equal(cross_val_score_samples(search, X), cross_val_score_samples(Gaussian(), X))
    foreign = GridSearchCV(KernelDensity(), {"bandwidth": [0.4]}, cv=3)
    assert_array_equal(cross_val_score_samples(foreign, X), by_hand(lambda: KernelDensity(bandwidth=0.4), X))
    pipeline = make_pipeline(StandardScaler(), Gaussian())
    assert_array_equal(
        cross_val_score_samples(pipeline, X), by_hand(lambda: make_pipeline(StandardScaler(), Gaussian()), X)
    )


@pytest.mark.parametrize("cv", [ShuffleSplit(3, random_state=0), RepeatedKFold(n_splits=3, n_repeats=2)])
def test_folds_must_hold_each_row_out_once(cv):
    with pytest.raises(ValueError, match="must hold each row out exactly once.*held out [023] times"):
        cross_val_score_samples(Normal(), correlated(), cv=cv)


@pytest.mark.parametrize("cv", [1, 0, -3, 11])
def test_an_impossible_number_of_folds_is_refused(cv):
    with pytest.raises(ValueError, match=f"cv={cv} folds of 10 row"):
        cross_val_score_samples(Normal(), np.arange(10.0)[:, None], cv=cv)


def test_what_is_no_density_is_refused():
    with pytest.raises(TypeError, match="is no density estimator"):
        cross_val_score_samples(StandardScaler(), correlated())


# compare: the numbers


def test_the_table_holds_what_its_headings_say():
    X = correlated()
    rows = by_name(compare(X, [Gaussian(), Laplace()]))
    gaussian, laplace = by_hand(Gaussian, X), by_hand(Laplace, X)
    assert rows["Gaussian"].log_likelihood == gaussian.mean()
    fold_means = [gaussian[test].mean() for _, test in KFold(5, shuffle=True, random_state=0).split(X)]
    assert_allclose(rows["Gaussian"].log_likelihood_se, np.std(fold_means, ddof=1) / np.sqrt(5))
    assert_allclose(rows["Laplace"].difference, (laplace - gaussian).mean())
    assert_allclose(rows["Laplace"].difference_se, np.std(laplace - gaussian, ddof=1) / np.sqrt(len(X)))
    assert rows["Gaussian"].difference == rows["Gaussian"].difference_se == 0
    assert_array_equal(rows["Laplace"].scores, laplace)


@pytest.mark.parametrize(
    "winner, X",
    [
        ("StudentT", rng().standard_t(3, size=(600, 2)) @ [[1, 0.5], [0, 1]]),
        ("Gaussian", correlated(600)),
        ("Laplace", rng().laplace(size=(600, 2))),
        ("Exponential", rng().exponential([1, 20], size=(600, 2))),
        ("Poisson", rng().poisson(3, size=(600, 2))),
    ],
)
def test_the_family_that_the_rows_come_from_wins(winner, X):
    candidates = [Gaussian(), StudentT(df=3), Laplace(), Exponential(), Poisson(), Bernoulli(), Categorical()]
    comparison = compare(X, candidates)
    assert comparison.rows[0].model == winner
    [truth] = [model for model in candidates if type(model).__name__ == winner]
    assert_array_equal(comparison.best_.score_samples(X), truth.fit(X).score_samples(X))


def test_units_shift_every_likelihood_and_no_difference():
    X = correlated()
    one, other = by_name(compare(X, [Gaussian(), Normal()])), by_name(compare(1000 * X, [Gaussian(), Normal()]))
    for name in one:
        assert_allclose(other[name].log_likelihood, one[name].log_likelihood - 2 * np.log(1000))
        assert_allclose(other[name].difference, one[name].difference, atol=1e-9)


def test_a_search_is_repeated_in_each_training_part():
    X = correlated(60)
    search = GridSearchCV(KernelDensity(), {"bandwidth": np.logspace(-1, 1, 9)}, cv=KFold(3))
    [row] = compare(X, {"kde": search})
    assert_array_equal(row.scores, by_hand(lambda: search, X))
    assert row.parameters == search.fit(X).best_params_
    assert_array_equal(row.estimator.score_samples(X), search.best_estimator_.score_samples(X))
    assert row.estimator.sample(3, random_state=0).shape == (3, 2)


def test_the_covariance_is_chosen_by_the_data():
    white = 3 * rng().standard_normal((30, 6))
    assert by_name(compare(white))["Gaussian"].parameters == {"covariance": "spherical"}
    assert by_name(compare(correlated()))["Gaussian"].parameters == {"covariance": "full"}


def test_other_libraries_compete():
    X = np.concatenate([correlated(), correlated() + 20])
    comparison = compare(X, [GaussianMixture(2), Gaussian(), KernelDensity()])
    assert comparison.rows[0].model == "GaussianMixture"
    assert comparison.best_.sample(5, random_state=0).shape == (5, 2)


# compare: who is no rival


def test_an_impossible_row_is_minus_infinity_and_said():
    X = np.zeros((50, 1), dtype=int)
    X[7] = 1
    rows = compare(X, {"unsmoothed": Bernoulli(alpha=0), "smoothed": Bernoulli()}).rows
    assert [row.model for row in rows] == ["smoothed", "unsmoothed"]
    assert rows[1].log_likelihood == rows[1].difference == -np.inf
    assert np.isnan(rows[1].log_likelihood_se)
    assert np.isnan(rows[1].difference_se)
    assert rows[1].reason == "1 of 50 held-out rows have density 0."
    [alone] = compare(X, Bernoulli(alpha=0))
    assert np.isnan(alone.difference)


def test_a_density_of_counts_is_not_ranked_among_probabilities():
    X = pd.DataFrame({"n": rng().poisson(2, 200), "m": rng().poisson(4, 200)})
    comparison = compare(X, [Normal(), Poisson()])
    assert [row.is_ranked for row in comparison] == [True, False]
    assert comparison.rows[0].model == "Poisson"
    assert comparison.rows[1].reason == "It has a density of the whole numbers in 'n', which are compared as counts."
    assert "Whole numbers that are counted: 'n', 'm'; measure={'n': 'lebesgue', 'm': 'lebesgue'}" in comparison.notes[0]


def test_measure_turns_the_tables():
    X = pd.DataFrame({"n": rng().poisson(2, 200)})
    comparison = compare(X, [Normal(), Poisson(), Categorical()], measure={"n": "lebesgue"})
    assert comparison.rows[0].model == "Normal"
    assert [row.reason for row in comparison.rows[1:]] == [
        "It counts 'n', which is compared as continuous.",
        "It counts 'n', which is compared as continuous.",
    ]
    assert comparison.best_.sample(2, random_state=0)["n"].dtype == float
    assert not any("Whole numbers" in note for note in comparison.notes)


def test_many_or_negative_whole_numbers_have_a_density():
    many, negative = np.arange(100), rng().integers(-3, 3, 100)
    comparison = compare(pd.DataFrame({"many": many, "negative": negative}), [Independent()])
    assert [type(part).__name__ for part in comparison.best_.estimators_] == ["Normal", "Normal"]
    assert "'many', 'negative'; measure={'many': 'counting', 'negative': 'counting'}" in comparison.notes[0]


def test_whole_floats_have_a_density_unless_measure_counts_them():
    X = rng().poisson(3, (200, 1)).astype(float)
    assert compare(X, [Normal(), Poisson()]).rows[0].model == "Normal"
    counted = compare(X, [Normal(), Poisson()], measure={0: "counting"})
    assert counted.rows[0].model == "Poisson"
    assert counted.best_.sample(2, random_state=0).dtype == np.int64


@pytest.mark.parametrize("as_frame", [True, False])
def test_columns_of_two_measures_stay_apart(as_frame):
    X = np.column_stack([rng().integers(1000, 2000, 200), rng().poisson(3, 200)])
    comparison = compare(pd.DataFrame(X, columns=["a", "b"]) if as_frame else X, [Independent(), Gaussian()])
    first, second = comparison.best_.estimators_
    assert type(first) in AUTO["real"] and isinstance(second, Poisson)
    expected = by_hand(Independent, X[:, :1].astype(float)) + by_hand(Poisson, X[:, 1:])
    assert_allclose(comparison.rows[0].scores, expected)
    assert "density of the whole numbers in" in comparison.rows[1].reason


def test_labels_and_numbers_of_one_table():
    X = pd.DataFrame({"colour": list("rgb") * 40, "size": rng().standard_normal(120), "on": [True, False] * 60})
    comparison = compare(X)
    rows = by_name(comparison)
    assert comparison.rows[0].model == "Independent"
    assert [row.model for row in comparison if row.is_ranked] == ["Independent"]
    assert rows["Gaussian"].reason.startswith("Gaussian wants numbers, but column 'colour' holds")
    assert rows["Categorical"].reason == "It counts 'size', which is compared as continuous."
    assert list(comparison.best_.sample(2, random_state=0)) == ["colour", "size", "on"]


def test_a_list_of_labels_and_numbers():
    X = [[word, float(i)] for i, word in enumerate(["red", "blue"] * 10)]
    assert [row.model for row in compare(X) if row.is_ranked] == ["Independent"]


def test_polars_and_pandas_agree():
    columns = {"a": rng().integers(1000, 2000, 100), "b": rng().poisson(3, 100), "c": ["x", "y"] * 50}
    one, other = compare(pd.DataFrame(columns)), compare(pl.DataFrame(columns))
    assert [row.model for row in one] == [row.model for row in other]
    assert one.rows[0].log_likelihood == other.rows[0].log_likelihood
    assert isinstance(other.best_.sample(2, random_state=0), pl.DataFrame)


def test_a_constant_column_is_a_point_mass_and_no_density():
    X = pd.DataFrame({"x": rng().standard_normal(100), "c": 3.5})
    rows = by_name(compare(X))
    assert rows["Independent"].log_likelihood == cross_val_score_samples(Normal(), X[["x"]]).mean()
    assert "'c' is constant" in rows["Normal"].reason
    assert rows["Gaussian"].reason == "It has a density of the values in 'c', which are compared as counts."


def test_a_column_that_is_constant_in_one_training_part_only():
    X = np.column_stack([rng().standard_normal(100), np.zeros(100)])
    X[3, 1] = 0.5
    [row] = compare(X, Independent())
    assert row.reason == "On a training part: It counts X[:, 1], which is compared as continuous."


def test_kinds_of_likelihood_are_ranked_apart():
    X = correlated()
    comparison = compare(X, [Estimate(), Improper(), Bound(), Normal(), Gaussian()])
    assert [row.model for row in comparison] == ["Gaussian", "Normal", "Bound", "Estimate", "Improper"]
    assert by_name(comparison)["Bound"].difference == 0
    assert by_name(comparison)["Improper"].reason == "Its likelihood is improper: its mass is not one."
    assert any("ranked apart" in note for note in comparison.notes)


def test_what_goes_wrong_is_a_row_with_its_reason():
    X = correlated()
    pipeline = make_pipeline(StandardScaler(), Gaussian())
    comparison = compare(X, [Broken(), NotANumber(), Infinite(), OnSphere(), Exponential(), pipeline, Normal()])
    assert comparison.rows[0].model == "Normal"
    reasons = [row.reason for row in comparison.rows[1:]]
    assert reasons[0] == "RuntimeError: The wheels came off."
    said = "On a training part: its log-density of some held-out rows is infinite or not a number."
    assert reasons[1] == reasons.pop(2) == said
    assert reasons[2] == "It has a density on rows of length one, not per unit of each column."
    i, j = np.argwhere(X < 0)[0]
    assert reasons[3] == f"Negative values in data passed to Exponential: X[{i}, {j}] = {X[i, j]:.6g}."
    assert "forgets the Jacobian" in reasons[4]


def test_a_failing_search_gives_the_reason_of_its_model():
    search = GridSearchCV(Exponential(), {}, cv=3)
    assert "Negative values in data passed to Exponential" in compare(correlated(), search).rows[0].reason


def test_nobody_ranked_means_no_best():
    comparison = compare(correlated(), Exponential())
    with pytest.raises(ValueError, match="No candidate could be ranked"):
        comparison.best_  # noqa: B018


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        compare(correlated(), [Normal(), Interrupted()])


def test_convergence_warnings_are_collected():
    comparison = compare(correlated(), StudentT(max_iter=1))
    assert "StudentT did not converge in 6 of 6 fits." in comparison.notes


# compare: the object, the candidates and what is refused


def test_two_processes_compute_what_one_does():
    X = correlated()
    one, two = compare(X, [Gaussian(), KernelDensity()]), compare(X, [Gaussian(), KernelDensity()], n_jobs=2)
    for a, b in zip(one, two, strict=True):
        assert_array_equal(a.scores, b.scores)


def test_the_seed_fixes_the_folds():
    X = correlated()

    def score(random_state):
        return compare(X, Normal(), random_state=random_state).rows[0].log_likelihood

    assert score(3) == score(3) != score(4)
    assert score(np.random.default_rng(3)) == score(np.random.default_rng(3))
    assert np.isfinite(score(None))


def test_any_splitter_that_partitions_serves():
    X = correlated(50)
    [row] = compare(X, Normal(), cv=KFold(2))
    assert_array_equal(row.scores[:25], Normal().fit(X[25:]).score_samples(X[:25]))
    groups = np.arange(50) % 5
    [row] = compare(X, Normal(), cv=list(GroupKFold(5).split(X, groups=groups)))
    assert np.isfinite(row.log_likelihood)


def test_progress_is_told_and_silence_kept(capsys):
    calls = []
    compare(correlated(), [Normal(), Laplace()], cv=3, progress=lambda *call: calls.append(call))
    assert calls == [(i + 1, 8, "Normal" if i < 4 else "Laplace") for i in range(8)]
    assert capsys.readouterr() == ("", "")
    compare(correlated(), Normal(), cv=3, verbose=1)
    assert capsys.readouterr().out.splitlines() == [f"{i}/4 Normal" for i in (1, 2, 3, 4)]


def test_the_table_in_every_form():
    X = pd.DataFrame(correlated().round(), columns=["<x>", "y"])
    comparison = compare(X, [Gaussian(), Poisson(), GridSearchCV(StudentT(), {"df": [3, 30]})])
    text = str(comparison)
    lines = text.splitlines()
    assert lines[0].startswith("model ")
    assert lines[0].index("likelihood  ", 30) == lines[1].index("exact")
    assert sorted(line.split()[0] for line in lines[1:3]) == ["Gaussian", "StudentT"]
    assert lines[1].endswith("df=30") != lines[2].endswith("df=30")
    assert repr(comparison) == text
    assert "\nPoisson: Negative values in data" in text
    assert "Fewer than half of the values are distinct in '<x>', 'y'" in text
    assert "&lt;x&gt;" in comparison._repr_html_()
    assert "<x>" not in comparison._repr_html_()
    for frame in (comparison.to_pandas(), comparison.to_polars()):
        assert list(frame.columns) == list(comparison.columns)
        assert frame.shape == (3, len(comparison.columns))
        assert frame["difference"][0] == 0
    assert len(comparison) == 3


def test_candidates_of_one_class_are_told_apart():
    names = [row.model for row in compare(correlated(), [Gaussian(), Gaussian("diag"), Gaussian()])]
    assert sorted(names) == ["Gaussian()", "Gaussian() (2)", "Gaussian(covariance='diag')"]


def test_models_join_by_being_there(monkeypatch):
    import skgen.checks

    class Network(Normal):
        _is_network = True

    class NeedsParts(Normal):
        def __init__(self, part):
            self.part = part

    there = [("LengthModel", LengthModel), ("NeedsParts", NeedsParts), ("Network", Network), ("Normal", Normal)]
    monkeypatch.setattr(skgen.checks, "all_estimators", lambda: there)
    assert list(default_candidates()) == ["Normal"]
    assert list(default_candidates(networks=True)) == ["Network", "Normal"]


def test_all_models_that_exist_take_part():
    comparison = compare(correlated())
    assert {row.model for row in comparison} == set(default_candidates())
    assert {"Gaussian", "StudentT", "Independent", "Poisson"} <= set(default_candidates())
    assert {"HistogramDensity", "KernelDensity", "NearestNeighborsDensity"} <= set(default_candidates())
    assert all(row.is_ranked or row.reason for row in comparison)


@pytest.mark.parametrize(
    "X, message",
    [
        ([[1.0, np.nan], [2.0, 3.0]], "Input X contains NaN: X\\[:, 1\\] has 1 missing"),
        ([[1.0, np.inf], [2.0, 3.0]], "Input X contains infinity in X\\[:, 1\\], row 0"),
        (pd.DataFrame({"when": pd.to_datetime(["2020-01-01", "2020-01-02"])}), "dates or times"),
        ([1.0, 2.0, 3.0], "Expected 2D array, got 1D array"),
        (np.empty((0, 2)), "0 sample"),
        (pd.DataFrame({"a": []}), "wants rows and columns"),
        ([[1.0]], "cv=5 folds of 1 row"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        compare(X, Normal())


@pytest.mark.parametrize(
    "measure, message",
    [
        ({"z": "counting"}, "measure names the column 'z', but the columns are \\['real', 'word'\\]"),
        ({"real": "count"}, 'must be "counting" or "lebesgue", got \'count\''),
        ({"real": "counting"}, "'real' cannot be counted: row 0 holds 0.5"),
        ({"word": "lebesgue"}, "'word' holds labels, which can only be counted"),
    ],
)
def test_a_measure_that_does_not_suit_is_refused(measure, message):
    X = pd.DataFrame({"real": [0.5, 1.5, 2.0], "word": ["a", "b", "a"]})
    with pytest.raises(ValueError, match=message):
        compare(X, Independent(), measure=measure)


def test_candidates_must_be_density_estimators():
    with pytest.raises(TypeError, match="is no density estimator"):
        compare(correlated(), [StandardScaler()])
    with pytest.raises(TypeError, match="is no density estimator"):
        compare(correlated(), {"a class": Normal})
    with pytest.raises(ValueError, match="at least one candidate"):
        compare(correlated(), [])


def test_comparing_changes_nothing_that_is_the_users():
    X = pd.DataFrame({"n": np.arange(100), "x": rng().standard_normal(100)})
    before, model = X.copy(), Gaussian()
    compare(X, model)
    pd.testing.assert_frame_equal(X, before)
    assert not hasattr(model, "mean_")
    assert isinstance(model, DensityEstimator)
