"""The contract: what every density estimator of the suite promises, written once.

A model writes three private methods on clean input and declares its support; the public methods stand here.
The smallest one, complete, and tested against the laws:

>>> import numpy as np
>>> import skgen
>>> from skgen import DensityEstimator, check_density_estimator, supports
>>> class Exponential(DensityEstimator):
...     support = supports.nonnegative
...     _unique_optimum = True
...
...     def _fit(self, X, y, sample_weight):
...         self.rate_ = sample_weight.sum() / (sample_weight @ X)
...
...     def _log_prob(self, X, y):
...         return np.log(self.rate_).sum() - X @ self.rate_
...
...     def _sample(self, n_samples, y, rng):
...         return rng.exponential(1 / self.rate_, size=(n_samples, len(self.rate_)))
>>> laws = [law for law in skgen.checks.LAWS if law.__name__ != "copies_score_alike"]  # this class has no module
>>> {verdict.status for verdict in check_density_estimator(Exponential(), laws=laws)} <= {"kept", "not applicable"}
True
"""

import numbers
from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.utils import _safe_indexing, check_array, gen_batches
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_consistent_length, check_is_fitted, validate_data

from skgen import supports
from skgen.columns import Columns, is_frame, read_table, refuse_dates, refuse_duplicate_names
from skgen.random import as_generator


class UnboundedLikelihood(ValueError):
    """The likelihood of these rows has no maximum: a constant column, or too few rows."""


class DensityEstimator(DensityMixin, BaseEstimator, metaclass=ABCMeta):
    """A probability distribution over rows, learned from rows.

    Subclasses write `_fit`, `_log_prob` and `_sample`, and declare `support` and `likelihood`.

    Attributes
    ----------
    support : skgen.supports.Support
        What a row may be. The log-density is with respect to its reference measure, in the units of X.
    likelihood : {"exact", "bound", "estimate", "improper"}
        Whether `score_samples` is the log-density, lies below it in expectation, estimates it, or has infinite mass.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string names.
    columns_ : skgen.columns.Columns
        What the columns of the fitted table are, so that `sample` gives back what `fit` was given.
    """

    support = supports.real
    likelihood = "exact"
    _proper_way = ""  # how the model itself becomes one, for those whose mass may be infinite
    _infinite = False  # whether infinite numbers may come: ends of intervals that are open
    _takes = "numeric"  # or "category" (labels of any dtype), or "mixed" (each column by its dtype)
    _equivariance = ()  # of "shift", "scale": the changes of units that shift the score by the log-Jacobian
    _unique_optimum = False  # whether fit has one answer, which weights and repeated rows then share
    _rtol = 1e-9  # to which that answer is computed
    _parameter_constraints: dict = {}

    @abstractmethod
    def _fit(self, X, y, sample_weight):
        """Learn from clean float64 rows in the support; the weights are positive, and not to be written to."""

    @abstractmethod
    def _log_prob(self, X, y):
        """Log-density in nats of clean rows in the support, shape (n_samples,)."""

    @abstractmethod
    def _sample(self, n_samples, y, rng):
        """Rows of shape (n_samples, n_features), coded like the X of `_fit`."""

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to the rows of X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), optional
            The condition of a model with `conditional=True`; otherwise ignored.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies: weight 2 equals the row twice, weight 0 no row.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If X is no table of finite numbers (or labels, where the model takes them), if a value lies outside the
            support, or if the likelihood is unbounded on X.
        """
        self._forget()
        try:
            clean = self._enter(X, y, sample_weight, reset=True)
            with np.errstate(over="ignore", invalid="ignore"):  # a sum that overflows is refused by the M-step
                self._fit(*clean)
            self._fitted = True
        finally:
            if not self.__sklearn_is_fitted__():
                self._forget()
        return self

    def _forget(self):
        """Drop what an earlier fit has learned, so that a fit that fails leaves no model of two minds."""
        learned = {name for name in vars(self) if name.endswith("_") or name == "_fitted"}
        for name in learned - set(self._get_param_names()):
            delattr(self, name)

    def __sklearn_is_fitted__(self):
        return getattr(self, "_fitted", False)

    def _fit_coded(self, X, columns, sample_weight):
        """Fit as a part of another model, which has read the table: X is coded, `columns` says how."""
        if self._takes == "numeric" and "category" in columns.kinds:
            j = columns.kinds.index("category")
            raise ValueError(
                f"{type(self).__name__} wants numbers, but {columns.name(j)} holds labels: use Categorical."
            )
        self._validate_params()
        self.n_features_in_, self.columns_ = len(columns), columns
        self._check_support(X)
        self._fit(X, None, sample_weight)
        self._fitted = True
        return self

    def score_samples(self, X, y=None):
        """Log-density of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), optional
            The condition of a model with `conditional=True`; otherwise ignored.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats, with respect to the reference measure of the support, in the units of X; -inf off the support.
        """
        check_is_fitted(self)
        X = self._read(X, reset=False)
        y = self._read_condition(y, len(X))
        inside = self._contains(X)
        log_density = np.full(len(X), -np.inf)
        for block in gen_batches(len(X), self._block_length()):
            rows = np.flatnonzero(inside[block]) + block.start
            if len(rows):
                # a row that is too far for float64 has log-density -inf: that is no accident to warn of
                with np.errstate(over="ignore"):
                    log_density[rows] = self._log_prob(_pick(X, rows), None if y is None else y[rows])
        return log_density

    def score(self, X, y=None, sample_weight=None):
        """Mean log-density of the rows of X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), optional
            The condition of a model with `conditional=True`; otherwise ignored.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the mean; a row of weight 0 does not count, even at -inf.

        Returns
        -------
        score : float
            The weighted mean of `score_samples`, in nats per row.
        """
        log_density = self.score_samples(X, y)
        if sample_weight is None:
            return float(np.mean(log_density))
        sample_weight = check_weights(sample_weight, len(log_density))
        counts = sample_weight > 0
        return float(np.average(log_density[counts], weights=sample_weight[counts]))

    def sample(self, n_samples=1, random_state=None, *, y=None):
        """Draw new rows.

        Parameters
        ----------
        n_samples : int
            Number of rows.
        random_state : None, int, RandomState or Generator
            Source of randomness; an int gives the same rows every time. The constructor's is not used.
        y : scalar or array-like of shape (n_samples,), optional
            The condition of a model with `conditional=True`: one for all rows, or one for each.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_features)
            Rows like those that `fit` was given: the same container, columns and order. Discrete columns have their
            own dtype, continuous ones are floating point.

        Raises
        ------
        ValueError
            If `n_samples` is no positive integer, or if the mass is infinite, from which nothing can be drawn.
        """
        check_is_fitted(self)
        if not self._has_draws():
            raise ValueError(
                f"This {type(self).__name__} has infinite mass, and there is nothing to draw from: use a model whose "
                f"likelihood is exact{self._proper_way}."
            )
        if not isinstance(n_samples, numbers.Integral) or isinstance(n_samples, bool) or n_samples < 1:
            raise ValueError(f"n_samples must be a positive integer, got {n_samples!r}.")
        y = self._read_condition(y, n_samples, repeat=True)
        return self._write(self._sample(int(n_samples), y, as_generator(random_state)))

    def highest_density_threshold(self, mass, n_samples=100_000, random_state=None, *, y=None):
        r"""Level of the smallest region that holds a given probability: its rows score at least that much.

        The region :math:`\{x : \log p(x) \ge t\}` holds the given mass where :math:`t` is the (1 - mass)-quantile of
        :math:`\log p(X)`. It is estimated by that of draws from the model [1]_.

        Parameters
        ----------
        mass : float
            The probability that the region shall hold, between 0 and 1.
        n_samples : int, default=100_000
            Number of draws.
        random_state : None, int, RandomState or Generator
            Source of randomness; an int gives the same level every time.
        y : scalar, optional
            The condition of a model with `conditional=True`: one for the whole region.

        Returns
        -------
        threshold : float
            A log-density in nats: the largest one that at least the given share of the draws reach.

        Raises
        ------
        ValueError
            If `mass` does not lie between 0 and 1, if `y` is more than one condition, or if the likelihood is improper:
            its scores are no log-densities.

        Notes
        -----
        The mass of the region has a standard error of sqrt(mass * (1 - mass) / n_samples). Rows that share a score, as
        in discrete models, are in the region together, which then holds the given mass or more. Labels that were not
        there at fit are never drawn, and count for nothing here.

        References
        ----------
        .. [1] Hyndman, R. J. (1996), Computing and graphing highest density regions, The American Statistician 50,
           120-126.

        Examples
        --------
        >>> from skgen import Normal
        >>> model = Normal().fit([[-1.0], [1.0]])
        >>> round(model.highest_density_threshold(0.95, random_state=0), 2)  # that of -1.96 and 1.96
        -2.84
        >>> model.score_samples([[1.96]]).round(2)
        array([-2.84])
        """
        check_is_fitted(self)
        who = type(self).__name__
        if self.likelihood == "improper":
            raise ValueError(
                f"The scores of this {who} are no log-densities (its likelihood is improper), so that no "
                "region has a mass: use a model whose likelihood is exact."
            )
        if not isinstance(mass, numbers.Real) or not 0 < mass < 1:
            raise ValueError(f"{who} wants a mass between 0 and 1, both excluded, got {mass!r}: give 0.95, say.")
        conditional = self._uses_condition()
        if conditional and np.ndim(y) > 0:
            raise ValueError(f"{who} finds the region under one condition, got {len(y)}: pass a scalar y.")
        drawn = self.sample(n_samples, random_state, y=y)
        log_density = self.score_samples(drawn, np.full(n_samples, y) if conditional else None)
        shares = np.arange(1, n_samples + 1) / n_samples
        return float(np.sort(log_density)[::-1][np.searchsorted(shares, mass)])

    def _enter(self, X, y, sample_weight, *, reset):
        """The door of fit: clean rows, conditions and positive weights, or a ValueError that says what to do.

        Rows of weight 0 are dropped first: what only they hold (a label, a missing value) was never there.
        """
        if hasattr(X, "collect") and not is_frame(X):
            raise TypeError(f"{type(self).__name__} wants rows, but X is a lazy frame: call .collect() first.")
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, _num_samples(X))
            if not sample_weight.all():
                counts = np.flatnonzero(sample_weight)
                X, sample_weight = _safe_indexing(X, counts), sample_weight[counts]
                y = _safe_indexing(y, counts) if y is not None else None
        X = self._read(X, reset=reset, grow=not reset)
        y = self._read_condition(y, len(X))
        self._check_support(X)
        return X, y, np.broadcast_to(1.0, len(X)) if sample_weight is None else sample_weight

    def _read(self, X, *, reset, grow=False, allow_nan=False):
        """The user's X as a float64 matrix; learns (`reset`) or checks what its columns are."""
        who = type(self).__name__
        finite = False if self._infinite else "allow-nan" if allow_nan else True
        if isinstance(X, np.ndarray):
            refuse_dates(X, str(X.dtype), "X")
        if self._takes == "numeric" and not is_frame(X):
            X = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=finite)
            if reset:
                self.columns_ = Columns.of_array(X)
            return self._without_nan(np.asarray(X, dtype=np.float64), allow_nan)
        if is_frame(X):
            refuse_duplicate_names(X)
        else:
            X = _as_table(X, self)
        validate_data(self, X, reset=reset, skip_check_array=True)
        known = None if reset else self.columns_
        allowed = {"allow_nan": allow_nan, "allow_inf": self._infinite}
        X, columns = read_table(X, self._takes, known, grow=grow, who=who, **allowed)
        if reset or grow:
            self.columns_ = columns
        X = check_array(X, dtype=np.float64, ensure_all_finite=finite, input_name="X", estimator=self)
        return self._without_nan(X, allow_nan)

    def _without_nan(self, X, allow_nan):
        """X, whose infinite numbers were let through: NaN is not."""
        if self._infinite and not allow_nan and np.isnan(X).any():
            raise ValueError(f"Input X contains NaN.\n{type(self).__name__} does not accept missing values.")
        return X

    def _write(self, X):
        """Drawn rows as the user's table."""
        return self.columns_.decode(X, self.support.discrete_columns(len(self.columns_)))

    def _contains(self, X):
        return self.support.contains(X)

    def _check_support(self, X):
        """Refuse rows outside the support that the class declares; one that is learned has nothing to refuse yet."""
        if not isinstance(type(self).support, property):
            self._refuse_outside(X, self.support)

    def _refuse_outside(self, X, support):
        inside = support.inside(X)
        if not inside.all():
            i, j = np.argwhere(~inside)[0]
            who, value = type(self).__name__, f"{self._word_for(i, j)} = {X[i, j]:.6g}"
            if X[i, j] < 0 <= getattr(support, "low", -np.inf):
                raise ValueError(f"Negative values in data passed to {who}: {value}. {support.remedy}")
            raise ValueError(f"{who} wants {support.phrase_of(j)}, but {value}. {support.remedy}")

    def _word_for(self, i, j):
        return self.columns_.entry(i, j) if hasattr(self, "columns_") else f"X[{i}, {j}]"

    def _has_draws(self):
        """Whether there is a distribution to draw from: none, where the mass is infinite."""
        return True

    def _log_drawable(self):
        """Log-probability of the rows that `sample` can write down: a label that nobody has seen it cannot."""
        return 0.0

    def _uses_condition(self):
        return bool(getattr(self, "conditional", False) or getattr(self, "semi_supervised", False))

    def _read_condition(self, y, n_samples, *, repeat=False):
        """The condition of each row, or None for a model that has none."""
        if not self._uses_condition():
            return None
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None: "
                "with conditional=True every row has its condition."
            )
        if repeat and np.ndim(y) == 0:
            y = np.full(n_samples, y)
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        if len(y) != n_samples:
            raise ValueError(f"y has {len(y)} conditions for {n_samples} rows: give one for each row.")
        return y

    def _block_length(self):
        """Rows per block of scoring, so that a few copies of a block fit scikit-learn's `working_memory`."""
        bytes_per_row = 8 * 8 * max(1, self.n_features_in_)
        return max(1, int(get_config()["working_memory"] * 2**20 / bytes_per_row))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = self._takes != "numeric"
        tags.input_tags.string = self._takes != "numeric"
        tags.input_tags.positive_only = repr(self.support) in ("positive", "nonnegative")
        tags.target_tags.required = self._uses_condition()
        return tags


class FitByBlocks:
    """`partial_fit`: a model writes `_take_in`, which learns from one more block or raises."""

    @abstractmethod
    def _take_in(self, X, y, sample_weight):
        """Learn from the block as the user gave it; what this changes is undone if it raises."""

    def _is_incremental(self):
        """Whether blocks determine the fit, with the parameters as they are."""
        return True

    @available_if(lambda self: self._is_incremental())
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Take in one more block of rows; the result is that of `fit` on all blocks together.

        As long as the likelihood of all rows so far is unbounded (a first block of one row), the model keeps what it
        has seen and counts as not fitted.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The block.
        y : Ignored
            Present by convention.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            As `fit` does, and if the block does not fit those before. A block that is refused leaves the model as it
            was.
        """
        before = dict(vars(self))
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                self._take_in(X, y, sample_weight)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
        return self


class AdditiveStatistics(FitByBlocks):
    """Fit by sums: `fit`, `partial_fit`, an EM step and a distributed fit from the same two methods.

    A model writes `_statistics`, a dict of sums over rows where those of two blocks add up to those of the whole, and
    `_m_step`, which turns sums into fitted attributes. Models whose sums would cancel (second moments at an offset of
    1e8) also write `_coordinates`: an origin, fixed before the pass, from which all blocks measure.

    Attributes
    ----------
    statistics_ : dict
        The sums over all rows seen.
    coordinates_ : ndarray or None
        The origin from which they are taken.
    """

    _summed_at_once = 2**16  # entries of X in one block: what is made of them stays in the cache

    def _coordinates(self, X, sample_weight):
        """The origin for the sums, or None where nothing can cancel."""
        return

    @abstractmethod
    def _statistics(self, X, sample_weight, coordinates):
        """Sums over the rows: a dict of floats and arrays."""

    @abstractmethod
    def _m_step(self, statistics, coordinates):
        """Set the fitted attributes from the sums, or raise a ValueError before any is set."""

    def _fit(self, X, y, sample_weight):
        self.coordinates_ = self._coordinates(X, sample_weight)
        self.statistics_ = self._sums(X, sample_weight, self.coordinates_)
        self._m_step(self.statistics_, self.coordinates_)

    def _take_in(self, X, y, sample_weight):
        is_first = not hasattr(self, "statistics_")
        if is_first and self.__sklearn_is_fitted__():
            raise ValueError(
                f"This {type(self).__name__} was not learned from sums that a block could be added to: call fit."
            )
        X, _, sample_weight = self._enter(X, y, sample_weight, reset=is_first)
        coordinates = self._coordinates(X, sample_weight) if is_first else self.coordinates_
        sums = self._sums(X, sample_weight, coordinates)
        self.statistics_ = sums if is_first else add_statistics(self.statistics_, sums)
        self.coordinates_ = coordinates
        try:
            self._m_step(self.statistics_, coordinates)
            self._fitted = True
        except UnboundedLikelihood:
            self._fitted = False

    def _sums(self, X, sample_weight, coordinates):
        """The statistics of all rows, block by block, so that memory stays at O(block)."""
        total = None
        entries = X.shape[1] if isinstance(X, np.ndarray) else max(len(x) * x.shape[1] for x in X)
        for block in gen_batches(len(X), max(1, self._summed_at_once // entries)):
            sums = self._statistics(X[block], sample_weight[block], coordinates)
            total = sums if total is None else add_statistics(total, sums)
        return total


def add_statistics(first, second):
    """The sums of two blocks together.

    Parameters
    ----------
    first, second : dict
        Sums by name. An array that has grown at its end (labels seen later) counts as zero before.

    Returns
    -------
    dict
    """
    return {name: _padded_sum(first[name], second[name]) for name in first}


def _padded_sum(a, b):
    if np.shape(a) == np.shape(b):
        return a + b
    if np.ndim(a) != np.ndim(b):
        raise ValueError("The sums of the blocks have other shapes: a parameter was changed between them. Call fit.")
    total = np.zeros(np.maximum(np.shape(a), np.shape(b)))
    for part in (a, b):
        total[tuple(map(slice, np.shape(part)))] += part
    return total


def check_weights(sample_weight, n_samples):
    """Weights as a float64 vector.

    Parameters
    ----------
    sample_weight : None, number or array-like of shape (n_samples,)
        None means ones.
    n_samples : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the weights are not one finite, non-negative number for each row, or all zero.
    """
    if sample_weight is None or isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, 1.0 if sample_weight is None else float(sample_weight))
    w = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if w.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {w.ndim}D array.")
    check_consistent_length(w, np.empty(n_samples))
    if (w < 0).any():
        i = int(np.argmax(w < 0))
        raise ValueError(f"Negative values in sample_weight: sample_weight[{i}] = {w[i]:.6g}. Weights are frequencies.")
    if not w.any():
        raise ValueError("All sample weights are zero: no row is left to learn from.")
    return w


def _pick(X, rows):
    """The given rows of an array or of a list of sequences."""
    if isinstance(X, list):
        return [X[i] for i in rows]
    return X if len(rows) == len(X) else X[rows]


def _as_table(X, estimator):
    """Array-likes that may hold labels, as a 2-D array that keeps strings and numbers apart."""
    array = check_array(X, dtype=None, ensure_all_finite=False, input_name="X", estimator=estimator)
    if array.dtype.kind in "US" and not hasattr(X, "dtype"):
        array = check_array(X, dtype=object, ensure_all_finite=False, input_name="X", estimator=estimator)
    return array
