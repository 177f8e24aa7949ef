"""Compiled loops of histograms."""

import numpy as np

from skgen.compiled import kernel


@kernel
def place(x, edges, is_even):
    """The number of edges that are not above x, where the last edge counts as inside.

    Parameters
    ----------
    x : ndarray of shape (n,)
    edges : ndarray of shape (n_bins + 1,)
    is_even : bool
        Whether the edges are evenly spaced, up to a quarter of a bin: then a division comes next to the place.

    Returns
    -------
    ndarray of int64 of shape (n,)
    """
    n_bins = len(edges) - 1
    low, high = edges[0], edges[n_bins]
    per_unit = n_bins / (high - low)
    codes = np.empty(len(x), dtype=np.int64)
    for i in range(len(x)):
        value = x[i]
        if value < low:
            codes[i] = 0
        elif value > high:
            codes[i] = n_bins + 1
        elif value == high:
            codes[i] = n_bins
        else:
            if is_even:
                k = min(int((value - low) * per_unit), n_bins - 1)
                while value < edges[k]:
                    k -= 1
                while value >= edges[k + 1]:
                    k += 1
            else:
                k, above = 0, n_bins
                while above - k > 1:
                    middle = (k + above) >> 1
                    if value < edges[middle]:
                        above = middle
                    else:
                        k = middle
            codes[i] = k + 1
    return codes
