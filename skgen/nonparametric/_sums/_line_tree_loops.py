"""Chebyshev moments of many intervals, compiled: see `moments_by_numpy` in `_line_tree`."""

import numpy as np

from skgen.compiled import LOOSE, kernel


@kernel(fastmath=LOOSE)
def moments(places, shares, n_nodes):
    """Sums of shares times Chebyshev polynomials of degree 0 to n_nodes - 1, shape (n_intervals, n_nodes)."""
    n, width = places.shape
    found = np.empty((n, n_nodes))
    before, now = np.empty(width), np.empty(width)
    for i in range(n):
        s, v = places[i], shares[i]
        for k in range(width):
            before[k], now[k] = s[k], 1.0
        for j in range(n_nodes):
            total = 0.0
            for k in range(width):
                total += v[k] * now[k]
                before[k], now[k] = now[k], 2 * s[k] * now[k] - before[k]
            found[i, j] = total
    return found
