r"""What rows do not say: the mass of the prior, by held-out likelihood, and the tails beyond the ends."""

import numpy as np
from scipy.optimize import brentq

from skgen.nonparametric._histogram._law import Law

LEAST = 1.0  # the prior weighs one row at least (Perks, 1947), so that no cell is empty
MOST = 1e6  # and so many times the rows at most
N_TRIED = 40


def fitted_prior(axes, cells, alpha, by_rows):
    """The mass of the prior and how columns share it.

    Parameters
    ----------
    axes : list of Axis
    cells : Cells
    alpha : float or "auto"
        The mass, or to be chosen by held-out likelihood.
    by_rows : bool
        Whether the bins of a column share as its rows do, smoothed, or as their widths.

    Returns
    -------
    alpha : float
    shares : list of ndarray
        As `Law` wants them.
    """
    weights = cells.marginals()
    if by_rows:
        own = [_alpha_of_column(axis, w) if alpha == "auto" else alpha for axis, w in zip(axes, weights, strict=True)]
        shares = [shares_of(*part, by_rows) for part in zip(axes, weights, own, strict=True)]
        held_out = [shares_of(a, w, o, by_rows, left_out=True) for a, w, o in zip(axes, weights, own, strict=True)]
    else:
        shares = held_out = [shares_of(axis, w, 0.0, by_rows) for axis, w in zip(axes, weights, strict=True)]
    if alpha == "auto":
        alpha = held_out_alpha(*_held_out(axes, cells, held_out))
    return float(alpha), shares


def _alpha_of_column(axis, weights):
    """The mass that smooths the rows of one column between its ends."""
    inner = weights[1:-1]
    counts = inner[inner > 0]
    log_prior = np.log(axis.widths / axis.widths.sum())[inner > 0]
    return held_out_alpha(counts - np.minimum(counts, 1.0), log_prior, 0.0, counts, 0.0) if len(counts) else LEAST


def _held_out(axes, cells, shares):
    """What `held_out_alpha` wants, of the cells at their middles."""
    law, weights = Law(axes, cells, 0.0, shares), cells.weights[-1]
    codes = cells.codes()
    lost = np.minimum(weights, 1.0)
    if law.is_plain:
        kept = weights - lost
    else:
        kept = np.empty(len(cells))
        middles = [axis.middles[np.clip(code - 1, 0, axis.n_bins - 1)] for axis, code in zip(axes, codes, strict=True)]
        for block in law.blocks(len(cells)):
            kept[block] = law.reaching([x[block] for x in middles], [code[block] for code in codes])
        own = [axis.touching(x, code) for axis, x, code in zip(axes, middles, codes, strict=True)]
        heights = [values[np.arange(len(code)), code - first] for (first, values), code in zip(own, codes, strict=True)]
        kept = np.maximum(kept - lost * np.prod(heights, axis=0), 0.0)
    log_prior, came = np.zeros(len(cells)), np.zeros(len(cells))
    for j, (axis, code) in enumerate(zip(axes, codes, strict=True)):
        log_prior += law.log_prior(j, axis.middles[np.clip(code - 1, 0, axis.n_bins - 1)], code)
        came += law.came(j, code)
    return kept, log_prior, came, weights, law.per_column * law.d


def shares_of(axis, weights, alpha, by_rows, left_out=False):
    """The masses of b_j: what the prior says of one column, by place.

    Parameters
    ----------
    axis : Axis
    weights : ndarray of shape (axis.size,)
        The weight of the rows in each place.
    alpha : float
        The mass that smooths the weights, if they count.
    by_rows : bool
        Whether the bins share as the rows do, smoothed, or as their widths.
    left_out : bool, default=False
        Whether each share is the one that rows in that place see when they leave themselves out.

    Returns
    -------
    ndarray of shape (axis.size,)
        Their sum is one. With tails, each has the share (m + 1) / (n + 3) of Laplace's rule of succession, if m rows
        lie there.
    """
    n = weights.sum()
    shares = np.zeros(axis.size)
    if axis.scales is not None:
        shares[[0, -1]] = (weights[[0, -1]] + 1) / (n + 3)
    inner = axis.widths / axis.widths.sum()
    if by_rows:
        counts, lost = weights[1:-1], float(left_out)
        total = max(counts.sum() - lost, 0.0) + alpha
        if total > 0:  # otherwise all rows lie in the tails
            inner = (np.maximum(counts - lost, 0.0) + alpha * inner) / total
    shares[1:-1] = inner * (1 - shares[0] - shares[-1])
    return shares


def held_out_alpha(kept, log_prior, came, weights, n_pseudo):
    r"""The mass of the prior for which rows are likeliest, each under the counts of all others.

    .. math:: \sum_c n_c \log\frac{k_c + b_c (\alpha + t_c)}{n - 1 + \alpha + 2d}

    Parameters
    ----------
    kept : ndarray of shape (n_cells,)
        :math:`k_c`: the weight that reaches the middle of the cell, less one row of its own.
    log_prior : ndarray of shape (n_cells,)
        :math:`\log b_c`, in the same units.
    came : ndarray of shape (n_cells,)
        :math:`t_c`: the tails' part of the factor of the prior.
    weights : ndarray of shape (n_cells,)
        :math:`n_c`.
    n_pseudo : float
        The rows of the tails, 2 d, or 0 without them.

    Returns
    -------
    float
        Between one and a million times the rows.
    """
    n = weights.sum()
    rest = max(n - 1, 0.0) + n_pseudo
    with np.errstate(divide="ignore"):
        base = np.exp(np.minimum(np.log(kept) - log_prior, 700.0)) + came

    def slope(log_alpha):
        alpha = np.exp(log_alpha)
        return weights @ (alpha / (base + alpha)) - n * alpha / (rest + alpha)

    def likelihood(log_alpha):
        alpha = np.exp(log_alpha)
        return weights @ np.log(base + alpha) - n * np.log(rest + alpha)

    tried = np.linspace(np.log(LEAST), np.log(MOST * max(n, 1.0)), N_TRIED)
    best = int(np.argmax([likelihood(log_alpha) for log_alpha in tried]))
    low, high = tried[max(best - 1, 0)], tried[min(best + 1, N_TRIED - 1)]
    if not slope(low) > 0 > slope(high):  # at an end of what is tried
        return float(np.exp(tried[best]))
    return float(np.exp(brentq(slope, low, high, xtol=1e-14, rtol=1e-14)))


def tail_scales(edges, weights, beyond):
    r"""The scales of the exponential tails: the mean excess of the outermost :math:`\sqrt n` rows.

    An exponential tail has the same mean excess over every threshold. The threshold is the innermost edge beyond which
    fewer than :math:`\sqrt n` rows lie, or the next one; rows in a bin count at its middle. Where no row lies between
    the ends and beyond this one, the scale is the width of the outermost bin.

    Parameters
    ----------
    edges : ndarray of shape (n_bins + 1,)
    weights : ndarray of shape (n_bins + 2,)
        The weight of the rows in each place.
    beyond : ndarray of shape (2,)
        The mean distances from the ends of the rows below and above them.

    Returns
    -------
    tuple of float
        Of the lower and the upper tail.
    """
    wanted = np.sqrt(weights.sum())
    upper = _mean_excess(edges, weights[1:-1], weights[-1], beyond[1], wanted)
    return _mean_excess(-edges[::-1], weights[-2:0:-1], weights[0], beyond[0], wanted), upper


def _mean_excess(edges, weights, n_beyond, beyond, wanted):
    if not weights.any() and n_beyond == 0:
        return float(edges[-1] - edges[-2])  # all rows lie beyond the other end
    reached = n_beyond + np.append(np.cumsum(weights[::-1])[::-1], 0.0)  # the weight above each edge
    k = int(np.flatnonzero(reached >= min(wanted, reached[0]))[-1])
    middles = edges[:-1] + np.diff(edges) / 2
    inside = weights[k:] @ (middles[k:] - edges[k])
    return float(inside / reached[k] + (beyond + (edges[-1] - edges[k])) * (n_beyond / reached[k]))
