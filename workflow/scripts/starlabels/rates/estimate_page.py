"""The estimate of a run as a table for the terminal, as Markdown and as plain numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from .estimate import WAITS, Cost, Sums
from .report import figure_of, markdown
from .rows import Size


def number(value: float | None) -> str:
    """A number with three figures; `unknown` for NaN."""
    return "unknown" if value is None or math.isnan(value) else figure_of(value)


def rules_table(table: Sequence[Cost], keep: str) -> str:
    """Every rule: jobs, rows, core-hours, memory, disk."""
    header = ("rule", "of", "jobs", "rows", "unit", "core-hours", "peak MB a job", "written, GB", "kept until")
    rows = []
    for c in table:
        more = ">" if c.at_least else ""
        hours = "-" if c.unit == WAITS else more + number(c.core_hours)
        until = c.read_until if c.read_until and keep == "results" else "the end"
        written = more + number(c.disk_gb)
        rows.append([c.rule, str(c.part), str(c.jobs), more + number(c.rows), c.unit, hours, number(c.peak_mb), written, until])
    return markdown(header, rows)


def catalogues_table(size: Size) -> str:
    """Every catalogue: road, files, rows, size."""
    rows = [
        [c.dataset, c.road, str(c.files), "-" if c.road == "dust" else number(c.rows), number(c.mb), "" if math.isnan(c.mb) else c.known]
        for c in size.catalogues
    ]  # fmt: skip
    return markdown(("catalogue", "road", "files", "rows", "MB", "size is"), rows)


def sums_lines(sums: Sums, keep: str, simulated: bool) -> list[str]:
    """The whole run in a few lines."""
    at_least = lambda name, text: text if name in sums.whole else f"at least {text}"  # noqa: E731
    hours = at_least("wall_hours", number(sums.wall_hours))
    lines = [f"- core-hours: {at_least('core_hours', number(sums.core_hours))}",
             f"- hours on {sums.cores} cores: {hours}" + ("" if simulated else ", without waiting for the archives")]  # fmt: skip
    if sums.own_cores:
        lines.append(f"- hours on {sums.own_cores} cores (`archives.cores`): {at_least('wall_hours', number(sums.wall_hours_own))}")
    if simulated:
        lines.append("- download: none")
    else:
        text = at_least("download_gb", f"{number(sums.download_gb)} GB")
        lines.append(f"- download: {text}; at 100 Mbit/s {number(sums.download_gb * 8e3 / 100 / 3600)} hours")
    lines += [f"- largest job: {number(sums.peak_mb)} MB",
              f"- disk at the end (`output.keep: {keep}`): {at_least('end_gb', number(sums.end_gb) + ' GB')}",
              f"- most disk at once: {at_least('peak_gb', number(sums.peak_gb) + ' GB')}",
              f"- networks on one GPU instead: {number(sums.gpu_hours)} hours"]  # fmt: skip
    return lines


def unknown_lines(table: Sequence[Cost], size: Size, sums: Sums, rates: Mapping) -> list[str]:
    """What the sums lack, and what would tell."""
    lines = [f"- {note}" for note in dict.fromkeys(size.notes)]
    lacking = [c.rule + (f" ({c.part})" if c.part else "") for c in table if math.isnan(c.core_hours)]
    if lacking:
        text = "`workflow/scripts/profile_run.py` shows it after a run; rates go into rates/measured.yaml"
        lines.append(f"- cost of {', '.join(lacking)}: no run of this size has measured it; {text}")
    if math.isnan(sums.gpu_hours):
        lines.append(f"- GPU hours are unknown: {rates['gpu']['tell']}")
    return lines


def page(config: Mapping, size: Size, table: Sequence[Cost], sums: Sums, rates: Mapping) -> str:
    """The whole page."""
    used = dict.fromkeys(c.run for c in table if c.run)
    lines = ["# What this run would cost, estimated", "",
             f"Source: {config['source']}; papers: {', '.join(config['papers'])}. Nothing was run or fetched for it.", "",
             *sums_lines(sums, config["output"]["keep"], config["source"] == "simulated"), ""]  # fmt: skip
    if unknown := unknown_lines(table, size, sums, rates):
        lines += ["## Not known", "", *unknown, ""]
    lines += ["## By rule", "", rules_table(table, config["output"]["keep"]), "", "## By catalogue", "", catalogues_table(size), "",
              "Rules follow each other; work within one is shared perfectly between the cores, but none ends before its longest job.",
              "Core-seconds and memory are those of the machines that measured them:", "",
              *(f"- {name}: {rates['runs'][name]}" for name in used)]  # fmt: skip
    return "\n".join(lines) + "\n"


def numbers(size: Size, table: Sequence[Cost], sums: Sums, rates: Mapping) -> dict:
    """Everything as plain JSON; what is unknown is null."""
    return {
        "sums": asdict(sums), "rules": [asdict(c) for c in table], "catalogues": [asdict(c) for c in size.catalogues],
        "units": dict(size.units), "not_known": [line.removeprefix("- ") for line in unknown_lines(table, size, sums, rates)],
    }  # fmt: skip
