"""How much memory and time a job asks for: from the size of its inputs, and more on every further attempt.

Rules write `mem_mb=resources.memory(3000, per_input=2)` and `runtime=resources.runtime(60)`. The functions that come back
are called by Snakemake with what they name: `wildcards`, `input`, `attempt`.
"""

import math
import os
from collections.abc import Callable, Iterable

#: Megabytes that no job asks for on its first attempt: an ordinary node has them for every core or two.
FIRST_MB = 8000
#: Minutes that no attempt asks for, as most partitions allow no more; rules that state a longer base keep it.
LONGEST = 2880
#: Steps of a request: megabytes, minutes. Equal requests are easier to read in the queue.
STEP_MB, STEP_MINUTES = 100, 5


def input_mb(paths: Iterable[str | os.PathLike]) -> float:
    """Size of the input files that are there, in 10^6 bytes.

    A file that another job has yet to make counts nothing, so that the request is a number at any time (where Snakemake's own
    `input.size_mb` fails, a group of jobs forgets the memory of that job). Folders count nothing either: what reads
    a folder reads it file by file.
    """
    size = 0
    for path in paths:
        try:
            size += 0 if os.path.isdir(path) else os.path.getsize(path)
        except OSError:
            continue
    return size / 1e6


def memory(base_mb: int, per_input: float = 0.0) -> Callable[..., int]:
    """Megabytes of a job: at least `base_mb`, `per_input` for every megabyte of input, doubled by each further attempt.

    Parameters
    ----------
    base_mb : int
        What a job with small inputs asks for, 10^6 bytes.
    per_input : float
        Megabytes in memory for each megabyte of input files.

    Returns
    -------
    function
        Of wildcards, input and attempt (from 1); the first attempt asks for `FIRST_MB` at most.

    Raises
    ------
    ValueError
        If the base is not positive or above `FIRST_MB`, or `per_input` is negative.
    """
    if not 0 < base_mb <= FIRST_MB or per_input < 0:
        raise ValueError(f"memory({base_mb}, {per_input}): the base must be in (0, {FIRST_MB}], per_input at least 0")

    def mem_mb(wildcards, input, attempt):
        first = base_mb
        if per_input:
            first = max(base_mb, _up(per_input * input_mb(input), STEP_MB))
        return min(first, FIRST_MB) * 2 ** (attempt - 1)

    return mem_mb


def runtime(base_minutes: int, per_input: float = 0.0) -> Callable[..., int]:
    """Minutes of a job: at least `base_minutes`, `per_input` for every megabyte of input, doubled by each further attempt.

    Parameters
    ----------
    base_minutes : int
        What a job with small inputs asks for, minutes.
    per_input : float
        Minutes for each megabyte (10^6 bytes) of input files.

    Returns
    -------
    function
        Of wildcards, input and attempt (from 1); at most `LONGEST`, or the base where that is more.

    Raises
    ------
    ValueError
        If the base is not positive or `per_input` is negative.
    """
    if base_minutes <= 0 or per_input < 0:
        raise ValueError(f"runtime({base_minutes}, {per_input}): the base must be positive, per_input at least 0")

    def minutes(wildcards, input, attempt):
        first = base_minutes
        if per_input:
            first = max(base_minutes, _up(per_input * input_mb(input), STEP_MINUTES))
        return min(first * 2 ** (attempt - 1), max(LONGEST, base_minutes))

    return minutes


def _up(amount: float, step: int) -> int:
    return math.ceil(amount / step) * step
