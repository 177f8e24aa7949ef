"""The door: frames, labels, sequences, conditions, weights, what is refused, and the adapter for foreign densities."""

import datetime
import enum
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from scipy import sparse, stats
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KernelDensity

from skgen import as_density, supports
from skgen.base import DensityEstimator, add_statistics, check_weights
from skgen.checks import LAWS, check_density_estimator
from skgen.foreign import ForeignDensity
from skgen.parametric import (
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    Independent,
    Normal,
    PointMass,
    Poisson,
    StudentT,
)
from skgen.parametric._independent import AUTO
from skgen.random import as_generator
from skgen.sequences import SequenceDensityEstimator, read_sequences, split_sequences

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))


# Containers


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_comes_back_a_frame(library):
    frame = pd.DataFrame({"b": X[:, 0], "a": np.arange(60), "c": X[:, 1].astype(np.float32)})
    make = {"pandas": lambda f: f, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}[library]
    model = Gaussian().fit(make(frame))
    drawn = model.sample(5, random_state=0)
    assert type(drawn) is type(make(frame))
    columns = drawn.column_names if library == "pyarrow" else list(drawn.columns)
    assert columns == ["b", "a", "c"]
    kinds = drawn.schema.types if library == "pyarrow" else list(drawn.dtypes)
    words = [str(kind).lower().replace("double", "float64") for kind in kinds]
    assert words[:2] == ["float64", "float64"] and words[2] in ("float32", "float")
    np.testing.assert_allclose(
        model.score_samples(make(frame)), Gaussian().fit(frame.to_numpy()).score_samples(frame.to_numpy())
    )


@pytest.mark.parametrize(
    "dtype, expected", [(float, float), (np.float32, np.float32), (int, float), (np.int8, float), (np.float16, float)]
)
def test_arrays_come_back_by_one_rule(dtype, expected):
    table = (10 * X).astype(dtype)
    assert Gaussian().fit(table).sample(3).dtype == expected
    counts = np.abs(table).astype(int).astype(dtype)
    assert Poisson().fit(counts).sample(3).dtype == dtype


def test_lists_bools_and_nullable_columns():
    assert Gaussian().fit([[1, 2], [3, 5], [2, 0]]).sample(2).dtype == float
    assert Bernoulli().fit(X > 0).sample(3).dtype == bool
    frame = pd.DataFrame({"n": pd.array([1, 2, 3], dtype="Int64"), "f": pd.array([0.5, 1.5, 0.5], dtype="Float64")})
    assert list(map(str, Gaussian("diag").fit(frame).sample(2).dtypes)) == ["float64", "Float64"]
    assert str(Poisson().fit(frame[["n"]]).sample(2).dtypes.iloc[0]) == "Int64"


def test_column_names_that_are_numbers_stay():
    frame = pd.DataFrame(X)
    assert list(Gaussian().fit(frame).sample(2).columns) == [0, 1]


def test_other_column_orders_are_refused_as_scikit_learn_does():
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = Gaussian().fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.score_samples(frame[["b", "a"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.score_samples(X)


def frame_with(values):
    return pd.DataFrame({"fine": np.arange(3.0), "odd": values})


@pytest.mark.parametrize(
    "table, sentence",
    [
        (frame_with([1.0, None, 2.0]), "Input X contains NaN: column 'odd' has 1 missing value.*row 1"),
        (frame_with(pd.array([1, None, 2], dtype="Int64")), "Input X contains NaN: column 'odd'"),
        (frame_with(["a", None, "b"]), "Input X contains NaN: column 'odd'"),
        (frame_with(np.array(["a", pd.NA, "b"], dtype=object)), "Input X contains NaN: column 'odd'"),
        (frame_with([1.0, np.inf, 2.0]), "contains infinity"),
        (frame_with(pd.to_datetime(["2020-01-01"] * 3)), "'odd' holds dates or times"),
        (frame_with(pd.to_timedelta([1, 2, 3], unit="s")), "'odd' holds dates or times"),
        (pd.DataFrame(X[:3], columns=["a", "a"]), "several columns of one name: a"),
        (pl.DataFrame({"odd": [1.0, float("nan")]}), "Input X contains NaN: column 'odd'"),
        (pl.DataFrame({"odd": [1, None]}), "Input X contains NaN: column 'odd'"),
        (np.array([["a", None]], dtype=object), r"Input X contains NaN: X\[:, 1\]"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), "dates or times"),
        (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.parametrize("model", [Independent(), Categorical()], ids=repr)
def test_what_no_model_takes_is_refused_in_a_sentence(model, table, sentence):
    with pytest.raises(ValueError, match=sentence):
        model.fit(table)


@pytest.mark.parametrize(
    "table, sentence",
    [
        (frame_with(["x", "y", "z"]), r"Gaussian wants numbers, but column 'odd' holds 'x'.*Independent\(\"auto\"\)"),
        (np.array([["x", "y"]]), "not compatible with arrays of bytes/strings|could not convert"),
        (X[:, 0], "Expected 2D array, got 1D array"),
        (X[:0], r"0 sample\(s\)"),
        (X[None], "dim 3"),
        (np.where(X > 2, np.nan, X), "Input X contains NaN"),
        (X + 1j, "Complex data not supported"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_numeric_models_refuse_in_a_sentence(table, sentence):
    with pytest.raises(ValueError, match=sentence):
        Gaussian().fit(table)


def test_sparse_is_refused():
    for model in (Gaussian(), Independent(), Categorical()):
        with pytest.raises(TypeError, match="[Ss]parse"):
            model.fit(sparse.csr_matrix(X))


def test_unfitted_says_so():
    for method in ("score_samples", "score", "conditional_cdf"):
        with pytest.raises(NotFittedError):
            getattr(Gaussian(), method)(X)
    with pytest.raises(NotFittedError):
        Gaussian().sample()


@pytest.mark.parametrize(
    "model, table, sentence",
    [
        (Exponential(), [[1.0, -2.0]], r"Negative values in data passed to Exponential: X\[0, 1\] = -2"),
        (Poisson(), [[0.5]], r"Poisson wants whole numbers, 0 or more, but X\[0, 0\] = 0.5"),
        (Bernoulli(), [[0], [2]], r"Bernoulli wants zeros and ones, but X\[1, 0\] = 2"),
    ],
)
def test_outside_the_support_is_an_error_at_fit_and_minus_infinity_at_scoring(model, table, sentence):
    with pytest.raises(ValueError, match=sentence):
        model.fit(table)
    inside = np.ones((3, np.shape(table)[1]))
    assert model.fit(inside).score_samples(table)[-1] == -np.inf


def test_wrong_parameters_are_refused_by_name():
    with pytest.raises(ValueError, match="The 'covariance' parameter of Gaussian must be"):
        Gaussian(covariance="ful").fit(X)
    with pytest.raises(ValueError, match="The 'alpha' parameter of Categorical must be"):
        Independent(Categorical(alpha=-1)).fit(np.array([["a"]]))


def test_mixed_lists_keep_strings_and_numbers_apart():
    model = Independent().fit([["a", 1.5], ["b", 2.5], ["a", 0.5]])
    assert isinstance(model.estimators_[0], Categorical) and type(model.estimators_[1]) in AUTO["real"]


@pytest.mark.parametrize(
    "column",
    [
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
        np.array([pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")], dtype=object),
        pd.period_range("2020-01", periods=2, freq="M"),
        pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"])),
    ],
    ids=["date", "timestamp", "period", "category"],
)
def test_dates_are_refused_wherever_they_hide(column):
    with pytest.raises(ValueError, match="dates or times"):
        Independent().fit(pd.DataFrame({"when": column}))


def test_dates_in_an_array_are_refused_by_numeric_models():
    with pytest.raises(ValueError, match="dates or times"):
        Gaussian().fit(np.array([["2020-01-01"], ["2020-01-02"]], dtype="M8[D]"))


def test_decimals_are_numbers():
    frame = pd.DataFrame({"price": [Decimal("1.5"), Decimal("2.5"), Decimal("4.5")]})
    assert type(Independent().fit(frame).estimators_[0]) in AUTO["real"]
    same = pl.from_pandas(frame)
    assert Independent().fit(same).score(same) == Independent().fit(frame).score(frame)


def test_what_is_no_label_is_refused():
    with pytest.raises(ValueError, match="is no label"):
        Categorical().fit(pd.DataFrame({"list": [[1], [2]]}))
    assert np.isfinite(Categorical().fit(np.array([[Shade.DARK], [Shade.LIGHT]], dtype=object)).probabilities_[0]).all()


class Shade(enum.Enum):
    DARK = 1
    LIGHT = 2


def test_draws_that_a_small_dtype_cannot_hold_get_a_wider_one():
    rng = np.random.default_rng(0)
    counts = rng.poisson(240, (500, 1)).clip(0, 255).astype(np.uint8)
    for table in (counts, pd.DataFrame(counts, columns=["n"]), pl.DataFrame({"n": counts[:, 0]})):
        drawn = np.asarray(Poisson().fit(table).sample(2000, random_state=0))
        assert drawn.max() > 255 and drawn.min() > 100
    assert Poisson().fit(counts // 8).sample(5).dtype == np.uint8
    arrow = pd.DataFrame({"n": pd.Series([120] * 40 + [127], dtype="int8[pyarrow]")})
    assert Poisson().fit(arrow).sample(200, random_state=0)["n"].max() > 127


def test_whole_numbers_in_an_object_array_come_back_whole():
    drawn = Independent().fit([["a", 3], ["b", 4], ["a", 5]]).sample(3, random_state=0)
    assert all(isinstance(v, int) for v in drawn[:, 1])


def test_the_column_that_is_wrong_is_named():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [1, -1]})
    with pytest.raises(ValueError, match="column 'b', row 1, = -1"):
        Poisson().fit(frame)
    with pytest.raises(ValueError, match=r"X\[1, 1\] = -1"):
        Independent([Normal(), Poisson()]).fit(frame.to_numpy())
    with pytest.raises(ValueError, match="'h' holds 'x'"):
        Gaussian().fit(pd.DataFrame({"h": ["1", "2", "x"]}))
    with pytest.raises(ValueError, match="infinity in column 'a', row 0"):
        Independent().fit(pd.DataFrame({"a": [np.inf, 1.0]}))


def test_numbered_columns_in_another_order_are_refused():
    model = Gaussian().fit(pd.DataFrame(X))
    with pytest.raises(ValueError, match="order them alike"):
        model.score_samples(pd.DataFrame(X)[[1, 0]])


def test_lazy_frames_are_told_to_collect():
    with pytest.raises(TypeError, match=r"call \.collect\(\) first"):
        Gaussian().fit(pl.DataFrame({"a": [1.0, 2.0]}).lazy())


def test_what_overflows_is_said():
    with pytest.raises(ValueError, match=r"The variance of X\[:, 0\] overflows"):
        Gaussian().fit(X * 1e200)
    assert Poisson().fit([[1e5], [2e5]]).score_samples([[1e308]])[0] == -np.inf


# Weights and statistics


@pytest.mark.parametrize(
    "weights, sentence",
    [
        ([1, -1, 1], "Negative values in sample_weight"),
        ([0, 0, 0], "All sample weights are zero"),
        ([1, 1], "inconsistent numbers of samples"),
        ([1, np.nan, 1], "sample_weight contains NaN"),
        ([[1], [1], [1]], "1D array"),
        (["a", "b", "c"], "could not convert"),
    ],
)
def test_bad_weights_are_refused(weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        Normal().fit(X[:3], sample_weight=weights)


def test_one_number_weighs_all_rows():
    np.testing.assert_array_equal(check_weights(2, 3), [2, 2, 2])
    assert Normal().fit(X, sample_weight=3).statistics_["n"] == 180


def test_a_row_of_weight_zero_may_be_impossible():
    model = Exponential().fit([[1.0], [2.0]])
    assert model.score([[1.0], [-1.0]]) == -np.inf
    assert np.isfinite(model.score([[1.0], [-1.0]], sample_weight=[1, 0]))


def test_what_only_a_row_of_weight_zero_holds_was_never_there():
    table = pd.DataFrame({"c": ["a", "b", "ghost"], "x": [1.0, 2.0, None]})
    weighted = Independent().fit(table, sample_weight=[1, 2, 0])
    dropped = Independent().fit(table.iloc[[0, 1, 1]])
    np.testing.assert_array_equal(weighted.score_samples(table[:2]), dropped.score_samples(table[:2]))
    assert list(weighted.estimators_[0].categories_[0]) == ["a", "b"]
    assert Exponential().fit([[1.0], [-1.0]], sample_weight=[1, 0]).rate_[0] == 1


def test_sums_of_blocks_add_up_also_where_an_array_has_grown():
    total = add_statistics({"n": 1.0, "c": np.ones((2, 2))}, {"n": 2.0, "c": np.ones((2, 3))})
    assert total["n"] == 3
    np.testing.assert_array_equal(total["c"], [[2, 2, 1], [2, 2, 1]])


def test_a_refused_block_leaves_the_model_as_it_was():
    model = Gaussian().partial_fit(X)
    before = model.score(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.partial_fit(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(np.zeros((2, 3)))
    assert model.score(X) == before
    assert Gaussian().fit(X[:30]).partial_fit(X[30:]).score(X) == pytest.approx(before, rel=1e-12)


def test_scoring_in_blocks_is_scoring(monkeypatch):
    model = Gaussian().fit(X)
    whole = model.score_samples(X)
    with sklearn.config_context(working_memory=2 * 8 * 8 * 7 / 2**20):  # seven rows
        assert model._block_length() == 7
        np.testing.assert_allclose(model.score_samples(X), whole, rtol=1e-12)


def test_a_stream_may_begin_with_one_row():
    model = Gaussian()
    for x in X[:20]:
        model.partial_fit(x[None])
        if model.statistics_["n"] < 3:
            with pytest.raises(NotFittedError):
                model.score_samples(X)
    assert model.score(X) == pytest.approx(Gaussian().fit(X[:20]).score(X), rel=1e-10)


def test_a_refused_block_of_labels_teaches_no_label():
    model = Categorical().fit(np.array([["a", 1.0], ["b", 2.0]], dtype=object))
    with pytest.raises(ValueError, match="infinity"):
        model.partial_fit(np.array([["x", 1.0], ["y", np.inf]], dtype=object))
    assert list(model.categories_[0]) == ["a", "b"] and len(model.columns_.categories[0]) == 2


def test_a_parameter_changed_between_blocks_is_refused():
    model = Gaussian().fit(X).set_params(covariance="diag")
    with pytest.raises(ValueError, match="a parameter was changed between them"):
        model.partial_fit(X)
    shrunken = Gaussian().fit(X).set_params(covariance=LedoitWolf()).fit(X + 100)
    assert not hasattr(shrunken, "statistics_")
    with pytest.raises(ValueError, match="was not learned from sums"):
        shrunken.set_params(covariance="full").partial_fit(X)
    with pytest.raises(ValueError, match="was not learned from sums"):
        Gaussian().fit(X).condition_on({0: 0.0}).partial_fit(X[:, :1])


def test_a_failed_fit_leaves_no_rows_behind():
    model = Gaussian()
    with pytest.raises(ValueError, match="constant"):
        model.fit([[1e3, 1e3]])
    assert model.partial_fit(X).statistics_["n"] == len(X)


def test_what_is_fitted_stays_when_a_parameter_is_set():
    model = Gaussian().fit(X)
    before = model.score_samples(X)
    np.testing.assert_array_equal(model.set_params(covariance="diag").score_samples(X), before)
    assert model.structure_ == "full"


def test_a_parameter_may_end_in_an_underscore():
    class Odd(Normal):
        def __init__(self, lambda_=1.0):
            self.lambda_ = lambda_

    assert Odd(lambda_=2.0).fit(X).lambda_ == 2.0


def test_an_interrupted_fit_raises_and_leaves_no_half_model(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    model = Normal()
    monkeypatch.setattr(Normal, "_m_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.score(X)


def test_labels_of_a_later_block_come_back_whole():
    model = Categorical().partial_fit(np.array([["a"], ["b"]])).partial_fit(np.array([["cccc"], ["a"]]))
    assert "cccc" in set(model.sample(50, random_state=0).ravel())
    model = Categorical().partial_fit(np.array([[1], [2]])).partial_fit(np.array([[2.5], [1]]))
    assert 2.5 in set(model.sample(50, random_state=0).ravel())
    small, large = (pd.DataFrame({"n": np.array(v, dtype=d)}) for v, d in (([1, 2], np.int8), ([300, 1], np.int64)))
    assert 300 in set(Categorical().partial_fit(small).partial_fit(large).sample(50, random_state=0)["n"])


def test_a_failed_fit_leaves_no_model():
    model = Normal().fit(X[:, :1])
    with pytest.raises(ValueError, match="constant"):
        model.fit(np.ones((4, 3)))
    with pytest.raises(NotFittedError):
        model.score_samples(X)
    student = StudentT().fit(X)
    with pytest.raises(ValueError, match="too many rows are tied in one point"):
        student.fit(np.r_[np.zeros(70), np.arange(30)][:, None])
    with pytest.raises(NotFittedError):
        student.sample()
    switched = Gaussian(LedoitWolf()).fit(X).set_params(covariance="full").fit(X)
    assert not hasattr(switched, "covariance_estimator_")


# Randomness


@pytest.mark.parametrize("wrong", ["seed", -1, 1.5, [1]])
def test_a_wrong_random_state_is_refused(wrong):
    with pytest.raises(ValueError, match="random_state must be"):
        as_generator(wrong)


def test_generators_pass_and_random_states_move_on():
    generator, state = np.random.default_rng(0), np.random.RandomState(0)
    assert as_generator(generator) is generator
    assert as_generator(state).random() != as_generator(state).random()
    assert as_generator(np.int64(3)).random() == as_generator(3).random()


def test_joblib_processes_and_threads_give_what_one_gives():
    expected = [Gaussian().fit(X + i).score(X) for i in range(4)]
    for prefer in ("threads", "processes"):
        fits = joblib.Parallel(n_jobs=2, prefer=prefer)(joblib.delayed(Gaussian().fit)(X + i) for i in range(4))
        assert [model.score(X) for model in fits] == expected


# Conditions


class NormalGiven(DensityEstimator):
    """A normal distribution for each value of a label."""

    _unique_optimum = True

    def __init__(self, conditional=True):
        self.conditional = conditional

    def _fit(self, X, y, sample_weight):
        y = np.zeros(len(X)) if y is None else y
        self.parts_ = {
            label: Normal()._fit_coded(X[y == label], self.columns_, sample_weight[y == label])
            for label in np.unique(y)
        }

    def _log_prob(self, X, y):
        y = np.zeros(len(X)) if y is None else y
        return np.array([self.parts_[label]._log_prob(x[None], None)[0] for x, label in zip(X, y, strict=True)])

    def _sample(self, n_samples, y, rng):
        y = np.zeros(n_samples) if y is None else y
        return np.vstack([self.parts_[label]._sample(1, None, rng) for label in y])


def test_a_condition_is_y_everywhere():
    y = np.repeat([0, 1], 30)
    shifted = X + 100 * y[:, None]
    model = NormalGiven().fit(shifted, y)
    assert model.score(shifted, y) > -4
    assert model.score(shifted, 1 - y) < -1000
    assert (model.sample(5, random_state=0, y=1) > 50).all()
    np.testing.assert_array_equal(model.sample(4, y=[0, 1, 1, 0])[:, 0] > 50, [False, True, True, False])
    assert cross_val_score(NormalGiven(), shifted, y, cv=KFold(3, shuffle=True, random_state=0)).min() > -10
    for call in (lambda: NormalGiven().fit(X), lambda: model.score_samples(X), lambda: model.sample(2)):
        with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
            call()
    with pytest.raises(ValueError, match="1 conditions for 2 rows|2 conditions for 3 rows"):
        model.sample(3, y=[0, 1])


def test_without_a_condition_y_is_ignored():
    y = np.repeat([0, 1], 30)
    assert Normal().fit(X, y).score(X, y) == Normal().fit(X).score(X)
    assert NormalGiven(conditional=False).fit(X, y).score(X) == pytest.approx(Normal().fit(X).score(X))


# Sequences


class WhiteNoise(SequenceDensityEstimator):
    """Independent normal observations, and a Poisson length."""

    _unique_optimum = True

    def _fit(self, X, y, sample_weight):
        lengths = np.array([len(x) for x in X])
        weights = np.repeat(sample_weight, lengths)
        together = np.concatenate(X)
        self.mean_ = np.average(together, axis=0, weights=weights)
        self.std_ = np.sqrt(np.average((together - self.mean_) ** 2, axis=0, weights=weights))
        self.length_ = np.average(lengths, weights=sample_weight)

    def _log_prob(self, X, y):
        return np.array(
            [
                stats.norm(self.mean_, self.std_).logpdf(x).sum() + stats.poisson(self.length_ - 1).logpmf(len(x) - 1)
                for x in X
            ]
        )

    def _sample(self, n_samples, y, rng):
        lengths = 1 + rng.poisson(self.length_ - 1, n_samples)
        return [rng.normal(self.mean_, self.std_, size=(n, len(self.mean_))) for n in lengths]


SEQUENCES = [RNG.normal(size=(n, 2)) for n in RNG.integers(1, 9, 40)]


def test_laws_of_fit_and_object_hold_for_sequences():
    names = {
        "weights_are_frequencies",
        "row_order_is_irrelevant",
        "a_row_scores_alike_alone",
        "a_seed_fixes_fit_and_draw",
        "global_seeds_are_left_alone",
        "threads_do_not_meet",
        "fit_leaves_its_input_alone",
        "sample_gives_rows_of_the_support",
        "score_is_the_mean_of_score_samples",
        "you_get_back_what_you_gave",
        "it_is_quiet",
    }
    verdicts = check_density_estimator(WhiteNoise(), SEQUENCES, laws=[law for law in LAWS if law.__name__ in names])
    assert {v.status for v in verdicts} == {"kept"} and len(verdicts) == len(names)


def test_cross_validation_splits_sequences():
    scores = cross_val_score(WhiteNoise(), SEQUENCES, cv=4)
    assert scores.shape == (4,) and np.isfinite(scores).all()
    model = WhiteNoise().fit(SEQUENCES)
    assert model.n_features_in_ == 2 and model.score_samples(SEQUENCES).shape == (40,)


def test_blocks_and_rows_are_sequences_too():
    block = RNG.normal(size=(5, 7, 2))
    sequences, layout = read_sequences(block)
    assert layout == "block" and len(sequences) == 5 and sequences[0].shape == (7, 2)
    sequences, layout = read_sequences(block[:, :, 0])
    assert layout == "rows" and sequences[0].shape == (7, 1)
    sequences, layout = read_sequences([np.zeros(3), np.ones(4)])
    assert layout == "list" and sequences[1].shape == (4, 1)
    assert read_sequences([1.0, 2.0, 3.0])[0][0].shape == (3, 1)


def test_a_lone_long_array_gets_a_warning_that_says_how_to_pass_it():
    with pytest.warns(UserWarning, match=r"100 univariate sequences of 2 time steps.*pass \[X\]"):
        read_sequences(np.zeros((100, 2)))


@pytest.mark.parametrize(
    "sequences, sentence",
    [
        ([], "holds no sequence"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], "Sequence 1 has 3 features, the first one 2"),
        ([np.zeros((2, 2)), np.full((2, 2), np.nan)], "Sequence 1 of X: .*NaN"),
        ([np.zeros((0, 2))], "Sequence 0 of X: .*0 sample"),
        ([np.array([["a"]])], "Sequence 0 of X: "),
    ],
)
def test_bad_sequences_are_named(sequences, sentence):
    with pytest.raises(ValueError, match=sentence):
        WhiteNoise().fit(sequences)


def test_other_features_at_scoring_are_refused():
    with pytest.raises(ValueError, match="X has 3 features, but WhiteNoise is expecting 2"):
        WhiteNoise().fit(SEQUENCES).score_samples([np.zeros((2, 3))])


def test_split_sequences():
    assert [len(x) for x in split_sequences(np.zeros((6, 1)), [1, 2, 3])] == [1, 2, 3]
    with pytest.raises(ValueError, match="add up to 5"):
        split_sequences(np.zeros((6, 1)), [2, 3])


# Foreign densities


def test_foreign_densities_keep_our_contract():
    kernel = ForeignDensity(KernelDensity(bandwidth=0.4)).fit(X)
    assert kernel.score(X) == pytest.approx(KernelDensity(bandwidth=0.4).fit(X).score(X) / len(X))
    mixture = ForeignDensity(GaussianMixture(2, random_state=0)).fit(pd.DataFrame(X, columns=["a", "b"]))
    assert list(mixture.sample(4, random_state=0).columns) == ["a", "b"]
    assert not mixture.sample(50, random_state=0).equals(mixture.sample(50, random_state=1))
    with pytest.raises(ValueError, match="GaussianMixture takes no sample_weight"):
        mixture.fit(X, sample_weight=np.arange(1, 61))
    weighted = kernel.fit(X, sample_weight=np.arange(1, 61))
    assert weighted.score(X) == pytest.approx(
        KernelDensity(bandwidth=0.4).fit(X, sample_weight=np.arange(1, 61)).score(X) / len(X)
    )


def test_what_is_known_of_foreign_likelihoods():
    assert ForeignDensity(KernelDensity()).fit(X).likelihood == "exact"
    assert ForeignDensity(KernelDensity(kernel="cosine")).fit(X[:, :1]).likelihood == "exact"
    assert ForeignDensity(KernelDensity(kernel="cosine")).fit(X).likelihood == "improper"
    assert ForeignDensity(KernelDensity(metric="manhattan")).fit(X).likelihood == "improper"
    assert ForeignDensity(BayesianGaussianMixture()).fit(X).likelihood == "estimate"


def test_as_density():
    gaussian = Gaussian()
    assert as_density(gaussian) is gaussian
    assert isinstance(as_density(KernelDensity()), ForeignDensity)
    for nonsense in (object(), "gaussian", Gaussian, IsolationForest()):
        with pytest.raises(TypeError, match="is no density estimator"):
            as_density(nonsense)


# Highest-density regions


@pytest.mark.parametrize("mass", [0.01, 0.5, 0.95])
@pytest.mark.parametrize("n_features", [1, 2])
def test_the_region_of_a_gaussian_is_an_ellipsoid(n_features, mass):
    model = Gaussian().fit(X[:, :n_features] * 1e3)
    level = model.highest_density_threshold(mass, random_state=0)
    assert level == model.highest_density_threshold(mass, random_state=0)
    highest = model.score_samples(model.mean_[None])[0]
    held = stats.chi2(n_features).cdf(2 * (highest - level))
    assert abs(held - mass) < 4 * np.sqrt(mass * (1 - mass) / 100_000)
    assert model.highest_density_threshold(mass, 10, np.random.default_rng(0)) != level


def test_the_region_of_a_discrete_model_holds_the_mass_or_more():
    labels = np.repeat(["a", "b", "c", "d"], [50, 20, 20, 10])[:, None]
    model = Categorical().fit(labels)
    log_prob = model.score_samples([["a"], ["b"], ["c"], ["d"]])
    for mass, last in [(0.4, 0), (0.6, 1), (0.85, 2), (0.95, 3)]:  # b and c are equally likely: together, or not at all
        assert model.highest_density_threshold(mass, random_state=0) == log_prob[last]
    drawn = model.score_samples(model.sample(1000, random_state=0))
    level = model.highest_density_threshold(np.mean(drawn >= log_prob[0]), 1000, random_state=0)
    assert level == log_prob[0]  # a share that the draws reach with nothing to spare
    assert PointMass().fit([[3], [3]]).highest_density_threshold(0.5) == 0


def test_the_region_of_a_table_with_labels():
    frame = pd.DataFrame({"size": X[:, 0], "kind": np.repeat(["a", "b", "c"], [35, 20, 5])})
    model = Independent([Normal(), Categorical()]).fit(frame)
    level = model.highest_density_threshold(0.9, random_state=0)
    size, kinds = X[:, 0], ["a", "b", "c"]
    peaks = model.score_samples(pd.DataFrame({"size": size.mean(), "kind": kinds}))
    shares = np.exp(peaks) * np.sqrt(2 * np.pi) * size.std()
    assert np.log(shares.sum()) == pytest.approx(model._log_drawable())  # the rest is for labels that nobody has seen
    held = shares / shares.sum() @ stats.chi2(1).cdf(2 * np.maximum(peaks - level, 0))
    assert abs(held - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 100_000)


def test_the_region_of_sequences_and_of_foreign_densities():
    for model in (WhiteNoise().fit(SEQUENCES), ForeignDensity(KernelDensity(bandwidth=0.4)).fit(X)):
        level = model.highest_density_threshold(0.7, 500, random_state=0)
        assert np.mean(model.score_samples(model.sample(500, random_state=1)) >= level) == pytest.approx(0.7, abs=0.1)


def test_the_region_under_a_condition():
    y = np.repeat([0, 1], 30)
    model = NormalGiven().fit(X * np.where(y == 0, 1, 100)[:, None], y)
    near, far = (model.highest_density_threshold(0.5, 1000, random_state=0, y=label) for label in (0, 1))
    for label, level in ((0, near), (1, far)):
        scores = model.score_samples(model.sample(1000, random_state=1, y=label), np.full(1000, label))
        assert np.mean(scores >= level) == pytest.approx(0.5, abs=0.08)
    assert near - far > 7  # two columns that are 100 times as wide: 9.2 nats
    with pytest.raises(ValueError, match="the region under one condition, got 2: pass a scalar y"):
        model.highest_density_threshold(0.5, 2, y=[0, 1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.highest_density_threshold(0.5)
    assert Normal().fit(X).highest_density_threshold(0.5, 10, 0, y=y) == Normal().fit(X).highest_density_threshold(
        0.5, 10, 0
    )


def test_regions_that_there_are_not():
    model = Normal().fit(X)
    for mass in (0, 1, -0.5, 95, np.nan, "0.5", None, True):
        with pytest.raises(ValueError, match="Normal wants a mass between 0 and 1, both excluded, got"):
            model.highest_density_threshold(mass)
    with pytest.raises(ValueError, match="n_samples must be a positive integer"):
        model.highest_density_threshold(0.5, n_samples=0)
    with pytest.raises(NotFittedError):
        Normal().highest_density_threshold(0.5)
    improper = ForeignDensity(KernelDensity(metric="manhattan")).fit(X)
    with pytest.raises(ValueError, match="The scores of this ForeignDensity are no log-densities.*likelihood is exact"):
        improper.highest_density_threshold(0.5)


# Supports


@pytest.mark.parametrize(
    "support, inside, outside",
    [
        (supports.real, [[-1e9, 0]], None),
        (supports.positive, [[1e-9, 2]], [[0, 2]]),
        (supports.nonnegative, [[0, 2]], [[-1, 2]]),
        (supports.unit, [[0, 1]], [[0.5, 1.1]]),
        (supports.circle, [[0, 10]], None),
        (supports.integer, [[0, 7]], [[0, 0.5]]),
        (supports.binary, [[0, 1]], [[0, 2]]),
        (supports.sphere, [[0.6, 0.8]], [[1, 1]]),
        (supports.simplex, [[0.25, 0.75]], [[1.25, -0.25]]),
        (supports.category, [[0, 3]], None),
        (supports.Categories([True, False]), [[0, -1]], [[-1, 0]]),
        (supports.Points([1, 2]), [[1, 2]], [[1, 3]]),
        (supports.Product([supports.real, supports.binary]), [[-3, 1]], [[-3, 3]]),
    ],
    ids=repr,
)
def test_supports(support, inside, outside):
    assert support.contains(np.array(inside, dtype=float)).all()
    if outside is not None:
        assert not support.contains(np.array(outside, dtype=float)).any()
    drawn = support.draw(np.random.default_rng(0), 50, 2)
    assert drawn.shape == (50, 2) and support.contains(drawn).all()
    assert support.discrete_columns(2).shape == (2,)
    assert isinstance(support.phrase_of(0), str)
