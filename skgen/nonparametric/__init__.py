"""Nonparametric families: densities that let the rows speak."""

from skgen.nonparametric._ascent import Modes
from skgen.nonparametric._kde import KernelDensity
from skgen.nonparametric._kernels import StudentTKernel

__all__ = ["KernelDensity", "Modes", "StudentTKernel"]
