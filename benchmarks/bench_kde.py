r"""KernelDensity beside scikit-learn's, scipy's gaussian_kde and KDEpy: time, errors, memory, growth, first calls.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bench_kde.py --write

All sides get the same standardised rows, the same queries and the same bandwidth (Scott's) in the same run, in turns.
Times are seconds on the clock, since threads are meant to count. Errors are differences from a log-sum-exp over all
pairs in extended precision. With `--gpu` one large case runs on a graphics card instead.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import _kde_processes
import _report
from _kde_sides import OURS, PEERS, errors, far_rows, is_installed, ours, reference, standard_rows
from sklearn.neighbors import KernelDensity as ScikitLearns

from skgen.nonparametric import KernelDensity

RESULT = _report.RESULTS / "kde.rst"
GPU_RESULT = _report.RESULTS / "kde_gpu.rst"
TIMES_SCIKIT_LEARN = {(1, 100_000): 1000, (5, 10_000): 40, (20, 10_000): 20}  # targets: (d, n) -> at least
MEGABYTES, GPU_SECONDS = 50.0, 30.0  # targets: at most
REPEATS = 3  # of which the fastest counts
LONG = 4.0  # seconds of a call that is not repeated
PILOT = 50  # queries that show how many a peer has time for
CHECKED = 3_000_000  # pairs of the reference for bulk and for tails, that is, queries times rows
CONVERTED = {"epanechnikov": 2.2138, "exponential": 0.7398}  # canonical bandwidths over the gaussian's, d = 1


class Case(NamedTuple):
    """A task: rows, queries, features and kernel."""

    d: int
    n: int
    m: int
    kernel: str = "gaussian"

    @property
    def h(self):
        """Scott's bandwidth for unit variance, at which other kernels smooth alike."""
        return float(self.n ** (-1 / (self.d + 4)) * CONVERTED.get(self.kernel, 1.0))


class Plan(NamedTuple):
    """How much is measured."""

    cases: list
    budget: float  # seconds of a peer's one call, beyond which it gets fewer queries
    memory: list  # (side, d, n, m)
    growth: dict  # d -> (numbers of rows of ours, of scikit-learn's)
    first: list  # (d, n)
    other: Case
    gpu: Case


FULL = Plan(
    cases=[Case(d, 10_000, 10_000) for d in (1, 2, 5, 10, 20, 50)]
    + [Case(1, 100_000, 10_000), Case(1, 1_000_000, 10_000)]
    + [Case(d, 10_000, 10_000, kernel) for kernel in CONVERTED for d in (1, 2)],
    budget=1.5,
    memory=[("ours", 1, 100_000, 100_000), ("ours", 5, 100_000, 100_000)]
    + [(name, 5, 100_000, 1000) for name in ("scikit-learn", "scipy, log(pdf)", "scipy, logpdf")],
    growth={
        1: ([10_000, 30_000, 100_000, 300_000, 1_000_000], [10_000, 30_000, 100_000]),
        2: ([10_000, 30_000, 100_000, 300_000], [10_000, 30_000, 100_000]),
        5: ([10_000, 30_000, 100_000, 300_000], [10_000, 30_000, 100_000]),
    },
    first=[(1, 200), (1, 10_000), (5, 200), (5, 10_000)],
    other=Case(5, 10_000, 10_000),
    gpu=Case(10, 1_000_000, 1_000_000),
)
QUICK = Plan(
    cases=[Case(1, 2000, 500), Case(5, 500, 200), Case(2, 500, 200, "epanechnikov"), Case(1, 500, 200, "exponential")],
    budget=0.02,
    memory=[("ours", 1, 5000, 5000)],
    growth={1: ([1000, 4000], [1000, 4000])},
    first=[(1, 200)],
    other=Case(5, 500, 500),
    gpu=Case(10, 2000, 500),
)


# Speed and errors


def measure(case, budget, rng):
    """A dict for ours and for each peer: seconds of fit and score_samples of all queries, ratio, errors."""
    X = standard_rows(case.n, case.d, rng)
    bulk, far = rng.standard_normal((case.m, case.d)), far_rows(case.m, case.d, rng)
    peers = [side for side in PEERS if is_installed(side) and side.is_for(case.kernel, case.n, case.d)]
    n_checked = min(max(CHECKED // case.n, 20), case.m)
    truth = [reference(X, Q[:n_checked], case.h, case.kernel) for Q in (bulk, far)]
    queries = {side: affordable(side, case, X, bulk, budget) for side in peers} | {OURS: case.m}
    seconds, scorers, calls = {}, {}, {}
    for repeat in range(REPEATS):
        for side, m in queries.items():
            if repeat and calls[side] > LONG:
                continue
            start = time.perf_counter()
            scorers[side] = _quietly(side.fit, X, case.h, case.kernel)
            fitted = time.perf_counter()
            _quietly(scorers[side], bulk[:m])
            calls[side] = time.perf_counter() - start
            seconds.setdefault(side, []).append(fitted - start + (start + calls[side] - fitted) * case.m / m)
    rows = []
    for side in (OURS, *peers):
        n_scored = case.m if side is OURS else n_checked  # other methods than for all rows are no matter
        found = [_quietly(scorers[side], Q[:n_scored])[:n_checked] for Q in (bulk, far)]
        row = {"d": case.d, "n": case.n, "m": case.m, "kernel": case.kernel, "side": side.name}
        row |= {"queries": queries[side], "seconds": min(seconds[side]), "checked": n_checked}
        for where, values, true in zip(("bulk", "tails"), found, truth, strict=True):
            row |= dict(zip((f"{where} worst", f"{where} off", f"{where} broken"), errors(values, true), strict=True))
        rows.append(row)
    for row in rows[1:]:
        row["ratio"] = row["seconds"] / rows[0]["seconds"]
        if row["side"] == "scikit-learn" and case.kernel == "gaussian":
            row["target"] = TIMES_SCIKIT_LEARN.get((case.d, case.n))
    return rows


def affordable(side, case, X, Q, budget):
    """How many queries a side scores within the budget of seconds."""
    if side.is_whole:
        return case.m
    score = _quietly(side.fit, X, case.h, case.kernel)
    _quietly(score, Q[:PILOT])
    start = time.perf_counter()
    _quietly(score, Q[:PILOT])
    spent = time.perf_counter() - start
    return int(np.clip(budget / spent * PILOT, PILOT, case.m))


def _quietly(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers: divisions by zero, which the table shows as broken rows
        return function(*args)


# Memory, growth, first calls, and the rest


def memories(tasks):
    """Extra peak memory of fit and score_samples, each in a process of its own."""
    rows = []
    for name, d, n, m in tasks:
        if any(side.name == name and is_installed(side) for side in (OURS, *PEERS)):
            found = _kde_processes.run("memory", name, d, n, m)["megabytes"]
            rows.append({"side": name, "d": d, "n": n, "m": m, "megabytes": found})
            rows[-1]["target"] = MEGABYTES if name == "ours" else None
    return rows


def growth(plan, m, budget, rng):
    """Seconds of fit and m queries for more and more rows, and the exponent of their growth."""
    rows = []
    for d, sizes in plan.items():
        for side, numbers in zip((OURS, PEERS[0]), sizes, strict=True):
            seconds = []
            for n in numbers:
                case, X, Q = Case(d, n, m), standard_rows(n, d, rng), rng.standard_normal((m, d))
                count = m if side is OURS else affordable(side, case, X, Q, budget)
                spent = []
                for _ in range(REPEATS if side is OURS else 1):
                    start = time.perf_counter()
                    score = side.fit(X, case.h, "gaussian")
                    fitted = time.perf_counter()
                    score(Q[:count])
                    spent.append(fitted - start + (time.perf_counter() - fitted) * m / count)
                seconds.append(min(spent))
            exponent = float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])
            times = dict(zip(map(str, numbers), seconds, strict=True))
            rows.append({"side": side.name, "d": d, "m": m, "exponent": exponent} | times)
    return rows


def first_calls(tasks):
    """Seconds in new processes: with an empty cache of compiled code, with a full one, and scikit-learn's."""
    rows = []
    for d, n in tasks:
        with tempfile.TemporaryDirectory() as folder:
            for name, cache in (("ours", "empty"), ("ours", "full"), ("scikit-learn", "-")):
                found = _kde_processes.run("first", name, d, n, n, NUMBA_CACHE_DIR=folder)
                rows.append({"side": name, "d": d, "n": n, "cache": cache} | found)
    return rows


def others(case, rng):
    """Seconds of what else the model does with as many rows or draws, and scikit-learn's where it does that."""
    X, Q = standard_rows(case.n, case.d, rng), rng.standard_normal((case.m, case.d))
    model = KernelDensity(bandwidth=case.h, n_jobs=2).fit(X)
    peer = ScikitLearns(bandwidth=case.h).fit(X)
    tasks = {
        "score_samples": (lambda: model.score_samples(Q), None),
        "sample": (lambda: model.sample(case.m, random_state=0), lambda: peer.sample(case.m, random_state=0)),
        "leave_one_out_score_samples": (model.leave_one_out_score_samples, None),
        "gradient": (lambda: model.gradient(Q), None),
    }
    rows = []
    for name, sides in tasks.items():
        row = {"method": name, "d": case.d, "n": case.n, "m": case.m}
        for key, task in zip(("seconds", "scikit-learn"), sides, strict=True):
            if task is not None:
                row[key] = min(_seconds(task) for _ in range(REPEATS))
        rows.append(row)
    return rows


def _seconds(task):
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def on_device(case, device, rng):
    """Seconds of the first call, which starts the device, and of the second one; errors as elsewhere."""
    X = standard_rows(case.n, case.d, rng)
    Q = np.vstack([rng.standard_normal((case.m - case.m // 10, case.d)), far_rows(case.m // 10, case.d, rng)])
    row = {"d": case.d, "n": case.n, "m": case.m, "device": device, "target": GPU_SECONDS}
    for call in ("first", "seconds"):
        start = time.perf_counter()
        found = ours(X, case.h, case.kernel, device=device)(Q)
        row[call] = time.perf_counter() - start
    count = min(max(CHECKED // case.n, 10), case.m // 10)
    for where, rows in (("bulk", slice(count)), ("tails", slice(case.m - count, None))):
        row[f"{where} worst"], _, row[f"{where} broken"] = errors(
            found[rows], reference(X, Q[rows], case.h, "gaussian")
        )
    return [row]


# Tables

SPEED = {
    "task": "kernel, d, n, m",
    "side": "side",
    "queries": "timed",
    "seconds": "s",
    "ratio": "theirs/ours",
    "target": "target",
    "checked": "checked",
    "bulk worst": "worst, bulk",
    "bulk off": "off",
    "bulk broken": "broken",
    "tails worst": "worst, tails",
    "tails off": "off",
    "tails broken": "broken",
}
MEMORY = {"side": "side", "d": "d", "n": "n", "m": "m", "megabytes": "MB", "target": "target"}
FIRST = {"side": "side", "d": "d", "n": "n = m", "cache": "cache", "imports": "imports", "call": "call"}
FIRST |= {"seconds": "process"}
OTHER = {"method": "method", "d": "d", "n": "n", "m": "m", "seconds": "s", "scikit-learn": "scikit-learn, s"}
GPU = {"device": "device", "d": "d", "n": "n", "m": "m", "first": "first call, s", "seconds": "s", "target": "target"}
GPU |= {name: SPEED[name] for name in SPEED if name.endswith(("worst", "broken"))}
NOTE = f"""\
Standard normal rows, n of them with d features, and m queries; ours with two threads (and with one, last), the others
as they come (one thread, but for BLAS). All have the same bandwidth: Scott's :math:`n^{{-1/(d+4)}}`, for other kernels
times the ratio of their canonical bandwidths in one dimension. Rows are standardised, so that it means the same to
scipy.

"s" is the time of a fit and of the log-densities of all m queries, on the clock, the least of {REPEATS} in turns. Where
"timed" is less than m, the peer scored so many queries, and the time per query was multiplied; a call that takes more
than {LONG:g} s is not repeated. "theirs/ours" is the ratio of the two times; one with a star misses its target.
scipy's logpdf gets blocks of queries, for it keeps a number for each pair. KDEpy's classes
give densities, whose logarithms are taken; its FFTKDE has a grid, whose values are interpolated.

Errors in nats against a log-sum-exp in extended precision over all pairs, of the first "checked" queries: the largest
finite one; the share of rows that are off by more than 1e-6 nats or broken; and "broken", the rows that are infinite or
NaN although they have a density. "bulk": queries from the rows' law. "tails": 12 standard deviations away from the
centre, in all directions. There compact kernels are zero, and the right answer is -inf."""
MEMORY_NOTE = f"""\
Peak resident memory (that of threads and of compiled code included) during fit and score_samples over what the process
had before, with programs loaded by a call with {_kde_processes.WARM:,} rows, in MB of 1e6 bytes. The answer has 8 m
bytes of it."""
GROWTH_NOTE = """\
Seconds of a fit and of m queries (scaled from fewer for scikit-learn), by n; the bandwidth is Scott's for each n. The
exponent is the slope of a line through the logarithms."""
FIRST_NOTE = """\
A new process: seconds of the imports, of the first fit with n queries scored, and of the process from start to end.
"cache" is numba's on disk, empty as after installation or full as ever after. Small tasks ask for no compiler."""
GPU_NOTE = f"""\
Gaussian kernel, Scott's bandwidth, standard normal rows; nine tenths of the queries from the same law, the others 12
standard deviations away. Seconds on the clock of a fit and of all log-densities, transfers included: of the first call,
which also starts the device, and of the second one, whose target is {GPU_SECONDS:g} s (a star misses it). Errors in
nats against a log-sum-exp in extended precision, on a few queries."""


def speed_table(rows):
    """Sides by task, with stars at ratios that miss their targets."""
    lines = []
    for row in rows:
        line = row | {"task": f"{row['kernel']}, {row['d']}, {row['n']:,}, {row['m']:,}"}
        if "ratio" in row:
            line["ratio"] = _report.judged(row["ratio"], row.get("target"), at_least=True)
        for where in ("bulk", "tails"):
            line |= {f"{where} worst": f"{row[f'{where} worst']:.0e}", f"{where} off": f"{row[f'{where} off']:.0%}"}
        lines.append(line)
    return _report.table(lines, SPEED)


def growth_table(rows):
    """Seconds by number of rows."""
    sizes = sorted({int(name) for row in rows for name in row if name.isdigit()})
    columns = {"side": "side", "d": "d", "m": "m"} | {str(n): f"n = {n:,}" for n in sizes} | {"exponent": "exponent"}
    return _report.table([row | {"exponent": f"{row['exponent']:.2f}"} for row in rows], columns)


def limited_table(rows, columns, name):
    """A table whose column `name` has to stay under its target."""
    return _report.table(
        [row | {name: _report.judged(row[name], row["target"], at_least=False)} for row in rows], columns
    )


def main(argv=None):
    """Print the tables, and return their rows."""
    parser = _report.parser("KernelDensity beside other libraries.", RESULT)
    parser.add_argument("--gpu", action="store_true", help=f"one large case, saved as {GPU_RESULT.name}")
    parser.add_argument("--device", default="cuda", help="of torch, for --gpu")
    argv = sys.argv[1:] if argv is None else argv
    given = parser.parse_args(argv)
    plan, rng = (QUICK if given.quick else FULL), np.random.default_rng(given.seed)
    if given.gpu:
        import torch

        rows = {"gpu": on_device(plan.gpu, given.device, rng)}
        name = torch.cuda.get_device_name(given.device) if torch.device(given.device).type == "cuda" else given.device
        head = _report.header("bench_kde.py", argv, given.seed, ["torch"], device=name)
        lines = [row | {f"{w} worst": f"{row[f'{w} worst']:.0e}" for w in ("bulk", "tails")} for row in rows["gpu"]]
        parts = [_report.title("KernelDensity on a device"), head, GPU_NOTE, limited_table(lines, GPU, "seconds")]
        _report.finish(parts, GPU_RESULT if given.write else None)
        return rows

    rows = {"speed": [], "memory": memories(plan.memory), "first": first_calls(plan.first)}
    measure(QUICK.cases[0], QUICK.budget, rng)  # imports and loads programs
    for case in plan.cases:
        rows["speed"] += measure(case, plan.budget, rng)
    rows["growth"] = growth(plan.growth, plan.cases[0].m, plan.budget, rng)
    rows["others"] = others(plan.other, rng)
    parts = [
        _report.title("KernelDensity and others"),
        _report.header("bench_kde.py", argv, given.seed, ["KDEpy"]),
        _report.section("Speed and errors"),
        NOTE,
        speed_table(rows["speed"]),
        _report.section("Memory"),
        MEMORY_NOTE,
        limited_table(rows["memory"], MEMORY, "megabytes"),
        _report.section("Growth"),
        GROWTH_NOTE,
        growth_table(rows["growth"]),
        _report.section("The first call"),
        FIRST_NOTE,
        _report.table(rows["first"], FIRST),
        _report.section("Other methods"),
        "Seconds of our other methods for m rows or draws, beside scikit-learn's where it has one.",
        _report.table(rows["others"], OTHER),
    ]
    _report.finish(parts, RESULT if given.write else None)
    return rows


if __name__ == "__main__":
    main()
