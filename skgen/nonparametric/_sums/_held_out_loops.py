"""Kernel sums between the rows of one table, for a whole grid of bandwidths, compiled.

The rows stand in tiles of neighbours. Each pair of tiles is visited once: a row's distances to the other tile are
computed, the bandwidths at which even the nearest of them matters are found, and for each of those the kernel is
evaluated once and counts for both rows of the pair. Rows of one fold are nothing to each other. Bandwidths go from the
smallest to the largest, so that those that see nothing are the first ones.
"""

import math

import numpy as np

from skgen.compiled import LOOSE, kernel

MAGIC = 1.5 * 2.0**52  # added, it leaves the nearest whole number in the low bits
LOWEST = -950.0  # far above the smallest normal number: products with weights are to be normal, and fast
LONGEST = 256  # rows of a tile at most

GAUSSIAN, POWER, COSINE, EXPONENTIAL, LOGISTIC, STUDENT = 0, 1, 2, 3, 4, 5  # profiles
SQUARES, SUM, LARGEST, POWERS = 0, 1, 2, 3  # how columns make a distance


@kernel(fastmath={"contract", "nsz", "arcp"})
def powers_of_two(t, rate, e, n):
    """2^(-rate t) into e, to 2e-14 (a Chebyshev polynomial of degree 9 on half a unit either side)."""
    for j in range(n):
        x = max(-rate * t[j], LOWEST)
        whole = x + MAGIC
        r = x - (whole - MAGIC)
        p = 1.0205905413765595e-07
        p = p * r + 1.325964524488711e-06
        p = p * r + 1.5252672924850737e-05
        p = p * r + 0.0001540343375125101
        p = p * r + 0.0013333558200794592
        p = p * r + 0.009618129193934313
        p = p * r + 0.05550410866465167
        p = p * r + 0.2402265069564034
        p = p * r + 0.6931471805599462
        p = p * r + 1.0000000000000135
        bits = (np.float64(whole).view(np.int64) << 52) + np.float64(p).view(np.int64)
        e[j] = np.int64(bits).view(np.float64)


@kernel(fastmath={"contract", "nsz", "arcp"})
def values(profile, rate, edge, t, e, n):
    """The kernel at distances t (already to the power that it wants) into e."""
    code, a, b = profile
    if code in (GAUSSIAN, EXPONENTIAL):
        powers_of_two(t, rate, e, n)
    elif code == LOGISTIC:
        powers_of_two(t, rate, e, n)
        for j in range(n):
            e[j] = 4 * e[j] / ((1 + e[j]) * (1 + e[j]))
    elif code == POWER:
        for j in range(n):
            rest = max(edge - t[j], 0.0) * rate
            cube = rest * rest * rest if b == 3 else rest * rest if b == 2 else rest
            e[j] = cube if b > 0 else 1.0 if t[j] <= edge else 0.0
    elif code == COSINE:
        for j in range(n):
            u = max(edge - t[j], 0.0) * rate
            q = u * u
            p = -4.377065467313739e-14  # the sine of u quarter turns, to full precision where it vanishes
            p = p * q + 6.066935731106192e-12
            p = p * q - 6.688035109811464e-10
            p = p * q + 5.692172921967924e-08
            p = p * q - 3.5988432352120853e-06
            p = p * q + 0.00016044118478735982
            p = p * q - 0.004681754135318688
            p = p * q + 0.07969262624616703
            p = p * q - 0.6459640975062462
            p = p * q + 1.5707963267948966
            e[j] = p * u
    else:
        for j in range(n):
            e[j] = math.exp(-a * math.log1p(t[j] * rate))


@kernel(fastmath=LOOSE)
def share(e, weights, own, sums, n):
    """Add what a row of weight `own` gives to others, and return what they give to it."""
    found = 0.0
    for j in range(n):
        sums[j] += own * e[j]
        found += weights[j] * e[j]
    return found


@kernel(fastmath=LOOSE)
def add_columns(metric, power, C, i, first, n, t):
    """Sums over columns (or the largest) of the differences between row i and n rows from the first one on."""
    for j in range(n):
        t[j] = 0.0
    for c in range(len(C)):
        x, column = C[c, i], C[c, first : first + n]
        if metric == SUM:
            for j in range(n):
                t[j] += abs(column[j] - x)
        elif metric == LARGEST:
            for j in range(n):
                t[j] = max(t[j], abs(column[j] - x))
        elif metric == POWERS:
            for j in range(n):
                t[j] += abs(column[j] - x) ** power
        else:
            for j in range(n):
                t[j] += (column[j] - x) * (column[j] - x)


@kernel
def measure(metric, wanted, C, i, first, n, t):
    """Distances between row i and n rows from the first one on, to the power (1, 2 or 3) that is wanted."""
    code, power = metric
    add_columns(code, power, C, i, first, n, t)
    if code == SQUARES:
        if wanted == 1:
            for j in range(n):
                t[j] = math.sqrt(t[j])
        elif wanted == 3:
            for j in range(n):
                t[j] *= math.sqrt(t[j])
    else:
        for j in range(n):
            r = t[j] if code != POWERS else t[j] ** (1 / power)
            t[j] = r if wanted == 1 else r * r if wanted == 2 else r * r * r


@kernel
def lowest_of_others(t, folds, i, first, n):
    """Put rows of the fold of row i at infinity; the lowest of the rest."""
    low = np.inf
    for j in range(n):
        if folds[first + j] == folds[i]:
            t[j] = np.inf
        low = min(low, t[j])
    return low


@kernel
def find_nearest(metric, wanted, C, folds, starts, pairs, nearest):
    """Lower `nearest` (n_rows,) to each row's distance from the nearest row of another fold, over pairs of tiles.

    C (d, n_rows) are the coordinates, starts (n_tiles + 1,) where tiles begin, pairs (n_pairs, 2) tiles.
    """
    t = np.empty(LONGEST)
    for p in range(len(pairs)):
        start, stop = starts[pairs[p, 1]], starts[pairs[p, 1] + 1]
        for i in range(starts[pairs[p, 0]], starts[pairs[p, 0] + 1]):
            first = i + 1 if pairs[p, 0] == pairs[p, 1] else start
            n = stop - first
            if n > 0:
                measure(metric, wanted, C, i, first, n, t)
                nearest[i] = min(nearest[i], lowest_of_others(t, folds, i, first, n))
                for j in range(n):
                    nearest[first + j] = min(nearest[first + j], t[j])


@kernel
def add_pairs(profile, metric, wanted, by_column, C, weights, folds, starts, pairs, nearest, slack, edges, rates, sums):
    """Add to sums (n_grid, n_rows) what rows of other folds give to each row, over pairs of tiles.

    edges and rates (n_grid,) are what the bandwidths are to the kernel; slack is the power of two below which all that
    a tile gives is nothing beside the nearest row. The other arrays are those of `find_nearest`.
    """
    code = profile[0]
    is_compact = code in (POWER, COSINE)
    d, n_grid = len(C), len(edges)
    t, e, factors = np.empty(LONGEST), np.empty(LONGEST), np.empty(LONGEST)
    columns = np.empty((d if by_column else 0, LONGEST))
    for p in range(len(pairs)):
        start, stop = starts[pairs[p, 1]], starts[pairs[p, 1] + 1]
        farthest = nearest[start:stop].max()
        for i in range(starts[pairs[p, 0]], starts[pairs[p, 0] + 1]):
            first = i + 1 if pairs[p, 0] == pairs[p, 1] else start
            n = stop - first
            if n <= 0:
                continue
            measure(metric, wanted, C, i, first, n, t)
            low = lowest_of_others(t, folds, i, first, n)
            if low == np.inf:
                continue
            needed = max(nearest[i], farthest)
            if by_column:
                for c in range(d):
                    measure((SQUARES, 2.0), wanted, C[c : c + 1], i, first, n, columns[c])
                for j in range(n):
                    columns[0, j] = np.inf if t[j] == np.inf else columns[0, j]
            for g in range(n_grid):
                cut = edges[g] if is_compact else needed + slack / rates[g]
                if low > cut:
                    continue
                a, b = 0, n
                while t[a] > cut:
                    a += 1
                while t[b - 1] > cut:
                    b -= 1
                values(profile, rates[g], edges[g], columns[0, a:b] if by_column else t[a:b], e, b - a)
                for c in range(1, d if by_column else 1):
                    values(profile, rates[g], edges[g], columns[c, a:b], factors, b - a)
                    for j in range(b - a):
                        e[j] *= factors[j]
                here = slice(first + a, first + b)
                sums[g, i] += share(e, weights[here], weights[i], sums[g, here], b - a)


@kernel
def far_sums(profile, metric, wanted, C, weights, folds, nearest, limit, slack, rates, rows, sums):
    """For rows whose nearest neighbour is beyond numbers: sums of 2^(-rate (t - nearest)), of shape (n_grid, n_rows).

    Only where rate nearest > limit; for the kernels that fall exponentially.
    """
    code, n_all = profile[0], C.shape[1]
    most = 4.0 if code == LOGISTIC else 1.0  # what the denominator is near 1 for
    t = np.empty(LONGEST)
    for k in range(len(rows)):
        i = rows[k]
        for start in range(0, n_all, LONGEST):
            n = min(LONGEST, n_all - start)
            measure(metric, wanted, C, i, start, n, t)
            lowest_of_others(t, folds, i, start, n)
            for j in range(n):
                beyond = t[j] - nearest[i]
                for g in range(len(rates) - 1, -1, -1):
                    if rates[g] * beyond > slack:
                        break
                    if rates[g] * nearest[i] > limit:
                        sums[g, i] += most * weights[start + j] * 2.0 ** (-rates[g] * beyond)
