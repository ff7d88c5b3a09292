"""What is printed when a run ends: where the results are and how long each stage took, or what went wrong."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .rates.jobs import by_rule, read_jobs

#: Failures that are told in full.
SHOWN = 10
#: What SLURM's states of a job mean.
MEANINGS = {
    "OUT_OF_MEMORY": "needed more memory than it asked for, in every attempt: ask for more with --set-resources RULE:mem_mb=...",
    "TIMEOUT": "needed more time than it asked for, in every attempt: ask for more with --set-resources RULE:runtime=... (minutes)",
    "CANCELLED": "was cancelled, by a person or by the cluster",
    "NODE_FAIL": "lost its node",
    "PREEMPTED": "made way for another job",
}
# a log file quoted by Snakemake (show-failed-logs): other Snakemakes' words may stand in it
_EXCERPT = re.compile(r"^ *Logfile [^\n]*:\n( *=+)\n.*?^\1\n", re.M | re.S)
_LOGS = re.compile(r"^ +log: (.*?)(?: \(check log file\(s\).*)?$", re.M)
_EVENT = re.compile(
    r"^ *Error in rule (?P<rule>\w+):\n(?: +\S.*\n)+"
    r"|^    message: .*\n(?:    log: .*\n)?    jobs:\n(?: {8,}.*\n)+"
    r"|^Finished jobid: (?P<done>\d+) ",
    re.M,
)


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
    """What the jobs that failed for good say of it, so that nobody has to search for it.

    The jobs are those that Snakemake's own log names; each has its log file, and on a cluster that of its SLURM job. Where Snakemake's log
    is not there, every log of the results younger than `started` (seconds of the epoch) is looked through.
    """
    failures = failed_jobs(Path(snakemake_log).read_text(errors="replace")) if Path(snakemake_log).is_file() else []
    said: dict[str, str] = {}
    for failure in failures:
        # a job of a group that was not reached may have a log of an earlier run; clocks of nodes may differ by a minute
        found = {path: _error_line(path, started - 60) for path in failure.logs}
        errors = {text: path for path, text in found.items() if text}
        if not errors and (killed := _killed(failure)):
            errors = {killed: failure.logs[-1] if failure.logs else ""}
        said.update({text: path for text, path in errors.items() if text not in said})
    if not said:
        recent = sorted(p for p in Path(results, "logs").glob("**/*.log") if p.stat().st_mtime >= started)
        said = {text: str(path) for path in recent if (text := _error_line(path, started))}
    lines = ["", "The run stopped."]
    lines += [f"  {text}" + (f"\n    (log: {path})" if path else "") for text, path in list(said.items())[:SHOWN]]
    if len(said) > SHOWN:
        lines.append(f"  ... and {len(said) - SHOWN} more, in {snakemake_log}")
    if not said:
        lines.append("  No job said why; it may have been killed (memory, time limit, signal). Logs of this run: " + f"{results}/logs/")
    lines.append(f"  Snakemake's own log: {snakemake_log}")
    lines.append("  Mend the cause and start the same command again: what is finished is kept.")
    return "\n".join(lines)


@dataclass
class Failure:
    """A job, or a group of jobs in one SLURM job, that failed and was not finished by a later attempt."""

    name: str  # the rule, or the rules of the group
    jobs: set[str]  # Snakemake's numbers
    logs: list[str]  # of its rules; on a cluster the last is that of the SLURM job
    message: str = ""  # what the cluster says of it


def failed_jobs(text: str) -> list[Failure]:
    """The jobs that have failed for good, read from Snakemake's own log (`text`), in order, each once."""
    text = _EXCERPT.sub("", text)
    failures: list[Failure] = []
    for event in _EVENT.finditer(text):
        if event["done"]:
            # an attempt that went well: the job, and its group, no longer count as failed
            failures = [f for f in failures if event["done"] not in f.jobs]
            continue
        body = event[0]
        group = re.search(r"^    jobs:$", body, re.M)
        names = re.findall(r"^ +rule (\w+):$", body, re.M) if group else [event["rule"]]
        logs = [name for line in _LOGS.findall(body) for name in line.split(", ")]
        message = re.search(r"^    message: (.*)$", body, re.M)
        jobs = set(re.findall(r"^ +jobid: (\S+)$", body, re.M))
        if group:
            # the SLURM job's log stands first in the text of a group, last in that of a job
            logs = [*logs[1:], logs[0]] if logs else []
        elif any(jobs <= f.jobs and len(f.jobs) > 1 for f in failures):
            continue  # named again, one by one, below its group
        failures = [f for f in failures if not f.jobs & jobs]
        failures.append(Failure(", ".join(dict.fromkeys(names)), jobs, list(dict.fromkeys(logs)), message[1] if message else ""))
    return failures


def _error_line(path: str | Path, since: float) -> str:
    """The first error that a log written after `since` tells, or nothing."""
    path = Path(path)
    if not path.is_file() or path.stat().st_mtime < since:
        return ""
    found = re.search(r"^.*?ERROR: (.*)", path.read_text(errors="replace"), re.M)
    return found[1] if found else ""


def _killed(failure: Failure) -> str:
    """Why SLURM ended a job that says nothing itself, in plain words, from its state or from the words of its SLURM log."""
    status = re.search(r"SLURM-job '(\S+)' failed.*?status is: '(\w+)", failure.message)
    text = Path(failure.logs[-1]).read_text(errors="replace") if failure.logs and Path(failure.logs[-1]).is_file() else ""
    words = " ".join(re.findall(r"^slurmstepd\S*: error: (.*)$", text, re.M))
    state = status[2] if status else ""
    if re.search("memory limit|oom.kill", words, re.I):
        state = "OUT_OF_MEMORY"
    elif "TIME LIMIT" in words:
        state = "TIMEOUT"
    elif not state and "CANCELLED" in words:
        state = "CANCELLED"
    if not state:
        return ""
    job = f"SLURM job {status[1]}" if status else "its SLURM job"
    return f"{failure.name}: {job} {MEANINGS.get(state, 'failed')} ({state})"
