"""The table of a run: bench.md to read, bench.json and bench.csv to compute with."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from starlabels.io import atomic, write_json

from .rows import BAD, MISSING, Row

COLUMNS = ("case", "ours", "peer", "time of ours", "time of the peer", "unit", "ratio (min .. max)", "results", "floor", "aim", "verdict")


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def cells(row: Row) -> list[str]:
    """A row as text, one entry a column of `COLUMNS`."""
    spread = f"{row.ratio:.2f} ({min(row.ratios):.2f} .. {max(row.ratios):.2f})" if row.ratios else ""
    unit = row.unit if row.ratios else ""
    return [row.case, row.ours, row.peer, _time(row.ours_time), _time(row.peer_time), unit, spread, row.agreement.text,
            _number(row.floor), _number(row.aim), row.verdict]  # fmt: skip


def markdown(rows: Sequence[Row], about: Mapping, machine: Mapping[str, str], versions: Mapping[str, str]) -> str:
    """The table as a page.

    Parameters
    ----------
    about : mapping
        command, size, threads, cores (held to), minutes.
    machine, versions : mapping of str
        As of machine.py.
    """
    held = f"cores {', '.join(map(str, about['cores']))}" if about["cores"] else f"{about['threads']} threads (no core could be reserved)"
    lines = [
        "# Benchmarks", "",
        f"`{about['command']}`, {about['minutes']:.1f} minutes; all contestants held to {held}. They take turns; the ratio is the time",
        "of the peer over ours, the median of the rounds, with the smallest and the largest round. Times are medians.", "",
        "| machine | |", "|---|---|", *(f"| {k} | {v} |" for k, v in machine.items()), "",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".", "",
    ]  # fmt: skip
    for name in dict.fromkeys(row.benchmark for row in rows):
        mine = [row for row in rows if row.benchmark == name]
        lines += [f"## {name}", "", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
        lines += ["| " + " | ".join(text.replace("|", "/") for text in cells(row)) + " |" for row in mine]
        notes = dict.fromkeys(f"{row.ours} and {row.peer}: {row.note}" for row in mine if row.note)
        lines += ["", *(f"- {note}" for note in notes), ""]
    bad = [row for row in rows if row.verdict in BAD]
    absent = [row for row in rows if row.verdict == MISSING]
    lines.append(f"{len(rows)} comparisons: {len(bad)} not as required, {len(absent)} not available.")
    lines += [f"- {row.benchmark}, {row.case}: {row.ours} and {row.peer}: {row.verdict}" for row in bad]
    return "\n".join(lines) + "\n"


def write(folder: Path, rows: Sequence[Row], about: Mapping, machine: Mapping[str, str], versions: Mapping[str, str]) -> str:
    """Write bench.md, bench.json and bench.csv; the text of bench.md is returned."""
    text = markdown(rows, about, machine, versions)
    with atomic(folder / "bench.md") as part:
        part.write_text(text)
    with atomic(folder / "bench.csv") as part, open(part, "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["benchmark", *COLUMNS])
        writer.writerows([row.benchmark, *cells(row)] for row in rows)
    found = [{**asdict(row), "ratio": row.ratio, "verdict": row.verdict} for row in rows]
    write_json(folder / "bench.json", {"about": dict(about), "machine": dict(machine), "versions": dict(versions), "rows": found})
    return text
