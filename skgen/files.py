"""Files that appear complete or not at all."""

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path, mode="w", **how):
    """Open a new file that takes the place of `path` once it is complete, and otherwise leaves no trace.

    Parameters
    ----------
    path : str or path
        A pipe or a device is written to as it is.
    mode : str
        As `open` has it.
    **how : dict
        Further arguments of `open`.

    Yields
    ------
    file

    Raises
    ------
    OSError
        If it cannot be written; says where.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        unfinished = target
    else:
        unfinished = target.with_name(f".{secrets.token_hex(8)}.{target.name}")
    try:
        with open(unfinished, mode, **how) as file:
            yield file
        if unfinished != target:
            os.replace(unfinished, target)
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        if unfinished != target:
            with suppress(OSError):  # it was renamed, or never was
                unfinished.unlink()
