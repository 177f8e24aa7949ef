"""From the options to the edges of every column."""

import warnings
from numbers import Integral, Real

import numpy as np

from skgen.base import UnboundedLikelihood
from skgen.nonparametric._histogram._axes import Averaged
from skgen.nonparametric._histogram._blocks import bayesian_blocks
from skgen.nonparametric._histogram._criteria import LOSSES, best_numbers
from skgen.nonparametric._histogram._rules import WIDTHS, rice, sorted_line
from skgen.nonparametric._setting import by_number, checked_ends

RULES = {*WIDTHS, *LOSSES, "quantile", "bayesian_blocks"}
MOST_BINS = 2**16  # of a column, by a rule
MOST_GIVEN = 2**24  # by number


class Options:
    """What was asked for each column: `bins`, an array of edges, a number or a rule, and the `ends` of its range."""

    def __init__(self, model, columns):
        d, bins, range_ = len(columns), model.bins, model.range
        self.names = [columns.name(j) for j in range(d)]
        self.is_whole = ["int" in str(dtype).lower() for dtype in columns.dtypes]
        self.parts = Averaged.parts(model.n_shifts) if model.kind == "averaged_shifted" else np.zeros(1)
        self.n_quantiles, self.has_tails = model.n_quantiles, model.outside == "tails"
        self.bins = [_checked(given, name) for given, name in zip(_by_column(bins, columns), self.names, strict=True)]
        if isinstance(range_, np.ndarray | list) and np.ndim(range_[0]):
            range_ = dict(enumerate(range_))
        ranges = by_number(range_, columns, range(d), "range")
        self.ends = [checked_ends(ranges.get(j, (None, None)), name, "range") for j, name in enumerate(self.names)]

    @property
    def are_fixed(self):
        """Whether the edges do not depend on rows."""
        return all(
            isinstance(bins, np.ndarray) or (isinstance(bins, int) and np.isfinite(ends).all())
            for bins, ends in zip(self.bins, self.ends, strict=True)
        )

    def edges(self, X, weights, codes_of):
        """The edges of every column.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        weights : ndarray of shape (n_samples,)
        codes_of : callable
            As `best_numbers` wants it.

        Returns
        -------
        list of ndarray

        Raises
        ------
        UnboundedLikelihood
            If a column whose range is learned is constant.
        ValueError
            If bins would be narrower than numbers can tell.
        """
        found, joint = [None] * len(self.bins), {}
        for j, bins in enumerate(self.bins):
            if isinstance(bins, np.ndarray):
                found[j] = bins
                continue
            low, high = self._range(X[:, j], j)
            if isinstance(bins, int):
                found[j] = np.linspace(low, high, bins + 1)
                continue
            line = sorted_line(X[:, j], weights, low, high, X.shape[1], float(self.is_whole[j]))
            if not line.n > 1:
                raise UnboundedLikelihood(
                    f"A rule for the bins wants more rows than n_samples={line.n:g}, the sum of their weights in the "
                    f"range of {self.names[j]}: give the number of bins or their edges; weights are frequencies."
                )
            if bins in LOSSES:
                joint.setdefault(bins, {})[j] = line
            elif bins in WIDTHS:
                found[j] = line.even_edges(self._number(line, bins, j))
            elif bins == "quantile":
                found[j] = self._quantiles(line, j)
            else:
                found[j] = _reaching(bayesian_blocks(line), low, high)
        for bins, lines in joint.items():
            columns = list(lines)
            numbers = best_numbers(
                list(lines.values()), LOSSES[bins], lambda edges, columns=columns: codes_of(columns, edges), MOST_BINS
            )
            for j, n_bins in zip(columns, numbers, strict=True):
                found[j] = lines[j].even_edges(n_bins)
        for j, edges in enumerate(found):
            self._check_widths(edges, j)
        return found

    def _range(self, x, j):
        """The ends of a column: as given, or its smallest and largest value."""
        low, high = self.ends[j]
        low, high = float(x.min() if np.isinf(low) else low), float(x.max() if np.isinf(high) else high)
        if not np.isfinite(high - low):
            raise ValueError(f"{self.names[j]} goes from {low:g} to {high:g}, which overflows: rescale it.")
        if len(x) == 1 and not low < high:
            raise UnboundedLikelihood(
                f"One row (n_samples=1) has no range to put bins on: give the edges of {self.names[j]}, or its range."
            )
        if not low < high:
            raise UnboundedLikelihood(
                f"{self.names[j]} is constant, and has no range to put bins on: give their edges, or leave the column "
                "out."
            )
        return low, high

    def _check_widths(self, edges, j):
        """Refuse bins, or parts of them that are shifted, without width."""
        if not (np.diff(Averaged.cut(edges, self.parts)) > 0).all():
            raise ValueError(
                f"{len(edges) - 1} bins of {self.names[j]} between {edges[0]:.17g} and {edges[-1]:.17g} (or the parts "
                "by which they are shifted) are narrower than numbers can tell: take fewer, or subtract an offset."
            )

    def _number(self, line, rule, j):
        """How many bins a rule makes."""
        width = WIDTHS[rule](line)
        if not np.isfinite(width):
            raise ValueError(f"The spread of {self.names[j]} overflows: rescale it, or give the bins without a rule.")
        if not width > 0:
            return 1
        width = max(width, 1.0) if self.is_whole[j] else width
        wanted = np.ceil(line.range / width)
        if wanted > MOST_BINS:
            warnings.warn(
                f"bins={rule!r} makes {wanted:.3g} bins of {self.names[j]}, whose range is {line.range / width:.2g} "
                f"times the width that suits the bulk of its rows; {MOST_BINS} are made. Give a range, beyond which "
                "tails lie, or take bins='quantile' or 'bayesian_blocks', whose widths vary.",
                UserWarning,
                stacklevel=2,
            )
        return int(min(wanted, MOST_BINS))

    def _quantiles(self, line, j):
        """Edges between which the rows share evenly, fewer where values are tied.

        Where there are tails, and no end was given, the outermost shares are theirs.
        """
        n_bins = self.n_quantiles or int(np.ceil(line.range / rice(line)))
        ends = np.append(np.flatnonzero(np.diff(line.x)), len(line.x) - 1) + 1  # of rows of one value
        reached, wanted = line.reached[ends], np.arange(1, n_bins) * line.n / n_bins
        after = np.minimum(np.searchsorted(reached, wanted), len(ends) - 1)
        before = np.maximum(after - 1, 0)
        cut = np.where(reached[after] - wanted <= wanted - reached[before], after, before)
        cut = cut[cut < len(ends) - 1]
        middles = line.x[ends[cut] - 1] + (line.x[ends[cut]] - line.x[ends[cut] - 1]) / 2  # no row lies on an edge
        low, high = (is_given or not self.has_tails or len(middles) < 4 for is_given in np.isfinite(self.ends[j]))
        return np.unique([*[line.low] * low, *middles, *[line.high] * high])


def is_one(bins):
    """Whether bins is a number or a rule."""
    return isinstance(bins, str | Real) or bins is None


def may_be_fixed(bins, range_):
    """Whether edges may be known before rows: where none are left to a rule, and numbers of bins have a range."""
    if isinstance(bins, dict):
        parts = list(bins.values())
    else:
        parts = [bins] if is_one(bins) else [part for part in bins if not isinstance(part, Real)]
    return not any(isinstance(part, str) or (isinstance(part, Real) and range_ is None) for part in parts)


def _reaching(edges, low, high):
    """Edges that begin and end with the range."""
    return np.unique(np.concatenate([[low], edges[1:-1], [high]]))


def _by_column(bins, columns):
    """What was given for each column."""
    d = len(columns)
    if isinstance(bins, dict):
        given = by_number(bins, columns, range(d), "bins")
        return [given.get(j, "auto") for j in range(d)]
    if is_one(bins):
        return [bins] * d
    if not all(isinstance(part, Real) for part in bins):
        if len(bins) != d:
            raise ValueError(f"bins is given for {len(bins)} columns, but X has {d}.")
        return list(bins)
    if d > 1 and len(bins) == d and all(isinstance(part, Integral) for part in bins):
        raise ValueError(
            f"bins={bins!r} may be edges, or a number for each of {d} columns: give an array for each column, or a "
            f"dict such as {{0: {bins[0]}, 1: {bins[1]}}}."
        )
    return [bins] * d


def _checked(bins, name):
    """A number, a rule or increasing edges."""
    if isinstance(bins, str):
        if bins not in RULES:
            raise ValueError(f"bins of {name} is {bins!r}, but the rules are {', '.join(sorted(RULES))}.")
        return bins
    if isinstance(bins, Integral) and not isinstance(bins, bool | np.bool_):
        if not 1 <= bins <= MOST_GIVEN:
            raise ValueError(f"bins of {name} is {bins}, but lies between 1 and {MOST_GIVEN}.")
        return int(bins)
    if isinstance(bins, Real | bool | np.bool_) or bins is None:
        raise ValueError(f"bins of {name} is {bins!r}: give a whole number, a rule or edges.")
    edges = np.array(bins, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        raise ValueError(f"The edges of {name} must be two or more finite numbers that increase.")
    return edges
