"""A copy of the project in an empty folder, and Snakemake in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/workflow/tiny.yaml"


class Project:
    """A copy of the workflow in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def new(cls, folder: Path, compiled: Path | None = None) -> "Project":
        """Copy the workflow; `compiled`: take its code with the machine code that it has from a folder where it has run."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("workflow", "config", "envs"):
            ignore = None if compiled else shutil.ignore_patterns("__pycache__")
            shutil.copytree((compiled or ROOT) / name, folder / name, ignore=ignore)
        shutil.copy(ROOT / "Snakefile", folder)
        shutil.copy(TINY, folder / "tiny.yaml")
        return cls(folder)

    def clone(self, folder: Path) -> "Project":
        """A copy of everything here, results and what Snakemake remembers of them too."""
        shutil.copytree(self.folder, folder)
        return Project(folder)

    def override(self, name: str, **values) -> str:
        """Write a configuration file, and return its name."""
        (self.folder / name).write_text(yaml.safe_dump(values))
        return name

    def command(self, *args: str, cores: int = 2, configfile: str | Sequence[str] | None = "tiny.yaml") -> list[str]:
        """The command line of a run; targets come first, as the option for configuration files takes several."""
        files = [configfile] if isinstance(configfile, str) else [*(configfile or [])]
        chosen = ["--configfile", *files] if files else []
        return [sys.executable, "-m", "snakemake", *args, "--cores", str(cores), *chosen]

    def run(self, *args: str, check: bool = True, env: dict | None = None, **options) -> subprocess.CompletedProcess:
        """Run Snakemake here; stdout and stderr come back as one text."""
        done = subprocess.run(
            self.command(*args, **options), cwd=self.folder, env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, done.stdout[-6000:]
        return done

    def planned(self, *args: str, **options) -> dict[str, int]:
        """Number of jobs of each rule that a dry-run shows."""
        text = self.run(*args, "-n", **options).stdout
        table = re.search(r"^job\s+count\n[-\s]+\n(.*?)^total\s", text, re.M | re.S)
        return {name: int(count) for name, count in re.findall(r"^(\w+)\s+(\d+)$", table.group(1), re.M)} if table else {}

    def jobs(self, *args: str, **options) -> list[tuple[str, list[str], list[str]]]:
        """(rule, inputs, outputs) of every job that a dry-run of everything shows."""
        text = self.run(*args, "-n", "-F", **options).stdout
        found = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", text, re.M)

        def files(body, key):
            line = re.search(rf"^    {key}: (.*)$", body, re.M)
            return line.group(1).split(", ") if line else []

        return [(name, files(body, "input"), files(body, "output")) for name, body in found]


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    """Make a fresh copy of the project."""

    def make(name: str, compiled: Path | None = None) -> Project:
        return Project.new(tmp_path_factory.mktemp(name) / "project", compiled)

    return make


@pytest.fixture(scope="session")
def finished(new_project) -> Project:
    """A copy in which the tiny run has ended well. Tests must leave it as they found it."""
    project = new_project("finished")
    project.first_run = project.run().stdout
    return project


@pytest.fixture
def copied(finished, tmp_path) -> Project:
    """A copy of the finished run, results and all, for a test that changes it."""
    return finished.clone(tmp_path / "project")
