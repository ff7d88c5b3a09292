"""What a job used, told by the job itself at its end: one line of its log, read again by the scale report and the profile.

Snakemake's benchmark file samples a job every half second for the first 15 s and every 30 s after that, and takes no
last sample: short jobs seem to need no time, and a peak of memory between two samples is lost. The kernel keeps exact
sums and the true peak for every process; a job only has to read them before it ends.
"""

import json
import os
import re
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

from .errors import InputError

STATUS = Path("/proc/self/status")
_LINE = re.compile(r": used (\{.*)$", re.MULTILINE)
_RULE = re.compile(r"rule\.(\w+): used \{", re.MULTILINE)


def used(outputs: Iterable[str | os.PathLike], threads: int) -> str:
    """The record of the running process, as text for the log.

    Parameters
    ----------
    outputs : paths
        Files or folders that the job wrote.
    threads : int
        Threads that it was given.

    Returns
    -------
    str
        JSON with core_s (user and system, all threads and finished children), peak_mb (resident set of this process,
        10^6 bytes), output_mb and threads.
    """
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    core = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    size = sum(_size(Path(path)) for path in outputs)
    record = {"core_s": round(core, 3), "peak_mb": round(peak_bytes() / 1e6, 2), "output_mb": round(size / 1e6, 4), "threads": threads}
    return json.dumps(record)


def peak_bytes() -> int:
    """Largest resident set of this process so far, bytes."""
    # not ru_maxrss where it can be helped: after fork and exec that still holds the size of the parent, for a job Snakemake
    if STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0


def read_used(log: str | os.PathLike) -> dict | None:
    """The record in a job's log, or None where the job left none.

    Raises
    ------
    InputError
        When the line is there but damaged.
    """
    lines = _LINE.findall(Path(log).read_text(errors="replace"))
    if not lines:
        return None
    try:
        record = json.loads(lines[-1])
        return {name: float(record[name]) for name in ("core_s", "peak_mb", "output_mb", "threads")}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(log, f"has a damaged record of what the job used ({lines[-1][:80]})", "Run the job again") from error


def rule_of(log: str | os.PathLike) -> str | None:
    """The rule that left the record in a job's log; None without a log or a record."""
    found = _RULE.findall(Path(log).read_text(errors="replace")) if Path(log).exists() else []
    return found[-1] if found else None
