"""The papers' run estimated from measured rates: core-hours, wall hours on N cores, memory and disk of every stage.

Every stage is taken to wait for the one before. Within a stage work is shared perfectly between the cores, but no stage ends
before its longest job: of sharded stages that job keeps its size, because more sky means more shards; of all others it grows
with the rows. The longest job counts by its wall time as measured, disk waits and busy neighbours included; jobs with several
threads by their core-seconds over the threads. Peak memory likewise: of shards the largest one measured, of jobs that grow it is
carried on along the line through the two largest runs. What each thread of the training of forests holds of its own is counted
for the threads of the papers' machine (`threads`).
Fetching the archives is not in it.
"""

import numpy as np
import pandas as pd

from ..errors import InputError
from .growth import below_limit, ordered
from .networks import NETWORKS as KINDS
from .networks import network_rates, reading_rates
from .stages import PREDICTED, SOURCES, TRAINED, Run, Stage, native_rows, stages
from .threads import thread_mb, trained

# Gu et al. 2025: Section 3 and 4. Guiglion et al. 2020: Section 3 and 4.
STARS = {1: 21_071_305, 2: 2_191_452}   # predicted, by data set
TRAINING_STARS, TREES = 646_216, 300
FOREST_LABELS = 3                       # five forests: dwarfs and giants for two labels, one for all stars
SPECTRA, TRAINING_SPECTRA, NETWORKS, KEPT = 420_165, 3_669, 100, 80
NETWORKS_BY_WALL = "networks, by wall time"
COLUMNS = ("stage", "measured", "rows", "times", "unit", "core_hours", "wall_hours", "longest_job", "peak_mb", "threads", "disk_gb",
           "holds")


def estimate(runs: list[Run], sources: int, cores: int = 32) -> tuple[pd.DataFrame, list[str]]:
    """The papers' run on `cores` cores.

    Parameters
    ----------
    runs : list of Run
        Measured runs; each stage takes its rates from the largest run that has it.
    sources : int
        SAGES sources of the real archive.
    cores : int
        Cores of the machine.

    Returns
    -------
    DataFrame
        stage, measured (the run), rows and unit of the papers' run, times (those rows over the measured ones), core_hours,
        wall_hours, longest_job (the longest job rules the wall time), peak_mb, threads (of a job with
        that peak; NaN where not known), disk_gb, holds (peak below the limit; None where the peak is not known).
    list of str
        Stages without a measured rate, which the sums lack.

    Raises
    ------
    InputError
        When `cores` is below 1.
    """
    if cores < 1:
        raise InputError("--cores", f"is {cores}", "Give the number of cores, at least 1")
    runs, rows, missing = ordered(runs), [], []
    for stage in stages(tuple(STARS)):
        if stage.name == "simulate":
            continue
        measured = [(run, row) for run in runs for row in _rows_of(run, stage.name)]
        if not measured:
            missing.append(stage.name)
            continue
        run, last = measured[-1]
        total = _paper_rows(run, stage, sources)
        factor = total / last["rows"]
        core_s = last["core_s"] * factor
        job_s = last["longest_core_s"] / min(stage.threads, cores) if stage.threads > 1 else last["longest_s"]
        longest = job_s * (1.0 if stage.sharded else factor)
        peak, threads = _train_peak(measured, total, stage, cores) if stage.unit == TRAINED else (None, None)
        if peak is None:
            peak, threads = _peak(measured, total, stage.sharded), last["threads"]
        disk_gb = last["disk_mb"] * factor / 1e3
        rows.append(_row(stage.name, run.name, total, factor, stage.unit, core_s, longest, cores, peak, disk_gb, threads))
    spectral, absent = _spectral_half(runs, cores)
    return pd.DataFrame(rows + spectral, columns=list(COLUMNS)), missing + absent


def _spectral_half(runs: list[Run], cores: int) -> tuple[list[tuple], list[str]]:
    """Reading of the spectra, training and prediction with and without photometry; what no run has measured."""
    rows, missing = [], []
    reading = [(run.name, rate) for run in runs if (rate := reading_rates(run.folder))]
    if reading:
        name, rate = reading[-1]
        core_s, disk_gb = rate["core_s"] * SPECTRA, rate["disk_mb"] * SPECTRA / 1e3
        times, longest = SPECTRA / rate["spectra"], rate["longest_s"]
        rows.append(_row("read spectra", name, SPECTRA, times, "spectra", core_s, longest, cores, rate["peak_mb"], disk_gb))
    else:
        missing.append("read spectra")
    tables = [(run.name, network_rates(run.folder)) for run in runs]
    for kind in KINDS:
        found = [(name, rate) for name, table in tables for rate in table[table["network"] == kind].to_dict("records")]
        name, rate = found[-1] if found else ("", {})
        if found:
            fit_s = rate["epoch_s"] * rate["epochs"] * TRAINING_SPECTRA / rate["spectra"]   # of one network
            core_s, peak, times = NETWORKS * fit_s, rate["train_peak_mb"], NETWORKS / rate["networks"]
            unit = "networks" if rate["epoch_exact"] else NETWORKS_BY_WALL
            rows.append(_row(f"train networks, {kind}", name, NETWORKS, times, unit, core_s, fit_s, cores, peak))
        else:
            missing.append(f"train networks, {kind}")
        if rate.get("predict_s", np.nan) > 0:
            calls, peak = SPECTRA * KEPT, rate["predict_peak_mb"]
            core_s, times = calls * rate["predict_s"], calls / rate["calls"]
            rows.append(_row(f"predict networks, {kind}", name, calls, times, "spectra x networks", core_s, 0.0, cores, peak))
        else:
            missing.append(f"predict networks, {kind}")
    return rows, missing


def _rows_of(run: Run, stage: str) -> list[dict]:
    if run.table.empty:
        return []
    return [row for row in run.table[run.table["stage"] == stage].to_dict("records") if row["rows"] > 0]


def _paper_rows(run: Run, stage: Stage, sources: int) -> float:
    """Rows of a stage in the papers' run; of training all forests of a data set together.

    Every training star is taken to have every label in data set 1 (the most there can be); data set 2 has the share of it
    that the measured run has.
    """
    if stage.unit == SOURCES:
        return float(sources)
    if stage.unit == PREDICTED:
        return float(STARS[int(stage.name[-1])])
    own, first = _rows_of(run, stage.name), _rows_of(run, "train set1")
    return FOREST_LABELS * TRAINING_STARS * TREES * (own[0]["rows"] / first[0]["rows"] if first else 1.0)


def _peak(measured: list[tuple[Run, dict]], total: float, sharded: bool) -> float:
    """Peak memory at `total` rows: the largest seen, or more where jobs grow and did so from the last run but one to the last."""
    peak = max(row["peak_mb"] for _, row in measured)
    if len(measured) < 2 or sharded:
        return peak
    (_, first), (_, last) = measured[-2:]
    grown = last["rows"] - first["rows"]
    slope = max(0.0, (last["peak_mb"] - first["peak_mb"]) / grown) if grown > 0 else 0.0
    return max(peak, last["peak_mb"] + slope * (total - last["rows"]))


def _train_peak(measured: list[tuple[Run, dict]], total: float, stage: Stage, cores: int) -> tuple[float | None, int | None]:
    """Peak memory of the largest forest with all threads of the papers' machine, and these; None where the last run does not tell its.

    What the measured threads held of their own is taken off, the rest is carried on, and what all threads hold is added. Nothing
    is taken off a smaller run that does not tell.
    """
    known = [trained(run.folder, row["peak_job"]) if row["threads"] > 0 else None for run, row in measured]
    if known[-1] is None:
        return None, None
    rest = [
        (run, {**row, "peak_mb": max(0.0, row["peak_mb"] - row["threads"] * thread_mb(*forest))} if forest else row)
        for (run, row), forest in zip(measured, known, strict=True)
    ]
    threads, stars, features = min(stage.threads, cores), total / (FOREST_LABELS * TREES), known[-1][1]
    return _peak(rest, total, stage.sharded) + threads * thread_mb(stars, features), threads


def _row(stage, run, rows, times, unit, core_s, longest_s, cores, peak_mb, disk_gb=np.nan, threads=np.nan) -> tuple:
    shared = core_s / cores
    wall = max(shared, longest_s)
    hours = core_s / 3600, wall / 3600
    return stage, run, rows, times, unit, *hours, longest_s > shared, peak_mb, threads, disk_gb, below_limit(peak_mb)


def archives(run: Run, rows: dict[str, int], cores: int = 32, smallest: int = 10_000) -> dict | None:
    """The stage `catalog` when the archives are read whole instead of cut to the survey's footprint.

    Parameters
    ----------
    rows : mapping
        Rows of the published archive, by dataset. Datasets with fewer measured rows than `smallest` keep their measured time.

    Returns
    -------
    dict or None
        core_hours, wall_hours, longest (dataset of the longest job); None where the run has no such stage.
    """
    jobs = run.jobs[(run.jobs["rule"] == "catalog")]
    found = []
    for job in jobs.itertuples():
        seen = native_rows(run.folder, job.job)
        factor = max(1.0, rows[job.job] / seen) if job.job in rows and seen >= smallest else 1.0
        found.append((job.job, job.core_s * factor, job.wall_s * factor))
    if not found:
        return None
    table = pd.DataFrame(found, columns=["dataset", "core_s", "wall_s"])
    top = table.loc[table["wall_s"].idxmax()]
    return {"core_hours": table["core_s"].sum() / 3600, "wall_hours": max(table["core_s"].sum() / cores, top["wall_s"]) / 3600,
            "longest": top["dataset"]}  # fmt: skip
