"""The histogram as a density."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen import supports
from skgen.base import AdditiveStatistics, DensityEstimator
from skgen.conditionals import DependentColumns
from skgen.nonparametric._histogram import _conditionals
from skgen.nonparametric._histogram._axes import KINDS, Averaged
from skgen.nonparametric._histogram._cells import Cells
from skgen.nonparametric._histogram._edges import RULES, Options, may_be_fixed
from skgen.nonparametric._histogram._exact import digits, mean
from skgen.nonparametric._histogram._law import Law
from skgen.nonparametric._histogram._smoothing import fitted_prior, tail_scales

FEW = {"sturges", "doane", "knuth"}  # rules that make so few bins that jumps of the density are seen late


class HistogramDensity(AdditiveStatistics, DependentColumns, DensityEstimator):
    r"""Histogram: the share of the rows in a cell over its volume.

    .. math:: p(x) = \frac{n_c + \alpha g_c}{(n + \alpha)\, v_c}, \qquad x \in c

    for the cell c of volume :math:`v_c` that holds :math:`n_c` of the n rows, in any number of columns: only cells that
    hold rows are kept. A prior of total mass :math:`\alpha` that is shared among cells as :math:`g_c` smooths the
    counts (Dirichlet), so that no cell is empty.

    Parameters
    ----------
    bins : int, str, array-like or dict, default="auto"
        For every column a number of bins of one width; or increasing edges; or a rule: numpy's "auto", "fd", "scott",
        "sturges", "rice", "sqrt", "stone" and "doane"; "cv" (least leave-one-out risk) and "knuth" (highest posterior),
        which choose for all columns together; "quantile" (as many rows in each) and "bayesian_blocks" (where the
        density changes), whose widths vary. A list with an entry for each column, or a dict by name or number
        (columns that it does not name have "auto"), gives each its own.
    range : pair of float, list of pairs or dict, default=None
        The ends of the bins of every column, of each, or of some by name or number, where `bins` gives no edges; None,
        or an infinite end, is the outermost row.
    kind : {"histogram", "averaged_shifted", "frequency_polygon"}, default="histogram"
        Steps; the mean of `n_shifts` histograms (to the power of the number of columns) whose bins are shifted by
        parts of their width; or straight lines between the middles of bins. All integrate to one, and end with the
        range: bins that are shifted over an end are cut, and lines go on flat beyond the last middle.
    n_shifts : int, default=5
        Parts into which a bin is cut, for "averaged_shifted". A row reaches up to :math:`(2m - 1)^d` of them,
        m = `n_shifts`: in more than three columns take 2 or 3, or the polygon, whose rows reach :math:`2^d` bins.
    n_quantiles : int, default=None
        The number of bins of "quantile"; that of "rice" if None.
    alpha : float or "auto", default="auto"
        The mass of the prior, in rows. "auto" is the one for which rows, counted in the middles of their cells, are
        likeliest under the counts of all others, and 1 at least. With 0, an empty cell scores -inf.
    prior : {"uniform", "independent"}, default="uniform"
        How the mass is shared in several columns: evenly by volume, or by the product of the columns' own histograms,
        which is better where cells are many and rows few. These are smoothed by `alpha`, too; with "auto",
        each by a mass that is chosen for it.
    outside : {"tails", "-inf"}, default="tails"
        What lies beyond the ends of a column: an exponential tail with the mass of the rows that lie there, of one
        more, and of its share of the prior, its scale being the mean excess of the outermost :math:`\sqrt n` rows; or
        nothing, where a row to be fitted is an error.

    Attributes
    ----------
    edges_ : list of ndarray of shape (n_bins + 1,)
        Of the bins of each column.
    alpha_ : float
        The mass of the prior.
    tail_scales_ : ndarray of shape (n_features, 2) or None
        Of the lower and upper tails, in the units of the columns.
    n_cells_ : int
        How many cells hold rows ("averaged_shifted": parts of cells).
    statistics_ : dict
        The counts.
    coordinates_ : list of ndarray
        The edges, fixed before rows are counted.

    Raises
    ------
    UnboundedLikelihood
        If the range of a constant column is to be learned.

    Warns
    -----
    UserWarning
        If a rule asks for more than 65536 bins: its range is far wider than the bulk of the rows.

    See Also
    --------
    KernelDensity : Without edges; slower for many rows, better for few.

    Notes
    -----
    The rules are numpy's for one column, with weights as frequencies. For d columns they are carried over, so that
    bins are as wide as suits cells in d dimensions: "fd" and "scott" fall as :math:`n^{-1 / (d + 2)}`, "sqrt" makes
    about :math:`\sqrt n` cells in all. Whole-number columns have bins of width 1 at least, as numpy's have. Edges of
    "quantile" lie halfway between rows, and its outermost shares are those of the tails, where there are tails.

    `partial_fit` is there where edges are given, or a number of bins and a range: then blocks add up to the whole,
    without weights to the bit.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import HistogramDensity
    >>> X = np.random.default_rng(0).normal(size=(1000, 1))
    >>> model = HistogramDensity("fd").fit(X)
    >>> np.array_equal(model.edges_[0], np.histogram_bin_edges(X, "fd"))
    True
    >>> model.score_samples([[0.0], [10.0]]).round(2)
    array([ -0.96, -21.86])
    >>> model.sample(3, random_state=0).shape
    (3, 1)
    """

    _parameter_constraints = {
        "bins": [Interval(Integral, 1, None, closed="left"), StrOptions(RULES), "array-like", dict],
        "range": [None, "array-like", dict],
        "kind": [StrOptions(set(KINDS))],
        "n_shifts": [Interval(Integral, 1, None, closed="left")],
        "n_quantiles": [None, Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "prior": [StrOptions({"uniform", "independent"})],
        "outside": [StrOptions({"tails", "-inf"})],
    }
    _unique_optimum = True
    _smooths = True
    _summed_at_once = 2**22  # the cells of two blocks have to be merged

    @property
    def _consistent(self):
        """Whether more rows make the score better: no cell is left empty, and bins are narrow enough."""
        return self.alpha != 0 and not (isinstance(self.bins, str) and self.bins in FEW)

    def __init__(
        self,
        bins="auto",
        *,
        range=None,  # as numpy calls it
        kind="histogram",
        n_shifts=5,
        n_quantiles=None,
        alpha="auto",
        prior="uniform",
        outside="tails",
    ):
        self.bins = bins
        self.range = range
        self.kind = kind
        self.n_shifts = n_shifts
        self.n_quantiles = n_quantiles
        self.alpha = alpha
        self.prior = prior
        self.outside = outside

    @property
    def support(self):
        """Between the outermost edges, or everywhere where there are tails."""
        if not hasattr(self, "setting_"):
            ends = self.range if isinstance(self.range, tuple | list) else ()
            is_finite = len(ends) == 2 and all(isinstance(end, Real) and np.isfinite(end) for end in ends)
            return supports.between(*ends) if self.outside == "-inf" and is_finite else supports.real
        if self.setting_["outside"] == "tails":
            return supports.real
        return _box(self.coordinates_)

    def _is_incremental(self):
        """Whether edges are given, or follow from what is given."""
        return may_be_fixed(self.bins, self.range)

    def _asked(self):
        return repr(sorted(self.get_params(deep=False).items()))

    def _take_in(self, X, y, sample_weight):
        if hasattr(self, "setting_") and self.setting_["asked"] != self._asked():
            raise ValueError("A parameter was changed between two blocks: call fit, or set it back.")
        super()._take_in(X, y, sample_weight)
        if not Options(self, self.columns_).are_fixed:
            raise ValueError(
                "partial_fit counts blocks in bins that are fixed before: give edges for every column, or numbers of "
                "bins and a finite range for every column."
            )

    def _coordinates(self, X, sample_weight):
        self.setting_ = {name: getattr(self, name) for name in ("kind", "n_shifts", "prior", "outside", "alpha")}
        self.setting_["asked"] = self._asked()
        options = Options(self, self.columns_)

        def codes_of(columns, edges):
            axes = [KINDS["histogram"](part) for part in edges]
            return (axis.codes(X[:, j]) for j, axis in zip(columns, axes, strict=True)), sample_weight

        return options.edges(X, sample_weight, codes_of)

    def _axes(self, edges, scales=None):
        kind, more = KINDS[self.setting_["kind"]], {}
        if kind is Averaged:
            more = {"n_shifts": self.setting_["n_shifts"]}
        scales = [None] * len(edges) if scales is None else scales
        return [kind(part, pair, **more) for part, pair in zip(edges, scales, strict=True)]

    def _statistics(self, X, sample_weight, coordinates):
        axes = self._axes(coordinates)
        if self.setting_["outside"] == "-inf":
            self._refuse_outside(X, _box(coordinates))
        codes = (axis.codes(x) for axis, x in zip(axes, X.T, strict=True))
        sums = {"cells": Cells.of(codes, sample_weight, [axis.size for axis in axes])}
        if self.setting_["outside"] == "tails":
            sums["beyond"] = np.array([_beyond(axis, x, sample_weight) for axis, x in zip(axes, X.T, strict=True)])
        return sums

    def _m_step(self, statistics, coordinates):
        cells = statistics["cells"]
        if not np.isfinite(cells.n):
            raise ValueError("The weights add up to infinity: divide them by the largest.")
        scales = None
        if self.setting_["outside"] == "tails":
            axes, weights = self._axes(coordinates), cells.marginals()
            sums = zip(statistics["beyond"], weights, strict=True)
            means = [[mean(pair[0], w[0]), mean(pair[1], w[-1])] for pair, w in sums]
            scales = np.array([tail_scales(a.edges, w, s) for a, w, s in zip(axes, weights, means, strict=True)])
        self.edges_ = [edges.copy() for edges in coordinates]
        self.tail_scales_, self.n_cells_ = scales, len(cells)
        axes = self._axes(coordinates, scales)
        by_rows = self.setting_["prior"] == "independent" and len(axes) > 1
        self.alpha_, self.prior_shares_ = fitted_prior(axes, cells, self.setting_["alpha"], by_rows)
        self._law_ = Law(axes, cells, self.alpha_, self.prior_shares_)

    def _kinks(self):
        """For each column where its density may bend or jump."""
        return [axis.knots for axis in self._law_.axes]

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_law_"}

    def __setstate__(self, state):
        super().__setstate__(state)
        if getattr(self, "_fitted", False):
            axes = self._axes(self.coordinates_, self.tail_scales_)
            self._law_ = Law(axes, self.statistics_["cells"], self.alpha_, self.prior_shares_)

    def _log_prob(self, X, y):
        return self._law_.log_prob(X)

    def _sample(self, n_samples, y, rng):
        return _conditionals.sample(self._law_, n_samples, rng)

    def _conditional_log_cdf(self, X):
        return _conditionals.log_cdf(self._law_, X)

    def _conditional_ppf(self, log_u, log_v):
        return _conditionals.ppf(self._law_, log_u, log_v)

    def _complete(self, X, rng):
        return _conditionals.complete(self._law_, X, rng)

    def histogram(self):
        """The masses of all cells between the ends, as numpy's `histogramdd` orders counts.

        Returns
        -------
        masses : ndarray of shape (n_bins of column 0, n_bins of column 1, ...)
            The probability of each bin ("averaged_shifted": of each part of a bin); with what the tails hold they add
            up to one.
        edges : list of ndarray
            Between them.

        Raises
        ------
        ValueError
            If they are more than 67 million.

        Examples
        --------
        >>> from skgen import HistogramDensity
        >>> model = HistogramDensity(bins=[0, 1, 2, 4], alpha=1, outside="-inf").fit([[0.5], [0.7], [3.0]])
        >>> model.histogram()[0]
        array([0.5625, 0.0625, 0.375 ])
        """
        check_is_fitted(self)
        return self._law_.masses_of_bins(), [axis.edges.copy() for axis in self._law_.axes]


def _box(edges):
    """The support between the outermost edges of each column."""
    box = supports.Product([supports.between(part[0], part[-1]) for part in edges])
    box.remedy = "Give wider edges or a wider range, or outside='tails'."
    return box


def _beyond(axis, x, weights):
    """The sums of the distances of the rows below and above the ends, digit by digit."""
    below, above = np.flatnonzero(x < axis.low), np.flatnonzero(x > axis.high)
    farthest = np.finfo(float).max
    return (
        digits(np.minimum(axis.low - x[below], farthest), weights[below]),
        digits(np.minimum(x[above] - axis.high, farthest), weights[above]),
    )
