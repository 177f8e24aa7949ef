r"""Products of univariate families: the columns are independent, each has parameters of its own.

.. math:: p(x) = \prod_{j=1}^d f(x_j; \theta_j)

A family is a few functions on arrays: the log-density, both tails in logarithms, and the fit of one column. What is
made of them stands here once: rows known up to an interval, whose term of the likelihood is :math:`F(b) - F(a)`; rows
outside a window that nobody recorded, :math:`f(x) / (F(b) - F(a))`; standard errors; quantiles and draws (Klein and
Moeschberger, "Survival Analysis", 2003, chapter 3).
"""

from functools import partial
from inspect import signature
from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen import supports
from skgen.base import AdditiveStatistics
from skgen.conditionals import IndependentColumns
from skgen.parametric._curvature import covariance
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._moments import LEVELS, integral, long_sum
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._partial import Line, fit_column
from skgen.parametric._quantiles import log_difference, reaches
from skgen.parametric._special import replaced

OPTIONS = """
    censoring : {"interval"}, optional
        "interval": two columns of X, low and high, make one value that is known to lie between them. Equal ends are
        a value that is known, infinite ones leave a side open; bins are intervals with their counts as weights.
    truncation : pair of float, optional
        The window outside of which no value was ever recorded. The model is the family's law given the window;
        `underlying` gives the law without it.
"""
INSIDE = 0.5  # a number inside every support
WHOLE_LINE = (-np.inf, np.inf)
NARROW = -6.0  # the logarithm of an interval's share of its tail, from which on the density is nearly level in it
LEGENDRE = np.transpose(np.polynomial.legendre.leggauss(4))


def _pair(truncation):
    """The ends of a window, as numbers."""
    try:
        low, high = truncation
        if all(isinstance(end, Real) and not isinstance(end, bool) for end in (low, high)) and low < high:
            return float(low), float(high)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"truncation is a pair of numbers, low < high, got {truncation!r}.")


def _with_options(doc):
    """The docstring of a family with the parameters that all families share."""
    before, after = doc.split("    Attributes\n", 1)
    heading = "" if "    Parameters\n" in before else "\n\n    Parameters\n    ----------"
    return f"{before.rstrip()}{heading}{OPTIONS}\n    Attributes\n{after}"


class UnivariateProduct(IndependentColumns, ParametricDensity):
    """Independent columns of one family; a conditional is a marginal.

    A family writes `_parameters`, `_logpdf`, `_estimate` (or sums, see `AdditiveProduct`) and `_law`, the distribution
    of scipy that serves for what it does not write itself.
    """

    censoring = truncation = None  # for subclasses that leave the parameters out
    _support = supports.real
    _units = ("shift", "scale")
    _unique_optimum = True
    _is_smooth = True  # whether the density has no kink inside the support
    _precision = 1e-8  # of a plain fit
    _ranges: dict = {}  # parameter -> the (low, high) that its estimate is kept in
    _parameter_constraints = {
        "censoring": [StrOptions({"interval"}), None],
        "truncation": [tuple, list, None],
    }

    def __init__(self, *, censoring=None, truncation=None):
        self.censoring = censoring
        self.truncation = truncation

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "censoring" in signature(cls).parameters and "    Attributes\n" in cls.__doc__:
            cls.__doc__ = _with_options(cls.__doc__)

    # What a family is

    @staticmethod
    def _law(*theta):
        """The distribution of scipy.stats with these parameters."""
        raise NotImplementedError

    @classmethod
    def _logpdf(cls, x, *theta):
        """Log-density of each entry inside the support."""
        return cls._law(*theta).logpdf(x)

    @classmethod
    def _log_tails(cls, x, *theta):
        """(log F, log(1 - F)) at each entry."""
        law = cls._law(*theta)
        return law.logcdf(x), law.logsf(x)

    @classmethod
    def _inverse(cls, log_u, log_v, *theta):
        """The quantile, from the logarithms of both tails."""
        law = cls._law(*theta)
        return np.where(log_u < log_v, law.ppf(np.exp(log_u)), law.isf(np.exp(log_v)))

    @classmethod
    def _draw(cls, size, rng, *theta):
        """Entries of shape `size`."""
        return cls._law(*theta).rvs(size, random_state=rng)

    def _estimate(self, x, sample_weight, j):
        """The parameters of most likelihood for one column; the weights add up to one."""
        raise NotImplementedError

    @classmethod
    def _peak(cls, *theta):
        """The mode of each column."""
        raise NotImplementedError

    @classmethod
    def _ends(cls, *theta):
        """The ends of the support where the parameters move them, or None."""
        return

    @classmethod
    def _mean_of(cls, *theta):
        """The mean of each column."""
        return cls._law(*theta).mean()

    @classmethod
    def _var_of(cls, *theta):
        """The variance of each column."""
        return cls._law(*theta).var()

    def _entropy_of(self, *theta):
        """The entropy of each column, or None where it has no closed form."""
        return None if self._support.discrete else self._law(*theta).entropy()

    @classmethod
    def _tail_powers(cls, *theta):
        """The powers of x with which the lower and the upper tail fall; infinite where they fall faster."""
        return np.inf, np.inf

    @classmethod
    def _is_regular(cls, *theta):
        """Where the maximum of the likelihood has a normal limit."""
        return np.full(np.shape(theta[-1]), True)

    def _fixed(self):
        """Names of parameters that are given, not estimated."""
        return ()

    # Supports and units

    @property
    def support(self):
        """What a value may be: the family's support, in the window of `truncation`, in pairs where it is censored."""
        ends = self._ends(*self._theta()) if self.__sklearn_is_fitted__() else None
        if ends is not None and self._is_plain():
            return supports.Product([supports.between(*pair) for pair in zip(*map(np.ravel, ends), strict=True)])
        inner = supports.within(self._support, *self._window())
        return supports.Pairs(inner) if self._is_censored() else inner

    @property
    def _equivariance(self):
        return self._units if self._is_plain() else ()

    @property
    def _rtol(self):
        return self._precision if self._is_plain() else 1e-6

    def _check_support(self, X):
        inner = supports.within(self._support, *self._window())
        if self._is_truncated():
            inner.remedy = "What lies outside of truncation was never recorded: widen the window, or drop the row."
        self._refuse_outside(X, supports.Pairs(inner) if self._is_censored() else inner)

    # What is seen of a value: as at the fit, and before it, as the parameters ask

    def _is_censored(self):
        return getattr(self, "is_censored_", self.censoring is not None)

    def _window(self):
        """The ends of the truncation window, infinite where it leaves the support's end alone."""
        return getattr(self, "window_", None) or self._asked_window()

    def _is_truncated(self):
        return self._window() != WHOLE_LINE

    def _is_plain(self):
        return not self._is_censored() and not self._is_truncated()

    @property
    def _infinite(self):
        return self._is_censored()

    def _asked_window(self):
        if self.truncation is None:
            return WHOLE_LINE
        low, high = _pair(self.truncation)
        if self._support.discrete:
            low, high = np.ceil(low), np.floor(high)
        if max(low, self._support.low) > min(high, self._support.high):
            raise ValueError(
                f"truncation={self.truncation} leaves nothing of {type(self).__name__}'s {self._support.phrase}: "
                "the window holds the values that could be recorded."
            )
        return (low if low > self._support.low else -np.inf), (high if high < self._support.high else np.inf)

    # Fit

    def _fit(self, X, y, sample_weight):
        self._look()
        if self._is_plain():
            self._fit_plain(X, sample_weight)
        else:
            self._fit_partial(X, sample_weight)

    def _look(self):
        """Keep how values are seen, whatever becomes of the parameters after the fit."""
        self.is_censored_, self.window_ = self._is_censored(), self._window()

    def _fit_plain(self, X, sample_weight):
        if not self._support.discrete:
            refuse_constant(self, np.ptp(X, axis=0), X[0])
        share = sample_weight / sample_weight.sum()
        self._set(np.transpose([self._estimate(x, share, j) for j, x in enumerate(X.T)]))

    def _set(self, theta):
        for name, values in zip(self._parameters, theta, strict=True):
            setattr(self, name, np.array(values, dtype=np.float64))

    def _theta(self):
        return tuple(getattr(self, name) for name in self._parameters)

    def _fit_partial(self, X, sample_weight):
        low, high = self._intervals(X)
        share = sample_weight / sample_weight.sum()
        self._set(np.transpose([self._climb(low[:, j], high[:, j], share, j) for j in range(low.shape[1])]))

    def _climb(self, low, high, share, j):
        """The parameters of most likelihood for one column of intervals, or of a window."""
        return fit_column(self, low, high, share, self._column_of(j))

    def _column_of(self, j):
        """What value j is, for messages."""
        return self.columns_.take([2 * j if self._is_censored() else j])

    def _in_range(self, theta):
        """Parameters, where those that have left their range stand at its end."""
        return tuple(
            np.clip(v, *self._ranges[name]) if name in self._ranges and name not in self._fixed() else v
            for name, v in zip(self._parameters, theta, strict=True)
        )

    @staticmethod
    def _other_starts(*theta):
        """Further places to start from, where the likelihood has several maxima."""
        return ()

    # Likelihood

    def _intervals(self, X):
        """Ends of the values: the columns themselves, or every second one."""
        return (X[:, ::2], X[:, 1::2]) if self._is_censored() else (X, X)

    def _log_prob(self, X, y):
        return self._log_terms(*self._intervals(X), self._theta()).sum(axis=1)

    def _log_terms(self, low, high, theta):
        """Each value's term of the log-likelihood, shape (n_samples, n_columns)."""
        if high is low:
            terms = self._logpdf(low, *theta)
        else:
            known = low == high
            open_rows = ~(known.all(axis=1) if known.ndim > 1 else known)
            terms = self._logpdf(np.where(known, low, INSIDE), *theta)
            if open_rows.any():
                left, right = self._window()  # outside of it nothing can be
                ends = np.maximum(low[open_rows], left), np.minimum(high[open_rows], right)
                mass = self._log_mass(*ends, theta)
                terms[open_rows] = np.where(known[open_rows], terms[open_rows], mass)
        if self._is_truncated():
            terms = terms - self._log_mass(*self._window(), theta)
        return terms

    def _log_mass(self, low, high, theta):
        """Log P(low < x <= high), or of low <= x <= high for whole numbers, by the smaller tail."""
        low = np.ceil(low) - 1 if self._support.discrete else low
        (log_f_low, log_s_low), (log_f_high, log_s_high) = self._tails(low, theta), self._tails(high, theta)
        lower = log_difference(log_f_high, log_f_low)
        upper = log_difference(log_s_low, log_s_high)
        mass = np.where(log_f_high < log_s_low, lower, upper)
        if self._support.discrete or not self._is_smooth:
            return mass
        with np.errstate(invalid="ignore"):  # nothing of nothing
            share = mass - np.minimum(log_f_high, log_s_low)  # of the tail: where it is small, the difference cancels
        is_narrow = (share < NARROW) & (low < high) & np.isfinite(low) & np.isfinite(high)
        return replaced(mass, is_narrow, self._log_narrow_mass, low, high, *theta)

    def _log_narrow_mass(self, low, high, *theta):
        """Log P(low < x <= high) by the density, between ends that are close."""
        half, middle = 0.5 * (high - low), low + 0.5 * (high - low)
        terms = [self._logpdf(middle + half * node, *theta) + np.log(weight * half) for node, weight in LEGENDRE]
        return np.logaddexp.reduce(terms)

    def _tails(self, x, theta):
        """(log F, log(1 - F)) for any x, infinite or outside the support."""
        x = np.asarray(x, dtype=np.float64)
        left, right = x < self._support.low, x >= self._support.high
        left, right = left | (x == -np.inf), right | (x == np.inf)
        with np.errstate(divide="ignore", over="ignore"):
            lower, upper = self._log_tails(np.where(left | right, INSIDE, x), *theta)
        return (
            np.where(left, -np.inf, np.where(right, 0.0, lower)),
            np.where(left, 0.0, np.where(right, -np.inf, upper)),
        )

    # Distribution function, quantiles, draws

    def _conditional_log_cdf(self, X):
        self._refuse_intervals()
        return self._cdf_tails(X)

    def _refuse_intervals(self):
        if self._is_censored():
            raise ValueError(
                "The rows are intervals: `cdf` and `ppf` take values, `underlying` gives the model of values."
            )

    def _cdf_tails(self, X):
        theta = self._theta()
        if not self._is_truncated():
            return self._tails(X, theta)
        low, high = self._window()
        after = 1.0 if self._support.discrete else 0.0
        is_under = X < low
        X = np.clip(np.floor(X) if self._support.discrete else X, low, high)
        mass = self._log_mass(low, high, theta)
        below = np.minimum(self._log_mass(low, np.maximum(X, low), theta) - mass, 0.0)
        above = np.minimum(self._log_mass(X + after, np.maximum(high, X + after), theta) - mass, 0.0)
        below, above = np.where(is_under, -np.inf, below), np.where(is_under, 0.0, above)
        return below, np.where(high <= X, -np.inf, above)

    def _conditional_ppf(self, log_u, log_v):
        self._refuse_intervals()
        return self._window_quantile(log_u, log_v, self._theta())

    def _window_quantile(self, log_u, log_v, theta):
        """The quantile of the law in its window."""
        if not self._is_truncated():
            return self._quantile(log_u, log_v, theta)
        low, high = self._window()
        mass = self._log_mass(low, high, theta)
        below = self._tails(low - 1 if self._support.discrete else low, theta)[0]
        above = self._tails(high, theta)[1]
        x = self._quantile(np.logaddexp(below, log_u + mass), np.logaddexp(above, log_v + mass), theta)
        return np.clip(x, low, high)

    def _quantile(self, log_u, log_v, theta):
        x = self._inverse(log_u, log_v, *theta)
        if self._support.discrete:  # where F(k) = u up to rounding, k is the quantile and not k + 1
            x = np.where(self._reaches(x - 1, log_u, log_v, theta), x - 1, x)
            x = np.where(self._reaches(x, log_u, log_v, theta), x, x + 1)
        return np.clip(x, self._support.low, self._support.high)

    def _reaches(self, x, log_u, log_v, theta):
        """Whether F(x) is u or more, up to rounding, by the smaller tail."""
        return reaches(self._tails(x, theta), log_u, log_v)

    def _complete(self, X, rng):
        self._refuse_intervals()
        return super()._complete(X, rng)

    def _sample(self, n_samples, y, rng):
        theta = self._theta()
        X = self._draw((n_samples, len(theta[0])), rng, *theta).astype(np.float64)
        if self._is_truncated():
            X = self._into_window(X, rng, theta)
        return np.repeat(X, 2, axis=1) if self._is_censored() else X

    def _into_window(self, X, rng, theta):
        """Draws again what lies outside the window, and by the quantile where that would take long."""
        low, high = self._window()
        outside = (X < low) | (high < X)
        for _ in range(20):
            if not outside.any() or outside.mean() > 0.8:
                break
            X = np.where(outside, self._draw(X.shape, rng, *theta), X)
            outside = (X < low) | (high < X)
        if outside.any():
            u = np.maximum(rng.random(X.shape), 1e-300)
            X = np.where(outside, self._window_quantile(np.log(u), np.log1p(-u), theta), X)
        return X

    def underlying(self):
        """The law of the values themselves: the same parameters without censoring and truncation.

        Returns
        -------
        model : object
            A fitted model of the same family.
        """
        check_is_fitted(self)
        return self._seen_through(WHOLE_LINE)

    def _as_fitted(self):
        return self._seen(clone(self), self._is_censored(), self._window())

    def _seen(self, model, is_censored, window):
        """The model with its options set to these, where it has them."""
        options = {"censoring": "interval" if is_censored else None, "truncation": window}
        if window == WHOLE_LINE:
            options["truncation"] = None
        return model.set_params(**{k: v for k, v in options.items() if k in self._get_param_names()})

    def _of_values(self):
        check_is_fitted(self)
        return self._seen_through(self._window()) if self._is_censored() else self

    def _seen_through(self, window):
        """The model of the same parameters whose rows are values in a window."""
        model = self._seen(self._as_fitted(), False, window)
        model._look()
        model._set(self._theta())
        step = 2 if self._is_censored() else 1
        columns = list(range(0, self.n_features_in_, step))
        model.columns_, model.n_features_in_ = self.columns_.take(columns), len(columns)
        if hasattr(self, "feature_names_in_"):
            model.feature_names_in_ = self.feature_names_in_[columns]
        model._fitted = True
        return model

    # Moments

    def _mean(self):
        if not self._is_truncated():
            return self._closed(self._mean_of)
        lower, upper = self._heavy_tails(1)
        mean = self._expectations(lambda x, j: x)
        return np.select([lower & upper, lower, upper], [np.nan, -np.inf, np.inf], mean)

    def _var(self):
        if not self._is_truncated():
            return self._closed(self._var_of)
        mean = self._mean()
        var = self._expectations(lambda x, j: (x - mean[j]) ** 2)
        return np.select([~np.isfinite(mean), np.any(self._heavy_tails(2), axis=0)], [np.nan, np.inf], var)

    def _entropy(self):
        entropy = None if self._is_truncated() else self._closed(self._entropy_of)
        if entropy is None:
            entropy = self._expectations(lambda x, j: -self._log_terms(x, x, self._column(j)))
        return np.sum(entropy)

    def _closed(self, form):
        """A closed form at the parameters, or None."""
        with np.errstate(all="ignore"):  # what does not exist is NaN or infinite
            value = form(*self._theta())
        return None if value is None else np.broadcast_to(value, np.shape(self._theta()[-1]))

    def _heavy_tails(self, power):
        """Where the lower and the upper tail reach so far that this power of a value has no expectation."""
        shape = np.shape(self._theta()[-1])
        falls = zip(self._tail_powers(*self._theta()), self._window(), strict=True)
        return [np.broadcast_to((fall <= power) & np.isinf(end), shape) for fall, end in falls]

    def _column(self, j):
        return tuple(value[j] for value in self._theta())

    def _expectations(self, function):
        """The expectation of function(x, j) under the law of each column j in its window."""
        return np.array([self._expect(partial(function, j=j), j) for j in range(len(self._theta()[0]))])

    def _expect(self, function, j):
        theta = self._column(j)
        at = self._window_quantile(np.log(LEVELS), np.log1p(-LEVELS), theta)

        def weighed(x):
            with np.errstate(over="ignore", invalid="ignore"):  # far out, where the density is zero
                density = np.exp(self._log_terms(x, x, theta))
                return np.where(density > 0, function(x) * density, 0.0)

        if self._support.discrete:
            x, weight = long_sum(at[0], at[-1], max(at[5] - at[3], 1.0))
            return float(weight @ weighed(x))
        (left, right), inner = self._window(), self._support
        return integral(weighed, np.unique([max(left, inner.low), *at[1:-1], min(right, inner.high)]))

    def _mode(self):
        peak = np.asarray(self._peak(*self._theta()), dtype=np.float64)
        low, high = self._window()
        return np.clip(peak, low, high)

    # Precision

    def _n_parameters(self):
        free = [name for name in self._parameters if name not in self._fixed()]
        return sum(np.size(getattr(self, name)) for name in free)

    def _standard_errors(self, X, sample_weight):
        low, high = self._intervals(X)
        columns = [self._column_errors(low[:, j], high[:, j], sample_weight, j) for j in range(low.shape[1])]
        return dict(zip(self._parameters, np.transpose(columns), strict=True))

    def _column_errors(self, low, high, sample_weight, j):
        """Standard errors of column j in the order of the parameters: 0 where one is given, NaN where there is none."""
        theta, n = tuple(value[[j]] for value in self._theta()), sample_weight.sum()
        middle = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        line = Line(self, middle[:, None]).holding([name for name in self._parameters if self._at_end(name, j)])
        errors = {name: 0.0 if name in self._fixed() else np.nan for name in self._parameters}
        if self._is_regular(*theta) and line.names:

            def height(u):
                return float(sample_weight @ self._log_terms(low, high, line.theta(u[:, None], theta)) / n)

            with np.errstate(divide="ignore"):  # a rate of zero
                peak = line.point(theta)[:, 0]
            deviation = np.sqrt(np.diag(covariance(height, peak)) / n)
            slopes = [float(line.slope(i, theta)[0]) for i in range(len(line.names))]
            errors |= dict(zip(line.names, deviation * slopes, strict=True))
        return list(errors.values())

    def _at_end(self, name, j):
        """Whether an estimate stands at an end of its range."""
        low, high = self._ranges.get(name, (-np.inf, np.inf))
        return not low < getattr(self, name)[j] < high


class AdditiveProduct(AdditiveStatistics, UnivariateProduct):
    """A product whose fit is determined by sums: a family writes `_statistics` and `_m_step`."""

    _precision = 1e-9

    def _is_incremental(self):
        return self._is_plain()

    def _take_in(self, X, y, sample_weight):
        self._look()
        super()._take_in(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        self._look()
        if self._is_plain():
            AdditiveStatistics._fit(self, X, y, sample_weight)
        else:
            self._fit_partial(X, sample_weight)
