"""The stages of the photometric half: their jobs, the rows that pass through them, what they leave on the disk."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..io import read_json, row_count
from ..usage import rule_of
from .jobs import read_jobs

SPECTRAL_CATALOG = "rave_catalog"  # shares its folders with the photometric rule
SOURCES, TRAINED, PREDICTED = "SAGES sources", "training stars x trees", "stars predicted"


@dataclass(frozen=True)
class Stage:
    """One stage of the flow.

    Attributes
    ----------
    name : str
        As printed.
    rule : str
        Folder of its benchmark files.
    prefix : str
        Start of its jobs' names, where a rule serves several stages.
    unit : str
        What its rows are.
    outputs : tuple of str
        Patterns of its files below the results, for jobs that did not record what they wrote.
    sharded : bool
        More sky means more jobs of the same size; otherwise the same jobs grow.
    threads : int
        Threads that a job can use where there are enough cores.
    """

    name: str
    rule: str
    unit: str = SOURCES
    prefix: str = ""
    outputs: tuple[str, ...] = ()
    sharded: bool = True
    threads: int = 1


def stages(sets: tuple[int, ...] = (1, 2)) -> list[Stage]:
    """The stages in flow order; training, prediction and catalogue once a data set, whose features differ in number."""
    found = [
        Stage("simulate", "simulate", outputs=("native/*/part-*",)),
        Stage("catalog", "catalog", outputs=("catalogs/*/*",), sharded=False),
        Stage("stars", "stars", outputs=("sages/stars/*",)),
        Stage("labels", "labels", outputs=("sages/labels/*",)),
        Stage("features", "features", outputs=("sages/features/*",)),
        Stage("samples", "samples", outputs=("sages/samples/*",), sharded=False),
    ]
    # trees are grown in parallel, so the jobs of one size share all their threads; one forest is one job all the same
    found += [Stage(f"train set{k}", "train", TRAINED, f"set{k}_", (f"sages/models/set{k}/*",), False, 16) for k in sets]
    found += [Stage(f"predict set{k}", "predict", PREDICTED, f"set{k}_", (f"sages/predictions/set{k}/*",)) for k in sets]
    found += [
        Stage(f"catalogue set{k}", "catalog_product", PREDICTED, f"set{k}", (f"sages/catalog/sages_set{k}.*",), False) for k in sets
    ]
    return found


@dataclass(frozen=True)
class Run:
    """What a results folder says of its run: rows is the number of SAGES sources, table one row a stage, jobs one row a job."""

    name: str
    folder: Path
    rows: int
    table: pd.DataFrame
    jobs: pd.DataFrame
    missing: tuple[str, ...]


def require(folders: Iterable[str | os.PathLike]) -> None:
    """Refuse results folders that do not exist.

    Raises
    ------
    InputError
        For the first of them; it says how the folder is made.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            name = Path(folder).name
            command = f"make {name}" if name == "scale-20m" else "make scale" if name == "scale-2m" else "make run"
            raise InputError(folder, "does not exist", f"Make it with `{command}`, or leave it out")


def read_run(results: str | os.PathLike, sets: tuple[int, ...] = (1, 2)) -> Run:
    """Rates of every stage of one run.

    Returns
    -------
    Run
        Its table has stage, unit, rows, jobs, core_s and wall_s (summed), longest_s and longest_core_s (of one job), peak_mb with
        the job that had it and its threads (peak_job, threads; "" and NaN where not known), disk_mb, exact (share of the jobs with
        a record of their own), core_s_per_million and disk_mb_per_million rows. A stage without jobs is not in the table but in
        `missing`; rows that no file tells, and files that are gone, are NaN.

    Raises
    ------
    InputError
        When the folder has no benchmark files, or a file is damaged.
    """
    results = Path(results)
    jobs = read_jobs(results)
    if jobs.empty:
        raise InputError(results, "has no benchmark files (benchmarks/<rule>/*.tsv)", "Give the results folder of a run")
    rows, missing = [], []
    for stage in stages(sets):
        own = jobs[(jobs["rule"] == stage.rule) & jobs["job"].str.startswith(stage.prefix)]
        if stage.rule == "catalog":
            own = own[~own["job"].map(lambda name: _of_spectra(results, name))]
        if own.empty:
            missing.append(stage.name)
            continue
        recorded = own["output_mb"].notna().all()
        top = own.loc[own["peak_mb"].idxmax()] if own["peak_mb"].notna().any() else {"peak_mb": np.nan, "job": "", "threads": np.nan}
        rows.append({
            "stage": stage.name, "unit": stage.unit, "rows": stage_rows(results, stage), "jobs": len(own),
            "core_s": own["core_s"].sum(), "wall_s": own["wall_s"].sum(), "longest_s": own["wall_s"].max(),
            "longest_core_s": own["core_s"].max(),
            "peak_mb": top["peak_mb"], "peak_job": top["job"], "threads": top["threads"],
            "disk_mb": own["output_mb"].sum() if recorded else _disk_mb(results, stage),
            "exact": own["exact"].mean(),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        for name in ("core_s", "disk_mb"):
            table[f"{name}_per_million"] = table[name] / table["rows"] * 1e6
    # two runs in folders of their own both keep their results in "results"
    name = results.name if results.name != "results" else f"{results.resolve().parent.name}/results"
    return Run(name, results, sages_rows(results), table, jobs, tuple(missing))


def sages_rows(results: Path) -> int:
    """SAGES sources of a run."""
    return native_rows(results, "sages")


def native_rows(results: Path, dataset: str) -> int:
    """Rows of the native files of a dataset, from the flow of its canonical table."""
    path = Path(results, "catalogs", dataset, "selection.json")
    flow = read_json(path)
    try:
        return int(flow[0]["kept"])
    except (IndexError, KeyError, TypeError) as error:
        raise InputError(path, "has no count of all rows", "Delete it and run the stage catalog again") from error


def stage_rows(results: Path, stage: Stage) -> float:
    """Rows that passed through a stage, from files that a run keeps; NaN where they are not there (yet)."""
    if stage.unit == SOURCES:
        return float(sages_rows(results))
    k = stage.name[-1]
    if stage.unit == TRAINED:
        models = [read_json(p) for p in sorted(results.glob(f"sages/models/set{k}/*.json"))]
        counts = [model["n_train"] * model["n_trees"] for model in models]
        return float(sum(counts)) if counts else np.nan
    product = results / f"sages/catalog/sages_set{k}.parquet"
    parts = [product] if product.exists() else sorted(results.glob(f"sages/predictions/set{k}/cell-*.parquet"))
    return float(sum(row_count(p) for p in parts)) if parts else np.nan


def _of_spectra(results: Path, dataset: str) -> bool:
    """Whether a catalogue belongs to the spectral half.

    The job's record names its rule, which knows; of a job without one: a single file for the whole sky, cell 0.
    """
    rule = rule_of(Path(results, "logs/catalog", f"{dataset}.log"))
    if rule:
        return rule == SPECTRAL_CATALOG
    return {p.name for p in results.glob(f"catalogs/{dataset}/cell-*.parquet")} == {"cell-00000.parquet"}


def _disk_mb(results: Path, stage: Stage) -> float:
    sizes = [p.stat().st_size for pattern in stage.outputs for p in results.glob(pattern) if p.is_file()]
    return sum(sizes) / 1e6 if sizes else np.nan
