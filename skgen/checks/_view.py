"""A fitted model as the laws see it: draws and log-densities of coded float64 rows, whatever table it was fitted on."""

from itertools import product

import numpy as np

from skgen import supports
from skgen.checks._running import fresh_rows
from skgen.columns import Columns

UNSEEN = "a label that nobody has seen"


class Inconclusive(Exception):
    """The law could not be decided: neither kept nor broken."""


def support_of(model):
    """The support that a model declares; the whole line for a stranger."""
    return getattr(model, "support", supports.real)


def discrete_columns(model):
    """Where the model's reference measure is counting."""
    return support_of(model).discrete_columns(model.n_features_in_)


def reads_single(model):
    """Whether the model was fitted to numbers of single precision, and reads such."""
    return "float32" in getattr(getattr(model, "columns_", None), "dtypes", ())


def log_density(model, Z):
    """Log-density of coded rows, in the model's own columns; code K stands for a label that is none of the K."""
    columns = getattr(model, "columns_", None)
    if columns is not None:
        Z = with_unseen(columns).decode(Z, discrete_columns(model))
    return model.score_samples(Z)


def log_drawable(model):
    """Log-probability of the rows that `sample` can write down: all but those with a label that nobody has seen."""
    return getattr(model, "_log_drawable", float)()


def coded(model, X):
    """Rows in the user's form as the model codes them."""
    return model._read(X, reset=False) if hasattr(model, "columns_") else np.asarray(X, dtype=np.float64)


def draws(model, n_samples, rng):
    """Coded draws of the model."""
    return coded(model, fresh_rows(model, n_samples, rng))


def with_unseen(columns):
    """The columns with one more label at the end of each open list."""
    categories = [
        None if labels is None else labels if closed else np.concatenate([labels, [_another(labels)]])
        for labels, closed in zip(columns.categories, columns.closed, strict=True)
    ]
    widest = [d if not d.startswith("<U") else "object" for d in columns.dtypes]
    return Columns(columns.container, columns.names, widest, columns.kinds, categories, columns.closed)


def _another(labels):
    return UNSEEN if labels.dtype.kind in "OUS" else labels.max() + 1


def outcomes(model, Z):
    """For each discrete column the values that it can take (whole numbers: far beyond those drawn)."""
    support, columns, values = support_of(model), getattr(model, "columns_", None), []
    for j in np.flatnonzero(support.discrete_columns(Z.shape[1])):
        part = support.parts[j] if isinstance(support, supports.Product) else support
        if isinstance(part, supports.Points):
            values.append(part.values[[0 if isinstance(support, supports.Product) else j]])
        elif isinstance(part, supports.Categories):
            values.append(np.arange(columns.n_categories(j) + (not columns.closed[j])))
        elif np.isfinite(part.high):
            values.append(np.arange(part.low, part.high + 1))
        else:
            most = 2 * int(np.abs(Z[:, j]).max()) + 20
            values.append(range(int(max(part.low, -most)), most))  # too long to be written out, at times
    return values


def grid(lattice):
    """All rows of the product of the columns' values."""
    return np.array(list(product(*lattice)), dtype=np.float64)


def spread_of(Z):
    """A scale for each column that outliers do not move."""
    spread = np.subtract(*np.quantile(Z, [0.75, 0.25], axis=0))
    return np.where(spread > 0, spread, np.maximum(np.abs(Z).max(axis=0), np.finfo(float).tiny))
