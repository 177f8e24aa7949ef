"""One way in for randomness: whatever the caller holds becomes a numpy Generator."""

import numbers

import numpy as np


def as_generator(random_state=None):
    """Turn `random_state` into a `numpy.random.Generator`, leaving the global generators alone.

    Parameters
    ----------
    random_state : None, int, RandomState or Generator
        None gives fresh entropy, an int a reproducible stream. A `RandomState` is drawn from, so that it
        moves on; a `Generator` is used as it is.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If `random_state` is something else.

    Examples
    --------
    >>> from skgen.random import as_generator
    >>> bool(as_generator(0).random() == as_generator(0).random())
    True
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))
    if random_state is None:
        return np.random.default_rng()
    if isinstance(random_state, numbers.Integral) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    raise ValueError(
        f"random_state must be None, a non-negative int, a RandomState or a Generator, got {random_state!r}."
    )


def seed_unset(estimator, rng):
    """Give every `random_state` of an estimator and its parts that is None one drawn from `rng`.

    Parameters
    ----------
    estimator : object
        With `get_params` and `set_params`; changed in place.
    rng : numpy.random.Generator
        It moves on by one draw for each.

    Returns
    -------
    estimator : object
    """
    for name, value in sorted(estimator.get_params().items(), key=lambda item: item[0]):
        if value is None and name.split("__")[-1] == "random_state":
            estimator.set_params(**{name: as_random_state(rng)})
    return estimator


def as_random_state(rng):
    """Give scikit-learn's parts, which know no Generator, a `RandomState` seeded from `rng`.

    Parameters
    ----------
    rng : numpy.random.Generator
        It moves on by one draw.

    Returns
    -------
    numpy.random.RandomState
    """
    return np.random.RandomState(rng.integers(2**32, size=4, dtype=np.uint32))
