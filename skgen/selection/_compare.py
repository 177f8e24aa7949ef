"""The comparison: every candidate on every fold, and on all rows."""

import inspect
import numbers
import re
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from skgen import supports
from skgen.base import DensityEstimator
from skgen.foreign import as_density
from skgen.random import as_generator
from skgen.selection._comparison import Comparison, Row
from skgen.selection._folds import gather, make_folds
from skgen.selection._measure import fix_measure, mismatch, spans_turns
from skgen.sequences import SequenceDensityEstimator

GRIDS = {  # what `default_candidates` searches; a model that is not here competes with its defaults
    "Gaussian": {"covariance": ["full", "diag", "spherical", LedoitWolf()]},
    "HistogramDensity": {"kind": ["histogram", "frequency_polygon"], "prior": ["uniform", "independent"]},
    "KernelDensity": {"bandwidth": ["silverman", "plug_in"], "bandwidth_structure": ["diag", "full"]},
    "NearestNeighborsDensity": {"normalize": ["sample_point"], "n_neighbors": ["sqrt", "cv"]},
}
ON_REQUEST = {
    "KernelDensityCV",  # a KernelDensity, whose sums over all pairs of rows take long for many
    "ScipyDensity",  # at its defaults it is Normal, and its choice among all families takes long
}
INNER_FOLDS = 3
CONTINUOUS = (supports.real, supports.positive, supports.nonnegative, supports.unit, supports.open_unit)
GROUPS = ("exact", "bound", "estimate")  # kinds of likelihood, each ranked apart
N_DRAWN = 1000  # rows for the sampling time


def default_candidates(*, networks=False):
    """The models that `compare` tries, by name: all that there are, with a search where `GRIDS` has one.

    Parameters
    ----------
    networks : bool
        Whether those that train a network are among them.

    Returns
    -------
    dict
        Unfitted estimators by name. Models of sequences, and those that must be given parts, are not there.

    Examples
    --------
    >>> from skgen.selection import default_candidates
    >>> default_candidates()["StudentT"]
    StudentT()
    """
    from skgen.checks import all_estimators

    candidates = {}
    for name, cls in all_estimators():
        parameters = list(inspect.signature(cls).parameters.values())
        needs_parts = any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)
        is_unwanted = getattr(cls, "_is_network", False) and not networks
        if needs_parts or is_unwanted or name in ON_REQUEST or issubclass(cls, SequenceDensityEstimator):
            continue
        folds = KFold(INNER_FOLDS, shuffle=True, random_state=0)
        candidates[name] = GridSearchCV(cls(), GRIDS[name], cv=folds) if name in GRIDS else cls()
    return candidates


def compare(X, estimators=None, *, cv=5, measure=None, n_jobs=None, random_state=0, verbose=0, progress=None):
    """Held-out likelihood of many models on one table, best first.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        The rows. Where the columns are of several kinds, a data frame keeps them apart.
    estimators : dict, list of density estimators or one of them, optional
        The candidates, by name. None takes `default_candidates`. A search (`GridSearchCV`) chooses anew on each
        training part, so that its held-out score is honest.
    cv : int, cross-validation splitter or iterable, default=5
        Whose folds partition the rows; a number means shuffled folds. All candidates see the same ones.
    measure : dict, optional
        "counting" or "lebesgue" for columns by name or number. By default whole numbers are counted if they have at
        most 20 distinct values, none of them negative; labels and constant columns are counted; the rest has a
        density.
    n_jobs : int, optional
        Fits at a time.
    random_state : int, RandomState, Generator or None, default=0
        For the folds, and for candidates whose own `random_state` is None.
    verbose : int, default=0
        1 prints a line for each fit.
    progress : callable, optional
        Called as progress(n_done, n_fits, name) after each fit.

    Returns
    -------
    comparison : Comparison
        Which prints as a table.

    Raises
    ------
    TypeError
        If a candidate is no density estimator.
    ValueError
        If X is no table without missing values, or cv or measure do not suit it. A candidate that cannot be fitted
        is no error: it stands at the end of the table with the reason.

    Notes
    -----
    Log-densities compare under one reference measure only, which is fixed for each column beforehand: whole numbers
    that have a density are made floating point, and a model that counts where others have a density is not ranked.
    An array with columns of both kinds becomes one of objects, as do the rows that `best_` draws; a frame keeps them.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Gaussian, StudentT, compare
    >>> X = np.random.default_rng(0).standard_t(df=2, size=(500, 2))
    >>> comparison = compare(X, [Gaussian(), StudentT()])
    >>> [row.model for row in comparison]
    ['StudentT', 'Gaussian']
    >>> type(comparison.best_).__name__
    'StudentT'
    """
    X, columns, counting, notes = fix_measure(X, measure)
    rng = as_generator(random_state)
    seed = random_state if isinstance(random_state, numbers.Integral) else int(rng.integers(2**31))
    folds = make_folds(cv, X, seed=seed)
    candidates = {name: _seeded(estimator, seed) for name, estimator in _named(estimators).items()}
    jobs = [(name, fold) for name in candidates for fold in [*folds, None]]
    work = (delayed(_attempt)(candidates[name], X, fold, columns, counting) for name, fold in jobs)
    progress = progress or (_print_progress if verbose else lambda *_: None)
    trials = {name: [] for name in candidates}
    results = Parallel(n_jobs=n_jobs, return_as="generator")(work)
    for n_done, ((name, _), trial) in enumerate(zip(jobs, results, strict=True), 1):
        trials[name].append(trial)
        progress(n_done, len(jobs), name)
    rows = [_summary(name, trials[name], folds, len(X)) for name in candidates]
    return Comparison(_ranked(rows), notes + _notes_on_fits(trials, rows))


def _print_progress(n_done, n_fits, name):
    print(f"{n_done}/{n_fits} {name}", flush=True)


def _named(estimators):
    """Candidates by name; those of one class are told apart by their parameters."""
    if estimators is None:
        return default_candidates()
    if not isinstance(estimators, dict):
        given = list(estimators) if isinstance(estimators, list | tuple) else [estimators]
        inner = [e.estimator if isinstance(e, BaseSearchCV) else e for e in given]
        names = [type(e).__name__ for e in inner]
        names = [" ".join(repr(e).split()) if names.count(n) > 1 else n for n, e in zip(names, inner, strict=True)]
        names = [f"{n} ({names[:i].count(n) + 1})" if n in names[:i] else n for i, n in enumerate(names)]
        estimators = dict(zip(names, given, strict=True))
    if not estimators:
        raise ValueError("compare wants at least one candidate, got none.")
    for estimator in estimators.values():
        as_density(estimator.estimator if isinstance(estimator, BaseSearchCV) else estimator)
    return {str(name): estimator for name, estimator in estimators.items()}


def _seeded(estimator, seed):
    """A clone in which every `random_state` that was None is the seed."""
    estimator = clone(estimator)
    parameters = estimator.get_params(deep=True)
    unset = [k for k, v in parameters.items() if v is None and re.fullmatch(r"(.*__)?random_state", k)]
    return estimator.set_params(**dict.fromkeys(unset, seed))


@dataclass
class Trial:
    """One fit of one candidate: on the training rows of a fold, or on all rows."""

    scores: np.ndarray | None = None  # of the rows held out
    model: object = None  # of all rows
    parameters: dict = field(default_factory=dict)
    fit_time: float = np.nan
    sample_time: float = np.nan
    n_unconverged: int = 0
    reason: str = ""


def _attempt(estimator, X, fold, columns, counting):
    """A trial that never fails: what went wrong is its reason."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            trial = _trial(estimator, X, fold, columns, counting)
        except Exception as error:  # one row of the table, and not the end of the others
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            trial = Trial(reason=kind + _first_sentence(str(error)))
    trial.n_unconverged = sum(issubclass(w.category, ConvergenceWarning) for w in caught)
    return trial


def _first_sentence(text):
    return re.split(r"(?<=[^.]\.)\s|\n", text.strip())[0]


def _trial(estimator, X, fold, columns, counting):
    inner = estimator.estimator if isinstance(estimator, BaseSearchCV) else estimator
    if isinstance(inner, Pipeline):
        return Trial(reason="A Pipeline scores transformed rows and forgets the Jacobian, so it compares with nothing.")
    counts = any(is_counted and kind == "integer" for is_counted, kind in zip(counting, columns.kinds, strict=True))
    declared = [getattr(type(inner), name, None) for name in ("support", "_support")]
    if counts and any(support in CONTINUOUS for support in declared) and "category" not in columns.kinds:
        return Trial(reason=mismatch(inner, columns, counting))  # known before a fit that may be long
    model, parameters, fit_time = _fit(estimator, X if fold is None else _safe_indexing(X, fold[0]))
    reason = mismatch(model, columns, counting) or spans_turns(model, X)
    if fold is None:
        return Trial(None, model, parameters, fit_time, _sampling_time(model), reason=reason)
    scores = model.score_samples(_safe_indexing(X, fold[1]))
    if not (scores < np.inf).all():
        reason = "its log-density of some held-out rows is infinite or not a number."
    return Trial(scores, reason=reason)


def _fit(estimator, X):
    """The fitted density, the parameters that a search chose, and the seconds of the one fit with them."""
    if isinstance(estimator, BaseSearchCV):
        try:
            search = clone(estimator).fit(X)
        except ValueError:
            as_density(clone(estimator.estimator)).fit(X)  # its own reason says more than "all the fits failed"
            raise
        found = search.best_estimator_
        if isinstance(found, DensityEstimator):
            return found, search.best_params_, search.refit_time_
        return _fit(found, X)[0], search.best_params_, search.refit_time_
    model = as_density(clone(estimator))
    start = time.perf_counter()
    model.fit(X)
    return model, {}, time.perf_counter() - start


def _sampling_time(model):
    """Seconds for a thousand rows; NaN for a density that cannot be drawn from."""
    if not getattr(model, "_has_draws", lambda: True)():
        return np.nan
    start = time.perf_counter()
    try:
        model.sample(N_DRAWN, random_state=0)
    except (AttributeError, NotImplementedError):
        return np.nan
    return time.perf_counter() - start


def _summary(name, trials, folds, n_samples):
    *held_out, whole = trials
    likelihood = getattr(whole.model, "likelihood", "")
    row = Row(
        name,
        likelihood=likelihood,
        parameters=whole.parameters,
        fit_time=whole.fit_time,
        sample_time=whole.sample_time,
        estimator=whole.model,
    )
    row.reason = whole.reason or next((f"On a training part: {t.reason}" for t in held_out if t.reason), "")
    if not row.reason and likelihood not in GROUPS:
        row.reason = f"Its likelihood is {likelihood}: its mass is not one."
    if row.reason:
        return row
    row.scores = gather([trial.scores for trial in held_out], folds, n_samples)
    row.log_likelihood = float(row.scores.mean())
    n_impossible = int(np.isneginf(row.scores).sum())
    if n_impossible:
        row.reason = f"{n_impossible} of {n_samples} held-out rows have density 0."
    else:
        row.log_likelihood_se = _error_over_folds([trial.scores for trial in held_out])
    return row


def _error_over_folds(parts):
    """Standard error of the mean of all rows from the spread of the folds' means, each weighted by its rows."""
    if len(parts) < 2:
        return np.nan
    share = np.array([len(part) for part in parts]) / sum(map(len, parts))
    means = np.array([part.mean() for part in parts])
    return float(np.sqrt(share @ (means - share @ means) ** 2 / (len(parts) - 1)))


def _ranked(rows):
    """The rows best first within each kind of likelihood, with differences; the others at the end, as they came."""
    ranked = []
    for group in GROUPS:
        rivals = [row for row in rows if row.is_ranked and row.likelihood == group]
        rivals.sort(key=lambda row: (-row.log_likelihood, np.isneginf(row.scores).sum()))
        for row in rivals:
            row.difference, row.difference_se = paired_difference(row.scores, rivals[0].scores)
        ranked += rivals
    return ranked + [row for row in rows if not row.is_ranked]


def paired_difference(scores, best):
    """Mean difference of two models' log-densities of the same rows, and its standard error.

    Parameters
    ----------
    scores, best : ndarray of shape (n_samples,)
        Held-out log-densities.

    Returns
    -------
    difference : float
        In nats per row; NaN where both are -inf on average.
    standard_error : float
        NaN where a row is at -inf.
    """
    with np.errstate(invalid="ignore"):
        difference = float(scores.mean() - best.mean())
        differences = scores - best
        spread = differences.std(ddof=1) if np.isfinite(differences).all() else np.nan
    return difference, float(spread / np.sqrt(len(scores)))


def _notes_on_fits(trials, rows):
    notes = []
    for name, of_name in trials.items():
        n_unconverged = sum(trial.n_unconverged > 0 for trial in of_name)
        if n_unconverged:
            notes.append(f"{name} did not converge in {n_unconverged} of {len(of_name)} fits.")
    if any(row.is_ranked and row.likelihood != "exact" for row in rows):
        notes.append("A bound lies below the likelihood and an estimate on either side: each kind is ranked apart.")
    return notes
