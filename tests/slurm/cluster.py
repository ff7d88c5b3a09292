"""The workflow run through the cluster profile, and what the accounting says of it."""

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT

_SPEC = importlib.util.spec_from_file_location("workflow_project", ROOT / "tests/workflow/conftest.py")
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
Project = _MODULE.Project

#: Files whose bytes must not depend on where they were made.
ENDINGS = (".parquet", ".fits", ".npz", ".h5", ".gz", ".psv", ".csv", ".tsv", ".txt")
#: What the lab changes in the profile: its two small nodes, and a short look at the queue. Three jobs at once.
LAYER = [
    "--slurm-partition-config", "lab-partitions.yaml", "--cores", "4", "--jobs", "3", "--resources", "mem_mb=12000", "gpu=1",
    "--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10",
]  # fmt: skip
#: Seconds after which something that a test waits for counts as not coming.
PATIENCE = 3600
#: Python's machine code may be written, or each of the many starts of Snakemake costs seconds.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def checksums(project, part: str = "") -> dict[str, str]:
    """SHA-256 of the results that must be the same bytes wherever they are made; `part`: those below this folder only."""
    folder = project.folder / "results"
    paths = [p for p in (folder / part).rglob("*") if p.is_file() and p.suffix in ENDINGS and p.stem not in ("scan", "compare")]
    names = {p: str(p.relative_to(folder)) for p in paths}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for p, n in names.items() if not n.startswith(("logs/", "benchmarks/"))}


@dataclass
class Job:
    """One SLURM job as the accounting knows it."""

    id: str
    partition: str
    state: str
    memory: str
    resources: str
    node: str
    seconds: int
    rules: str  # the group and its rules, or the rule


def accounting(run_id: str) -> list[Job]:
    """All jobs of a run, in order; a job that SLURM started again stands there once for each start."""
    columns = "JobIDRaw,Partition,State,ReqMem,AllocTRES,NodeList,ElapsedRaw,Comment"
    # the database hears of a job's end a moment after the queue does
    time.sleep(3)
    command = ["sacct", "-X", "-n", "-P", "--duplicates", "--starttime", "now-1day", "--name", run_id, "-o", columns]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    jobs = [Job(*row.split("|")[:6], int(row.split("|")[6] or 0), row.split("|")[7]) for row in rows]
    return sorted(jobs, key=lambda job: int(job.id))


def show(title: str, jobs: list[Job]) -> None:
    """Print the table of accounting."""
    print(f"\n{title}: {len(jobs)} SLURM jobs:", end=" ")
    states = [job.state.split()[0] for job in jobs]
    print(", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
    print(f"{'job':>6} {'partition':<10}{'state':<16}{'memory':>8} {'node':<6}{'s':>5}  {'allocated':<44} rules")
    for job in jobs:
        start = f"{job.id:>6} {job.partition:<10}{job.state[:15]:<16}{job.memory:>8} {job.node:<6}{job.seconds:>5}"
        print(f"{start}  {job.resources:<44} {job.rules}")


class Run:
    """A run of Snakemake that goes on while the test does something."""

    def __init__(self, command: list[str], folder: Path):
        self.out = folder / "out.txt"
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=out, stderr=out, start_new_session=True)

    @property
    def text(self) -> str:
        return self.out.read_text()

    @property
    def id(self) -> str:
        """The name that all its SLURM jobs have."""
        return re.search(r"^SLURM run ID: (\S+)", self.text, re.M)[1]

    def until(self, holds: Callable[[], object], what: str):
        """Wait until something holds while Snakemake runs; returns it."""
        for _ in range(PATIENCE * 2):
            if found := holds():
                return found
            assert self.process.poll() is None, f"Snakemake ended before {what}:\n{self.text[-4000:]}"
            time.sleep(0.5)
        raise AssertionError(f"{what} did not come:\n{self.text[-4000:]}")

    def running(self, pattern: str = "") -> list[str]:
        """SLURM jobs of this run that are running, of rules that fit the pattern."""
        if "SLURM run ID" not in self.text:
            return []
        command = ["squeue", "--noheader", "--states=R", "--name", self.id, "-o", "%i %k"]
        rows = [row.split(maxsplit=1) for row in subprocess.run(command, capture_output=True, text=True).stdout.splitlines()]
        return [row[0] for row in rows if re.search(pattern, row[-1])]

    def ended(self, rule: str) -> int:
        """Jobs of a rule that have ended well."""
        return len(re.findall(rf"^Finished jobid: \d+ \(Rule: {rule}\)", self.text, re.M))

    def finish(self) -> str:
        """Wait for the end, which must be a good one; returns what was printed."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop()
            raise
        assert self.process.returncode == 0, self.text[-6000:]
        return self.text

    def stop(self) -> None:
        """Kill Snakemake and what it has started on this machine outside of SLURM."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class ClusterProject(Project):
    """A copy of the workflow that runs through the cluster profile."""

    def command(self, *args: str, configfile=("tiny.yaml",), **_) -> list[str]:
        shutil.copy(ROOT / "tests/slurm/partitions.yaml", self.folder / "lab-partitions.yaml")
        start = [sys.executable, "-m", "snakemake", *args, "--workflow-profile", "workflow/profiles/slurm"]
        return [*start, *LAYER, "--configfile", *configfile]

    def start(self, *args: str) -> Run:
        return Run(self.command(*args), self.folder)


