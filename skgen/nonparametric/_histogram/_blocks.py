r"""Bayesian blocks: bins of unequal width, where the rate of rows changes.

Among all partitions of the line at the middles between distinct values the one is found that maximises

.. math:: \sum_k n_k \log\frac{n_k}{T_k} - K\, c, \qquad c = 4 - \log(73.53\, p_0\, N^{-0.478})

for blocks of n_k rows and width T_k, by dynamic programming over the N distinct values (Scargle, Norris, Jackson and
Chiang, 2013, "Studies in astronomical time series analysis VI", Astrophysical Journal 764, equations 19 and 21), with
a rate of false alarms of :math:`p_0 = 0.05`.
"""

import numpy as np

FALSE_ALARM = 0.05
MOST = 10_000  # distinct values, beyond which neighbours are taken together


def bayesian_blocks(line):
    """Edges of the blocks.

    Parameters
    ----------
    line : Line
        The column.

    Returns
    -------
    ndarray of shape (n_blocks + 1,)
        From the smallest value to the largest.
    """
    x, first = np.unique(line.x, return_index=True)
    counts = np.diff(line.reached[np.append(first, len(line.x))])
    if len(x) < 2:
        return np.array([line.low, line.high])
    ends = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    kept = np.unique(ends, return_index=True)[1]  # of neighbouring numbers the middle is one of them
    if len(kept) > MOST:
        wanted = line.n * np.arange(1, MOST) / MOST
        kept = np.unique(np.append(0, kept[np.searchsorted(np.append(0.0, np.cumsum(counts))[kept], wanted)]))
        kept = np.append(kept, len(x)) if kept[-1] < len(x) else kept
    kept[-1] = len(x)
    counts, ends = np.add.reduceat(counts, kept[:-1]), ends[kept]
    return ends[change_points(counts, ends)]


def change_points(counts, ends):
    """Where blocks of cells begin and end.

    Parameters
    ----------
    counts : ndarray of shape (n_cells,)
    ends : ndarray of shape (n_cells + 1,)

    Returns
    -------
    ndarray of int
        Places of `ends`, the first and the last among them.
    """
    n = len(counts)
    cost = 4 - np.log(73.53 * FALSE_ALARM * n**-0.478)
    reached = np.append(0.0, np.cumsum(counts))
    best, last = np.zeros(n + 1), np.zeros(n + 1, dtype=np.int64)
    for stop in range(1, n + 1):
        weight = reached[stop] - reached[:stop]
        fitness = best[:stop] + weight * np.log(weight / (ends[stop] - ends[:stop]))
        last[stop] = np.argmax(fitness)
        best[stop] = fitness[last[stop]] - cost
    found = [n]
    while found[-1] > 0:
        found.append(last[found[-1]])
    return np.array(found[::-1])
