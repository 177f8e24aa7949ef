r"""Products of univariate families: the columns are independent, each has parameters of its own.

.. math:: p(x) = \prod_{j=1}^d f(x_j; \theta_j)

A family is a few functions on arrays: the log-density, both tails in logarithms, and the fit of one column. What is
made of them stands here once: rows known up to an interval, whose term of the likelihood is :math:`F(b) - F(a)`; rows
outside a window that nobody recorded, :math:`f(x) / (F(b) - F(a))`; standard errors; quantiles and draws (Klein and
Moeschberger, "Survival Analysis", 2003, chapter 3).
"""

from inspect import signature

import numpy as np
from scipy.integrate import quad
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen import supports
from skgen.base import AdditiveStatistics
from skgen.conditionals import TractableConditionals
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import differences
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._partial import Line, fit_column
from skgen.parametric._quantiles import log_difference

OPTIONS = """
    censoring : {"interval"}, optional
        "interval": two columns of X, low and high, make one value that is known to lie between them. Equal ends are
        a value that is known, infinite ones leave a side open; bins are intervals with their counts as weights.
    truncation : pair of float, optional
        The window outside of which no value was ever recorded. The model is the family's law given the window;
        `underlying` gives the law without it.
"""
INSIDE = 0.5  # a number inside every support
MOST_CELLS = 2**20  # whole numbers that an expectation is summed over


def _with_options(doc):
    """The docstring of a family with the parameters that all families share."""
    before, after = doc.split("    Attributes\n", 1)
    heading = "" if "    Parameters\n" in before else "\n\n    Parameters\n    ----------"
    return f"{before.rstrip()}{heading}{OPTIONS}\n    Attributes\n{after}"


class UnivariateProduct(TractableConditionals, ParametricDensity):
    """Independent columns of one family; a conditional is a marginal.

    A family writes `_parameters`, `_logpdf`, `_estimate` (or sums, see `AdditiveProduct`) and `_law`, the distribution
    of scipy that serves for what it does not write itself.
    """

    censoring = truncation = None  # for subclasses that leave the parameters out
    _support = supports.real
    _units = ("shift", "scale")
    _unique_optimum = True
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
        if ends is not None and self.censoring is None and self.truncation is None:
            return supports.Product([supports.between(*pair) for pair in zip(*map(np.ravel, ends), strict=True)])
        inner = self._support if self.truncation is None else supports.within(self._support, *self._window())
        return inner if self.censoring is None else supports.Pairs(inner)

    @property
    def _equivariance(self):
        return self._units if self._is_plain() else ()

    @property
    def _rtol(self):
        return self._precision if self._is_plain() else 1e-6

    def _check_support(self, X):
        ends = supports.within(self._support, *self._window()) if self.truncation is not None else self._support
        self._refuse_outside(X, ends if self.censoring is None else supports.Pairs(ends))

    def _is_plain(self):
        return self.censoring is None and self.truncation is None

    @property
    def _infinite(self):
        return self.censoring is not None

    def _window(self):
        """The ends of the truncation window."""
        ends = (-np.inf, np.inf) if self.truncation is None else self.truncation
        if len(ends) != 2 or not all(np.isscalar(end) for end in ends) or not float(ends[0]) < float(ends[1]):
            raise ValueError(f"truncation is a pair of numbers, low < high, got {self.truncation!r}.")
        low, high = map(float, ends)
        return (np.ceil(low), np.floor(high)) if self._support.discrete else (low, high)

    # Fit

    def _fit(self, X, y, sample_weight):
        if self._is_plain():
            self._fit_plain(X, sample_weight)
        else:
            self._fit_partial(X, sample_weight)

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
        return fit_column(self, low, high, share, self.columns_.take([j if self.censoring is None else 2 * j]))

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
        return (X, X) if self.censoring is None else (X[:, ::2], X[:, 1::2])

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
        if self.truncation is not None:
            terms = terms - self._log_mass(*self._window(), theta)
        return terms

    def _log_mass(self, low, high, theta):
        """Log P(low < x <= high), or of low <= x <= high for whole numbers, by the smaller tail."""
        low = np.ceil(low) - 1 if self._support.discrete else low
        (log_f_low, log_s_low), (log_f_high, log_s_high) = self._tails(low, theta), self._tails(high, theta)
        lower = log_difference(log_f_high, log_f_low)
        upper = log_difference(log_s_low, log_s_high)
        return np.where(log_f_high < log_s_low, lower, upper)

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
        if self.censoring is not None:
            raise ValueError("The rows are intervals: `cdf` takes values, `underlying` gives the model of values.")
        return self._cdf_tails(X)

    def _cdf_tails(self, X):
        theta = self._theta()
        if self.truncation is None:
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
        return self._window_quantile(log_u, log_v, self._theta())

    def _window_quantile(self, log_u, log_v, theta):
        """The quantile of the law in its window."""
        if self.truncation is None:
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
        lower, upper = self._tails(x, theta)
        rounded = np.logaddexp(log_v, np.log(2**-52)) + 1e-12  # a probability next to one has no finer tail
        return np.where(log_u < log_v, lower >= log_u - 1e-12, upper <= rounded)

    def _complete(self, X, rng):
        return np.where(np.isnan(X), self._sample(len(X), None, rng), X)

    def _sample(self, n_samples, y, rng):
        theta = self._theta()
        X = self._draw((n_samples, len(theta[0])), rng, *theta).astype(np.float64)
        if self.truncation is not None:
            X = self._into_window(X, rng, theta)
        return X if self.censoring is None else np.repeat(X, 2, axis=1)

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
            X = np.where(outside, self._conditional_ppf(np.log(u), np.log1p(-u)), X)
        return X

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
        """
        if self.censoring is None:
            return self.conditional_cdf(X)
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64, input_name="X", estimator=self)
        return np.exp(self._cdf_tails(self._of_width(X))[0])

    def ppf(self, U):
        """Quantiles of each column: the inverse of `cdf`.

        Parameters
        ----------
        U : array-like of shape (n_samples, n_columns)
            Probabilities. The ends, whose quantiles may be infinite, stand for 1e-300 and 1 - 2^-53.

        Returns
        -------
        X : ndarray or data frame of shape (n_samples, n_columns)
            Values; a table like the fitted one unless that held intervals.
        """
        if self.censoring is None:
            return self.conditional_ppf(U)
        check_is_fitted(self)
        U = self._of_width(check_array(U, dtype=np.float64, input_name="U", estimator=self))
        if (U < 0).any() or (U > 1).any():
            raise ValueError("U holds probabilities, each from 0 to 1.")
        U = np.clip(U, 1e-300, 1 - 2**-53)
        return self._conditional_ppf(np.log(U), np.log1p(-U))

    def _of_width(self, X):
        n_columns = len(self._theta()[0])
        if X.shape[1] != n_columns:
            raise ValueError(f"{type(self).__name__} has {n_columns} columns of values, got {X.shape[1]}.")
        return X

    def underlying(self):
        """The law of the values themselves: the same parameters without censoring and truncation.

        Returns
        -------
        model : object
            A fitted model of the same family.
        """
        check_is_fitted(self)
        model = clone(self).set_params(censoring=None, truncation=None)
        model._set(self._theta())
        step = 1 if self.censoring is None else 2
        columns = list(range(0, self.n_features_in_, step))
        model.columns_, model.n_features_in_ = self.columns_.take(columns), len(columns)
        if hasattr(self, "feature_names_in_"):
            model.feature_names_in_ = self.feature_names_in_[columns]
        model._fitted = True
        return model

    # Moments

    def _mean(self):
        return self._moment("mean", lambda x, j: x)

    def _var(self):
        if self.truncation is None:
            return self._moment("var", None)
        mean = self._mean()
        return self._moment("var", lambda x, j: (x - mean[j]) ** 2)

    def _entropy(self):
        return np.sum(self._moment("entropy", lambda x, j: -self._log_terms(x, x, self._column(j))))

    def _moment(self, name, of_value):
        """A closed form of the law, or an expectation where there is none."""
        if self.truncation is None and not (name == "entropy" and self._support.discrete):
            with np.errstate(all="ignore"):  # what does not exist is NaN or infinite
                return np.broadcast_to(getattr(self._law(*self._theta()), name)(), np.shape(self._theta()[-1]))
        return np.array([self._expect(lambda x, j=j: of_value(x, j), j) for j in range(len(self._theta()[0]))])

    def _column(self, j):
        return tuple(value[j] for value in self._theta())

    def _expect(self, function, j):
        """The expectation of a function of column j under the law in its window."""
        theta = self._column(j)
        levels = np.array([1e-300, 1e-9, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-9, 1 - 2**-53])
        at = self._window_quantile(np.log(levels), np.log1p(-levels), theta)

        def integrand(x):
            log_density = self._log_terms(x, x, theta)
            return np.where(np.isneginf(log_density), 0.0, function(x) * np.exp(log_density))

        if self._support.discrete:
            step = max(1.0, np.ceil((at[-1] - at[0]) / MOST_CELLS))  # so many are as good as a continuum
            cells = np.arange(at[0], at[-1] + step, step)
            return float(step * np.sum(integrand(cells)))
        low, high = (max(self._window()[0], self._support.low), min(self._window()[1], self._support.high))
        edges = np.unique([low, *at[1:-1], high])
        how = {"epsabs": 0, "epsrel": 1e-10, "limit": 200, "full_output": 1}
        parts = [quad(integrand, *ends, **how)[0] for ends in zip(edges, edges[1:], strict=False)]
        return float(np.sum(parts))

    def _mode(self):
        peak = np.asarray(self._peak(*self._theta()), dtype=np.float64)
        low, high = self._window()
        return np.clip(peak, low, high)

    # Precision

    def _n_parameters(self):
        free = [name for name in self._parameters if name not in self._fixed()]
        return sum(np.size(getattr(self, name)) for name in free)

    def _standard_errors(self, X, sample_weight):
        theta, (low, high) = self._theta(), self._intervals(X)
        line = Line(self, np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0)))
        u = line.point(theta)

        def value(u):
            return sample_weight @ self._log_terms(low, high, line.theta(u, theta))

        with np.errstate(all="ignore"):
            hessian = differences(value, u)[2]
        regular = self._is_regular(*theta)
        errors = {
            name: np.zeros_like(v) if name in self._fixed() else np.full_like(v, np.nan)
            for name, v in zip(self._parameters, theta, strict=True)
        }
        for j in np.flatnonzero(regular):
            free = [i for i, name in enumerate(line.names) if not self._at_end(name, j)]
            information = -hessian[:, :, j][np.ix_(free, free)]
            if np.isfinite(information).all() and (np.linalg.eigvalsh(information) > 0).all():
                deviation = np.sqrt(np.diag(np.linalg.inv(information)))
                for i, error in zip(free, deviation, strict=True):
                    errors[line.names[i]][j] = error * line.slope(i, theta)[j]
        return errors

    def _at_end(self, name, j):
        """Whether an estimate stands at an end of its range."""
        low, high = self._ranges.get(name, (-np.inf, np.inf))
        return not low < getattr(self, name)[j] < high


class AdditiveProduct(AdditiveStatistics, UnivariateProduct):
    """A product whose fit is determined by sums: a family writes `_statistics` and `_m_step`."""

    _precision = 1e-9

    def _is_additive(self):
        return self._is_plain()

    def _fit(self, X, y, sample_weight):
        if self._is_plain():
            AdditiveStatistics._fit(self, X, y, sample_weight)
        else:
            self._fit_partial(X, sample_weight)


class FullyObserved(UnivariateProduct):
    """A product whose values are all known: intervals and windows mean nothing for it, or nothing new."""

    _parameter_constraints: dict = {}

    def __init__(self):
        """Without options."""
