"""Conditionals of a histogram: distribution functions, their inverses, draws, and gaps that are filled."""

import numpy as np


def log_cdf(law, X):
    """Log F and log(1 - F) of each column given those before it, each of shape (n_samples, n_features)."""
    lower, upper = np.empty_like(X), np.empty_like(X)
    for rows in law.blocks(len(X)):
        known = law.nothing_known(len(X[rows]))
        for j, x in enumerate(X[rows].T):
            lower[rows, j], upper[rows, j] = _log_shares(law, known, j, x)
            if j + 1 < law.d:
                known = law.narrowed(known, j, x)
    return lower, upper


def _log_shares(law, known, j, x):
    axis = law.axes[j]
    below, above = law.masses(known, j, np.clip(x, axis.low, axis.high))
    with np.errstate(divide="ignore"):
        log_below, log_above, log_total = np.log(below), np.log(above), np.log(below + above)
    log_below, log_above = log_below - log_total, log_above - log_total
    depth = axis.depth(x)
    for is_beyond, near, far in ((x < axis.low, log_below, log_above), (x > axis.high, log_above, log_below)):
        near[is_beyond] -= depth[is_beyond]
        far[is_beyond] = np.log1p(-np.exp(near[is_beyond]))
    return log_below, log_above


def ppf(law, log_u, log_v):
    """The rows whose conditional distribution functions are u; v = 1 - u."""
    X = np.empty_like(log_u)
    for rows in law.blocks(len(X)):
        known = law.nothing_known(len(X[rows]))
        for j in range(law.d):
            X[rows, j] = _quantile(law, known, j, log_u[rows, j], log_v[rows, j])
            if j + 1 < law.d:
                known = law.narrowed(known, j, X[rows, j])
    return X


def _quantile(law, known, j, log_u, log_v):
    """The number below which a share of the conditional of column j lies."""
    axis = law.axes[j]
    knots, n = axis.knots, len(log_u)
    low, high = np.full(n, axis.low), np.full(n, axis.high)
    lower_tail, rest = law.masses(known, j, low)
    total = lower_tail + rest
    upper_tail = law.masses(known, j, high)[1]
    target = np.exp(log_u) * total
    first, last = np.zeros(n, dtype=np.int64), np.full(n, len(knots) - 1)
    mass_first, mass_last = lower_tail.copy(), total - upper_tail
    while (last - first > 1).any():
        middle = (first + last) // 2
        mass = law.masses(known, j, knots[middle])[0]
        is_above = mass >= target
        last, mass_last = np.where(is_above, middle, last), np.where(is_above, mass, mass_last)
        first, mass_first = np.where(is_above, first, middle), np.where(is_above, mass_first, mass)
    x = _within(law, known, j, (knots[first], knots[last]), (mass_first, mass_last), target)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_lower, log_upper = np.log(lower_tail / total), np.log(upper_tail / total)
    if axis.scales is not None:
        x = np.where(log_u < log_lower, axis.low - axis.scales[0] * (log_lower - log_u), x)
        x = np.where(log_v < log_upper, axis.high + axis.scales[1] * (log_upper - log_v), x)
    return x


def _within(law, known, j, ends, masses, target):
    """The number between two knots below which the target lies: the density between them is a straight line."""
    left, right = ends
    width, mass = right - left, np.maximum(masses[1] - masses[0], np.finfo(float).tiny)
    wanted = np.clip(target - masses[0], 0.0, mass)
    if not law.axes[j].is_linear:
        return left + width * (wanted / mass)
    height = law.density(known, j, left) * width  # over the whole interval, if it stayed
    slope = 2 * (mass - height)
    root = np.sqrt(np.maximum(height**2 + 2 * slope * wanted, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(height + root > 0, 2 * wanted / (height + root), 0.0)
    return left + width * np.clip(step, 0.0, 1.0)


def sample(law, n_samples, rng):
    """Draws: rows of cells, and rows of the prior."""
    is_counted = rng.random(n_samples) * law.total < law.cells.n
    X = np.empty((n_samples, law.d))
    counted, others = np.flatnonzero(is_counted), np.flatnonzero(~is_counted)
    if len(counted):
        reached = law.cells.reached[-1]
        place = np.searchsorted(reached, rng.random(len(counted)) * reached[-1], side="right") - 1
        cells, drawn = np.unique(np.minimum(place, len(law.cells) - 1), return_inverse=True)
        for j, code in enumerate(law.cells.codes(cells)):
            X[counted, j] = law.axes[j].draw(code[drawn], rng)
    factor = np.full(len(others), law.alpha + law.per_column * law.d)
    for j in range(law.d):
        X[others, j], factor = _draw_prior(law, j, factor, rng)
    return X


def _draw_prior(law, j, factor, rng):
    """Numbers of column j by the prior, and its factors after them."""
    axis, u = law.axes[j], rng.random(len(factor)) * factor
    reached = law.reached[j]
    by_share = np.searchsorted(reached, rng.random(len(factor)) * reached[-1], side="right") - 1
    code = np.minimum(by_share, axis.size - 1)
    if law.has_tails:
        is_tail = u < 2
        code = np.where(is_tail, np.where(u < 1, 0, axis.size - 1), code)
    return axis.draw(code, rng), factor - law.per_column + law.came(j, code)


def complete(law, X, rng):
    """X with its NaN drawn given the rest of the row."""
    gaps = np.isnan(X)
    patterns, of_row = np.unique(gaps, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        if pattern.any():
            order = np.argsort(pattern, kind="stable")
            rows = np.flatnonzero(of_row.ravel() == k)
            part = law.reordered(order)
            for block in part.blocks(len(rows)):
                X[np.ix_(rows[block], order)] = _completed(part, X[np.ix_(rows[block], order)], rng)
    return X


def _completed(law, X, rng):
    """Rows whose last columns are NaN, filled."""
    n_known = int((~np.isnan(X[0])).sum())
    known = law.nothing_known(len(X))
    for j in range(n_known):
        known = law.narrowed(known, j, X[:, j])
    prior, tail, total = law.split(known, n_known)
    weights = known.value * law.cells.of_column(known.state, n_known)
    row, state = _chosen(known, weights, rng.random(len(X)) * total)
    others = np.setdiff1d(np.arange(len(X)), row)
    for j in range(n_known, law.d):
        code = _drawn_code(law.cells, state, j, rng)
        X[row, j] = law.axes[j].draw(code, rng)
        state = law.cells.narrowed(state, j, code)[0]
    factor = known.factor[others]
    for j in range(n_known, law.d):
        X[others, j], factor = _draw_prior(law, j, np.where(factor > 0, factor, 1.0), rng)
    return X


def _chosen(known, weights, u):
    """For each row that follows the cells one of its beginnings; the others follow the prior."""
    order = np.argsort(known.row, kind="stable")
    row, weights = known.row[order], weights[order]
    start = np.searchsorted(row, np.arange(len(u)))
    reached = np.cumsum(weights)
    before = np.append(0.0, reached)[start]
    is_it = (u[row] < reached - before[row]) & (u[row] >= reached - before[row] - weights)
    return row[is_it], known.state[order][is_it]


def _drawn_code(cells, state, j, rng):
    """A place in column j of a cell that begins so."""
    target = rng.random(len(state)) * cells.of_column(state, j)
    low, high = np.zeros(len(state), dtype=np.int64), np.full(len(state), cells.sizes[j])
    while (high - low > 1).any():
        middle = (low + high) // 2
        is_below = cells.below(state, j, middle) <= target
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return low
