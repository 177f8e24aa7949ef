"""Facts of the parametric families: golden numbers, closed forms, conditionals, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import integrate, optimize, stats
from sklearn.covariance import OAS, GraphicalLasso, LedoitWolf, MinCovDet
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from skgen.datasets import load_earthquakes, load_faithful, load_galaxies
from skgen.parametric import (
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    Independent,
    Laplace,
    Normal,
    PointMass,
    Poisson,
    StudentT,
)

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "parametric.json").read_text())
FAITHFUL = load_faithful().data.astype(float)
IRIS = np.array(GOLDEN["iris"])
RNG = np.random.default_rng(0)


def column(values):
    return np.reshape(values, (-1, 1))


@pytest.mark.parametrize(
    "model, data, family, estimate",
    [
        (Normal(), "groundbeef", "norm", lambda m: [m.mean_[0], m.std_[0]]),
        (Exponential(), "groundbeef", "exp", lambda m: [m.rate_[0]]),
        (Poisson(), "toxocara", "pois", lambda m: [m.rate_[0]]),
    ],
    ids=["norm", "exp", "pois"],
)
def test_fitdistrplus(model, data, family, estimate):
    X, golden = column(GOLDEN[data]), GOLDEN["fitdist"][data][family]
    model.fit(X)
    # their optimiser stops at a relative 1e-6 or so; ours is a closed form
    np.testing.assert_allclose(estimate(model), list(golden["estimate"].values()), rtol=2e-6)
    np.testing.assert_allclose(model.score(X) * len(X), golden["loglik"], rtol=1e-10)


@pytest.mark.parametrize("data", ["faithful", "iris"])
@pytest.mark.parametrize("covariance, name", [("spherical", "EII"), ("diag", "EEI"), ("full", "EEE")])
def test_mclust_with_one_component(data, covariance, name):
    X = FAITHFUL if data == "faithful" else IRIS
    n, d = X.shape
    n_parameters = d + {"spherical": 1, "diag": d, "full": d * (d + 1) / 2}[covariance]
    bic = 2 * n * Gaussian(covariance).fit(X).score(X) - n_parameters * np.log(n)
    np.testing.assert_allclose(bic, GOLDEN["one_component_bic"][data][name], rtol=1e-11)


def test_scipy_agrees_where_it_has_the_density():
    X = RNG.normal(3, 2, (50, 3))
    gaussian, student = Gaussian().fit(X), StudentT(df=4).fit(X)
    normal = stats.multivariate_normal(gaussian.mean_, gaussian.covariance_)
    np.testing.assert_allclose(gaussian.score_samples(X), normal.logpdf(X), rtol=1e-12)
    np.testing.assert_allclose(gaussian.entropy(), normal.entropy(), rtol=1e-12)
    t = stats.multivariate_t(student.location_, student.scatter_, student.df_)
    np.testing.assert_allclose(student.score_samples(X), t.logpdf(X), rtol=1e-12)
    np.testing.assert_allclose(student.entropy(), t.entropy(), rtol=1e-10)
    laplace = Laplace().fit(X)
    logpdf = stats.laplace(laplace.location_, laplace.scale_).logpdf(X).sum(axis=1)
    np.testing.assert_allclose(laplace.score_samples(X), logpdf, rtol=1e-12)


@pytest.mark.parametrize(
    "data", [FAITHFUL[:, :1], IRIS[:, :2], load_galaxies().data], ids=["faithful", "iris", "galaxies"]
)
def test_student_t_is_where_no_optimiser_finds_more(data):
    """The gradient vanishes at the fit, and a general optimiser started there gains nothing."""
    X = np.asarray(data, dtype=float)
    scale = X.std(axis=0)
    model = StudentT().fit(X)
    d = X.shape[1]
    lower = np.tril_indices(d)
    factor = np.linalg.cholesky(model.scatter_ / scale / scale[:, None])

    def loss(theta):
        L = np.zeros((d, d))
        L[lower] = theta[d:-1]
        t = stats.multivariate_t(
            model.location_ + theta[:d] * scale, scale[:, None] * L @ L.T * scale, min(np.exp(theta[-1]), 1e5)
        )
        return -np.mean(t.logpdf(X))

    start = np.concatenate([np.zeros(d), factor[lower], [np.log(model.df_)]])
    found = optimize.minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 2000}
    )
    assert loss(start) == pytest.approx(-model.score(X), rel=1e-9)
    assert found.fun >= loss(start) - 1e-10


def test_student_t_recovers_the_degrees_of_freedom_and_warns_when_it_runs_out():
    X = stats.multivariate_t([1, 2], [[2, 0.5], [0.5, 1]], df=5, seed=0).rvs(20_000)
    model = StudentT().fit(X)
    assert model.df_ == pytest.approx(5, rel=0.05)
    np.testing.assert_allclose(model.scatter_, [[2, 0.5], [0.5, 1]], atol=0.06)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        StudentT(max_iter=2).fit(X)


def test_student_t_of_few_degrees_of_freedom_is_not_mistaken_for_ties():
    X = np.random.default_rng(1).standard_t(0.3, (20_000, 1))
    assert StudentT(df=0.3).fit(X).scatter_[0, 0] == pytest.approx(1, abs=0.1)
    assert np.isfinite(StudentT(df=3).fit(X[:100, [0]]).conditional_cdf([[1.7e308]])).all()


def test_student_t_shrugs_at_outliers():
    X = np.vstack([RNG.normal(size=(500, 2)), np.full((5, 2), 1e6) + RNG.normal(size=(5, 2))])
    assert np.abs(StudentT().fit(X).location_).max() < 0.3
    assert np.abs(Gaussian().fit(X).mean_).max() > 1000


@pytest.mark.parametrize(
    "covariance", [LedoitWolf(), OAS(), GraphicalLasso(alpha=0.1), MinCovDet(random_state=0)], ids=repr
)
def test_covariance_estimators_of_scikit_learn(covariance):
    X = RNG.normal(size=(80, 3)) @ RNG.normal(size=(3, 3))
    model = Gaussian(covariance=covariance).fit(X)
    expected = type(covariance)(**covariance.get_params()).fit(X)
    np.testing.assert_array_equal(model.covariance_, expected.covariance_)
    np.testing.assert_array_equal(model.mean_, expected.location_)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        model.fit(X, sample_weight=np.arange(1, 81))
    assert not hasattr(model, "partial_fit")


def test_wide_tables_are_refused_with_the_way_out_that_works():
    X = RNG.normal(size=(20, 50))
    with pytest.raises(ValueError, match=r"X\[:, 19\] is a linear combination .*LedoitWolf"):
        Gaussian().fit(X)
    with pytest.raises(ValueError, match="linear combination"):
        StudentT().fit(X)
    assert np.isfinite(Gaussian(covariance=LedoitWolf()).fit(X).score(X))
    assert np.isfinite(Gaussian("diag").fit(X).score(X))


def test_a_collinear_column_is_named():
    X = pd.DataFrame(RNG.normal(size=(50, 2)), columns=["a", "b"])
    X["c"] = 2 * X["a"] - X["b"]
    with pytest.raises(ValueError, match="'c' is a linear combination"):
        Gaussian().fit(X)
    X["c"] += 1e-4 * RNG.normal(size=50)  # nearly so is no problem, in any units
    for unit in (1e-8, 1.0, 1e8):
        model = Gaussian().fit(X * [1, unit, 1])
        assert model.score(X * [1, unit, 1]) == pytest.approx(Gaussian().fit(X).score(X) - np.log(unit), abs=1e-6)


CONTINUOUS = [Gaussian(), Gaussian("diag"), StudentT(), Normal(), Laplace()]


@pytest.mark.parametrize("level", [0.0, 0.1, 1e8, -1e-8])
@pytest.mark.parametrize("model", CONTINUOUS, ids=repr)
def test_a_constant_column_is_named_with_the_remedy_that_works(model, level):
    X = pd.DataFrame({"a": RNG.normal(size=30), "still": np.full(30, level)})
    with pytest.raises(ValueError, match=r"unbounded: 'still' is constant .*Independent\(\"auto\"\)"):
        model.fit(X)
    independent = Independent("auto").fit(X)
    assert isinstance(independent.estimators_[1], PointMass)
    assert np.isfinite(independent.score(X))
    X.loc[0, "still"] += 1
    assert independent.score_samples(X)[0] == -np.inf


@pytest.mark.parametrize("model", [*CONTINUOUS, Exponential()], ids=repr)
def test_one_row_is_refused_or_fine(model):
    if isinstance(model, Exponential):
        assert model.fit([[2.0]]).rate_[0] == 0.5
        with pytest.raises(ValueError, match="constant"):
            model.fit([[0.0], [0.0]])
        return
    with pytest.raises(ValueError, match="one sample"):
        model.fit([[1.0, 2.0]])


def test_offsets_and_scales_cost_nothing():
    """Raw second moments lose everything at an offset of 1e8; sums from the data's own origin do not."""
    Z = np.round(RNG.normal(size=(1000, 3)) * 2**20) / 2**20
    expected = Gaussian().fit(Z).score(Z)
    assert Gaussian().fit(Z + 1e8).score(Z + 1e8) == pytest.approx(expected, abs=1e-6)
    assert Gaussian().fit(Z * 1e-8).score(Z * 1e-8) == pytest.approx(expected - 3 * np.log(1e-8), abs=1e-9)
    blocks = Gaussian()
    for block in np.split(Z + 1e8, 10):
        blocks.partial_fit(block)
    assert blocks.score(Z + 1e8) == pytest.approx(expected, abs=1e-6)


def test_a_fit_in_blocks_is_a_fit(monkeypatch):
    X = RNG.normal(size=(500, 3))
    whole = Gaussian().fit(X).covariance_
    monkeypatch.setattr("skgen.base.AdditiveStatistics._summed_at_once", 30)
    np.testing.assert_allclose(Gaussian().fit(X).covariance_, whole, rtol=1e-12)


# Marginals and conditionals


@pytest.mark.parametrize("model", [Gaussian(), Gaussian("diag"), Gaussian("spherical"), StudentT(df=3)], ids=repr)
def test_joint_is_marginal_times_conditional(model):
    X = pd.DataFrame(RNG.normal(size=(200, 4)) @ RNG.normal(size=(4, 4)), columns=list("abcd"))
    model.fit(X)
    given = {"b": 0.3, "d": -1.0}
    rest = model.condition_on(given)
    assert list(rest.sample(2).columns) == ["a", "c"]
    rows = pd.DataFrame({"a": [0.0, 1.0], "c": [2.0, -1.0]})
    joint = model.score_samples(rows.assign(**given)[list("abcd")])
    marginal = model.marginal(["b", "d"]).score_samples(pd.DataFrame({k: [v, v] for k, v in given.items()}))
    np.testing.assert_allclose(rest.score_samples(rows) + marginal, joint, rtol=1e-9)
    by_number = model.condition_on({1: 0.3, 3: -1.0})
    np.testing.assert_array_equal(by_number.score_samples(rows), rest.score_samples(rows))


@pytest.mark.parametrize("values", [{}, {"a": 1, "b": 2}, {"z": 1}, {"a": np.nan}, {5: 1}, {0: 1, "a": 1}])
def test_condition_on_refuses_nonsense(values):
    model = Gaussian().fit(pd.DataFrame(RNG.normal(size=(50, 2)), columns=["a", "b"]))
    with pytest.raises(ValueError, match="condition_on wants|There is no column|named twice"):
        model.condition_on(values)


@pytest.mark.parametrize(
    "model",
    [Gaussian(), Gaussian("diag"), Gaussian("spherical"), StudentT(df=3), Normal(), Laplace(), Exponential()],
    ids=repr,
)
def test_conditional_cdf_is_the_integral_and_ppf_its_inverse(model):
    X = np.abs(RNG.normal(size=(200, 2)) @ [[1, 0.7], [0, 1]])
    model.fit(X)
    x = X[:3]
    U = model.conditional_cdf(x)
    np.testing.assert_allclose(model.conditional_ppf(U), x, rtol=1e-9)
    for row, u in zip(x, U, strict=True):

        def joint(b, a=row[0]):
            return np.exp(model.score_samples([[a, b]])[0])

        low = 0.0 if isinstance(model, Exponential) else -np.inf
        below, total = (integrate.quad(joint, low, high, epsabs=1e-12)[0] for high in (row[1], np.inf))
        assert u[1] == pytest.approx(below / total, abs=1e-6)
    uniforms = model.conditional_cdf(model.sample(5000, random_state=0))
    assert min(stats.kstest(u, "uniform").pvalue for u in uniforms.T) > 1e-4
    assert abs(np.corrcoef(uniforms.T)[0, 1]) < 0.06


@pytest.mark.parametrize("model", [Gaussian(), Normal(), Laplace(), StudentT(df=5), Exponential()], ids=repr)
def test_conditional_tails_are_kept(model):
    """Both tails stand in logarithms: 12 standard deviations out, 1 - F is not 0."""
    model.fit(np.abs(RNG.normal(size=(500, 2))))
    far = np.array([[40.0, 1.0], [0.01, 40.0]])
    log_cdf, log_sf = model._conditional_log_cdf(far)
    assert np.isfinite(log_cdf).all() and np.isfinite(log_sf).all()
    np.testing.assert_allclose(model._conditional_ppf(log_cdf, log_sf), far, rtol=1e-8)


@pytest.mark.parametrize("model", [Gaussian(), StudentT(df=4), Normal(), Laplace(), Exponential()], ids=repr)
def test_the_ends_and_the_outside_of_conditionals(model):
    model.fit(np.abs(RNG.normal(size=(300, 3))))
    X = model.conditional_ppf([[0.5, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 0.5]])
    assert np.isfinite(X).all()
    np.testing.assert_allclose(X[0, :2], model.conditional_ppf([[0.5, 0.5, 0.5]])[0, :2])
    U = model.conditional_cdf([[-1.0, 1.0, 2.0], [0.0, 1.0, 2.0], [1e200, 1.0, 1.0]])
    assert ((U >= 0) & (U <= 1)).all()
    if isinstance(model, Exponential):
        assert U[0, 0] == U[1, 0] == 0


@pytest.mark.parametrize("df", [1e6, 1e10, 1e15])
def test_student_t_of_many_degrees_of_freedom_is_normal(df):
    X = RNG.normal(size=(200, 3))
    assert StudentT(df=df).fit(X).score(X) == pytest.approx(Gaussian().fit(X).score(X), abs=3 / df + 1e-12)


def test_gaps_of_many_patterns_are_filled_in_time_that_follows_the_rows():
    X = RNG.normal(size=(2000, 12)) @ RNG.normal(size=(12, 12))
    gaps = np.where(RNG.random(X.shape) < 0.3, np.nan, X)
    filled = Gaussian().fit(X).sample_conditional(gaps, random_state=0)
    np.testing.assert_array_equal(filled[~np.isnan(gaps)], X[~np.isnan(gaps)])
    assert np.isfinite(filled).all()


def test_conditional_ppf_refuses_what_is_no_probability():
    model = Gaussian().fit(FAITHFUL)
    for U in ([[0.5]], [[0.5, 1.5]], [[-0.1, 0.5]]):
        with pytest.raises(ValueError, match="2 probabilities a row"):
            model.conditional_ppf(U)


@pytest.mark.parametrize("model", [Gaussian(), Gaussian("diag"), StudentT(df=4), Normal()], ids=repr)
def test_sample_conditional_fills_the_gaps_from_the_conditional(model):
    X = pd.DataFrame(RNG.normal(size=(300, 3)) @ [[1, 0.8, 0], [0, 1, 0.5], [0, 0, 1]], columns=list("abc"))
    model.fit(X)
    gaps = pd.DataFrame({"a": np.full(4000, 1.5), "b": np.nan, "c": np.full(4000, -1.0)})
    gaps.loc[0, "c"] = np.nan
    filled = model.sample_conditional(gaps, random_state=0)
    assert list(filled.columns) == ["a", "b", "c"] and not filled.isna().any(axis=None)
    assert (filled["a"] == 1.5).all() and (filled["c"][1:] == -1).all()
    if hasattr(model, "condition_on"):
        expected = model.condition_on({"a": 1.5, "c": -1.0})
        u = expected.conditional_cdf(filled[["b"]])[1:, 0]
    else:
        u = model.conditional_cdf(filled)[1:, 1]
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert gaps["b"].isna().all(), "the argument is left alone"
    frame = pl.DataFrame({"a": [1.0, None], "b": [None, 2.0], "c": [0.0, 1.0]})
    assert model.sample_conditional(frame.to_pandas(), random_state=0).notna().all(axis=None)


# Labels


def test_unseen_labels_share_one_cell():
    X = np.array([["a"]] * 6 + [["b"]] * 3)
    smooth, plain = Categorical().fit(X), Categorical(alpha=0).fit(X)
    np.testing.assert_allclose(np.exp(smooth.score_samples([["a"], ["b"], ["c"]])), [7 / 12, 4 / 12, 1 / 12])
    np.testing.assert_allclose(np.exp(plain.score_samples([["a"], ["b"], ["c"]])), [6 / 9, 3 / 9, 0])
    assert set(smooth.sample(500, random_state=0).ravel()) == {"a", "b"}


def test_declared_labels_are_all_there_is():
    X = pd.DataFrame({"c": pd.Categorical(["a", "a", "b"], categories=["a", "b", "never"])})
    model = Categorical().fit(X)
    np.testing.assert_allclose(np.exp(model.score_samples(X)), [3 / 6, 3 / 6, 2 / 6])
    assert model.score_samples(pd.DataFrame({"c": ["else"]}))[0] == -np.inf
    assert "never" in set(model.sample(500, random_state=0)["c"])
    flags = Categorical().fit(pd.DataFrame({"flag": [True, True]}))
    np.testing.assert_allclose(np.exp(flags.score_samples(pd.DataFrame({"flag": [True, False]}))), [3 / 4, 1 / 4])


def test_labels_come_back_as_they_were():
    X = pd.DataFrame({"s": ["x", "y", "x"], "n": [10, 20, 10], "b": [True, False, True], "f": [0.5, 0.25, 0.5]})
    drawn = Categorical().fit(X).sample(20, random_state=0)
    assert list(drawn.dtypes) == list(X.dtypes)
    assert set(drawn["n"]) == {10, 20} and set(drawn["f"]) == {0.5, 0.25}


def test_labels_that_come_later_join_by_partial_fit():
    first, second = np.array([["a", 1], ["b", 1]], dtype=object), np.array([["c", 2], ["a", 1]], dtype=object)
    model = Categorical().partial_fit(first).partial_fit(second)
    whole = Categorical().fit(np.vstack([first, second]))
    asked = np.array([["a", 1], ["c", 2], ["b", 2], ["z", 3]], dtype=object)
    np.testing.assert_allclose(model.score_samples(asked), whole.score_samples(asked), rtol=1e-12)
    assert set(model.sample(300, random_state=0)[:, 0]) == {"a", "b", "c"}


def test_the_median_does_not_hang_on_the_unit_of_the_weights():
    x = np.arange(10.0)[:, None]
    expected = Laplace().fit(x).location_[0]
    assert expected == 4.5
    assert all(Laplace().fit(x, sample_weight=np.full(10, w)).location_[0] == 4.5 for w in (0.1, 0.3, 1 / 3, 7.0))


def test_many_labels_are_fast_enough():
    X = pd.DataFrame({"id": RNG.integers(0, 50_000, 200_000).astype(str)})
    assert np.isfinite(Categorical().fit(X).score(X))


def test_bernoulli_without_smoothing_is_maximum_likelihood():
    model = Bernoulli(alpha=0).fit([[1, 0], [1, 1]])
    np.testing.assert_array_equal(model.score_samples([[1, 0], [0, 0]]), [np.log(0.5), -np.inf])


# Independent


def test_auto_chooses_by_dtype_and_support():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "normal": rng.normal(size=400),
            "peaked": rng.laplace(size=400),
            "wait": rng.exponential(size=400),
            "count": rng.poisson(4, 400),
            "flag": rng.integers(0, 2, 400),
            "debt": rng.integers(-5, 5, 400),
            "colour": rng.choice(["red", "green"], 400),
            "still": 3,
        }
    )
    chosen = [type(part).__name__ for part in Independent().fit(X).estimators_]
    assert chosen == ["Normal", "Laplace", "Exponential", "Poisson", "Bernoulli", "Normal", "Categorical", "PointMass"]
    drawn = Independent().fit(X).sample(5, random_state=0)
    assert list(drawn.columns) == list(X.columns) and drawn["count"].dtype == X["count"].dtype


def test_independent_is_the_sum_of_its_columns():
    X = np.column_stack([RNG.normal(size=100), RNG.exponential(size=100)])
    model = Independent([Normal(), Exponential()]).fit(X)
    parts = Normal().fit(X[:, [0]]).score_samples(X[:, [0]]) + Exponential().fit(X[:, [1]]).score_samples(X[:, [1]])
    np.testing.assert_allclose(model.score_samples(X), parts, rtol=1e-12)
    assert model.score_samples([[0.0, -1.0]])[0] == -np.inf
    with pytest.raises(ValueError, match="2 estimators for 3 columns"):
        model.fit(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="Negative values in data passed to Exponential"):
        model.fit(-X)
    with pytest.raises(ValueError, match="column 'c' holds 'a'"):
        Independent([Normal()]).fit(pd.DataFrame({"c": pd.Series(["a", "b"])}))


def test_poisson_at_zero():
    model = Poisson().fit([[0], [0]])
    np.testing.assert_array_equal(model.score_samples([[0], [1]]), [0, -np.inf])
    assert (model.sample(5, random_state=0) == 0).all()


# At work


@pytest.mark.parametrize(
    "model, grid",
    [
        (Gaussian(), {"covariance": ["full", "diag", LedoitWolf()]}),
        (StudentT(), {"df": [None, 3, 30]}),
        (Normal(), {}),
        (Laplace(), {}),
        (Independent(), {"estimators": ["auto", Normal(), Laplace()]}),
    ],
    ids=repr,
)
def test_inside_scikit_learn_on_faithful(model, grid):
    scores = cross_val_score(model, FAITHFUL, cv=5)
    assert np.isfinite(scores).all()
    search = GridSearchCV(model, grid, cv=5).fit(FAITHFUL)
    assert search.best_score_ >= scores.mean() - 1e-12
    assert search.best_estimator_.sample(3, random_state=0).shape == (3, 2)
    pipeline = make_pipeline(StandardScaler(), model).fit(FAITHFUL)
    assert np.isfinite(pipeline.score(FAITHFUL))
    assert np.isfinite(cross_val_score(pipeline, FAITHFUL)).all()


@pytest.mark.parametrize("model", [Poisson(), Categorical(), Exponential(), Independent()], ids=repr)
def test_inside_scikit_learn_on_counts(model):
    X = load_earthquakes(as_frame=True).data[["count"]]
    assert np.isfinite(cross_val_score(model, X)).all()
    if hasattr(model, "alpha"):
        assert GridSearchCV(model, {"alpha": [0.1, 1.0, 10.0]}).fit(X).best_params_["alpha"] in (0.1, 1.0, 10.0)


def test_bernoulli_inside_scikit_learn():
    X = (RNG.random((200, 5)) < [0.1, 0.5, 0.9, 0.01, 0.3]).astype(int)
    assert np.isfinite(cross_val_score(Bernoulli(), X)).all()
    assert GridSearchCV(Bernoulli(), {"alpha": [0.1, 1, 100]}).fit(X).best_params_["alpha"] != 100


@pytest.mark.parametrize(
    "model, table, step, grid",
    [
        (Poisson(), RNG.poisson(3, (120, 2)), FunctionTransformer(), {}),
        (Bernoulli(), RNG.integers(0, 2, (120, 3)), FunctionTransformer(), {"bernoulli__alpha": [0.1, 1.0]}),
        (
            Categorical(),
            RNG.integers(0, 4, (120, 2)).astype(str),
            FunctionTransformer(),
            {"categorical__alpha": [0.1, 1]},
        ),
        (
            Exponential(),
            RNG.exponential(size=(120, 2)),
            MaxAbsScaler(),
            {"maxabsscaler": [None, "passthrough"]},
        ),
        (PointMass(), np.full((120, 2), 3.0), StandardScaler(with_std=False), {}),
        (Independent(), RNG.normal(size=(120, 2)), StandardScaler(), {"independent__estimators": ["auto", Laplace()]}),
        (StudentT(), RNG.normal(size=(120, 2)), StandardScaler(), {"studentt__df": [None, 4.0]}),
    ],
    ids=repr,
)
def test_each_family_in_pipelines_and_searches(model, table, step, grid):
    pipeline = make_pipeline(step, model)
    assert np.isfinite(cross_val_score(pipeline, table, cv=3)).all()
    search = GridSearchCV(pipeline, grid, cv=3).fit(table)
    assert np.isfinite(search.score(table))
    assert search.best_estimator_[-1].sample(4, random_state=0).shape == (4, table.shape[1])


def test_a_weighted_search_in_a_pipeline_by_metadata_routing():
    import sklearn

    weights = RNG.integers(0, 3, len(FAITHFUL)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        density = Gaussian().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), density)
        search = GridSearchCV(pipeline, {"gaussian__covariance": ["full", "diag"]}, cv=3)
        search.fit(FAITHFUL, sample_weight=weights)
    scaled = StandardScaler().fit_transform(FAITHFUL)
    expected = Gaussian().fit(scaled, sample_weight=weights)
    np.testing.assert_allclose(search.best_estimator_[-1].mean_, expected.mean_, atol=1e-12)
