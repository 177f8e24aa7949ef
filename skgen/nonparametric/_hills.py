"""Which rows stand on one hill of a density: those between which it does not fall."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from skgen.nonparametric._space import Periodic

SAME, NEAR, NEIGHBOURS = 1e-3, 1.0, 8  # bandwidths between rows that are one, and between neighbours, and their number
CELL = 0.25  # bandwidths: of each hill, the highest row of a cell looks for neighbours on other hills
BETWEEN = [0.001, 0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 0.999]  # where a valley is looked for
LEVEL = 1e-10  # nats by which a row is higher than another


def hills(mixture, Z):
    """Number the groups of rows between which the density does not fall, or that are nearly one.

    A group goes on with the highest row that can be reached from its top without a valley, and so with one hill only,
    where it stands between two; if none is higher, with all that are as high, so that a plateau is one.

    Parameters
    ----------
    mixture : KernelMixture
        The density.
    Z : ndarray of shape (n_rows, n_features)
        Rows in its coordinates.

    Returns
    -------
    ndarray of int of shape (n_rows,)
    """
    U = places(mixture, Z)
    heights = mixture.log_prob(mixture.space.from_line(Z))
    group = _linked(cKDTree(U).query_pairs(SAME, output_type="ndarray"), len(Z))
    some = highest(group, heights)
    while True:
        level = heights[highest(group, heights)] - LEVEL  # of each group, that of its top
        i, j = some[_neighbours(U[some])].T
        kept = (group[i] != group[j]) & (heights[i] >= level[group[i]])
        i, j = i[kept], j[kept]
        kept = _without_valley(mixture, Z, heights, i, j)
        i, j = i[kept], j[kept]
        rises, falls = heights[j] > heights[i] + LEVEL, heights[j] < heights[i] - LEVEL
        best = highest(group[i[rises]], heights[j[rises]])
        up = np.column_stack([i[rises][best], j[rises][best]])
        flat = ~rises & ~falls & (heights[j] >= level[group[j]]) & ~np.isin(group[i], group[up[:, 0]])
        joined = _linked(group[np.vstack([up, np.column_stack([i[flat], j[flat]])])], len(level))
        if joined.max() + 1 == len(level):
            return group
        group = joined[group]
        cells = np.column_stack([group, np.round(U / CELL)])
        some = highest(np.unique(cells, axis=0, return_inverse=True)[1].ravel(), heights)


def _neighbours(U):
    """Pairs of rows that stand side by side."""
    distance, index = cKDTree(U).query(U, k=NEIGHBOURS + 1, distance_upper_bound=NEAR)
    i, place = np.nonzero(np.isfinite(distance))
    return np.column_stack([i, index[i, place]])


def _without_valley(mixture, Z, heights, i, j):
    """Whether the density between rows i and j is nowhere below both."""
    way = Z[j] - Z[i]
    for k, feature in enumerate(mixture.space.features):
        if isinstance(feature, Periodic):
            way[:, k] -= np.round(way[:, k] / feature.period) * feature.period
    lower = np.minimum(heights[i], heights[j]) - LEVEL
    is_open = np.ones(len(i), bool)
    for share in BETWEEN:
        if not is_open.any():
            break
        place = mixture.space.from_line(Z[i[is_open]] + share * way[is_open])
        is_open[is_open] = mixture.log_prob(place) >= lower[is_open]
    return is_open


def _linked(pairs, n):
    """The numbers of the groups of n things that pairs link."""
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(links, directed=False)[1]


def highest(group, heights):
    """The index of the highest member of each group.

    Parameters
    ----------
    group : ndarray of int of shape (n_rows,)
        Numbers of the groups.
    heights : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of int of shape (n_groups,)
    """
    order = np.lexsort((heights, group))
    is_last = np.append(np.diff(group[order]) != 0, np.ones(min(1, len(order)), bool))
    return order[is_last]


def widths(mixture):
    """The bandwidths of the narrowest kernel."""
    return mixture.marginal * (1.0 if mixture.scales is None else mixture.scales.min())


def places(mixture, Z):
    """Rows in bandwidths of the narrowest kernel, with circles laid out in the plane, so that their ends meet.

    Parameters
    ----------
    mixture : KernelMixture
        The density.
    Z : ndarray of shape (n_rows, n_features)
        Rows in its coordinates.

    Returns
    -------
    ndarray of shape (n_rows, n_features + n_circles)
    """
    Z, columns = mixture.space.from_line(Z), []
    for z, feature, h in zip(Z.T, mixture.space.features, widths(mixture), strict=True):
        if isinstance(feature, Periodic):
            radius, angle = feature.period / (2 * np.pi * h), 2 * np.pi * z / feature.period
            columns += [radius * np.cos(angle), radius * np.sin(angle)]
        else:
            columns.append(z / h)
    return np.column_stack(columns)
