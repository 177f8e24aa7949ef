"""A distribution of scipy.stats as its fit sees it: its parameters' ranges, a column in its units, coordinates.

The free parameters are mapped to the whole line: shapes and the scale by their ranges; the location by the gap that it
leaves between the end of the support and the data, where the support has an end, so that an estimate at the end (the
location of `expon` is the least value) is a point like others.
"""

import warnings
from contextlib import contextmanager, nullcontext
from difflib import get_close_matches
from math import asinh, exp, isfinite, isinf, log, log1p, sinh
from typing import NamedTuple

import numpy as np
from scipy import stats

from skgen.parametric._quantiles import sketch

ALL = {name: d for name, d in vars(stats).items() if isinstance(d, stats.rv_continuous | stats.rv_discrete)}
NOISY = {  # warn of their own numerics
    "beta", "betaprime", "erlang", "gausshyper", "genhyperbolic", "geninvgauss", "invgauss", "levy_stable", "ncf",
    "nct", "norminvgauss", "rdist", "studentized_range", "wald",
}  # fmt: skip
COSTLY = {  # values of their densities that a fit may compute: a minute or two
    "irwinhall": 1_000_000, "ksone": 1_000_000, "kstwo": 150_000, "levy_stable": 40_000, "nct": 200_000,
    "studentized_range": 12_000,
}  # fmt: skip
TRULY_REAL = {("nbinom", "n")}  # scipy calls it whole, and takes fractions
FEW = 200  # quantiles of the data on which the starts are tried


def find(distribution):
    """The distribution of scipy.stats of this name, or the object itself.

    Parameters
    ----------
    distribution : str, rv_continuous or rv_discrete
        What the user gave.

    Returns
    -------
    rv_continuous or rv_discrete

    Raises
    ------
    ValueError
        If scipy.stats has no distribution of this name.
    """
    if isinstance(distribution, str) and distribution not in ALL:
        close = get_close_matches(distribution, ALL, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else 'Give "norm", "gamma", "nbinom", ...'
        raise ValueError(f'scipy.stats has no univariate distribution {distribution!r}. {hint} "auto" chooses one.')
    dist = ALL[distribution] if isinstance(distribution, str) else distribution
    if dist.name == "vonmises":
        raise ValueError(
            "vonmises of scipy.stats repeats itself along the whole line, and so is no density there: use "
            '"vonmises_line", or a model of angles.'
        )
    return dist


def is_discrete(dist):
    """Whether the distribution is one of whole numbers."""
    return isinstance(dist, stats.rv_discrete)


def parameter_names(dist):
    """Names of the parameters, in scipy's order: shapes, loc, scale."""
    shapes = dist.shapes.replace(" ", "").split(",") if dist.shapes else []
    return [*shapes, "loc"] if is_discrete(dist) else [*shapes, "loc", "scale"]


def check_names(dist, fixed):
    """Raise a ValueError where a fixed parameter is none of the distribution's."""
    unknown = sorted(set(fixed) - set(parameter_names(dist)))
    if unknown:
        raise ValueError(f"fixed names {unknown}, but the parameters of {dist.name} are {parameter_names(dist)}.")


def log_density(dist, x, parameters):
    """The log-density (or log-probability) of each entry of x: never NaN, never infinity.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    x : ndarray of shape (n_samples,)
        Numbers.
    parameters : dict
        By scipy's names.

    Returns
    -------
    ndarray of shape (n_samples,)
        A pole counts as the largest number there is.
    """
    with calm(dist):
        values = (dist.logpmf if is_discrete(dist) else dist.logpdf)(x, **parameters)
    return np.nan_to_num(values, nan=-np.inf, posinf=np.finfo(float).max, neginf=-np.inf)


@contextmanager
def calm(dist):
    """Silence numpy, and the families that warn of what their users cannot help; others stay safe in threads."""
    with np.errstate(all="ignore"), silence() if is_noisy(dist) else nullcontext():
        yield


def is_noisy(dist):
    """Whether a distribution may warn: some of scipy's do, and one of the user's own may."""
    return dist.name in NOISY or dist is not ALL.get(dist.name)


@contextmanager
def silence():
    """Without warnings, of Python and of numpy."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Shape(NamedTuple):
    """What a shape parameter may be."""

    low: float
    high: float
    whole: bool


def shapes_of(dist):
    """The range of each shape parameter by name; one of a distribution that does not say is positive."""
    names = [name for name in parameter_names(dist) if name not in ("loc", "scale")]
    try:
        known = {info.name: info for info in dist._shape_info()}
    except (AttributeError, NotImplementedError):
        known = {}
    positive = Shape(0.0, np.inf, False)
    return {
        name: Shape(
            *map(float, known[name].domain), bool(known[name].integrality) and (dist.name, name) not in TRULY_REAL
        )
        if name in known
        else positive
        for name in names
    }


class Column(NamedTuple):
    """Distinct values in increasing order, from an origin in units of a spread, and their shares of the rows."""

    z: np.ndarray
    share: np.ndarray
    origin: float
    spread: float

    def quantiles(self, levels):
        """The values below which shares of the rows lie."""
        place = np.searchsorted(np.cumsum(self.share), np.asarray(levels) * (1 - 1e-12))
        return self.z[np.minimum(place, len(self.z) - 1)]

    def sketch(self):
        """A few quantiles and both ends, in place of many values."""
        if len(self.z) <= 2 * FEW:
            return self
        z, share = sketch(self.z, self.share, FEW)
        return self._replace(z=z, share=share)


def column_of(dist, x, sample_weight, fixed):
    """The column as a family sees it: from its fixed location, or from the data at the end of its support.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    x, sample_weight : ndarray of shape (n_samples,)
        Values and their frequencies.
    fixed : dict
        The parameters that are given.

    Returns
    -------
    Column
    """
    x, place = np.unique(x, return_inverse=True)
    share = np.bincount(place, sample_weight)
    share = share / share.sum()
    if is_discrete(dist):
        return Column(x, share, 0.0, 1.0)
    a, b = constant_ends(dist)
    if "loc" in fixed:
        origin = fixed["loc"]
    elif np.isfinite(a) or np.isfinite(b):
        origin = x[0] if np.isfinite(a) else x[-1]
    else:
        origin = Column(x, share, 0.0, 1.0).quantiles([0.5])[0]
    if "loc" not in fixed and np.isfinite(a) and np.isfinite(b):
        spread = x[-1] - x[0]
    else:
        order = np.argsort(np.abs(x - origin))
        spread = Column(np.abs(x - origin)[order], share[order], 0.0, 1.0).quantiles([0.5])[0]
        spread = spread if spread > 0 else share @ np.abs(x - origin)
    spread = spread if spread > 0 else 1.0
    return Column((x - origin) / spread, share, origin, spread)


def constant_ends(dist):
    """The ends of the standard support, infinite where there is none or where the shapes move it."""
    probes = [[from_line(v, s.low, s.high) for s in shapes_of(dist).values()] for v in (-0.7, 0.4, 1.3)]
    probes = [[np.ceil(v) if s.whole else v for v, s in zip(p, shapes_of(dist).values(), strict=True)] for p in probes]
    with np.errstate(all="ignore"):
        ends = np.array([dist._get_support(*map(np.float64, probe)) for probe in probes], dtype=float)
    still = (ends == ends[0]).all(axis=0)
    return np.where(still, ends[0], [-np.inf, np.inf])


def from_line(u, low, high):
    """From the whole line into a range; infinite u is an end of the range itself."""
    if isfinite(low) and isfinite(high):
        if isinf(u):
            return low if u < 0 else high
        return low + (high - low) / (1 + exp(-min(max(u, -30.0), 30.0)))
    if isfinite(low):
        return low + _grown(u)
    return high - _grown(u) if isfinite(high) else sinh(min(max(u, -14.0), 14.0))


def _grown(u):
    return 0.0 if u == -np.inf else exp(min(max(u, -30.0), 14.0))


def to_line(value, low, high, margin=1e-3):
    """The inverse of `from_line`; what lies outside the range, or within a margin of its end, is moved inside."""
    if isfinite(low) and isfinite(high):
        share = min(max((value - low) / (high - low), margin), 1 - margin)
        return log(share) - log1p(-share)
    if isfinite(low) or isfinite(high):
        return log(max(value - low if isfinite(low) else high - value, margin))
    return asinh(value)


class Exhausted(Exception):
    """The budget of a fit is spent."""


class Budget:
    """How many values of a density a fit may compute: families whose density takes long are stopped in time.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    """

    def __init__(self, dist):
        self.all = COSTLY.get(dist.name, np.inf)
        self.spent, self.best, self.halfway = 0, -np.inf, -np.inf

    def spend(self, n_values):
        """Take note of so many values, or raise Exhausted."""
        if self.spent > self.all:
            raise Exhausted
        self.spent += n_values

    def note(self, height):
        """Take note of a mean log-likelihood."""
        self.best = max(self.best, height)
        if self.spent < 0.5 * self.all:
            self.halfway = self.best

    def is_spent(self):
        """Whether the fit was stopped."""
        return self.spent > self.all


class Chart:
    """Coordinates on the whole line for the free parameters of a family on a column.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    column : Column
        Its least and greatest values bound the location and the scale.
    given : dict
        Fixed parameters, in the column's units.
    budget : Budget, optional
        Of the values that may be computed.

    Attributes
    ----------
    best : tuple of (ndarray, float)
        The highest point that was visited, and its height.
    """

    def __init__(self, dist, column, given, budget=None):
        self.dist, self.column, self.given, self.budget = dist, column, given, budget
        self.best = None, -np.inf
        self.shapes = shapes_of(dist)
        self.ends = constant_ends(dist)
        order = [*self.shapes, "scale", "loc"]  # the location's range depends on the scale
        self.free = [name for name in order if name not in given]

    def range(self, name, values):
        """The range of a parameter, given those before it."""
        if name in self.shapes:
            return self.shapes[name].low, self.shapes[name].high
        (a, b), least, greatest = self.ends, self.column.z[0], self.column.z[-1]
        if name == "loc":
            return greatest - b * values["scale"], least - a * values["scale"]
        low, high = 0.0, np.inf
        if "loc" not in values:
            return (greatest - least) / (b - a), np.inf
        for end, room, is_lower in ((a, least - values["loc"], True), (b, greatest - values["loc"], False)):
            if np.isfinite(end) and end != 0:
                low, high = (low, min(high, room / end)) if (end > 0) == is_lower else (max(low, room / end), high)
        return low, high

    def values(self, u):
        """All parameters at a point of the line, by name."""
        values = dict(self.given)
        for name, v in zip(self.free, u, strict=True):
            values[name] = np.float64(from_line(v, *self.range(name, values)))
        return values

    def point(self, values, margin=1e-3):
        """The point of the line for these parameters, moved into their ranges."""
        u, inside = [], dict(self.given)
        for name in self.free:
            ends = self.range(name, inside)
            u.append(to_line(values[name], *ends, margin))
            inside[name] = np.float64(from_line(u[-1], *ends))
        return np.array(u)

    def height(self, u):
        """The mean log-likelihood of the column, in its own units; -inf where the distribution's code gives up."""
        if self.budget is not None:
            self.budget.spend(len(self.column.z))
        try:
            with np.errstate(all="ignore"):
                height = self._height(self.values(u))
        except ArithmeticError:
            return -np.inf
        if self.budget is not None and self.best[1] < height < np.inf:
            self.best = np.array(u), height
            self.budget.note(height)
        return height

    def _height(self, values):
        height = self.column.share @ self.log_density(values)
        return -np.inf if np.isnan(height) else float(height)

    def log_density(self, values):
        """Of each value of the column; NaN where the parameters are none, or their support does not hold all values."""
        shapes = [values[name] for name in self.shapes]
        scale, z = values["scale"], self.column.z
        if not scale > 0 or not np.all(self.dist._argcheck(*shapes)):
            return np.full(len(z), np.nan)
        a, b = self.dist._get_support(*shapes)
        rounding = 1e-15 * (abs(values["loc"]) + abs(z[[0, -1]])) / scale
        z = (z - values["loc"]) / scale
        if not (z[0] >= a - rounding[0] and z[-1] <= b + rounding[1]):
            return np.full(len(z), np.nan)
        return self.dist._logpxf(np.clip(z, a, b), *shapes) - np.log(scale)
