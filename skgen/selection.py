r"""Which density fits these rows best: held-out likelihoods, row by row and model by model.

Each row is scored by a model that was fitted without its fold :math:`k(i)`; the mean of those scores estimates what a
new row will score, and two models are compared by the differences row by row, in which what the rows share cancels:

.. math:: \hat\ell_m = \frac1n \sum_{i=1}^n \log p_m^{-k(i)}(x_i), \qquad
    d_i = \log p_m^{-k(i)}(x_i) - \log p_{m^*}^{-k(i)}(x_i), \qquad
    \operatorname{se}(\bar d) = \frac{\operatorname{sd}(d)}{\sqrt n}

Smyth, "Model selection for probabilistic clustering using cross-validated likelihood", 2000; Vehtari, Gelman and
Gabry, "Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC", 2017, section 5.
"""

import html
import inspect
import numbers
import re
import time
import warnings
from dataclasses import dataclass, field, fields

import numpy as np
from sklearn.base import clone
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from skgen.base import DensityEstimator, check_weights
from skgen.foreign import as_density
from skgen.random import as_generator
from skgen.sequences import SequenceDensityEstimator
from skgen.tables import fix_measure, mismatch

GRIDS = {  # what `default_candidates` searches; a model that is not here competes with its defaults
    "Gaussian": {"covariance": ["full", "diag", "spherical", LedoitWolf()]},
}
INNER_FOLDS = 3
GROUPS = ("exact", "bound", "estimate")  # kinds of likelihood, each ranked apart
N_DRAWN = 1000  # rows for the sampling time


def cross_val_score_samples(estimator, X, y=None, *, cv=5, sample_weight=None, n_jobs=None):
    """Held-out log-density of each row, under the model fitted to the other folds.

    Parameters
    ----------
    estimator : density estimator
        Ours, scikit-learn's, a search over one, or a Pipeline that ends in one.
    X : array-like or data frame of shape (n_samples, n_features), or list of sequences
        The rows.
    y : array-like of shape (n_samples,), optional
        The condition of a model with `conditional=True`; passed to `fit` otherwise.
    cv : int, cross-validation splitter or iterable, default=5
        Whose folds partition the rows. A number means that many shuffled folds, the same at every call.
    sample_weight : array-like of shape (n_samples,), optional
        Frequencies for `fit`.
    n_jobs : int, optional
        Folds at a time.

    Returns
    -------
    log_density : ndarray of shape (n_samples,)
        In nats, in the units of X.

    Raises
    ------
    ValueError
        If the folds do not hold each row out exactly once, or if the model cannot be fitted.

    Notes
    -----
    scikit-learn's `cross_val_predict` refuses densities. Its `Pipeline` scores the rows that its last step sees,
    without the Jacobian of the steps before: those numbers compare within one preprocessing only.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Normal, cross_val_score_samples
    >>> X = np.random.default_rng(0).standard_normal((200, 1))
    >>> cross_val_score_samples(Normal(), X).mean().round(1)
    np.float64(-1.4)
    """
    if not isinstance(estimator, BaseSearchCV | Pipeline):
        estimator = as_density(estimator)
    n_samples = _num_samples(X)
    if sample_weight is not None:
        sample_weight = check_weights(sample_weight, n_samples)
    folds = _folds(cv, X, y)
    parts = Parallel(n_jobs=n_jobs)(delayed(_held_out)(estimator, X, y, sample_weight, *fold) for fold in folds)
    return _gather(parts, folds, n_samples)


def _held_out(estimator, X, y, sample_weight, train, test):
    weights = {} if sample_weight is None else {"sample_weight": sample_weight[train]}
    model = clone(estimator).fit(_safe_indexing(X, train), None if y is None else _safe_indexing(y, train), **weights)
    model = getattr(model, "best_estimator_", model)
    takes_condition = y is not None and isinstance(model, DensityEstimator)
    condition = [_safe_indexing(y, test)] if takes_condition else []
    return model.score_samples(_safe_indexing(X, test), *condition)


def _gather(parts, folds, n_samples):
    """The scores of all folds in the order of the rows."""
    log_density = np.empty(n_samples)
    for part, (_, test) in zip(parts, folds, strict=True):
        log_density[test] = part
    return log_density


def _folds(cv, X, y=None, seed=0):
    """Pairs of training and test rows; each row is tested once."""
    n_samples = _num_samples(X)
    if cv is None or isinstance(cv, numbers.Integral):
        cv = 5 if cv is None else int(cv)
        if not 2 <= cv <= n_samples:
            raise ValueError(
                f"cv={cv} folds of {n_samples} row(s) are not possible: give at least 2, and at most one for each row."
            )
        cv = KFold(cv, shuffle=True, random_state=seed)
    folds = list(check_cv(cv, y).split(X, y))
    times = np.zeros(n_samples, dtype=int)
    for _, test in folds:
        times[test] += 1
    if (times != 1).any():
        i = int(np.argmax(times != 1))
        raise ValueError(
            f"The folds of cv must hold each row out exactly once, as those of KFold do, but row {i} is held out "
            f"{times[i]} times."
        )
    return folds


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
        if needs_parts or is_unwanted or issubclass(cls, SequenceDensityEstimator):
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
    folds = _folds(cv, X, seed=seed)
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
    model, parameters, fit_time = _fit(estimator, X if fold is None else _safe_indexing(X, fold[0]))
    reason = mismatch(model, columns, counting)
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
    start = time.perf_counter()
    try:
        model.sample(N_DRAWN, random_state=0)
    except (AttributeError, NotImplementedError):
        return np.nan
    return time.perf_counter() - start


@dataclass
class Row:
    """One candidate of a comparison.

    Attributes
    ----------
    model : str
        Its name.
    log_likelihood : float
        Mean held-out log-density of a row, in nats; NaN where the candidate is not ranked.
    log_likelihood_se : float
        Its standard error over the folds.
    difference : float
        The mean difference to the best candidate of the same kind of likelihood.
    difference_se : float
        Its standard error over the rows, pair by pair.
    likelihood : str
        "exact", "bound" or "estimate".
    parameters : dict
        What a search chose on all rows.
    fit_time : float
        Seconds of one fit on all rows.
    sample_time : float
        Seconds to draw 1000 rows.
    reason : str
        Why it is not ranked, or how many rows it calls impossible.
    estimator : DensityEstimator
        Fitted to all rows.
    scores : ndarray of shape (n_samples,)
        Held-out log-density of each row.
    """

    model: str
    log_likelihood: float = np.nan
    log_likelihood_se: float = np.nan
    difference: float = np.nan
    difference_se: float = np.nan
    likelihood: str = ""
    parameters: dict = field(default_factory=dict)
    fit_time: float = np.nan
    sample_time: float = np.nan
    reason: str = ""
    estimator: object = field(default=None, repr=False)
    scores: np.ndarray | None = field(default=None, repr=False)

    @property
    def is_ranked(self):
        """Whether it has a place among its rivals."""
        return not np.isnan(self.log_likelihood)


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
    row.scores = _gather([trial.scores for trial in held_out], folds, n_samples)
    row.log_likelihood = float(row.scores.mean())
    n_impossible = int(np.isneginf(row.scores).sum())
    if n_impossible:
        row.reason = f"{n_impossible} of {n_samples} held-out rows have density 0."
    else:
        means = [trial.scores.mean() for trial in held_out]
        row.log_likelihood_se = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else np.nan
    return row


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


class Comparison:
    """What `compare` found: a table, best first.

    Parameters
    ----------
    rows : list of Row
        In the order of the table.
    notes : list of str
        Sentences on how the columns were compared, and on what went not quite well.

    Examples
    --------
    >>> from skgen import Normal, Poisson, compare
    >>> comparison = compare([[0.5], [1.5], [2.0], [3.5], [4.0]], [Normal(), Poisson()])
    >>> [(row.model, row.is_ranked) for row in comparison]
    [('Normal', True), ('Poisson', False)]
    >>> comparison.rows[1].reason
    'Poisson wants whole numbers, 0 or more, but X[0, 0] = 0.5.'
    """

    columns = tuple(f.name for f in fields(Row) if f.repr)

    def __init__(self, rows, notes=()):
        self.rows = list(rows)
        self.notes = list(notes)

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    @property
    def best_(self):
        """The best candidate, fitted to all rows: DensityEstimator."""
        if not self.rows[0].is_ranked:
            raise ValueError("No candidate could be ranked, so there is no best one: the table says why.")
        return self.rows[0].estimator

    def to_dict(self):
        """The table by columns, with the parameters as text.

        Returns
        -------
        dict of list
        """
        table = {name: [getattr(row, name) for row in self.rows] for name in self.columns}
        return {**table, "parameters": [_parameters(row) for row in self.rows]}

    def to_pandas(self):
        """The table as a pandas frame.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(self.to_dict())

    def to_polars(self):
        """The table as a polars frame.

        Returns
        -------
        polars.DataFrame
        """
        import polars as pl

        return pl.DataFrame(self.to_dict())

    def _ranked_cells(self):
        return [_cells(row) for row in self.rows if row.is_ranked]

    def _remarks(self):
        return [
            row.reason if row.reason.startswith(f"{row.model} ") else f"{row.model}: {row.reason}"
            for row in self.rows
            if row.reason
        ]

    def __str__(self):
        lines = [HEADINGS, *self._ranked_cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        blocks = ["\n".join(_aligned(line, widths) for line in lines)]
        if self._remarks():
            blocks.append("\n".join(self._remarks()))
        if self.notes:
            blocks.append("\n".join(self.notes))
        return "\n\n".join(blocks)

    __repr__ = __str__

    def _repr_html_(self):
        table = _html_row(HEADINGS, "th") + "".join(_html_row(cells, "td") for cells in self._ranked_cells())
        below = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self._remarks() + self.notes)
        return f"<table>{table}</table>{below}"


HEADINGS = ("model", "log-likelihood", "s.e.", "difference", "s.e.", "likelihood", "fit s", "sample s", "parameters")
WORDS = {"model", "likelihood", "parameters"}  # words stand on the left, numbers on the right


def _cells(row):
    numbers_ = (row.log_likelihood, row.log_likelihood_se, row.difference, row.difference_se)
    times = (row.fit_time, row.sample_time)
    return (
        row.model,
        *("" if np.isnan(v) else f"{v:z.4f}" for v in numbers_),
        row.likelihood,
        *("" if np.isnan(v) else f"{v:.4f}" for v in times),
        _parameters(row),
    )


def _parameters(row):
    return ", ".join(f"{name}={' '.join(str(value).split())}" for name, value in row.parameters.items())


def _aligned(cells, widths):
    padded = (
        cell.ljust(width) if heading in WORDS else cell.rjust(width)
        for heading, cell, width in zip(HEADINGS, cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def _html_row(cells, tag):
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
