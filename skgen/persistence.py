"""Saving and loading without running code.

A file is a zip archive of plain arrays and one table that says which class each part belongs to, written by `skops
<https://skops.readthedocs.io>`_. Nothing in it is a program. `load` checks the name of every class against a list of
exact names before it builds anything, so that a file from elsewhere can be refused but cannot act::

    skgen.save(model, "model.skops")
    model = skgen.load("model.skops")

A name that is not on the list (a class of your own, a tree of scikit-learn) is loaded when you say that you trust it:
``skgen.load(path, trusted=["my_package.MyDensity"])``.
"""

import hashlib
import json
import os
import platform
from collections.abc import Collection
from importlib import import_module
from importlib.metadata import version
from zipfile import ZipFile

from sklearn.base import BaseEstimator

import skgen
from skgen.base import DensityEstimator, check_weights
from skgen.files import replacing

FORMAT = 1  # of the dict in the file; a reader refuses a later one
LIBRARIES = ("numpy", "scipy", "scikit-learn", "skops")
SUPPORT = {  # what fitted models hold besides estimators, arrays and plain values
    "skgen.columns.Columns",
    "skgen.nonparametric._histogram._cells.Cells",
    "skgen.nonparametric._kernels.StudentTKernel",
    "skgen.persistence.TreeRows",
    "pandas.Interval",  # labels that `pandas.cut` made
    "pandas._libs.interval.Interval",  # the same before pandas 3
}
METRICS = {  # those that have no parameters
    "ChebyshevDistance64": "chebyshev",
    "EuclideanDistance64": "euclidean",
    "HaversineDistance64": "haversine",
    "ManhattanDistance64": "manhattan",
}


SEAL = "digest.sha256"
LONGEST_SCHEMA = 2**28  # bytes


class LoadError(ValueError):
    """A file that `load` refuses, or cannot read."""


def save(model, path):
    """Write a model to a file that holds no code.

    Parameters
    ----------
    model : estimator
        Fitted or not. `trainer_params`, which say where and how a network is trained, are written as None.
    path : str or path-like
        The file; one that is there is replaced, and only by a complete one.

    Raises
    ------
    TypeError
        If `model` is no estimator, or if it holds what no such file can: a function or a class as a parameter, or a
        part that could not be read back.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import tempfile
    >>> import skgen
    >>> model = skgen.Gaussian().fit([[0.0, 1.0], [1.0, 3.0], [2.0, 4.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skgen.save(model, f"{folder}/model.skops")
    ...     again = skgen.load(f"{folder}/model.skops")
    >>> again.score([[0.5, 2.0]]) == model.score([[0.5, 2.0]])
    True
    """
    import skops.io

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"save wants an estimator, got {model!r}. Give the model itself, such as Gaussian().fit(X).")
    _refuse_callables(model)
    contents = {"format": FORMAT, "versions": _versions(), "model": _as_written(model, {})}
    with replacing(path, "w+b") as file:
        try:
            skops.io.dump(contents, file)
            seal(file)
            _check_envelope(file)
            # a file that cannot be read back is found out here, while the model is still at hand
            _build(file, skops.io.get_untrusted_types(file=file))
        except OSError:
            raise
        except Exception as error:
            raise TypeError(
                f"This {type(model).__name__} cannot be saved: a part of it could not be read back "
                f"({type(error).__name__}: {error}). Models of arrays, numbers, words and importable classes can."
            ) from error


def load(path, trusted=()):
    """Read a model that `save` has written, without running anything from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str, default=()
        Exact names, such as "my_package.MyDensity", of types that may be built besides the estimators of this library
        and what skops trusts by itself, most of scikit-learn. Name only what you know: a class of this list is built
        from whatever the file says.

    Returns
    -------
    model : estimator
        It scores as it did when it was saved.

    Raises
    ------
    LoadError
        If the file is damaged, was changed, comes from a later version or from elsewhere, or names a type that is not
        trusted. It is a `ValueError`.
    OSError
        If the file cannot be opened.

    See Also
    --------
    save : The way there, with an example.
    """
    trusted = _as_names(trusted)
    if os.path.isdir(path):
        raise LoadError(f"{path} is a folder. Give the path of the file that skgen.save wrote.")
    with open(path, "rb") as file:
        try:
            return _read(file, trusted)
        except LoadError as error:
            raise LoadError(f"{path} cannot be loaded: {error}") from None
        except Exception as error:  # a file may be broken in as many ways as there are files
            raise LoadError(
                f"{path} cannot be loaded: it is damaged, or no file that skgen.save wrote "
                f"({type(error).__name__}: {error}). Save the model again where it is at hand."
            ) from error


def _as_names(trusted):
    """The user's names as a set; a lone string would be read letter by letter."""
    is_several = isinstance(trusted, Collection) and not isinstance(trusted, str)
    if not is_several or not all(isinstance(name, str) for name in trusted):
        raise TypeError(
            f"load wants trusted= as a sequence of exact names, such as ['my_package.MyDensity'], got {trusted!r}."
        )
    return set(trusted)


def _read(file, trusted):
    """The model in an open file, or a LoadError that says what is wrong with it."""
    import skops.io

    _check_envelope(file)
    unknown = set(skops.io.get_untrusted_types(file=file))
    allowed = {name for name in unknown if name in trusted or name in SUPPORT or _is_public_estimator(name)}
    if unknown > allowed:
        refused = sorted(unknown - allowed)
        raise LoadError(
            f"it names {refused}, which skgen does not trust, and nothing was built. If you know what this is and who "
            f"wrote the file, load it with trusted={refused}."
        )
    with ZipFile(file) as archive:
        if SEAL not in archive.namelist() or archive.read(SEAL).decode() != _digest(archive):
            raise LoadError(
                "it was changed after it was written, or is damaged. Save the model again where it is at hand."
            )
    return _build(file, allowed)


def seal(file):
    """Add the digest of all members to a file of skops, so that a later change is seen.

    Parameters
    ----------
    file : str, path or binary file
        What `skops.io.dump` has written. The seal tells of accidents and of clumsy changes: whoever means it can seal
        anew, and the checks of types stand on their own.
    """
    with ZipFile(file, "a") as archive:
        archive.writestr(SEAL, _digest(archive))


def _digest(archive):
    """The digest of names and contents."""
    total = hashlib.sha256()
    for name in sorted(set(archive.namelist()) - {SEAL}):
        total.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    return total.hexdigest()


def _check_envelope(file):
    """Refuse what is no file of ours, or one of a later format, before any of its classes is looked at."""
    with ZipFile(file) as archive:
        if any("/" in name or "\\" in name for name in archive.namelist()):
            raise LoadError("it holds folders, which skgen.save never writes.")
        if archive.getinfo("schema.json").file_size > LONGEST_SCHEMA:
            raise LoadError("its table of contents is longer than that of any model.")
        schema = json.loads(archive.read("schema.json"))
    written = json.loads(schema["content"]["format"]["content"])
    if not isinstance(written, int) or written < 1:
        raise LoadError(f"it has format {written!r}, which there never was.")
    if written > FORMAT:
        raise LoadError(
            f"it has format {written}, and skgen {skgen.__version__} reads formats up to {FORMAT}. Upgrade skgen."
        )


def _is_public_estimator(name):
    """Whether this is the exact name of an estimator on skgen's face, where it is public or where it is written."""
    _, _, word = name.rpartition(".")
    if word not in skgen._HOME:
        return False
    home = skgen._HOME[word]
    known = getattr(import_module(home), word)
    is_estimator = isinstance(known, type) and issubclass(known, BaseEstimator)
    return is_estimator and name in (f"{home}.{word}", f"{known.__module__}.{known.__qualname__}")


def _build(file, trusted):
    """The model in an open file, of types that are all trusted."""
    import skops.io

    contents = skops.io.load(file, trusted=sorted(trusted))
    model = contents["model"]
    if not isinstance(model, BaseEstimator):
        raise LoadError(f"it holds a {type(model).__name__} where a model should be.")
    for estimator in list(_estimators(model, {})):
        _refuse_misfit(estimator)
        for name, value in vars(estimator).items():
            if isinstance(value, TreeRows):
                setattr(estimator, name, value.build())
    return model


def _refuse_misfit(estimator):
    """Refuse an estimator with the parameters of another one: its class in the file was changed, or has changed."""
    parameters = set(type(estimator)._get_param_names())
    public = {name for name in vars(estimator) if not name.startswith("_") and not name.endswith("_")}
    wrong = {name for name in parameters if not hasattr(estimator, name)}
    if isinstance(estimator, DensityEstimator):  # others may keep what they like beside their parameters
        wrong |= public - parameters
        wrong |= {name for name in vars(estimator) if _is_behaviour(getattr(type(estimator), name, None))}
    if wrong:
        raise LoadError(
            f"its {type(estimator).__name__} has other parameters than that class: {sorted(wrong)}. The file was "
            "changed, or another version of the library wrote it."
        )


def _is_behaviour(attribute):
    """Whether an attribute of a class is a method or a property, which one of an instance must not hide."""
    return callable(attribute) or hasattr(type(attribute), "__set__")


def _estimators(value, seen):
    """Every estimator in a model or a container: itself, its parameters, its fitted parts."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, BaseEstimator):
        yield value
        value = vars(value)
    for part in _members(value):
        yield from _estimators(part, seen)


def _members(value):
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple, set)) else []


def _refuse_callables(model):
    for estimator in _estimators(model, {}):
        for name, value in estimator.get_params(deep=False).items():
            if name != "trainer_params" and _is_code(value):
                raise TypeError(
                    f"{type(estimator).__name__} cannot be saved with {name}={value!r}: a file without code holds no "
                    "functions and no classes. Give a word, a number or an estimator, or fit it where it is needed."
                )


def _is_code(value):
    """Whether a parameter is a function, a class or the like, or a container of one."""
    if isinstance(value, type):
        return value.__module__ not in ("builtins", "numpy")  # `float` and `np.float32` are dtypes
    if callable(value):
        return not hasattr(value, "get_params")  # kernels of scikit-learn can be called
    return any(_is_code(part) for part in _members(value))


def _as_written(value, done):
    """The value as the file will hold it: estimators in it become copies that share their arrays."""
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, BaseEstimator):
        twin = done[id(value)] = type(value).__new__(type(value))
        vars(twin).update({name: _attribute_as_written(name, part, done) for name, part in vars(value).items()})
    elif type(value) is dict:
        twin = {key: _as_written(part, done) for key, part in value.items()}
    elif type(value) in (list, tuple):
        twin = type(value)(_as_written(part, done) for part in value)
    else:
        twin = value
    done[id(value)] = twin
    return twin


def _attribute_as_written(name, value, done):
    if name == "trainer_params":
        return None
    if TreeRows.can_replace(value):
        return TreeRows(value)
    return _as_written(value, done)


class TreeRows:
    """The rows of a `KDTree` or `BallTree`, from which `load` builds it anew.

    A tree is an array of row numbers that are followed unchecked: a file that chose them could read any memory.

    Parameters
    ----------
    tree : KDTree or BallTree
        With a metric that has no parameters. A tree with another one is written as it is, and to be trusted by name.
    """

    def __init__(self, tree):
        self.rows, _, _, _, self.leaf_size, *_, metric, self.sample_weight = tree.__getstate__()
        self.kind, self.metric = type(tree).__name__, METRICS[type(metric).__name__]

    @staticmethod
    def can_replace(value):
        """Whether this is such a tree."""
        from sklearn.neighbors import BallTree, KDTree

        return type(value) in (BallTree, KDTree) and type(value.__getstate__()[-2]).__name__ in METRICS

    def build(self):
        """The tree, the same to the bit."""
        from sklearn.neighbors import BallTree, KDTree

        tree = {"BallTree": BallTree, "KDTree": KDTree}[self.kind]
        weights = self.sample_weight
        if weights is not None:  # the tree checks its rows, but not that each has a weight
            weights = check_weights(weights, len(self.rows))
        return tree(self.rows, leaf_size=self.leaf_size, metric=self.metric, sample_weight=weights)


def _versions():
    """What wrote the file, for whoever has to find out why another version reads it differently."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"skgen": skgen.__version__, "python": platform.python_version(), **libraries}
