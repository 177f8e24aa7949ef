"""What the laws have in common: a fit with its seed fixed, and the words for how a law ended."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

FALSE_ALARM = 1e-5  # of each random test, by its nominal distribution


class NotApplicable(Exception):
    """The law says nothing about this estimator."""


def demand(kept, reason):
    """Raise AssertionError unless a law is kept; `assert` would be silent under `python -O`."""
    if not kept:
        raise AssertionError(reason)


def seeded(estimator, rng):
    """An unfitted copy whose `random_state`, if it has one, is an int."""
    copy = clone(estimator)
    if "random_state" in copy.get_params(deep=False):
        copy.set_params(random_state=int(rng.integers(2**31)))
    return copy


def fitted(estimator, X, rng, sample_weight=None):
    """A fitted copy; without weights it is called without them, as scikit-learn calls it."""
    model = seeded(estimator, rng)
    return model.fit(X) if sample_weight is None else model.fit(X, sample_weight=sample_weight)


def has_draws(model):
    """Whether there is something to draw from: infinite mass has no draws."""
    return getattr(model, "_has_draws", lambda: True)()


def draw(model, n_samples, random_state=None):
    """Draws in the user's form; none, where the mass is infinite and a law has more to say."""
    return model.sample(n_samples, random_state=random_state) if has_draws(model) else []


def fresh_rows(model, n_samples, rng):
    """Draws in the user's form, without which a law has nothing to say."""
    if not has_draws(model):
        raise NotApplicable("its mass is infinite, and there is nothing to draw from")
    return model.sample(n_samples, random_state=np.random.RandomState(rng.integers(2**31)))


def optimum_is_unique(estimator):
    """Whether the fit has one answer, which weights and repeated rows share."""
    return getattr(estimator, "_unique_optimum", False)


def finds_itself(estimator):
    """Whether a fit to its own draws has its own score: a unique optimum, and no smoothing, which would add up."""
    return optimum_is_unique(estimator) and not getattr(estimator, "_smooths", False)


def tolerance(estimator):
    """To which the fit is computed."""
    return getattr(estimator, "_rtol", 1e-9)


def n_rows(X):
    """The number of rows of an array, a frame or a list of sequences."""
    return len(X) if isinstance(X, list) else X.shape[0]


def rows(X, index):
    """Some rows of X, repeats allowed."""
    return _safe_indexing(X, np.asarray(index))


def assert_same_scores(first, second, rtol, what):
    """Log-densities agree to rtol, relative to their size or to one nat."""
    first, second = np.asarray(first), np.asarray(second)
    finite = np.isfinite(first)
    demand(np.array_equal(first[~finite], second[~finite]), f"{what}: -inf in different rows")
    if finite.any():
        gap = np.max(np.abs(first - second)[finite] / np.maximum(1, np.abs(first[finite])))
        demand(gap <= rtol, f"{what}: scores differ by {gap:.2g}, {rtol:.2g} allowed")
