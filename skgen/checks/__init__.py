"""The laws that every density estimator keeps, as a tool for models of one's own.

A law is a small function of (estimator, X, rng) that raises AssertionError with a sentence when it is broken. `LAWS`
lists them; `check_density_estimator` runs them on any estimator with `fit`, `score_samples` and `sample`, also on one
that is not from here, and says what breaks:

>>> from sklearn.neighbors import KernelDensity
>>> from skgen.checks import check_density_estimator, score_is_the_mean_of_score_samples
>>> [verdict] = check_density_estimator(
...     KernelDensity(), laws=[score_is_the_mean_of_score_samples], on_fail="report"
... )
>>> verdict.status
'broken'

A model of one's own passes when it keeps the contract of `skgen.base`:

>>> from skgen import Gaussian
>>> {verdict.status for verdict in check_density_estimator(Gaussian(), on_fail="report")} <= {"kept", "not applicable"}
True

"inconclusive" is no pass: the method at hand could not decide (a density of many narrow peaks in five dimensions,
say). Every random test is done at a level of 1e-5. Faults of this size are caught 99 times in 100 (a constant that is
too large; draws that spread too far, for counts a rate that is off, for labels a share of rows that is changed,
for angles, directions, parts and matrices a concentration that is off):

==================  ========  ============  ========
rows hold           columns   constant off  draws off
==================  ========  ============  ========
real numbers        1, 2      0.1 %         5 %
real numbers        5, 10     1 %           5 %
real numbers        50        1.5 %         5 %
non-negative ones   1, 2      0.1 %         5 %
non-negative ones   5         1 %           5 %
counts              1, 2      0.1 %         2 %
counts              5         0.5 %         2 %
zeros and ones      up to 12  0.1 %         5 %
labels              up to 4   0.1 %         5 %
angles              1, 2      0.1 %         5 %
angles              4         1.5 %         5 %
directions          2, 3      0.1 %         5 %
directions          5         1 %           5 %
parts of a whole    2, 3      0.1 %         5 %
parts of a whole    5         1 %           5 %
matrices            1         0.1 %         5 %
matrices            3, 6      1 %           5 %
counts of kinds     2         0.5 %         2 %
counts of kinds     4         1.5 %         2 %
==================  ========  ============  ========
"""

import warnings
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import NamedTuple

import numpy as np

import skgen
from skgen.base import DensityEstimator
from skgen.checks._distribution import (
    draws_follow_the_density,
    finds_itself_again,
    improves_with_rows,
    is_zero_off_its_support,
    never_scores_nan,
    normalises,
)
from skgen.checks._fitting import (
    a_row_scores_alike_alone,
    a_seed_fixes_fit_and_draw,
    blocks_make_the_whole,
    draws_are_independent,
    fit_leaves_its_input_alone,
    global_seeds_are_left_alone,
    parameters_wait_for_the_next_fit,
    row_order_is_irrelevant,
    sample_gives_rows_of_the_support,
    scoring_and_sampling_change_nothing,
    threads_do_not_meet,
    units_shift_the_score_by_the_jacobian,
    unweightable_parts_refuse,
    weights_are_frequencies,
)
from skgen.checks._objects import (
    bad_input_is_refused,
    copies_score_alike,
    float32_is_read_as_it_is,
    it_is_quiet,
    score_is_the_mean_of_score_samples,
    you_get_back_what_you_gave,
)
from skgen.checks._running import NotApplicable
from skgen.checks._view import Inconclusive, support_of

LAWS_OF_THE_FIT = [
    weights_are_frequencies,
    unweightable_parts_refuse,
    row_order_is_irrelevant,
    a_row_scores_alike_alone,
    units_shift_the_score_by_the_jacobian,
    a_seed_fixes_fit_and_draw,
    global_seeds_are_left_alone,
    threads_do_not_meet,
    blocks_make_the_whole,
    fit_leaves_its_input_alone,
    sample_gives_rows_of_the_support,
    scoring_and_sampling_change_nothing,
    parameters_wait_for_the_next_fit,
    draws_are_independent,
]
LAWS_OF_THE_OBJECT = [
    score_is_the_mean_of_score_samples,
    copies_score_alike,
    you_get_back_what_you_gave,
    float32_is_read_as_it_is,
    bad_input_is_refused,
    it_is_quiet,
]
LAWS_OF_THE_DISTRIBUTION = [
    normalises,
    is_zero_off_its_support,
    never_scores_nan,
    draws_follow_the_density,
    finds_itself_again,
    improves_with_rows,
]
LAWS = LAWS_OF_THE_FIT + LAWS_OF_THE_OBJECT + LAWS_OF_THE_DISTRIBUTION


class Verdict(NamedTuple):
    """How a law ended: "kept", "broken", "inconclusive" or "not applicable", and why."""

    law: str
    status: str
    reason: str


def check_density_estimator(estimator, X=None, *, laws=None, seed=0, on_fail="raise"):
    """Test a density estimator against the laws.

    Parameters
    ----------
    estimator : object
        Unfitted, with `fit`, `score_samples` and `sample`.
    X : array, data frame or list of sequences, optional
        Rows to fit; without them, 200 rows of two columns (more, where a row has more) are drawn from the support.
    laws : list of functions, optional
        Those to run; all of `LAWS` by default.
    seed : int
        Fixes every draw: a verdict repeats.
    on_fail : {"raise", "report"}
        Whether a broken law raises, or is only listed.

    Returns
    -------
    list of Verdict
        One for each law.

    Raises
    ------
    AssertionError
        Listing every broken law, unless `on_fail="report"`.

    Warns
    -----
    UserWarning
        Listing every law that could not be decided, unless `on_fail="report"`.

    Examples
    --------
    >>> from skgen import Normal
    >>> from skgen.checks import check_density_estimator, normalises
    >>> check_density_estimator(Normal(), laws=[normalises])
    [Verdict(law='normalises', status='kept', reason='')]
    """
    if on_fail not in ("raise", "report"):
        raise ValueError(f'on_fail is "raise" or "report", got {on_fail!r}.')
    if getattr(estimator, "conditional", False):
        raise ValueError("The laws are those of unconditional densities: check the model with conditional=False.")
    if X is None:
        support = support_of(estimator)
        X = support.draw(np.random.default_rng(seed), 200, support.width(2))
    verdicts = [_verdict(law, estimator, X, np.random.default_rng(seed)) for law in (LAWS if laws is None else laws)]
    broken = [f"{v.law}: {v.reason}" for v in verdicts if v.status == "broken"]
    if broken and on_fail == "raise":
        raise AssertionError(f"{estimator!r} breaks {len(broken)} law(s):\n" + "\n".join(broken))
    undecided = [f"{v.law}: {v.reason}" for v in verdicts if v.status == "inconclusive"]
    if undecided and on_fail == "raise":
        warnings.warn(f"{estimator!r}, not decided: " + "; ".join(undecided), UserWarning, stacklevel=2)
    return verdicts


def _verdict(law, estimator, X, rng):
    try:
        law(estimator, X, rng)
    except AssertionError as error:
        return Verdict(law.__name__, "broken", str(error) or law.__doc__.splitlines()[0])
    except NotApplicable as reason:
        return Verdict(law.__name__, "not applicable", str(reason))
    except Inconclusive as reason:
        return Verdict(law.__name__, "inconclusive", str(reason))
    except Exception as error:  # a stranger may lack a method or an argument: that breaks the law too
        return Verdict(law.__name__, "broken", f"{type(error).__name__}: {error}")
    return Verdict(law.__name__, "kept", "")


def all_estimators():
    """Every density estimator of the suite.

    Returns
    -------
    list of (str, type)
        Names and classes, sorted by name: what the families' packages export.

    Examples
    --------
    >>> from skgen.checks import all_estimators
    >>> "Gaussian" in dict(all_estimators())
    True
    """
    found = {}
    for module in iter_modules(skgen.__path__):
        if module.ispkg and module.name != "checks":
            family = import_module(f"skgen.{module.name}")
            for name in getattr(family, "__all__", ()):
                thing = getattr(family, name)
                if isinstance(thing, type) and issubclass(thing, DensityEstimator) and not isabstract(thing):
                    found[name] = thing
    return sorted(found.items())
