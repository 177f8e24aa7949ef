"""Supports: what a row may be, per column, and which measure a density on it refers to.

A model says `support = supports.nonnegative`; the base refuses rows outside it at fit and scores them -inf, and the
checks draw their data from it. The reference measure is Lebesgue for continuous columns and counting for discrete ones.
"""

import numpy as np


class Support:
    """The set of rows on which a density lives.

    Parameters
    ----------
    name : str
        The word for it: "real", "positive", ...
    phrase : str
        What a column holds, for error messages: "positive numbers".
    discrete : bool
        Whether the reference measure is the counting measure.
    """

    remedy = "Rescale the data, or use a model of real numbers."  # the way out for data outside

    def __init__(self, name, phrase, discrete=False):
        self.name, self.phrase, self.discrete = name, phrase, discrete

    def __repr__(self):
        return self.name

    def inside(self, X):
        """Tell for each entry (or, for supports of whole rows, each row as one column) whether it lies inside."""
        raise NotImplementedError

    def contains(self, X):
        """Tell for each row of X whether it lies in the support: bool array of shape (n_samples,)."""
        return self.inside(X).all(axis=1)

    def discrete_columns(self, n_features):
        """Bool array of shape (n_features,): where the reference measure is counting, not Lebesgue."""
        return np.full(n_features, self.discrete)

    def phrase_of(self, column):
        """What column number `column` may hold."""
        return self.phrase

    def width(self, n_features):
        """The smallest number of columns that a row can have, of those not below `n_features`."""
        return n_features

    def draw(self, rng, n_samples, n_features):
        """Test data: dependent columns of unlike shapes, inside the support."""
        raise NotImplementedError


def _dependent_normals(rng, n_samples, n_features):
    """Standard normal columns, each leaning on the one before it."""
    Z = rng.standard_normal((n_samples, n_features))
    for j in range(1, n_features):
        Z[:, j] = 0.5 * Z[:, j - 1] + np.sqrt(0.75) * Z[:, j]
    return Z


class Interval(Support):
    """Every entry lies between two bounds; the measure is Lebesgue."""

    remedy = "Shift the data, or use a model of real numbers."

    def __init__(self, name, phrase, low, high, closed=True):
        super().__init__(name, phrase)
        self.low, self.high = low, high
        self.closed = closed if isinstance(closed, tuple) else (closed, closed)  # the lower and the upper end

    def inside(self, X):
        inside = np.broadcast_to(True, X.shape)
        if np.isfinite(self.low):  # an end that is infinite costs no comparison
            inside = X >= self.low if self.closed[0] else X > self.low
        if np.isfinite(self.high):
            inside = inside & (X <= self.high if self.closed[1] else X < self.high)
        return inside

    def draw(self, rng, n_samples, n_features):
        Z = _dependent_normals(rng, n_samples, n_features)
        if self.name in FROM_LINE:
            return FROM_LINE[self.name](Z)
        if np.isinf(self.low) or np.isinf(self.high):
            return self.low + np.abs(Z) if np.isfinite(self.low) else self.high - np.abs(Z)
        return self.low + (self.high - self.low) * FROM_LINE["unit"](Z)


class Circle(Interval):
    """Angles in radians: every real number is one, and a density is per radian on one turn."""

    def inside(self, X):
        return np.broadcast_to(True, X.shape)


class Integers(Support):
    """Whole numbers from `low` to `high`; the measure is counting."""

    remedy = "Use Categorical for labels of any kind, or a model of real numbers."

    def __init__(self, name, phrase, low, high):
        super().__init__(name, phrase, discrete=True)
        self.low, self.high = low, high

    def inside(self, X):
        return (X >= self.low) & (X <= self.high) & (np.floor(X) == X)

    def draw(self, rng, n_samples, n_features):
        return np.clip(FROM_LINE[self.name](_dependent_normals(rng, n_samples, n_features)), self.low, self.high)


class Categories(Support):
    """Labels, coded 0, 1, ... by the door; -1 stands for a label that was not there at fit.

    Parameters
    ----------
    closed : array-like of shape (n_features,), optional
        Where the labels are declared beforehand (booleans, an enumeration, pandas' categories), so that another label
        lies outside. Where they are not, any label may come.
    """

    def __init__(self, closed=None):
        super().__init__("category", "labels", discrete=True)
        self.closed = closed

    def inside(self, X):
        return (X >= 0) | ~(np.zeros(X.shape[1], bool) if self.closed is None else np.asarray(self.closed))

    def draw(self, rng, n_samples, n_features):
        return np.clip(np.floor(_dependent_normals(rng, n_samples, n_features) + 1.5), 0, 3)


class Points(Support):
    """One value per column; the measure counts it."""

    def __init__(self, values):
        super().__init__("point", "one value", discrete=True)
        self.values = np.asarray(values, dtype=np.float64)

    def inside(self, X):
        return self.values == X

    def phrase_of(self, column):
        return f"the one value {self.values[column]:.6g}"

    def draw(self, rng, n_samples, n_features):
        return np.tile(np.resize(self.values, n_features), (n_samples, 1))


class Counts(Integers):
    """Rows of counts of two or more kinds, as a multinomial draw is; the measure is counting."""

    def width(self, n_features):
        return max(2, n_features)


class Sphere(Support):
    """Rows of length one; the measure is that of the surface."""

    remedy = "Divide each row by its length."

    def inside(self, X):
        with np.errstate(over="ignore"):
            return np.isclose(np.sqrt((X**2).sum(axis=1)), 1, rtol=0, atol=1e-6)[:, None]

    def width(self, n_features):
        return max(2, n_features)

    def draw(self, rng, n_samples, n_features):
        Z = _dependent_normals(rng, n_samples, n_features) + 1
        return Z / np.linalg.norm(Z, axis=1, keepdims=True)


class Globe(Support):
    """Rows of latitude and longitude in radians; the measure is that of the surface of the unit sphere.

    Every pair of numbers is a place: a latitude beyond a pole is one across it.
    """

    remedy = "Pass latitude and longitude as two columns, in radians."

    def inside(self, X):
        return np.broadcast_to(X.shape[1] == 2, X.shape)

    def width(self, n_features):
        return 2

    def draw(self, rng, n_samples, n_features):
        Z = _dependent_normals(rng, n_samples, 2)
        return np.column_stack([np.arcsin(np.tanh(Z[:, 0])), FROM_LINE["circle"](Z[:, 1])])


class Simplex(Support):
    """Rows of non-negative parts that add up to one; Lebesgue measure on all coordinates but the last."""

    remedy = "Divide each row by its sum."

    def inside(self, X):
        with np.errstate(over="ignore"):
            return ((X >= 0).all(axis=1) & np.isclose(X.sum(axis=1), 1, rtol=0, atol=1e-6))[:, None]

    def width(self, n_features):
        return max(2, n_features)

    def draw(self, rng, n_samples, n_features):
        Z = np.exp(_dependent_normals(rng, n_samples, n_features))
        return Z / Z.sum(axis=1, keepdims=True)


class PositiveDefinite(Support):
    """Symmetric positive definite matrices: a row holds the lower triangle, row by row; Lebesgue measure on the row."""

    remedy = "Add a small multiple of the identity to each matrix, or use a model of real numbers."

    def inside(self, X):
        return cholesky(matrices(X))[:, -1:, -1] > 0  # NaN where an earlier pivot is not positive

    def width(self, n_features):
        side = int(np.ceil((np.sqrt(8 * n_features + 1) - 1) / 2))
        return side * (side + 1) // 2

    def draw(self, rng, n_samples, n_features):
        side = matrix_order(n_features)
        Z = _dependent_normals(rng, n_samples * (side + 6), side).reshape(n_samples, side + 6, side)
        return half_rows(np.swapaxes(Z, 1, 2) @ Z)


def matrix_order(n_features):
    """The order p of the symmetric matrices whose triangle has this many entries, p (p + 1) / 2.

    Parameters
    ----------
    n_features : int
        Columns of a table of half-vectorised matrices.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If no triangle has so many entries.
    """
    p = int(np.sqrt(2 * n_features))
    if p * (p + 1) // 2 != n_features:
        raise ValueError(
            f"A row is the lower triangle of a symmetric matrix, 1, 3, 6, 10, ... entries; got {n_features} columns. "
            "Pass S[..., *np.tril_indices(p)] for matrices S of order p."
        )
    return p


def matrices(X):
    """The symmetric matrices, shape (n_samples, p, p), whose lower triangles are the rows of X."""
    p = matrix_order(X.shape[1])
    S = np.empty((len(X), p, p))
    rows, columns = np.tril_indices(p)
    S[:, rows, columns] = S[:, columns, rows] = X
    return S


def half_rows(S):
    """The lower triangles of symmetric matrices, row by row, shape (n_samples, p (p + 1) / 2)."""
    rows, columns = np.tril_indices(S.shape[-1])
    return S[:, rows, columns]


def cholesky(S):
    """The lower Cholesky factors of many matrices, NaN from the first pivot on that is not positive.

    Parameters
    ----------
    S : ndarray of shape (n_samples, p, p)
        Symmetric matrices.

    Returns
    -------
    L : ndarray of shape (n_samples, p, p)
        A matrix is positive definite if the last entry of its factor is a number. A pivot within the rounding error of
        its diagonal entry is none.
    """
    L = np.zeros_like(S)
    with np.errstate(invalid="ignore", over="ignore"):
        for j in range(S.shape[-1]):
            pivot = S[:, j, j] - (L[:, j, :j] ** 2).sum(axis=1)
            L[:, j, j] = np.sqrt(np.where(pivot > 4 * np.finfo(float).eps * S[:, j, j], pivot, np.nan))
            below = S[:, j + 1 :, j] - (L[:, j + 1 :, :j] @ L[:, j, :j, None])[..., 0]
            L[:, j + 1 :, j] = below / L[:, j, j, None]
    return L


class Product(Support):
    """One support for each column, as a table of unlike columns has.

    Parameters
    ----------
    parts : sequence of Support
        The support of each column.
    """

    def __init__(self, parts):
        super().__init__("product", "rows of the product of the columns' supports")
        self.parts = [part for given in parts for part in getattr(given, "parts", [given])]

    def __repr__(self):
        return " x ".join(map(repr, self.parts))

    def inside(self, X):
        return np.column_stack([part.inside(X[:, [j]])[:, 0] for j, part in enumerate(self.parts)])

    def discrete_columns(self, n_features):
        return np.array([part.discrete for part in self.parts])

    def phrase_of(self, column):
        return self.parts[column].phrase_of(0)

    def width(self, n_features):
        return len(self.parts)

    def draw(self, rng, n_samples, n_features):
        return np.column_stack([part.draw(rng, n_samples, 1) for part in self.parts])


class Pairs(Support):
    """Two columns, low and high, for each value: it is known to lie between them, or known where they are equal.

    A row is what an observer saw of a value, so that no measure on rows makes their likelihood a density.

    Parameters
    ----------
    part : Interval or Integers
        The support of the values.
    """

    remedy = "Give each value as two columns, low <= high; -inf and inf leave a side open."

    def __init__(self, part):
        super().__init__("pairs", f"pairs low <= high that hold {part.phrase}", part.discrete)
        self.part = part

    def inside(self, X):
        if X.shape[1] % 2:
            raise ValueError(f"X has {X.shape[1]} columns, but intervals come in pairs of columns, low and high.")
        low, high = X[:, ::2], X[:, 1::2]
        known = low == high
        holds = np.where(known, np.isfinite(low) & self.part.inside(np.where(known, low, high)), True)
        if self.part.discrete:
            reaches = np.ceil(np.maximum(low, self.part.low)) <= np.floor(np.minimum(high, self.part.high))
        else:
            reaches = (low < high) & (high > self.part.low) & (low < self.part.high)
        reaches |= known
        return np.repeat(holds & reaches, 2, axis=1)

    def width(self, n_features):
        return n_features + n_features % 2

    def draw(self, rng, n_samples, n_features):
        x = self.part.draw(rng, n_samples, n_features // 2)
        width = rng.integers(0, 3, x.shape) if self.part.discrete else rng.uniform(0, 1, x.shape) * x.std(axis=0)
        kind = rng.random(x.shape)  # half of the values are known, the rest between two ends, one of them open at times
        low = np.where(kind < 0.5, x, np.where(kind < 0.6, -np.inf, x - width))
        high = np.where(kind < 0.5, x, np.where(kind > 0.9, np.inf, x + width))
        return np.stack([low, high], axis=-1).reshape(n_samples, n_features)


def within(support, low, high):
    """The part of an interval, or of whole numbers, that lies between two numbers.

    Parameters
    ----------
    support : Interval or Integers
        What is cut.
    low, high : float
        Where.

    Returns
    -------
    Support
    """
    if low <= support.low and high >= support.high:
        return support
    if support.discrete:
        low, high = np.ceil(max(low, support.low)), np.floor(min(high, support.high))
        return Integers(support.name, f"whole numbers from {low:g} to {high:g}", low, high)
    closed = low > support.low or support.closed[0], high < support.high or support.closed[1]
    return between(max(low, support.low), min(high, support.high), closed)


def between(low, high, closed=True):
    """The numbers from one to another.

    Parameters
    ----------
    low, high : float
        The ends.
    closed : bool or pair of bool
        Whether they belong to it.

    Returns
    -------
    Interval
    """
    if np.isinf(low) and np.isinf(high):
        return real
    return Interval("interval", f"numbers from {low:g} to {high:g}", low, high, closed)


FROM_LINE = {  # from the whole line, where test data start, into each support
    "real": lambda Z: Z,
    "positive": np.exp,
    "nonnegative": np.abs,
    "unit": lambda Z: 1 / (1 + np.exp(-Z)),
    "circle": lambda Z: np.mod(Z + np.pi, 2 * np.pi) - np.pi,
    "integer": lambda Z: np.floor(np.exp(1 + 0.5 * Z)),
    "counts": lambda Z: np.floor(np.exp(0.5 + Z)),
    "binary": lambda Z: (Z > 0.4).astype(float),
}

real = Interval("real", "real numbers", -np.inf, np.inf)
positive = Interval("positive", "positive numbers", 0.0, np.inf, closed=False)
nonnegative = Interval("nonnegative", "non-negative numbers", 0.0, np.inf)
unit = Interval("unit", "numbers from 0 to 1", 0.0, 1.0)
open_unit = Interval("unit", "numbers between 0 and 1", 0.0, 1.0, closed=False)
circle = Circle("circle", "angles in radians", -np.pi, np.pi)
sphere = Sphere("sphere", "rows of length one")
globe = Globe("globe", "latitude and longitude")
simplex = Simplex("simplex", "non-negative parts that add up to one")
positive_definite = PositiveDefinite("positive_definite", "lower triangles of positive definite matrices")
binary = Integers("binary", "zeros and ones", 0, 1)
integer = Integers("integer", "whole numbers, 0 or more", 0, np.inf)
counts = Counts("counts", "whole numbers, 0 or more", 0, np.inf)
category = Categories()
