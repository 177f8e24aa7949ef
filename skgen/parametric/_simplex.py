r"""The Dirichlet distribution: parts of a whole.

.. math:: p(x) = \frac{\Gamma(\sum_j \alpha_j)}{\prod_j \Gamma(\alpha_j)} \prod_{j=1}^d x_j^{\alpha_j - 1},
    \qquad x_j \ge 0, \; \sum_j x_j = 1

Kotz, Balakrishnan and Johnson, "Continuous Multivariate Distributions", 2000, chapter 49.
"""

import numpy as np
from scipy.special import digamma, gammaln, polygamma, softmax

from skgen import supports
from skgen.base import AdditiveStatistics, UnboundedLikelihood
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._parametric import ParametricDensity

LOG_PRECISION_RANGE = -50.0, 35.0  # of the sum of the concentrations; above, parts vary less than rounding errors do


class Dirichlet(AdditiveStatistics, ParametricDensity):
    r"""Dirichlet distribution: rows of non-negative parts that add up to one.

    .. math:: p(x) = \frac{\Gamma(\sum_j \alpha_j)}{\prod_j \Gamma(\alpha_j)} \prod_j x_j^{\alpha_j - 1}

    with respect to Lebesgue measure on all columns but the last. A row counts by its proportions: its sum may be one
    to a millionth. Fitted by weighted maximum likelihood from the mean logarithms :math:`g_j` of the parts: the
    equations :math:`\psi(\alpha_j) = \psi(s) + g_j` (Minka, "Estimating a Dirichlet distribution", 2000) give each
    :math:`\alpha_j` from the sum :math:`s = \sum_j \alpha_j`, which is the root of one equation.

    Attributes
    ----------
    concentration_ : ndarray of shape (n_features,)
        The concentrations :math:`\alpha`, positive, without a unit.

    Notes
    -----
    `fit` refuses parts that are zero, since no maximum exists with them. At scoring, where a part is zero the density
    is 0 for :math:`\alpha_j > 1` and infinite for :math:`\alpha_j < 1`; instead of infinity it is given at the smallest
    part that a number can hold.

    Examples
    --------
    >>> from skgen import Dirichlet
    >>> model = Dirichlet().fit([[0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    >>> model.concentration_.round(1)
    array([ 9.2, 21.5])
    >>> model.mean().round(2)
    array([0.3, 0.7])
    """

    support = supports.simplex
    _unique_optimum = True
    _parameters = {"concentration_": "positive"}

    def _check_support(self, X):
        super()._check_support(X)
        if (X <= 0).any():
            i, j = np.argwhere(X <= 0)[0]
            raise ValueError(
                f"{type(self).__name__} wants positive parts, but {self._word_for(i, j)} = 0. Replace zeros by a small "
                "part and divide each row by its sum, or fit the counts that the parts come from by "
                "DirichletMultinomial."
            )

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "log": sample_weight @ (np.log(X) - np.log(X.sum(axis=1, keepdims=True)))}

    def _m_step(self, statistics, coordinates):
        mean_log = statistics["log"] / statistics["n"]
        precision = dirichlet_precision(mean_log)
        if precision is None:
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} is unbounded: all rows are equal, as with one sample they "
                "always are. Fit more rows, or use PointMass."
            )
        self.concentration_ = inverse_digamma(digamma(precision) + mean_log)

    def _log_prob(self, X, y):
        alpha = self.concentration_
        log_parts = np.log(np.maximum(X, np.finfo(float).tiny)) - np.log(X.sum(axis=1, keepdims=True))
        terms = np.where((X == 0) & (alpha > 1), -np.inf, (alpha - 1) * log_parts)
        return terms.sum(axis=1) - self._log_mass()

    def _log_mass(self):
        return gammaln(self.concentration_).sum() - gammaln(self.concentration_.sum())

    def _sample(self, n_samples, y, rng):
        return dirichlet_rows(self.concentration_, n_samples, rng)

    def _mean(self):
        return self.concentration_ / self.concentration_.sum()

    def _var(self):
        mean = self._mean()
        return mean * (1 - mean) / (1 + self.concentration_.sum())

    def _mode(self):
        alpha = self.concentration_
        if (alpha <= 1).any():
            return np.full_like(alpha, np.nan)
        return (alpha - 1) / (alpha - 1).sum()

    def _entropy(self):
        alpha = self.concentration_
        return self._log_mass() - ((alpha - 1) * (digamma(alpha) - digamma(alpha.sum()))).sum()

    def _standard_errors(self, X, sample_weight):
        """The information is diag(psi'(alpha)) - psi'(s), inverted by the formula of Sherman and Morrison."""
        alone, together = 1 / polygamma(1, self.concentration_), polygamma(1, self.concentration_.sum())
        variance = alone + alone**2 * together / (1 - together * alone.sum())
        return {"concentration_": np.sqrt(variance / sample_weight.sum())}


def dirichlet_precision(mean_log):
    r"""The sum s of the most likely concentrations: :math:`\sum_j \psi^{-1}(\psi(s) + g_j) = s`.

    Parameters
    ----------
    mean_log : ndarray of shape (n_features,)
        The mean logarithms g of the parts.

    Returns
    -------
    float or None
        None where the parts do not vary.
    """

    def excess(log_s):
        s = np.exp(log_s)
        return inverse_digamma(digamma(s) + mean_log).sum() / s - 1

    low, high = LOG_PRECISION_RANGE
    spread = 1 - np.exp(mean_log).sum()  # geometric means add up to less than one where parts vary
    if not spread > 1e-13:
        return None
    log_s = decreasing_root(excess, low, high, guess=np.log((len(mean_log) - 1) / (2 * spread)))
    return np.exp(log_s)


def inverse_digamma(y):
    """The positive x with digamma(x) = y, by Newton's method from Minka's start.

    Parameters
    ----------
    y : ndarray
        Any numbers.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> inverse_digamma(digamma(np.array([1e-10, 1.0, 1e10])))
    array([1.e-10, 1.e+00, 1.e+10])
    """
    with np.errstate(divide="ignore", over="ignore"):
        x = np.where(y >= -2.22, np.exp(y) + 0.5, -1 / (y - digamma(1.0)))
    for _ in range(6):  # the start is right to a few per cent, and each step doubles the digits
        x = x - (digamma(x) - y) / polygamma(1, x)
    return x


def dirichlet_rows(concentration, n_samples, rng):
    """Draws of a Dirichlet distribution, also where parts are smaller than numbers can hold.

    Parameters
    ----------
    concentration : ndarray of shape (n_features,)
        Positive.
    n_samples : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    shape = (n_samples, len(concentration))
    # a gamma variable of shape a is one of shape a + 1 times U^(1/a): in logarithms, since it may underflow
    log_gamma = np.log(rng.standard_gamma(concentration + 1, shape)) + np.log1p(-rng.random(shape)) / concentration
    return softmax(log_gamma, axis=1)
