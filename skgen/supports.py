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
        self.low, self.high, self.closed = low, high, closed

    def inside(self, X):
        if np.isinf(self.low):
            return np.broadcast_to(True, X.shape)
        if self.closed:
            return (X >= self.low) & (X <= self.high)
        return (X > self.low) & (X < self.high)

    def draw(self, rng, n_samples, n_features):
        return FROM_LINE[self.name](_dependent_normals(rng, n_samples, n_features))


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
        return FROM_LINE[self.name](_dependent_normals(rng, n_samples, n_features))


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


class Sphere(Support):
    """Rows of length one; the measure is that of the surface."""

    def inside(self, X):
        return np.isclose(np.sqrt((X**2).sum(axis=1)), 1, rtol=0, atol=1e-6)[:, None]

    def draw(self, rng, n_samples, n_features):
        Z = _dependent_normals(rng, n_samples, n_features) + 1
        return Z / np.linalg.norm(Z, axis=1, keepdims=True)


class Simplex(Support):
    """Rows of non-negative parts that add up to one; Lebesgue measure on all coordinates but the last."""

    def inside(self, X):
        return ((X >= 0).all(axis=1) & np.isclose(X.sum(axis=1), 1, rtol=0, atol=1e-6))[:, None]

    def draw(self, rng, n_samples, n_features):
        Z = np.exp(_dependent_normals(rng, n_samples, n_features))
        return Z / Z.sum(axis=1, keepdims=True)


class Product(Support):
    """One support for each column, as a table of unlike columns has.

    Parameters
    ----------
    parts : sequence of Support
        The support of each column.
    """

    def __init__(self, parts):
        super().__init__("product", "rows of the product of the columns' supports")
        self.parts = list(parts)

    def __repr__(self):
        return " x ".join(map(repr, self.parts))

    def inside(self, X):
        return np.column_stack([part.inside(X[:, [j]])[:, 0] for j, part in enumerate(self.parts)])

    def discrete_columns(self, n_features):
        return np.array([part.discrete for part in self.parts])

    def phrase_of(self, column):
        return self.parts[column].phrase_of(0)

    def draw(self, rng, n_samples, n_features):
        return np.column_stack([part.draw(rng, n_samples, 1) for part in self.parts])


FROM_LINE = {  # from the whole line, where test data start, into each support
    "real": lambda Z: Z,
    "positive": np.exp,
    "nonnegative": np.abs,
    "unit": lambda Z: 1 / (1 + np.exp(-Z)),
    "circle": lambda Z: np.mod(Z + np.pi, 2 * np.pi) - np.pi,
    "integer": lambda Z: np.floor(np.exp(1 + 0.5 * Z)),
    "binary": lambda Z: (Z > 0.4).astype(float),
}

real = Interval("real", "real numbers", -np.inf, np.inf)
positive = Interval("positive", "positive numbers", 0.0, np.inf, closed=False)
nonnegative = Interval("nonnegative", "non-negative numbers", 0.0, np.inf)
unit = Interval("unit", "numbers from 0 to 1", 0.0, 1.0)
circle = Circle("circle", "angles in radians", -np.pi, np.pi)
sphere = Sphere("sphere", "rows of length one")
simplex = Simplex("simplex", "non-negative parts that add up to one")
binary = Integers("binary", "zeros and ones", 0, 1)
integer = Integers("integer", "whole numbers, 0 or more", 0, np.inf)
category = Categories()
