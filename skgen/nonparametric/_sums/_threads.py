"""Work on blocks in threads: as many as joblib counts, without the milliseconds for which its own loop sleeps."""

from concurrent.futures import ThreadPoolExecutor

from joblib import effective_n_jobs


def in_threads(work, blocks, n_jobs):
    """Call `work` with each block.

    Parameters
    ----------
    work : callable
        It releases the global lock.
    blocks : list
        What it is called with; between two of them an interruption is heard.
    n_jobs : int or None
        As everywhere in scikit-learn: None means 1, or what a `joblib.parallel_config` says; -1 means all.

    Returns
    -------
    list
        What it returned, in the order of the blocks.
    """
    n_threads = min(effective_n_jobs(n_jobs), len(blocks))
    if n_threads < 2:
        return [work(block) for block in blocks]
    pool = ThreadPoolExecutor(n_threads)
    try:
        return list(pool.map(work, blocks))
    finally:
        pool.shutdown(cancel_futures=True)
