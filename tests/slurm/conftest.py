"""A real SLURM on this machine, and copies of the workflow that run through its profile.

`make test-slurm` (SLURM_LAB=1) starts it; plain `make test` skips these tests, since daemons and a file in /etc are not what
somebody expects of a test suite. To work on these tests: SLURM_LAB=FOLDER takes the lab that `lab.sh start FOLDER` has started,
SLURM_REFERENCE=FOLDER a copy of the workflow in which the tiny run has ended.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from paths import ROOT
from slurm.cluster import ClusterProject, Project

LAB = ROOT / "tests/slurm/lab.sh"


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """SLURM: two nodes, partitions cpu and gpu, accounting."""
    if not os.environ.get("SLURM_LAB"):
        pytest.skip("a SLURM on this machine is started by `make test-slurm` only (SLURM_LAB=1)")
    checked = subprocess.run([LAB, "check"], capture_output=True, text=True)
    if checked.returncode:
        pytest.skip(checked.stderr.strip())
    if os.path.exists(os.path.join(os.environ["SLURM_LAB"], "pids")):
        yield
        return
    folder = tmp_path_factory.mktemp("lab")
    with open(folder / "start.txt", "w") as out:  # not a pipe: the daemons live on and would keep it open
        started = subprocess.run([LAB, "start", folder / "state"], stdout=out, stderr=out)
    assert started.returncode == 0, (folder / "start.txt").read_text()
    yield
    subprocess.run([LAB, "stop", folder / "state"], check=True)


@pytest.fixture(scope="session")
def reference(lab, tmp_path_factory) -> Project:
    """The tiny run of both papers on this machine, without SLURM. Tests must leave it as they found it."""
    if os.environ.get("SLURM_REFERENCE"):
        return Project(Path(os.environ["SLURM_REFERENCE"]))
    project = Project.new(tmp_path_factory.mktemp("local") / "project")
    project.run(env={"PYTHONDONTWRITEBYTECODE": ""})
    return project


@pytest.fixture
def to_repeat(reference, tmp_path) -> ClusterProject:
    """A copy of the finished run without the networks, their labels and the catalogue of one paper: nine jobs are left to do."""
    shutil.copytree(reference.folder, tmp_path / "project")
    results = tmp_path / "project/results/rave"
    for part in ("models/main/photometry", "catalog"):
        shutil.rmtree(results / part)
    for path in (results / "predictions/main/photometry").glob("*-???.parquet"):
        path.unlink()
    return ClusterProject(tmp_path / "project")


@pytest.fixture
def cluster_project(reference, tmp_path) -> ClusterProject:
    """A copy of the workflow without results (with the machine code that its functions have from the reference)."""
    return ClusterProject(Project.new(tmp_path / "project", compiled=reference.folder).folder)
