"""HistogramDensity beside numpy's histogramdd and scipy's rv_histogram: time of fit and score, and memory.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bench_histogram.py --write

All sides get the same rows and the same number of bins in the same run, in turns, and score the same rows again.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
import _memory
import _report

from skgen.nonparametric import HistogramDensity

RESULT = _report.RESULTS / "histogram.rst"
REPEATS = 3  # of which the fastest counts
MOST_DENSE = 2**30  # cells that an array of counts may have


class Case(NamedTuple):
    """A task: rows, features, bins of each."""

    n: int
    d: int
    bins: int


FULL = [Case(10_000_000, 1, 500), Case(1_000_000, 3, 30), Case(1_000_000, 20, 5)]
QUICK = [Case(20_000, 1, 50), Case(5000, 3, 8), Case(2000, 20, 5)]


def ours(X, bins):
    """The plain histogram: no prior, no tails."""
    return HistogramDensity(bins, alpha=0, outside="-inf").fit(X).score_samples


def ours_smoothed(X, bins):
    """With the prior whose mass is chosen, and tails."""
    return HistogramDensity(bins).fit(X).score_samples


def ours_by_rule(X, bins):
    """With numpy's rule for the number of bins, too."""
    return HistogramDensity().fit(X).score_samples


def numpys(X, bins):
    """An array of log-densities, looked up by the bins that hold the rows."""
    counts, edges = np.histogramdd(X, bins=bins)
    volume = np.prod([e[1] - e[0] for e in edges])
    with np.errstate(divide="ignore"):
        log_density = np.log(counts / len(X) / volume)

    def score(Q):
        codes = (np.searchsorted(e, q, side="right") - 1 for e, q in zip(edges, Q.T, strict=True))
        return log_density[tuple(np.minimum(code, bins - 1) for code in codes)]

    return score


def scipys(X, bins):
    """A distribution of scipy's, of one column."""
    model = stats.rv_histogram(np.histogram(X[:, 0], bins=bins), density=False)
    return lambda Q: model.logpdf(Q[:, 0])


SIDES = {
    "ours": ours,
    "ours, alpha and tails": ours_smoothed,
    "ours, at its defaults": ours_by_rule,
    "numpy.histogramdd": numpys,
    "scipy.stats.rv_histogram": scipys,
}
PLAIN = ("ours", "numpy.histogramdd", "scipy.stats.rv_histogram")  # the same estimate


def is_for(side, case):
    """Whether a side can do the task."""
    if side == "scipy.stats.rv_histogram":
        return case.d == 1
    return side != "numpy.histogramdd" or float(case.bins) ** case.d <= MOST_DENSE


def measure(case, rng):
    """For each side the seconds of fit and of scoring, their ratios to ours, extra memory and the mean score."""
    X = rng.standard_normal((case.n, case.d))
    sides = [side for side in SIDES if is_for(side, case)]
    seconds, scores, megabytes = {side: [] for side in sides}, {}, {}
    for repeat in range(REPEATS):
        for side in sides:
            start = time.perf_counter()
            score = SIDES[side](X, case.bins)
            fitted = time.perf_counter()
            found = score(X)
            seconds[side].append((fitted - start, time.perf_counter() - fitted))
            if not repeat:
                scores[side] = found
    for side in sides:
        megabytes[side] = _memory.peak(lambda side=side: SIDES[side](X, case.bins)(X))
    rows = []
    for side in sides:
        fit, score = np.min(seconds[side], axis=0)
        row = {"n": case.n, "d": case.d, "bins": case.bins, "side": side, "fit": float(fit), "score": float(score)}
        row |= {"megabytes": megabytes[side], "mean": float(scores[side].mean())}
        if side in PLAIN:
            possible = np.isfinite(scores[side])
            row["difference"] = float(np.abs(scores[side] - scores["ours"])[possible].max())
            row |= {"impossible": int((~possible).sum()), "mean": float(scores[side][possible].mean())}
        rows.append(row)
    for row in rows[1:]:
        row |= {f"{name} ratio": row[name] / rows[0][name] for name in ("fit", "score")}
    if "numpy.histogramdd" not in sides:
        rows.append({"n": case.n, "d": case.d, "bins": case.bins, "side": "numpy.histogramdd", "fit": None})
    return rows


COLUMNS = {
    "n": "n",
    "d": "d",
    "bins": "bins",
    "side": "side",
    "fit": "fit, s",
    "fit ratio": "theirs/ours",
    "score": "score, s",
    "score ratio": "theirs/ours",
    "megabytes": "MB",
    "mean": "nats a row",
    "impossible": "-inf",
    "difference": "largest difference",
}
NOTE = f"""\
Standard normal rows, n of them with d features, in bins of one width; the same rows are scored. Seconds on the clock,
the least of {REPEATS} in turns, one thread. "theirs/ours" is over the first line of the task, the plain histogram
(``alpha=0, outside="-inf"``), which is what numpy and scipy compute; "largest difference" is that of the log-densities
to it, and "-inf" the number of rows that a side takes for impossible (scipy does so with the largest one), which do not
count in the mean and the difference. The second line adds the prior, whose mass is chosen by held-out likelihood, and
tails; the third also leaves the bins to the default rule. numpy's scores are looked up in the array of its counts,
whose :math:`bins^d` numbers are more than a computer holds in the last task ("-"). "MB" is the extra resident memory at
its peak during a fit and the scoring, in 1e6 bytes, the answer's 8 n bytes among it."""


def main(argv=None):
    """Print the table, and return its rows."""
    argv = sys.argv[1:] if argv is None else argv
    given = _report.parser("HistogramDensity beside numpy and scipy.", RESULT).parse_args(argv)
    rng = np.random.default_rng(given.seed)
    HistogramDensity(9).fit(rng.standard_normal((40_000, 1)))  # loads compiled loops
    rows = [row for case in (QUICK if given.quick else FULL) for row in measure(case, rng)]
    lines = [row | ({"difference": f"{row['difference']:.0e}"} if "difference" in row else {}) for row in rows]
    parts = [
        _report.title("HistogramDensity and others"),
        _report.header("bench_histogram.py", argv, given.seed),
        NOTE,
        _report.table(lines, COLUMNS),
    ]
    _report.finish(parts, RESULT if given.write else None)
    return rows


if __name__ == "__main__":
    main()
