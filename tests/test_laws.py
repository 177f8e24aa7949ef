"""Every law can fail: each catches an estimator that is broken in the way that it forbids."""

import copy
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.neighbors import KernelDensity
from sklearn.utils import check_array

import skgen.checks as checks
from skgen import supports
from skgen.checks import LAWS, Inconclusive, check_density_estimator
from skgen.checks._distribution import chi_square
from skgen.foreign import ForeignDensity
from skgen.parametric import (
    Bernoulli,
    Categorical,
    Dirichlet,
    DirichletMultinomial,
    Exponential,
    Gaussian,
    Independent,
    Normal,
    Poisson,
    VonMises,
    VonMisesFisher,
    Wishart,
)


def narrowed(model, share):
    """A fitted model like this one, whose concentration, or degrees of freedom, are larger by a share."""
    name = "df_" if isinstance(model, Wishart) else "concentration_"
    other = copy.copy(model)
    setattr(other, name, (1 + share) * getattr(model, name))
    return other


class WrongConstant(Normal):
    """Its density integrates to 1.01."""

    def _log_prob(self, X, y):
        return super()._log_prob(X, y) + np.log(1.01)


class WrongSpread(Normal):
    """Its draws spread 5 % too far."""

    def _sample(self, n_samples, y, rng):
        return self.mean_ + 1.05 * (super()._sample(n_samples, y, rng) - self.mean_)


class Everywhere(Exponential):
    """It scores negative numbers as if they were allowed."""

    def score_samples(self, X, y=None):
        return self._log_prob(self._read(X, reset=False), y)


class Overflowing(Normal):
    """It computes infinity minus infinity far out."""

    def _log_prob(self, X, y):
        with np.errstate(invalid="ignore"):
            return super()._log_prob(X, y) + (X**2 - X**2).sum(axis=1)


class Biased(Normal):
    """Its standard deviation is 10 % too large."""

    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        self.std_ = 1.1 * self.std_


class Worsening(Normal):
    """It is the worse the more rows it sees."""

    _unique_optimum = False

    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        self.std_ = self.std_ * (1 + statistics["n"] / 1000)


class IgnoresWeights(Normal):
    def _statistics(self, X, sample_weight, coordinates):
        return super()._statistics(X, np.ones(len(X)), coordinates)


class HalfHeartedWeights(Normal):
    """It takes five per cent of the weight's excess over one for granted."""

    def _statistics(self, X, sample_weight, coordinates):
        return super()._statistics(X, 1 + 0.95 * (sample_weight - 1), coordinates)


class UnweightedScore(Normal):
    def score(self, X, y=None, sample_weight=None):
        return super().score(X)


class SilentlyUnweighted(Normal):
    _unique_optimum = False

    def _statistics(self, X, sample_weight, coordinates):
        return super()._statistics(X, np.ones(len(X)), coordinates)


class FirstRows(Normal):
    """It learns from the first half of the rows."""

    def _fit(self, X, y, sample_weight):
        super()._fit(X[: len(X) // 2], y, sample_weight[: len(X) // 2])


class BatchNormalised(Normal):
    def _log_prob(self, X, y):
        return super()._log_prob(X - 1e-6 * X.mean(axis=0), y)


class AbsoluteRegulariser(Normal):
    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        self.std_ = np.sqrt(self.std_**2 + 1e-6)


class RawMoments(Normal):
    """E[x^2] - E[x]^2, taken far from the data."""

    def _coordinates(self, X, sample_weight):
        return np.full(X.shape[1], -1e7)


class FreshFit(Normal):
    """Two fits of one seed differ."""

    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        self.mean_ = self.mean_ + 1e-9 * np.random.default_rng().random()


class OneDraw(Normal):
    """An int-seeded model whose draws repeat, as scikit-learn's GaussianMixture."""

    def _sample(self, n_samples, y, rng):
        return super()._sample(n_samples, y, np.random.default_rng(0))


class MovedBySampling(Normal):
    def _sample(self, n_samples, y, rng):
        self.mean_ = self.mean_ + 1
        return super()._sample(n_samples, y, rng)


class GlobalSeed(Normal):
    def _sample(self, n_samples, y, rng):
        np.random.seed(int(rng.integers(1000)))  # noqa: NPY002
        return super()._sample(n_samples, y, rng)


class SharedState(Normal):
    """Two fits meet in a class attribute."""

    def _m_step(self, statistics, coordinates):
        type(self).meeting_place = statistics
        time.sleep(0.05)
        super()._m_step(type(self).meeting_place, coordinates)


class Forgetful(Normal):
    """partial_fit is fit."""

    def _take_in(self, X, y, sample_weight):
        self._forget()
        super()._take_in(X, y, sample_weight)


class UnweightedBlocks(Normal):
    def _take_in(self, X, y, sample_weight):
        super()._take_in(X, y, None if sample_weight is None or (sample_weight > 0).all() else sample_weight)


class MovedByARefusal(Normal):
    def partial_fit(self, X, y=None, sample_weight=None):
        try:
            return super().partial_fit(X, y, sample_weight)
        except ValueError:
            self.mean_ = np.full(X.shape[1], 9.0)
            raise


class WholeWeights(Normal):
    """It rounds weights up."""

    def _statistics(self, X, sample_weight, coordinates):
        return super()._statistics(X, np.ceil(sample_weight), coordinates)


class Recorder(Normal):
    """It keeps what it scores."""

    def _log_prob(self, X, y):
        self.seen_ = X.sum()
        return super()._log_prob(X, y)


class Tempered(Normal):
    """It reads a parameter of its constructor when it scores."""

    def __init__(self, temperature=1.0):
        super().__init__()
        self.temperature = temperature

    def _log_prob(self, X, y):
        return super()._log_prob(X, y) * (1.0 if self.temperature == 1.0 else 0.5)


class Reckoning(Normal):
    """It counts its parameters by what its constructor says."""

    def __init__(self, is_centered=False):
        super().__init__()
        self.is_centered = is_centered

    def _n_parameters(self):
        return super()._n_parameters() - (self.is_centered is not False)


class EachRowTwice(Normal):
    def _sample(self, n_samples, y, rng):
        return np.repeat(super()._sample(n_samples, y, rng), 2, axis=0)[:n_samples]


class Sorted(Normal):
    """Draws come in order, as those of scikit-learn's GaussianMixture come by component."""

    def _sample(self, n_samples, y, rng):
        X = super()._sample(n_samples, y, rng)
        return X[np.argsort(X[:, 0])]


class Infinite(Normal):
    def _log_prob(self, X, y):
        return np.where(np.abs(X).max(axis=1) > 1e100, np.inf, super()._log_prob(X, y))


class Contaminated(Normal):
    """One draw in a hundred lies eight standard deviations out."""

    def _sample(self, n_samples, y, rng):
        far = rng.random((n_samples, 1)) < 0.009
        return super()._sample(n_samples, y, rng) + 8 * self.std_ * far


class Shifted(Normal):
    def _sample(self, n_samples, y, rng):
        return super()._sample(n_samples, y, rng) + 0.02 * self.std_


class ThirdSignFromTheOthers(Normal):
    """Every pair of columns is right; the three together are not."""

    def _sample(self, n_samples, y, rng):
        Z = (super()._sample(n_samples, y, rng) - self.mean_) / self.std_
        Z[:, 2] = np.abs(Z[:, 2]) * np.sign(Z[:, 0] * Z[:, 1])
        return self.mean_ + self.std_ * Z


class SecondFromTheFirst(Independent):
    """A binary column that follows the real one, where the density says that it does not."""

    def _sample(self, n_samples, y, rng):
        X = super()._sample(n_samples, y, rng)
        X[:, 1] = X[:, 0] > np.quantile(X[:, 0], 1 - X[:, 1].mean())
        return X


class Comonotone(Bernoulli):
    def _sample(self, n_samples, y, rng):
        return (rng.random((n_samples, 1)) < self.probability_).astype(float)


class WritesOnInput(Normal):
    def _fit(self, X, y, sample_weight):
        super()._fit(X, y, sample_weight)
        X *= 2


class RemembersTheLastFit(Normal):
    def _fit(self, X, y, sample_weight):
        super()._fit(X, y, sample_weight)
        self.mean_ = self.mean_ + 0.01 * getattr(self, "_previous", 0)
        self._previous = self.mean_


class OneRowTooMany(Normal):
    def _sample(self, n_samples, y, rng):
        return super()._sample(n_samples + 1, y, rng)


class DrawsNegatives(Exponential):
    def _sample(self, n_samples, y, rng):
        return super()._sample(n_samples, y, rng) - 0.1


class SumOfScores(Normal):
    def score(self, X, y=None, sample_weight=None):
        return float(self.score_samples(X).sum())


class LossyPickle(Normal):
    def __getstate__(self):
        state = super().__getstate__()
        return state | {"mean_": state["mean_"].astype(np.float32)} if "mean_" in state else state


class AlwaysArrays(Normal):
    def _write(self, X):
        return X


class SinglePrecision(Normal):
    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        if self.columns_.dtypes[0] == "float32":
            self.std_ = 1.01 * self.std_


class TakesAnything(Normal):
    def _read(self, X, *, reset, **how):
        X = np.nan_to_num(np.asarray(X, dtype=float))
        return super()._read(X, reset=reset, **how)


class Talkative(Normal):
    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        print("fitted")


class Admonishing(Normal):
    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        warnings.warn("nothing you could do about it", stacklevel=2)


class Littering(Normal):
    def _m_step(self, statistics, coordinates):
        super()._m_step(statistics, coordinates)
        Path("log.txt").write_text("fitted")


class TooDense:
    """Its density integrates to 1.01."""

    def _log_prob(self, X, y):
        return super()._log_prob(X, y) + np.log(1.01)


class TooNarrow:
    """Its draws are those of a concentration, or degrees of freedom, 5 % larger."""

    def _sample(self, n_samples, y, rng):
        return type(self).__bases__[1]._sample(narrowed(self, 0.05), n_samples, y, rng)


class DenseDirichlet(TooDense, Dirichlet):
    pass


class DenseDirections(TooDense, VonMisesFisher):
    pass


class DenseMatrices(TooDense, Wishart):
    pass


class DenseCompositions(TooDense, DirichletMultinomial):
    pass


class DenseAngles(TooDense, VonMises):
    pass


class NarrowDirichlet(TooNarrow, Dirichlet):
    pass


class NarrowDirections(TooNarrow, VonMisesFisher):
    pass


class NarrowMatrices(TooNarrow, Wishart):
    pass


class NarrowAngles(TooNarrow, VonMises):
    pass


class OneTooMany(DirichletMultinomial):
    """One row in ten has one more of the first kind."""

    def _sample(self, n_samples, y, rng):
        X = super()._sample(n_samples, y, rng)
        X[:, 0] += rng.random(n_samples) < 0.1
        return X


class EveryRowIsADirection(VonMisesFisher):
    def score_samples(self, X, y=None):
        return self._log_prob(self._read(X, reset=False), y)


REAL = supports.real.draw(np.random.default_rng(0), 200, 2)
WIDE = supports.real.draw(np.random.default_rng(0), 200, 20)
MIXED = np.column_stack([REAL[:, 0], REAL[:, 1] > 0])
DIRECTIONS = {d: supports.sphere.draw(np.random.default_rng(0), 200, d) for d in (2, 3, 5)}
PARTS = {d: supports.simplex.draw(np.random.default_rng(0), 200, d) for d in (2, 3, 5)}
MATRICES = {d: supports.positive_definite.draw(np.random.default_rng(0), 200, d) for d in (1, 3, 6)}
ANGLES = {d: supports.circle.draw(np.random.default_rng(0), 200, d) for d in (1, 2)}
KINDS = {d: supports.counts.draw(np.random.default_rng(0), 200, d).astype(int) for d in (2, 4)}
WAITS = supports.nonnegative.draw(np.random.default_rng(0), 200, 2)
BROKEN = [
    (checks.normalises, WrongConstant(), REAL[:, :1], "total probability 1.01"),
    (checks.normalises, WrongConstant(), REAL, "total probability 1.01"),
    (checks.normalises, WrongConstant(), supports.real.draw(np.random.default_rng(0), 200, 4), "by importance"),
    (checks.draws_follow_the_density, WrongSpread(), REAL[:, :1], "distribution functions differ"),
    (checks.draws_follow_the_density, WrongSpread(), REAL, "chi-square"),
    (checks.draws_follow_the_density, WrongSpread(), supports.real.draw(np.random.default_rng(0), 200, 4), "moment"),
    (checks.draws_follow_the_density, Contaminated(), REAL[:, :1], "distribution functions differ"),
    (checks.draws_follow_the_density, Contaminated(), REAL, "chi-square"),
    (checks.draws_follow_the_density, Contaminated(), WIDE[:, :3], "next to nothing"),
    (checks.draws_follow_the_density, Shifted(), REAL[:, :1], "distribution functions differ"),
    (checks.draws_follow_the_density, ThirdSignFromTheOthers(), WIDE[:, :3], "moment"),
    (checks.draws_follow_the_density, SecondFromTheFirst([Normal(), Bernoulli()]), MIXED, "moment"),
    (checks.draws_follow_the_density, Comonotone(), (WIDE > 0).astype(int), "moment"),
    *((checks.normalises, DenseDirections(), X, "total probability") for X in DIRECTIONS.values()),
    *((checks.normalises, DenseDirichlet(), X, "total probability") for X in PARTS.values()),
    *((checks.normalises, DenseMatrices(), X, "total probability") for X in MATRICES.values()),
    *((checks.normalises, DenseAngles(), X, "total probability") for X in ANGLES.values()),
    *((checks.normalises, DenseCompositions(), X, "total probability") for X in KINDS.values()),
    (checks.draws_follow_the_density, NarrowDirections(), DIRECTIONS[2], "distribution functions differ"),
    (checks.draws_follow_the_density, NarrowDirections(), DIRECTIONS[3], "chi-square"),
    (checks.draws_follow_the_density, NarrowDirections(), DIRECTIONS[5], "moment"),
    (checks.draws_follow_the_density, NarrowDirichlet(), PARTS[2], "distribution functions differ"),
    (checks.draws_follow_the_density, NarrowDirichlet(), PARTS[3], "chi-square"),
    (checks.draws_follow_the_density, NarrowDirichlet(), PARTS[5], "moment"),
    (checks.draws_follow_the_density, NarrowMatrices(), MATRICES[1], "distribution functions differ"),
    (checks.draws_follow_the_density, NarrowMatrices(), MATRICES[6], "moment"),
    (checks.draws_follow_the_density, NarrowAngles(), ANGLES[1], "distribution functions differ"),
    (checks.draws_follow_the_density, NarrowAngles(), ANGLES[2], "chi-square"),
    (checks.draws_follow_the_density, OneTooMany(), KINDS[2], "chi-square"),
    (checks.draws_follow_the_density, OneTooMany(), KINDS[4], "moment"),
    (checks.is_zero_off_its_support, EveryRowIsADirection(), DIRECTIONS[3], "lies outside sphere"),
    (checks.is_zero_off_its_support, Everywhere(), WAITS, "lies outside nonnegative"),
    (checks.never_scores_nan, Overflowing(), REAL, "scores NaN"),
    (checks.never_scores_nan, Infinite(), REAL, "scores infinity"),
    (checks.finds_itself_again, Biased(), REAL, "nats a row"),
    (checks.improves_with_rows, Worsening(), REAL, "15 times the rows cost"),
    (checks.weights_are_frequencies, IgnoresWeights(), REAL, "weights against repeated rows"),
    (checks.weights_are_frequencies, HalfHeartedWeights(), REAL, "weights against repeated rows"),
    (checks.weights_are_frequencies, WholeWeights(), REAL, "halved weights"),
    (checks.weights_are_frequencies, UnweightedScore(), REAL, "with weights"),
    (checks.unweightable_parts_refuse, SilentlyUnweighted(), REAL, "weights are ignored"),
    (checks.row_order_is_irrelevant, FirstRows(), REAL, "permuted rows"),
    (checks.a_row_scores_alike_alone, BatchNormalised(), REAL, "alone against in a batch"),
    (checks.units_shift_the_score_by_the_jacobian, AbsoluteRegulariser(), REAL, "other units"),
    (checks.units_shift_the_score_by_the_jacobian, RawMoments(), REAL, "other units|is constant"),
    (checks.a_seed_fixes_fit_and_draw, FreshFit(), REAL, "two fits"),
    (checks.a_seed_fixes_fit_and_draw, OneDraw(), REAL, "repeats the first"),
    (checks.a_seed_fixes_fit_and_draw, MovedBySampling(), REAL, "two draws|sampling changed"),
    (checks.global_seeds_are_left_alone, GlobalSeed(), REAL, "a global random state moved"),
    (checks.threads_do_not_meet, SharedState(), REAL, "second thread"),
    (checks.blocks_make_the_whole, Forgetful(), REAL, "blocks against the whole"),
    (checks.blocks_make_the_whole, UnweightedBlocks(), REAL, "blocks against the whole"),
    (checks.blocks_make_the_whole, MovedByARefusal(), REAL, "a refused block"),
    (checks.scoring_and_sampling_change_nothing, Recorder(), REAL, "attributes changed"),
    (checks.parameters_wait_for_the_next_fit, Tempered(), REAL, "change the scores"),
    (checks.parameters_wait_for_the_next_fit, Reckoning(), REAL, "change aic"),
    (checks.draws_are_independent, EachRowTwice(), REAL, "repeat an earlier one"),
    (checks.draws_are_independent, Sorted(), REAL, "successive draws"),
    (checks.fit_leaves_its_input_alone, WritesOnInput(), REAL, "fit changed X"),
    (checks.fit_leaves_its_input_alone, RemembersTheLastFit(), REAL, "remembers the first"),
    (checks.sample_gives_rows_of_the_support, OneRowTooMany(), REAL, r"sample\(1\) gave 2 rows"),
    (checks.sample_gives_rows_of_the_support, DrawsNegatives(), WAITS, "density 0"),
    (checks.score_is_the_mean_of_score_samples, SumOfScores(), REAL, "the mean"),
    (checks.copies_score_alike, LossyPickle(), REAL, "pickle changed"),
    (checks.you_get_back_what_you_gave, AlwaysArrays(), pd.DataFrame(REAL, columns=["a", "b"]), "gives ndarray"),
    (checks.float32_is_read_as_it_is, SinglePrecision(), REAL, "float32 rows score"),
    (checks.bad_input_is_refused, TakesAnything(), REAL, "is accepted"),
    (checks.it_is_quiet, Talkative(), REAL, "said"),
    (checks.it_is_quiet, Admonishing(), REAL, "nothing you could do"),
    (checks.it_is_quiet, Littering(), REAL, "log.txt"),
]


@pytest.mark.parametrize("law, estimator, X, reason", BROKEN, ids=lambda v: getattr(v, "__name__", type(v).__name__))
def test_a_broken_estimator_is_caught(law, estimator, X, reason):
    with pytest.raises(AssertionError, match=reason):
        check_density_estimator(estimator, X.copy(), laws=[law])


def test_every_law_has_a_broken_estimator():
    assert {law for law, *_ in BROKEN} == set(LAWS)


class Stranger(BaseEstimator):
    """A density from elsewhere: a standard normal that knows nothing of our base."""

    def fit(self, X, y=None):
        self.n_features_in_ = check_array(X).shape[1]
        return self

    def score_samples(self, X):
        return -0.5 * (check_array(X) ** 2).sum(axis=1) - 0.5 * self.n_features_in_ * np.log(2 * np.pi)

    def sample(self, n_samples=1, random_state=None):
        rng = (
            np.random.RandomState(random_state) if not isinstance(random_state, np.random.RandomState) else random_state
        )
        return rng.normal(size=(n_samples, self.n_features_in_))


def test_strangers_are_checked_too():
    status = {v.law: v.status for v in check_density_estimator(Stranger(), REAL, on_fail="report")}
    assert status["normalises"] == status["draws_follow_the_density"] == "kept"
    assert status["weights_are_frequencies"] == "broken"


def test_scikit_learns_kernel_density_runs_and_what_breaks_is_said():
    verdicts = {v.law: v for v in check_density_estimator(KernelDensity(), REAL, on_fail="report")}
    assert verdicts["score_is_the_mean_of_score_samples"].status == "broken"
    assert verdicts["normalises"].status == "kept"
    assert "sample_weight" in verdicts["weights_are_frequencies"].reason
    assert ForeignDensity(KernelDensity(kernel="cosine")).fit(REAL).likelihood == "improper"  # it integrates to 0.36


def test_laws_can_be_chosen():
    few = [law for law in LAWS if "seed" in law.__name__]
    assert [v.law for v in check_density_estimator(Normal(), REAL, laws=few)] == [law.__name__ for law in few]
    with pytest.raises(ValueError, match="on_fail"):
        check_density_estimator(Normal(), REAL, on_fail="ignore")


def test_what_cannot_be_decided_is_inconclusive_never_kept():
    """A spike at each of 200 rows in five dimensions: no Gaussian lies inside such a density."""
    X = supports.real.draw(np.random.default_rng(0), 200, 5)
    laws = [checks.normalises, checks.draws_follow_the_density]
    with pytest.warns(UserWarning, match="not decided: normalises"):
        verdicts = check_density_estimator(ForeignDensity(KernelDensity(bandwidth=0.01)), X, laws=laws)
    assert [v.status for v in verdicts] == ["inconclusive"] * 2
    with pytest.raises(Inconclusive):
        checks.normalises(ForeignDensity(KernelDensity(bandwidth=0.01)), X, np.random.default_rng(0))


def test_conditional_models_are_asked_to_be_checked_without_their_condition():
    model = Normal()
    model.conditional = True
    with pytest.raises(ValueError, match="conditional=False"):
        check_density_estimator(model, REAL)


@pytest.mark.parametrize("rate", [3e-4, 0.005, 0.05, 0.5, 5.0])
def test_chi_square_keeps_its_level_where_cells_are_rare(rate):
    """Of 4000 samples from the truth, about one in a hundred exceeds the 1 % point, whatever the rare cells."""
    rng, cells = np.random.default_rng(0), np.arange(40)
    expected = 100_000 * stats.poisson(rate).pmf(cells)
    counts = rng.multinomial(100_000, expected / expected.sum(), size=4000)
    found = [chi_square(c, expected) for c in counts]
    exceeded = np.mean([statistic > stats.chi2.isf(0.01, freedom) for statistic, freedom in found])
    assert exceeded < 0.017
    assert exceeded > 0.004 or rate < 1e-3  # there all is one cell, which tests nothing


def off_by(model_class, constant=0.0, spread=0.0):
    """A model whose density is too large by the share `constant`, or whose draws spread too far by `spread`."""

    class OffBy(model_class):
        def _log_prob(self, X, y):
            return super()._log_prob(X, y) + np.log1p(constant)

        def _sample(self, n_samples, y, rng):
            X = super()._sample(n_samples, y, rng)
            if not spread:
                return X
            if isinstance(self, DirichletMultinomial):
                return X + rng.poisson(spread * self.mean(), X.shape)
            if isinstance(self, Dirichlet | VonMises | VonMisesFisher | Wishart):
                return model_class._sample(narrowed(self, spread), n_samples, y, rng)
            if isinstance(self, Poisson):  # more draws of the same rate, thinned: the rate is off
                return X + rng.poisson(spread * self.rate_, X.shape)
            if isinstance(self, Bernoulli | Categorical):
                return np.where(rng.random(X.shape) < spread, 0, X)
            return (
                X.mean(axis=0) + (1 + spread) * (X - X.mean(axis=0))
                if model_class is not Exponential
                else X * (1 + spread)
            )

    return OffBy()


# The smallest faults caught 99 times in 100, by support and number of columns: the share by which the constant is off,
# and that by which the draws spread too far (for counts the rate, for labels the share of rows changed, for angles,
# directions, parts and matrices the concentration).
POWER = [
    (Gaussian, 1, 0.001, 0.05),
    (Gaussian, 2, 0.001, 0.05),
    (Gaussian, 5, 0.01, 0.05),
    (Gaussian, 10, 0.01, 0.05),
    (Gaussian, 50, 0.015, 0.05),
    (Exponential, 1, 0.001, 0.05),
    (Exponential, 2, 0.001, 0.05),
    (Exponential, 5, 0.01, 0.05),
    (Poisson, 1, 0.001, 0.02),
    (Poisson, 2, 0.001, 0.02),
    (Poisson, 5, 0.005, 0.02),
    (Bernoulli, 1, 0.001, 0.05),
    (Bernoulli, 8, 0.001, 0.05),
    (Bernoulli, 12, 0.001, 0.05),
    (Categorical, 1, 0.001, 0.05),
    (Categorical, 4, 0.001, 0.05),
    (VonMises, 1, 0.001, 0.05),
    (VonMises, 2, 0.001, 0.05),
    (VonMises, 4, 0.015, 0.05),
    (VonMisesFisher, 2, 0.001, 0.05),
    (VonMisesFisher, 3, 0.001, 0.05),
    (VonMisesFisher, 5, 0.01, 0.05),
    (Dirichlet, 2, 0.001, 0.05),
    (Dirichlet, 3, 0.001, 0.05),
    (Dirichlet, 5, 0.01, 0.05),
    (Wishart, 1, 0.001, 0.05),
    (Wishart, 3, 0.01, 0.05),
    (Wishart, 6, 0.01, 0.05),
    (DirichletMultinomial, 2, 0.005, 0.02),
    (DirichletMultinomial, 4, 0.015, 0.02),
]


def verdicts_of(estimator, d, law, seeds):
    X = estimator.support.draw(np.random.default_rng(d), 300, d)
    return [check_density_estimator(estimator, X, laws=[law], seed=s, on_fail="report")[0].status for s in seeds]


@pytest.mark.slow
@pytest.mark.parametrize("model_class, d, constant, spread", POWER, ids=str)
def test_power_and_false_alarms(model_class, d, constant, spread):
    for law, fault in (
        (checks.normalises, {"constant": constant}),
        (checks.draws_follow_the_density, {"spread": spread}),
    ):
        assert verdicts_of(off_by(model_class, **fault), d, law, range(100)).count("broken") >= 99
        assert verdicts_of(model_class(), d, law, range(100)) == ["kept"] * 100
