r"""Origin and rate of laws with an edge, from values known up to an interval: exponential on one side of it or on both.

A law has the density :math:`\beta\, g(\beta (x - m))` with :math:`g(z) \propto e^{-|z|}`, on the whole line or for
:math:`z \ge 0`. Both are log-concave, so that known values and intervals have a log-likelihood that is jointly concave
in :math:`(\beta, \beta m)` (Prékopa, "On logarithmic concave measures and functions", 1973). Its profile in the origin
m, over the rate :math:`\beta`, therefore has one maximum, and by the envelope theorem the one-sided slopes

.. math:: \partial_\pm \max_\beta \ell(m, \beta) = \partial_\pm \ell(m, \hat\beta(m)),

which jump at known values and at ends of intervals. The maximum is found among these by halving, and between two of
them as a root. A window is an interval of negative weight, with which concavity is lost: origins are then compared at
many rates, and the best of them with all others at its own rate, until none is better.
"""

from bisect import bisect_left
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from sklearn.base import clone

from skgen import supports
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._partial import CERTAIN, OFF_SCALE, could_be_one_value, unbounded, without_repeats
from skgen.parametric._quantiles import log_complement

TIE = 1e-12  # a slope as small, as a share of the rows, is rounding
REACH = 60.0  # of the logarithm of the rate, about that of the ends' spread
NEAR = 0.1  # in the logarithm of the rate: so far away the likelihood must fall
BLOCK = 2**20  # intervals by origins at once
RATES = np.linspace(-8, 8, 33)  # logarithms of those tried in a window, about that of the ends' spread
TRIED, COMPARED = 2**15, 2**21  # intervals by origins: at each of these rates, and at the best rate
RIVALS = 12  # origins that are given a rate of their own
ROUNDS = 50
PLACES = np.array([0.25, 0.5, 0.75])  # between two ends
AWAY = np.geomspace(0.1, 1e6, 15)  # from the outermost ends, in spreads


class Summit(NamedTuple):
    """The most likely origin and rate, and whether the likelihood falls on both sides of the rate."""

    origin: float
    rate: float
    is_maximum: bool


class KinkedRows:
    """Values of one column, known or in intervals, and the window that they are seen through.

    Parameters
    ----------
    low, high : ndarray of shape (n_samples,)
        The ends of the intervals, inside the window; equal where a value is known.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.
    window : tuple of float
        The ends of the window.
    """

    def __init__(self, low, high, share, window):
        is_known = low == high
        order = np.argsort(low[is_known])
        self.known, weight = low[is_known][order], share[is_known][order]
        (low, high), share = without_repeats(low[~is_known], high[~is_known], share[~is_known])
        self.ends = np.unique(np.r_[self.known, low, high])
        self.ends = self.ends[np.isfinite(self.ends)]
        self.center = np.median(self.ends)
        self.spread = np.abs(self.ends - self.center).mean() or max(abs(self.center), 1e-300)
        self.log_unit = -np.log(self.spread)
        self.below = np.r_[0, np.cumsum(weight)]  # weights of the first known values, and their distances
        self.away = np.r_[0, np.cumsum(weight * (self.known - self.center))]
        self.has_intervals, self.is_in_window = len(low) > 0, np.isfinite(window).any()
        if self.is_in_window:  # all rows are divided by its mass
            low, high, share = np.r_[low, window[0]], np.r_[high, window[1]], np.r_[share, -1.0]
        self.low, self.high, self.share = low, high, share
        self.floor, self.cap = window

    # What a law is

    @staticmethod
    def log_mass(p, q, rate):
        """Log of the mass between ends at distances p < q from the origin, up to a constant of the law."""
        raise NotImplementedError

    @staticmethod
    def mass_by_rate(p, q, rate):
        """The derivative of `log_mass` by the logarithm of the rate."""
        raise NotImplementedError

    @staticmethod
    def mass_pulls(p, q, rate):
        """The derivatives of `log_mass` to the left and right, by the origin in units of the rate."""
        raise NotImplementedError

    def distance(self, origin):
        """Weighted distances of the known values from an origin, added up; infinite where one is impossible."""
        raise NotImplementedError

    def known_pulls(self, origin):
        """The slopes of the known values to the left and right, by the origin in units of the rate."""
        raise NotImplementedError

    # The likelihood and its profile in the origin

    def value(self, origins, rate):
        """The log-likelihood a row at several origins, up to a constant of the law."""
        known = self.below[-1] * np.log(rate) - rate * self.distance(origins)
        width = max(1, BLOCK // max(1, len(self.low)))
        blocks = [origins[i : i + width, None] for i in range(0, len(origins), width)]
        return known + np.concatenate(
            [self.log_mass(self.low - block, self.high - block, rate) @ self.share for block in blocks]
        )

    def by_rate(self, log_rate, origin, distance):
        """The derivative of the log-likelihood a row by the logarithm of the rate."""
        rate = np.exp(log_rate)
        masses = self.mass_by_rate(self.low - origin, self.high - origin, rate)
        return float(self.below[-1] - rate * distance + masses @ self.share)

    def best_rate(self, origin, guess):
        """The logarithm of the most likely rate at an origin, uphill of a guess."""
        slope = partial(self.by_rate, origin=origin, distance=float(self.distance(origin)))
        return decreasing_root(slope, self.log_unit - REACH, self.log_unit + REACH, guess)

    def slopes(self, origin, guess=None):
        """The slopes of the profile to the left and right, by the origin in units of the rate."""
        rate = np.exp(self.best_rate(origin, self.log_unit if guess is None else guess))
        masses = self.mass_pulls(self.low - origin, self.high - origin, rate)
        return tuple(float(k + m @ self.share) for k, m in zip(self.known_pulls(origin), masses, strict=True))

    def summit(self):
        """The maximum of the likelihood.

        Returns
        -------
        Summit
        """
        origin, guess = self._among_many() if self.is_in_window else (self._only_one(), self.log_unit)
        log_rate = self.best_rate(origin, guess)
        slope = partial(self.by_rate, origin=origin, distance=float(self.distance(origin)))
        is_maximum = slope(log_rate - NEAR) > CERTAIN and slope(log_rate + NEAR) < -CERTAIN
        is_near = abs(origin - self.center) < self.spread * np.exp(OFF_SCALE)
        return Summit(float(origin), float(np.exp(log_rate)), bool(is_maximum and is_near))

    # Without a window: one maximum

    def _only_one(self):
        """The origin at which the profile turns; the middle where it is level between two ends."""
        ends = self.ends
        i = bisect_left(range(len(ends)), True, key=lambda k: self.slopes(ends[k])[1] <= TIE)
        if i == len(ends):
            return self._root(ends[-1], self._beyond(ends[-1]))
        left, right = self.slopes(ends[i])
        if left < -TIE:
            return self._root(ends[i - 1] if i else self._before(ends[0]), ends[i])
        if right >= -TIE and i + 1 < len(ends) and self.slopes(ends[i + 1])[0] >= -TIE:
            return ends[i] + 0.5 * (ends[i + 1] - ends[i])
        return ends[i]

    def _before(self, end):
        """A place below all ends from where the profile rises."""
        for step in 2.0 ** np.arange(-3, OFF_SCALE / np.log(2) + 1):
            if self.slopes(end - step * self.spread)[1] > TIE:
                break
        return end - step * self.spread

    def _beyond(self, end):
        """A place above all ends to where the profile falls."""
        if np.isfinite(self.cap):
            return np.nextafter(self.cap, -np.inf)
        for step in 2.0 ** np.arange(-3, OFF_SCALE / np.log(2) + 1):
            if self.slopes(end + step * self.spread)[0] < -TIE:
                break
        return end + step * self.spread

    def _root(self, low, high, guess=None):
        """Where the profile turns between two places that have no end between them."""

        def slope(origin):
            left, right = self.slopes(origin, guess)
            return np.clip(right if origin == low else left, -1, 1)

        if slope(low) <= 0:
            return low
        if slope(high) >= 0:
            return high
        return brentq(slope, low, high, xtol=1e-300, rtol=1e-15, maxiter=1000)

    # In a window: the best of many

    def _among_many(self):
        """The best origin, and the logarithm of its rate."""
        origins = self._candidates()
        some = _thinned(origins, TRIED // len(self.low))
        tried = [(self.value(some, np.exp(guess)), guess) for guess in self.log_unit + RATES]
        tried = sorted(((v.max(), some[v.argmax()], guess) for v, guess in tried), reverse=True)[:RIVALS]
        best = max(self._with_its_rate(origin, guess) for _, origin, guess in tried)
        for _ in range(ROUNDS):
            near = _nearest(origins, best[1], COMPARED // len(self.low))
            rivals = near[np.argsort(self.value(near, np.exp(best[2])))[-RIVALS:]]
            better = max(self._with_its_rate(origin, best[2]) for origin in rivals)
            if better[0] <= best[0]:
                break
            best = better
        return max(best, *self._on_both_sides(origins, *best[1:]))[1:]

    def _candidates(self):
        """The ends, and where there are intervals, places between and outside of them."""
        ends = np.unique(np.clip(np.r_[self.ends, self.floor, self.cap], self.floor, self.cap))
        ends = ends[np.isfinite(ends)]
        if not self.has_intervals:
            return ends
        between = ends[:-1, None] + PLACES * np.diff(ends)[:, None]
        outside = np.r_[ends[0] - self.spread * AWAY, ends[-1] + self.spread * AWAY]
        outside = outside[(self.floor <= outside) & (outside <= self.cap)]
        return np.unique(np.r_[ends, between.ravel(), outside])

    def _with_its_rate(self, origin, guess):
        """The profile's value at an origin, with the origin and the logarithm of the rate."""
        log_rate = self.best_rate(origin, guess)
        return float(self.value(np.array([origin]), np.exp(log_rate))[0]), float(origin), log_rate

    def _on_both_sides(self, candidates, origin, log_rate):
        """The tops next to an origin, if the profile rises from there to a side."""
        left, right = self.slopes(origin, log_rate)
        below, above = candidates[candidates < origin], candidates[candidates > origin]
        if right > TIE and len(above):
            yield self._with_its_rate(self._root(origin, above[0], log_rate), log_rate)
        if left < -TIE and len(below):
            yield self._with_its_rate(self._root(below[-1], origin, log_rate), log_rate)
        yield self._with_its_rate(origin, log_rate)


class AroundPeak(KinkedRows):
    """Exponential on both sides of the origin: the Laplace distribution."""

    @staticmethod
    def log_mass(p, q, rate):
        near, far = np.where(p >= 0, p, -q), np.where(p >= 0, q, -p)
        with np.errstate(all="ignore"):  # each formula on its own side
            outside = -rate * near + log_complement(np.minimum(-rate * (far - near), 0))
            return np.where((p < 0) & (q > 0), np.log(-np.expm1(rate * p) - np.expm1(-rate * q)), outside)

    @staticmethod
    def mass_by_rate(p, q, rate):
        near, far = np.where(p >= 0, p, -q), np.where(p >= 0, q, -p)
        with np.errstate(all="ignore"):
            outside = -rate * near + _fading(rate * (far - near))
            below, above = np.expm1(rate * p), np.expm1(-rate * q)
            inside = _decayed(-rate * p) + _decayed(rate * q)
            return np.where((p < 0) & (q > 0), -inside / (below + above), outside)

    @staticmethod
    def mass_pulls(p, q, rate):
        with np.errstate(all="ignore"):
            left, right = -rate * p, rate * q  # where positive, the distances to both ends
            both = np.sign(right - left) * np.exp(-np.minimum(left, right)) * -np.expm1(-np.abs(right - left))
            inside = both / (-np.expm1(-left) - np.expm1(-right))
        pull = np.where(p >= 0, 1.0, np.where(q <= 0, -1.0, inside))
        return pull, pull

    def distance(self, origin):
        k, at = np.searchsorted(self.known, origin), origin - self.center
        return self.away[-1] - 2 * self.away[k] + at * (2 * self.below[k] - self.below[-1])

    def known_pulls(self, origin):
        left, right = (self.below[np.searchsorted(self.known, origin, side)] for side in ("left", "right"))
        return self.below[-1] - 2 * left, self.below[-1] - 2 * right

    @classmethod
    def scores(cls, low, high, origin, rate):
        """Each row's derivatives by the origin in units of the rate and by the logarithm of the rate.

        Parameters
        ----------
        low, high : ndarray of shape (n_samples,)
            The ends of intervals, equal where a value is known.
        origin, rate : float
            Where.

        Returns
        -------
        ndarray of shape (n_samples, 2)
        """
        known, p, q = low == high, low - origin, high - origin
        q = np.where(known, p + 1, q)
        pull = np.where(known, np.sign(p), cls.mass_pulls(p, q, rate)[0])
        by_rate = np.where(known, 1 - rate * np.abs(p), cls.mass_by_rate(p, q, rate))
        return np.column_stack([pull, by_rate])


class AboveEdge(KinkedRows):
    """Exponential above the origin: the logarithms of a Pareto distribution. No value lies below the origin."""

    def __init__(self, low, high, share, window):
        super().__init__(low, high, share, window)
        self.cap = self.high.min(initial=np.inf)  # of the intervals, which end above the origin
        self.cap = min(self.cap, self.known[0]) if len(self.known) else self.cap
        is_closed = len(self.known) and self.known[0] == self.cap
        lows = np.unique(np.r_[low, window[0]])
        self.ends = lows[np.isfinite(lows) & ((lows <= self.cap) if is_closed else (lows < self.cap))]
        if not len(self.ends):
            self.ends = np.array([self.cap - self.spread])

    @staticmethod
    def log_mass(p, q, rate):
        near = np.maximum(p, 0)
        with np.errstate(all="ignore"):
            mass = -rate * near + log_complement(np.minimum(-rate * (q - near), 0))
        return np.where(q > 0, mass, -np.inf)

    @staticmethod
    def mass_by_rate(p, q, rate):
        near = np.maximum(p, 0)
        return -rate * near + _fading(rate * (q - near))

    @staticmethod
    def mass_pulls(p, q, rate):
        with np.errstate(all="ignore"):
            around = -1 / np.expm1(rate * q)
        return np.where(p >= 0, 1.0, around), np.where(p > 0, 1.0, around)

    def distance(self, origin):
        total = self.away[-1] - (origin - self.center) * self.below[-1]
        return np.where(origin > self.known[0], np.inf, total) if len(self.known) else total

    def known_pulls(self, origin):
        is_last = len(self.known) and origin >= self.known[0]
        return self.below[-1], -np.inf if is_last else self.below[-1]

    def _candidates(self):
        origins = super()._candidates()
        return origins if self.cap in self.known[:1] else np.minimum(origins, np.nextafter(self.cap, -np.inf))


def _fading(w):
    """The ratio w / (exp(w) - 1): one at zero, zero far out."""
    with np.errstate(all="ignore"):
        return np.where(w < 700, np.where(w > 0, w / np.expm1(w), 1.0), 0.0)


def _decayed(w):
    """The product w exp(-w): zero far out."""
    return np.where(w < 700, w * np.exp(-np.minimum(w, 700)), 0.0)


def _thinned(values, most):
    """So many of some values, evenly by their order."""
    most = max(most, 64)
    return values if len(values) <= most else values[np.linspace(0, len(values) - 1, most).round().astype(int)]


def _nearest(values, at, most):
    """So many of increasing values, those about one of them."""
    first = max(np.searchsorted(values, at) - max(most, 64) // 2, 0)
    return values[first : first + max(most, 64)]


def telling(model, low, high, share, column):
    """The rows that say something, in the support and the window.

    Parameters
    ----------
    model : UnivariateProduct
        Whose window it is.
    low, high, share : ndarray of shape (n_samples,)
        The ends of the rows' intervals, and weights that add up to one.
    column : skgen.columns.Columns
        What the column is, for messages.

    Returns
    -------
    low, high, share : ndarray
        Without the intervals that hold the whole window.

    Raises
    ------
    UnboundedLikelihood
        If a law of no width makes all rows certain, or infinitely dense, or as likely as they can be.
    """
    inner = supports.within(model._support, *model._window())
    low, high = np.maximum(low, inner.low), np.minimum(high, inner.high)
    if (low == high).all():
        named = clone(model)
        named.columns_ = column
        refuse_constant(named, np.ptp(low, keepdims=True), low[:1])
    if not (low == high).any() and low.max() < high.min():
        raise unbounded(model, column, "there is a law to which every row is certain, and so none that is likeliest")
    if could_be_one_value(low, high) or (not (low == high).any() and low.max() == high.min()):
        raise unbounded(model, column, "all rows may be one value, on which the density piles up")
    says = (low == high) | (low > inner.low) | (high < inner.high)
    return low[says], high[says], share[says] / share[says].sum()


def undetermined(model, theta, column):
    """The error where a parameter runs away.

    Parameters
    ----------
    model : UnivariateProduct
        Whose likelihood it is.
    theta : tuple of float
        The parameters that were reached.
    column : skgen.columns.Columns
        What the column is.

    Returns
    -------
    UnboundedLikelihood
    """
    reached = ", ".join(f"{name} = {value:.3g}" for name, value in zip(model._parameters, theta, strict=True))
    return unbounded(model, column, f"the rows say too little of its parameters, which reached {reached}")
