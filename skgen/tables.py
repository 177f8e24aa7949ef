"""What the columns of a table hold: read from a file, and the measure under which densities on them compare.

A file's columns are whole numbers, floating-point numbers, booleans or labels; nothing else is guessed. Under the
counting measure a column has probabilities, under Lebesgue's a density; numbers of the two do not compare.
"""

import csv
import importlib.util
import itertools
from pathlib import Path

import narwhals as nw
import numpy as np
from sklearn.utils import check_array

from skgen import supports
from skgen.columns import is_frame, read_table

MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"}
DELIMITERS = ",\t;"
MOST_COUNTED = 20  # distinct whole numbers in a column that is compared as counts


# From a file


def read_file(path):
    """The table in a file.

    Parameters
    ----------
    path : str or path
        A .csv, .tsv or .txt file of text in UTF-8, a .parquet file, or a .npy file of one or two dimensions. Text
        whose first line holds numbers only has no header; its columns are then called x0, x1, ..., as those of an
        array are.

    Returns
    -------
    frame : pandas or polars DataFrame
        Pandas' where it is installed.

    Raises
    ------
    ValueError
        If there is no table in the file, or a value is missing; says where.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a directory: give a file.")
    with open(path, "rb"):  # the libraries below word what the system says in as many ways
        pass
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path} is no table that skgen knows: give a file that ends in {', '.join(READERS)}.")
    frame = reader(path)
    if 0 in frame.shape:
        raise ValueError(f"{path} has no rows.")
    return frame


def make_frame(columns):
    """A frame of pandas, or of polars where that is missing, from a dict of arrays."""
    return nw.from_dict(columns, backend=_frame_library()).to_native()


def _frame_library():
    for library in ("pandas", "polars"):
        if importlib.util.find_spec(library):
            return library
    raise ImportError("Tables want pandas or polars, and neither is installed.")


def _read_text(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            delimiter = "\t" if path.suffix.lower() == ".tsv" else max(DELIMITERS, key=first.count)
            return make_frame(_parse(csv.reader(stream, delimiter=delimiter, skipinitialspace=True, strict=True), path))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {_line_of_bad_byte(path)}, is no UTF-8 text: save the file as UTF-8."
        ) from error


def _line_of_bad_byte(path):
    data = Path(path).read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1


def _parse(reader, path):
    """The columns of delimited text, each as an array."""
    try:
        rows, lines = _rows_and_lines(reader)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}, is no line of a table: {error}.") from error
    if not rows:
        raise ValueError(f"{path} is empty.")
    names = [f"x{j}" for j in range(len(rows[0]))]
    if not all(map(_is_number, rows[0])):
        names, rows, lines = rows[0], rows[1:], lines[1:]
        _check_names(names, path)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(names):
            raise ValueError(f"{path}, line {line}, has {len(row)} fields, but the first line has {len(names)}.")
    return {name: _typed([row[j] for row in rows], name, lines, path) for j, name in enumerate(names)}


def _rows_and_lines(reader):
    rows, lines = [], []
    for row in reader:
        if row:  # a blank line is none
            rows.append(row)
            lines.append(reader.line_num)
    return rows, lines


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_names(names, path):
    for j, name in enumerate(names):
        if not name:
            raise ValueError(f"{path} has no name for column {j + 1}: name it, or drop it if it numbers the rows.")
        if name in names[:j]:
            raise ValueError(f"{path} has two columns called {name!r}: rename one.")


def _typed(texts, name, lines, path):
    """A column of text as whole numbers, floats, booleans or, if it is none of these, as it is."""
    distinct = set(texts)
    if MISSING & distinct:
        i = next(i for i, text in enumerate(texts) if text in MISSING)
        raise ValueError(f"{path}, line {lines[i]}, has no value in column {name!r}: fill it or drop the line.")
    if "_" not in "".join(distinct):  # Python reads 1_000 as a number, nobody else does
        for number, dtype in ((int, np.int64), (float, np.float64)):
            try:
                return np.array(list(map(number, texts)), dtype=dtype)
            except (ValueError, OverflowError):
                continue
    if {text.lower() for text in distinct} <= {"true", "false"}:
        return np.array([text.lower() == "true" for text in texts])
    return np.array(texts, dtype=object)


def _read_parquet(path):
    library = importlib.import_module(_frame_library())
    try:
        return library.read_parquet(path)
    except ImportError:
        raise
    except Exception as error:  # each library has errors of its own
        raise ValueError(f"{path} cannot be read as parquet: {str(error).splitlines()[0]}") from error


def _read_npy(path):
    try:
        with open(path, "rb") as stream:
            X = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as an array of numbers: {error}") from error
    if X.ndim not in (1, 2) or X.dtype.kind not in "biuf":
        raise ValueError(f"{path} must hold numbers in one or two dimensions, got {X.dtype} of shape {X.shape}.")
    X = X.reshape(len(X), -1).astype(np.float64 if X.dtype.kind == "f" else X.dtype.newbyteorder("="))
    if np.isnan(X).any():
        i, j = np.argwhere(np.isnan(X))[0]
        raise ValueError(f"{path} has no value in row {i} of column x{j}: fill it or drop the row.")
    return make_frame({f"x{j}": x for j, x in enumerate(X.T)})


READERS = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".txt": _read_text,
    ".parquet": _read_parquet,
    ".npy": _read_npy,
}


# The measure


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
    if np.isinf(Z).any():
        i, j = np.argwhere(np.isinf(Z))[0]
        raise ValueError(f"Input X contains infinity: {columns.name(j)} in row {i}. Drop or replace that row first.")
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
            change = f"measure={{{keys[whole[0]]!r}: {word!r}}} (on the command line --{option} {keys[whole[0]]})"
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
