"""The column codec: from the user's table to a float64 matrix, and from drawn rows back to the user's table.

A model computes on float64. The codec remembers what each column was (container, name, dtype, labels), codes labels as
0, 1, ... (-1 for a label that was not there at fit), finds missing values wherever they hide, and refuses with a
sentence what is no number and no label.
"""

import numbers
from datetime import date, time, timedelta
from decimal import Decimal

import narwhals.stable.v2 as nw
import numpy as np

MISSING = ("NAType", "NaTType")
DATES = (date, time, timedelta, np.datetime64, np.timedelta64)


class Columns:
    """What the columns of a table are.

    Parameters
    ----------
    container : str
        "array", or the library that the frame belongs to ("pandas", "polars", "pyarrow", ...).
    names : list or None
        Column names of a frame.
    dtypes : list of str
        The dtype of each column, as its library writes it.
    kinds : list of {"real", "integer", "category"}
        How each column is coded.
    categories : list of ndarray or None
        The labels of each coded column.
    closed : list of bool
        Whether those labels were declared (an enumeration, booleans), so that no other can come.
    numbers : list of int, optional
        The places of the columns in the user's table, if these are some of its columns.
    """

    def __init__(self, container, names, dtypes, kinds, categories, closed, numbers=None):
        self.container, self.names, self.dtypes = container, names, dtypes
        self.kinds, self.categories, self.closed = kinds, categories, closed
        self.numbers = numbers

    @classmethod
    def of_array(cls, X):
        """The columns of a numeric array."""
        dtype = np.asarray(X).dtype
        kind = "real" if dtype.kind == "f" else "integer"
        d = X.shape[1]
        return cls("array", None, [str(dtype)] * d, [kind] * d, [None] * d, [False] * d)

    def __len__(self):
        return len(self.kinds)

    def name(self, j):
        """The word for column j in a sentence: its name in quotes, or X[:, j]."""
        return f"X[:, {self.number(j)}]" if self.names is None else repr(self.names[j])

    def entry(self, i, j):
        """The word for the entry in row i of column j."""
        return f"X[{i}, {self.number(j)}]" if self.names is None else f"column {self.names[j]!r}, row {i},"

    def number(self, j):
        """The place of column j in the user's table."""
        return j if self.numbers is None else self.numbers[j]

    def take(self, features):
        """The columns `features` (numbers) alone, in that order."""
        fields = (self.names, self.dtypes, self.kinds, self.categories, self.closed)
        taken = (None if f is None else [f[j] for j in features] for f in fields)
        return Columns(self.container, *taken, numbers=[self.number(j) for j in features])

    def n_categories(self, j):
        """The number of labels of column j."""
        return len(self.categories[j])

    def decode(self, Z, discrete):
        """The rows Z of shape (n_samples, n_features) in the user's container and dtypes.

        Discrete columns get their own dtype back, continuous ones stay floating point: float32 where it was float32,
        float64 where it was an integer.
        """
        values = [self._decode_column(Z[:, j], j, discrete[j]) for j in range(len(self))]
        if self.container == "array":
            dtype = np.result_type(*{v.dtype for v in values}) if values[0].dtype != object else object
            return np.column_stack(values).astype(dtype, copy=False)
        if self.container == "pandas":
            return self._to_pandas(values)
        return self._to_frame(values)

    def _decode_column(self, z, j, discrete):
        if self.kinds[j] == "category":
            values = self.categories[j][z.astype(int)]
        else:
            values = z
        if discrete and self.kinds[j] == "integer":
            values = np.rint(values).astype(np.int64)
        if self.container != "array":
            return values
        dtype = np.dtype(self.dtypes[j])
        if discrete and _holds(dtype, values) or dtype.kind == "O":
            return values.astype(dtype)
        if discrete:
            return values
        return values.astype(np.float32 if dtype == np.float32 else np.float64)

    def _to_pandas(self, values):
        import pandas as pd

        series = []
        for j, v in enumerate(values):
            dtype, categories = self.dtypes[j], self.categories[j]
            if dtype.startswith("category"):
                v = pd.Categorical(v, categories=categories, ordered=dtype.endswith("ordered"))
                series.append(pd.Series(v))
                continue
            is_whole = np.asarray(v).dtype.kind in "ib"
            keeps = categories is not None or "float" in dtype.lower() or "double" in dtype
            if is_whole and categories is None:  # a draw may exceed what a small whole number holds
                keeps = dtype == "object" or "decimal" in dtype or _holds(_as_numpy(dtype), v)
            series.append(pd.Series(v, dtype=dtype if keeps else v.dtype if is_whole else np.float64))
        frame = pd.concat(series, axis=1)
        frame.columns = pd.Index(self.names, dtype=None)
        return frame

    def _to_frame(self, values):
        schema, data = {}, {}
        for j, (name, v) in enumerate(zip(self.names, values, strict=True)):
            word = self.dtypes[j]
            dtype = nw.Enum(list(self.categories[j])) if word.startswith("Enum") else getattr(nw, word, nw.Float64)
            kind = np.asarray(v).dtype.kind
            if self.categories[j] is None and kind == "f" and not word.startswith("Float"):
                dtype = nw.Float64
            elif self.categories[j] is None and kind == "i" and not _holds(_as_numpy(word), v):
                dtype = nw.Int64
            schema[name] = dtype
            data[name] = v.tolist() if v.dtype == object else v
        frame = nw.from_dict(data, backend=self.container)
        return frame.with_columns(nw.col(name).cast(dtype) for name, dtype in schema.items()).to_native()


def _as_numpy(word):
    """The numpy dtype for a library's word for whole numbers."""
    return getattr(np, word.lower().removesuffix("[pyarrow]"), np.int64)


def _holds(dtype, values):
    """Whether a numpy dtype can hold whole numbers."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "iu" or values.dtype.kind not in "iu" or not len(values):
        return True
    limits = np.iinfo(dtype)
    return limits.min <= values.min() and values.max() <= limits.max


def is_frame(X):
    """Whether X is a data frame of any library that narwhals knows."""
    return nw.dependencies.is_into_dataframe(X)


def read_table(X, policy, known=None, *, grow=False, allow_nan=False, allow_inf=False, who="this estimator"):
    """Code a frame, or an array of labels, as a float64 matrix.

    Parameters
    ----------
    X : frame or array of shape (n_samples, n_features)
        The user's table.
    policy : {"numeric", "category", "mixed"} or list of these
        What the model takes: numbers; labels, whatever their dtype; or each column by its dtype. A list has one word
        for each column.
    known : Columns, optional
        The columns of the fitted table; without it they are learned from X.
    grow : bool
        Whether labels that are new to `known` are added at the end of a copy of it, instead of coded -1.
    allow_nan : bool
        Whether a missing number or label may stay, as NaN.
    allow_inf : bool
        Whether an infinite number may stay.
    who : str
        The name in error messages.

    Returns
    -------
    Z : ndarray of shape (n_samples, n_features)
        Numbers and codes.
    columns : Columns
        `known`, its copy that has grown, or what was learned.

    Raises
    ------
    ValueError
        For missing values, dates, and strings where numbers are wanted.
    """
    container, names, series = _open(X, allow_nan)
    if known is not None and None not in (names, known.names) and names != known.names:
        raise ValueError(f"X has the columns {names}, but {who} was fitted on {known.names}: order them alike.")
    columns = known or Columns(container, names, [], [], [], [])
    if grow:
        columns = known.take(range(len(known)))
    policies = [policy] * len(series) if isinstance(policy, str) else policy
    if len(policies) != len(series):
        raise ValueError(f"{who} has {len(policies)} estimators for {len(series)} columns: give one for each.")
    Z = np.empty((len(X), len(series)), dtype=np.float64, order="F")
    for j, (values, dtype, declared) in enumerate(series):
        where = f"X[:, {j}]" if names is None else f"column {names[j]!r}"
        gaps = _missing(values)
        if gaps.any() and values.dtype == object:
            values = np.where(gaps, np.nan, values)
        values = _numbers_if_all_are(values, where)
        kind = known.kinds[j] if known else _kind(values, dtype, policies[j])
        if kind != "category":
            Z[:, j] = _as_floats(values, where, who)
        elif values.dtype.kind == "f" and np.isinf(values).any():
            raise ValueError(f"Input X contains infinity in {where}, which holds labels.")
        if kind != "category" and not allow_inf and np.isinf(Z[:, j]).any():
            raise ValueError(f"Input X contains infinity in {where}, row {int(np.argmax(np.isinf(Z[:, j])))}.")
        if known is None:
            labels = None if kind != "category" else _labels(values, where) if declared is None else declared
            for store, entry in zip(
                (columns.dtypes, columns.kinds, columns.categories, columns.closed),
                (dtype, kind, labels, kind == "category" and declared is not None),
                strict=True,
            ):
                store.append(entry)
        elif grow and kind == "category" and not columns.closed[j]:
            columns.categories[j] = _extended(columns.categories[j], values)
            if columns.container == "array" and columns.dtypes[j] != "object":
                columns.dtypes[j] = str(columns.categories[j].dtype)
            elif columns.categories[j].dtype.kind in "iuf":
                columns.dtypes[j] = dtype
        if kind == "category":
            Z[gaps, j] = np.nan
            Z[~gaps, j] = _codes(values[~gaps], columns.categories[j])
    return np.ascontiguousarray(Z), columns


def _open(X, allow_nan=False):
    """The container's word, the names, and for each column its values, dtype and declared labels."""
    if not is_frame(X):
        X = np.asarray(X)
        refuse_dates(X, str(X.dtype), "X")
        declared = np.array([False, True]) if X.dtype == bool else None
        return (
            "array",
            None,
            [(_present(x, f"X[:, {j}]", allow_nan), str(X.dtype), declared) for j, x in enumerate(X.T)],
        )
    frame = nw.from_native(X, eager_only=True)
    container = frame.implementation.name.lower()
    return (
        container,
        list(frame.columns),
        [_open_series(column, container, allow_nan) for column in frame.iter_columns()],
    )


def refuse_duplicate_names(X):
    """Raise a ValueError where two columns of a frame share a name.

    Parameters
    ----------
    X : data frame
        Of any library.
    """
    names = list(X.column_names if hasattr(X, "column_names") else X.columns)
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"X has several columns of one name: {', '.join(twice)}. Rename them: names tell columns apart."
        )


def _open_series(series, container, allow_nan):
    where = f"column {series.name!r}"
    native = series.to_native()
    dtype = str(native.dtype) if container == "pandas" else str(series.dtype)
    if series.dtype.is_temporal():
        refuse_dates(None, dtype, where)
    missing = series.is_null().to_numpy()
    if missing.any() and not allow_nan:
        _refuse_missing(missing, where)
    declared = None
    if series.dtype == nw.Boolean:
        declared = np.array([False, True])
    elif container == "pandas" and dtype == "category":
        declared = native.cat.categories.to_numpy()
        refuse_dates(declared, "categories of dates", where)
        dtype = "category, ordered" if native.cat.ordered else "category"
    elif series.dtype == nw.Enum:
        declared = np.array(series.dtype.categories, dtype=object)
        dtype = "Enum"
    has_gaps = missing.any() and series.dtype.is_numeric()
    values = np.asarray(series.cast(nw.Float64).to_numpy() if has_gaps else series.to_numpy())
    if values.dtype.kind not in "biuf":
        values = values.astype(object)
    return _present(values, where, allow_nan), dtype, declared


def _present(values, where, allow_nan):
    """The values, when none is missing."""
    missing = _missing(values)
    if missing.any() and not allow_nan:
        _refuse_missing(missing, where)
    return values


def _missing(values):
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "O":
        return np.array([v is None or type(v).__name__ in MISSING or v != v for v in values], bool)
    return np.zeros(len(values), bool)


def _refuse_missing(missing, where):
    raise ValueError(
        f"Input X contains NaN: {where} has {int(missing.sum())} missing value(s), the first in row "
        f"{int(np.argmax(missing))}. Drop or impute those rows first."
    )


def refuse_dates(values, dtype, where):
    """Raise a ValueError for dates and times: for values of such a dtype, or for None, where the caller knows."""
    if values is None or values.dtype.kind in "mM":
        raise ValueError(
            f"{where} holds dates or times ({dtype}), which have no density of their own. "
            "Turn them into numbers (days since a date, say) or drop them."
        )


def _numbers_if_all_are(values, where):
    """An object column whose entries are all numbers, as numbers; dates among them are refused."""
    if values.dtype != object:
        return values
    types = {type(v) for v in values}
    if any(issubclass(t, DATES) or t.__name__ in ("Period", "Timestamp", "Timedelta") for t in types):
        refuse_dates(None, "objects", where)
    if not all(issubclass(t, numbers.Real | Decimal) for t in types):
        return values
    if any(issubclass(t, Decimal) for t in types) or not types:
        return values.astype(np.float64)
    return np.array(values.tolist())


def _kind(values, dtype, policy):
    if policy == "category":
        return "category"
    is_label = values.dtype.kind in "bOUS" or dtype.startswith(("category", "Enum", "Categorical"))
    if policy == "mixed" and is_label:
        return "category"
    return "real" if values.dtype.kind == "f" else "integer"


def _as_floats(values, where, who):
    try:
        floats = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        example = next(v for v in values.tolist() if not _is_float(v))
        raise ValueError(
            f"{who} wants numbers, but {where} holds {example!r} (could not convert it to float). "
            'Drop the column, or use Independent("auto") or KernelDensity(discrete="auto"), which take mixed tables.'
        ) from error
    return floats


def _is_float(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _labels(values, where="X"):
    """The distinct labels, sorted; labels of several types by type first."""
    if values.dtype.kind in "mM":
        refuse_dates(values, str(values.dtype), where)
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {where} holds complex numbers.")
    if values.dtype != object:
        return np.unique(values)
    try:
        distinct = set(values.tolist())
    except TypeError as error:
        raise ValueError(f"{where} holds {values[0]!r}, which is no label: {error}.") from error
    try:
        distinct = sorted(distinct, key=lambda v: (type(v).__name__, v))
    except TypeError:  # labels without an order
        distinct = sorted(distinct, key=lambda v: (type(v).__name__, repr(v)))
    labels = np.empty(len(distinct), dtype=object)
    labels[:] = distinct
    return labels


def _extended(categories, values):
    """The categories with labels that are new at the end."""
    new = _labels(values)
    new = new[_codes(new, categories) < 0]
    if not len(new):
        return categories
    return np.concatenate([categories, new], dtype=np.result_type(categories, new), casting="unsafe")


def _codes(values, categories):
    """The place of each value among the categories, -1 for a value that is none of them."""
    if values.dtype != object and categories.dtype != object and values.dtype.kind not in "US":
        order = np.argsort(categories, kind="stable")
        place = order[np.searchsorted(categories, values, sorter=order).clip(max=len(categories) - 1)]
        return np.where(categories[place] == values, place, -1)
    codes = {label: code for code, label in enumerate(categories.tolist())}
    return np.array([codes.get(v, -1) for v in values.tolist()], dtype=np.float64)
