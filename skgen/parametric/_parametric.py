r"""What every parametric family can say of itself: information criteria, moments, standard errors, intervals.

.. math:: \mathrm{AIC} = 2 k - 2 \ell(\hat\theta), \qquad \mathrm{BIC} = k \log n - 2 \ell(\hat\theta), \qquad
    \widehat{\operatorname{var}}(\hat\theta) = \left[-\nabla^2 \ell(\hat\theta)\right]^{-1}

with the log-likelihood :math:`\ell` of n rows (the sum of the weights) and k parameters (Akaike, 1974; Schwarz, 1978;
Efron and Hinkley, "Assessing the accuracy of the maximum likelihood estimator: observed versus expected Fisher
information", 1978).
"""

import numpy as np
from scipy.special import expit, logit, ndtri
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgen.base import DensityEstimator, UnboundedLikelihood, check_weights
from skgen.random import as_generator


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
            NaN where several are.
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
            By the observed information (the expected one where the density has a kink), or by refits to resampled
            rows.
        n_resamples : int, default=200
            Refits of the bootstrap.
        random_state : None, int, RandomState or Generator
            For the bootstrap.

        Returns
        -------
        errors : dict of ndarray
            By fitted attribute and in its shape. NaN where an estimate has no standard error: an end of the support,
            or a parameter at the end of its range.
        """
        return METHODS[self._method(method)].errors(self, X, sample_weight, n_resamples, random_state)

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
            By fitted attribute: its shape and a last axis of two, low and high.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is a probability between 0 and 1, got {level!r}.")
        return METHODS[self._method(method)].intervals(self, X, sample_weight, level, n_resamples, random_state)

    def _method(self, method):
        check_is_fitted(self)
        if method not in METHODS:
            raise ValueError(f"method is one of {sorted(METHODS)}, got {method!r}.")
        return method


class Information:
    """By the curvature of the likelihood."""

    @staticmethod
    def errors(model, X, sample_weight, n_resamples, random_state):
        X = model._read(X, reset=False)
        weights = check_weights(sample_weight, len(X))
        counts = weights > 0
        model._check_support(X[counts])
        errors = model._standard_errors(X[counts], weights[counts])
        return {name: np.nan * errors[name] if name in model._irregular else errors[name] for name in errors}

    @staticmethod
    def intervals(model, X, sample_weight, level, n_resamples, random_state):
        errors = Information.errors(model, X, sample_weight, n_resamples, random_state)
        reach = np.array([-1, 1]) * ndtri(0.5 + level / 2)
        return {name: _on_link(model._parameters[name], getattr(model, name), errors[name], reach) for name in errors}


def _on_link(domain, estimate, error, reach):
    """Wald's interval, symmetric on the line that the domain is mapped to."""
    link, estimate, error = LINKS[domain], np.asarray(estimate, dtype=float)[..., None], np.asarray(error)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return link.from_line(link.to_line(estimate) + reach * error / link.slope(estimate))


class Bootstrap:
    """By refits to resampled rows (Efron, 1979): frequencies drawn from the multinomial distribution of the weights."""

    @staticmethod
    def refits(model, X, sample_weight, n_resamples, random_state):
        rng, scores = as_generator(random_state), model.score_samples(X)
        weights = check_weights(sample_weight, len(scores))
        n = max(1, int(round(weights.sum())))
        found, failed = {name: [] for name in model._parameters}, 0
        while len(next(iter(found.values()))) < n_resamples:
            frequencies = rng.multinomial(n, weights / weights.sum())
            try:
                refit = clone(model).fit(X, sample_weight=frequencies)
            except UnboundedLikelihood:
                failed += 1
                if failed > n_resamples:
                    raise
                continue
            for name, values in found.items():
                values.append(getattr(refit, name))
        return {
            name: np.full_like(values, np.nan) if name in model._irregular else np.array(values)
            for name, values in found.items()
        }

    @staticmethod
    def errors(model, X, sample_weight, n_resamples, random_state):
        refits = Bootstrap.refits(model, X, sample_weight, n_resamples, random_state)
        return {name: np.std(values, axis=0, ddof=1) for name, values in refits.items()}

    @staticmethod
    def intervals(model, X, sample_weight, level, n_resamples, random_state):
        refits = Bootstrap.refits(model, X, sample_weight, n_resamples, random_state)
        tails = [0.5 - level / 2, 0.5 + level / 2]
        return {name: np.moveaxis(np.quantile(values, tails, axis=0), 0, -1) for name, values in refits.items()}


METHODS = {"information": Information, "bootstrap": Bootstrap}
