"""What the reports of benchmarks share: tables of reStructuredText, and what was run on what."""

import argparse
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import skgen

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
STAR = "*"  # after a figure that misses its target


def table(rows, columns):
    """A simple table: rows are dicts of text or numbers, columns map their keys to headings; "-" where one lacks."""
    cells = [list(columns.values()), *([cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def cell(value):
    """A number as text."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def judged(value, target, *, at_least):
    """A figure, with a star if it misses its target (None: there is none)."""
    if target is None:
        return cell(float(value))
    missed = not (value >= target if at_least else value <= target)
    return cell(float(value)) + STAR * missed


def header(script, argv, seed, others=(), **lines):
    """What was run: command, commit, seed, versions of ours and of `others`, machine, and further lines."""
    versions = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "numba", *others)}
    versions |= {"python": platform.python_version(), "skgen": skgen.__version__}
    fields = {
        "command": f"python benchmarks/{script} {' '.join(argv)}".rstrip(),
        "commit": commit(),
        "seed": seed,
        "versions": ", ".join(f"{name} {versions[name]}" for name in sorted(versions)),
        "machine": f"{os.cpu_count()} CPUs, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}",
    }
    return "\n".join(f":{name}: {text}" for name, text in (fields | lines).items())


def version(name):
    """The version of an installed package, or that there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def commit():
    """The commit that is checked out, and whether files have changed since."""
    try:
        found = _git("rev-parse", "HEAD")
        return f"{found} and changes" if _git("status", "--porcelain", "--untracked-files=no", "skgen") else found
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*command):
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def parser(description, result):
    """Options that each benchmark has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="a small table in a few seconds")
    options.add_argument("--write", action="store_true", help=f"save as {result.relative_to(ROOT)}")
    options.add_argument("--seed", type=int, default=0)
    return options


def title(text):
    """A heading of a page."""
    return f"{text}\n{'=' * len(text)}"


def section(text):
    """A heading in a page."""
    return f"{text}\n{'-' * len(text)}"


def finish(parts, path=None):
    """Print the parts of a page, and save them if there is a path."""
    text = "\n\n".join(parts) + "\n"
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
