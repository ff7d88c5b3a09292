"""Where the minutes of a run went: by rule, and over time."""

import json
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from .jobs import by_rule, read_jobs
from .report import figure_of, markdown

PAUSE_S = 600.0  # Snakemake's own work between two jobs never takes so long


def profile(results: str | os.PathLike, startup: dict[str, float]) -> pd.DataFrame:
    """Time of every rule.

    Parameters
    ----------
    results : path
        Folder of the results.
    startup : mapping
        Core-seconds before the own work of one job, by rule (see `startup`).

    Returns
    -------
    DataFrame
        rule, jobs, wall_s, core_s, peak_mb, share (of the core-seconds), mean_s (wall seconds a job), startup_s (a job; NaN where
        not measured), startup_total_s; most core-seconds first.
    """
    table = by_rule(read_jobs(results))
    if table.empty:
        raise InputError(results, "has no benchmark files (benchmarks/<rule>/*.tsv)", "Give the results folder of a run")
    table["share"] = table["core_s"] / table["core_s"].sum()
    table["mean_s"] = table["wall_s"] / table["jobs"]
    table["startup_s"] = table["rule"].map(startup).astype(float)
    table["startup_total_s"] = table["startup_s"] * table["jobs"]
    return table.sort_values("core_s", ascending=False).reset_index(drop=True)


def schedule(records: str | os.PathLike, results: str | os.PathLike) -> pd.DataFrame:
    """Start and end of every job whose log lies below `results`, from Snakemake's own records (.snakemake/metadata).

    Returns
    -------
    DataFrame
        rule, log, start, end (seconds of the epoch); of each job its latest execution: files that an earlier one left, and
        the latest did not write again, do not count. Files that were deleted as no longer needed have no record.
    """
    jobs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    inside = f"{results}".rstrip("/") + "/"
    for path in Path(records).glob("*"):
        try:
            record = json.loads(path.read_text())
        except (OSError, ValueError):
            continue  # a record that is being written
        if not record.get("log") or not record["log"][0].startswith(inside) or not record.get("endtime"):
            continue
        jobs.setdefault((record["rule"], record["log"][0]), []).append((record["starttime"], record["endtime"]))
    rows = [(*key, *_latest(times)) for key, times in jobs.items()]
    return pd.DataFrame(rows, columns=["rule", "log", "start", "end"]).sort_values("start", ignore_index=True)


def _latest(times: list[tuple[float, float]]) -> tuple[float, float]:
    """Earliest start and latest end of the records, one a file, that overlap in time with the last one."""
    times = sorted(times, key=lambda t: t[1], reverse=True)
    start, end = times[0]
    for own, until in times:
        if until < start:
            break
        start = min(start, own)
    return start, end


def occupancy(table: pd.DataFrame, core_s: float, cores: int) -> dict[str, float]:
    """How busy the machine was between the first start and the last end of `schedule`.

    Time without any job for longer than `PAUSE_S` lies between two runs (a job is started again, the next day) and counts
    nowhere but in paused_s.

    Returns
    -------
    dict
        elapsed_s, without the pauses; paused_s; idle_s, without any job (Snakemake's own work); single_s, with one job alone;
        jobs, mean number of running jobs; cores_busy, core-seconds over the elapsed time of all cores.
    """
    edges = sorted([(t, 1) for t in table["start"]] + [(t, -1) for t in table["end"]])
    level, paused = 0, 0.0
    spent: dict[int, float] = {}
    for (t, step), (following, _) in zip(edges, [*edges[1:], edges[-1]], strict=True):
        level += step
        if level == 0 and following - t > PAUSE_S:
            paused += following - t
        else:
            spent[level] = spent.get(level, 0.0) + following - t
    elapsed = edges[-1][0] - edges[0][0] - paused
    return {
        "elapsed_s": elapsed, "paused_s": paused, "idle_s": spent.get(0, 0.0), "single_s": spent.get(1, 0.0),
        "jobs": sum(n * s for n, s in spent.items()) / elapsed, "cores_busy": core_s / (elapsed * cores),
    }  # fmt: skip


def page(table: pd.DataFrame, busy: dict[str, float] | None, cores: int) -> str:
    """The profile as text: the table by rule, its sum, and how busy the machine was."""
    header = ("rule", "jobs", "wall s", "core-s", "share", "wall s a job", "start-up s a job", "start-up s")
    names = ("wall_s", "core_s")
    rows = [
        [r["rule"], str(r["jobs"]), *(figure_of(r[n]) for n in names), f"{r['share']:.1%}", f"{r['mean_s']:.2f}",
         figure_of(r["startup_s"]), figure_of(r["startup_total_s"])] for r in table.to_dict("records")
    ]  # fmt: skip
    total = table["startup_total_s"].sum()
    core = table["core_s"].sum()
    rows.append(["sum", str(table["jobs"].sum()), figure_of(table["wall_s"].sum()), figure_of(core), "100.0%",
                 f"{table['wall_s'].sum() / table['jobs'].sum():.2f}", "", figure_of(total)])  # fmt: skip
    text = [markdown(header, rows), ""]
    if np.isfinite(total) and total > 0:
        text += [f"Start-up (interpreter, Snakemake's preamble, imports) of all jobs: {total:.0f} core-seconds, {total / core:.0%} of all."]
    if busy:
        pause = f" (pauses between runs, {timedelta(seconds=round(busy['paused_s']))} in all, left out)" if busy["paused_s"] else ""
        text += [
            f"Elapsed {timedelta(seconds=round(busy['elapsed_s']))}{pause}; no job ran for {busy['idle_s']:.0f} s, one job alone for "
            f"{busy['single_s']:.0f} s; {busy['jobs']:.2f} jobs at a time on the average.",
            f"{busy['cores_busy']:.0%} of the time of {cores} cores was used by jobs (the rest: waiting for the disk, for other "
            "programs, for Snakemake, or for a job that others wait for).",
        ]
    return "\n".join(text)
