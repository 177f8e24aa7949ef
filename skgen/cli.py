"""The command line: `skgen compare | fit | score | sample`, thin around the library.

Results go to standard output or to files, everything else to standard error. Files appear complete or not at all.
"""

import argparse
import os
import sys
import warnings
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import skgen
from skgen.files import replacing

USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # exit codes; the last two as a shell counts signals
BAR_LENGTH, NAME_LENGTH = 30, 24
N_SAMPLES = 1000  # rows in samples.csv

DATA = "a .csv, .tsv, .txt, .parquet or .npy file"


def main(argv=None):
    """Run one command.

    Parameters
    ----------
    argv : list of str, optional
        Its words; those of the command line by default.

    Returns
    -------
    code : int
        0, or 2 for an error of the user's, which is told in a sentence.

    Examples
    --------
    >>> from skgen.cli import main
    >>> main(["--version"])
    skgen 0.1.0
    0
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a word that argparse does not understand
        return stop.code
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            arguments.command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has had enough; nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        _complain(_sentence(error))
        return USER_ERROR
    return 0


def _complain(text):
    print(f"skgen: {' '.join(str(text).split())}", file=sys.stderr)


def _show_warning(message, category, *_, **__):
    if issubclass(category, UserWarning):  # the others are for those who write code
        _complain(message)


def _sentence(error):
    if isinstance(error, MemoryError):
        return f"The memory does not suffice: {error}"
    if isinstance(error, ImportError):
        return f"{error} Everything comes with: pip install 'skgen[all]'."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else error.strerror
    return error


class _Parser(argparse.ArgumentParser):
    """Whose errors are one sentence too."""

    def error(self, message):
        self.exit(USER_ERROR, f"skgen: {message}. See {self.prog} --help.\n")


def _parser():
    parser = _Parser(prog="skgen", description="Densities of tables: compare models, fit, score and draw.")
    parser.add_argument("--version", action="version", version=f"skgen {skgen.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

    def add(name, command, description):
        sub = commands.add_parser(name, help=description, description=description)
        sub.set_defaults(command=command)
        return sub

    sub = add("compare", _compare, "Held-out log-likelihood of many models, best first.")
    sub.add_argument("data", nargs="?", metavar="DATA", help=f"{DATA}; the Old Faithful eruptions by default")
    sub.add_argument("--models", metavar="A,B", help='names, or "all" to have networks too')
    sub.add_argument("--cv", type=int, default=5, metavar="N", help="number of folds (5)")
    sub.add_argument("--out", type=Path, metavar="DIR", help="folder for compare.csv, samples.csv and model.skgen")
    sub.add_argument("--n-jobs", type=int, metavar="N", help="fits at a time; -1 takes all cores")
    sub.add_argument("--counts", default="", metavar="X,Y", help="columns of whole numbers to compare as counts")
    sub.add_argument("--continuous", default="", metavar="X,Y", help="columns to compare as continuous")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="for folds, fits and samples (0)")

    sub = add("fit", _fit, "Fit a model and save it.")
    sub.add_argument("data", metavar="DATA", help=DATA)
    sub.add_argument("--model", required=True, metavar="NAME", help="such as Gaussian or student_t")
    sub.add_argument("--param", action="append", default=[], metavar="K=V", help="a parameter; may be repeated")
    sub.add_argument("--out", required=True, type=Path, metavar="FILE", help="such as model.skgen")

    sub = add("score", _score, "Log-density of each row, in nats.")
    sub.add_argument("model", type=Path, metavar="MODEL", help="a file that skgen fit or compare wrote")
    sub.add_argument("data", metavar="DATA", help=DATA)
    sub.add_argument("--out", type=Path, metavar="FILE", help="standard output by default")

    sub = add("sample", _sample, "Draw new rows.")
    sub.add_argument("model", type=Path, metavar="MODEL", help="a file that skgen fit or compare wrote")
    sub.add_argument("-n", "--n-samples", type=int, default=1, metavar="N", help="number of rows (1)")
    sub.add_argument("--seed", type=int, metavar="N", help="gives the same rows every time")
    sub.add_argument("--out", type=Path, metavar="FILE", help="standard output by default")
    return parser


# The commands


def _compare(arguments):
    from skgen.datasets import load_faithful
    from skgen.selection import compare
    from skgen.tables import read_file

    X = read_file(arguments.data) if arguments.data else load_faithful(as_frame=bool(find_spec("pandas"))).data
    candidates = _candidates(arguments.models)
    with _folder(arguments.out) as folder:
        with _progress_bar() as progress:
            comparison = compare(
                X,
                candidates,
                cv=arguments.cv,
                measure=_measure(arguments.counts, arguments.continuous),
                n_jobs=arguments.n_jobs,
                random_state=arguments.seed,
                progress=progress,
            )
        print(comparison)
        best = comparison.best_
        if folder:
            table = comparison.to_dict()
            samples = best.sample(N_SAMPLES, random_state=arguments.seed)
            _save(best, folder / "model.skgen")
            _write(folder / "compare.csv", list(table), zip(*table.values(), strict=True))
            _write(folder / "samples.csv", *_names_and_rows(samples))


def _fit(arguments):
    from skgen.tables import read_file

    model = _set(_model(arguments.model), arguments.param)
    _save(model.fit(read_file(arguments.data)), arguments.out)


def _score(arguments):
    from skgen.tables import read_file

    model = _load(arguments.model)
    X = _columns_of(model, read_file(arguments.data, model.columns_), arguments.data)
    log_density = model.score_samples(X)
    _write(arguments.out, ["log_density"], [[value] for value in log_density.tolist()])
    print(f"mean {log_density.mean():.6g} nats per row, {len(log_density)} rows", file=sys.stderr)


def _sample(arguments):
    X = _load(arguments.model).sample(arguments.n_samples, random_state=arguments.seed)
    _write(arguments.out, *_names_and_rows(X))


# Models


def _plain(name):
    """StudentT, student_t and student-t are one name."""
    return name.strip().lower().replace("_", "").replace("-", "")


def _candidates(names):
    """The candidates of a comparison by name: None for the library's choice."""
    from skgen.selection import default_candidates

    if names is None:
        return None
    known = default_candidates(networks=True)
    wanted = known if names == "all" else [_known_name(name, known) for name in names.split(",") if name.strip()]
    if not wanted:
        raise ValueError(f"--models names none. There are {', '.join(known)}.")
    return {name: known[name] for name in wanted}


def _known_name(name, known):
    by_plain_name = {_plain(name): name for name in known}
    if _plain(name) not in by_plain_name:
        raise ValueError(f"There is no model {name.strip()!r}. There are {', '.join(known)}.")
    return by_plain_name[_plain(name)]


def _model(name):
    """The unfitted model of that name, with its defaults."""
    from skgen.selection import default_candidates

    known = default_candidates(networks=True)
    candidate = known[_known_name(name, known)]
    return candidate.estimator if hasattr(candidate, "param_grid") else candidate


def _set(model, assignments):
    """The model with parameters from words such as "df=3"."""
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ValueError(f"--param wants NAME=VALUE, got {assignment!r}.")
        if name not in model.get_params():
            known = model.get_params(deep=False)
            listed = f"It has {', '.join(known)}." if known else "It has none."
            raise ValueError(f"{type(model).__name__} has no parameter {name!r}. {listed}")
        model.set_params(**{name: _value(value)})
    return model


def _value(text):
    """A Python literal, an estimator by its exact name, or the text itself."""
    import ast
    from inspect import isclass

    from sklearn import covariance

    from skgen.checks import all_estimators

    with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ast.literal_eval(text)
    classes = {name: getattr(covariance, name) for name in covariance.__all__} | dict(all_estimators())
    found = classes.get(text.removesuffix("()"))
    return found() if isclass(found) else text


def _measure(counts, continuous):
    """The measure by column: `--counts x,y --continuous z`."""
    words = {name.strip(): "counting" for name in counts.split(",") if name}
    for name in filter(None, continuous.split(",")):
        if name.strip() in words:
            raise ValueError(f"Column {name.strip()!r} cannot be compared both as counts and as continuous.")
        words[name.strip()] = "lebesgue"
    return words


def _save(model, path):
    from skgen.persistence import save

    try:
        save(model, path)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _load(path):
    """A fitted density from a file."""
    from sklearn.utils.validation import check_is_fitted

    from skgen.base import DensityEstimator
    from skgen.persistence import load

    model = load(path)
    if not isinstance(model, DensityEstimator):
        raise ValueError(f"{path} holds a {type(model).__name__}, which is no density estimator.")
    check_is_fitted(model)
    return model


# Tables


def _columns_of(model, X, path):
    """The columns of the table that the model knows, in its order."""
    import narwhals.stable.v2 as nw

    names, known = list(X.columns), model.columns_.names
    if known is None:  # fitted to an array: the order is all there is
        if len(names) != model.n_features_in_:
            raise ValueError(f"{path} has {len(names)} columns, but the model knows {model.n_features_in_}.")
        return nw.from_native(X).to_numpy()
    missing = [name for name in known if name not in names]
    unknown = [name for name in names if name not in known]
    if missing or unknown:
        lacks = f"lacks the columns {missing}" if missing else f"has the columns {unknown}, which are not the model's"
        raise ValueError(f"{path} {lacks}: the model knows {known}.")
    return X[known]


def _names_and_rows(X):
    """A frame or an array as its header and its rows."""
    import narwhals.stable.v2 as nw

    if hasattr(X, "columns"):
        return list(X.columns), nw.from_native(X).rows()
    return [f"x{j}" for j in range(X.shape[1])], X.tolist()


def _write(path, names, rows):
    """Write a table as csv; NaN, which only a comparison has, as nothing."""
    import csv

    with _stream(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if value != value else value for value in row] for row in rows)


@contextmanager
def _stream(path):
    """A file that appears once it is complete; standard output for None."""
    if path is None:
        yield sys.stdout
        return
    with replacing(path, encoding="utf-8", newline="") as stream:
        yield stream


@contextmanager
def _folder(path):
    """The folder for results, made before the work, which may be long, and gone again if nothing came of it."""
    if path is None:
        yield None
        return
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        if is_new:
            with suppress(OSError):  # it holds the results
                path.rmdir()


@contextmanager
def _progress_bar():
    """A callback that draws on the terminal, and nothing where standard error is none."""
    if not sys.stderr.isatty():
        yield None
        return

    def draw(n_done, n_fits, name):
        bar = "#" * (BAR_LENGTH * n_done // n_fits)
        print(f"\r[{bar:<{BAR_LENGTH}}] {n_done}/{n_fits} {name:<{NAME_LENGTH}.{NAME_LENGTH}}", end="", file=sys.stderr)
        sys.stderr.flush()

    try:
        yield draw
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
