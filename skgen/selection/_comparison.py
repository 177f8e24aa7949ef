"""The table that a comparison gives."""

import html
import re
from dataclasses import dataclass, field, fields

import numpy as np

HEADINGS = ("model", "log-likelihood", "s.e.", "difference", "s.e.", "likelihood", "fit s", "sample s", "parameters")
WANTS = re.compile(r"\w+ wants (.*?), but ")  # the reason of a model that is for rows of another kind
MOST_REASONS = 3  # of that sort, before they become one sentence
WORDS = {"model", "likelihood", "parameters"}  # words stand on the left, numbers on the right


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
        wants = {row.model: WANTS.match(row.reason) for row in self.rows if row.reason}
        others = [f"{model} ({found[1]})" for model, found in wants.items() if found]
        is_long = len(others) > MOST_REASONS
        remarks = [
            row.reason if row.reason.startswith(f"{row.model} ") else f"{row.model}: {row.reason}"
            for row in self.rows
            if row.reason and not (is_long and wants[row.model])
        ]
        return remarks + [f"For other rows than these: {', '.join(others)}."] * is_long

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
