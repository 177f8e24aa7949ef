"""A saved model comes back to the bit, and a file from elsewhere is refused before it can do anything."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import skgen
from skgen import parametric
from skgen.foreign import ForeignDensity
from skgen.parametric import (
    Bernoulli,
    Categorical,
    Gaussian,
    Independent,
    Laplace,
    Normal,
    PointMass,
    Poisson,
    VonMises,
)
from skgen.persistence import FORMAT, SEAL, LoadError, TreeRows, seal

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
COUNTS = RNG.poisson(2.0, size=(40, 2))
WORDS = np.where(X[:, 0] > 0, "yes", "no")

PANDAS = pd.DataFrame(
    {
        "real": X[:, 0],
        "float32": X[:, 1].astype(np.float32),
        "word": WORDS,
        "object": WORDS.astype(object),
        "mixed": pd.Series([1, "a"] * 20, dtype=object),
        "bool": X[:, 1] > 0,
        "category": pd.Categorical(WORDS, categories=["perhaps", "yes", "no"], ordered=True),
        "number category": pd.Categorical(COUNTS[:, 0]),
        "interval": pd.cut(X[:, 2], 3),
        "Int64": pd.array(COUNTS[:, 0], dtype="Int64"),
        "Float64": pd.array(X[:, 0], dtype="Float64"),
        "boolean": pd.array(X[:, 2] > 0, dtype="boolean"),
        "constant": 1.5,
    }
)
POLARS = pl.DataFrame({"real": X[:, 0], "count": COUNTS[:, 0], "word": WORDS, "bool": X[:, 1] > 0}).with_columns(
    pl.col("count").cast(pl.Int32).alias("Int32"),
    pl.col("word").cast(pl.Categorical).alias("category"),
    pl.col("word").cast(pl.Enum(["perhaps", "yes", "no"])).alias("Enum"),
)


class Shifted(skgen.DensityEstimator):
    """A density of somebody else: normal around the mean of the rows, with a place for anything as a parameter."""

    def __init__(self, anything=None, trainer_params=None):
        self.anything = anything
        self.trainer_params = trainer_params

    def _fit(self, X, y, sample_weight):
        self.mean_ = X.mean(axis=0)

    def _log_prob(self, X, y):
        return -0.5 * ((X - self.mean_) ** 2).sum(axis=1) - 0.5 * X.shape[1] * np.log(2 * np.pi)

    def _sample(self, n_samples, y, rng):
        return self.mean_ + rng.standard_normal((n_samples, len(self.mean_)))


class Network(Shifted):
    """Keeps plain arrays in its state, and builds the rest from them."""

    def _fit(self, X, y, sample_weight):
        super()._fit(X, y, sample_weight)
        self._module = lambda: self.mean_

    def _log_prob(self, X, y):
        assert self._module() is self.mean_
        return super()._log_prob(X, y)

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_module"}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._module = lambda: self.mean_


OURS = f"{__name__}.Shifted"


def rows_for(name):
    """Rows in the support of the family of that name."""
    if name == "PointMass":
        return np.full((5, 2), 3.5)
    support = getattr(parametric, name)().support
    return support.draw(np.random.default_rng(0), 40, support.width(3))


CASES = {
    **{name: (getattr(parametric, name)(), rows_for(name)) for name in parametric.__all__},
    "diagonal": (Gaussian("diag"), X),
    "spherical": (Gaussian("spherical"), X),
    "float32": (Normal(), X.astype(np.float32)),
    "LedoitWolf": (Gaussian(covariance=LedoitWolf()), X),
    "strings": (Categorical(), np.column_stack([WORDS, WORDS])),
    "objects": (Categorical(alpha=0), np.array([["a", 1], ["b", 2.5], ["a", True]], dtype=object)),
    "pandas": (Independent(), PANDAS),
    "pandas, Categorical": (Categorical(), PANDAS[["word", "category", "bool", "Int64"]]),
    "pandas, numbers": (Gaussian(), PANDAS[["real", "float32"]]),
    "polars": (Independent(), POLARS),
    "list": (Independent([Normal(), Laplace(), KernelDensity()]), X),
    "KernelDensity": (ForeignDensity(KernelDensity(bandwidth=0.3, leaf_size=7)), X),
    "KernelDensity, ball": (ForeignDensity(KernelDensity(algorithm="ball_tree", metric="manhattan")), X),
    "GaussianMixture": (ForeignDensity(GaussianMixture(2), random_state=0), X),
}


def assert_same(a, b):
    """The same table: container, dtypes, names, and values to the bit."""
    assert type(a) is type(b)
    if isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    elif isinstance(a, pl.DataFrame):
        pl.testing.assert_frame_equal(a, b, check_exact=True, categorical_as_str=True)
    else:
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, strict=True)


def there_and_back(model, folder, trusted=()):
    skgen.save(model, folder / "model.skops")
    return skgen.load(folder / "model.skops", trusted=trusted)


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_model_scores_and_draws_to_the_bit(case, tmp_path):
    estimator, rows = CASES[case]
    model = estimator.fit(rows)
    again = there_and_back(model, tmp_path)
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    assert_same(again.score_samples(rows), model.score_samples(rows))
    assert_same(again.sample(30, random_state=0), model.sample(30, random_state=0))
    assert again.support.__class__ is model.support.__class__
    assert vars(again).keys() == vars(model).keys()


@pytest.mark.parametrize("case", CASES)
def test_saving_leaves_the_model_as_it_was(case, tmp_path):
    estimator, rows = CASES[case]
    model = estimator.fit(rows)
    before, parts = pickle.dumps(model), dict(vars(model))
    skgen.save(model, tmp_path / "model.skops")
    assert vars(model).keys() == parts.keys()
    assert all(vars(model)[name] is part for name, part in parts.items())
    assert pickle.dumps(model) == before


def test_impossible_rows_stay_impossible(tmp_path):
    again = there_and_back(PointMass().fit([[1.0], [1.0]]), tmp_path)
    np.testing.assert_array_equal(again.score_samples([[1.0], [2.0]]), [0.0, -np.inf])


@pytest.mark.parametrize("estimator", [Gaussian(), Normal(), Poisson(), Bernoulli(), Categorical()], ids=repr)
def test_a_loaded_model_goes_on_learning(estimator, tmp_path):
    first, second = np.array([[0, 1], [1, 0], [1, 1]]), np.array([[1, 0], [0, 0]])
    model = estimator.fit(first)
    again = there_and_back(model, tmp_path).partial_fit(second)
    assert_same(again.score_samples(first), model.partial_fit(second).score_samples(first))


@pytest.mark.parametrize("random_state", [None, 7, np.random.RandomState(1), np.random.default_rng(1)], ids=str)
def test_the_random_state_goes_on_where_it_was(random_state, tmp_path):
    again = there_and_back(Gaussian(random_state=random_state), tmp_path).random_state
    assert type(again) is type(random_state)
    if isinstance(random_state, np.random.RandomState | np.random.Generator):
        np.testing.assert_array_equal(again.normal(size=5), random_state.normal(size=5))
    else:
        assert again == random_state


def test_a_model_that_is_not_fitted_is_its_parameters(tmp_path):
    again = there_and_back(Independent([Gaussian("diag"), KernelDensity(bandwidth=0.5)]), tmp_path)
    assert repr(again) == repr(Independent([Gaussian("diag"), KernelDensity(bandwidth=0.5)]))
    assert not hasattr(again, "estimators_")


def test_what_is_one_stays_one(tmp_path):
    part = Normal()
    again = there_and_back(Independent([part, part]), tmp_path).estimators
    assert again[0] is again[1]


def test_the_file_says_what_wrote_it(tmp_path):
    skgen.save(Gaussian().fit(X), tmp_path / "model.skops")
    path = tmp_path / "model.skops"
    contents = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    assert type(contents) is dict
    assert contents.keys() == {"format", "versions", "model"}
    assert contents["format"] == FORMAT
    assert contents["versions"].keys() == {"skgen", "python", "numpy", "scipy", "scikit-learn", "skops"}
    assert contents["versions"]["numpy"] == np.__version__


# What is trusted


def test_the_trees_of_scikit_learn_are_not_in_the_file(tmp_path):
    path = tmp_path / "model.skops"
    skgen.save(ForeignDensity(KernelDensity()).fit(X), path)
    assert not any("Tree" in name.removesuffix("TreeRows") for name in skops.io.get_untrusted_types(file=path))


def test_a_tree_whose_metric_has_parameters_is_trusted_by_name_alone(tmp_path):
    model = ForeignDensity(KernelDensity(metric="minkowski", metric_params={"p": 3})).fit(X)
    with pytest.raises(LoadError, match="KDTree"):
        there_and_back(model, tmp_path)
    names = ["sklearn.neighbors._kd_tree.KDTree", "sklearn.metrics._dist_metrics.MinkowskiDistance64"]
    assert_same(there_and_back(model, tmp_path, names).score_samples(X), model.score_samples(X))


@pytest.mark.parametrize(
    "change",
    [{"rows": np.full((3, 1), np.nan)}, {"sample_weight": np.ones(2)}, {"leaf_size": 0}, {"kind": "Tree"}],
    ids=str,
)
def test_a_tree_is_built_from_clean_rows_alone(change):
    rows = TreeRows(KernelDensity().fit(X[:3]).tree_)
    vars(rows).update(change)
    with pytest.raises((ValueError, KeyError)):
        rows.build()


def test_parts_that_skops_does_not_trust_are_trusted_by_name(tmp_path):
    model = ForeignDensity(IsolationForest(n_estimators=2, random_state=0)).fit(X)
    with pytest.raises(LoadError, match=r"sklearn\.tree\._tree\.Tree.*trusted="):
        there_and_back(model, tmp_path)
    assert_same(there_and_back(model, tmp_path, ["sklearn.tree._tree.Tree"]).score_samples(X), model.score_samples(X))


def test_a_class_of_the_users_own_is_trusted_by_name(tmp_path):
    model = Shifted(anything=[1, {"a": np.float32}]).fit(X)
    with pytest.raises(LoadError, match=r"Shifted.*trusted=") as caught:
        there_and_back(model, tmp_path)
    assert "model.skops" in str(caught.value)
    for trusted in ([OURS], (OURS,), {OURS, "not.Needed"}):
        again = there_and_back(model, tmp_path, trusted)
        assert again.anything == model.anything
        assert_same(again.score_samples(X), model.score_samples(X))


@pytest.mark.parametrize("trusted", [OURS, True, None, [Shifted], 3, iter([OURS])], ids=lambda t: type(t).__name__)
def test_trusted_is_a_sequence_of_names(trusted, tmp_path):
    with pytest.raises(TypeError, match="sequence of exact names"):
        there_and_back(Gaussian(), tmp_path, trusted)


@pytest.mark.parametrize("trusted", [[], [__name__], ["Shifted"], [OURS + "d"], [f"x.{OURS}"], [OURS.upper()]], ids=str)
def test_part_of_a_name_is_not_trusted(trusted, tmp_path):
    with pytest.raises(LoadError, match="does not trust"):
        there_and_back(Shifted().fit(X), tmp_path, trusted)


# What save refuses


def test_save_wants_an_estimator(tmp_path):
    for thing in (Gaussian, 3.0, {"model": Gaussian()}, None):
        with pytest.raises(TypeError, match="save wants an estimator, got"):
            skgen.save(thing, tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


CODE = {
    "a lambda": lambda: 0,
    "a function": os.path.join,
    "a method": X.mean,
    "a ufunc": np.log,
    "a class": Shifted,
    "a function in a list": [1, print],
    "a class in a dict": {"a": (Shifted,)},
    "a part's function": Shifted(anything=len),
    "a function of a part in a list": [("part", Shifted(anything=len))],
}


@pytest.mark.parametrize("what", CODE)
def test_save_refuses_functions_and_classes_as_parameters(what, tmp_path):
    for model in (Shifted(anything=CODE[what]), Independent([Normal(), Shifted(anything=CODE[what])])):
        with pytest.raises(TypeError, match="Shifted cannot be saved with anything=.*holds no functions"):
            skgen.save(model, tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


def test_what_could_not_be_read_back_is_not_saved(tmp_path):
    class Local(BaseEstimator):
        pass

    for model in (Local(), Shifted(anything=Local()), Shifted(anything=(part for part in ()))):
        with pytest.raises(TypeError, match="cannot be saved: a part of it could not be read back"):
            skgen.save(model, tmp_path / "model.skops")
    assert not list(tmp_path.iterdir())


def test_trainer_params_are_left_out(tmp_path):
    how = {"accelerator": "cpu", "callbacks": [print]}
    model = Independent([Shifted(1, trainer_params=how), Shifted(2, trainer_params=how), Normal()]).fit(X)
    again = there_and_back(model, tmp_path, [OURS])
    for part in [*again.estimators[:2], *again.estimators_[:2]]:
        assert part.trainer_params is None
    assert [part.anything for part in again.estimators_[:2]] == [1, 2]
    assert_same(again.score_samples(X), model.score_samples(X))
    assert all(part.trainer_params is how for part in model.estimators[:2])
    assert all(part.trainer_params["callbacks"] == [print] for part in model.estimators_[:2])


def test_a_model_says_itself_what_its_state_is(tmp_path):
    model = Network(trainer_params={"max_epochs": 3}).fit(X)
    again = there_and_back(model, tmp_path, [f"{__name__}.Network"])
    assert again.trainer_params is None
    assert_same(again.score_samples(X), model.score_samples(X))


@pytest.mark.parametrize("place", ["no folder/model.skops", "a file/model.skops", "a folder"])
def test_save_says_where_it_cannot_write(place, tmp_path):
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    with pytest.raises(OSError, match="cannot be written"):
        skgen.save(Gaussian(), tmp_path / place)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a file", "a folder"]


def test_a_folder_that_is_not_there_is_a_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="cannot be written"):
        skgen.save(Gaussian(), tmp_path / "nowhere" / "model.skops")


def test_save_replaces_a_file_by_a_whole_one_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    skgen.save(Gaussian().fit(X), path)
    skgen.save(Normal().fit(X), str(path))
    assert type(skgen.load(str(path))) is Normal

    def full(contents, file):
        file.write(b"PK half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(skops.io, "dump", full)
    with pytest.raises(OSError, match="No space left on device"):
        skgen.save(Gaussian().fit(X), path)
    assert type(skgen.load(path)) is Normal
    assert list(tmp_path.iterdir()) == [path]


def test_save_writes_where_a_link_points(tmp_path):
    (tmp_path / "models").mkdir()
    os.symlink(tmp_path / "models" / "1.skops", tmp_path / "latest")
    skgen.save(Gaussian(), tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()
    assert type(skgen.load(tmp_path / "models" / "1.skops")) is Gaussian


# What load refuses


@pytest.fixture
def path(tmp_path):
    """The file of a Gaussian."""
    skgen.save(Gaussian().fit(X), tmp_path / "model.skops")
    return tmp_path / "model.skops"


@pytest.fixture
def marker(tmp_path):
    """A folder that hostile files try to make."""
    return tmp_path / "marker"


def change_members(path, change):
    """Rewrite the archive with `change(members)`, a dict of bytes by name."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    members.pop(SEAL, None)  # whoever means it seals anew
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    seal(path)


def change_schema(path, change):
    """Rewrite the table of classes with `change(schema)`."""

    def change_member(members):
        schema = json.loads(members["schema.json"])
        change(schema)
        members["schema.json"] = json.dumps(schema).encode()

    change_members(path, change_member)


def rename(schema, module, name):
    schema["content"]["model"].update({"__module__": module, "__class__": name})


def node(loader, module, name, **more):
    """An entry of the table of classes."""
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


def text(value):
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


class Bomb:
    """What pickle would run."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def refused(path, marker, match="cannot be loaded"):
    """Assert that the file is refused, is named, and has done nothing."""
    with pytest.raises(LoadError, match=match) as caught:
        skgen.load(path)
    assert str(path) in str(caught.value)
    assert not marker.exists()
    return str(caught.value)


def call_by_key(marker):
    """A dict whose keys are made by a function: it would call `os.mkdir(key)`."""
    types = node("ListNode", "builtins", "list", content=[node("TypeNode", "os", "mkdir")])
    return node("DictNode", "builtins", "dict", key_types=types, content={str(marker): text(1)})


def call_by_partial(marker):
    empty = node("DictNode", "builtins", "dict", key_types=node("ListNode", "builtins", "list", content=[]), content={})
    parts = {
        "func": node("FunctionNode", "os", "mkdir"),
        "args": node("TupleNode", "builtins", "tuple", content=[text(str(marker))]),
        "kwds": empty,
        "namespace": empty,
    }
    return node("PartialNode", "functools", "partial", content=parts)


def constructor(module, name):
    def hostile(marker):
        arguments = node("TupleNode", "builtins", "tuple", content=[text(str(marker))])
        return node("ConstructorFromReduceNode", module, name, content=arguments)

    return hostile


def alone(loader, module, name):
    return lambda marker: node(loader, module, name)


HOSTILE = {
    "a key": call_by_key,
    "a partial": call_by_partial,
    "os.mkdir called": constructor("os", "mkdir"),
    "eval called": constructor("builtins", "eval"),
    "Popen called": constructor("subprocess", "Popen"),
    "Popen": alone("ObjectNode", "subprocess", "Popen"),
    "os.system": alone("FunctionNode", "os", "system"),
    "eval": alone("TypeNode", "builtins", "eval"),
    "a function of ours": alone("FunctionNode", "skgen.parametric._multivariate", "best_df"),
    "a module of ours": alone("ObjectNode", "skgen.persistence", "os"),
    "another library": alone("ObjectNode", "antigravity", "Gaussian"),
    "the metric of a tree": alone("ObjectNode", "sklearn.metrics._dist_metrics", "PyFuncDistance64"),
    "a method": lambda marker: node(
        "MethodNode", "builtins", "dict", content={"func": "clear", "obj": call_by_key(marker)}
    ),
    "an operator": lambda marker: node(
        "OperatorFuncNode",
        "operator",
        "methodcaller",
        attrs=node("TupleNode", "builtins", "tuple", content=[text("a")]),
    ),
}


@pytest.mark.parametrize("where", ["model", "parameter"])
@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_type_is_refused(attack, where, path, marker):
    def put(schema):
        contents = schema["content"]
        contents = contents if where == "model" else contents["model"]["content"]["content"]
        contents["model" if where == "model" else "covariance"] = HOSTILE[attack](marker)

    change_schema(path, put)
    assert "trusted=" in refused(path, marker, "does not trust")


@pytest.mark.parametrize("attack", ["a key", "os.mkdir called"])
def test_the_hostile_types_would_act_if_they_were_trusted(attack, path, marker):
    change_schema(path, lambda schema: schema["content"].update(model=HOSTILE[attack](marker)))
    with pytest.raises(LoadError, match="cannot be loaded"):
        skgen.load(path, trusted=skops.io.get_untrusted_types(file=path))
    assert marker.exists()


@pytest.mark.parametrize(
    "name",
    [
        "skgen.parametric._multivariate.Elliptical",  # ours, and not public
        "skgen.parametric._multivariate.GaussianMixture",
        "skgen.parametric._multivariate.GaussianMixture.Gaussian",
        "skgen.parametric._discrete.Gaussian",
        "skgen.parametric._multivariate.clone",
        "skgen.parametric_evil.Gaussian",
        "evil.skgen.parametric.Gaussian",
        "evil.Gaussian",
        "skgen.persistence.load",
        "skgen.columns.Columns2",
        "skgen.columns.numbers",
        "subprocess.Popen",
        "builtins.eval",
    ],
)
def test_no_prefix_of_a_name_is_trusted(name, path, marker):
    change_schema(path, lambda schema: rename(schema, *name.rsplit(".", 1)))
    assert repr(name) in refused(path, marker, "does not trust")


@pytest.mark.parametrize(
    "name",
    [
        "skgen.parametric._counts.Poisson",
        "skgen.parametric._independent.Independent",
        "skgen.foreign.ForeignDensity",
        "skgen.base.DensityEstimator",
        "skgen.columns.Columns",
        "sklearn.linear_model._logistic.LogisticRegression",
    ],
)
def test_the_state_of_one_class_is_refused_by_another(name, path, marker):
    change_schema(path, lambda schema: rename(schema, *name.rsplit(".", 1)))
    refused(path, marker)


def test_the_state_of_a_class_without_parameters_is_refused_by_one_with(path, marker):
    skgen.save(VonMises().fit(COUNTS), path)
    change_schema(path, lambda schema: rename(schema, "skgen.parametric._multivariate", "Gaussian"))
    refused(path, marker, r"parameters.*\['covariance', 'random_state'\]")


def test_every_public_estimator_is_trusted_by_its_exact_name():
    homes = [name for name in parametric.__all__ if name in skgen._HOME]
    assert len(homes) == len(parametric.__all__)
    for name in [*homes, "ForeignDensity"]:
        known = getattr(skgen, name)
        assert skgen.persistence._is_public_estimator(f"{known.__module__}.{known.__qualname__}")
    for name in ("load", "save", "as_density"):
        assert not skgen.persistence._is_public_estimator(f"{skgen._HOME[name]}.{name}")


def test_a_generator_names_a_generator(tmp_path, marker):
    path = tmp_path / "model.skops"
    skgen.save(Gaussian(random_state=np.random.default_rng(0)), path)

    def call(schema):
        generator = schema["content"]["model"]["content"]["content"]["random_state"]["content"]["bit_generator"]
        generator["content"]["bit_generator"] = text("test")

    change_schema(path, call)
    refused(path, marker, "does not trust")


def test_an_array_that_holds_a_pickle_is_refused(path, marker):
    data = io.BytesIO()
    np.save(data, np.array([Bomb(marker)], dtype=object), allow_pickle=True)

    def plant(members):
        for name in members:
            if name.endswith(".npy"):
                members[name] = data.getvalue()

    change_members(path, plant)
    refused(path, marker, "allow_pickle")
    np.load(io.BytesIO(data.getvalue()), allow_pickle=True)
    assert marker.exists()


def test_a_pickle_is_refused(tmp_path, marker):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Bomb(marker)))
    refused(path, marker, "no file that skgen.save wrote")
    pickle.loads(path.read_bytes())
    assert marker.exists()


@pytest.mark.parametrize("name", ["../marker", "/marker", "a/../../marker", "..\\marker"])
def test_a_path_in_the_archive_is_refused(name, path, marker):
    change_members(path, lambda members: members.update({name: b"here"}))
    refused(path, marker, "holds folders")


@pytest.mark.parametrize("name", ["../secret.npy", "/etc/passwd", "", None, 3, "missing.npy"])
def test_an_array_is_read_from_the_archive_alone(name, path, marker):
    np.save(path.parent.parent / "secret.npy", X)

    def point(schema):
        schema["content"]["model"]["content"]["content"]["mean_"]["file"] = name

    change_schema(path, point)
    refused(path, marker)


@pytest.mark.parametrize("length", [0, 1, 4, 100, 0.1, 0.5, 0.9, -23, -1])
def test_a_file_cut_short_is_refused(length, path, marker):
    whole = path.read_bytes()
    end = int(length * len(whole)) if isinstance(length, float) else length
    path.write_bytes(whole[:end])
    assert "Save the model again" in refused(path, marker, "damaged")


@pytest.mark.parametrize("content", [b"", b"a text\n", b"\x89PNG", b"PK\x05\x06" + 18 * b"\0", b"PK\x03\x04"], ids=repr)
def test_another_kind_of_file_is_refused(content, tmp_path, marker):
    (tmp_path / "model").write_bytes(content)
    refused(tmp_path / "model", marker, "no file that skgen.save wrote")


@pytest.mark.parametrize(
    "schema", [b"", b"{", b"[]", b"null", b"3", b"{}", b"\xff", b"[" * 100_000], ids=lambda s: s[:3]
)
def test_a_table_that_is_none_is_refused(schema, path, marker):
    change_members(path, lambda members: members.update({"schema.json": schema}))
    refused(path, marker)


def test_an_archive_without_a_table_is_refused(path, marker):
    change_members(path, lambda members: members.pop("schema.json"))
    refused(path, marker, "schema.json")


def test_a_file_of_skops_without_our_envelope_is_refused(tmp_path, marker):
    for contents in (Gaussian(), [1], {"model": Gaussian()}, {"format": 1}, {"format": 1, "model": 3.0}):
        skops.io.dump(contents, tmp_path / "model.skops")
        refused(tmp_path / "model.skops", marker)


def test_a_later_format_asks_for_an_upgrade(path, marker):
    def later(schema):
        schema["content"]["format"] = text(FORMAT + 1)
        rename(schema, "skgen.of_the_future", "Model")

    change_schema(path, later)
    assert "Upgrade skgen" in refused(path, marker, f"format {FORMAT + 1}")


def test_a_folder_is_refused(tmp_path, marker):
    refused(tmp_path, marker, "is a folder")


def test_a_missing_file_is_a_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        skgen.load(tmp_path / "model.skops")


def test_a_load_error_is_a_value_error_of_one_sentence_about_one_cause(path, marker):
    change_schema(path, lambda schema: rename(schema, "subprocess", "Popen"))
    assert refused(path, marker).count("cannot be loaded") == 1
    assert issubclass(LoadError, ValueError)


def test_damage_anywhere_is_refused_or_harmless(path):
    whole, expected = path.read_bytes(), skgen.load(path).score_samples(X)
    refusals = 0
    for place in range(0, len(whole), len(whole) // 150):
        damaged = bytearray(whole)
        damaged[place] ^= 0x15
        path.write_bytes(damaged)
        try:
            again = skgen.load(path)
        except LoadError:
            refusals += 1
        else:  # a date in the archive, say
            assert_same(again.score_samples(X), expected)
    assert refusals > 100


def entries(schema):
    """Every place in the table of classes, as its container and key."""
    for key in schema if isinstance(schema, dict) else range(len(schema)):
        yield schema, key
        if isinstance(schema[key], dict | list):
            yield from entries(schema[key])


@pytest.mark.parametrize("value", [None, "x", -1, [], {}], ids=repr)
def test_a_false_entry_anywhere_is_refused_or_a_model(value, path):
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    original = path.read_bytes()
    places = list(entries(schema))
    for container, key in places[:: len(places) // 80]:
        kept, container[key] = container[key], value
        changed = json.loads(json.dumps(schema))
        container[key] = kept
        path.write_bytes(original)
        change_members(
            path, lambda members, changed=changed: members.update({"schema.json": json.dumps(changed).encode()})
        )
        try:
            model = skgen.load(path)
        except LoadError:
            continue
        assert isinstance(model, BaseEstimator)


def test_a_changed_file_is_seen(tmp_path):
    """Normal and Laplace have the same parameters: only the seal tells that one was made the other."""
    path = tmp_path / "model.skops"
    skgen.save(Normal().fit(X), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["schema.json"] = members["schema.json"].replace(b'"Normal"', b'"Laplace"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    members.pop(SEAL)
    with pytest.raises(LoadError, match="was changed after it was written"):
        skgen.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(LoadError, match="was changed after it was written"):
        skgen.load(path)


def test_an_attribute_that_hides_a_method_is_refused(tmp_path):
    model = Normal().fit(X)
    model._log_prob = 3.0
    with pytest.raises(TypeError, match="_log_prob"):
        skgen.save(model, tmp_path / "model.skops")


@pytest.mark.parametrize("written", [0, -1, 1.5, None])
def test_a_format_that_never_was_is_refused(path, written):
    change_schema(path, lambda schema: schema["content"]["format"].update({"content": json.dumps(written)}))
    with pytest.raises(LoadError, match="which there never was"):
        skgen.load(path)


def test_an_endless_table_of_contents_is_not_read(path, monkeypatch):
    monkeypatch.setattr(skgen.persistence, "LONGEST_SCHEMA", 10)
    with pytest.raises(LoadError, match="longer than that of any model"):
        skgen.load(path)
