r"""What every parametric family can say of itself: information criteria, moments, standard errors, intervals.

.. math:: \mathrm{AIC} = 2 k - 2 \ell(\hat\theta), \qquad \mathrm{BIC} = k \log n - 2 \ell(\hat\theta)

with the log-likelihood :math:`\ell` of n rows (the sum of the weights) and k parameters (Akaike, 1974; Schwarz, 1978).
"""

from numbers import Integral, Real

import numpy as np
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgen.base import DensityEstimator, check_weights
from skgen.parametric._precision import (
    METHODS,
    by_parameter,
    errors_by_information,
    errors_by_refits,
    intervals_by_errors,
    intervals_by_refits,
    refits,
    rows_that_count,
)


class Link:
    """The map of a parameter's domain onto the whole line, on which fits climb and intervals are symmetric.

    Parameters
    ----------
    to_line, from_line : callable
        The map and its inverse.
    slope : callable
        The derivative of the inverse, as a function of the parameter.
    """

    def __init__(self, to_line, from_line, slope):
        self.to_line, self.from_line, self.slope = to_line, from_line, slope


LINKS = {
    "real": Link(np.asarray, np.asarray, np.ones_like),
    "location": Link(np.asarray, np.asarray, np.ones_like),  # in the units of the feature
    "positive": Link(np.log, np.exp, np.asarray),
    "skewness": Link(np.arcsinh, np.sinh, lambda s: np.hypot(1, s)),  # of either sign, and at times very large
    "unit": Link(logit, expit, lambda p: p * (1 - p)),
}


def knows(method):
    """Whether the model has the private method behind a public one."""
    return available_if(lambda self: hasattr(self, method))


class ParametricDensity(DensityEstimator):
    """A density with a fixed number of parameters.

    A model names its parameters and their domains in `_parameters`, and writes `_standard_errors`, and those of
    `_mean`, `_var`, `_entropy` and `_mode` that exist.
    """

    _parameters: dict = {}  # fitted attribute -> its domain, a key of LINKS
    _irregular = ()  # parameters whose estimate has no normal limit, and so no standard error

    def _estimates(self):
        """The fitted value of each parameter."""
        return {name: getattr(self, name) for name in self._parameters}

    def _domains(self):
        """The domain of each parameter, a key of LINKS."""
        return self._parameters

    def _regular(self, table):
        """A table by parameter, with NaN for those that have no normal limit."""
        return table | {name: np.full_like(table[name], np.nan) for name in self._irregular}

    def _refit(self, X, sample_weight):
        """A model like this one, fitted to other rows."""
        return self._as_fitted().fit(X, sample_weight=sample_weight)

    def _as_fitted(self):
        """An unfitted model with the options of the fit, whatever has become of the parameters since."""
        return clone(self)

    def _n_parameters(self):
        """The number of free parameters, all columns together."""
        return sum(np.size(getattr(self, name)) for name in self._parameters)

    def aic(self, X, sample_weight=None):
        """Akaike information criterion; lower is better.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows that the model was fitted to.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies.

        Returns
        -------
        aic : float
            In nats, times two.
        """
        return 2 * self._n_parameters() - 2 * self._log_likelihood(X, sample_weight)[0]

    def bic(self, X, sample_weight=None):
        """Bayesian information criterion; lower is better.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows that the model was fitted to.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies; their sum is the number of rows.

        Returns
        -------
        bic : float
            In nats, times two.
        """
        log_likelihood, n = self._log_likelihood(X, sample_weight)
        return self._n_parameters() * np.log(n) - 2 * log_likelihood

    def _log_likelihood(self, X, sample_weight):
        scores = self.score_samples(X)
        weights = check_weights(sample_weight, len(scores))
        counts = weights > 0
        return float(weights[counts] @ scores[counts]), float(weights.sum())

    @knows("_mean")
    def mean(self):
        """Expected row.

        Returns
        -------
        mean : ndarray of shape (n_features,)
            In the units of the features; NaN or infinite where the integral is.
        """
        check_is_fitted(self)
        return np.asarray(self._mean(), dtype=np.float64)

    @knows("_var")
    def var(self):
        """Variance of each column.

        Returns
        -------
        var : ndarray of shape (n_features,)
            In squared units; NaN or infinite where the integral is.
        """
        check_is_fitted(self)
        return np.asarray(self._var(), dtype=np.float64)

    @knows("_mode")
    def mode(self):
        """Row of highest density.

        Returns
        -------
        mode : ndarray of shape (n_features,)
            Of two neighbouring counts that are alike the larger; NaN where several rows are.
        """
        check_is_fitted(self)
        return np.asarray(self._mode())

    @knows("_entropy")
    def entropy(self):
        """Entropy, differential where the columns are continuous.

        Returns
        -------
        entropy : float
            In nats: minus the expected log-density of a draw.
        """
        check_is_fitted(self)
        return float(self._entropy())

    @knows("_standard_errors")
    def standard_errors(self, X, sample_weight=None, *, method="information", n_resamples=200, random_state=None):
        """Standard errors of the parameters.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows that the model was fitted to.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies.
        method : {"information", "bootstrap"}, default="information"
            By the observed information (`Laplace`, whose density has a kink: the expected one, or the squared scores
            of intervals), or by refits to resampled rows.
        n_resamples : int, default=200
            Refits of the bootstrap.
        random_state : None, int, RandomState or Generator
            For the bootstrap.

        Returns
        -------
        errors : dict of ndarray
            By fitted attribute and in its shape; of `ScipyDensity` and `Independent` a list of dict, one for each
            column. 0 for parameters that are given; NaN where an estimate has no standard error: an end of the
            support, a parameter at the end of its range, a whole number.

        Raises
        ------
        ValueError
            If the method is unknown, or a row lies outside the support.
        UnboundedLikelihood
            If more resamples than are wanted have no maximum of the likelihood.

        Examples
        --------
        >>> from skgen import Poisson
        >>> Poisson().fit([[2], [4], [6]]).standard_errors([[2], [4], [6]])["rate_"].round(3)
        array([1.155])
        """
        self._check_method(method, n_resamples)
        rows = rows_that_count(self, X, sample_weight)
        if method == "bootstrap":
            return errors_by_refits(refits(self, *rows, n_resamples, random_state))
        return errors_by_information(self, *rows)

    @knows("_standard_errors")
    def confidence_intervals(
        self, X, sample_weight=None, *, level=0.95, method="information", n_resamples=999, random_state=None
    ):
        """Confidence intervals of the parameters, each on its own.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows that the model was fitted to.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies.
        level : float, default=0.95
            Probability that an interval covers the truth.
        method : {"information", "bootstrap"}, default="information"
            Wald's intervals (on the logarithm of a positive parameter, the logit of a probability), or the quantiles
            of refits to resampled rows.
        n_resamples : int, default=999
            Refits of the bootstrap.
        random_state : None, int, RandomState or Generator
            For the bootstrap.

        Returns
        -------
        intervals : dict of ndarray
            By fitted attribute: its shape and a last axis of two, low and high; of `ScipyDensity` and `Independent`
            a list of dict, one for each column.

        Raises
        ------
        ValueError
            If the method is unknown, the level is no probability, or a row lies outside the support.
        UnboundedLikelihood
            If more resamples than are wanted have no maximum of the likelihood.

        Examples
        --------
        >>> from skgen import Poisson
        >>> Poisson().fit([[2], [4], [6]]).confidence_intervals([[2], [4], [6]])["rate_"].round(2)
        array([[2.27, 7.04]])
        """
        self._check_method(method, n_resamples)
        if not isinstance(level, Real) or not 0 < level < 1:
            raise ValueError(f"level is a probability between 0 and 1, got {level!r}.")
        rows = rows_that_count(self, X, sample_weight)
        if method == "bootstrap":
            return intervals_by_refits(refits(self, *rows, n_resamples, random_state), level)
        links = by_parameter(LINKS.get, self._domains())
        return intervals_by_errors(links, self._estimates(), errors_by_information(self, *rows), level)

    def _check_method(self, method, n_resamples):
        check_is_fitted(self)
        if method not in METHODS:
            raise ValueError(f"method is one of {METHODS}, got {method!r}.")
        if not isinstance(n_resamples, Integral) or n_resamples < 2:
            raise ValueError(f"n_resamples is a whole number from 2 on, got {n_resamples!r}.")
