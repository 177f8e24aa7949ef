"""Compiled loops: numba's `njit` without the global lock, kept on disk where the disk allows it.

Files of loops (their names end with ``_loops``) import this one at their top and are themselves imported late, inside
functions, so that nobody waits for a compiler who does not need one.
"""

from numba import njit

LOOSE = {"contract", "reassoc", "nsz", "arcp"}  # what sums may do to vectorise; infinities and NaN stay what they are


def kernel(function=None, **options):
    """Compile a loop at its first call.

    Parameters
    ----------
    function : callable
        The loop. Helpers that it calls stand in the same file, since a change in another one would not be seen.
    **options : dict
        For `numba.njit`, such as ``fastmath=LOOSE``.

    Returns
    -------
    callable
        It releases the global lock, so that threads run it side by side.
    """
    if function is None:
        return lambda function: kernel(function, **options)
    try:
        return njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # no folder to write to
        return njit(nogil=True, **options)(function)
