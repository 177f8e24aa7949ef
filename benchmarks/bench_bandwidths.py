r"""Bandwidth selectors on the 28 densities of Berlinet and Devroye, beside those of R: how far from the best bandwidth.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bench_bandwidths.py --write

Each selector is judged by the integrated squared error of the gaussian kernel estimate with its bandwidth, as a
multiple of the least one that any bandwidth has on the same sample. R gets the very same samples, where there is an
Rscript with the package ks (`benchmarks/bandwidths.R`).
"""

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import _report
from _squared_error import Errors

from skgen.datasets import BENCHMARK_DENSITIES
from skgen.nonparametric._bandwidth import RULES, select

RESULT = _report.RESULTS / "bandwidths.rst"
SCRIPT = Path(__file__).with_name("bandwidths.R")
OF_R = {  # selectors of R's stats and of its package ks, and ours that do the same
    "bw.nrd0": "nrd0",
    "bw.nrd": "nrd",
    "bw.ucv": "lscv",
    "bw.bcv": "bcv",
    "bw.SJ-ste": "sheather_jones",
    "bw.SJ-dpi": "sheather_jones_dpi",
    "hpi": "plug_in",
    "hscv": "scv",
}
SETS = {100: 15, 1000: 5, 10_000: 2}  # samples of each density, by their size
QUICK_SETS, QUICK = {100: 2}, ("infinite peak", "normal", "claw")


# Samples and bandwidths


def draws(densities, n_rows, n_sets, seed):
    """Samples of each density: pairs of a density and its sample, shape (n_rows,)."""
    for density in densities:
        for r in range(n_sets):
            yield density, density.sample(n_rows, np.random.default_rng([seed, density.number, n_rows, r]))[:, 0]


def ours(x):
    """What each rule chooses: name -> (bandwidth, seconds, whether it warned); the bandwidth is NaN where it fails."""
    found = {}
    for rule in RULES:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            start = time.perf_counter()
            try:
                h = float(select(rule, x[:, None], np.ones(len(x)))[0])
            except (ValueError, ArithmeticError):
                h = np.nan
            found[rule] = h, time.perf_counter() - start, bool(heard)
    return found


def by_r(samples, rscript):
    """What R chooses for each sample, as `ours` has it, and its versions; nothing where there is no Rscript."""
    if rscript is None:
        return [{} for _ in samples], None
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savetxt(folder / "sizes.txt", [len(x) for x in samples], fmt="%d")
        np.concatenate(samples).astype("<f8").tofile(folder / "samples.bin")
        subprocess.run([rscript, "--vanilla", SCRIPT, folder], check=True, capture_output=True, text=True)
        found = [{} for _ in samples]
        for line in (folder / "bandwidths.csv").read_text().splitlines()[1:]:
            number, name, h, seconds = line.split(",")
            found[int(number)][name] = (np.nan if h == "NA" else float(h)), float(seconds), False
        return found, (folder / "versions.txt").read_text().split()


def find_r():
    """The path of an Rscript that has the package ks, or None."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    works = subprocess.run([rscript, "--vanilla", "-e", "library(ks)"], capture_output=True).returncode == 0
    return rscript if works else None


# Errors


def judge(density, x, bandwidths):
    """Errors on one sample.

    Parameters
    ----------
    density : BenchmarkDensity
    x : ndarray of shape (n_rows,)
    bandwidths : dict
        Name -> (bandwidth, seconds, warned).

    Returns
    -------
    dict
        The least error ("least"), the bandwidth that has it ("best"), and by name the multiples of it ("ratios"), NaN
        where the bandwidth is.
    """
    errors = Errors(density, x)
    best, least = errors.best(bandwidths["nrd0"][0])
    found = {name: errors(h) if np.isfinite(h) else np.nan for name, (h, _, _) in bandwidths.items()}
    for name, error in found.items():
        if error < least:
            best, least = bandwidths[name][0], error
    return {"best": best, "least": least, "ratios": {name: error / least for name, error in found.items()}}


def measure(densities, n_rows, n_sets, seed, rscript=None):
    """All that the tables for samples of one size need: a list of dicts, one for each sample; and R's versions."""
    pairs = list(draws(densities, n_rows, n_sets, seed))
    theirs, versions = by_r([x for _, x in pairs], rscript)
    found = []
    for (density, x), of_r in zip(pairs, theirs, strict=True):
        chosen = ours(x) | of_r
        found.append({"density": density, "n": n_rows, "chosen": chosen} | judge(density, x, chosen))
    return found, versions


# Tables


def mean_and_error(values):
    """Mean of those that are finite, its standard error, and how many are not."""
    values = np.asarray(values)
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return np.nan, np.nan, len(values)
    error = finite.std(ddof=1) / np.sqrt(len(finite)) if len(finite) > 1 else np.nan
    return float(finite.mean()), float(error), len(values) - len(finite)


def detail(found, names):
    """A line for each density: the least error, and the mean multiple of it that each selector has."""
    rows = []
    for density in dict.fromkeys(one["density"] for one in found):
        here = [one for one in found if one["density"] == density]
        mark = "" if np.isfinite(density.roughness) else " (L1)"
        least = float(np.mean([one["least"] for one in here]))
        row = {"density": f"{density.number} {density.name}{mark}", "least": f"{least:.2e}"}
        for name in names:
            mean, error, n_failed = mean_and_error([one["ratios"][name] for one in here])
            row[name] = "failed" if n_failed == len(here) else f"{mean:.3g} ± {error:.1g}" + "!" * (n_failed > 0)
        rows.append(row)
    return rows


def summary(found, names):
    """A line for each selector: its ratios over the densities whose squared error there is, failures and time."""
    squares = [one for one in found if np.isfinite(one["density"].roughness)]
    densities = list(dict.fromkeys(one["density"] for one in squares))
    rows = []
    for name in names:
        means = {
            density.name: mean_and_error([one["ratios"][name] for one in squares if one["density"] == density])[0]
            for density in densities
        }
        means = {density: mean for density, mean in means.items() if np.isfinite(mean)}
        worst = max(means, key=means.get, default=None)
        rows.append(
            {
                "selector": name,
                "mean": float(np.exp(np.mean(np.log(list(means.values()))))) if means else np.nan,
                "median": float(np.median(list(means.values()))) if means else np.nan,
                "worst": means.get(worst),
                "where": worst,
                "failed": sum(not np.isfinite(one["chosen"][name][0]) for one in found),
                "warned": sum(one["chosen"][name][2] for one in found),
                "seconds": float(np.median([one["chosen"][name][1] for one in found])),
            }
        )
    return rows


SUMMARY = {
    "selector": "selector",
    "mean": "geometric mean",
    "median": "median",
    "worst": "worst",
    "where": "on",
    "failed": "failed",
    "warned": "warned",
    "seconds": "s",
    "r": "R's",
    "r mean": "geometric mean",
    "r median": "median",
    "r worst": "worst",
    "r where": "on",
    "r failed": "failed",
    "r seconds": "s",
}
NOTE = """\
The integrated squared error of the gaussian kernel estimate with the bandwidth that a selector chooses, divided by the
least one that any bandwidth has on the same sample ("best in hindsight", found by trying all). Below are, for each
density, the mean of this ratio over samples and its standard error; and first, over the 24 densities, their geometric
mean, their median, and the worst of them. 1 is perfect.

Four densities have no integral of their square (infinite peak, Matterhorn, chi-square 1, normal cubed): in their lines,
marked L1, the error is the integral of the absolute difference, and they are not in the summaries. "failed" counts
samples for which a selector gave an error or no positive number (those are left out of the means, marked with "!"), and
"warned" those where it gave a warning. "s" is the median time of a choice, in seconds on the clock, all dimensions'
general code included on our side; R's is its own, to milliseconds. Errors are in closed form but for one integral, a
quadrature between the points where the density is not smooth."""
WITH_R = """\
R's selectors got the same samples at their defaults (bw.ucv, bw.bcv and bw.SJ search within a factor of ten and count
distances in 1000 bins; hpi and hscv are the package ks's, of which hpi bins rows on 401 nodes) and stand beside ours
that do the same. Where the criterion of cross-validation has several minima, ours takes the largest bandwidth."""
WITHOUT_R = "R's selectors stand here where there is an Rscript with the package ks; in this run it was not installed."


def beside(rows, theirs):
    """The lines of our selectors with those of R that do the same."""
    partner = {OF_R[row["selector"]]: row for row in theirs}
    for row in rows:
        if row["selector"] in partner:
            other = partner[row["selector"]]
            row |= {"r": other["selector"]}
            row |= {f"r {name}": other[name] for name in ("mean", "median", "worst", "where", "failed", "seconds")}
    return rows


def tables_of(found, n_rows, n_sets, has_r):
    """The parts of the page for samples of one size."""
    rows = beside(summary(found, RULES), summary(found, OF_R) if has_r else [])
    columns = {name: heading for name, heading in SUMMARY.items() if has_r or not name.startswith("r")}
    detailed = {"density": "density", "least": "best error"}
    parts = [_report.section(f"{n_rows:,} rows, {n_sets} samples of each density"), _report.table(rows, columns)]
    parts.append(_report.table(detail(found, RULES), detailed | {name: name for name in RULES}))
    if has_r:
        parts.append(_report.table(detail(found, OF_R), detailed | {name: f"R: {name}" for name in OF_R}))
    return parts


def main(argv=None):
    """Print the tables, and return what they were made from."""
    parser = _report.parser("Bandwidth selectors on the 28 densities of Berlinet and Devroye.", RESULT)
    parser.add_argument("--rows", type=int, nargs="+", choices=list(SETS), help="sizes of the samples")
    parser.add_argument("--sets", type=int, help="samples of each density")
    parser.add_argument("--no-r", action="store_true", help="do not look for R")
    argv = sys.argv[1:] if argv is None else argv
    given = parser.parse_args(argv)
    sets = QUICK_SETS if given.quick else {n: SETS[n] for n in given.rows or SETS}
    sets = {n: given.sets or n_sets for n, n_sets in sets.items()}
    densities = [density for density in BENCHMARK_DENSITIES if not given.quick or density.name in QUICK]
    rscript = None if given.no_r else find_r()

    parts, everything, versions = [], [], None
    for n_rows, n_sets in sets.items():
        found, versions = measure(densities, n_rows, n_sets, given.seed, rscript)
        everything += found
        parts += tables_of(found, n_rows, n_sets, versions is not None)
    named = "not installed" if versions is None else "R {}, ks {}".format(*versions)
    head = _report.header("bench_bandwidths.py", argv, given.seed, r=named)
    notes = [_report.title("Bandwidth selectors"), head, NOTE, WITHOUT_R if versions is None else WITH_R]
    _report.finish(notes + parts, RESULT if given.write else None)
    return everything


if __name__ == "__main__":
    main()
