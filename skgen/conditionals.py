"""Tractable conditionals: the distribution of each column given the ones before it, in closed form."""

from abc import abstractmethod

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skgen.random import as_generator


class TractableConditionals:
    r"""A density whose conditionals :math:`p(x_j \mid x_1, \ldots, x_{j-1})` have a distribution function.

    A model writes three methods, in logarithms and in both tails, since :math:`1 - F` loses the upper one.
    """

    @abstractmethod
    def _conditional_log_cdf(self, X):
        """The pair (log F, log(1 - F)), each of shape (n_samples, n_features)."""

    @abstractmethod
    def _conditional_ppf(self, log_u, log_v):
        """The rows whose conditional distribution functions are u; v = 1 - u serves the upper tail."""

    @abstractmethod
    def _complete(self, X, rng):
        """X with its NaN drawn from their distribution given the rest of the row."""

    def conditional_cdf(self, X):
        r"""Distribution function of each column given the columns before it.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        U : ndarray of shape (n_samples, n_features)
            :math:`F_j(x_j \mid x_1, \ldots, x_{j-1})`; independent and uniform where X has the model's distribution
            (Rosenblatt, 1952, "Remarks on a multivariate transformation").
        """
        check_is_fitted(self)
        with np.errstate(over="ignore"):  # a row that is too far for float64 is at 0 or 1
            return np.exp(self._conditional_log_cdf(self._read(X, reset=False))[0])

    def conditional_ppf(self, U):
        """Rows from uniforms: the inverse of `conditional_cdf`.

        Parameters
        ----------
        U : array-like of shape (n_samples, n_features)
            Numbers from 0 to 1. The ends, whose quantiles may be infinite, stand for 1e-300 and 1 - 2^-53.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_features)
            The rows, like those that `fit` was given.

        Raises
        ------
        ValueError
            If an entry is no probability, or the number of columns is wrong.
        """
        check_is_fitted(self)
        U = check_array(U, dtype=np.float64, input_name="U", estimator=self)
        if U.shape[1] != self.n_features_in_ or (U < 0).any() or (U > 1).any():
            raise ValueError(f"U holds {self.n_features_in_} probabilities a row, each from 0 to 1; got {U.shape}.")
        U = np.clip(U, 1e-300, 1 - 2**-53)
        log_u, log_v = np.log(U), np.log1p(-U)
        return self._write(self._conditional_ppf(log_u, log_v))

    def sample_conditional(self, X, random_state=None):
        """Fill the gaps of X with draws given what is there.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows; NaN marks what to draw.
        random_state : None, int, RandomState or Generator
            Source of randomness.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_features)
            The rows without gaps; what was there is unchanged.
        """
        check_is_fitted(self)
        X = self._read(X, reset=False, allow_nan=True)
        return self._write(self._complete(X.copy(), as_generator(random_state)))


class IndependentColumns(TractableConditionals):
    """Columns that know nothing of each other: a conditional is a marginal."""

    def _of_values(self):
        """The model whose rows are values: this one, unless its rows are intervals."""
        return self

    def _complete(self, X, rng):
        return np.where(np.isnan(X), self._sample(len(X), None, rng), X)

    def cdf(self, X):
        """Distribution function of each column.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_columns)
            Values, also where the model was fitted to intervals.

        Returns
        -------
        U : ndarray of shape (n_samples, n_columns)
            P(x <= X).

        Raises
        ------
        ValueError
            If X is no table of that many numbers, or a column's density has no distribution function.

        Examples
        --------
        >>> from skgen import Uniform
        >>> Uniform().fit([[0.0], [4.0]]).cdf([[1.0]])
        array([[0.25]])
        """
        return self._of_values().conditional_cdf(X)

    def ppf(self, U):
        """Quantiles of each column: the inverse of `cdf`.

        Parameters
        ----------
        U : array-like of shape (n_samples, n_columns)
            Probabilities. The ends, whose quantiles may be infinite, stand for 1e-300 and 1 - 2^-53.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_columns)
            Values, in a table like the fitted one.

        Raises
        ------
        ValueError
            If an entry is no probability, the number of columns is wrong, or a column's density has no distribution
            function.

        Examples
        --------
        >>> from skgen import Uniform
        >>> Uniform().fit([[0.0], [4.0]]).ppf([[0.25]])
        array([[1.]])
        """
        return self._of_values().conditional_ppf(U)


class DependentColumns(TractableConditionals):
    """Columns that depend on each other: one alone has a distribution function, several have those given others."""

    def cdf(self, X):
        """Distribution function, of one feature.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, 1)
            The values.

        Returns
        -------
        U : ndarray of shape (n_samples, 1)
            P(x <= X).

        Raises
        ------
        ValueError
            If there are more features: `conditional_cdf` is the one that determines their distribution.

        Examples
        --------
        >>> from skgen import HistogramDensity
        >>> HistogramDensity(bins=[0, 1, 3], alpha=0, outside="-inf").fit([[0.5], [2.0]]).cdf([[2.0]])
        array([[0.75]])
        """
        self._check_one_feature("cdf")
        return self.conditional_cdf(X)

    def ppf(self, U):
        """Quantiles, of one feature: the inverse of `cdf`.

        Parameters
        ----------
        U : array-like of shape (n_samples, 1)
            Probabilities.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, 1)
            Values, in a table like the fitted one.

        Raises
        ------
        ValueError
            If there are more features: `conditional_ppf` is what leads to rows.

        Examples
        --------
        >>> from skgen import HistogramDensity
        >>> HistogramDensity(bins=[0, 1, 3], alpha=0, outside="-inf").fit([[0.5], [2.0]]).ppf([[0.75]])
        array([[2.]])
        """
        self._check_one_feature("ppf")
        return self.conditional_ppf(U)

    def _check_one_feature(self, method):
        check_is_fitted(self)
        if self.n_features_in_ > 1:
            raise ValueError(
                f"{method} is for one feature, but there are {self.n_features_in_}: use conditional_{method}, column "
                "by column given those before it."
            )
