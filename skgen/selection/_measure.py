"""The measure under which densities of a table compare, fixed column by column beforehand.

Under the counting measure a column has probabilities, under Lebesgue's a density; numbers of the two do not compare.
"""

import itertools

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import check_array

from skgen import supports
from skgen.columns import is_frame, read_table

MOST_COUNTED = 20  # distinct whole numbers in a column that is compared as counts


def fix_measure(X, measure=None):
    """The table in which each column's dtype says how it is compared.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        The rows.
    measure : dict, optional
        "counting" or "lebesgue" for columns by name or number.

    Returns
    -------
    X : array or data frame
        Whole numbers under Lebesgue's measure have become floats, floats that are counted whole numbers.
    columns : skgen.columns.Columns
        What they were.
    counting : ndarray of shape (n_features,)
        Where the measure counts.
    notes : list of str
        What the user may want to know or to change.

    Raises
    ------
    ValueError
        If X is no table without missing values, or the measure does not suit a column.
    """
    if not is_frame(X):
        X = _as_array(X)
    Z, columns = read_table(X, "mixed", who="compare")
    if not Z.size:
        raise ValueError(f"compare wants rows and columns, but X has shape {Z.shape}.")
    given = _given_measure(measure or {}, Z, columns)
    auto = [_is_counted(kind, x) for kind, x in zip(columns.kinds, Z.T, strict=True)]
    counting = np.array([given.get(j, is_counted) for j, is_counted in enumerate(auto)])
    whole = {j: np.float64 for j, kind in enumerate(columns.kinds) if kind == "integer" and not counting[j]}
    floating = {j: np.int64 for j, kind in enumerate(columns.kinds) if kind == "real" and given.get(j)}
    return _cast(X, Z, columns, {**whole, **floating}), columns, counting, _notes(Z, columns, counting, given)


def _as_array(X):
    array = X if hasattr(X, "dtype") else np.asarray(X)
    if array.dtype.kind in "US" and array is not X:
        array = np.asarray(X, dtype=object)  # a list of labels and numbers: keep them apart
    return check_array(array, dtype=None, ensure_all_finite=False, input_name="X")


def _is_counted(kind, x):
    """Labels, what is constant, and whole numbers of a few distinct values, none of them negative."""
    if kind == "category" or (x == x[0]).all():
        return True
    return kind == "integer" and x.min() >= 0 and len(np.unique(x)) <= MOST_COUNTED


def _given_measure(measure, Z, columns):
    """The user's choices: whether it counts, by column number."""
    given = {}
    for key, word in measure.items():
        known = list(range(len(columns))) if columns.names is None else columns.names
        if key not in known and key not in range(len(columns)):
            raise ValueError(f"measure names the column {key!r}, but the columns are {known}.")
        j = known.index(key) if key in known else key
        if word not in ("counting", "lebesgue"):
            raise ValueError(f'measure of column {key!r} must be "counting" or "lebesgue", got {word!r}.')
        if word == "lebesgue" and columns.kinds[j] == "category":
            raise ValueError(f"{columns.name(j)} holds labels, which can only be counted: leave it out of measure.")
        if word == "counting" and (np.floor(Z[:, j]) != Z[:, j]).any():
            i = int(np.argmax(np.floor(Z[:, j]) != Z[:, j]))
            raise ValueError(f"{columns.name(j)} cannot be counted: row {i} holds {Z[i, j]:.6g}, no whole number.")
        given[j] = word == "counting"
    return given


def _cast(X, Z, columns, dtypes):
    """X with the columns in `dtypes` as those; an array of two kinds becomes one of objects."""
    if not dtypes:
        return X
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        new = (
            nw.new_series(columns.names[j], Z[:, j].astype(t), backend=frame.implementation) for j, t in dtypes.items()
        )
        return frame.with_columns(*new).to_native()
    if len(dtypes) == len(columns) and len(set(dtypes.values())) == 1:
        return Z.astype(dtypes[0])
    table = X.astype(object)
    for j, dtype in dtypes.items():
        table[:, j] = Z[:, j].astype(dtype)
    return table


def _notes(Z, columns, counting, given):
    keys = columns.names or list(range(len(columns)))
    n_distinct = [len(np.unique(x)) for x in Z.T]
    free = [j for j, kind in enumerate(columns.kinds) if kind != "category" and j not in given and n_distinct[j] > 1]
    notes = []
    for is_counted, verb, word, option in (
        (True, "counted", "lebesgue", "continuous"),
        (False, "compared as continuous", "counting", "counts"),
    ):
        whole = [j for j in free if counting[j] == is_counted and (np.floor(Z[:, j]) == Z[:, j]).all()]
        if whole:
            first = [keys[j] for j in whole[:5]]
            change = (
                f"measure={dict.fromkeys(first, word)!r} (on the command line --{option} {','.join(map(str, first))})"
            )
            notes.append(f"Whole numbers that are {verb}: {_listed(whole, keys)}; {change} changes that.")
    tied = [j for j in range(len(columns)) if not counting[j] and n_distinct[j] < len(Z) / 2]
    if tied:
        notes.append(
            f"Fewer than half of the values are distinct in {_listed(tied, keys)}: on rounded values the density of "
            "narrow kernels and peaks is flattered."
        )
    return notes


def _listed(numbers, keys):
    shown = ", ".join(repr(keys[j]) for j in itertools.islice(numbers, 5))
    return shown + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def mismatch(model, columns, counting):
    """Why a fitted model is no rival under the measure of each column, or "".

    Parameters
    ----------
    model : DensityEstimator
        Fitted to the table.
    columns : skgen.columns.Columns
        Of the table.
    counting : ndarray of shape (n_features,)
        Where the measure counts.

    Returns
    -------
    reason : str
    """
    support = model.support
    if isinstance(support, supports.Pairs):
        return "It scores what was seen of values, not values."
    if isinstance(support, supports.Sphere | supports.Simplex):
        return f"It has a density on {support.phrase}, not per unit of each column."
    differs = support.discrete_columns(len(columns)) != counting
    if not differs.any():
        return ""
    j = int(np.argmax(differs))
    if not counting[j]:
        return f"It counts {columns.name(j)}, which is compared as continuous."
    what = {"category": "labels", "integer": "whole numbers", "real": "values"}[columns.kinds[j]]
    return f"It has a density of the {what} in {columns.name(j)}, which are compared as counts."


def spans_turns(model, X):
    """Why a model of angles is no rival, or "": on one turn its density is one of numbers, on more it counts twice.

    Parameters
    ----------
    model : DensityEstimator
        Fitted.
    X : array-like or data frame of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    reason : str
    """
    if not isinstance(model.support, supports.Circle) or np.ptp(model._read(X, reset=False), axis=0).max() <= 2 * np.pi:
        return ""
    return "Its density is of angles on one turn, and the rows span more than one."
