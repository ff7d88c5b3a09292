"""The result of `acquire_check` as a table for the terminal, as Markdown and as plain numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from ..rates.report import markdown
from .check import Finding
from .compare import DEFECTS, STATES

WIDTH = 120
HEADER = ("dataset", "road", "state", "columns", "rows", "size", "files", "changed")
MEANING = {
    "ok": "as stated", "unverified": "reached, but its columns could not be seen", "renamed": "columns under another of their known names",
    "units": "other units, which are converted", "rows": "another number of rows", "unit wrong": "a unit that cannot be converted",
    "unreadable": "not readable as described", "missing": "a needed column is absent", "unreachable": "no answer",
}  # fmt: skip


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Sources in each state, and in all."""
    found = list(findings)
    return {"sources": len(found), **{state: sum(f.state == state for f in found) for state in STATES},
            "defects": sum(f.defect for f in found)}  # fmt: skip


def summary(findings: Sequence[Finding]) -> str:
    """One sentence: how many sources were looked at and in what state they are."""
    number = counts(findings)
    states = ", ".join(f"{number[state]} {state}" for state in STATES if number[state])
    unsure = sum(len(f.unsure) for f in findings)
    text = f"{number['sources']} sources: {states or 'none'}; {number['defects']} would stop or spoil the run"
    return text + (f"; {unsure} columns written from memory were not seen (unverified)." if unsure else ".")


def page(findings: Sequence[Finding]) -> str:
    """The table with its details, lines of at most 120 characters."""
    rows = [_row(f) for f in findings]
    widths = [max(len(r[k]) for r in [HEADER, *rows]) for k in range(len(HEADER))]
    line = lambda cells: "  ".join(c.rjust(w) if 3 <= k <= 6 else c.ljust(w) for k, (c, w) in enumerate(zip(cells, widths, strict=True)))  # noqa: E731
    lines = [line(HEADER).rstrip()]
    for finding, row in zip(findings, rows, strict=True):
        lines.append(line(row).rstrip())
        for text in _details(finding):
            lines += _wrapped(text)
    return "\n".join([*lines, "", *_wrapped(summary(findings), "", "")])


def markdown_page(findings: Sequence[Finding]) -> str:
    """The same as Markdown."""
    table = markdown((*HEADER, "address"), [(*_row(f), f.address) for f in findings])
    lines = ["# Sources of the run", "", summary(findings), "", table, ""]
    for finding in findings:
        if texts := _details(finding):
            lines += [f"## {finding.dataset}: {finding.state}", "", *(f"- {text}" for text in texts), ""]
    lines += ["States: " + "; ".join(f"{state}: {text}" for state, text in MEANING.items()) + ".",
              f"A run would fail or go wrong with: {', '.join(DEFECTS)}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def numbers(findings: Sequence[Finding]) -> dict:
    """Everything as plain JSON."""
    return {"counts": counts(findings), "sources": [{**asdict(f), "defect": f.defect} for f in findings]}


def _row(finding: Finding) -> tuple[str, ...]:
    seen = finding.columns - len(finding.absent) - sum(d.state == "missing" for d in finding.details)
    hidden = finding.state in ("unreachable", "unreadable", "unverified") or (finding.road == "dust")
    columns = "-" if hidden else f"{seen}/{finding.columns}"
    rows = "-" if finding.rows is None else f"{finding.rows:,}".replace(",", " ")
    return (finding.dataset, finding.road, finding.state, columns, rows, size_text(finding.bytes), str(finding.files), finding.date[5:16])


def _details(finding: Finding) -> list[str]:
    other = [d.text.removeprefix("renamed: ") for d in finding.details if d.state == "renamed"]
    texts = [f"renamed: {'; '.join(other)}"] if other else []
    texts += [f"{d.column}: {d.text}" if d.column else d.text for d in finding.details if d.state != "renamed"]
    if finding.absent:
        texts.append(f"optional columns that it lacks: {', '.join(finding.absent)}")
    if finding.note and finding.state != "unverified":
        texts.append(finding.note)
    if finding.unsure and finding.state != "unverified":
        texts.append(f"unverified (from memory, trust M or U): {', '.join(finding.unsure)}")
    return texts


def size_text(size: int | None) -> str:
    """Bytes with a unit; "-" where not known."""
    if size is None:
        return "-"
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}"


def _wrapped(text: str, first: str = "    - ", later: str = "      ") -> list[str]:
    """Lines of at most `WIDTH` characters; a word that is longer than a line (an address) is cut."""
    lines, line = [], first
    for word in text.split():
        while len(later) + len(word) > WIDTH:
            if line.strip(" -"):
                lines.append(line.rstrip())
            lines.append(later + word[: WIDTH - len(later)])
            word, line = word[WIDTH - len(later) :], later
        if len(line) + len(word) > WIDTH:
            lines.append(line.rstrip())
            line = later
        line += word + " "
    return [*lines, line.rstrip()]
