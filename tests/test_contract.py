"""Every model keeps the contract: scikit-learn's checks and our laws, over all options and many kinds of rows."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from models import MORE, ON_REALS, VARIANTS, rows_for, string_options
from sklearn.covariance import GraphicalLasso, LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgen import supports
from skgen.checks import (
    LAWS,
    LAWS_OF_THE_DISTRIBUTION,
    LAWS_OF_THE_FIT,
    LAWS_OF_THE_OBJECT,
    all_estimators,
    check_density_estimator,
)
from skgen.foreign import ForeignDensity
from skgen.nonparametric import HistogramDensity, KernelDensity, KernelDensityCV
from skgen.parametric import Categorical, Gaussian, Independent, Laplace, Normal, StudentT

TOO_FEW = {
    "check_sample_weight_equivalence_on_dense_data": "its 15 rows of 10 columns are too few for a full covariance once "
    "some have weight 0: the likelihood is unbounded, and fit says so"
}
TAKES_NO_WEIGHTS = dict.fromkeys(
    (
        "check_sample_weights_list",
        "check_sample_weights_not_overwritten",
        "check_sample_weight_equivalence_on_dense_data",
    ),
    "scikit-learn's covariance estimators take no weights, and so fit refuses them",
)
SKLEARN_MODELS = [
    ON_REALS.get(type(model).__name__, type(model))(**model.get_params(deep=False))
    for model in VARIANTS
    if (model not in MORE or isinstance(getattr(model, "covariance", None), LedoitWolf))
    and getattr(model, "metric", None) != "haversine"  # which wants two columns, and no other number
]


TIED = dict.fromkeys(
    ("check_estimators_dtypes", "check_sample_weights_not_overwritten", "check_sample_weights_shape"),
    "half of its rows are one value, on which the likelihood collapses, and fit says so",
)
OPEN_ENDED = {"check_estimators_nan_inf": "an infinite end leaves an interval open"}
REPEATS_ROWS = dict.fromkeys(
    (
        "check_positive_only_tag_during_fit",
        "check_sample_weights_list",
        "check_sample_weights_shape",
        "check_sample_weights_not_overwritten",
        "check_sample_weight_equivalence_on_dense_data",
    ),
    "its rows are few or repeated, for which the rule has no optimum, and warns that it takes another bandwidth",
)
WIDE = {
    "check_sample_weight_equivalence_on_dense_data": "a box of its 30 columns has an integral that draws do not find",
}
SEARCHED = {"isj", "lscv", "mlcv"}  # rules that may find no optimum
BY_FAMILY = {"Cauchy": TIED, "Gaussian": TOO_FEW, "StudentT": TOO_FEW}


def expected_to_fail(model):
    family = type(model).__name__.removesuffix("OnReals")
    if family == "NearestNeighborsDensity":
        return TOO_FEW if model.metric == "mahalanobis" else WIDE if model.normalize == "balloon" else {}
    if not isinstance(getattr(model, "covariance", "full"), str):
        return TAKES_NO_WEIGHTS
    if getattr(model, "covariance", "full") != "full":
        return {}
    if family == "KernelDensity" and isinstance(model.bandwidth, str) and model.bandwidth in SEARCHED:
        return REPEATS_ROWS
    is_open = family == "Beta" and model.censoring  # what stands in for an open row in other families has no maximum
    return OPEN_ENDED if is_open else BY_FAMILY.get(family, {})


@parametrize_with_checks(SKLEARN_MODELS, expected_failed_checks=expected_to_fail)
def test_scikit_learn(estimator, check):
    check(estimator)


OPTIONS = [(cls, name, value) for _, cls in all_estimators() for name, value in string_options(cls)]


@pytest.mark.parametrize("cls, name, value", OPTIONS, ids=str)
def test_every_option_is_reached_by_laws(cls, name, value):
    """The instance that the tests below run has the option, and the laws have something to say of it."""
    [estimator, *_] = [m for m in VARIANTS if type(m) is cls and m.get_params(deep=False)[name] == value]
    if isinstance(estimator, KernelDensity):
        warnings.simplefilter("ignore", ConvergenceWarning)  # of rules, where rows are repeated
    verdicts = check_density_estimator(estimator, rows_for(estimator), laws=LAWS_OF_THE_FIT[:6])
    assert sum(v.status == "kept" for v in verdicts) >= 3


def test_string_options_are_all_that_constraints_declare():
    declared = {
        (cls, name, option)
        for _, cls in all_estimators()
        for name, constraints in cls._parameter_constraints.items()
        for constraint in constraints
        for option in ((False, True) if constraint == "boolean" else getattr(constraint, "options", ()))
    }
    assert declared == set(OPTIONS) and ("covariance", "diag") in {(name, value) for _, name, value in OPTIONS}


def widths(estimator, wanted):
    """The numbers of columns that an estimator takes, of those wanted."""
    given = getattr(estimator, "estimators", None)
    if isinstance(given, list):
        return [len(given)]
    if isinstance(estimator, KernelDensity | KernelDensityCV):
        bandwidth = getattr(estimator, "bandwidth", 1.0)
        of_metric = getattr(estimator, "metric", "euclidean") != "euclidean"  # one column knows but one metric
        wanted = [len(bandwidth)] if isinstance(bandwidth, list) else wanted[1:2] if of_metric else wanted[:2]
    if isinstance(estimator, HistogramDensity):
        is_patchy = estimator.alpha == 0 or isinstance(estimator.bins, dict)  # full cells with nothing between them
        has_many_cells = estimator.kind == "averaged_shifted" and estimator.n_shifts > 2
        wanted = wanted[:2] if is_patchy or has_many_cells else wanted
    wanted = [d for d in wanted if d > 1] if uses(estimator, GraphicalLasso) else wanted
    if getattr(estimator, "censoring", None) and not isinstance(estimator, Normal):
        wanted = wanted[:1]  # a column is fitted on its own: one of them shows it
    return sorted({estimator.support.width(d) for d in wanted})


def uses(estimator, covariance):
    return isinstance(getattr(estimator, "covariance", None), covariance)


def laws_for(estimator, laws):
    """All laws but those that a part of scikit-learn breaks, where we cannot mend it."""
    return [law for law in laws if not (uses(estimator, GraphicalLasso) and law.__name__ in BREAKS["GraphicalLasso"])]


BREAKS = {"GraphicalLasso": {"global_seeds_are_left_alone": "its coordinate descent draws a seed that it does not use"}}


def test_what_scikit_learn_breaks_it_still_breaks():
    verdicts = check_density_estimator(Gaussian(GraphicalLasso(alpha=0.1)), rows_for(Gaussian()), on_fail="report")
    assert {v.law for v in verdicts if v.status == "broken"} == set(BREAKS["GraphicalLasso"])


@pytest.mark.parametrize(
    "estimator, n_features", [(e, d) for e in VARIANTS for d in widths(e, [1, 2, 4])], ids=lambda value: repr(value)
)
def test_laws(estimator, n_features):
    if isinstance(
        estimator, KernelDensity | KernelDensityCV
    ):  # the laws repeat rows, for which some rules have no optimum, and say so
        warnings.simplefilter("ignore", ConvergenceWarning)
    verdicts = check_density_estimator(
        estimator, rows_for(estimator, n_features=n_features), laws=laws_for(estimator, LAWS)
    )
    assert not [v for v in verdicts if v.status == "inconclusive"]
    assert sum(v.status == "kept" for v in verdicts) >= 15, "most laws should say something"


TABLES = {
    "pandas": pd.DataFrame(
        {
            "size": np.random.default_rng(0).normal(10, 2, 150),
            "count": np.random.default_rng(1).poisson(3, 150),
            "colour": np.random.default_rng(2).choice(["red", "green", "blue"], 150),
            "shape": pd.Categorical(np.random.default_rng(3).choice(["round", "flat"], 150), ["flat", "long", "round"]),
            "sold": np.random.default_rng(4).random(150) < 0.3,
            "wait": np.random.default_rng(5).exponential(2, 150).astype(np.float32),
            "number": pd.array(np.random.default_rng(6).integers(0, 9, 150), dtype="Int64"),
        }
    ),
    "polars": pl.DataFrame(
        {
            "size": np.random.default_rng(0).normal(10, 2, 150),
            "count": np.random.default_rng(1).poisson(3, 150),
            "colour": np.random.default_rng(2).choice(["red", "green", "blue"], 150),
            "shape": pl.Series(np.random.default_rng(3).choice(["round", "flat"], 150)).cast(
                pl.Enum(["flat", "long", "round"])
            ),
            "sold": np.random.default_rng(4).random(150) < 0.3,
        }
    ),
    "objects": np.array([["red", 1], ["green", 2], ["red", 2]] * 30, dtype=object),
    "strings": np.array([["red", "x"], ["green", "y"], ["red", "z"]] * 30),
}
FOR_TABLES = [
    (Independent(), "pandas"),
    (Independent(), "polars"),
    (Independent(), "objects"),
    (Categorical(), "strings"),
]


@pytest.mark.parametrize("estimator, table", [*FOR_TABLES, (Categorical(), "objects")], ids=str)
def test_laws_on_tables(estimator, table):
    laws = [law for law in LAWS if law.__name__ != "units_shift_the_score_by_the_jacobian"]
    check_density_estimator(estimator, TABLES[table], laws=laws)


@st.composite
def kinds_of_rows(draw, support, n_features, scales):
    """Rows in the support: few or many, tiny or huge, shifted, doubled, in another dtype."""
    n_samples = draw(st.integers(40, 90))
    X = support.draw(np.random.default_rng(draw(st.integers(0, 2**20))), n_samples, n_features)
    if draw(st.booleans()):
        X = np.vstack([X, X[: n_samples // 3]])
    if support.discrete_columns(n_features).all():
        return X.astype(draw(st.sampled_from([int, float, np.int8]))) if np.isfinite(X).all() else X
    if support.name == "real":
        X = X + draw(st.sampled_from([0.0, 1.0, -50.0, 1000.0]))
    if support.name in ("real", "positive", "nonnegative"):
        X = X * 10.0 ** draw(scales)
    X = X.astype(draw(st.sampled_from([np.float64, np.float64, np.float32])))
    if support.name == "real" and scales != AS_THEY_ARE and draw(st.integers(0, 3)) == 0:
        X = np.round(1000 * X / np.ptp(X, axis=0)).astype(int)
    assume(all(len(np.unique(x)) > n_samples // 2 for x in X.T))
    return np.asfortranarray(X) if draw(st.booleans()) else X


AS_THEY_ARE = st.just(0)
CHEAP = [law for law in LAWS_OF_THE_FIT + LAWS_OF_THE_OBJECT if law.__name__ != "threads_do_not_meet"]


@pytest.mark.parametrize("estimator", VARIANTS, ids=repr)
def test_laws_on_many_kinds_of_rows(estimator):
    given_parts = getattr(estimator, "estimators", None)
    support = estimator.support
    if isinstance(given_parts, list):
        support = supports.Product([part.support for part in given_parts])
    # scikit-learn's covariance estimators and mixtures have tolerances in the units of the data
    inner = getattr(estimator, "estimators", getattr(estimator, "covariance", ""))
    foreign = isinstance(estimator, ForeignDensity) or type(inner).__module__.startswith("sklearn")
    is_kernel = isinstance(estimator, KernelDensity | KernelDensityCV)
    has_width = is_kernel and not isinstance(getattr(estimator, "bandwidth", 1.0), str)  # in the units of the data
    has_edges = isinstance(getattr(estimator, "bins", None), list) or getattr(estimator, "range", None) is not None
    scales = AS_THEY_ARE if foreign or has_width or has_edges else st.integers(-8, 8)
    if is_kernel:
        warnings.simplefilter("ignore", ConvergenceWarning)  # of rules, where rows are repeated

    slow = foreign or getattr(estimator, "censoring", None) or getattr(estimator, "normalize", None) == "balloon"

    @examples(max_examples=1 if is_kernel else 3 if slow or isinstance(estimator, HistogramDensity) else 6)
    @given(st.data())
    def laws_hold(data):
        n_features = data.draw(st.sampled_from(widths(estimator, [1, 2, 3, 4])))
        X = data.draw(kinds_of_rows(support, n_features, scales))
        laws = data.draw(st.lists(st.sampled_from(laws_for(estimator, CHEAP)), min_size=6, max_size=6, unique=True))
        laws.append(data.draw(st.sampled_from(LAWS_OF_THE_DISTRIBUTION[:4])))
        check_density_estimator(estimator, X, laws=laws, seed=data.draw(st.integers(0, 99)))

    laws_hold()


@examples(max_examples=20)
@given(st.data())
def test_a_constant_column_is_named_wherever_it_stands(data):
    X = data.draw(kinds_of_rows(supports.real, 3, st.integers(-8, 8))).astype(float)
    j, level = data.draw(st.integers(0, 2)), data.draw(st.sampled_from([0.0, 0.1, -3e-8, 7e8]))
    X[:, j] = level
    for model in (Gaussian(), Gaussian("diag"), StudentT(), Normal(), Laplace()):
        with pytest.raises(ValueError, match=rf"X\[:, {j}\] is constant"):
            model.fit(X)
    assert check_density_estimator(Independent(), X, laws=CHEAP[:4])


def test_the_lists_of_laws_are_one_list():
    assert len(LAWS) == len(set(LAWS)) == len(LAWS_OF_THE_FIT + LAWS_OF_THE_OBJECT + LAWS_OF_THE_DISTRIBUTION)
    assert all(law.__doc__ and law.__doc__.splitlines()[0].rstrip().endswith((".", ",")) for law in LAWS)
