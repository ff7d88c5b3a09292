"""The scale report: tables for the docs and the terminal, and the numbers behind them as CSV and JSON."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .growth import GROWTH_LIMIT, MEMORY_LIMIT_MB, growth, memory
from .papers import NETWORKS_BY_WALL
from .stages import Run


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; numbers stand to the right."""
    header, rows = list(header), [list(r) for r in rows]
    right = [all(r[i].strip("-~<>").replace(" ", "")[:1].isdigit() or r[i] in ("", "-") for r in rows) and rows for i in range(len(header))]
    widths = [max([len(header[i]), 3, *(len(r[i]) for r in rows)]) for i in range(len(header))]
    line = lambda cells: "| " + " | ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)) + " |"  # noqa: E731
    rule = "|" + "|".join("-" * (w + 1) + ":" if r else "-" * (w + 2) for w, r in zip(widths, right, strict=True)) + "|"
    return "\n".join([line(header), rule, *(line(r) for r in rows)])


def figure_of(value: float) -> str:
    """A number with three figures, thousands apart; "-" where it is not known."""
    if value is None or not np.isfinite(value):
        return "-"
    if value != 0 and abs(value) < 100:
        return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"
    return f"{value:,.0f}".replace(",", " ")


def stage_table(run: Run) -> str:
    """What each stage of a run needed, in all and for a million of its rows."""
    header = ("stage", "rows", "jobs", "core-seconds", "wall seconds", "peak MB", "disk MB", "core-s / million", "disk MB / million")
    names = ("rows", "jobs", "core_s", "wall_s", "peak_mb", "disk_mb", "core_s_per_million", "disk_mb_per_million")
    return markdown(header, ([r["stage"], *(figure_of(r[n]) for n in names)] for r in run.table.to_dict("records")))


def growth_table(table: pd.DataFrame) -> str:
    """Growth between sizes; stages above the limit are named so."""
    header = ("stage", "from", "to", "rows x", "core-s a row x", "exponent", f"within {GROWTH_LIMIT:g}")
    rows = []
    for r in table.itertuples():
        exponent = f"{r.exponent:.2f}" if np.isfinite(r.exponent) else "-"
        rows.append([r.stage, r.smaller, r.larger, figure_of(r.rows_ratio), f"{r.per_row_ratio:.2f}", exponent, "NO" if r.worse else "yes"])
    return markdown(header, rows)


def memory_table(table: pd.DataFrame) -> str:
    """The largest job of every run against the limit."""
    header = ("run", "largest job", "peak MB", f"below {MEMORY_LIMIT_MB:g} MB", "jobs with a true peak", "jobs without any")
    said = {True: "yes", False: "NO", None: "not known"}
    rows = ([r.run, f"{r.rule} {r.job}".strip() or "-", figure_of(r.peak_mb), said[r.holds], f"{r.exact:.0%}", str(r.unseen)]
            for r in table.itertuples())  # fmt: skip
    return markdown(header, rows)


def memory_verdict(table: pd.DataFrame) -> str:
    """Whether every job of `growth.memory` keeps to the limit, as a sentence."""
    limit, holds = f"The limit of {MEMORY_LIMIT_MB:g} MB a job", list(table["holds"])
    if False in holds:
        return f"{limit} does NOT hold."
    if None in holds or not holds:
        return f"Whether {limit[0].lower()}{limit[1:]} holds is not known: {table['unseen'].sum()} jobs have no measured peak."
    return f"{limit} holds."


def estimate_table(table: pd.DataFrame, cores: int) -> str:
    """The papers' run, stage by stage, with its sum."""
    header = ("stage", "rates of", "rows", "x measured", "unit", "core-hours", f"hours on {cores}", "ruled by", "peak MB", "threads",
              "disk GB")
    rows = [
        [r.stage, r.measured, figure_of(r.rows), figure_of(r.times), r.unit, figure_of(r.core_hours), figure_of(r.wall_hours),
         "longest job" if r.longest_job else "all cores", figure_of(r.peak_mb), figure_of(r.threads), figure_of(r.disk_gb)]
        for r in table.itertuples()
    ]  # fmt: skip
    total = ["sum", "", "", "", "", figure_of(table["core_hours"].sum()), figure_of(table["wall_hours"].sum()), "",
             figure_of(table["peak_mb"].max()), "", figure_of(table["disk_gb"].sum())]  # fmt: skip
    return markdown(header, [*rows, total])


def report(runs: list[Run], papers: pd.DataFrame, missing: list[str], archive: dict | None, cores: int) -> str:
    """The whole page; `papers`, `missing` and `archive` as `papers.estimate` and `papers.archives` give them."""
    grown, peaks = growth(runs), memory(runs)
    text = [
        "# Scale", "",
        "Simulated sky. MB are 10^6 bytes. Core-seconds: user and system time of all threads; where a job left no record of",
        "its own they are carried on from Snakemake's last sample, and its peak memory is the largest one sampled. Rows: SAGES",
        "sources; of training the stars times the trees, all forests of a data set; of prediction and catalogue the stars",
        "predicted. Runs compare where they share the forests' engine and number of trees.", "",
    ]  # fmt: skip
    for run in runs:
        text += [f"## {run.name}: {figure_of(run.rows)} SAGES sources", ""]
        text += [stage_table(run), ""] if len(run.table) else []
        text += [f"{len(run.jobs)} jobs, {run.jobs['exact'].mean():.0%} of them with a record of their own."]
        text += [f"Not measured: {', '.join(run.missing)}."] if run.missing else []
        text += [""]
    text += ["## Growth", ""]
    if len(grown):
        worse = grown[grown["worse"]]
        said = ", ".join(f"{r.stage} ({r.per_row_ratio:.2f})" for r in worse.itertuples())
        text += [growth_table(grown), "", f"Worse than linear by more than {GROWTH_LIMIT - 1:.0%}: {said or 'no stage'}.", ""]
    else:
        text += ["One size only: growth is not known.", ""]
    text += ["## Memory", "", memory_table(peaks), "", memory_verdict(peaks), ""]
    return "\n".join(text + estimate_section(papers, missing, archive, cores)) + "\n"


def estimate_section(papers: pd.DataFrame, missing: list[str], archive: dict | None, cores: int) -> list[str]:
    """Lines on the papers' run, for the page and the terminal."""
    text = [f"## The papers' run on {cores} cores, estimated", ""]
    text += [estimate_table(papers, cores), ""] if len(papers) else []
    text += [f"NOT in the sums, because no given run measured it: {', '.join(missing)}.", ""] if missing else []
    text += ["Stages one after the other; work within a stage shared perfectly, but no stage ends before its longest job.",
             "A forest takes more than its share of time when it has more stars than measured: mind the column \"x measured\".",
             "Peak memory is for the threads beside it. Of training these are the machine's, each with a part of the sample of its own, if",
             "the run tells the forests' engine (presorted) and threads; else, and in all other stages, they are those measured.",
             "Disk is the sum of what the stages write. The archives' download is not in it."]  # fmt: skip
    if NETWORKS_BY_WALL in set(papers["unit"]):
        text += ["The time of networks by wall time, without a record of their jobs, is too long where they waited for a core."]
    if archive:
        text += ["The stage catalog is for archives cut to the survey's footprint; with the whole archives it takes "
                 f"{figure_of(archive['core_hours'])} core-hours and {figure_of(archive['wall_hours'])} hours, as long as "
                 f"its longest job ({archive['longest']})."]  # fmt: skip
    return text


def numbers(runs: list[Run], papers: pd.DataFrame, missing: list[str], archive: dict | None, cores: int) -> dict:
    """Everything of the report as plain JSON."""
    return {
        "runs": [{"name": r.name, "sages_sources": r.rows, "missing": list(r.missing), "stages": r.table.to_dict("records")} for r in runs],
        "growth": growth(runs).to_dict("records"), "growth_limit": GROWTH_LIMIT,
        "memory": memory(runs).to_dict("records"), "memory_limit_mb": MEMORY_LIMIT_MB,
        "papers_run": {"cores": cores, "stages": papers.to_dict("records"), "missing": missing, "whole_archives": archive},
    }  # fmt: skip
