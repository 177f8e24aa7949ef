"""Weighted points onto a grid, and back from it to other points, by Gaussians that are cut off; compiled.

Grids have three axes. With fewer dimensions the first ones have a single node, at 0, and a width of one node.
"""

import math

import numpy as np

from skgen.compiled import LOOSE, kernel


@kernel
def bells(x, widths, steepness, first, values):
    """The first node and the Gaussian at each node around a point x, in units of the grid's step."""
    for axis in range(3):
        first[axis] = math.ceil(x[axis] - 0.5 * widths[axis])
        for j in range(widths[axis]):
            t = x[axis] - (first[axis] + j)
            values[axis, j] = math.exp(-steepness * t * t)


@kernel(fastmath={"contract"})
def add_row(row, values, factor, width):
    """Add a multiple of the values."""
    for j in range(width):
        row[j] += factor * values[j]


@kernel(fastmath=LOOSE)
def dot_row(row, values, width):
    """The sum of products."""
    found = 0.0
    for j in range(width):
        found += row[j] * values[j]
    return found


@kernel
def spread(X, weights, widths, steepness, grid):
    """Add weights[i] times a Gaussian around each point X[i] to the grid."""
    first, values = np.empty(3, np.int64), np.empty((3, widths[2]))
    for i in range(len(X)):
        bells(X[i], widths, steepness, first, values)
        for j in range(widths[0]):
            for k in range(widths[1]):
                row = grid[first[0] + j, first[1] + k, first[2] : first[2] + widths[2]]
                add_row(row, values[2], weights[i] * values[0, j] * values[1, k], widths[2])


@kernel
def gather(X, widths, steepness, grid, out):
    """The sum of the grid times a Gaussian around each point X[i]."""
    first, values = np.empty(3, np.int64), np.empty((3, widths[2]))
    for i in range(len(X)):
        bells(X[i], widths, steepness, first, values)
        found = 0.0
        for j in range(widths[0]):
            for k in range(widths[1]):
                row = grid[first[0] + j, first[1] + k, first[2] : first[2] + widths[2]]
                found += values[0, j] * values[1, k] * dot_row(row, values[2], widths[2])
        out[i] = found
