r"""Fits to values that are known up to an interval, or seen through a window.

A column's log-likelihood has terms :math:`\log f(x)` for values that are known and :math:`\log(F(b) - F(a))` for those
in an interval, each less the logarithm of the window's mass. It is climbed by Newton's steps from a plain fit to values
that stand in for the intervals (Klein and Moeschberger, "Survival Analysis", 2003, sections 3.5 and 3.6).
"""

from copy import copy

import numpy as np
from sklearn.base import clone

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.parametric._curvature import covariance
from skgen.parametric._maximum import certified, climb_numerically
from skgen.parametric._parametric import LINKS

CERTAIN = 1e-10  # nats a row below certainty
OFF_SCALE = 20.0  # from the start, in spreads of the data or as a logarithm: a parameter runs away


@np.errstate(all="ignore")  # a climb may look out of the domain
def fit_column(model, low, high, share, column):
    """The parameters of most likelihood for one column.

    Parameters
    ----------
    model : UnivariateProduct
        Whose family and window it is.
    low, high : ndarray of shape (n_samples,)
        The ends of the values' intervals; equal where a value is known.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.
    column : skgen.columns.Columns
        What the column is, for messages.

    Returns
    -------
    tuple of float
        In the order of the model's `_parameters`.

    Raises
    ------
    UnboundedLikelihood
        If a parameter runs away.
    """
    _refuse_one_value(model, low, high, column)
    inner = supports.within(model._support, *model._window())
    stand_in = _stand_in(np.maximum(low, inner.low), np.minimum(high, inner.high), inner)[:, None]
    plain = _fit_to_stand_ins(model, stand_in, low, high, share, column)
    start = tuple(float(value[0]) for value in plain._theta())
    if not model._is_truncated() and (low == high).all():
        return start
    (low, high), share = without_repeats(low, high, share)
    line = Line(plain, stand_in)
    found = [_uphill(model, low, high, share, line, first) for first in (start, *model._other_starts(*start))]
    theta, peak, value = max(found, key=lambda triple: np.nan_to_num(triple[1].value, nan=-np.inf))
    if not (low == high).any() and peak.value > -CERTAIN:
        raise unbounded(model, column, "there is a law to which every row is certain, and so none that is likeliest")
    moved = (line.point(_columns(theta)) - line.point(_columns(start)))[:, 0]
    if not (np.abs(moved).max(initial=0) < OFF_SCALE or _is_a_peak(peak, value)):
        return _at_the_end(model, low, high, share, line, theta, moved, peak, column)
    certified(model, peak, column.name(0))
    return theta


def _uphill(model, low, high, share, line, theta):
    """The maximum uphill of some parameters, and the function climbed; those that leave their range stay at its end."""
    while True:

        def value(u, line=line, theta=theta):
            inside = model._in_range(line.theta(u[:, None], theta))
            return float(share @ model._log_terms(low, high, inside).ravel())

        peak = climb_numerically(value, line.point(_columns(theta))[:, 0])
        found = tuple(float(np.squeeze(v)) for v in line.theta(peak.point[:, None], theta))
        theta = tuple(float(v) for v in model._in_range(found))
        beyond = [name for name, v, end in zip(model._parameters, found, theta, strict=True) if v != end]
        if not beyond:
            return theta, peak, value
        line = line.holding(beyond)


def _at_the_end(model, low, high, share, line, theta, moved, peak, column):
    """Where a parameter runs to the end of its domain: the end, if it is as likely (no success at all, say)."""
    u = line.point(_columns(theta))
    away = np.abs(moved) >= OFF_SCALE
    u[away, 0] = np.copysign(np.inf, moved[away])
    end = tuple(float(np.squeeze(v)) for v in line.theta(u, theta))
    if np.isfinite(end).all() and share @ model._log_terms(low, high, end).ravel() >= peak.value - 1e-9:
        return end
    reached = ", ".join(f"{name} = {value:.3g}" for name, value in zip(model._parameters, theta, strict=True))
    raise unbounded(model, column, f"the rows say too little of its parameters, which reached {reached}")


def _is_a_peak(peak, value):
    """Whether the likelihood falls on all sides of where a climb ended, however far that is."""
    return peak.solved and bool(np.isfinite(covariance(value, peak.point)).all())


def could_be_one_value(low, high):
    """Whether the values that are known are all one, which every interval holds."""
    known = low[low == high]
    return len(known) > 0 and np.ptp(known) == 0 and bool(((low <= known[0]) & (known[0] <= high)).all())


def _refuse_one_value(model, low, high, column):
    """Refuse rows that may all be one value, which is known, if the density piles up on a constant column."""
    if not could_be_one_value(low, high):
        return
    known = low[low == high]
    try:
        _plain(model)._fit_coded(np.full((2, 1), known[0]), column, np.full(2, 0.5))
    except UnboundedLikelihood:
        if (low == high).all():
            raise
        why = f"all rows may be one value ({known[0]:.6g}), on which the density piles up"
        raise unbounded(model, column, why) from None


def _fit_to_stand_ins(model, stand_in, low, high, share, column):
    """The plain fit to start from; a column of intervals of which all are alike has none."""
    try:
        return _plain(model)._fit_coded(stand_in, column, share)
    except UnboundedLikelihood:
        if (low == high).all():
            raise
        raise unbounded(model, column, "the rows say too little of its parameters") from None


def _plain(model):
    """An unfitted model of the family, for values without a window."""
    return clone(model).set_params(censoring=None, truncation=None)


def unbounded(model, column, why):
    """The error that a likelihood has no maximum, with the column and the reason.

    Parameters
    ----------
    model : UnivariateProduct
        Whose likelihood it is.
    column : skgen.columns.Columns
        Of one column.
    why : str
        The reason, as the end of a sentence.

    Returns
    -------
    UnboundedLikelihood
    """
    return UnboundedLikelihood(
        f"The likelihood of {type(model).__name__} has no maximum in {column.name(0)}: {why}. Use rows that say more, "
        "or another family."
    )


def _columns(theta):
    """Parameters of one column as arrays."""
    return [np.array([value]) for value in theta]


class Line:
    """Free parameters on the whole line, of order one: locations in units of the data's spread, the rest by links.

    Parameters
    ----------
    model : UnivariateProduct
        Fitted; whose parameters they are.
    X : ndarray of shape (n_samples, n_columns)
        The data.
    """

    def __init__(self, model, X):
        self.all = list(model._parameters)
        self.names = [name for name in self.all if name not in model._fixed()]
        self.domains = [model._parameters[name] for name in self.names]
        low, self.center, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)  # outliers do not move them
        unit = np.maximum(np.abs(X).max(axis=0), np.finfo(float).tiny)
        spread = np.where(high > low, high - low, unit * np.std(X / unit, axis=0))
        self.spread = np.where(spread > 0, spread, np.maximum(np.abs(X[0]), 1e-300))

    def holding(self, names):
        """The line of the parameters that are left when some are held."""
        line = copy(self)
        line.names = [name for name in self.names if name not in names]
        line.domains = [self.domains[self.names.index(name)] for name in line.names]
        return line

    def point(self, theta):
        """The point u, shape (k, n_columns), of all parameters."""
        values = [theta[self.all.index(name)] for name in self.names]
        return np.array(
            [
                (value - self.center) / self.spread if domain == "location" else LINKS[domain].to_line(value)
                for domain, value in zip(self.domains, values, strict=True)
            ],
            dtype=np.float64,
        )

    def theta(self, u, given):
        """All parameters at a point u; `given` holds those that are fixed."""
        found = list(given)
        for domain, name, value in zip(self.domains, self.names, u, strict=True):
            at = self.center + self.spread * value if domain == "location" else LINKS[domain].from_line(value)
            found[self.all.index(name)] = at
        return tuple(found)

    def slope(self, i, theta):
        """The derivative of free parameter i by its coordinate."""
        if self.domains[i] == "location":
            return self.spread
        return LINKS[self.domains[i]].slope(theta[self.all.index(self.names[i])])


def _stand_in(low, high, support):
    """One value for each interval, to start from: the middle, or the end that is there."""
    middle = low + 0.5 * (high - low)
    x = np.where(np.isfinite(middle), middle, np.where(np.isfinite(low), low, high))
    x = np.where(np.isfinite(x), x, np.median(x[np.isfinite(x)]) if np.isfinite(x).any() else 1.0)
    if support.discrete:
        return np.round(x)
    if np.ptp(x) == 0 or (x == low).any():  # an end that is repeated, or that of the support, is no place to start
        width = np.ptp(x) or max(abs(x[0]), 1.0)
        x = np.where(low == high, x, np.clip(x + 0.1 * width * np.linspace(0.1, 1, len(x)), low, high))
    return x


def without_repeats(low, high, share):
    """Intervals that differ, with their shares added up, where that makes them fewer by half."""
    if low is high:
        return (low, low), share
    pairs, place = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    if len(pairs) > len(low) / 2:
        return (low, high), share
    return pairs.T, np.bincount(place.ravel(), share)
