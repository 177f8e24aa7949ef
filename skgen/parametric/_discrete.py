r"""Zeros and ones, labels, and the point mass: independent columns under the counting measure.

Johnson, Kemp and Kotz, "Univariate Discrete Distributions", 2005.
"""

from numbers import Real

import numpy as np
from scipy import stats
from scipy.special import xlog1py, xlogy
from sklearn.utils._param_validation import Interval

from skgen import supports
from skgen.base import AdditiveStatistics
from skgen.conditionals import IndependentColumns
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._product import AdditiveProduct

SMOOTHING = {"alpha": [Interval(Real, 0, None, closed="left")]}


class Bernoulli(AdditiveProduct):
    r"""Independent binary features.

    .. math:: p(x) = \prod_j p_j^{x_j} (1 - p_j)^{1 - x_j}, \qquad x_j \in \{0, 1\}

    Parameters
    ----------
    alpha : float, default=1.0
        Pseudo-count of each of the two values (Laplace's rule of succession at 1), so that a value that the training
        rows lack is not impossible. 0 is maximum likelihood.

    Attributes
    ----------
    probability_ : ndarray of shape (n_features,)
        The probabilities of a one.

    Examples
    --------
    >>> from skgen import Bernoulli
    >>> Bernoulli(alpha=0).fit([[1, 0], [1, 1], [0, 1], [1, 1]]).probability_
    array([0.75, 0.75])
    """

    _parameters = {"probability_": "unit"}
    _support = supports.binary
    _units = ()
    _parameter_constraints = SMOOTHING

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    _law = staticmethod(stats.bernoulli)

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "ones": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        self.probability_ = (statistics["ones"] + self.alpha) / (statistics["n"] + 2 * self.alpha)

    @staticmethod
    def _logpdf(x, probability):
        return xlogy(x, probability) + xlog1py(1 - x, -probability)

    @staticmethod
    def _draw(size, rng, probability):
        return rng.random(size) < probability

    @staticmethod
    def _peak(probability):
        return np.where(probability < 0.5, 0.0, 1.0)


class Categorical(AdditiveStatistics, ParametricDensity):
    r"""Independent features that hold labels: strings, numbers, booleans, pandas' and polars' categories.

    .. math:: p(x) = \prod_j \frac{n_{j, x_j} + \alpha}{n + \alpha K_j}

    where :math:`n_{jk}` counts label k in column j. Labels that are declared (booleans, pandas' categories, polars'
    `Enum`) are all there is: :math:`K_j` is their number, and another label has probability 0. Otherwise
    :math:`K_j` counts the labels of the training rows and one cell more, which stands for every label that they lack.

    Parameters
    ----------
    alpha : float, default=1.0
        Pseudo-count of each label, so that a label that the training rows lack is not impossible. 0 is maximum
        likelihood, where it is.

    Attributes
    ----------
    categories_ : list of ndarray
        The labels of each column.
    probabilities_ : list of ndarray
        Their probabilities.
    unseen_probability_ : ndarray of shape (n_features,)
        The probability of the cell for all other labels.

    Notes
    -----
    `sample` draws the labels in `categories_` only, in proportion to `probabilities_`: a label that nobody has seen
    cannot be written down. Over these and the cell for all other labels the probabilities add up to one.

    Examples
    --------
    >>> from skgen import Categorical
    >>> model = Categorical().fit([["red"], ["red"], ["blue"]])
    >>> model.categories_, model.probabilities_
    ([array(['blue', 'red'], dtype=object)], [array([0.33333333, 0.5       ])])
    >>> model.score_samples([["green"]]).round(4)
    array([-1.7918])
    """

    _takes = "category"
    _unique_optimum = True
    _parameter_constraints = SMOOTHING

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    @property
    def support(self):
        """Labels; closed where they are declared."""
        return supports.Categories(self.columns_.closed) if hasattr(self, "columns_") else supports.category

    def _statistics(self, X, sample_weight, coordinates):
        counts = [np.bincount(x, sample_weight, self.columns_.n_categories(j)) for j, x in enumerate(X.T.astype(int))]
        width = max(map(len, counts))
        return {"n": sample_weight.sum(), "counts": np.stack([np.pad(c, (0, width - len(c))) for c in counts])}

    def _m_step(self, statistics, coordinates):
        columns, counts = self.columns_, statistics["counts"]
        n_labels = np.array([columns.n_categories(j) for j in range(len(columns))])
        total = statistics["n"] + self.alpha * (n_labels + ~np.array(columns.closed))
        self.categories_ = columns.categories
        self.probabilities_ = [(c[:k] + self.alpha) / t for c, k, t in zip(counts, n_labels, total, strict=True)]
        self.unseen_probability_ = np.where(columns.closed, 0.0, self.alpha / total)

    def _log_prob(self, X, y):
        log_prob = np.zeros(len(X))
        for x, known, unseen in zip(X.T.astype(int), self.probabilities_, self.unseen_probability_, strict=True):
            with np.errstate(divide="ignore"):
                log_prob += np.log(np.append(known, unseen))[x]  # code -1 reads the last cell
        return log_prob

    def _n_parameters(self):
        return sum(map(len, self.probabilities_)) - int(np.sum(self.columns_.closed))

    def _entropy(self):
        cells = [np.append(p, q) for p, q in zip(self.probabilities_, self.unseen_probability_, strict=True)]
        return -sum(xlogy(p, p).sum() for p in cells)

    def _mode(self):
        most = [labels[np.argmax(p)] for labels, p in zip(self.categories_, self.probabilities_, strict=True)]
        return np.array(most, dtype=object)

    def _log_drawable(self):
        return np.log1p(-self.unseen_probability_).sum()

    def _sample(self, n_samples, y, rng):
        return np.column_stack([rng.choice(len(p), n_samples, p=p / p.sum()) for p in self.probabilities_]).astype(
            float
        )


class PointMass(IndependentColumns, ParametricDensity):
    """Columns that hold one value each: probability 1 there, 0 elsewhere.

    The density of a constant column is unbounded; this is the honest model of it, under the counting measure.

    Attributes
    ----------
    value_ : ndarray of shape (n_features,)
        The values.

    Examples
    --------
    >>> from skgen import PointMass
    >>> PointMass().fit([[3.0], [3.0]]).score_samples([[3.0], [4.0]])
    array([  0., -inf])
    """

    _unique_optimum = True

    @property
    def support(self):
        """The one row; before the fit, one of zeros."""
        return supports.Points(getattr(self, "value_", [0.0]))

    def _fit(self, X, y, sample_weight):
        differs = X != X[0]
        if differs.any():
            i, j = np.argwhere(differs)[0]
            raise ValueError(
                f"PointMass wants constant columns, but {self.columns_.name(j)} holds {X[0, j]:.6g} and {X[i, j]:.6g}. "
                'Use Independent("auto"), which gives each column a family of its own.'
            )
        self.value_ = X[0].copy()

    def _log_prob(self, X, y):
        return np.zeros(len(X))

    def _conditional_log_cdf(self, X):
        reached = self.value_ <= X
        return np.where(reached, 0.0, -np.inf), np.where(reached, -np.inf, 0.0)

    def _conditional_ppf(self, log_u, log_v):
        return np.broadcast_to(self.value_, log_u.shape)

    def _mean(self):
        return self.value_

    def _var(self):
        return np.zeros_like(self.value_)

    def _mode(self):
        return self.value_

    def _entropy(self):
        return 0.0

    def _sample(self, n_samples, y, rng):
        return np.tile(self.value_, (n_samples, 1))
