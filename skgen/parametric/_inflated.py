r"""Zero-inflated counts: more zeros than a family of counts has.

Lambert, "Zero-inflated Poisson regression, with an application to defects in manufacturing", 1992.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, xlogy
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if

from skgen import supports
from skgen.conditionals import IndependentColumns, TractableConditionals
from skgen.foreign import as_density
from skgen.parametric._counts import Poisson
from skgen.parametric._curvature import covariance
from skgen.parametric._discrete import PointMass
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._partial import Line
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._quantiles import log_difference

ZERO = np.zeros((1, 1))


class ZeroInflated(IndependentColumns, ParametricDensity):
    r"""Independent counts that are zero for a reason of their own with a probability of their own.

    .. math:: p(x) = \prod_j \left[\pi_j 1(x_j = 0) + (1 - \pi_j) f(x_j; \theta_j)\right]

    Fitted by weighted maximum likelihood. With a share v of the zeros given to the family, its fit to these rows makes
    it expect as many zeros as it was given at the one v that is a stationary point of the likelihood: a root in one
    dimension. :math:`\pi = 0` where the family expects more zeros than there are.

    Parameters
    ----------
    estimator : density estimator, optional
        The family of counts f; `Poisson()` by default. It takes weights, and has neither window nor intervals.

    Attributes
    ----------
    inflation_ : ndarray of shape (n_features,)
        The probabilities :math:`\pi` of a zero that is not the family's.
    estimators_ : list of DensityEstimator
        The fitted family of each column. Its parameters are attributes of this model too.

    Examples
    --------
    >>> from skgen import ZeroInflated
    >>> model = ZeroInflated().fit([[0], [0], [0], [0], [2], [3], [4]])
    >>> model.inflation_.round(3), model.rate_.round(3)
    (array([0.544]), array([2.821]))
    """

    support = supports.integer
    _unique_optimum = True
    _rtol = 1e-7
    _parameter_constraints = {"estimator": [HasMethods("fit"), None]}

    def __init__(self, estimator=None):
        self.estimator = estimator

    @property
    def _parameters(self):
        part = self.estimators_[0] if hasattr(self, "estimators_") else self._family()
        own = part._parameters if isinstance(part, UnivariateProduct) else {}
        return {"inflation_": "unit", **own}

    def _family(self):
        return as_density(Poisson() if self.estimator is None else self.estimator)

    def _as_fitted(self):
        return clone(self).set_params(estimator=self.estimators_[0]._as_fitted())

    def _n_parameters(self):
        return len(self.estimators_) + sum(part._n_parameters() for part in self.estimators_)

    def _fit(self, X, y, sample_weight):
        refuse_unfit(self._family())
        fitted = [self._fit_column(X[:, [j]], self.columns_.take([j]), sample_weight) for j in range(X.shape[1])]
        self.estimators_, inflation = zip(*fitted, strict=True)
        self.estimators_, self.inflation_ = list(self.estimators_), np.array(inflation)
        for name in list(self._parameters)[1:]:
            setattr(self, name, np.concatenate([getattr(part, name) for part in self.estimators_]))

    def _fit_column(self, x, column, sample_weight):
        is_zero = x[:, 0] == 0
        n, n_zeros = sample_weight.sum(), sample_weight[is_zero].sum()
        rows = np.vstack([x[~is_zero], ZERO]) if n_zeros else x
        weight = np.append(sample_weight[~is_zero], n_zeros) if n_zeros else sample_weight

        def part(v):
            given = np.append(weight[:-1], v * n_zeros)
            kept = given > 0
            return clone(self._family())._fit_coded(rows[kept], column, given[kept])

        def missing(v):
            """Zeros that the family expects among the rows it was given, less those that it was given."""
            expected = np.exp(part(v)._log_prob(ZERO, None)[0])
            return (n - n_zeros + v * n_zeros) * expected - v * n_zeros

        whole = clone(self._family())._fit_coded(x, column, sample_weight)
        if not 0 < n_zeros < n or n * np.exp(whole._log_prob(ZERO, None)[0]) >= n_zeros * (1 - 1e-12):
            return whole, 0.0
        v = brentq(missing, 0.0, 1.0, xtol=1e-15, rtol=1e-14)
        return part(v), n_zeros * (1 - v) / n

    def _log_prob(self, X, y):
        return sum(self._column_log_prob(X[:, [j]], j) for j in range(X.shape[1]))

    def _column_log_prob(self, x, j):
        return _inflated(x[:, 0], self.estimators_[j]._log_prob(x, None), self.inflation_[j])

    def _sample(self, n_samples, y, rng):
        X = np.column_stack([part._sample(n_samples, None, rng) for part in self.estimators_])
        return np.where(rng.random(X.shape) < self.inflation_, 0.0, X)

    def _conditional_log_cdf(self, X):
        tails = [part._conditional_log_cdf(X[:, [j]]) for j, part in enumerate(self.estimators_)]
        lower, upper = (np.hstack(part) for part in zip(*tails, strict=True))
        with np.errstate(divide="ignore"):
            inflation = np.log(self.inflation_)
        lower = np.where(X < 0, -np.inf, np.logaddexp(inflation, np.log1p(-self.inflation_) + lower))
        return np.minimum(lower, 0.0), np.where(X < 0, 0.0, np.log1p(-self.inflation_) + upper)

    def _conditional_ppf(self, log_u, log_v):
        rest = np.log1p(-self.inflation_)
        with np.errstate(divide="ignore"):
            inflation = np.log(self.inflation_)
        is_zero = log_u <= inflation
        lower = np.where(is_zero, -700.0, log_difference(np.maximum(log_u, inflation), inflation) - rest)
        upper = np.where(is_zero, 0.0, np.minimum(log_v - rest, 0.0))
        columns = zip(self.estimators_, np.minimum(lower, 0.0).T, upper.T, strict=True)
        X = np.hstack([part._conditional_ppf(u[:, None], v[:, None]) for part, u, v in columns])
        return np.where(is_zero, 0.0, X)

    def _mean(self):
        return (1 - self.inflation_) * np.concatenate([part._mean() for part in self.estimators_])

    def _var(self):
        mean = np.concatenate([part._mean() for part in self.estimators_])
        var = np.concatenate([part._var() for part in self.estimators_])
        return (1 - self.inflation_) * (var + self.inflation_ * mean**2)

    @available_if(lambda self: all(hasattr(part, "_mode") for part in getattr(self, "estimators_", [])))
    def _mode(self):
        peaks = np.concatenate([part._mode() for part in self.estimators_])
        at = [[self._column_log_prob(np.full((1, 1), v), j)[0] for v in (0.0, p)] for j, p in enumerate(peaks)]
        return np.where([zero >= peak for zero, peak in at], 0.0, peaks)

    def _entropy(self):
        zeros = np.zeros((1, 1))
        return sum(
            _inflated_entropy(part._entropy(), part._log_prob(zeros, None)[0], inflation)
            for part, inflation in zip(self.estimators_, self.inflation_, strict=True)
        )

    def _standard_errors(self, X, sample_weight):
        errors = {name: np.full_like(getattr(self, name), np.nan) for name in self._parameters}
        for j, part in enumerate(self.estimators_):
            if len(errors) > 1:
                with np.errstate(all="ignore"):  # a rate may be zero
                    found = _column_errors(X[:, [j]], sample_weight, part, self.inflation_[j])
                for name, error in found.items():
                    errors[name][[j]] = error
        return errors


def refuse_unfit(family):
    """A family that extra zeros mean nothing for, or whose parts they would not find."""
    name = type(family).__name__
    if not family.support.discrete_columns(1).all():
        raise ValueError(
            f"ZeroInflated wants a family of counts, but {name} has a density. Use Poisson() or NegativeBinomial()."
        )
    is_family = isinstance(family, TractableConditionals) and isinstance(family, ParametricDensity)
    if not is_family or isinstance(family, ZeroInflated | PointMass):
        raise ValueError(
            f"ZeroInflated wants a family of counts, of which each column gets one, but {name} is none. Use Poisson() "
            "or NegativeBinomial()."
        )
    if family.support is supports.binary:
        raise ValueError(f"Zeros and ones do not tell {name}'s zeros from those of another kind. Use {name} alone.")
    if getattr(family, "censoring", None) is not None or getattr(family, "truncation", None) is not None:
        raise ValueError(f"ZeroInflated wants all counts, but got {family!r}. Leave out its censoring and truncation.")


def _inflated(x, log_p, inflation):
    """The log-probability with the extra zeros."""
    with np.errstate(divide="ignore"):
        rest = np.log1p(-inflation) + log_p
        return np.where(x == 0, np.logaddexp(np.log(inflation), rest), rest)


def _inflated_entropy(entropy, log_zero, inflation):
    """The entropy with extra zeros, from the family's and its log-probability of a zero."""
    zero = np.exp(log_zero)
    all_zeros, rest = inflation + (1 - inflation) * zero, 1 - inflation
    # that of the positive counts: the family's less its own term of the zeros, and what their share makes of it
    positive = rest * (entropy + xlogy(zero, zero) - xlogy(1 - zero, rest))
    return positive - xlogy(all_zeros, all_zeros)


def _column_errors(x, sample_weight, part, inflation):
    """Standard errors by name, by the joint observed information of what is inside its range; NaN for the rest."""
    if inflation == 0:
        return {**part._standard_errors(x, sample_weight), "inflation_": np.nan}
    theta, n, held = part._theta(), sample_weight.sum(), [name for name in part._parameters if part._at_end(name, 0)]
    line = Line(part, x).holding(held)

    def height(u):
        log_p = part._log_terms(x, x, line.theta(u[1:, None], theta))
        return float(sample_weight @ _inflated(x, log_p, expit(u[0]))[:, 0] / n)

    peak = np.append(logit(inflation), line.point(theta)[:, 0])
    slopes = [inflation * (1 - inflation), *(line.slope(i, theta)[0] for i in range(len(line.names)))]
    deviation = np.sqrt(np.diag(covariance(height, peak)) / n)
    by_name = zip(["inflation_", *line.names], deviation * slopes, strict=True)
    return dict.fromkeys(part._fixed(), 0.0) | dict(by_name)
