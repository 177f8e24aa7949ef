r"""The bandwidth of a kernel density estimate by held-out likelihood, from one pass over the pairs of rows.

.. math:: \hat h = \arg\max_h \sum_k \sum_{i \in \text{fold } k} w_i \log p_{h, -k}(x_i)

where :math:`p_{h, -k}` is the estimate without fold k (Stone, "Cross-validatory choice and assessment of statistical
predictions", JRSS B 36, 1974; Duin, "On the choice of smoothing parameters for Parzen estimators", IEEE Transactions on
Computers 25, 1976).
"""

from functools import partial
from numbers import Integral

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from skgen.base import DensityEstimator, UnboundedLikelihood, check_weights
from skgen.conditionals import TractableConditionals
from skgen.nonparametric._kde import KernelDensity
from skgen.nonparametric._space import Feature, Mapped
from skgen.nonparametric._sums._direct import WIDE
from skgen.nonparametric._sums._held_out import Rows, log_sums_of_others, log_sums_without

FACTORS = np.geomspace(0.1, 3.0, 30)  # of the rule, where no bandwidths are given


class KernelDensityCV(TractableConditionals, DensityEstimator):
    r"""Kernel density estimate whose bandwidth has the highest held-out likelihood of a grid.

    .. math:: \hat h = \arg\max_h \frac{1}{K} \sum_{k=1}^K \frac{1}{W_k} \sum_{i \in \text{fold } k}
        w_i \log p_{h, -k}(x_i)

    It finds what ``GridSearchCV(KernelDensity(), {"bandwidth": bandwidths}, cv=cv)`` finds. Where the kernels do not
    change with the rows (no adaptive bandwidths, no reflection, no circles, no discrete features), each distance is
    computed once and serves all bandwidths and both rows; otherwise every fit is made.

    Parameters
    ----------
    bandwidths : array-like, default=None
        The grid: positive numbers, or arrays of one number for each continuous feature, in units of the data; also what
        else `KernelDensity` takes. Grids of multiples of one bandwidth are the fast ones. None means 30 multiples, from
        0.1 to 3 by equal ratios, of the bandwidths of the features by the rule "silverman"; a `best_index_` at an end
        of them, as clumps and ties can have it, asks for a grid that reaches further.
    estimator : KernelDensity, default=None
        What else is wanted (kernel, metric, bounds...); its `bandwidth` is replaced. `KernelDensity()` if None.
    cv : int, splitter of scikit-learn or iterable, default=None
        The number of consecutive folds, or what makes (or is) a list of pairs of training and test rows. None leaves
        out one observation at a time, as `KernelDensity.leave_one_out_score_samples` does. Splits are of the rows as
        they are given, those of weight 0 included.
    n_jobs : int, default=None
        Threads of the search; its result does not depend on them beyond rounding errors.

    Attributes
    ----------
    best_estimator_ : KernelDensity
        The estimate from all rows with the bandwidth that was found.
    bandwidth_ : float or ndarray
        Its bandwidth.
    best_params_ : dict
        The same as the parameter ``bandwidth``.
    best_index_ : int
        Its place in the grid; the first one among equals.
    best_score_ : float
        Its mean held-out log-density, in nats per row: over the rows of each test fold, weighted by `sample_weight`,
        and then over folds.
    bandwidths_ : list
        The grid.
    cv_results_ : dict of str to ndarray or list
        `params`, `param_bandwidth`, `split0_test_score`..., `mean_test_score`, `std_test_score`, `rank_test_score`, as
        GridSearchCV has them. Leaving out one observation at a time makes one split.
    n_splits_ : int
        Number of splits.

    Notes
    -----
    Weights are frequencies, in fits and in scores. Without `cv`, rows that agree are one row of their total frequency,
    so that repeated rows are what their weight is. A kernel that vanishes beyond its bandwidth gives -inf to a row out
    of reach; such bandwidths come last.

    Examples
    --------
    >>> from skgen.datasets import load_faithful
    >>> X = load_faithful().data[:, :1]  # minutes
    >>> model = KernelDensityCV([0.05, 0.1, 0.2, 0.4]).fit(X)
    >>> model.best_params_, round(model.best_score_, 3)
    ({'bandwidth': 0.1}, -0.996)
    """

    _parameter_constraints = {
        "bandwidths": [None, "array-like"],
        "estimator": [None, KernelDensity],
        "cv": ["cv_object"],
        "n_jobs": [None, Integral],
    }
    _smooths = True

    def __init__(self, bandwidths=None, *, estimator=None, cv=None, n_jobs=None):
        self.bandwidths = bandwidths
        self.estimator = estimator
        self.cv = cv
        self.n_jobs = n_jobs

    @property
    def support(self):
        """That of the estimate."""
        return self._estimate().support

    @property
    def likelihood(self):
        """That of the estimate."""
        return self._estimate().likelihood

    @property
    def _takes(self):
        return self._estimate()._takes

    @property
    def _equivariance(self):
        given = self._given()
        is_free = self.bandwidths is None and given.pilot is None and given.bounds is None and given.periodic is None
        return ("shift", "scale") if is_free else ()

    @property
    def _unique_optimum(self):  # folds know the order of rows; importances are no repeated rows
        return self.cv is None and self._given().weights == "frequency"

    def _given(self):
        return KernelDensity() if self.estimator is None else self.estimator

    def _estimate(self):
        """The estimate; before the fit, what was given."""
        return getattr(self, "best_estimator_", None) or self._given()

    def _fit(self, X, y, sample_weight):
        counted, n_given = vars(self).pop("_counted_", (np.arange(len(X)), len(X)))
        if len(X) == 1 and (sample_weight[0] <= 1 or self._given().weights == "importance"):
            raise UnboundedLikelihood(
                "KernelDensityCV leaves rows out, but n_samples = 1 and nothing is left without it: give more rows."
            )
        fit = partial(_fitted, self._given(), self.columns_)
        self.bandwidths_ = _checked(self.bandwidths, fit, X, sample_weight)
        if self.cv is None:
            scores = _leave_one_out(fit, self.bandwidths_, *_merged(X, sample_weight, self._given()), self.n_jobs)
        else:
            splits = _splits(self.cv, X, counted, n_given)
            scores = _cross_validated(fit, self.bandwidths_, X, sample_weight, splits, self.n_jobs)
        self._choose(scores)
        self.best_estimator_ = fit(self.best_params_["bandwidth"], X, sample_weight)
        if hasattr(self, "feature_names_in_"):
            self.best_estimator_.feature_names_in_ = self.feature_names_in_
        self.bandwidth_ = self.best_estimator_.bandwidth_

    def _enter(self, X, y, sample_weight, *, reset):
        """The door of fit, which remembers the rows of positive weight: splits count all that were given."""
        clean = super()._enter(X, y, sample_weight, reset=reset)
        self._counted_ = np.flatnonzero(check_weights(sample_weight, _num_samples(X))), _num_samples(X)
        return clean

    def _choose(self, scores):
        """Keep the scores, of shape (n_grid, n_splits), and what is best in them."""
        means = scores.mean(axis=1)
        if (means == -np.inf).all():
            raise UnboundedLikelihood(
                "KernelDensityCV has a row out of reach of all others at each of its bandwidths: add wider ones, or "
                "use a kernel that is nowhere zero, such as 'gaussian'."
            )
        self.n_splits_ = scores.shape[1]
        self.best_index_ = int(np.argmax(means))
        self.best_score_ = float(means[self.best_index_])
        params = [{"bandwidth": bandwidth} for bandwidth in self.bandwidths_]
        self.best_params_ = params[self.best_index_]
        with np.errstate(invalid="ignore"):
            deviations = scores.std(axis=1)
        self.cv_results_ = {
            "param_bandwidth": _column(self.bandwidths_),
            "params": params,
            **{f"split{k}_test_score": score for k, score in enumerate(scores.T)},
            "mean_test_score": means,
            "std_test_score": deviations,
            "rank_test_score": rankdata(-means, method="min").astype(np.int32),
        }

    def _log_prob(self, X, y):
        return self.best_estimator_._log_prob(X, y)

    def _sample(self, n_samples, y, rng):
        return self.best_estimator_._sample(n_samples, y, rng)

    def _conditional_log_cdf(self, X):
        return self.best_estimator_._conditional_log_cdf(X)

    def _conditional_ppf(self, log_u, log_v):
        return self.best_estimator_._conditional_ppf(log_u, log_v)

    def _complete(self, X, rng):
        return self.best_estimator_._complete(X, rng)


def _fitted(given, columns, bandwidth, X, weights, **others):
    """The given estimator with a bandwidth, fitted to coded rows."""
    return clone(given).set_params(bandwidth=bandwidth, **others)._fit_coded(X, columns, weights)


def _checked(bandwidths, fit, X, weights):
    """The grid as a list of numbers and arrays; multiples of the rule if there is none."""
    if bandwidths is None:
        rule = fit("silverman", X, weights, bandwidth_structure="diag", adaptive=None).bandwidth_
        return list(np.multiply.outer(FACTORS, rule))
    bandwidths = list(bandwidths)
    if not bandwidths:
        raise ValueError("KernelDensityCV got no bandwidths to choose from: give positive numbers, or None for a grid.")
    for k, h in enumerate(bandwidths):
        if not isinstance(h, str):
            h = np.asarray(h, dtype=np.float64)
            if not np.isfinite(h).all() or (h.ndim < 2 and (h <= 0).any()):
                raise ValueError(
                    f"KernelDensityCV wants positive finite bandwidths, but bandwidths[{k}] is {bandwidths[k]!r}: give "
                    "them in units of the data."
                )
    return bandwidths


def _multiples(bandwidths):
    """The unit of which all bandwidths are multiples, and these, or None if there is no such unit."""
    shapes = {np.shape(h) for h in bandwidths}
    if len(shapes) > 1 or any(isinstance(h, str) for h in bandwidths):
        return None
    grid = np.array(bandwidths, dtype=np.float64)
    if grid.ndim == 1:
        return 1.0, grid
    first = grid[0]
    ratios = grid.reshape(len(grid), -1)[:, first.ravel() != 0] / first[first != 0]
    if not np.allclose(ratios, ratios[:, :1], rtol=1e-15, atol=0) or (grid[:, first == 0] != 0).any():
        return None
    return first, ratios[:, 0] if grid.ndim == 2 else np.sqrt(ratios[:, 0])


def _column(values):
    """As GridSearchCV writes parameters down: a masked array in which nothing is masked."""
    column = np.ma.MaskedArray(np.empty(len(values), dtype=object), mask=False)
    for k, value in enumerate(values):
        column[k] = value
    return column.astype(np.float64) if all(np.ndim(v) == 0 and not isinstance(v, str) for v in values) else column


def _merged(X, weights, given):
    """Rows that agree as one of their total frequency, if some count as less than one observation."""
    if given.weights != "frequency" or (weights >= 1).all():
        return X, weights
    rows, place = np.unique(X, axis=0, return_inverse=True)
    return rows, np.bincount(place.ravel(), weights=weights)


def _splits(cv, X, counted, n_given):
    """Pairs of training and test rows among those of X, from splits of all rows that fit was given."""
    given = np.full((n_given, X.shape[1]), np.nan)
    given[counted] = X
    place = np.full(n_given, -1)
    place[counted] = np.arange(len(X))
    splits = [[part[part >= 0] for part in (place[train], place[test])] for train, test in check_cv(cv).split(given)]
    for k, (train, test) in enumerate(splits):
        if not (len(train) and len(test)):
            raise ValueError(
                f"KernelDensityCV wants rows of positive weight on both sides of every split, but split {k} has "
                f"{len(train)} to learn from and {len(test)} to score: choose another cv."
            )
    return splits


class _Plain:
    """Estimates whose kernels are alike everywhere, at multiples of one bandwidth."""

    @classmethod
    def of(cls, fit, bandwidths, X, weights):
        """None if there is more to the estimates."""
        unit = _multiples(bandwidths)
        if unit is None:
            return None
        model = fit(bandwidths[0], X, weights)
        mixture = model._mixture_
        is_plain = (
            model.n_centers is None
            and model.device is None
            and model.scales_ is None
            and not mixture.discrete
            and not mixture.on_sphere
            and all(type(feature) in (Feature, Mapped) for feature in mixture.space.features)
        )
        if not is_plain:
            return None
        plain = cls(mixture, unit[1], X, weights)
        return plain if plain.is_exact else None

    def __init__(self, mixture, multiples, X, weights):
        Z, self.log_slope = mixture.coordinates(X)
        is_as_given = mixture.root is None and (mixture.marginal == multiples[0]).all()
        U = Z if is_as_given else mixture.frame.standard(Z) * multiples[0]
        self.is_exact = is_as_given or np.ptp(U, axis=0).max() <= 10 * WIDE * multiples.min()
        self.rows = Rows(U, weights / weights.sum(), mixture.kernel, mixture.metric, mixture.is_product)
        self.multiples = multiples
        self.log_constants = mixture.log_constant + U.shape[1] * np.log(multiples / multiples[0])

    def log_density(self, log_sums):
        """Log-densities of all rows, shape (n_grid, n_rows), from sums of kernels times weights of sum 1."""
        return log_sums - self.log_constants[:, None] + self.log_slope


def _leave_one_out(fit, bandwidths, X, weights, n_jobs):
    """The mean log-density of rows that leave themselves out, shape (n_grid, 1)."""
    plain = _Plain.of(fit, bandwidths, X, weights)
    if plain is None:

        def score(bandwidth):
            log_density = fit(bandwidth, X, weights).leave_one_out_score_samples()
            return np.average(log_density, weights=weights)

        found = Parallel(n_jobs, prefer="threads", require="sharedmem")(delayed(score)(h) for h in bandwidths)
        return np.array(found)[:, None]
    left = np.minimum(weights, 1.0) if fit.args[0].weights == "frequency" else weights
    shares = left / weights.sum()
    log_sums = log_sums_without(plain.rows, plain.multiples, np.minimum(shares, plain.rows.weights), n_jobs)
    log_density = plain.log_density(log_sums) - np.log1p(-shares)
    return np.average(log_density, axis=1, weights=weights)[:, None]


def _cross_validated(fit, bandwidths, X, weights, splits, n_jobs):
    """The mean log-density of the test rows of each split, shape (n_grid, n_splits)."""
    rounds = _rounds(splits, len(X))
    plain = None if rounds is None else _Plain.of(fit, bandwidths, X, weights)
    if plain is None:

        def score(bandwidth, train, test):
            log_density = fit(bandwidth, X[train], weights[train])._log_prob(X[test], None)
            return np.average(log_density, weights=weights[test])

        tasks = [delayed(score)(h, *split) for h in bandwidths for split in splits]
        return np.reshape(Parallel(n_jobs, prefer="threads", require="sharedmem")(tasks), (len(bandwidths), -1))
    scores = np.empty((len(bandwidths), len(splits)))
    for folds, numbers in rounds:
        log_density = plain.log_density(log_sums_of_others(plain.rows, plain.multiples, folds, n_jobs))
        for k in numbers:
            train, test = splits[k]
            kept = np.log(plain.rows.weights[train].sum())
            scores[:, k] = np.average(log_density[:, test] - kept, axis=1, weights=weights[test])
    return scores


def _rounds(splits, n_rows):
    """Pairs (fold of each row or -1, numbers of splits): splits that go together since no row is tested twice.

    None if a row stands in a split twice, or in none of its parts.
    """
    rounds = []
    for k, (train, test) in enumerate(splits):
        if (np.bincount(np.concatenate([train, test]), minlength=n_rows) != 1).any():
            return None
        free = [entry for entry in rounds if (entry[0][test] == -1).all()]
        if not free:
            free = [(np.full(n_rows, -1), [])]
            rounds += free
        folds, numbers = free[0]
        folds[test] = k
        numbers.append(k)
    return rounds
