"""Laws of the distribution: it is one, its draws follow it, and it is found again from its draws.

Every random test here is done at a level of 1e-5. What each catches 99 times in 100, by dimension, is stated in the
laws and in the table of `skgen.checks`; `tests/test_laws.py` holds it to that.
"""

import contextlib

import numpy as np
from scipy import stats
from sklearn.base import clone

from skgen import supports
from skgen.checks._charts import chart_of
from skgen.checks._importance import importance_weights, probes
from skgen.checks._mass import masses_between, recurring_rows, total_mass
from skgen.checks._running import FALSE_ALARM, NotApplicable, demand, finds_itself, fitted, fresh_rows, has_draws
from skgen.checks._view import (
    Inconclusive,
    coded,
    discrete_columns,
    draws,
    grid,
    log_density,
    log_drawable,
    outcomes,
    reads_single,
    support_of,
)

N_DRAWS = 100_000


def fitted_to_rows(estimator, X, rng):
    """A fitted copy; what follows draws and integrates rows of columns, not sequences."""
    if isinstance(X, list):
        raise NotApplicable("rows are sequences")
    return fitted(estimator, X, rng)


def _demand_a_measure(model):
    if isinstance(support_of(model), supports.Pairs):
        raise NotApplicable("rows are what was seen of values, not values")


def normalises(estimator, X, rng):
    """exp(score_samples) integrates or sums to one (at most one for a bound).

    By quadrature (up to 2 continuous columns) and enumeration a constant off by 0.1 % is caught, by importance weights
    one off by 1 % (1.5 % at 50 columns): the chapter has the table. Mass far from all draws is not seen.
    """
    model = fitted_to_rows(estimator, X, rng)
    _demand_a_measure(model)
    likelihood = getattr(model, "likelihood", "exact")
    if likelihood in ("estimate", "improper"):
        raise NotApplicable(f'likelihood = "{likelihood}"')
    mass = total_mass(model, rng, N_DRAWS)
    exact = mass.method in ("quadrature", "enumeration")
    slack = max(5e-4, mass.error) if exact else stats.norm.isf(FALSE_ALARM / 2) * mass.error
    if mass.method == "quadrature" and mass.error > 0.01:
        raise Inconclusive(f"the quadrature's error is {mass.error:.2g}")
    excess = mass.value - 1
    if likelihood == "bound":
        excess = max(excess, 0.0)
    demand(abs(excess) <= slack, f"total probability {mass.value:.5f} by {mass.method}, error {slack:.1g}")


def is_zero_off_its_support(estimator, X, rng):
    """A row outside the support scores -inf."""
    model = fitted_to_rows(estimator, X, rng)
    support = support_of(model)
    Z = draws(model, 20, rng)
    tried = 0
    for j in range(Z.shape[1]):
        part = support.parts[j] if isinstance(support, supports.Product) else support
        for value in _outside(part):
            outside = Z.copy()
            outside[:, j] = value
            if support.contains(outside).any():
                continue
            tried += 1
            score = model.score_samples(with_values(model, outside, j))
            demand(np.all(score == -np.inf), f"X[:, {j}] = {value} lies outside {part!r} and scores {score[0]:.3g}")
    if not tried:
        raise NotApplicable("nothing lies outside this support")


def _outside(part):
    """Values that do not belong to a support."""
    if part.name == "interval":
        return [end for end in (part.low - 1 - abs(part.low), part.high + 1 + abs(part.high)) if np.isfinite(end)]
    return OUTSIDE.get(part.name, ())


def _ends(model, n_features):
    """The finite ends of each column's support, with the column's number."""
    support = support_of(model)
    parts = support.parts if isinstance(support, supports.Product) else [support] * n_features
    ends = (
        (j, end)
        for j, part in enumerate(parts)
        for end in (getattr(part, "low", np.inf), getattr(part, "high", np.inf))
    )
    return [(j, end) for j, end in ends if np.isfinite(end)]


OUTSIDE = {
    "positive": (0.0, -1.0),
    "nonnegative": (-1e-3, -5.0),
    "unit": (-0.1, 1.5),
    "integer": (-1.0, 0.5),
    "binary": (2.0, -1.0, 0.5),
    "point": (0.123, 1e9),
    "sphere": (3.0,),
    "simplex": (3.0,),
    "positive_definite": (1e9, -1e9),
    "counts": (-1.0, 0.5),
}


def with_values(model, Z, j):
    """Coded rows in the user's form, where column j may hold what its dtype cannot."""
    columns = getattr(model, "columns_", None)
    if columns is None:
        return Z
    loose = columns.take(range(len(columns)))
    continuous = discrete_columns(model)
    continuous = continuous & (np.arange(len(continuous)) != j)
    loose.dtypes = ["float64" if i == j else word for i, word in enumerate(columns.dtypes)]
    loose.kinds = ["real" if i == j else kind for i, kind in enumerate(columns.kinds)]
    return loose.decode(Z, continuous)


def never_scores_nan(estimator, X, rng):
    """No finite row scores NaN, however far away it is, or at the end of the support."""
    model = fitted_to_rows(estimator, X, rng)
    Z = draws(model, 6, rng) if has_draws(model) else coded(model, X)[:6]
    for j, end in _ends(model, Z.shape[1]):
        Y = Z.copy()
        Y[:, j] = end
        demand(not np.isnan(log_density(model, Y)).any(), f"X[:, {j}] = {end:.6g}, an end of its support, scores NaN")
    continuous = np.flatnonzero(~discrete_columns(model))
    if not len(continuous):
        demand(not np.isnan(log_density(model, Z)).any(), "a row of the model's own scores NaN")
        return
    for far in (1e8, 1e30) if reads_single(model) else (1e8, 1e160, 1e300):
        Y = Z.copy()
        Y[:3, continuous] = far
        Y[3:, continuous[-1]] = -far
        score = log_density(model, Y)
        demand(not np.isnan(score).any(), f"a row at {far:.0e} scores NaN")
        demand((score < np.inf).all(), f"a row at {far:.0e} scores infinity")


def draws_follow_the_density(estimator, X, rng):
    """The draws of `sample` have the density of `score_samples`.

    One continuous column: Kolmogorov-Smirnov against the integrated density; two: chi-square over cells of integrated
    probability; discrete ones: chi-square over the enumerated outcomes; else importance weights, with moments, products
    of two and three columns and random waves as test functions; for counts, where most rows recur, the same functions
    of these rows. Rows of the sphere, the simplex and matrices are mapped to the plane. A spread off by
    5 % in all columns is caught in every dimension up to 50.
    """
    model = fitted_to_rows(estimator, X, rng)
    _demand_a_measure(model)
    likelihood = getattr(model, "likelihood", "exact")
    if likelihood != "exact":
        raise NotApplicable(f'likelihood = "{likelihood}"')
    discrete = discrete_columns(model)
    if discrete.all():
        Z = draws(model, N_DRAWS, rng)
        lattice = outcomes(model, Z)
        if np.prod([float(len(v)) for v in lattice]) <= 1e5:
            return _assert_counts(model, Z, grid(lattice))
        with contextlib.suppress(Inconclusive):  # if rows do not recur, weights may still tell
            return _assert_moments_of_recurring_rows(model, rng)
    elif not discrete.any():
        chart = chart_of(model, draws(model, 2000, rng), flat=True)
        if len(chart.image) <= 2:
            test = _assert_distribution_function if len(chart.image) == 1 else _assert_cells
            return test(model, chart, chart.to_line(draws(model, 2 * N_DRAWS, rng))[0])
    return _assert_weighted_moments(model, rng)


def _assert_counts(model, Z, rows):
    """Chi-square of the counts of outcomes, given that the outcome can be drawn (no unseen label can)."""
    columns, drawable = getattr(model, "columns_", None), np.ones(len(rows), bool)
    for j, part in enumerate(_parts(model)):
        if isinstance(part, supports.Categories):
            drawable &= rows[:, j] < columns.n_categories(j)
    probability = np.where(drawable, np.exp(log_density(model, rows) - log_drawable(model)), 0.0)
    keys, place = np.unique(np.vstack([rows, Z]), axis=0, return_inverse=True)
    observed = np.bincount(place.ravel()[len(rows) :], minlength=len(keys))
    expected = np.bincount(place.ravel()[: len(rows)], probability * len(Z), len(keys))
    impossible = (expected == 0) & (observed > 0)
    demand(not impossible.any(), f"{observed[impossible].sum()} of {len(Z)} draws have probability 0")
    _assert_chi_square(observed, expected)


def _parts(model):
    support, d = support_of(model), model.n_features_in_
    return support.parts if isinstance(support, supports.Product) else [support] * d


def _assert_chi_square(observed, expected, slack=0.0):
    statistic, freedom = chi_square(observed, expected, slack)
    by_chance = stats.chi2.isf(FALSE_ALARM, freedom)
    demand(statistic <= by_chance, f"chi-square {statistic:.0f} of draws against density, {by_chance:.0f} by chance")


def chi_square(observed, expected, slack=0.0, fewest=100):
    """Pearson's statistic over cells that are merged, rarest first, until each expects enough.

    Parameters
    ----------
    observed, expected : ndarray of shape (n_cells,)
        Counts.
    slack : float
        What each expected count may be wrong by (an integral's error).
    fewest : float
        Counts that a cell must expect: with fewer, the statistic's tail is heavier than that of its distribution.

    Returns
    -------
    statistic : float
    freedom : int
        The degrees of freedom of its chi-square distribution.
    """
    group, size, filled = np.empty(len(expected), dtype=int), 0, 0.0
    for k in np.argsort(expected):
        if filled >= fewest:
            size, filled = size + 1, 0.0
        group[k], filled = size, filled + expected[k]
    if size and filled < fewest:
        group[group == size] = size - 1
    observed, expected = np.bincount(group, observed), np.bincount(group, expected)
    kept = expected > 0
    gap = np.maximum(np.abs(observed[kept] - expected[kept]) - slack, 0)
    return float((gap**2 / expected[kept]).sum()), max(1, int(kept.sum()) - 1)


def _assert_distribution_function(model, chart, Y):
    """Kolmogorov-Smirnov between the draws and the integral of the density up to them, on the chart."""
    points = np.unique(np.quantile(Y, np.linspace(0.0005, 0.9995, 600)))
    masses, error = masses_between(model, chart, Y[:1500], [points])
    if error > 1e-3:
        raise Inconclusive(f"the integral has an error of {error:.2g}")
    below = np.searchsorted(np.sort(Y[:, 0]), points, side="right") / len(Y)
    gap = np.abs(below - np.cumsum(masses)[:-1]).max()
    limit = np.sqrt(0.5 * np.log(2 / FALSE_ALARM) / len(Y)) + error
    demand(gap <= limit, f"distribution functions differ by {gap:.4f}, at most {limit:.4f} by chance")


def _assert_cells(model, chart, Y):
    """Chi-square over cells whose edges are quantiles of other draws, and all that lies outside them."""
    half = len(Y) // 2
    edges = [np.unique(np.quantile(y, np.linspace(0.002, 0.998, 9))) for y in Y[:half].T]
    inner, box = [e[1:-1] for e in edges], [(e[0], e[-1]) for e in edges]
    masses, error = masses_between(model, chart, Y[half : half + 3000], inner, box=box)
    if error > 2e-3:
        raise Inconclusive(f"the integral over cells has an error of {error:.2g}")
    counts = np.histogramdd(Y[half:], bins=edges)[0].ravel()
    observed = np.append(counts, half - counts.sum())
    expected = half * np.append(masses, max(0.0, 1 - masses.sum()))
    _assert_chi_square(observed, expected, slack=half * max(error, 1e-4))


def _assert_weighted_moments(model, rng):
    """Draws weighted by q / p have the moments of q."""
    weights, coordinates, laws = importance_weights(model, N_DRAWS, rng)
    _assert_means((weights * values, expected) for values, expected in probes(coordinates, laws, rng))


def _assert_moments_of_recurring_rows(model, rng):
    """Over rows that recur, the means of the draws are the sums of the density."""
    rows, probability, again, recurs = recurring_rows(model, rng, N_DRAWS)
    scale = again.std(axis=0)
    coordinates = (np.vstack([rows, again]) - again.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    values = (value for value, _ in probes(coordinates, [None] * rows.shape[1], rng))
    _assert_means((recurs * v[len(rows) :], probability @ v[: len(rows)]) for v in values)


def _assert_means(probed):
    """Each of many functions has its expected mean."""
    z = []
    for values, expected in probed:
        z.append((values.mean() - expected) / max(values.std(), 1e-12) * np.sqrt(len(values)))
    limit = stats.norm.isf(FALSE_ALARM / 2 / len(z))
    worst = np.abs(z).max()
    demand(worst <= limit, f"a weighted moment of the draws is off by {worst:.1f} standard errors, {limit:.1f} allowed")


def finds_itself_again(estimator, X, rng):
    """Fitted on 20 thousand draws of its own, a model with a unique optimum has its own score, to sampling error.

    A standard deviation that is 7 % too large in one or two columns is caught.
    """
    if not finds_itself(estimator):
        raise NotApplicable("the fit has no unique optimum, or smooths")
    model = fitted_to_rows(estimator, X, rng)
    rows = model.sample(20_000, random_state=np.random.RandomState(rng.integers(2**31)))
    again = fitted(estimator, rows, rng)
    fresh = fresh_rows(model, 20_000, rng)
    scores = again.score_samples(fresh)
    beyond = np.isneginf(scores)  # an end of the support that is estimated leaves out one row in 20 thousand or so
    most = stats.poisson.isf(FALSE_ALARM, 2 * model.n_features_in_) + 1
    demand(
        beyond.sum() <= most, f"{beyond.sum()} of 20000 draws are impossible after a fit to others, {most:.0f} allowed"
    )
    loss = (model.score_samples(fresh) - scores)[~beyond]
    d = model.n_features_in_
    sums = [np.size(v) for v in getattr(model, "statistics_", {}).values()]
    n_parameters = max(d * (d + 3) / 2, sum(sums))
    expected = 4 * (n_parameters + 20) / (2 * 20_000)  # half a parameter's worth of nats for each, four times over
    chance = 5 * loss.std() / np.sqrt(len(loss))
    demand(loss.mean() <= expected + chance, f"loses {loss.mean():.4f} nats a row, {expected + chance:.4f} allowed")


def improves_with_rows(estimator, X, rng):
    """The held-out score does not fall as rows are added."""
    if finds_itself(estimator):
        raise NotApplicable("covered by finds_itself_again")
    if not getattr(estimator, "_consistent", True):
        raise NotApplicable("what it smooths stays smooth, however many rows there are")
    model = fitted_to_rows(estimator, X, rng)
    held_out = fresh_rows(model, 2000, rng)
    small, large = (
        fitted(clone(estimator), fresh_rows(model, n, rng), rng).score_samples(held_out) for n in (200, 3000)
    )
    lost = np.isneginf(large) & np.isfinite(small)
    most = stats.poisson.isf(FALSE_ALARM, 2 * model.n_features_in_) + 1
    demand(lost.sum() <= most, f"15 times the rows make {lost.sum()} of 2000 rows impossible, {most:.0f} allowed")
    both = np.isfinite(large) & np.isfinite(small)
    gain = (large - np.where(both, small, 0.0))[both]
    chance = stats.norm.isf(FALSE_ALARM) * gain.std() / np.sqrt(len(gain)) + 1e-9
    demand(gain.mean() >= -chance, f"15 times the rows cost {-gain.mean():.3f} nats a row")
