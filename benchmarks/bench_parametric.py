r"""Univariate families against scipy.stats: how long a fit takes, and how often it ends at the global maximum.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bench_parametric.py --write

Both sides get the same rows in the same run, in turns. Times are processor seconds, which other programs on the machine
disturb less than the clock. Log-likelihoods of both sides are summed from scipy's `logpdf`; ours from `score_samples`
where that is infinite (a row at the end of the support), but a row to which `score_samples` gives -inf is a failed fit.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import scipy
import sklearn
from scipy import optimize, stats

import skgen
from skgen import parametric as ours

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "parametric.rst"
ONCE = 5.0  # seconds of a fit of scipy's that is not repeated
REPEATS = 3
STARTS = 10  # of the climb that the reference comes from
EXACT = 1e-6  # nats a row below the best: the same maximum
NEAR = 0.01  # nats in all: another stopping rule, or a flat likelihood
OWN, GENERIC = 3.0, 0.1  # how many times scipy's time a fit of ours may take: against a formula, against the optimiser


class Case(NamedTuple):
    """A family, the law of scipy that it is compared with, and parameters to draw from."""

    model: type
    law: Any
    theta: tuple  # ours, for the table of speed
    draw: Callable = None  # rng -> random parameters, for the table of quality
    fixed: dict = {}  # scipy's parameters that are given because our family has none such
    solver: str = "formula"  # how scipy fits it, where that is not the generic optimiser
    sign: int = 1  # of scipy's first shape against ours
    edge: bool = False  # the maximum is at an end of the support: a formula, and nothing for a climb

    @property
    def name(self):
        return self.model.__name__

    def rows(self, theta, n, rng):
        """Draws, shape (n,)."""
        return np.asarray(self.model._law(*theta).rvs(n, random_state=rng), dtype=np.float64)

    def fit(self, x):
        return self.model().fit(x[:, None])

    def fit_scipy(self, x):
        return self.law.fit(x, **self.fixed)

    def is_inside(self, params):
        """Whether scipy's estimate lies in the range of our shape."""
        ranges = list(self.model._ranges.values())
        return not ranges or ranges[0][0] <= self.sign * params[0] <= ranges[0][1]


def log_uniform(rng, low, high):
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def size(rng):
    """A scale."""
    return log_uniform(rng, 1e-3, 1e3)


def place(rng):
    """A location and a scale."""
    scale = size(rng)
    return scale * rng.uniform(-10, 10), scale


def either_sign(rng, low, high):
    """A number of either sign whose logarithm is uniform."""
    return float(rng.choice([-1, 1])) * log_uniform(rng, low, high)


def ends(rng):
    """The two ends of an interval."""
    low, width = place(rng)
    return low, low + width


def _two(low, high):
    return lambda rng: (log_uniform(rng, low, high), size(rng))


FROM_0 = {"floc": 0}
CONTINUOUS = [
    Case(ours.Normal, stats.norm, (3.0, 2.0), place),
    Case(ours.Laplace, stats.laplace, (3.0, 2.0), place),
    Case(ours.Logistic, stats.logistic, (3.0, 2.0), place, solver="root"),
    Case(ours.Cauchy, stats.cauchy, (3.0, 2.0), place),
    Case(ours.LocationScaleT, stats.t, (3.0, 2.0, 4.0), lambda rng: (*place(rng), log_uniform(rng, 1, 30))),
    Case(ours.SkewNormal, stats.skewnorm, (3.0, 2.0, 4.0), lambda rng: (*place(rng), either_sign(rng, 0.1, 20))),
    Case(ours.Gumbel, stats.gumbel_r, (3.0, 2.0), place, solver="root"),
    Case(ours.GEV, stats.genextreme, (3.0, 2.0, 0.2), lambda rng: (*place(rng), rng.uniform(-0.8, 1)), sign=-1),
    Case(ours.GeneralizedPareto, stats.genpareto, (2.0, 0.2), lambda rng: (size(rng), rng.uniform(-0.8, 1)), FROM_0),
    Case(ours.Exponential, stats.expon, (0.5,), lambda rng: (size(rng),), FROM_0),
    Case(ours.HalfNormal, stats.halfnorm, (2.0,), lambda rng: (size(rng),), FROM_0),
    Case(ours.LogNormal, stats.lognorm, (1.0, 0.5), lambda rng: (np.log(size(rng)), log_uniform(rng, 0.1, 3)), FROM_0),
    Case(ours.Gamma, stats.gamma, (3.0, 2.0), _two(0.1, 100), FROM_0, "root"),
    Case(
        ours.InverseGaussian,
        stats.invgauss,
        (2.0, 3.0),
        lambda rng: tuple(size(rng) * np.array([1, log_uniform(rng, 0.05, 20)])),
        FROM_0,
    ),
    Case(ours.Weibull, stats.weibull_min, (1.5, 2.0), _two(0.3, 10), FROM_0),
    Case(ours.Pareto, stats.pareto, (3.0, 2.0), _two(0.3, 10), FROM_0, edge=True),
    Case(
        ours.Beta,
        stats.beta,
        (2.0, 5.0),
        lambda rng: (log_uniform(rng, 0.5, 50), log_uniform(rng, 0.5, 50)),
        {"floc": 0, "fscale": 1},
        "root",
    ),
    Case(ours.Uniform, stats.uniform, (3.0, 5.0), ends, edge=True),
    Case(
        ours.VonMises,
        stats.vonmises,
        (1.0, 4.0),
        lambda rng: (rng.uniform(-np.pi, np.pi), log_uniform(rng, 0.1, 50)),
        {"fscale": 1},
        "root",
    ),
]
COUNTS = [
    Case(ours.Poisson, stats.poisson, (3.0,)),
    Case(ours.Geometric, stats.geom, (0.3,)),
    Case(ours.Binomial, stats.binom, (20, 0.3)),
    Case(ours.NegativeBinomial, stats.nbinom, (5.0, 2.0)),
]
QUICK = ["Normal", "Gumbel", "GEV", "Gamma", "Weibull", "Beta", "Poisson", "NegativeBinomial"]


# Speed


def speed(cases, n_rows, seed):
    """Time and log-likelihood of fits of `n_rows` rows of one column: a dict for each case."""
    return [_speed_of(case, n_rows, np.random.default_rng([seed, *case.name.encode()])) for case in cases]


def _speed_of(case, n_rows, rng):
    x = case.rows(case.theta, n_rows, rng)
    X = x[:, None]
    case.fit(x[:1000]).score_samples(X[:1000])  # the first call imports and compiles
    times = {"fit": [], "scipy fit": [], "score": [], "scipy score": []}
    has_fit, params, calls = hasattr(case.law, "fit"), None, []
    for repeat in range(REPEATS):
        model = _timed(times["fit"], case.fit, x)
        if has_fit and (repeat == 0 or times["scipy fit"][0] < ONCE):
            with _quietly(), _generic_fits() as calls:
                params = _timed(times["scipy fit"], case.fit_scipy, x)
        law = model._law(*(value[0] for value in model._theta()))
        with _quietly():
            log_density = law.logpdf if has_fit else law.logpmf
            _timed(times["scipy score"], log_density, x)
        _timed(times["score"], model.score_samples, X)
    row = {"family": case.name, "law": f"scipy.stats.{case.law.name}"}
    row |= {name: float(np.median(values)) for name, values in times.items() if values}
    row["score ratio"] = row["score"] / row["scipy score"]
    row["log-likelihood"] = total(case, x, model) / n_rows
    if has_fit:
        row["solver"] = "generic" if calls else case.solver
        row["ratio"] = row["fit"] / row["scipy fit"]
        row["target"] = GENERIC if calls else OWN
        with _quietly():
            row["difference"] = row["log-likelihood"] - case.law.logpdf(x, *params).sum() / n_rows
    return row


def _timed(times, function, *args):
    start = time.process_time()
    result = function(*args)
    times.append(time.process_time() - start)
    return result


@contextmanager
def _generic_fits():
    """A list that holds an entry for each fit that comes down to scipy's generic optimiser."""
    calls, generic = [], stats.rv_continuous.fit

    def fit(self, *args, **kwargs):
        calls.append(self.name)
        return generic(self, *args, **kwargs)

    with mock.patch.object(stats.rv_continuous, "fit", fit):
        yield calls


@contextmanager
def _quietly():
    """A list of the warnings, instead of their text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


# Quality


def quality(cases, n_rows, n_sets, seed):
    """Shares of fits that end at the best maximum that anybody found: a dict for each case; and our misses."""
    rows, misses = [], []
    for case in cases:
        found = [_one_set(case, n_rows, [seed, n_rows, r, *case.name.encode()]) for r in range(n_sets)]
        everybody = ["ours", "scipy"] + ["climb"] * (not case.edge)
        lack = {who: np.array([one["best"] - one[who] for one in found]) for who in everybody}
        row = {"family": case.name, "n": n_rows, "sets": n_sets}
        row |= {f"{who} exact": float(np.mean(lack[who] <= EXACT * n_rows)) for who in lack}
        row |= {f"{who} near": float(np.mean(lack[who] <= NEAR)) for who in lack}
        row |= {f"{who} lack": float(lack[who].max()) for who in lack}
        row |= {count: sum(one[count] for one in found) for count in found[0] if isinstance(found[0][count], bool)}
        rows.append(row)
        misses += [one for one in found if not one["best"] - one["ours"] <= EXACT * n_rows or one["ours warned"]]
    return rows, misses


def _one_set(case, n_rows, seed):
    """Log-likelihoods that both sides and the climb reach on one random data set."""
    rng = np.random.default_rng(seed)
    theta = case.draw(rng)
    x = case.rows(theta, n_rows, rng)
    one = {"family": case.name, "seed": seed, "theta": theta, "ours": -np.inf, "scipy": -np.inf, "climb": -np.inf}
    one |= {"ours failed": False, "scipy failed": False, "outside": False}
    with _quietly() as heard:
        try:
            model = case.fit(x)
            one["estimate"], one["ours"] = tuple(float(v[0]) for v in model._theta()), total(case, x, model)
        except Exception as error:  # whatever it is, it is what the table counts
            one["ours failed"], one["estimate"] = True, repr(error)
    one["ours warned"] = bool(heard)
    with _quietly() as heard:
        try:
            params = case.fit_scipy(x)
        except Exception:
            params, one["scipy failed"] = None, True
    one["scipy warned"] = bool(heard)
    with _quietly():
        if params is not None:
            one["scipy"], one["outside"] = _finite(case.law.logpdf(x, *params).sum()), not case.is_inside(params)
        if not case.edge:
            one["climb"] = max(climbs(case, x, theta, rng))
    one["best"] = max(one["ours"], one["climb"], -np.inf if one["outside"] else one["scipy"])
    return one


def total(case, x, model):
    """Log-likelihood of a fit of ours; a row that it gives no density itself makes it -inf."""
    own = model.score_samples(x[:, None]).sum()
    if not np.isfinite(own) or not hasattr(case.law, "fit"):
        return _finite(own)
    with _quietly():
        value = model._law(*(value[0] for value in model._theta())).logpdf(x).sum()
    return float(value if np.isfinite(value) else own)


def _finite(value):
    return float(value) if np.isfinite(value) else -np.inf


def climbs(case, x, theta, rng):
    """Log-likelihoods at the ends of climbs from random places about the parameters of the draw, in our ranges."""
    family, (low, middle, high) = case.model, np.quantile(x, [0.25, 0.5, 0.75])
    maps = {
        "location": (lambda v: (v - middle) / (high - low), lambda u: middle + (high - low) * u),
        "positive": (np.log, np.exp),
        "skewness": (np.arcsinh, np.sinh),
        "real": (lambda v: v, lambda u: u),
    }
    to_line, from_line = zip(*[maps[domain] for domain in family._parameters.values()], strict=True)
    limits = [family._ranges.get(name, (-np.inf, np.inf)) for name in family._parameters]
    limits = [[-np.inf if not np.isfinite(v) else f(v) for v in pair] for f, pair in zip(to_line, limits, strict=True)]
    limits = [(low, high if np.isfinite(high) else np.inf) for low, high in limits]

    def loss(u):
        value = -family._logpdf(x, *[f(v) for f, v in zip(from_line, u, strict=True)]).sum()
        return value if np.isfinite(value) else 1e300

    truth = np.array([f(v) for f, v in zip(to_line, theta, strict=True)])
    for start in range(STARTS):
        away = 1.5 * rng.standard_normal(len(truth)) * (start > 0)
        while loss(truth + away) >= 1e300 and np.abs(away).max() > 1e-6:
            away /= 2
        u = np.clip(truth + away, *np.transpose(limits))
        options = {"maxfev": 400 * len(u), "xatol": 1e-8, "fatol": 1e-10}
        u = optimize.minimize(loss, u, method="Nelder-Mead", bounds=limits, options=options).x
        polished = optimize.minimize(loss, u, method="L-BFGS-B", bounds=limits, options={"ftol": 1e-15}).x
        u = min(u, polished, key=loss)
        value = case.model._law(*[f(v) for f, v in zip(from_line, u, strict=True)]).logpdf(x).sum()
        yield _finite(value)


# Tables

SPEED = {
    "family": "family",
    "law": "scipy.stats.",
    "solver": "scipy's fit",
    "fit": "fit, s",
    "scipy fit": "scipy, s",
    "ratio": "ours/scipy",
    "target": "target",
    "score": "score, s",
    "scipy score": "logpdf, s",
    "score ratio": "ours/scipy",
    "log-likelihood": "nats a row",
    "difference": "less scipy's",
}
SCORES = {name: SPEED[name] for name in SPEED if name not in ("solver", "scipy fit", "ratio", "target", "difference")}
QUALITY = {
    "family": "family",
    "n": "n",
    "sets": "sets",
    "ours exact": "ours",
    "scipy exact": "scipy",
    "climb exact": "climbs",
    "ours near": "ours, near",
    "scipy near": "scipy, near",
    "ours lack": "ours, worst",
    "scipy lack": "scipy, worst",
    "ours failed": "failed",
    "ours warned": "warned",
    "scipy failed": "scipy failed",
    "scipy warned": "scipy warned",
    "outside": "scipy outside",
}
SPEED_NOTE = f"""\
Processor seconds of one fit and of the log-density of all rows, validation of the input included on our side; medians
of {REPEATS} repetitions in turns, scipy's fit only once where it takes more than {ONCE:g} s. "scipy's fit" is "formula"
where the law has an estimator of its own in closed form with the parameters that we fix (location 0; Beta also scale
1), "root" where it solves an equation, "generic" where it comes down to the optimiser of `rv_continuous.fit`, observed
during the fit. The target is {OWN:g} times scipy's time against the first two and {GENERIC:g} against the third; a
ratio with a star misses it. "Nats a row" is the mean log-likelihood at our estimate, and "less scipy's" is by how much
it exceeds the one at scipy's."""
QUALITY_NOTE = f"""\
Random data sets, drawn by scipy from the family. The share of fits that end within {EXACT:g} n nats of the best total
log-likelihood that anybody found ("near": within {NEAR:g} nats), and the worst shortfall in nats. The reference is the
best of ours, of scipy's where it lies in the range of our shape, and of {STARTS} climbs (Nelder-Mead, then L-BFGS-B, in
the same range; one from the parameters of the draw, the others from random places about them), whose own share is
"climbs". Ranges: GEV's shape from -1 to 5, GeneralizedPareto's from -1, LocationScaleT's degrees of freedom from 0.5 to
1e5, SkewNormal's shape up to 1000 either way. An estimate of scipy's outside of them ("scipy outside") is no reference,
and counts as exact where its likelihood is not below the reference: beyond -1 the likelihood of GEV and
GeneralizedPareto is unbounded. "failed" counts exceptions, which are no fit; "warned" counts fits with a warning,
judged by their likelihood. Uniform and Pareto have no climbs: their maximum is at the end of the support. Scales are
log-uniform from 1e-3 to 1e3, locations up to 10 scales from 0; shapes: df 1 to 30, skewness 0.1 to 20 of either sign,
GEV and GeneralizedPareto uniform from -0.8 to 1, LogNormal 0.1 to 3, Gamma 0.1 to 100, InverseGaussian shape / mean
0.05 to 20, Weibull and Pareto 0.3 to 10, Beta 0.5 to 50, VonMises 0.1 to 50."""


def table(rows, columns):
    """A simple table of reStructuredText."""
    cells = [list(columns.values()), *([_cell(row, name) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def _cell(row, name):
    if name not in row:
        return "-"
    value = row[name]
    if name == "ratio":
        return f"{value:.3g}{'*' if value > row['target'] else ''}"
    if name == "law":
        return value.removeprefix("scipy.stats.")
    if name == "log-likelihood":
        return f"{value:.6f}"
    if name.endswith(("exact", "near")):
        return f"{value:.1%}"
    if name in ("difference", "ours lack", "scipy lack"):
        return f"{value:.1e}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def header(argv, n_rows, seed):
    """What was run, on what."""
    versions = {"python": platform.python_version(), "skgen": skgen.__version__}
    versions |= {module.__name__: module.__version__ for module in (np, scipy)} | {"scikit-learn": sklearn.__version__}
    return "\n".join(
        [
            f":command: python benchmarks/bench_parametric.py {' '.join(argv)}".rstrip(),
            f":commit: {_commit()}",
            f":seed: {seed}",
            f":versions: {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}",
            f":machine: {os.cpu_count()} CPUs, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}",
            f":rows: {n_rows:,} for the tables of speed",
        ]
    )


def _commit():
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def miss(one):
    """A line for a data set where our fit failed."""
    where = ", ".join(f"{v:.6g}" for v in one["theta"])
    return (
        f"* {one['family']}({where}), default_rng({one['seed']}): {one['estimate']} reaches {one['ours']:.6f}, "
        f"the best {one['best']:.6f}, scipy {one['scipy']:.6f}"
    )


def main(argv=None):
    """Print the tables, and return their rows."""
    parser = argparse.ArgumentParser(description="Univariate families against scipy.stats.")
    parser.add_argument("--quick", action="store_true", help="10,000 rows, 5 data sets, a few families")
    parser.add_argument("--write", action="store_true", help=f"save as {RESULT.relative_to(ROOT)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sets", type=int, default=100, help="data sets for each family and size")
    parser.add_argument("--only", choices=["speed", "quality"], help="one of the two tables")
    parser.add_argument("--family", nargs="+", help="names of families")
    argv = sys.argv[1:] if argv is None else argv
    given = parser.parse_args(argv)
    n_rows, n_sets = (10_000, 5) if given.quick else (1_000_000, given.sets)
    names = given.family or (QUICK if given.quick else [case.name for case in CONTINUOUS + COUNTS])
    continuous, counts = ([case for case in cases if case.name in names] for cases in (CONTINUOUS, COUNTS))

    rows, misses = {"speed": [], "counts": [], "quality": []}, []
    if given.only != "quality":
        rows["speed"], rows["counts"] = (speed(cases, n_rows, given.seed) for cases in (continuous, counts))
    if given.only != "speed":
        for n in [30] if given.quick else [30, 1000]:
            found, missed = quality(continuous, n, n_sets, given.seed)
            rows["quality"] += found
            misses += missed

    parts = ["Parametric families and scipy.stats\n" + "=" * 35, header(argv, n_rows, given.seed)]
    if rows["speed"]:
        parts += ["Speed\n-----", SPEED_NOTE, table(rows["speed"], SPEED)]
    if rows["counts"]:
        parts += ["Scipy's laws of counts have no fit to data without bounds:", table(rows["counts"], SCORES)]
    if rows["quality"]:
        parts += ["Quality\n-------", QUALITY_NOTE, table(rows["quality"], QUALITY)]
        if misses:
            parts.append("Data sets where our fit missed the maximum, or warned:\n\n" + "\n".join(map(miss, misses)))
    text = "\n\n".join(parts) + "\n"
    print(text)
    if given.write:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(text)
    return rows


if __name__ == "__main__":
    main()
