r"""Families of counts: independent columns of whole numbers, under the counting measure.

Johnson, Kemp and Kotz, "Univariate Discrete Distributions", 2005.
"""

from numbers import Integral

import numpy as np
from scipy import stats
from scipy.special import gammaln, xlog1py, xlogy
from sklearn.utils._param_validation import Interval

from skgen import supports
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._special import LARGE, digamma_gap, log_beta_tails, log_gamma_tails, stirling_rest

SIZE_RANGE = 1e-6, 1e6  # of the negative binomial: above, it is Poisson's law to 1e-6 of the variance
MOST_TRIALS = 2**53  # above, whole numbers are not exact
FAR = -25.0  # the logarithm of an upper tail below which scipy, that takes one minus it, has few digits
HALF = np.log(0.5)
WINDOWED = -37.0  # the logarithm of a number below 2^-53
MOST_DRAWN = 1e18  # the largest rate that numpy draws at


class FarQuantiles:
    """Quantiles by bisection where scipy's know too little: far out in the upper tail, and of huge counts."""

    @staticmethod
    def _is_slow(*theta):
        """Where scipy walks for long."""
        return False

    @classmethod
    def _inverse(cls, log_u, log_v, *theta):
        log_u, log_v, *theta = np.broadcast_arrays(log_u, log_v, *theta)
        is_far = (log_v < FAR) | cls._is_slow(*theta)
        with np.errstate(all="ignore"):  # the median stands in for what scipy would look for long
            x = super()._inverse(np.where(is_far, HALF, log_u), np.where(is_far, HALF, log_v), *theta)
        again = is_far | ~np.isfinite(x)
        if not again.any():
            return x
        x, log_u, log_v, theta = np.array(x), log_u[again], log_v[again], [value[again] for value in theta]
        low, high = np.full(log_u.shape, -1.0), np.full(log_u.shape, 2.0**63)
        for _ in range(64):
            middle = np.floor(0.5 * low + 0.5 * high)
            with np.errstate(all="ignore"):
                lower, upper = cls._log_tails(np.maximum(middle, 0), *theta)
            is_below = np.where(log_u < log_v, lower < log_u, upper > log_v) | (middle < 0)
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        x[again] = high
        return x

    def _reaches(self, x, log_u, log_v, theta):
        """As ever; to all digits where v is so small that it can only come from a window."""
        to_all_digits = self._tails(x, theta)[1] <= log_v * (1 - 1e-14)
        return np.where(log_v < WINDOWED, to_all_digits, super()._reaches(x, log_u, log_v, theta))


class Poisson(FarQuantiles, AdditiveProduct):
    r"""Independent Poisson counts.

    .. math:: p(x) = \prod_j \frac{\lambda_j^{x_j} e^{-\lambda_j}}{x_j!}, \qquad x_j \in \{0, 1, 2, \ldots\}

    Fitted by weighted maximum likelihood: the mean. Where two counts are the likeliest (rates that are whole numbers),
    `mode` is the larger.

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
        return log_poisson(x, rate, x - rate)

    @staticmethod
    def _log_tails(x, rate):
        upper, lower = log_gamma_tails(np.floor(x) + 1, rate)
        return lower, upper

    def _column_errors(self, low, high, sample_weight, j):
        if not self._is_plain():
            return super()._column_errors(low, high, sample_weight, j)
        return [np.sqrt(self.rate_[j] / sample_weight.sum())]  # where huge counts vary much, stencils would cancel

    @staticmethod
    def _draw(size, rng, rate):
        return poisson_draws(np.broadcast_to(rate, size), rng)

    @staticmethod
    def _peak(rate):
        return np.floor(rate)


class Geometric(AdditiveProduct):
    r"""Independent geometric counts: failures before the first success.

    .. math:: p(x) = \prod_j p_j (1 - p_j)^{x_j}, \qquad x_j \in \{0, 1, 2, \ldots\}

    Fitted by weighted maximum likelihood: one over the mean plus one. (Scipy's counts trials, from 1.) The mode is 0.

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

    @staticmethod
    def _entropy_of(probability):
        return -np.log(probability) - xlog1py(1 - probability, -probability) / probability


class Binomial(FarQuantiles, AdditiveProduct):
    r"""Independent binomial counts: successes in a known number of trials.

    .. math:: p(x) = \prod_j \binom{n_j}{x_j} p_j^{x_j} (1 - p_j)^{n_j - x_j}, \qquad x_j \in \{0, \ldots, n_j\}

    Fitted by weighted maximum likelihood: the mean over the number of trials. Where two counts are the likeliest,
    `mode` is the larger.

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
        """Up to the largest number of trials of all columns."""
        if hasattr(self, "n_trials_"):
            return supports.within(supports.integer, 0, self.n_trials_.max())
        return supports.integer if self.n_trials is None else supports.within(supports.integer, 0, self._given().max())

    @property
    def support(self):
        """What a value may be: up to its column's number of trials, in the window, in pairs where it is censored."""
        if not hasattr(self, "n_trials_"):
            return super().support
        low, high = self._window()
        if not self._is_censored():
            return supports.Product([supports.within(supports.integer, low, min(high, n)) for n in self.n_trials_])
        low, high = max(low, 0.0), np.minimum(high, self.n_trials_)
        return supports.Pairs(supports.Integers("integer", "whole numbers from 0 to n_trials", low, high))

    def _given(self):
        """The numbers of trials that the user gives: one, or one for each column."""
        try:
            given = np.asarray(self.n_trials)
        except ValueError:  # rows of unlike lengths
            given = np.asarray("?")
        if given.dtype.kind not in "iuf" or given.ndim > 1 or not given.size or not is_number_of_trials(given).all():
            raise ValueError(
                f"n_trials is a whole number from 1 to 2^53, or one for each column, got {self.n_trials!r}. "
                "Leave it out to take the largest count of each column."
            )
        return given.astype(np.float64)

    @staticmethod
    def _law(n_trials, probability):
        return stats.binom(n_trials, probability)

    def _fixed(self):
        return ("n_trials_",)

    def _is_incremental(self):
        return self._is_plain() and self.n_trials is not None

    def _check_support(self, X):
        if hasattr(self, "n_trials_") or self.n_trials is not None:
            self._refuse_more(X, self.n_trials_ if hasattr(self, "n_trials_") else self._count_trials(X))
        super()._check_support(X)

    def _refuse_more(self, X, n_trials):
        low = self._intervals(X)[0]
        if (low > n_trials).any():
            i, j = np.argwhere(low > n_trials)[0]
            raise ValueError(
                f"Binomial wants whole numbers from 0 to {n_trials[j]:g} in {self.columns_.name(j)}, but row {i} holds "
                f"{low[i, j]:g}. Raise n_trials, and fit all rows with it, or use Poisson."
            )

    def _count_trials(self, X):
        """The number of trials of each column: what is given, or the largest count."""
        d = self._intervals(X)[0].shape[1]
        if self.n_trials is None:
            most = np.where(np.isfinite(X), X, 0.0).max(axis=0).reshape(d, -1).max(axis=1)
            if most.max() > MOST_TRIALS:
                raise ValueError(f"Binomial counts up to 2^53, but X holds {most.max():g}. Use Poisson.")
            return np.maximum(most, 1.0)
        given = self._given()
        if given.ndim and len(given) != d:
            raise ValueError(f"n_trials holds {len(given)} numbers for {d} columns: give one for each, or one for all.")
        return np.broadcast_to(given, (d,)).copy()

    def _fit(self, X, y, sample_weight):
        self.n_trials_ = self._count_trials(X)
        super()._fit(X, y, sample_weight)

    def _as_fitted(self):
        return super()._as_fitted().set_params(n_trials=self.n_trials_)

    def _climb(self, low, high, share, j):
        plain = Binomial(int(self.n_trials_[j]), censoring=self.censoring, truncation=self.truncation)
        plain.columns_, plain.n_trials_ = self.columns_, self.n_trials_[[j]]
        return UnivariateProduct._climb(plain, low, high, share, j)

    def _statistics(self, X, sample_weight, coordinates):
        if not hasattr(self, "n_trials_"):  # the first block
            self.n_trials_ = self._count_trials(X)
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        self.probability_ = statistics["total"] / (statistics["n"] * self.n_trials_)

    @staticmethod
    def _logpdf(x, n_trials, probability):
        at = np.minimum(x, n_trials)
        inside = log_binomial(at, n_trials - at, probability, 1 - probability, at - n_trials * probability)
        return np.where(x <= n_trials, inside, -np.inf)

    @staticmethod
    def _log_tails(x, n_trials, probability):
        is_last = np.floor(x) >= n_trials
        after = np.where(is_last, n_trials, np.floor(x) + 1)
        upper, lower = log_beta_tails(after, n_trials - after + 1, probability)
        return np.where(is_last, 0.0, lower), np.where(is_last, -np.inf, upper)

    @staticmethod
    def _draw(size, rng, n_trials, probability):
        return rng.binomial(n_trials.astype(int), probability, size)

    @staticmethod
    def _peak(n_trials, probability):
        return np.minimum(np.floor((n_trials + 1) * probability), n_trials)


def is_number_of_trials(n):
    """Whether each is a whole number that one can try as often."""
    return (n >= 1) & (n <= MOST_TRIALS) & (np.floor(n) == n)


class NegativeBinomial(FarQuantiles, UnivariateProduct):
    r"""Independent negative binomial counts: Poisson counts whose rates vary as a gamma law.

    .. math:: p(x) = \prod_j \frac{\Gamma(x_j + r_j)}{\Gamma(r_j)\, x_j!} \left(\frac{r_j}{r_j + \mu_j}\right)^{r_j}
        \left(\frac{\mu_j}{r_j + \mu_j}\right)^{x_j}, \qquad x_j \in \{0, 1, 2, \ldots\}

    with variance :math:`\mu + \mu^2 / r`. Fitted by weighted maximum likelihood: the mean, and the one root of the
    profile's score in r (Levin and Reeds, "Compound multinomial likelihood functions are unimodal", 1977). Counts that
    vary no more than Poisson's have none: r then stands at 1e6. Where two counts are the likeliest, `mode` is the
    larger.

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
        share = size / (size + mean)
        return log_binomial(x, size, mean / (size + mean), share, share * (x - mean)) - np.log1p(x / size)

    @staticmethod
    def _log_tails(x, mean, size):
        return log_beta_tails(size, np.floor(x) + 1, size / (size + mean))

    @staticmethod
    def _is_slow(mean, size):
        return (size < 0.1) | (mean > 1e6)

    @staticmethod
    def _draw(size, rng, mean, n):
        return poisson_draws(rng.gamma(n, mean / n, size), rng)

    @staticmethod
    def _peak(mean, size):
        return np.floor(np.maximum(size - 1, 0) * mean / size)


# Probabilities, in logarithms, without cancellation at any size (Loader, "Fast and accurate computation of binomial
# probabilities", 2000): Stirling's series takes the place of factorials, and the rest is small near the mean.


def log_poisson(x, rate, gap):
    r"""The logarithm of :math:`\lambda^x e^{-\lambda} / x!`.

    Parameters
    ----------
    x, rate : float or ndarray
        Not negative.
    gap : float or ndarray
        The difference of the two, x less the rate.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> bool(abs(log_poisson(1e15, 1e15, 0.0) + 0.5 * np.log(2e15 * np.pi)) < 1e-12)
    True
    """
    with np.errstate(all="ignore"):
        large = np.maximum(x, LARGE)
        near = np.abs(gap) < 0.5 * rate
        log_ratio = np.where(near, np.log1p(gap / rate), np.log(large) - np.log(rate))
        stirling = gap - large * log_ratio - 0.5 * np.log(2 * np.pi * large) - stirling_rest(large)
        return np.where(x < LARGE, xlogy(x, rate) - rate - gammaln(x + 1), stirling)


def log_binomial(x, rest, share, other, gap):
    r"""The logarithm of :math:`\Gamma(n + 1) / (\Gamma(x + 1) \Gamma(n - x + 1)) \, p^x (1 - p)^{n - x}`.

    Poisson probabilities of the two parts, over that of their sum: the rates are its shares.

    Parameters
    ----------
    x, rest : float or ndarray
        Not negative: the two parts of n.
    share, other : float or ndarray
        p and 1 - p.
    gap : float or ndarray
        x less its share of n.

    Returns
    -------
    ndarray
    """
    n = x + rest
    return log_poisson(x, n * share, gap) + log_poisson(rest, n * other, -gap) - log_poisson(n, n, 0.0)


def poisson_draws(rate, rng):
    """Poisson draws of the shape of the rates; where these are too large for numpy, normal ones are as good."""
    drawn = rng.poisson(np.minimum(rate, MOST_DRAWN)).astype(np.float64)
    huge = rate > MOST_DRAWN
    if huge.any():
        drawn[huge] = np.rint(rng.normal(rate[huge], np.sqrt(rate[huge])))
    return drawn
