"""Spaces: what is done at the ends of a feature, so that no mass of a kernel is lost there.

A feature is an unbounded number, one with ends, or a position on a circle. At an end the density is folded back
(`reflect`: a query counts together with its mirror images), the kernels are cut and renormalised (`renormalize`), or
the feature is mapped to the whole line (`transform`: a logarithm or a logit, whose slope belongs to the density). On a
circle a query counts together with itself after whole turns.
"""

import itertools

import numpy as np

MOST_IMAGES = 4096
FAR = 37.0  # e^-37 is rounding error


class Feature:
    """A feature on the whole line; what the other kinds do differently, they override."""

    low, high = -np.inf, np.inf

    def to_line(self, x):
        """The coordinate, and the log of its slope."""
        return x, np.zeros(len(x))

    def from_line(self, z):
        """The way back, for draws."""
        return z

    def curvature(self, x):
        """The slope of the coordinate, and the derivative of the log of the slope."""
        return np.ones(len(x)), np.zeros(len(x))

    def images(self, reach):
        """Pairs (sign, shift) such that sign z + shift are the images whose kernels may matter within `reach`."""
        return [(1.0, 0.0)]


class Reflected(Feature):
    """Mirrors at one or two ends."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def from_line(self, z):
        if np.isinf(self.high):
            return self.low + np.abs(z - self.low)
        if np.isinf(self.low):
            return self.high - np.abs(self.high - z)
        width = self.high - self.low
        t = np.mod(z - self.low, 2 * width)
        return np.clip(self.low + np.minimum(t, 2 * width - t), self.low, self.high)

    def images(self, reach):
        if np.isinf(self.high):
            return [(1.0, 0.0), (-1.0, 2 * self.low)]
        if np.isinf(self.low):
            return [(1.0, 0.0), (-1.0, 2 * self.high)]
        width = self.high - self.low
        farthest = 2 + int(reach / (2 * width))
        shifts = 2 * width * np.arange(-farthest, farthest + 1)
        # a query and a centre are at most a width apart: farther images add nothing to what that distance gives
        straight = [(1.0, shift) for shift in shifts if abs(shift) <= 2 * width + reach]
        gaps = np.minimum(np.abs(shifts), np.abs(shifts - 2 * width))
        return straight + [
            (-1.0, 2 * self.low + shift) for shift, gap in zip(shifts, gaps, strict=True) if gap <= reach
        ]


class Periodic(Feature):
    """Positions on a circle, of which every real number is one."""

    def __init__(self, period, start):
        self.period, self.low, self.high = period, start, start + period

    def to_line(self, x):
        return self.low + np.mod(x - self.low, self.period), np.zeros(len(x))

    def from_line(self, z):
        x = self.low + np.mod(z - self.low, self.period)
        return np.where(x < self.high, x, self.low)

    def images(self, reach):
        farthest = 1 + int(reach / self.period)
        return [(1.0, k * self.period) for k in range(-farthest, farthest + 1)]


class Cut(Feature):
    """Ends beyond which the kernels are cut off and what is left is renormalised."""

    def __init__(self, low, high):
        self.low, self.high = low, high


class Mapped(Feature):
    """Ends that a logarithm or a logit moves to infinity."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def to_line(self, x):
        below, above = x - self.low, self.high - x
        if np.isinf(self.high):
            return np.log(below), -np.log(below)
        if np.isinf(self.low):
            return -np.log(above), -np.log(above)
        return np.log(below) - np.log(above), np.log(self.high - self.low) - np.log(below) - np.log(above)

    def from_line(self, z):
        if np.isinf(self.high):
            x = self.low + np.exp(z)
        elif np.isinf(self.low):
            x = self.high - np.exp(-z)
        else:
            x = self.low + (self.high - self.low) / (1 + np.exp(-z))
        return np.clip(x, np.nextafter(self.low, np.inf), np.nextafter(self.high, -np.inf))

    def curvature(self, x):
        below, above = x - self.low, self.high - x
        if np.isinf(self.high):
            return 1 / below, -1 / below
        if np.isinf(self.low):
            return 1 / above, 1 / above
        return 1 / below + 1 / above, 1 / above - 1 / below


BOUNDARIES = {"reflect": Reflected, "renormalize": Cut, "transform": Mapped}


class Space:
    """The features of a table, each of its kind.

    Parameters
    ----------
    features : list of Feature
        One for each column.
    names : list of str, optional
        What errors call them.
    """

    def __init__(self, features, names=None):
        self.features = features
        self.names = names or [f"X[:, {j}]" for j in range(len(features))]
        self.is_plain = all(type(feature) in (Feature, Cut) for feature in features)
        self.is_free = all(type(feature) is Feature for feature in features)

    def to_line(self, X):
        """Coordinates of shape (n_samples, n_features), and the log of their volume per volume of rows."""
        if self.is_plain:
            return X, np.zeros(len(X))
        pairs = [feature.to_line(x) for feature, x in zip(self.features, X.T, strict=True)]
        return np.column_stack([z for z, _ in pairs]), sum(log_slope for _, log_slope in pairs)

    def from_line(self, Z):
        """The rows of given coordinates."""
        if self.is_plain:
            return Z
        return np.column_stack([feature.from_line(z) for feature, z in zip(self.features, Z.T, strict=True)])

    def images(self, bandwidths, tail):
        """The images of each feature: lists of pairs (sign, shift).

        Parameters
        ----------
        bandwidths : ndarray of shape (n_features,)
            The largest of each feature.
        tail : {"compact", "square", "linear", "power"}
            How the kernel falls.

        Raises
        ------
        ValueError
            If there is no end of them.
        """
        ways = []
        for feature, h, name in zip(self.features, bandwidths, self.names, strict=True):
            width = feature.high - feature.low
            is_folded = type(feature) in (Reflected, Periodic) and np.isfinite(width)
            if tail == "power" and is_folded:
                raise ValueError(
                    f"{name} is folded, again and again, but the tails of the kernel 'student_t' have no end: use "
                    f"kernel='logistic'{'' if type(feature) is Periodic else ' or another boundary'}."
                )
            reach = h * {"compact": 1.0, "square": np.sqrt(2 * FAR), "linear": FAR, "power": 0.0}[tail]
            if np.isfinite(width) and type(feature) is not Mapped and reach > MOST_IMAGES * width:
                raise ValueError(
                    f"The bandwidth {h:.3g} of {name} is far beyond its range {width:.3g}: take a smaller one."
                )
            ways.append(feature.images(reach))
        return ways


def together(ways):
    """The images of whole rows: pairs of arrays (signs, shifts), the row itself first.

    Parameters
    ----------
    ways : list of list
        The images of each feature.

    Returns
    -------
    list of tuple of ndarray of shape (n_features,)

    Raises
    ------
    ValueError
        If there are too many of them.
    """
    if np.prod([float(len(way)) for way in ways]) > MOST_IMAGES:
        raise ValueError(
            "The mirror images of a row in so many bounded columns are more than can be summed: use "
            "multivariate='product', boundary='transform', or bounds for fewer columns."
        )
    found = [tuple(map(np.array, zip(*choice, strict=True))) for choice in itertools.product(*ways)]
    return sorted(found, key=lambda image: (image[1] ** 2).sum() + (image[0] < 0).sum())
