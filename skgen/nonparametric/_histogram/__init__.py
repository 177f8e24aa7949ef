"""The histogram: what counts rows, and what makes a density of it."""

from skgen.nonparametric._histogram._histogram import HistogramDensity

__all__ = ["HistogramDensity"]
