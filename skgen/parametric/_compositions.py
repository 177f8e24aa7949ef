r"""The Dirichlet-multinomial distribution: counts of several kinds, whose shares vary from row to row.

.. math:: p(x) = p(N) \, \frac{N!\, \Gamma(s)}{\Gamma(N + s)}
    \prod_{j=1}^d \frac{\Gamma(x_j + \alpha_j)}{x_j!\, \Gamma(\alpha_j)}, \qquad N = \sum_j x_j, \; s = \sum_j \alpha_j

Mosimann, "On the compound multinomial distribution, the multivariate beta-distribution, and correlations among
proportions", 1962.
"""

import numpy as np
from scipy.special import gammaln, polygamma
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.columns import Columns
from skgen.foreign import as_density
from skgen.parametric._counts import NegativeBinomial
from skgen.parametric._discrete import PointMass
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._simplex import dirichlet_rows
from skgen.parametric._special import digamma_gap, log_gamma_ratio

# Of the precision s, in units of the mean total of a row. Above, counts are multinomial to a millionth; below, all of
# a row is of one kind, but for a millionth.
PRECISION_RANGE = 1e-6, 1e6
MOST = 1e300  # of a count: the logarithms of larger ones' factorials overflow
MOST_TERMS = 1e8  # of the sums of an entropy
MOST_STEPS = 60  # of Newton's method; bisections alone would need 50


class DirichletMultinomial(ParametricDensity):
    r"""Dirichlet-multinomial distribution: rows of counts of several kinds, with more variation than a multinomial has.

    .. math:: p(x) = p(N) \, \frac{N!\, \Gamma(s)}{\Gamma(N + s)}
        \prod_j \frac{\Gamma(x_j + \alpha_j)}{x_j!\, \Gamma(\alpha_j)}, \qquad N = \sum_j x_j, \; s = \sum_j \alpha_j

    The total N of a row has a distribution of its own; given N, the counts are multinomial with shares that are
    Dirichlet-distributed (Mosimann, 1962). Fitted by weighted maximum likelihood.

    Parameters
    ----------
    total : density estimator, optional
        Of whole numbers in one column: the distribution of N. None takes a point mass where all rows have one total,
        and otherwise a negative binomial distribution.

    Attributes
    ----------
    concentration_ : ndarray of shape (n_features,)
        The concentrations :math:`\alpha`; the expected shares are :math:`\alpha / s`. Their sum :math:`s`, the
        precision, is sought between a millionth of the mean total and a million times it: at the upper end the counts
        are multinomial, as where they vary no more than that.
    total_ : DensityEstimator
        The fitted distribution of the totals.

    Examples
    --------
    >>> from skgen import DirichletMultinomial
    >>> model = DirichletMultinomial().fit([[9, 1], [5, 5], [2, 8], [7, 3]])
    >>> model.concentration_.round(1)
    array([2.7, 2. ])
    >>> model.score_samples([[5, 5], [5, 6]]).round(2)  # all rows had ten: none has eleven
    array([-2.06,  -inf])
    """

    support = supports.counts
    _parameters = {"concentration_": "positive"}
    _parameter_constraints = {"total": [HasMethods("fit"), None]}

    def __init__(self, total=None):
        self.total = total

    @property
    def _unique_optimum(self):
        return self.total is None or as_density(self.total)._unique_optimum

    @property
    def likelihood(self):
        """That of the totals; given them, the counts' is exact."""
        return "exact" if self.total is None else as_density(self.total).likelihood

    def _fit(self, X, y, sample_weight):
        if X.shape[1] == 1:
            raise ValueError("Shares need two columns or more: use NegativeBinomial for the counts of one column.")
        totals = X.sum(axis=1)
        if not (totals > 1).any():
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} has no single maximum: no row counts more than one thing, so "
                "that nothing varies within it. Use Categorical, with a column that names the kind."
            )
        empty = ~(X > 0).any(axis=0)
        if empty.any():
            name = self.columns_.name(int(np.argmax(empty)))
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} has no maximum: {name} is always zero, so that its "
                "concentration would be zero. Drop it, or add a row that has some of each kind."
            )
        self.total_ = self._fit_total(totals, sample_weight)
        self.concentration_ = best_concentration(X, totals, sample_weight)

    def _fit_total(self, totals, sample_weight):
        if self.total is not None:
            density = as_density(clone(self.total))
        else:
            density = PointMass() if (totals == totals[0]).all() else NegativeBinomial()
        if not density.support.discrete_columns(1)[0]:
            raise ValueError(
                f"total is a density of whole numbers, such as NegativeBinomial(), but {type(self.total).__name__} is "
                "one of real numbers."
            )
        column = totals[:, None]
        return density._fit_coded(column, Columns.of_array(column.astype(np.int64)), sample_weight)

    def _n_parameters(self):
        return len(self.concentration_) + self.total_._n_parameters()

    def _log_prob(self, X, y):
        X = np.minimum(X, MOST)
        totals, alpha = np.minimum(X.sum(axis=1), MOST), self.concentration_
        shares = log_multichoose(X, alpha).sum(axis=1) - log_multichoose(totals, alpha.sum())
        column = totals[:, None]
        return shares + np.where(self.total_._contains(column), self.total_._log_prob(column, None), -np.inf)

    def _sample(self, n_samples, y, rng):
        totals = np.rint(self.total_._sample(n_samples, None, rng)[:, 0]).astype(np.int64)
        shares = dirichlet_rows(self.concentration_, n_samples, rng)
        return rng.multinomial(totals, shares).astype(float)

    def _mean(self):
        return self.total_.mean()[0] * self.concentration_ / self.concentration_.sum()

    def _var(self):
        mean, var = self.total_.mean()[0], self.total_.var()[0]
        s = self.concentration_.sum()
        share = self.concentration_ / s
        return share * (1 - share) * (var + mean**2 + s * mean) / (1 + s) + share**2 * var

    @available_if(lambda self: isinstance(getattr(self, "total_", PointMass()), PointMass | UnivariateProduct))
    def _entropy(self):
        """That of the totals, and what is expected of the shares: sums over one column at a time, not over rows."""
        totals, probability = self._possible_totals()
        counts, s = np.arange(totals[-1] + 1), self.concentration_.sum()
        whole = log_multichoose(counts, s)
        parts = [(log_multichoose(counts, a), log_multichoose(counts, s - a)) for a in self.concentration_]
        expected = [whole[n] - sum(expected_term(*part, whole, n) for part in parts) for n in totals.astype(int)]
        return self.total_._entropy() + probability @ expected

    def _possible_totals(self):
        """The totals that are not next to impossible, and their probabilities; ValueError where they are too many."""
        if isinstance(self.total_, PointMass):
            most = n_terms = self.total_.value_[0]
        else:
            u = np.full((1, 1), 1 - 2**-53)
            most = self.total_._conditional_ppf(np.log(u), np.log1p(-u))[0, 0]
            n_terms = most**2 / 2
        if len(self.concentration_) * n_terms > MOST_TERMS:
            raise ValueError(
                f"The entropy would be a sum of {n_terms:.0e} terms for each column, as totals reach {most:.0f}. Take "
                "-model.score(model.sample(n)) of many draws."
            )
        if isinstance(self.total_, PointMass):
            return self.total_.value_, np.ones(1)
        column = np.arange(most + 1)[:, None]
        inside = self.total_._contains(column)
        return column[inside, 0], np.exp(self.total_._log_prob(column[inside], None))

    def _standard_errors(self, X, sample_weight):
        """The information is a diagonal minus a constant, inverted by the formula of Sherman and Morrison."""
        alpha, totals = self.concentration_, X.sum(axis=1)
        s = alpha.sum()
        low, high = np.multiply(PRECISION_RANGE, np.average(totals, weights=sample_weight))
        if not low * 1.001 < s < high / 1.001:
            return {"concentration_": np.full_like(alpha, np.nan)}
        alone = 1 / (sample_weight @ (polygamma(1, alpha) - polygamma(1, X + alpha)))
        together = sample_weight @ (polygamma(1, s) - polygamma(1, totals + s))
        return {"concentration_": np.sqrt(alone) * np.sqrt(1 + alone * together / (1 - together * alone.sum()))}


def log_multichoose(x, a):
    r"""The logarithm of :math:`\Gamma(x + a) / (x!\, \Gamma(a))`, without cancellation where x or a is large.

    Parameters
    ----------
    x : ndarray
        Zero or more.
    a : float or ndarray
        Positive.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> np.exp(log_multichoose(np.array([0.0, 1.0, 2.0]), 3.0)).round(9)  # rows of 0, 1, 2 things of three kinds
    array([1., 3., 6.])
    """
    few, many = np.minimum(x, a), np.maximum(x, a)  # the smaller one's gamma functions cancel least
    return log_gamma_ratio(many, few) - gammaln(few + 1) + np.where(x < a, 0.0, np.log(a) - np.log(many))


def expected_term(part, rest, whole, n):
    """The expectation of a column's term of the log-probability, of rows with n things.

    Parameters
    ----------
    part, rest, whole : ndarray of shape (n_counts,)
        `log_multichoose` of 0, 1, ... things in this column, in all others and in all.
    n : int
        Below n_counts.

    Returns
    -------
    float
    """
    probability = np.exp(part[: n + 1] + rest[n::-1] - whole[n])
    return probability @ part[: n + 1]


class Tallies:
    """How often each count occurs in each of several columns: all that the likelihood needs of them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        The counts.
    sample_weight : ndarray of shape (n_samples,)
        Frequencies.
    """

    def __init__(self, X, sample_weight):
        found = [np.unique(x, return_inverse=True) for x in X.T]
        self.counts = np.concatenate([values for values, _ in found])
        self.weights = np.concatenate([np.bincount(place, sample_weight) for _, place in found])
        self.columns = np.repeat(np.arange(len(found)), [len(values) for values, _ in found])

    def pull(self, a):
        r"""For each column :math:`\sum_i w_i (\psi(x_i + a) - \psi(a))`, which falls in a, and its derivative."""
        each = a[self.columns]
        first = self.weights * digamma_gap(each, self.counts)
        second = self.weights * (polygamma(1, self.counts + each) - polygamma(1, each))
        return np.bincount(self.columns, first), np.bincount(self.columns, second)

    def where(self, pull):
        """For each column the a at which it has this pull: Newton's steps in logarithms, kept between bounds."""
        low = np.log(np.bincount(self.columns, self.weights * (self.counts > 0)) / pull)
        high = np.log(np.bincount(self.columns, self.weights * self.counts) / pull)
        u = 0.5 * (low + high)
        for _ in range(MOST_STEPS):
            value, slope = self.pull(np.exp(u))
            low, high = np.where(value >= pull, u, low), np.where(value <= pull, u, high)
            step = -np.log(value / pull) * value / (slope * np.exp(u))
            following = np.where((u + step < low) | (u + step > high), 0.5 * (low + high), u + step)
            moved, u = np.abs(following - u).max(), following
            if moved <= 1e-15 * (1 + np.abs(u).max()):
                break
        return np.exp(u)


def best_concentration(X, totals, sample_weight):
    r"""The most likely concentrations of Dirichlet-multinomial rows.

    In the maximum each column pulls at its concentration as the totals pull at their sum,
    :math:`\sum_i w_i (\psi(x_{ij} + \alpha_j) - \psi(\alpha_j)) = \sum_i w_i (\psi(N_i + s) - \psi(s))`, so that s
    gives every :math:`\alpha_j`, and their sum is to be s: one equation, as for the Dirichlet distribution.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The counts, with no column of zeros.
    totals : ndarray of shape (n_samples,)
        Their sums, not all below two.
    sample_weight : ndarray of shape (n_samples,)
        Frequencies.

    Returns
    -------
    ndarray of shape (n_features,)
        At the ends of `PRECISION_RANGE` the sum is that end.
    """
    columns, whole = Tallies(X, sample_weight), Tallies(totals[:, None], sample_weight)

    def concentrations(log_s):
        return columns.where(whole.pull(np.exp([log_s]))[0][0])

    def excess(log_s):
        return concentrations(log_s).sum() / np.exp(log_s) - 1

    low, high = np.log(PRECISION_RANGE) + np.log(np.average(totals, weights=sample_weight))
    log_s = decreasing_root(excess, low, high, guess=0.5 * (low + high))
    found = concentrations(log_s)
    return found * (np.exp(log_s) / found.sum())
