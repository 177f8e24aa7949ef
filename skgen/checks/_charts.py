"""Charts: maps of a model's rows onto the whole line, plane or space, on which the laws integrate and imitate.

A chart gives with each image the logarithm of its slope, the density of the rows' reference measure in the image.
"""

import numpy as np
from scipy.special import expit, ndtr, ndtri

from skgen import supports
from skgen.checks._view import Inconclusive, discrete_columns, support_of

WHOLE = -np.inf, np.inf
FAR = 700.0  # e^-700 is a number
UNITS = np.array([1.0, 0.01, 0.1, 10.0, 100.0, 1e4])  # of inverse softplus, in medians: from a shift to a logarithm


class Flat:
    """An interval as it is: its ends are where quadrature wants them."""

    def __init__(self, interval, x):
        self.image = interval.low, interval.high

    def to_line(self, x):
        return x, np.zeros(len(x))

    from_line = to_line


class LineMap:
    """The map from an interval to the whole line and back: identity, inverse softplus or logit."""

    image = WHOLE

    def __init__(self, interval, x):
        self.low, self.high = low, high = interval.low, interval.high
        self.unit = high - low
        if np.isfinite(low) and np.isinf(high):
            middle = np.median(x - low) if np.median(x - low) > 0 else 1.0
            self.unit = min(UNITS * middle, key=lambda unit: self._skewness(x, unit))

    def _skewness(self, x, unit):
        self.unit = unit
        left, middle, right = np.quantile(self.to_line(x)[0], [0.02, 0.5, 0.98])
        return abs(left + right - 2 * middle) / max(right - left, np.finfo(float).tiny)

    def to_line(self, x):
        """The image of x, and the logarithm of the slope there."""
        if np.isinf(self.low):
            return x, np.zeros(len(x))
        u = np.maximum((x - self.low) / self.unit, np.finfo(float).tiny)
        if np.isinf(self.high):  # linear far out, where under a logarithm an exponential tail would be too thin
            rest = np.log(-np.expm1(-u))
            return u + rest, -rest - np.log(self.unit)
        u = np.minimum(u, 1 - 1e-16)
        return np.log(u) - np.log1p(-u), -np.log(u) - np.log1p(-u) - np.log(self.unit)

    def from_line(self, y):
        """The x whose image is y, and the logarithm of the slope there."""
        if np.isinf(self.low):
            return y, np.zeros(len(y))
        rest = np.logaddexp(0, -y)
        if np.isinf(self.high):
            return self.low + self.unit * np.logaddexp(0, y), rest - np.log(self.unit)
        return self.low + self.unit * expit(y), rest + np.logaddexp(0, y) - np.log(self.unit)


class NormalScore:
    """The map from a position on a turn, half a turn either side of 0, to the normal quantile of its share of it."""

    image = WHOLE

    def __init__(self, turn):
        self.turn = turn

    def to_line(self, x):
        y = ndtri(np.clip(0.5 + x / self.turn, 1e-300, 1 - 2**-53))
        return y, self._log_slope(y)

    def from_line(self, y):
        return self.turn * (ndtr(y) - 0.5), self._log_slope(y)

    def _log_slope(self, y):
        return 0.5 * y**2 + 0.5 * np.log(2 * np.pi) - np.log(self.turn)


class Turn:
    """A circle, cut opposite to the mean direction: an interval."""

    def __init__(self, circle, x, flat):
        self.turn, self.low = circle.high - circle.low, circle.low
        self.middle = np.angle(np.exp(2j * np.pi / self.turn * x).mean()) * self.turn / (2 * np.pi)
        self.cut = Flat(supports.between(-self.turn / 2, self.turn / 2), x) if flat else NormalScore(self.turn)
        self.image = self.cut.image

    def to_line(self, x):
        return self.cut.to_line(np.mod(x - self.middle + self.turn / 2, self.turn) - self.turn / 2)

    def from_line(self, y):
        x, log_slope = self.cut.from_line(y)
        return self.low + np.mod(x + self.middle - self.low, self.turn), log_slope


class ByColumn:
    """A chart of independent columns: one map for each."""

    def __init__(self, maps):
        self.maps = maps
        self.image = np.array([f.image for f in maps]).reshape(-1, 2)

    def to_line(self, X):
        return self._mapped([f.to_line(x) for f, x in zip(self.maps, X.T, strict=True)], len(X))

    def from_line(self, Y):
        return self._mapped([f.from_line(y) for f, y in zip(self.maps, Y.T, strict=True)], len(Y))

    @staticmethod
    def _mapped(pairs, n_samples):
        columns, slopes = [values for values, _ in pairs], [log_slope for _, log_slope in pairs]
        return np.column_stack([*columns, np.empty((n_samples, 0))]), sum(slopes, np.zeros(n_samples))


class Stereographic:
    """The sphere seen on a plane from the point opposite to the mean of the rows."""

    def __init__(self, pilot):
        mean, d = pilot.mean(axis=0), pilot.shape[1]
        axes = np.linalg.qr(np.column_stack([mean, np.eye(d)]))[0]
        self.axes = axes * np.append(np.sign(axes[:, 0] @ mean) or 1.0, np.ones(d - 1))  # the first one is the mean's
        self.image = np.array([WHOLE] * (d - 1))

    def to_line(self, X):
        Z = X @ self.axes
        Y = Z[:, 1:] / np.maximum(1 + Z[:, :1], 1e-16)
        return Y, self._log_slope(Y)

    def from_line(self, Y):
        square = (Y**2).sum(axis=1, keepdims=True)
        return np.hstack([1 - square, 2 * Y]) / (1 + square) @ self.axes.T, self._log_slope(Y)

    @staticmethod
    def _log_slope(Y):
        return Y.shape[1] * np.log((1 + (Y**2).sum(axis=1)) / 2)


class MapOfGlobe:
    """Latitude and longitude by the sine of one and an angle for the other: areas are those of the sphere."""

    def __init__(self, pilot, flat):
        sines = supports.between(-1.0, 1.0)
        maps = [(Flat if flat else LineMap)(sines, np.sin(pilot[:, 0])), Turn(supports.circle, pilot[:, 1], flat)]
        self.columns = ByColumn(maps)
        self.image = self.columns.image

    def to_line(self, X):
        return self.columns.to_line(np.column_stack([np.sin(X[:, 0]), X[:, 1]]))

    def from_line(self, Y):
        X, log_slope = self.columns.from_line(Y)
        return np.column_stack([np.arcsin(np.clip(X[:, 0], -1, 1)), X[:, 1]]), log_slope


class StickBreaking:
    """The simplex by the root of the ratio of each part to what is left after it, mapped to the line.

    The roots of a Dirichlet distribution are independent and nearly normal.
    """

    def __init__(self, pilot):
        self.roots = ByColumn([LineMap(supports.nonnegative, root) for root in self._split(pilot)[0].T])
        self.image = self.roots.image

    def to_line(self, X):
        roots, log_growth = self._split(X)
        Y, log_slope = self.roots.to_line(roots)
        return Y, log_slope + log_growth

    def from_line(self, Y):
        roots, log_slope = self.roots.from_line(Y)
        log_left = np.cumsum(np.pad(-np.log1p(roots**2), ((0, 0), (1, 0))), axis=1)  # before each part is taken
        log_roots = np.log(np.maximum(roots, np.finfo(float).tiny))
        X = np.exp(np.hstack([log_left[:, 1:] + 2 * log_roots, log_left[:, -1:]]).clip(-FAR))
        return X, log_slope + self._log_growth(log_left, log_roots)

    def _split(self, X):
        """The roots, and the logarithm of their volume per volume of the parts."""
        left = np.maximum(np.cumsum(X[:, ::-1], axis=1)[:, ::-1], np.finfo(float).tiny)
        roots = np.sqrt(np.maximum(X[:, :-1], np.finfo(float).tiny) / left[:, 1:])
        return roots, self._log_growth(np.log(left), np.log(roots))

    @staticmethod
    def _log_growth(log_left, log_roots):
        return (log_left[:, :-1] - 2 * log_left[:, 1:] - np.log(2) - log_roots).sum(axis=1)


class CholeskyFactor:
    """Positive definite matrices by their Cholesky factors, whose diagonals are mapped to the line."""

    def __init__(self, pilot):
        p = supports.matrix_order(pilot.shape[1])
        self.diagonal = np.cumsum(np.arange(1, p + 1)) - 1  # its places in a row
        self.powers = np.arange(p, 0, -1)
        parts = [supports.real] * pilot.shape[1]
        for j in self.diagonal:
            parts[j] = supports.nonnegative
        self.entries = ByColumn([LineMap(*pair) for pair in zip(parts, self._factor(pilot).T, strict=True)])
        self.image = self.entries.image

    def to_line(self, X):
        factor = self._factor(X)
        Y, log_slope = self.entries.to_line(factor)
        return Y, log_slope - self._log_growth(factor)

    def from_line(self, Y):
        factor, log_slope = self.entries.from_line(Y)
        L = np.tril(supports.matrices(factor))
        return supports.half_rows(L @ np.swapaxes(L, 1, 2)), log_slope - self._log_growth(factor)

    @staticmethod
    def _factor(X):
        return supports.half_rows(supports.cholesky(supports.matrices(X)))

    def _log_growth(self, factor):
        """The logarithm of the volume of the matrices per volume of their factors."""
        diagonal = np.maximum(factor[:, self.diagonal], np.finfo(float).tiny)
        return len(self.powers) * np.log(2) + np.log(diagonal) @ self.powers


OF_ROWS = {
    supports.Sphere: Stereographic,
    supports.Simplex: StickBreaking,
    supports.PositiveDefinite: CholeskyFactor,
}


def chart_of(model, pilot, flat=False):
    """The chart of a model's continuous columns.

    Parameters
    ----------
    model : density estimator
        Fitted.
    pilot : ndarray of shape (n_draws, n_features)
        Draws of it, which show where the middle is.
    flat : bool
        Whether intervals stay as they are.

    Returns
    -------
    chart : object
        With `to_line` and `from_line`, each from rows to (rows, log_slope), and `image`, the ends of its coordinates.

    Raises
    ------
    Inconclusive
        If the support is none that is known here.
    """
    support = support_of(model)
    if isinstance(support, supports.Globe):
        return MapOfGlobe(pilot, flat)
    if type(support) in OF_ROWS:
        return OF_ROWS[type(support)](pilot)
    return ByColumn([_map_of(support, j, pilot[:, j], flat) for j in np.flatnonzero(~discrete_columns(model))])


def _map_of(support, j, x, flat):
    part = support.parts[j] if isinstance(support, supports.Product) else support
    if isinstance(part, supports.Circle):
        return Turn(part, x, flat)
    if not isinstance(part, supports.Interval):
        raise Inconclusive(f"no method for a support of {support.phrase}")
    return Flat(part, x) if flat else LineMap(part, x)
