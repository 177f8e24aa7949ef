"""Nonparametric families: densities that let the rows speak."""
