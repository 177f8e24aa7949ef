r"""Independent columns of any univariate densities: the baseline that every table has.

.. math:: p(x) = \prod_{j=1}^d p_j(x_j)
"""

from contextlib import suppress
from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.conditionals import IndependentColumns
from skgen.foreign import as_density
from skgen.parametric._bounded import Beta
from skgen.parametric._counts import Geometric, NegativeBinomial, Poisson
from skgen.parametric._discrete import Bernoulli, Categorical, PointMass
from skgen.parametric._lifetimes import Weibull
from skgen.parametric._line import Laplace, Logistic, Normal
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._positive import Exponential, Gamma, LogNormal
from skgen.random import as_generator, seed_unset

AUTO = {  # candidates by kind of column; the Bayesian information criterion chooses
    "real": (Normal, Laplace, Logistic, Exponential, Gamma, LogNormal, Weibull, Beta),
    "integer": (Bernoulli, Poisson, Geometric, NegativeBinomial),
}


def of_parts(method):
    """A method that is there where every column's density has it."""
    return available_if(lambda self: all(hasattr(part, method) for part in self._parts()))


class Independent(IndependentColumns, ParametricDensity):
    r"""Independent features, each with a univariate density of its own.

    .. math:: p(x) = \prod_j p_j(x_j)

    Parameters
    ----------
    estimators : "auto", density estimator or list of density estimators, default="auto"
        One for all columns (each gets a clone), or one for each. "auto" chooses by dtype and support: `Categorical`
        for strings, booleans and categories; `PointMass` for a column that is constant; and by the lowest Bayesian
        information criterion `Bernoulli`, `Poisson`, `Geometric` or `NegativeBinomial` for whole numbers (`Normal`
        where some are negative), and `Normal`, `Laplace`, `Logistic`, `Exponential`, `Gamma`, `LogNormal`, `Weibull`
        or `Beta` for real ones. Estimators of scikit-learn such as `KernelDensity()`
        serve too.

    random_state : None, int, RandomState or Generator, default=None
        For estimators that draw during fit and have no `random_state` of their own.

    Attributes
    ----------
    estimators_ : list of DensityEstimator
        The fitted density of each column.

    Notes
    -----
    "auto" reads the training rows: whole numbers are counted, whatever their range (a `Poisson` that hardly fits is
    still one), and a column that is constant in one fold is a point mass there. A quantity that is measured, and only
    written down in whole units, belongs in a floating-point column; `skgen.compare` fixes this for all folds at once.

    Examples
    --------
    >>> from skgen import Independent
    >>> X = [["red", -1.5], ["blue", 2.5], ["red", 0.5], ["red", 0.0]]
    >>> model = Independent().fit(X)
    >>> [type(part).__name__ for part in model.estimators_]
    ['Categorical', 'Normal']
    >>> model.sample(2, random_state=0).shape
    (2, 2)
    """

    _parameter_constraints = {
        "estimators": [StrOptions({"auto"}), HasMethods("fit"), list, tuple],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(self, estimators="auto", *, random_state=None):
        self.estimators = estimators
        self.random_state = random_state

    @property
    def support(self):
        """The product of the supports of the columns; before the fit, that of the one estimator for all."""
        if hasattr(self, "estimators_"):
            return supports.Product([part.support for part in self.estimators_])
        return getattr(self.estimators, "support", supports.real)

    @property
    def likelihood(self):
        """The weakest of its parts."""
        order = ["exact", "bound", "estimate", "improper"]
        return max((part.likelihood for part in self._parts()), key=order.index, default="exact")

    def _has_draws(self):
        return all(part._has_draws() for part in self._parts())

    @property
    def _takes(self):
        return getattr(self, "takes_", None) or self._asked_takes()

    def _asked_takes(self):
        if isinstance(self.estimators, str):
            return "mixed"
        policies = [as_density(part)._takes for part in self._given()]
        return policies if isinstance(self.estimators, list | tuple) else policies[0]

    @property
    def _unique_optimum(self):
        return isinstance(self.estimators, str) or all(as_density(part)._unique_optimum for part in self._given())

    def _parts(self):
        """The densities of the columns; before the fit, those given."""
        return getattr(self, "estimators_", None) or [as_density(part) for part in self._given()]

    def _given(self):
        if isinstance(self.estimators, str):
            return []
        return self.estimators if isinstance(self.estimators, list | tuple) else [self.estimators]

    def _fit(self, X, y, sample_weight):
        self.takes_ = self._takes
        rng = as_generator(self.random_state)
        fit_column = self._fit_best if isinstance(self.estimators, str) else partial(self._fit_given, rng)
        self.estimators_ = [fit_column(j, X[:, [j]], self.columns_.take([j]), sample_weight) for j in range(X.shape[1])]

    def _fit_given(self, rng, j, x, column, sample_weight):
        given = self.estimators[j] if isinstance(self.estimators, list | tuple) else self.estimators
        return seed_unset(as_density(clone(given)), rng)._fit_coded(x, column, sample_weight)

    def _fit_best(self, j, x, column, sample_weight):
        """The candidate of the lowest Bayesian information criterion, or a point mass."""
        kind = column.kinds[0]
        if kind == "category":
            return Categorical()._fit_coded(x, column, sample_weight)
        if (x == x[0]).all():
            return PointMass()._fit_coded(x, column, sample_weight)
        fitting = [family() for family in AUTO[kind] if family().support.contains(x).all()] or [Normal()]
        fitted = []
        for family in fitting:
            with suppress(UnboundedLikelihood):  # the others may still have a maximum
                fitted.append(family._fit_coded(x, column, sample_weight))
        if not fitted:
            return PointMass()._fit_coded(x, column, sample_weight)  # which says how the values differ
        penalty = np.log(sample_weight.sum())
        return min(fitted, key=lambda p: p._n_parameters() * penalty - 2 * sample_weight @ p._log_prob(x, None))

    @of_parts("_standard_errors")
    def _standard_errors(self, X, sample_weight):
        return [_one(part._standard_errors(X[:, [j]], sample_weight)) for j, part in enumerate(self.estimators_)]

    def _estimates(self):
        return [_one(part._estimates()) for part in self.estimators_]

    def _domains(self):
        return [_one(part._domains()) for part in self.estimators_]

    def _regular(self, table):
        return [_one(part._regular(column)) for part, column in zip(self.estimators_, table, strict=True)]

    def _as_fitted(self):
        return Independent([part._as_fitted() for part in self.estimators_], random_state=self.random_state)

    def _n_parameters(self):
        strangers = [type(part).__name__ for part in self.estimators_ if not isinstance(part, ParametricDensity)]
        if strangers:
            raise ValueError(f"{strangers[0]} has no number of parameters: compare by held-out likelihood instead.")
        return sum(part._n_parameters() for part in self.estimators_)

    def _log_prob(self, X, y):
        return sum(part._log_prob(X[:, [j]], None) for j, part in enumerate(self.estimators_))

    def _log_drawable(self):
        return sum(part._log_drawable() for part in self.estimators_)

    def _sample(self, n_samples, y, rng):
        return np.column_stack([part._sample(n_samples, None, rng) for part in self.estimators_])

    def _conditional_log_cdf(self, X):
        tails = [self._known(part, "_conditional_log_cdf")(X[:, [j]]) for j, part in enumerate(self.estimators_)]
        return tuple(map(np.hstack, zip(*tails, strict=True)))

    def _conditional_ppf(self, log_u, log_v):
        columns = zip(self.estimators_, log_u.T, log_v.T, strict=True)
        return np.hstack([self._known(part, "_conditional_ppf")(u[:, None], v[:, None]) for part, u, v in columns])

    @staticmethod
    def _known(part, method):
        if not hasattr(part, method):
            raise ValueError(f"{type(part).__name__} has no distribution function: give its column another estimator.")
        return getattr(part, method)

    @of_parts("_mean")
    def _mean(self):
        return np.concatenate([part._mean() for part in self.estimators_])

    @of_parts("_var")
    def _var(self):
        return np.concatenate([part._var() for part in self.estimators_])

    @of_parts("_mode")
    def _mode(self):
        return np.concatenate([part._mode() for part in self.estimators_])

    @of_parts("_entropy")
    def _entropy(self):
        return sum(part._entropy() for part in self.estimators_)


def _one(table):
    """The table of a part's one column."""
    return table[0] if isinstance(table, list) else table
