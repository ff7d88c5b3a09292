"""The jobs of a run, counted by a dry run of Snakemake."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError

#: rules that only collect files, or are no part of the run
TARGETS = ("total", "all", "sages", "rave", "figures", "tables", "catalogs", "studies", "acquire", "estimate", "acquire_check")


def jobs_of_run(config: Mapping, snakefile: str | Path, target: str = "all") -> dict[str, int]:
    """Rule -> jobs of a whole run, whatever of it is there already.

    Raises
    ------
    InputError
        When Snakemake cannot plan the run.
    """
    command = [sys.executable, "-m", "snakemake", "-n", "--forceall", "--nolock", "--quiet", "rules", "host", "reason"]
    # the configuration goes along as a file of its own: the jobs are those of this run, whatever files it came from
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        json.dump(config, settings)
        settings.flush()
        command += ["--snakefile", str(snakefile), "--configfile", settings.name, "--", target]
        done = subprocess.run(command, capture_output=True, text=True)
    jobs = jobs_of(done.stdout + done.stderr)
    if done.returncode or not jobs:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise InputError("jobs of the run", f"cannot be planned: {said}", "Run `snakemake -n` with the same configuration to see why")
    return jobs


def jobs_of(text: str) -> dict[str, int]:
    """Rule -> jobs from what a dry run prints (`Job stats:`), without targets."""
    found = re.search(r"^Job stats:\n(.*?)(?:\n\s*\n|\Z)", text, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^(\w+)\s+(\d+)\s*$", found[1], re.MULTILINE) if found else []
    return {rule: int(count) for rule, count in rows if rule not in TARGETS}
