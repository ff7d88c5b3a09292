"""What is printed when a run ends: where the results are and how long each stage took, or what went wrong."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .rates.jobs import by_rule, read_jobs


def stage_minutes(results: str | Path, started: float = 0.0) -> pd.DataFrame:
    """Minutes and peak memory of each rule, from the jobs that ended since `started` (see `rates.jobs`).

    Parameters
    ----------
    results : path
        Folder of the results.
    started : float
        Seconds of the epoch.

    Returns
    -------
    DataFrame
        rule, jobs, minutes (wall time, summed over jobs), peak_mb (10^6 bytes); the longest first.
    """
    table = by_rule(read_jobs(results, started))
    return table.assign(minutes=table["wall_s"] / 60)[["rule", "jobs", "minutes", "peak_mb"]]


def closing_message(
    results: str, figures: str, papers: Iterable[str], simulated: bool, missing: list[str], started: float = 0.0
) -> str:
    """What is printed when a run has ended well: where to look, and how long each stage of this run took."""
    lines = ["", "Done."]
    for paper in papers:
        folder = Path(figures, paper)
        if folder.exists():
            drawn, tables = len(list(folder.glob("*.png"))), len(list(folder.glob("table*.tex")))
            lines.append(f"  figures and tables: {folder}/  ({drawn} figures, {tables} tables; captions.md shows them all)")
        for name, part in (("final catalogues", "catalog"), ("numbers", "validation")):
            if Path(results, paper, part).exists():
                lines.append(f"  {name + ':':<19} {Path(results, paper, part)}/")
        if Path(results, paper, "validation/claims.md").exists():
            lines.append(f"  {'paper and run:':<19} {Path(results, paper, 'validation/claims.md')}")
    if simulated:
        lines.append("  These numbers come from a SIMULATED sky; they test the workflow and are not measurements of real stars.")
    if missing:
        lines.append("  Not made by this configuration: " + "; ".join(missing))
    table = stage_minutes(results, started)
    if len(table):
        lines += ["", f"  {'stage':<28}{'jobs':>5}{'minutes':>9}{'peak MB':>9}"]
        lines += [f"  {r.rule:<28}{r.jobs:>5}{r.minutes:>9.2f}{r.peak_mb:>9.0f}" for r in table.itertuples()]
        lines.append(f"  {'sum over jobs':<28}{table['jobs'].sum():>5}{table['minutes'].sum():>9.2f}")
    return "\n".join(lines)


def failure_message(results: str, snakemake_log: str, started: float) -> str:
    """The error lines of the jobs that failed since `started` (seconds of the epoch), so that nobody has to search for them."""
    lines = ["", "The run stopped."]
    for path in sorted(p for p in Path(results, "logs").glob("**/*.log") if p.stat().st_mtime >= started):
        found = re.findall(r"ERROR: (.*)", path.read_text(errors="replace"))
        lines += [f"  {text}\n    (log: {path})" for text in found[:1]]
    if len(lines) == 2:
        lines.append("  No job said why; it may have been killed (memory, time limit, signal). Logs of this run: " + f"{results}/logs/")
    lines.append(f"  Snakemake's own log: {snakemake_log}")
    lines.append("  Mend the cause and start the same command again: what is finished is kept.")
    return "\n".join(lines)
