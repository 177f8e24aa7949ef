"""Tables from files: csv, tsv, parquet and npy.

A file's columns are whole numbers, floating-point numbers, booleans or labels; nothing else is guessed.
"""

import csv
import importlib.util
import re
from pathlib import Path

import narwhals.stable.v2 as nw
import numpy as np

MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"}
DELIMITERS = ",\t;"
NO_NUMBER = re.compile(r"_|^[+-]?0\d", re.MULTILINE)  # Python reads 1_000 as a number, and 00123 is a label


def read_file(path, columns=None):
    """The table in a file.

    Parameters
    ----------
    path : str or path
        A .csv, .tsv or .txt file of text in UTF-8, a .parquet file, or a .npy file of one or two dimensions. Text
        whose first line holds numbers only has no header; its columns are then called x0, x1, ..., as those of an
        array are.
    columns : skgen.columns.Columns, optional
        Those of a model, whose labels the text is to be read as: "1" is a label where the model knows labels.

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
    frame = reader(path, columns)
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


def _read_text(path, columns=None):
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            delimiter = "\t" if path.suffix.lower() == ".tsv" else max(DELIMITERS, key=first.count)
            reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True, strict=True)
            return make_frame(_parse(reader, path, _known_labels(columns)))
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


def _known_labels(columns):
    """For each column of labels, the label by its text."""
    if columns is None or columns.names is None:
        return {}
    return {
        name: {str(label).lower() if isinstance(label, bool | np.bool_) else str(label): label for label in labels}
        for name, labels in zip(columns.names, columns.categories, strict=True)
        if labels is not None
    }


def _parse(reader, path, known):
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
    texts = {name: [row[j] for row in rows] for j, name in enumerate(names)}
    return {name: _typed(column, name, lines, path, known.get(name)) for name, column in texts.items()}


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


def _typed(texts, name, lines, path, labels=None):
    """A column of text as whole numbers, floats, booleans or, if it is none of these, as it is."""
    distinct = set(texts)
    if MISSING & distinct:
        i = next(i for i, text in enumerate(texts) if text in MISSING)
        raise ValueError(f"{path}, line {lines[i]}, has no value in column {name!r}: fill it or drop the line.")
    if labels is not None:
        return _labels(texts, labels)
    if not NO_NUMBER.search("\n".join(distinct)):
        for number, dtype in ((int, np.int64), (float, np.float64)):
            try:
                return np.array(list(map(number, texts)), dtype=dtype)
            except (ValueError, OverflowError):
                continue
    if {text.lower() for text in distinct} <= {"true", "false"}:
        return np.array([text.lower() == "true" for text in texts])
    return np.array(texts, dtype=object)


def _labels(texts, labels):
    """The texts as labels that a model knows; one that it does not know stays as it is."""
    lower = {"true", "false"} >= set(labels)
    by_value = {} if lower else {float(text): label for text, label in labels.items() if _is_number(text)}
    if len(by_value) == len(labels):  # all are numbers: 1 and 1.0 are one label
        texts = [by_value.get(float(text), text) if _is_number(text) else text for text in texts]
        labels = {label: label for label in labels.values()}
    values = [labels.get(text.lower() if lower else text, text) for text in texts]
    return np.array(values, dtype=bool if lower and all(isinstance(v, bool | np.bool_) for v in values) else object)


def _read_parquet(path, columns=None):
    library = importlib.import_module(_frame_library())
    try:
        return library.read_parquet(path)
    except ImportError:
        raise
    except Exception as error:  # each library has errors of its own
        raise ValueError(f"{path} cannot be read as parquet: {str(error).splitlines()[0]}") from error


def _read_npy(path, columns=None):
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
