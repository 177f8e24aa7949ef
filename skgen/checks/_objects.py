"""Laws of the object: scores, copies, containers, errors, silence."""

import contextlib
import copy
import io
import os
import pickle
import tempfile
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skgen.checks._running import NotApplicable, demand, draw, fitted, fresh_rows, n_rows, rows, seeded
from skgen.checks._view import discrete_columns
from skgen.persistence import load, save


def score_is_the_mean_of_score_samples(estimator, X, rng):
    """score(X) is the mean of score_samples(X), with weights the weighted mean; rows of weight 0 do not count."""
    model = fitted(estimator, X, rng)
    each = model.score_samples(X)
    demand(np.isclose(model.score(X), each.mean(), rtol=1e-12), f"score is {model.score(X)}, the mean {each.mean()}")
    weight = rng.random(n_rows(X)) + 0.1
    weight[0] = 0
    expected = weight @ each / weight.sum()
    given = model.score(X, sample_weight=weight)
    demand(np.isclose(given, expected, rtol=1e-12), f"the weighted score is {given}, the weighted mean {expected}")
    demand(isinstance(model.score(X), float), "score is no float")


def copies_score_alike(estimator, X, rng):
    """Pickle, joblib, deepcopy, save and load keep the scores and the draws to the bit; clone keeps the parameters."""
    model = fitted(estimator, X, rng)
    expected, drawn = model.score_samples(X), _listed(draw(model, 5, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        joblib.dump(model, path)
        copies = {
            "pickle": pickle.loads(pickle.dumps(model)),
            "deepcopy": copy.deepcopy(model),
            "joblib": joblib.load(path),
        }
        save(model, path)
        copies["save and load"] = load(path, trusted=_strangers(model))
    for how, other in copies.items():
        demand(np.array_equal(other.score_samples(X), expected), f"{how} changed the scores")
        demand(_listed(draw(other, 5, 0)) == drawn, f"{how} changed the draws")
    again = clone(model)
    demand(
        repr(again.get_params()) == repr(clone(estimator).set_params(**_seed_of(model)).get_params()),
        "a clone lost a parameter",
    )


def _strangers(model):
    """The names that a load has to be told to trust: classes that are not ours."""
    parts = [model, *(v for v in vars(model).values() if hasattr(v, "get_params"))]
    return sorted({f"{type(part).__module__}.{type(part).__name__}" for part in parts})


def _seed_of(model):
    params = model.get_params(deep=False)
    return {"random_state": params["random_state"]} if "random_state" in params else {}


def _listed(X):
    return [x.tolist() for x in X] if isinstance(X, list) else np.asarray(X).tolist()


def you_get_back_what_you_gave(estimator, X, rng):
    """`sample` has the container, columns, order and dtypes of the rows that fit was given."""
    model = fitted(estimator, X, rng)
    drawn = fresh_rows(model, 7, rng)
    if isinstance(X, list):
        demand(isinstance(drawn, list), f"fitted on a list of sequences, sample gives {type(drawn).__name__}")
        return
    demand(type(drawn) is type(X), f"fitted on {type(X).__name__}, sample gives {type(drawn).__name__}")
    if not isinstance(X, np.ndarray):
        demand(list(drawn.columns) == list(X.columns), "the columns differ")
        _assert_dtypes(list(X.dtypes), list(drawn.dtypes), discrete_columns(model))
        return
    _assert_array_dtypes(estimator, X, drawn, rng)
    pandas = _import_or_none("pandas")
    if pandas is not None:
        frame = pandas.DataFrame(X, columns=[f"column {j}" for j in range(X.shape[1])])
        framed = fitted(estimator, frame, rng)
        drawn = fresh_rows(framed, 7, rng)
        demand(type(drawn) is type(frame), f"fitted on a DataFrame, sample gives {type(drawn).__name__}")
        demand(list(drawn.columns) == list(frame.columns), "the columns differ")
        _assert_dtypes(list(frame.dtypes), list(drawn.dtypes), discrete_columns(framed))


def _assert_array_dtypes(estimator, X, drawn, rng):
    for dtype in (X.dtype, np.float32):
        if np.dtype(dtype).kind not in "fiub":
            return
        model = fitted(estimator, X.astype(dtype), rng)
        got = fresh_rows(model, 7, rng).dtype
        whole = discrete_columns(model).all()
        wanted = np.dtype(dtype) if whole or np.dtype(dtype) == np.float32 else np.dtype(np.float64)
        demand(got == wanted, f"fitted on {np.dtype(dtype)}, sample gives {got}")


def _assert_dtypes(given, drawn, discrete):
    for j, (before, after) in enumerate(zip(given, drawn, strict=True)):
        if discrete[j] or "float" in str(before).lower():
            demand(before == after, f"column {j} was {before} and comes back {after}")
        else:
            demand("float64" in str(after).lower(), f"continuous column {j} comes back {after}")


def _import_or_none(name):
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def float32_is_read_as_it_is(estimator, X, rng):
    """Rows in float32 score as the same numbers in float64, to 1e-5."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        raise NotApplicable("no floating-point array")
    single = X.astype(np.float32)
    if any(len(np.unique(x)) < len(np.unique(y)) for x, y in zip(single.T, X.T, strict=True)):
        raise NotApplicable("float32 cannot hold the data")
    seed = rng.integers(2**31)
    first, second = (fitted(estimator, Y, np.random.default_rng(seed)) for Y in (single, single.astype(np.float64)))
    one, other = first.score_samples(single), second.score_samples(single.astype(np.float64))
    demand(np.allclose(one, other, rtol=1e-5, atol=1e-5), f"float32 rows score {np.abs(one - other).max():.2g} off")


def bad_input_is_refused(estimator, X, rng):
    """NaN, infinity, wrong shapes, bad weights and an unfitted model are refused in a sentence."""
    with contextlib.suppress(NotFittedError):
        seeded(estimator, rng).score_samples(X)
        raise AssertionError("an unfitted model scores")
    model = fitted(estimator, X, rng)
    if isinstance(X, np.ndarray):
        wrong = {"one dimension": X[:, 0], "no rows": X[:0], "another number of columns": np.hstack([X, X])}
        if X.dtype.kind == "f":
            wrong |= {"NaN": _with(X, np.nan)}
            wrong |= {} if getattr(model, "_infinite", False) else {"infinity": _with(X, np.inf)}
        for what, Y in wrong.items():
            for method in ("fit", "score_samples"):
                if method == "fit" and what == "another number of columns":
                    continue
                _assert_refuses(getattr(clone(model) if method == "fit" else model, method), Y, what)
    n = n_rows(X)
    bad = {"negative": -np.ones(n), "too few": np.ones(n + 1), "NaN": np.full(n, np.nan), "all zero": np.zeros(n)}
    for what, weight in bad.items():
        _assert_refuses(lambda Y, w=weight: clone(model).fit(Y, sample_weight=w), X, f"weights: {what}")


def _with(X, value):
    X = X.copy()
    X[0, 0] = value
    return X


def _assert_refuses(call, X, what):
    try:
        call(X)
    except (ValueError, TypeError) as error:
        demand(len(str(error)) > 20, f"{what}: the error says no more than {error}")
        return
    raise AssertionError(f"{what} is accepted")


def it_is_quiet(estimator, X, rng):
    """Fit, score and sample warn of nothing, print nothing and write no file."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("error")
            model = fitted(estimator, X, rng)
            model.score(X)
            model.score_samples(rows(X, [0]))
            draw(model, 3, 0)
        demand(not os.listdir(folder), f"wrote {os.listdir(folder)}")
    demand(not said.getvalue(), f"said {said.getvalue()!r}")
