r"""Families of counts: independent columns of whole numbers, under the counting measure.

Johnson, Kemp and Kotz, "Univariate Discrete Distributions", 2005.
"""

from numbers import Integral

import numpy as np
from scipy import stats
from scipy.special import bdtr, bdtrc, betainc, betaincc, gammainc, gammaincc, gammaln, xlog1py, xlogy
from sklearn.utils._param_validation import Interval

from skgen import supports
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._special import digamma_gap, log_gamma_ratio

SIZE_RANGE = 1e-6, 1e6  # of the negative binomial: above, it is Poisson's law to 1e-6 of the variance


class Poisson(AdditiveProduct):
    r"""Independent Poisson counts.

    .. math:: p(x) = \prod_j \frac{\lambda_j^{x_j} e^{-\lambda_j}}{x_j!}, \qquad x_j \in \{0, 1, 2, \ldots\}

    Fitted by weighted maximum likelihood: the mean.

    Attributes
    ----------
    rate_ : ndarray of shape (n_features,)
        The expected counts :math:`\lambda`.

    Examples
    --------
    >>> from skgen import Poisson
    >>> Poisson().fit([[1, 0], [3, 1]]).rate_
    array([2. , 0.5])

    Counts of visits, of which those without a visit were never recorded:

    >>> import numpy as np
    >>> Poisson(truncation=(1, np.inf)).fit([[1], [1], [2], [4]]).rate_.round(3)
    array([1.594])
    """

    _parameters = {"rate_": "positive"}
    _support = supports.integer
    _units = ()
    _law = staticmethod(stats.poisson)

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        self.rate_ = statistics["total"] / statistics["n"]

    @staticmethod
    def _logpdf(x, rate):
        log_factorial = gammaln(x + 1)
        inside = xlogy(x, rate) - rate - np.minimum(log_factorial, np.finfo(float).max)
        return np.where(np.isinf(log_factorial), -np.inf, inside)

    @staticmethod
    def _log_tails(x, rate):
        after = np.floor(x) + 1
        return np.log(gammaincc(after, rate)), np.log(gammainc(after, rate))

    @staticmethod
    def _draw(size, rng, rate):
        return rng.poisson(rate, size)

    @staticmethod
    def _peak(rate):
        return np.floor(rate)


class Geometric(AdditiveProduct):
    r"""Independent geometric counts: failures before the first success.

    .. math:: p(x) = \prod_j p_j (1 - p_j)^{x_j}, \qquad x_j \in \{0, 1, 2, \ldots\}

    Fitted by weighted maximum likelihood: one over the mean plus one. (Scipy's counts trials, from 1.)

    Attributes
    ----------
    probability_ : ndarray of shape (n_features,)
        The probabilities p of success.

    Examples
    --------
    >>> from skgen import Geometric
    >>> Geometric().fit([[0], [2]]).probability_
    array([0.5])
    """

    _parameters = {"probability_": "unit"}
    _support = supports.integer
    _units = ()

    @staticmethod
    def _law(probability):
        return stats.geom(probability, -1)

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        self.probability_ = statistics["n"] / (statistics["n"] + statistics["total"])

    @staticmethod
    def _logpdf(x, probability):
        return np.log(probability) + xlog1py(x, -probability)

    @staticmethod
    def _log_tails(x, probability):
        upper = xlog1py(np.floor(x) + 1, -probability)
        return np.log(-np.expm1(upper)), upper

    @staticmethod
    def _inverse(log_u, log_v, probability):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.maximum(np.ceil(log_v / np.log1p(-probability)) - 1, 0))

    @staticmethod
    def _draw(size, rng, probability):
        return rng.geometric(probability, size) - 1

    @staticmethod
    def _peak(probability):
        return np.zeros_like(probability)


class Binomial(AdditiveProduct):
    r"""Independent binomial counts: successes in a known number of trials.

    .. math:: p(x) = \prod_j \binom{n_j}{x_j} p_j^{x_j} (1 - p_j)^{n_j - x_j}, \qquad x_j \in \{0, \ldots, n_j\}

    Fitted by weighted maximum likelihood: the mean over the number of trials.

    Parameters
    ----------
    n_trials : int or array-like of shape (n_features,), optional
        The number of trials n. None takes the largest count of each column, which is no estimate, but the least that
        it can be.

    Attributes
    ----------
    n_trials_ : ndarray of shape (n_features,)
        The numbers of trials.
    probability_ : ndarray of shape (n_features,)
        The probabilities p of success.

    Examples
    --------
    >>> from skgen import Binomial
    >>> Binomial(n_trials=10).fit([[3], [5]]).probability_
    array([0.4])
    """

    _parameters = {"n_trials_": "positive", "probability_": "unit"}
    _units = ()
    _parameter_constraints = {
        **UnivariateProduct._parameter_constraints,
        "n_trials": [Interval(Integral, 1, None, closed="left"), "array-like", None],
    }

    def __init__(self, n_trials=None, *, censoring=None, truncation=None):
        super().__init__(censoring=censoring, truncation=truncation)
        self.n_trials = n_trials

    @property
    def _support(self):
        most = getattr(self, "n_trials_", self.n_trials)
        if most is None:
            return supports.integer
        return supports.within(supports.integer, 0, float(np.max(most)))

    @staticmethod
    def _law(n_trials, probability):
        return stats.binom(n_trials, probability)

    def _fixed(self):
        return ("n_trials_",)

    def _is_additive(self):
        return self._is_plain() and self.n_trials is not None

    def _fit(self, X, y, sample_weight):
        self._count_trials(X)
        super()._fit(X, y, sample_weight)

    def _count_trials(self, X):
        d = self._intervals(X)[0].shape[1]
        if self.n_trials is not None:
            self.n_trials_ = np.broadcast_to(np.asarray(self.n_trials, dtype=np.float64), (d,)).copy()
        else:
            finite = np.where(np.isfinite(X), X, 0.0).max(axis=0)
            self.n_trials_ = np.maximum(finite.reshape(d, -1).max(axis=1), 1.0)
        low = self._intervals(X)[0]
        if (low > self.n_trials_).any():
            i, j = np.argwhere(low > self.n_trials_)[0]
            raise ValueError(
                f"Binomial wants at most n_trials={self.n_trials_[j]:g} in {self.columns_.name(j)}, but row {i} holds "
                f"{low[i, j]:g}. Raise n_trials, or use Poisson."
            )

    def _climb(self, low, high, share, j):
        plain = Binomial(int(self.n_trials_[j]), censoring=self.censoring, truncation=self.truncation)
        plain.columns_, plain.n_trials_ = self.columns_, self.n_trials_[[j]]
        return UnivariateProduct._climb(plain, low, high, share, j)

    def _statistics(self, X, sample_weight, coordinates):
        if not hasattr(self, "n_trials_"):
            self._count_trials(X)
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        self.probability_ = statistics["total"] / (statistics["n"] * self.n_trials_)

    @staticmethod
    def _logpdf(x, n_trials, probability):
        rest = np.maximum(n_trials - x, 0)
        choose = gammaln(n_trials + 1) - gammaln(np.minimum(x, n_trials) + 1) - gammaln(rest + 1)
        return np.where(x <= n_trials, choose + xlogy(x, probability) + xlog1py(rest, -probability), -np.inf)

    @staticmethod
    def _log_tails(x, n_trials, probability):
        at = np.minimum(np.floor(x), n_trials)
        n = np.asarray(n_trials).astype(int)
        return np.log(bdtr(at, n, probability)), np.log(bdtrc(at, n, probability))

    @staticmethod
    def _draw(size, rng, n_trials, probability):
        return rng.binomial(n_trials.astype(int), probability, size)

    @staticmethod
    def _peak(n_trials, probability):
        return np.minimum(np.floor((n_trials + 1) * probability), n_trials)


class NegativeBinomial(UnivariateProduct):
    r"""Independent negative binomial counts: Poisson counts whose rates vary as a gamma law.

    .. math:: p(x) = \prod_j \frac{\Gamma(x_j + r_j)}{\Gamma(r_j)\, x_j!} \left(\frac{r_j}{r_j + \mu_j}\right)^{r_j}
        \left(\frac{\mu_j}{r_j + \mu_j}\right)^{x_j}, \qquad x_j \in \{0, 1, 2, \ldots\}

    with variance :math:`\mu + \mu^2 / r`. Fitted by weighted maximum likelihood: the mean, and the one root of the
    profile's score in r (Levin and Reeds, "Compound multinomial likelihood functions are unimodal", 1977). Counts that
    vary no more than Poisson's have none: r then stands at 1e6.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        The expected counts :math:`\mu`.
    size_ : ndarray of shape (n_features,)
        The sizes r, between 1e-6 and 1e6.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import NegativeBinomial
    >>> X = np.random.default_rng(0).negative_binomial(2, 0.25, size=(10_000, 1))
    >>> model = NegativeBinomial().fit(X)
    >>> model.mean_.round(), model.size_.round()
    (array([6.]), array([2.]))
    """

    _parameters = {"mean_": "positive", "size_": "positive"}
    _ranges = {"size_": SIZE_RANGE}
    _support = supports.integer
    _units = ()

    @staticmethod
    def _law(mean, size):
        return stats.nbinom(size, size / (size + mean))

    def _estimate(self, x, share, j):
        values, place = np.unique(x, return_inverse=True)
        share = np.bincount(place.ravel(), share)
        mean = share @ values

        def slope(log_size):
            size = np.exp(log_size)
            return float(share @ digamma_gap(size, values) - np.log1p(mean / size))

        if not share @ (values - mean) ** 2 > mean:
            return mean, SIZE_RANGE[1]
        start = mean**2 / (share @ (values - mean) ** 2 - mean)
        return mean, np.clip(np.exp(decreasing_root(slope, *np.log(SIZE_RANGE), np.log(start))), *SIZE_RANGE)

    @staticmethod
    def _logpdf(x, mean, size):
        few, many = np.minimum(x, size), np.maximum(x, size)  # the smaller one's gamma functions cancel least
        ratio = log_gamma_ratio(many, few) - gammaln(few + 1) + np.where(x < size, 0.0, np.log(size) - np.log(many))
        return ratio - size * np.log1p(mean / size) + xlogy(x, mean / (size + mean))

    @staticmethod
    def _log_tails(x, mean, size):
        after, share = np.floor(x) + 1, size / (size + mean)
        return np.log(betainc(size, after, share)), np.log(betaincc(size, after, share))

    @staticmethod
    def _draw(size, rng, mean, n):
        return rng.poisson(rng.gamma(n, mean / n, size))

    @staticmethod
    def _peak(mean, size):
        return np.floor(np.maximum(size - 1, 0) * mean / size)
