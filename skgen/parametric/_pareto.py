"""The Pareto family: sizes above a smallest one.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994.
"""

import numpy as np
from scipy import stats

from skgen import supports
from skgen.parametric._curvature import covariance
from skgen.parametric._kinked import AboveEdge, telling, undetermined
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._quantiles import hazard, log_complement
from skgen.parametric._special import log_near


class Pareto(UnivariateProduct):
    r"""Independent Pareto features: sizes above a smallest one, with a tail like a power.

    .. math:: p(x) = \prod_j \frac{\alpha_j m_j^{\alpha_j}}{x_j^{\alpha_j + 1}}, \qquad x_j \ge m_j

    Fitted by weighted maximum likelihood: the smallest row, and one over the mean logarithm of the ratio to it. With
    intervals the smallest value is among their lower ends, or below the first upper one. In a window it is not below
    the window's lower end: from there on downwards, all scales give one law. Rows above a threshold that is known have
    `GeneralizedPareto` excesses.

    Attributes
    ----------
    shape_ : ndarray of shape (n_features,)
        The tail's exponents :math:`\alpha`.
    scale_ : ndarray of shape (n_features,)
        The smallest values m, in the units of the feature.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Pareto
    >>> model = Pareto().fit(np.exp([[0.0], [1.0], [2.0]]))
    >>> model.shape_, model.scale_
    (array([1.]), array([1.]))

    Of the last value no more is known than that it exceeds 7.39:

    >>> rows = np.exp([[0.0, 0.0], [1.0, 1.0], [2.0, np.inf]])
    >>> Pareto(censoring="interval").fit(rows).shape_.round(6)
    array([0.666667])
    """

    _parameters = {"shape_": "positive", "scale_": "positive"}
    _irregular = ("scale_",)
    _support = supports.positive
    _units = ("scale",)
    _precision = 1e-9

    @staticmethod
    def _law(shape, scale):
        return stats.pareto(shape, scale=scale)

    @staticmethod
    def _tail_powers(shape, scale):
        return np.inf, shape

    @staticmethod
    def _ends(shape, scale):
        return scale, np.full_like(scale, np.inf)

    def _estimate(self, x, share, j):
        return 1 / (share @ np.log(x / x.min())), x.min()

    def _climb(self, low, high, share, j):
        column = self._column_of(j)
        low, high, share = telling(self, low, high, share, column)
        if not self._is_truncated() and (low == high).all():
            return self._estimate(low, share, j)
        window = max(self._window()[0], 0.0), self._window()[1]
        unit = np.median(np.r_[low, high][np.isfinite(np.r_[np.where(low > 0, low, np.inf), high])])
        with np.errstate(divide="ignore"):
            ends, log_window = np.r_[low, window[0]], tuple(np.log(np.array(window) / unit))
            log_low, log_high, log_ends = (np.log(values / unit) for values in (low, high, ends))
        top = AboveEdge(log_low, log_high, share, log_window).summit()
        is_end = log_ends == top.origin  # rounding must not lift the scale above a row
        scale = ends[is_end].min() if is_end.any() else unit * np.exp(top.origin)
        theta = top.rate, min(scale, low[low == high].min(initial=np.inf))
        if not top.is_maximum:
            raise undetermined(self, theta, column)
        return theta

    @staticmethod
    def _logpdf(x, shape, scale):
        with np.errstate(divide="ignore"):
            inside = np.log(shape / scale) - (shape + 1) * np.log(np.maximum(x / scale, 1))
        return np.where(x >= scale, inside, -np.inf)

    @staticmethod
    def _log_tails(x, shape, scale):
        ratio = np.maximum(x / scale, 1)
        upper = -shape * log_near(ratio, np.maximum((x - scale) / scale, 0))
        return log_complement(upper), upper

    @staticmethod
    def _inverse(log_u, log_v, shape, scale):
        return scale * np.exp(hazard(log_u, log_v) / shape)

    @staticmethod
    def _draw(size, rng, shape, scale):
        return scale * np.exp(rng.exponential(1 / shape, size))

    @staticmethod
    def _peak(shape, scale):
        return scale

    def _standard_errors(self, X, sample_weight):
        if not self._is_plain():
            return super()._standard_errors(X, sample_weight)
        return {"shape_": self.shape_ / np.sqrt(sample_weight.sum()), "scale_": np.full_like(self.scale_, np.nan)}

    def _column_errors(self, low, high, sample_weight, j):
        shape, scale = super()._column_errors(low, high, sample_weight, j)
        return [shape if np.isfinite(shape) else self._shape_error(low, high, sample_weight, j), scale]

    def _shape_error(self, low, high, sample_weight, j):
        """The standard error of the shape where the scale stands at a row, to which it is nearer by an order."""
        shape, scale = self._column(j)
        n = sample_weight.sum()

        def height(u):
            return float(sample_weight @ self._log_terms(low, high, (np.exp(u[0]), scale)) / n)

        return shape * np.sqrt(covariance(height, np.log([shape]))[0, 0] / n)
