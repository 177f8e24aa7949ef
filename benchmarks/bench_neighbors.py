"""NearestNeighborsDensity beside the query that it asks of scikit-learn, and how good classical densities are.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bench_neighbors.py --write

Both sides of a time search the same rows with the same tree in the same run, in turns. Every model of the second table
chooses its options on its training rows (the box of the balloon is known beforehand); held-out rows are scored once.
"""

import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import NearestNeighbors

sys.path.insert(0, str(Path(__file__).parent))
import _report

from skgen import datasets
from skgen.foreign import ForeignDensity
from skgen.nonparametric import HistogramDensity, KernelDensityCV, NearestNeighborsDensity

RESULT = _report.RESULTS / "neighbors.rst"
MOST = 0.1  # of the query's time, that ours may take beyond it


# The time of a query


class Case(NamedTuple):
    """A task: rows, features, queries, neighbours, and the share of rows that repeat others."""

    n: int
    d: int
    m: int
    k: int
    repeats: float = 0.0


CASES = [
    Case(100_000, 1, 100_000, 10),
    Case(100_000, 2, 100_000, 10),
    Case(1_000_000, 2, 10_000, 1000),
    Case(100_000, 5, 20_000, 316),
    Case(20_000, 20, 2000, 141),
    Case(100_000, 2, 100_000, 10, repeats=0.5),
]
QUICK_CASES = [Case(2000, 1, 500, 10), Case(2000, 3, 500, 45), Case(2000, 2, 500, 5, repeats=0.5)]
TURNS = 7


def measure(case, rng):
    """The seconds of fit and query on both sides, and the largest difference of the log-densities."""
    X = rng.standard_normal((case.n, case.d))
    n_copies = int(case.repeats * case.n)
    X[: n_copies // 2] = X[case.n - n_copies // 2 :]
    Q = rng.standard_normal((case.m, case.d))
    seconds = {"fit": [], "fit of theirs": [], "score": [], "query": []}

    def timed(name, call):
        start = time.perf_counter()
        result = call()
        seconds[name].append(time.perf_counter() - start)
        return result

    for _ in range(TURNS):
        theirs = timed("fit of theirs", lambda: NearestNeighbors(n_neighbors=case.k).fit(X))
        ours = timed("fit", lambda: NearestNeighborsDensity(case.k).fit(X))
        distance = timed("query", lambda theirs=theirs: theirs.kneighbors(Q))[0][:, -1]
        log_density = timed("score", lambda ours=ours: ours.score_samples(Q))
    volume = ours._neighbors_.balls.log_volume(distance)
    expected = np.log(case.k) - np.log(case.n) - volume
    least = {name: float(min(found)) for name, found in seconds.items()}
    return (
        case._asdict()
        | least
        | {
            "fit ratio": least["fit"] / least["fit of theirs"],
            "overhead": least["score"] / least["query"] - 1,
            "difference": float(np.abs(log_density - expected).max()),
        }
    )


TIMES = {
    "n": "n",
    "d": "d",
    "m": "queries",
    "k": "k",
    "repeats": "repeated",
    "fit of theirs": "their fit, s",
    "fit ratio": "ours/theirs",
    "query": "their query, s",
    "score": "our score, s",
    "overhead": "overhead",
    "difference": "largest difference",
}
TIMES_NOTE = f"""\
Standard normal rows, n of them with d features, of which a share repeats others; other ones are the queries. Theirs is
``NearestNeighbors(k)`` and its ``kneighbors``; ours is ``NearestNeighborsDensity(k)`` and its ``score_samples``, which
reads the table, searches the distinct rows and takes logarithms. Seconds on the clock, the least of {TURNS} in turns,
one thread. "overhead" is the time beyond their query as a share of it (a star: more than {MOST:.0%}); "largest
difference" is that of our log-densities to those that follow from their distances."""


# Held-out likelihood


class Task(NamedTuple):
    """Training rows, held-out rows, the box that is known beforehand, and the log-density of the truth, if known."""

    name: str
    folds: list
    box: list
    truth: object = None


PLANE = {
    "banana": datasets.make_banana,
    "checkerboard": datasets.make_checkerboard,
    "eight Gaussians": datasets.make_eight_gaussians,
    "grid": datasets.make_grid,
    "pinwheel": datasets.make_pinwheel,
    "rings": datasets.make_rings,
    "two moons": datasets.make_two_moons,
    "two spirals": datasets.make_two_spirals,
}
LINE = {f"{density.number} {density.name}": density for density in datasets.BENCHMARK_DENSITIES}
REAL = {
    "faithful": (datasets.load_faithful, [(0, 10), (0, 150)]),
    "galaxies": (datasets.load_galaxies, [(0, 50_000)]),
}
QUICK_TASKS = ("two moons", "11 normal", "galaxies")
N_TRAIN, N_TEST, N_BOX = 1000, 10_000, 100_000
MARGIN = 0.1
KS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
SPLITS = KFold(5, shuffle=True, random_state=0)


def tasks(rng, names=None):
    """The toys, with new draws, and the data that ship, in ten folds."""
    for name, toy in (PLANE | LINE).items():
        if names is None or name in names:
            seeds = rng.integers(2**31, size=3)
            sizes = N_TRAIN, N_TEST, N_BOX
            train, test, wide = (toy.sample(n, random_state=s) for n, s in zip(sizes, seeds, strict=True))
            low, high = wide.min(axis=0), wide.max(axis=0)
            box = np.column_stack([low - MARGIN * (high - low), high + MARGIN * (high - low)])
            yield Task(name, [(train, test)], box.tolist(), toy)
    for name, (load, box) in REAL.items():
        if names is None or name in names:
            X = np.asarray(load().data, dtype=float)
            folds = KFold(10, shuffle=True, random_state=0).split(X)
            yield Task(name, [(X[train], X[test]) for train, test in folds], box)


def histogram(task):
    """The bins by rule or number, and how they are smoothed."""
    grid = {"bins": ["auto", "cv", "knuth", "quantile", 5, 10, 20, 40, 80], "kind": ["histogram", "averaged_shifted"]}
    return GridSearchCV(HistogramDensity(), grid, cv=SPLITS)


def mixture_of_rows(task):
    """The proper mixture around the rows."""
    n_fewest = 0.7 * min(len(train) for train, _ in task.folds)
    grid = {"n_neighbors": [k for k in KS if k < n_fewest]}
    return GridSearchCV(NearestNeighborsDensity(normalize="sample_point"), grid, cv=SPLITS)


def balloon(task):
    """The estimate on the box."""
    return NearestNeighborsDensity("cv", normalize="balloon", bounds=dict(enumerate(task.box)))


def kernels(task):
    """One bandwidth for all rows."""
    return KernelDensityCV(cv=SPLITS)


def mixture(task):
    """scikit-learn's mixture, with a number of components that is chosen."""
    grid = {"estimator__n_components": [1, 2, 3, 4, 6, 8, 12, 16, 25, 32]}
    return GridSearchCV(ForeignDensity(GaussianMixture(random_state=0)), grid, cv=SPLITS)


MODELS = {
    "HistogramDensity": histogram,
    "NearestNeighborsDensity, sample_point": mixture_of_rows,
    "NearestNeighborsDensity, balloon": balloon,
    "KernelDensityCV": kernels,
    "GaussianMixture": mixture,
}


def judge(task):
    """The mean held-out log-density under each model, and its standard error under the best."""
    row, scores = {"task": task.name, "d": len(task.box)}, {}
    for name, make in MODELS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # of a mixture with too many components
            scores[name] = np.concatenate([make(task).fit(train).score_samples(test) for train, test in task.folds])
        row[name] = float(scores[name].mean())
    best = max(MODELS, key=row.get)
    row |= {"best": best, "error": float(scores[best].std() / np.sqrt(len(scores[best])))}
    if task.truth is not None:
        row["truth"] = float(task.truth.score_samples(task.folds[0][1]).mean())
    return row


QUALITY = {"task": "rows", "d": "d", "truth": "truth", **{name: name for name in MODELS}, "error": "error"}
QUALITY_NOTE = f"""\
Mean log-density of held-out rows, in nats; the best model has a star. Toys: {N_TRAIN:,} rows to learn from, {N_TEST:,}
others to be judged by; "truth" is the density that they were drawn from; numbered ones are Berlinet and Devroye's. Data
that ship: ten folds (the counts of earthquakes have no density, and are left out). "error" is the standard error of the
best model's mean. Options are chosen on the training rows, by five folds: bins of the histogram (rules and numbers) and
whether it is averaged; k of "sample_point"; the bandwidth; the number of components. The balloon's k is chosen by rows
that leave themselves out. Its box is known beforehand, to it alone: what {N_BOX:,} other draws of a toy span, and a
tenth on each side. A row that a model takes for impossible costs everything (-inf). The mixture's likelihood of
"faithful" is that of values that repeat: components without width stand on them."""


def _starred(row):
    """The row as text, the best with a star."""
    names = [name for name in ("truth", "error", *MODELS) if name in row]
    text = {name: f"{row[name]:.3f}" + _report.STAR * (name == row["best"]) for name in names}
    return row | text


def main(argv=None):
    """Print both tables, and return their rows."""
    argv = sys.argv[1:] if argv is None else argv
    given = _report.parser("NearestNeighborsDensity beside scikit-learn's query; quality.", RESULT).parse_args(argv)
    rng = np.random.default_rng(given.seed)
    NearestNeighborsDensity(1).fit(rng.standard_normal((100, 2))).score_samples(np.zeros((1, 2)))
    times = [measure(case, rng) for case in (QUICK_CASES if given.quick else CASES)]
    quality = [judge(task) for task in tasks(rng, QUICK_TASKS if given.quick else None)]
    shown = [
        row
        | {"overhead": _report.judged(row["overhead"], MOST, at_least=False)}
        | {"difference": f"{row['difference']:.0e}"}
        for row in times
    ]
    parts = [
        _report.title("NearestNeighborsDensity and others"),
        _report.header("bench_neighbors.py", argv, given.seed),
        _report.section("The time of a query"),
        TIMES_NOTE,
        _report.table(shown, TIMES),
        _report.section("Held-out likelihood"),
        QUALITY_NOTE,
        _report.table([_starred(row) for row in quality], QUALITY),
    ]
    _report.finish(parts, RESULT if given.write else None)
    return times, quality


if __name__ == "__main__":
    main()
