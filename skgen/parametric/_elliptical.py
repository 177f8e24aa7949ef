r"""What elliptical families share: whitening, marginals, conditionals, and filling gaps.

.. math:: p(x) = |\Sigma|^{-1/2}\, g\left((x - \mu)^\top \Sigma^{-1} (x - \mu)\right)

They whiten with a factor :math:`\Sigma = L L^\top`; marginals and conditionals are of the same family (Anderson, "An
Introduction to Multivariate Statistical Analysis", 2003, section 2.5; Ding, "On the conditional distribution of the
multivariate t distribution", 2016).
"""

from abc import abstractmethod
from numbers import Integral

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skgen.conditionals import TractableConditionals
from skgen.parametric._covariance import COVARIANCES
from skgen.parametric._parametric import ParametricDensity

FULL = COVARIANCES["full"]


class Elliptical(TractableConditionals, ParametricDensity):
    """A density that depends on x through its Mahalanobis distance; `_factor` and `_center` are set by `_fit`."""

    _structure = FULL

    @abstractmethod
    def _dense(self):
        """The center and the matrix Sigma, dense."""

    @abstractmethod
    def _like_me(self, features, center, matrix, n_given, distance):
        """The model of the columns `features`, given `n_given` others at a squared Mahalanobis distance."""

    def _white(self, X):
        """Rows with identity Sigma; what overflows is infinitely far."""
        Z = self._structure.whiten(X - self._center, self._factor)
        return np.where(np.isnan(Z), np.inf, Z)

    def _distances(self, X):
        """Squared Mahalanobis distances."""
        return np.einsum("ij,ij->i", Z := self._white(X), Z)

    def _colored(self, Z):
        return self._center + self._structure.color(Z, self._factor)

    def _log_det(self):
        return self._structure.log_det(self._factor, self.n_features_in_)

    def _mode(self):
        return self._center

    def marginal(self, features):
        """The model of some of the columns.

        Parameters
        ----------
        features : list of int or of str
            Their numbers or names, in the order wanted.

        Returns
        -------
        model : object
            A fitted model of the same family.
        """
        check_is_fitted(self)
        features = self._numbers([features] if isinstance(features, str | Integral) else features)
        if not features:
            raise ValueError("marginal wants at least one column.")
        center, matrix = self._dense()
        return self._like_me(features, center[features], matrix[np.ix_(features, features)], 0, 0.0)

    def condition_on(self, values):
        """The model of the other columns, given the values of some.

        Parameters
        ----------
        values : dict
            The given value by column number or name.

        Returns
        -------
        model : object
            A fitted model of the same family, of the columns that `values` does not name.

        Raises
        ------
        ValueError
            If `values` names no column, or all of them, or a value is no finite number.
        """
        check_is_fitted(self)
        given = self._numbers(list(values))
        at = np.asarray(list(values.values()), dtype=np.float64)
        rest = [j for j in range(self.n_features_in_) if j not in given]
        if not rest or not given or not np.isfinite(at).all():
            raise ValueError(f"condition_on wants finite values for some columns and not for all, got {values!r}.")
        slope, conditional, precision = self._regression(rest, given)
        away = at - self._dense()[0][given]
        center = self._dense()[0][rest] + slope @ away
        return self._like_me(rest, center, conditional, len(given), float(away @ cho_solve(precision, away)))

    def _regression(self, rest, given):
        """Slopes, conditional matrix, and the Cholesky factor of the given block."""
        _, matrix = self._dense()
        precision = cho_factor(matrix[np.ix_(given, given)], lower=True)
        slope = cho_solve(precision, matrix[np.ix_(given, rest)]).T
        return slope, matrix[np.ix_(rest, rest)] - slope @ matrix[np.ix_(given, rest)], precision

    def _complete(self, X, rng):
        patterns, of_row = np.unique(np.isnan(X), axis=0, return_inverse=True)
        order = np.argsort(of_row.ravel(), kind="stable")
        groups = np.split(order, np.cumsum(np.bincount(of_row.ravel()))[:-1])
        for pattern, rows in zip(patterns, groups, strict=True):
            if not pattern.any():
                continue
            rest, given = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            X[np.ix_(rows, rest)] = self._sample_given(X[rows], list(rest), list(given), rng)
        return X

    def _sample_given(self, X, rest, given, rng):
        """Draws of the columns `rest` for each row, given the columns `given` of it."""
        if not given:
            return self._sample(len(X), None, rng)
        slope, conditional, precision = self._regression(rest, given)
        away = X[:, given] - self._dense()[0][given]
        distances = np.einsum("ij,ji->i", away, cho_solve(precision, away.T))
        factor = FULL.factor(conditional, np.zeros(len(rest)), self)
        noise = FULL.color(self._noise(len(X), len(rest), len(given), distances, rng), factor)
        return self._dense()[0][rest] + away @ slope.T + noise

    @abstractmethod
    def _noise(self, n_samples, n_features, n_given, distances, rng):
        """White draws of the family, given columns at squared distances."""

    def _sample(self, n_samples, y, rng):
        return self._colored(self._noise(n_samples, self.n_features_in_, 0, np.zeros(n_samples), rng))

    def _numbers(self, features):
        """Column numbers from numbers or names."""
        names = self.columns_.names or []
        numbers = [names.index(f) if f in names else f for f in features]
        for given, j in zip(features, numbers, strict=True):
            if not isinstance(j, Integral) or not 0 <= j < self.n_features_in_:
                raise ValueError(f"There is no column {given!r}: give one of {names or self.n_features_in_}.")
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"A column is named twice in {list(features)!r}.")
        return [int(j) for j in numbers]

    def _part(self, features):
        """An unset copy that knows only the columns `features`."""
        part = clone(self)
        part._fitted = True
        part.columns_, part.n_features_in_ = self.columns_.take(features), len(features)
        if hasattr(self, "feature_names_in_"):
            part.feature_names_in_ = self.feature_names_in_[features]
        return part
