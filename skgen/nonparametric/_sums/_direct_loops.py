"""Sums of kernels over all pairs of queries and centres that matter, compiled.

The centres stand in tiles of neighbours with a box around each. For a few queries at a time the loop starts with the
tile that promises most, keeps a running maximum as log-sum-exp does, and leaves out a tile whose box is so far that
all of it would change the sum by less than `NEGLIGIBLE`. Everything is in powers of two, whose exponents are bits.

Rows that spread over many bandwidths come with a frame: (origins, is_wide, Z, table, is_matrix, unit). A query is then
brought into the coordinates of each tile after the tile's own origin is taken away, which loses no digits; in tiles
that are wide themselves it is taken away from each centre.
"""

import math

import numpy as np

from skgen.compiled import LOOSE, kernel

MAGIC = 1.5 * 2.0**52  # added, it leaves the nearest whole number in the low bits
NEGLIGIBLE = 50.0  # a tile that adds less than 2^-50 of what is there is left out
LOWEST = -1020.0  # 2^LOWEST is a normal number
NOTHING = -1e300  # the exponent of a term that is zero
LOG2E = 1 / math.log(2)
CLOSER = 1 - 2e-15  # so much nearer are boxes taken to be on the sphere
TOGETHER = 4  # queries that share the loads of a tile

GAUSSIAN, POWER, COSINE, EXPONENTIAL, LOGISTIC, STUDENT = 0, 1, 2, 3, 4, 5  # profiles
SQUARES, SUM, LARGEST, POWERS, CHORD, PRODUCT = 0, 1, 2, 3, 4, 5  # how columns make a distance, or a product


@kernel(fastmath={"contract", "nsz", "arcp"})
def exp2(tile, n, shift):
    """2^(tile - shift) in place, to 2e-14 (a Chebyshev polynomial of degree 9 on half a unit either side)."""
    for j in range(n):
        t = max(tile[j] - shift, LOWEST)
        whole = t + MAGIC
        r = t - (whole - MAGIC)
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
        tile[j] = np.int64(bits).view(np.float64)


@kernel
def largest(tile, n):
    """The maximum; eight at a time, since each comparison waits for the one before it."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = tile[0]
    whole = n - n % 8
    for j in range(0, whole, 8):
        a0, a1, a2, a3 = max(a0, tile[j]), max(a1, tile[j + 1]), max(a2, tile[j + 2]), max(a3, tile[j + 3])
        a4, a5, a6, a7 = max(a4, tile[j + 4]), max(a5, tile[j + 5]), max(a6, tile[j + 6]), max(a7, tile[j + 7])
    for j in range(whole, n):
        a0 = max(a0, tile[j])
    return max(max(a0, a1), max(a2, a3), max(a4, a5), max(a6, a7))


@kernel(fastmath=LOOSE)
def total(tile, n):
    """The sum."""
    found = 0.0
    for j in range(n):
        found += tile[j]
    return found


@kernel(fastmath=LOOSE)
def total_product(tile, factors, n):
    """The sum of products."""
    found = 0.0
    for j in range(n):
        found += tile[j] * factors[j]
    return found


@kernel
def bring(Q, first, frame, which, near):
    """The queries from `first` on into `near`, less an origin and turned if there is a frame; the last one repeats."""
    origins, _, _, table, is_matrix, unit = frame
    d = Q.shape[1]
    for k in range(len(near)):
        q = min(first + k, len(Q) - 1)
        for c in range(d):
            if len(origins) == 0:
                near[k, c] = Q[q, c]
            elif is_matrix:
                near[k, c] = 0.0
                for b in range(d):
                    near[k, c] += (Q[q, b] - origins[which, b]) * table[b, c] * unit
            else:
                near[k, c] = (Q[q, c] - origins[which, c]) / table[0, c] * unit


@kernel
def surround(q, frame, start, n, around):
    """The centres of a tile into `around`, less the query q and turned."""
    _, _, Z, table, is_matrix, unit = frame
    for c in range(len(q)):
        row = around[c]
        if not is_matrix:
            column = Z[c, start : start + n]
            for j in range(n):
                row[j] = (column[j] - q[c]) / table[0, c] * unit
            continue
        row[:n] = 0.0
        for b in range(len(q)):
            column = Z[b, start : start + n]
            for j in range(n):
                row[j] += (column[j] - q[b]) * table[b, c] * unit


@kernel(fastmath=LOOSE)
def subtract_squares(tiles, base, centers, near, start, n):
    """Into each of four tiles: base less the squared distances of its query to the centres, two columns at a time."""
    t0, t1, t2, t3 = tiles[0], tiles[1], tiles[2], tiles[3]
    d = len(centers)
    if d % 2:
        x0, x1, x2, x3 = near[0, d - 1], near[1, d - 1], near[2, d - 1], near[3, d - 1]
        last = centers[d - 1, start : start + n]
        for j in range(n):
            a, w = last[j], base[j]
            t0[j], t1[j] = w - (a - x0) * (a - x0), w - (a - x1) * (a - x1)
            t2[j], t3[j] = w - (a - x2) * (a - x2), w - (a - x3) * (a - x3)
    for c in range(0, d - 1, 2):
        x0, x1, x2, x3 = near[0, c], near[1, c], near[2, c], near[3, c]
        y0, y1, y2, y3 = near[0, c + 1], near[1, c + 1], near[2, c + 1], near[3, c + 1]
        first, second = centers[c, start : start + n], centers[c + 1, start : start + n]
        if c == 0 and d % 2 == 0:
            for j in range(n):
                a, b, w = first[j], second[j], base[j]
                t0[j] = w - (a - x0) * (a - x0) - (b - y0) * (b - y0)
                t1[j] = w - (a - x1) * (a - x1) - (b - y1) * (b - y1)
                t2[j] = w - (a - x2) * (a - x2) - (b - y2) * (b - y2)
                t3[j] = w - (a - x3) * (a - x3) - (b - y3) * (b - y3)
        else:
            for j in range(n):
                a, b = first[j], second[j]
                t0[j] -= (a - x0) * (a - x0) + (b - y0) * (b - y0)
                t1[j] -= (a - x1) * (a - x1) + (b - y1) * (b - y1)
                t2[j] -= (a - x2) * (a - x2) + (b - y2) * (b - y2)
                t3[j] -= (a - x3) * (a - x3) + (b - y3) * (b - y3)


@kernel
def gap(low, high, near, c):
    """How far the interval from low to high is from those of the queries, in column c."""
    below = above = near[0, c]
    for k in range(1, len(near)):
        below, above = min(below, near[k, c]), max(above, near[k, c])
    return max(0.0, low - above, below - high)


@kernel(fastmath=LOOSE)
def total_pull(tile, n, centers, start, precisions, x, pull):
    """Add to pull (d + 1,) the sums of terms, times precisions, by centres less the query x, and of themselves."""
    if len(precisions):
        for j in range(n):
            tile[j] *= precisions[j]
    for c in range(len(centers)):
        column, found = centers[c, start : start + n], 0.0
        for j in range(n):
            found += tile[j] * (column[j] - x[c])
        pull[c] += found
    pull[len(centers)] += total(tile, n)


@kernel
def log2_gauss_sums(
    centers, starts, low, high, log2_weights, log2_masses, precisions, least, frame, Q, own, log2_own, out, pulls
):
    """log2 of sum_i w_i 2^(-s_i |q - c_i|^2) for each query q.

    centers (d, n) stand in tiles from starts[t] to starts[t + 1], in boxes low, high (n_tiles, d); log2_masses are
    log2 of the tiles' weights; precisions s (n,), or of length 0 where all are 1, with the least of each tile. The
    weight of centre own[q], where that is not -1, is 2^log2_own[q] for query q. pulls (n_queries, d + 1), of no columns
    if nobody asks, are the means of s_i (c_i - q) and of s_i with the terms as weights. A frame has the origin of each
    tile's coordinates in origins (n_tiles + 1, d), of length 0 if they are all alike, and last that of the boxes'.
    """
    d, n_tiles = len(centers), len(starts) - 1
    longest = 0
    for t in range(n_tiles):
        longest = max(longest, starts[t + 1] - starts[t])
    tiles, near = np.empty((TOGETHER, longest)), np.empty((TOGETHER, d))
    around, nowhere = np.empty((d, longest)), np.zeros(d)
    most, mass, bounds = np.empty(TOGETHER), np.empty(TOGETHER), np.empty(n_tiles)
    enough = NEGLIGIBLE + math.log2(n_tiles)
    has_origins, is_wide = len(frame[0]) > 0, frame[1]
    for first in range(0, len(Q), TOGETHER):
        here = min(TOGETHER, len(Q) - first)
        most[:], mass[:] = -np.inf, 0.0
        bring(Q, first, frame, n_tiles, near)
        best = 0
        for t in range(n_tiles):
            square = 0.0
            for c in range(d):
                square += gap(low[t, c], high[t, c], near, c) ** 2
            bounds[t] = log2_masses[t] - least[t] * square
            best = t if bounds[t] > bounds[best] else best
        for turn in range(-1, n_tiles):
            t = best if turn < 0 else turn
            if turn == best:
                continue
            if turn >= 0:
                needed = np.inf
                for k in range(here):
                    needed = min(needed, most[k] + math.log2(mass[k]) if mass[k] > 0 else -np.inf)
                if bounds[t] < needed - enough:
                    continue
            start, n = starts[t], starts[t + 1] - starts[t]
            by_itself = has_origins and is_wide[t]
            if has_origins and not by_itself:
                bring(Q, first, frame, t, near)
            weights = log2_weights[start : start + n]
            factors = precisions[start : start + n] if len(precisions) else precisions
            if not by_itself:
                subtract_squares(tiles, np.zeros(n) if len(factors) else weights, centers, near, start, n)
            for k in range(here):
                tile, q = tiles[k], first + k
                if by_itself:
                    surround(Q[q], frame, start, n, around)
                    distances(SQUARES, 2.0, around, 0, n, nowhere, tile)
                    for j in range(n):
                        tile[j] = -tile[j] if len(factors) else weights[j] - tile[j]
                if len(factors):
                    for j in range(n):
                        tile[j] = tile[j] * factors[j] + weights[j]
                if own[q] >= start and own[q] < start + n:
                    tile[own[q] - start] += log2_own[q] - log2_weights[own[q]]
                before = most[k]
                is_added = _add(tile, n, most, mass, k)
                if pulls.shape[1]:
                    if most[k] > before:
                        pulls[q] *= 2.0 ** max(before - most[k], LOWEST)
                    if is_added and by_itself:
                        total_pull(tile, n, around, 0, factors, nowhere, pulls[q])
                    elif is_added:
                        total_pull(tile, n, centers, start, factors, near[k], pulls[q])
        for k in range(here):
            out[first + k] = most[k] + math.log2(mass[k]) if mass[k] > 0 else -np.inf
            if pulls.shape[1] and mass[k] > 0:
                pulls[first + k] /= mass[k]


@kernel
def _add(tile, n, most, mass, k):
    """Take the terms of a tile into the running sum 2^most mass; whether they counted, and are exponents no more."""
    top = largest(tile, n)
    if top > most[k]:
        mass[k] = mass[k] * 2.0 ** max(most[k] - top, LOWEST) if mass[k] > 0 else 0.0
        most[k] = top
    counts = top >= most[k] - NEGLIGIBLE - 24 and top > NOTHING
    if counts:
        exp2(tile, n, most[k])
        mass[k] += total(tile, n)
    return counts


@kernel
def log2_profile(code, a, b, s):
    """log2 of a kernel at the squared distance s, in units of its bandwidth."""
    r = math.sqrt(s)
    if code == GAUSSIAN:
        return -0.5 * LOG2E * s
    if code == POWER:
        rest = 1 - r**a
        return b * math.log2(rest) if rest > 0 else 0.0 if rest == 0 and b == 0 else -np.inf
    if code == COSINE:
        return math.log2(math.sin(0.5 * math.pi * (1 - r))) if r < 1 else -np.inf
    if code == EXPONENTIAL:
        return -r * LOG2E
    if code == LOGISTIC:
        return 2.0 - r * LOG2E - 2 * LOG2E * math.log1p(math.exp(-r))
    return -a * LOG2E * math.log1p(s / b)


@kernel(fastmath={"contract", "nsz", "arcp"})
def multiply(code, a, b, s, tile, factors, scratch, n):
    """Multiply the terms 2^tile factors by the kernel at squared distances s, which are spoiled."""
    if code == GAUSSIAN:
        for j in range(n):
            tile[j] -= 0.5 * LOG2E * s[j]
    elif code == POWER and b == 0:
        for j in range(n):
            factors[j] = factors[j] if s[j] <= 1 else 0.0
    elif code == POWER:
        if a == 1:
            for j in range(n):
                s[j] = math.sqrt(s[j])
        elif a == 3:
            for j in range(n):
                s[j] = s[j] * math.sqrt(s[j])
        for j in range(n):
            rest = 1 - s[j] if s[j] < 1 else 0.0
            factors[j] *= rest if b == 1 else rest * rest if b == 2 else rest * rest * rest
    elif code == COSINE:
        for j in range(n):
            r = math.sqrt(s[j])
            t = 1 - r if r < 1 else 0.0
            q = t * t
            p = -4.377065467313739e-14  # the sine of t quarter turns, to full precision where it vanishes
            p = p * q + 6.066935731106192e-12
            p = p * q - 6.688035109811464e-10
            p = p * q + 5.692172921967924e-08
            p = p * q - 3.5988432352120853e-06
            p = p * q + 0.00016044118478735982
            p = p * q - 0.004681754135318688
            p = p * q + 0.07969262624616703
            p = p * q - 0.6459640975062462
            p = p * q + 1.5707963267948966
            factors[j] *= p * t
    elif code == EXPONENTIAL:
        for j in range(n):
            tile[j] -= LOG2E * math.sqrt(s[j])
    elif code == LOGISTIC:
        for j in range(n):
            scratch[j] = -LOG2E * math.sqrt(s[j])
            tile[j] += scratch[j]
        exp2(scratch, n, 0.0)
        for j in range(n):
            factors[j] *= 4.0 / ((1 + scratch[j]) * (1 + scratch[j]))
    else:
        for j in range(n):
            tile[j] -= a * LOG2E * math.log1p(s[j] / b)


@kernel
def distance(metric, power, gaps):
    """The squared distance made of the differences of each column."""
    found = 0.0
    for gap in gaps:
        if metric == SUM:
            found += abs(gap)
        elif metric == LARGEST:
            found = max(found, abs(gap))
        elif metric == POWERS:
            found += abs(gap) ** power
        else:
            found += gap * gap
    return finish(metric, power, found)


@kernel
def finish(metric, power, found):
    """The squared distance, from the columns' sum or maximum."""
    if metric in (SUM, LARGEST):
        return found * found
    if metric == POWERS:
        return found ** (2 / power)
    if metric == CHORD:  # at most: rounding may make a chord longer, and beside the antipode angles much wider
        return (2 * power * math.asin(min(1.0, 0.5 * math.sqrt(found * CLOSER)))) ** 2
    return found


@kernel(fastmath=LOOSE)
def distances(metric, power, centers, start, n, x, s):
    """The squared distances of the query x from the centres of a tile."""
    for j in range(n):
        s[j] = 0.0
    for c in range(len(centers)):
        column = centers[c, start : start + n]
        if metric == SUM:
            for j in range(n):
                s[j] += abs(column[j] - x[c])
        elif metric == LARGEST:
            for j in range(n):
                s[j] = max(s[j], abs(column[j] - x[c]))
        elif metric == POWERS:
            for j in range(n):
                s[j] += abs(column[j] - x[c]) ** power
        else:
            for j in range(n):
                s[j] += (column[j] - x[c]) * (column[j] - x[c])
    if metric in (SUM, LARGEST):
        for j in range(n):
            s[j] *= s[j]
    elif metric == CHORD:
        for j in range(n):
            s[j] = angle(centers, start + j, x, s[j], power)
    elif metric == POWERS:
        for j in range(n):
            s[j] = finish(metric, power, s[j])


@kernel
def angle(centers, i, x, apart, power):
    """The squared angle between unit vectors at the squared distance `apart`, in bandwidths 1 / power."""
    if apart <= 2.0:
        return (2 * power * math.asin(0.5 * math.sqrt(apart))) ** 2
    across = 0.0  # the squared distance from the other side of the sphere
    for c in range(len(x)):
        across += (centers[c, i] + x[c]) * (centers[c, i] + x[c])
    return (power * (math.pi - 2 * math.asin(min(1.0, 0.5 * math.sqrt(across))))) ** 2


@kernel
def steepness(code, a, b, s):
    """How fast the logarithm of a kernel falls: twice its loss for a unit of the squared distance s."""
    if code == GAUSSIAN:
        return 1.0
    if code == STUDENT:
        return 2 * a / (b + s)
    r = max(math.sqrt(s), 1e-8)
    if code == EXPONENTIAL:
        return 1 / r
    if code == LOGISTIC:
        return math.tanh(0.5 * r) / r
    r = min(r, 1 - 1e-16)
    if code == COSINE:
        return 0.5 * math.pi * math.tan(0.5 * math.pi * r) / r
    return a * b * r ** (a - 2) / (1 - r**a)


@kernel
def log2_kernel_sums(
    profile, metric, centers, starts, low, high, log2_weights, log2_masses, precisions, least, frame,
    Q, own, log2_own, out, pulls
):  # fmt: skip
    """log2 of the sum of any kernel: profile is (code, a, b), metric (code, power); the rest as in log2_gauss_sums.

    pulls may be asked for where the metric is SQUARES; terms are weighted by their steepness besides.
    """
    code, a, b = profile
    metric, power = metric
    d, n_tiles = len(centers), len(starts) - 1
    longest = 0
    for t in range(n_tiles):
        longest = max(longest, starts[t + 1] - starts[t])
    tile, factors, s, scratch = np.empty(longest), np.empty(longest), np.empty(longest), np.empty(longest)
    bounds, gaps, near = np.empty(n_tiles), np.empty(d), np.empty((1, d))
    around, nowhere = np.empty((d, longest)), np.zeros(d)
    enough = NEGLIGIBLE + math.log2(n_tiles)
    has_origins, is_wide = len(frame[0]) > 0, frame[1]
    for q in range(len(Q)):
        most, mass, best = -np.inf, 0.0, 0
        bring(Q, q, frame, n_tiles, near)
        for t in range(n_tiles):
            bounds[t] = log2_masses[t]
            for c in range(d):
                gaps[c] = gap(low[t, c], high[t, c], near, c)
                if metric == PRODUCT:
                    bounds[t] += log2_profile(code, a, b, least[t] * gaps[c] * gaps[c])
            if metric != PRODUCT:
                bounds[t] += log2_profile(code, a, b, least[t] * distance(metric, power, gaps))
            best = t if bounds[t] > bounds[best] else best
        for turn in range(-1, n_tiles):
            t = best if turn < 0 else turn
            if turn == best or bounds[t] == -np.inf:
                continue
            if mass > 0 and bounds[t] < most + math.log2(mass) - enough:
                continue
            start, n = starts[t], starts[t + 1] - starts[t]
            if has_origins and is_wide[t]:
                surround(Q[q], frame, start, n, around)
                places, begin, x = around, 0, nowhere
            else:
                if has_origins:
                    bring(Q, q, frame, t, near)
                places, begin, x = centers, start, near[0]
            for j in range(n):
                tile[j], factors[j] = log2_weights[start + j], 1.0
            if start <= own[q] < start + n:
                tile[own[q] - start] = log2_own[q]
            weigh = precisions[start : start + n] if len(precisions) else precisions
            for c in range(d if metric == PRODUCT else 1):
                if metric == PRODUCT:
                    distances(SQUARES, 2.0, places[c : c + 1], begin, n, x[c : c + 1], s)
                else:
                    distances(metric, power, places, begin, n, x, s)
                for j in range(len(weigh)):
                    s[j] *= weigh[j]
                multiply(code, a, b, s, tile, factors, scratch, n)
            for j in range(n):
                tile[j] = tile[j] if factors[j] > 0 else NOTHING
            top = largest(tile, n)
            if top > most:
                shrinks = 2.0 ** max(most - top, LOWEST) if mass > 0 else 0.0
                mass, most = mass * shrinks, top
                if pulls.shape[1]:
                    pulls[q] *= shrinks
            if top > NOTHING and top >= most - NEGLIGIBLE - 24:
                exp2(tile, n, most)
                mass += total_product(tile, factors, n)
                if pulls.shape[1]:
                    distances(metric, power, places, begin, n, x, s)
                    for j in range(n):
                        square = s[j] * weigh[j] if len(weigh) else s[j]
                        tile[j] *= factors[j] * steepness(code, a, b, square)
                    total_pull(tile, n, places, begin, weigh, x, pulls[q])
        out[q] = most + math.log2(mass) if mass > 0 else -np.inf
        if pulls.shape[1] and mass > 0:
            pulls[q] /= mass
