r"""Bins of one width for each column, chosen together: by cross-validated risk, or by Knuth's posterior.

With cells of volume v that hold the shares p_c of n rows, the leave-one-out estimate of the integrated squared error
is, but for a constant and the factor 1 / (n - 1) (Rudemo, 1982, "Empirical choice of histograms and kernel density
estimators", Scandinavian Journal of Statistics 9),

.. math:: \frac{1}{v} \Bigl(2 - (n + 1) \sum_c p_c^2\Bigr) ,

and the log posterior of M cells of one volume with the counts n_c, those of the empty ones among them, is, but for a
constant (Knuth, 2006, "Optimal data-based binning for histograms", arXiv:physics/0605197),

.. math:: n \log M + \log\Gamma\frac{M}{2} - M \log\Gamma\frac{1}{2} - \log\Gamma\Bigl(n + \frac{M}{2}\Bigr)
          + \sum_c \log\Gamma\Bigl(n_c + \frac{1}{2}\Bigr) .

Values that are rounded gather in few cells, however narrow these are, which both take for structure: so bins are no
narrower than the smallest distance of values where some are tied.
"""

import numpy as np
from scipy.special import gammaln

from skgen.nonparametric._histogram._cells import Cells
from skgen.nonparametric._histogram._rules import fd, scott

ALL_TO = 500  # numbers of bins that are tried one by one; farther ones in steps of a percent
FACTORS = 2.0 ** (np.arange(-10, 9) / 4)  # of the widths by Scott's rule, for several columns


def risk(counts, n_cells):
    """The cross-validated risk of cells of one volume, without what does not depend on them."""
    n = counts.sum()
    shares = counts / n
    return (2 - (n + 1) * shares @ shares) * n_cells


def knuth_loss(counts, n_cells):
    """Minus Knuth's log posterior."""
    n, n_empty = counts.sum(), n_cells - np.count_nonzero(counts)
    full = counts[counts > 0]
    log_posterior = (
        n * np.log(n_cells)
        + gammaln(n_cells / 2)
        - gammaln(n + n_cells / 2)
        + gammaln(full + 0.5).sum()
        + (n_empty - n_cells) * gammaln(0.5)
    )
    return -log_posterior


LOSSES = {"cv": risk, "knuth": knuth_loss}


def best_numbers(lines, loss, codes_of, most):
    """The number of bins of each column that minimises a loss.

    Parameters
    ----------
    lines : list of Line
        The columns.
    loss : callable
        Of the weights of cells and their number, `risk` or `knuth_loss`.
    codes_of : callable
        Gives the places of all rows in column j, whose edges are given, and their weights.
    most : int
        Bins of a column.

    Returns
    -------
    list of int
    """
    caps = [min(most, _finest(line)) for line in lines]
    if len(lines) == 1:
        [line], tried = lines, _tried(lines[0], caps[0])
        losses = [loss(line.counts(line.even_edges(n_bins)), n_bins) for n_bins in tried]
        return [int(tried[int(np.argmin(losses))])]
    widths = [_width(line) for line in lines]
    tried = []
    for factor in FACTORS:
        numbers = [
            int(np.clip(np.ceil(line.range / (factor * width)), 1, cap))
            for line, width, cap in zip(lines, widths, caps, strict=True)
        ]
        if numbers not in tried:
            tried.append(numbers)
    losses = [_joint_loss(lines, numbers, loss, codes_of) for numbers in tried]
    return tried[int(np.argmin(losses))]


def _finest(line):
    """The largest number of bins no narrower than the resolution."""
    return int(np.clip(line.range / line.resolution * (1 + 1e-9), 1, 2**31)) if line.resolution else 2**31


def _tried(line, cap):
    """Numbers of bins: up to four times those of the rule of Freedman and Diaconis, or the root of the rows."""
    width = fd(line)
    wide = min(4 * line.range / width, 1e9) if width > 0 else 0
    most = int(min(max(100, np.sqrt(line.n), wide), cap, 20 * ALL_TO))
    tried = np.arange(1, min(most, ALL_TO) + 1)
    if most > ALL_TO:
        n_more = int(np.ceil(np.log(most / ALL_TO) / np.log(1.01)))
        tried = np.append(tried, np.unique(np.geomspace(ALL_TO + 1, most, n_more).astype(int)))
    return tried


def _width(line):
    """Scott's width for as many columns as there are, of the smaller of two scales."""
    width, robust = scott(line), fd(line) * (24 * np.sqrt(np.pi)) ** (1 / 3) / (2 * 1.349)
    return min(width, robust) if robust > 0 else width


def _joint_loss(lines, numbers, loss, codes_of):
    edges = [line.even_edges(n_bins) for line, n_bins in zip(lines, numbers, strict=True)]
    codes, weights = codes_of(edges)
    cells = Cells.of(codes, weights, [n_bins + 2 for n_bins in numbers])
    return loss(cells.weights[-1], float(np.prod(np.array(numbers, dtype=float))))
