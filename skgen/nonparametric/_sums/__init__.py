"""Sums of kernels around centres, in coordinates whose bandwidth is 1: the fast ways, all exact to 1e-10.

======================  ============================================================================
`_on_line`, `_line`     one dimension: a tree of sorted intervals
`_direct`               any dimension: all pairs that matter, in tiles of neighbours
`_plane`, `_grid`       two and three dimensions: a grid with a proven error, where it pays
`_device`               any dimension, by torch
`_held_out`             rows of one table among each other, at many bandwidths at once
======================  ============================================================================
"""
