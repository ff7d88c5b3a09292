"""The jobs of a run: wall time, core-seconds, peak memory and bytes written of each.

Core-seconds of a job are, in this order:

1. what the job itself read from the kernel at its end (`usage`), user and system of all threads: exact;
2. `cpu_time` of Snakemake's benchmark file, times the wall time over the time of its last sample. Snakemake samples at
   0, 0.5 ... 15 s, then every 30 s, and not at the end, so that `cpu_time` alone is up to 30 s short; the tail is taken to
   be as busy as what was seen;
3. the wall time, of jobs that ended before the first sample that can show anything (half a second).

Wall time times threads is no substitute: jobs that share their cores with other programs, or wait for the disk, have far
more of it than they use.
Peak memory is the larger of the sampled resident set (children included) and the job's own record. MB are 10^6 bytes.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..usage import read_used

MIB = 1.048576   # MB in a MiB, Snakemake's unit
COLUMNS = ("rule", "job", "wall_s", "core_s", "peak_mb", "output_mb", "threads", "exact")


def read_jobs(results: str | os.PathLike, started: float = 0.0) -> pd.DataFrame:
    """Every job that left a benchmark file below `results`/benchmarks since `started`.

    Parameters
    ----------
    results : path
        Folder of the results.
    started : float
        Seconds of the epoch; older benchmark files are left out.

    Returns
    -------
    DataFrame
        rule, job (name of the benchmark file), wall_s, core_s, peak_mb (NaN where nothing was sampled), output_mb and
        threads (NaN without a record of the job's own), exact (whether there is one).

    Raises
    ------
    InputError
        When a benchmark file or a record is damaged.
    """
    folder = Path(results, "benchmarks")
    rows = [_job(Path(results), p, folder) for p in sorted(folder.glob("**/*.tsv")) if p.stat().st_mtime >= started]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _job(results: Path, path: Path, folder: Path) -> tuple:
    wall, cpu, peak = _benchmark(path)
    rule, name = path.relative_to(folder).parts[0], path.stem
    logs = [results / "logs" / rule / f"{name}.log", results / "logs" / f"{rule}.log"]
    record = next((found for log in logs if log.exists() and (found := read_used(log))), None)
    if record is None:
        return rule, name, wall, extrapolated(wall, cpu), peak, np.nan, np.nan, False
    return rule, name, wall, record["core_s"], np.fmax(peak, record["peak_mb"]), record["output_mb"], record["threads"], True


def _benchmark(path: Path) -> tuple[float, float, float]:
    """Wall seconds, sampled core-seconds and peak MB of a benchmark file; repeats are added up."""
    try:
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        # a job that ended before its first sample has no numbers; text in their place is damage
        wall, cpu, peak = (table[c].astype(float) for c in ("s", "cpu_time", "max_rss"))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise InputError(path, f"is no benchmark file of Snakemake ({error})", "Delete it and run the job again") from error
    if not len(table) or wall.isna().any() or (wall < 0).any():
        raise InputError(path, "has no wall time", "Delete it and run the job again")
    return float(wall.sum()), float(cpu.sum(min_count=1)), float(peak.max() * MIB)


def last_sample(wall_s: float) -> float:
    """Seconds after the start at which Snakemake took its last sample of a job that ran for `wall_s`."""
    if wall_s < 45:
        return min(np.floor(wall_s * 2) / 2, 15.0)
    return 15.0 + 30.0 * np.floor((wall_s - 15.0) / 30.0)


def extrapolated(wall_s: float, cpu_s: float) -> float:
    """Core-seconds of a job from its sampled ones (see the top of this module)."""
    seen = last_sample(wall_s)
    return wall_s if seen == 0 or np.isnan(cpu_s) else cpu_s * wall_s / seen


def by_rule(jobs: pd.DataFrame) -> pd.DataFrame:
    """Sums of each rule: rule, jobs, wall_s, core_s, peak_mb; the longest wall time first."""
    grouped = jobs.groupby("rule").agg(
        jobs=("wall_s", "size"), wall_s=("wall_s", "sum"), core_s=("core_s", "sum"), peak_mb=("peak_mb", "max")
    )
    return grouped.sort_values("wall_s", ascending=False).reset_index()
