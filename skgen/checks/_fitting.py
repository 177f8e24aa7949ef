"""Laws of the fit: weights, row order, units, seeds, threads, blocks."""

import io
import pickle
from threading import Barrier, Thread

import numpy as np
from scipy import stats
from sklearn.base import clone

from skgen.checks._running import (
    FALSE_ALARM,
    NotApplicable,
    assert_same_scores,
    demand,
    draw,
    fitted,
    fresh_rows,
    has_draws,
    n_rows,
    optimum_is_unique,
    rows,
    seeded,
    tolerance,
)
from skgen.checks._view import discrete_columns


def weights_are_frequencies(estimator, X, rng):
    """Weight 2 equals the row twice and weight 0 no row, in fit where the optimum is unique, and in score always.

    Catches weights that are ignored, or taken as 1 + 5 % of their value.
    """
    n = n_rows(X)
    weight = rng.integers(0, 4, n)
    weight[:2] = 1, 3
    repeated = rows(X, np.repeat(np.arange(n), weight))
    model = fitted(estimator, X, rng)
    expected = model.score(repeated)
    given = model.score(X, sample_weight=weight)
    demand(np.isclose(given, expected, rtol=1e-10, atol=1e-10), f"score is {given} with weights, {expected} repeated")
    if not optimum_is_unique(estimator):
        raise NotApplicable("no unique optimum: checked for score alone")
    weighted, twice = fitted(estimator, X, rng, weight.astype(float)), fitted(estimator, repeated, rng)
    shown = rows(X, np.flatnonzero(weight))
    rtol = tolerance(estimator)
    assert_same_scores(twice.score_samples(shown), weighted.score_samples(shown), rtol, "weights against repeated rows")
    halves = fitted(estimator, rows(X, np.tile(np.arange(n), 2)), rng, np.tile(weight / 2, 2))
    assert_same_scores(weighted.score_samples(shown), halves.score_samples(shown), rtol, "halved weights, rows twice")
    ones = fitted(estimator, X, rng, np.ones(n))
    assert_same_scores(model.score_samples(X), ones.score_samples(X), rtol, "weights of one against none")


def unweightable_parts_refuse(estimator, X, rng):
    """An estimator that cannot use weights says so, instead of ignoring them."""
    if optimum_is_unique(estimator):
        raise NotApplicable("it uses weights")
    n = n_rows(X)
    weight = np.where(np.arange(n) < n // 2, 1.0, 5.0)
    seed = int(rng.integers(2**31))
    try:
        weighted = fitted(estimator, X, np.random.default_rng(seed), weight)
    except (ValueError, TypeError) as error:
        demand("sample_weight" in str(error), f"refuses weights without naming sample_weight: {error}")
        return
    plain = fitted(estimator, X, np.random.default_rng(seed))
    same = np.allclose(weighted.score_samples(X), plain.score_samples(X), rtol=1e-12, atol=0)
    demand(not same, "weights are ignored")


def row_order_is_irrelevant(estimator, X, rng):
    """Permuted rows give the same fit, where the optimum is unique."""
    if not optimum_is_unique(estimator):
        raise NotApplicable("the fit has no unique optimum")
    first = fitted(estimator, X, rng)
    second = fitted(estimator, rows(X, rng.permutation(n_rows(X))), rng)
    assert_same_scores(first.score_samples(X), second.score_samples(X), tolerance(estimator), "permuted rows")


def a_row_scores_alike_alone(estimator, X, rng):
    """A row has one score, alone and in a batch."""
    model = fitted(estimator, X, rng)
    together = model.score_samples(X)
    some = rng.choice(n_rows(X), min(10, n_rows(X)), replace=False)
    alone = np.concatenate([model.score_samples(rows(X, [i])) for i in some])
    demand(together.shape == (n_rows(X),), f"score_samples has shape {together.shape}")
    assert_same_scores(together[some], alone, getattr(model, "_batch_rtol", 1e-10), "alone against in a batch")


def units_shift_the_score_by_the_jacobian(estimator, X, rng):
    """In other units the score is the old one minus the logarithm of the scale, for models that declare it."""
    declared = getattr(estimator, "_equivariance", ())
    if not declared or not isinstance(X, np.ndarray):
        raise NotApplicable("declares no equivariance")
    spread = 2.0 ** np.ceil(np.log2(max(np.ptp(X, axis=0).max(), np.finfo(float).tiny)))
    X = np.round(np.asarray(X, dtype=np.float64) / spread * 2**20) * spread / 2**20  # few digits: a shift is exact
    scale = 10.0 ** rng.uniform(-8, 8, X.shape[1] if "scale" in declared else 1)
    shift = spread * rng.integers(-(2**11), 2**11, X.shape[1]) if "shift" in declared else 0.0
    before, after = fitted(estimator, X, rng), fitted(estimator, scale * (X + shift), rng)
    jacobian = np.log(np.broadcast_to(scale, X.shape[1])).sum()
    rounding = 2**10 * np.finfo(float).eps * np.max(np.abs(shift)) / spread  # of a location far from zero
    assert_same_scores(
        before.score_samples(X) - jacobian,
        after.score_samples(scale * (X + shift)),
        tolerance(estimator) + rounding,
        "other units",
    )


def a_seed_fixes_fit_and_draw(estimator, X, rng):
    """One seed gives one fit and one draw, to the bit; another draw differs; None is fresh; a model is not moved."""
    seed = int(rng.integers(2**31))
    first, second = (fitted(estimator, X, np.random.default_rng(seed)) for _ in range(2))
    demand(np.array_equal(first.score_samples(X), second.score_samples(X)), "two fits of one random_state differ")
    before = first.score_samples(X)
    for state in (int, np.random.RandomState, np.random.default_rng):
        one, other = (_as_bytes(draw(first, 20, state(seed))) for _ in range(2))
        demand(one == other, f"two draws of one {state.__name__} differ")
    if has_draws(first) and not _is_constant(X):
        stream = np.random.RandomState(seed)
        one, other = (_as_bytes(first.sample(20, random_state=stream)) for _ in range(2))
        demand(one != other, "the next draw of one generator repeats the first")
        one, other = (_as_bytes(first.sample(50)) for _ in range(2))
        demand(one != other, "random_state=None gives the same draw twice")
    demand(np.array_equal(first.score_samples(X), before), "sampling changed the model")


def scoring_and_sampling_change_nothing(estimator, X, rng):
    """Neither `score_samples` nor `score` nor `sample` leaves a trace in the model."""
    model = fitted(estimator, X, rng)
    before = _snapshot(model)
    model.score_samples(X)
    model.score(X)
    draw(model, 3, 0)
    demand(_snapshot(model) == before, "the model's attributes changed")


def parameters_wait_for_the_next_fit(estimator, X, rng):
    """`set_params` on a fitted model changes the next fit, and neither its scores and draws nor what they say of it."""
    model = fitted(estimator, X, rng)
    names = model.get_params(deep=False)
    if not names:
        raise NotApplicable("it has no parameters")
    before, seed = model.score_samples(X), int(rng.integers(2**31))
    drawn = _as_bytes(draw(model, 20, seed))
    said = _sayings(model, X)
    model.set_params(**{name: object() for name in names})  # which no model can make anything of
    demand(np.array_equal(model.score_samples(X), before), "other parameters change the scores")
    demand(_as_bytes(draw(model, 20, seed)) == drawn, "other parameters change the draws")
    changed = [name for name, words in _sayings(model, X).items() if words != said[name]]
    demand(not changed, f"other parameters change {', '.join(changed)}")


def _sayings(model, X):
    """What the model says of itself, in words."""
    rows = {"aic": (X,), "standard_errors": (X,), "mean": (), "var": (), "mode": ()}
    return {name: _said(model, name, *given) for name, given in rows.items()}


def _said(model, name, *given):
    try:
        return repr(getattr(model, name)(*given))
    except (AttributeError, TypeError, ValueError):  # it does not have it, or not for this fit
        return ""


class _Snapshot(pickle.Pickler):
    """Pickles all but scikit-learn's trees, which count their visits."""

    def reducer_override(self, thing):
        return (str, ("tree",)) if type(thing).__name__ in ("KDTree", "BallTree") else NotImplemented


def _snapshot(model):
    stream = io.BytesIO()
    _Snapshot(stream).dump(vars(model))
    return stream.getvalue()


def draws_are_independent(estimator, X, rng):
    """A draw says nothing of the next: no lag-one correlation of the scores, and no continuous row twice."""
    model = fitted(estimator, X, rng)
    drawn = fresh_rows(model, 20_000 if not isinstance(X, list) else 2000, rng)
    scores = model.score_samples(drawn)
    if not discrete_columns(model).any() and not isinstance(drawn, list) and not _is_constant(X):
        rate = len(np.unique(np.asarray(drawn), axis=0)) / n_rows(drawn)
        demand(rate > 0.99, f"{1 - rate:.1%} of the draws repeat an earlier one")
    if np.ptp(scores) > 0:
        ranks = stats.rankdata(scores)
        z = np.corrcoef(ranks[1:], ranks[:-1])[0, 1] * np.sqrt(len(ranks))
        limit = stats.norm.isf(FALSE_ALARM / 2)
        demand(abs(z) <= limit, f"successive draws are correlated, {z:.1f} standard errors")


def _as_bytes(X):
    if isinstance(X, list):
        return [x.tobytes() for x in X]
    X = np.asarray(X)
    return repr(X.tolist()) if X.dtype == object else X.tobytes()


def _is_constant(X):
    X = np.asarray(X if not isinstance(X, list) else np.concatenate(X))
    return all((x == x[0]).all() for x in X.T)


def global_seeds_are_left_alone(estimator, X, rng):
    """Neither fit nor sample reads or sets numpy's or Python's global generator (nor torch's, where it is loaded)."""
    import random
    import sys

    torch = sys.modules.get("torch")
    saved, states, outcome = (np.random.get_state(), random.getstate()), [], []  # noqa: NPY002 they are the subject
    try:
        for seed in (0, 1):
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            before = _global_states(torch)
            model = fitted(estimator, X, np.random.default_rng(7))
            outcome.append((model.score_samples(X).tobytes(), _as_bytes(draw(model, 5, 3))))
            draw(model, 5)
            states.append((before, _global_states(torch)))
    finally:
        np.random.set_state(saved[0])  # noqa: NPY002
        random.setstate(saved[1])
    demand(all(before == after for before, after in states), "a global random state moved")
    demand(outcome[0] == outcome[1], "a global seed changed the result")


def _global_states(torch):
    import random

    return (
        np.random.get_state()[1].tobytes(),  # noqa: NPY002
        np.random.get_state()[2],  # noqa: NPY002
        random.getstate(),
        b"" if torch is None else torch.get_rng_state().numpy().tobytes(),
    )


def threads_do_not_meet(estimator, X, rng):
    """Two fits in two threads, on different rows, give what they give alone."""
    half = n_rows(X) // 2
    parts = [X, rows(X, np.arange(half)) if half > 60 else rows(X, np.arange(n_rows(X))[::-1])]
    models = [seeded(estimator, rng) for _ in parts]
    alone = [clone(model).fit(part).score_samples(X) for model, part in zip(models, parts, strict=True)]
    together, start = [None, None], Barrier(2)

    def run(i):
        start.wait()
        together[i] = models[i].fit(parts[i]).score_samples(X)

    threads = [Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        demand(other is not None, "a fit failed in a thread")
        demand(np.array_equal(one, other), "a fit beside another one in a second thread differs from the fit alone")


def blocks_make_the_whole(estimator, X, rng):
    """`partial_fit` over weighted blocks, the first of one row, equals `fit`; a refused block changes nothing."""
    if not hasattr(estimator, "partial_fit") or not optimum_is_unique(estimator):
        raise NotApplicable("no partial_fit, or no unique optimum")
    n = n_rows(X)
    model, weight = seeded(estimator, rng), rng.integers(1, 4, n).astype(float)
    cuts = [0, 1, n // 2, n // 2 + n // 4, n]
    for start, stop in zip(cuts, cuts[1:], strict=False):
        model.partial_fit(rows(X, np.arange(start, stop)), sample_weight=weight[start:stop])
    whole, scores = fitted(estimator, X, rng, weight).score_samples(X), model.score_samples(X)
    assert_same_scores(whole, scores, 1e-8, "blocks against the whole")
    _assert_refuses_weights(model, X)
    demand(np.array_equal(model.score_samples(X), scores), "a refused block changed the model")


def _assert_refuses_weights(model, X):
    try:
        model.partial_fit(X, sample_weight=-np.ones(n_rows(X)))
    except ValueError:
        return
    raise AssertionError("negative weights are accepted")


def fit_leaves_its_input_alone(estimator, X, rng):
    """Fit changes neither the rows nor the parameters, and fits anew when called again."""
    before = _as_bytes(X)
    model = seeded(estimator, rng)
    parameters = repr(sorted((k, repr(v)) for k, v in model.get_params().items()))
    scores = model.fit(X).score_samples(X)
    demand(_as_bytes(X) == before, "fit changed X")
    demand(repr(sorted((k, repr(v)) for k, v in model.get_params().items())) == parameters, "fit changed a parameter")
    model.fit(rows(X, np.arange(n_rows(X) // 2 + 1)))
    demand(np.array_equal(model.fit(X).score_samples(X), scores), "a second fit remembers the first")


def sample_gives_rows_of_the_support(estimator, X, rng):
    """Draws are as many as asked for, and score above -inf; where the mass is infinite, none are given."""
    model = fitted(estimator, X, rng)
    if not has_draws(model):
        demand(_refuses(model.sample, 1), "infinite mass gives draws")
        return
    for n in (1, 257):
        drawn = fresh_rows(model, n, rng)
        demand(n_rows(drawn) == n, f"sample({n}) gave {n_rows(drawn)} rows")
        demand((model.score_samples(drawn) > -np.inf).all(), "a draw has density 0")
    for wrong in (0, -1, 1.5):
        demand(_refuses(model.sample, wrong), f"sample({wrong}) was not refused")
    if not discrete_columns(model).any() and not _is_constant(X):
        together = np.asarray(drawn if not isinstance(drawn, list) else np.concatenate(drawn), dtype=np.float64)
        demand((np.ptp(together, axis=0) > 0).all(), "257 draws of a continuous column are equal")


def _refuses(method, given):
    try:
        method(given)
    except (ValueError, TypeError):
        return True
    return False
