"""The workflow through the cluster profile on a real SLURM: the same bytes as without it, whatever happens to jobs, nodes and Snakemake."""

import re
import subprocess
import time

import pytest
import yaml
from paths import ROOT
from slurm.cluster import accounting, checksums, show

PROFILE = ROOT / "workflow/profiles/slurm/config.yaml"
CATALOGUE = "results/rave/catalog/rave_cnn.fits"
#: The networks on processors: in partition cpu, where there are two nodes.
NO_GPU = ["--set-resources", "train_cnn:gpu=0", "predict_cnn:gpu=0"]
NETWORKS = re.compile("train_cnn|predict_cnn")


def scontrol(*words: str) -> None:
    subprocess.run(["scontrol", "update", *words], check=True)


@pytest.fixture
def nodes(lab):
    """The nodes are as they were when the test is over."""
    yield
    for node in ("cpu1", "gpu1"):
        # a node that is up refuses to be resumed
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], capture_output=True)


@pytest.fixture
def started():
    """Runs that are killed with all their jobs if the test ends before they do."""
    runs = []
    yield runs
    for run in runs:
        if run.process.poll() is None:
            run.stop()
            if "SLURM run ID" in run.text:
                subprocess.run(["scancel", "--name", run.id])


def same_bytes(project, reference, part: str = "rave") -> None:
    expected, found = checksums(reference, part), checksums(project, part)
    assert {name: sha for name, sha in found.items() if expected.get(name) != sha} == {}
    assert set(found) == set(expected) and len(found) > 20


@pytest.fixture
def begin(to_repeat, started):
    """Start the nine jobs that are left of the copied run."""

    def start(*args):
        started.append(to_repeat.start(CATALOGUE, *args))
        return started[-1]

    return start


def test_everything_runs_on_the_cluster_and_gives_the_same_bytes(reference, cluster_project, started):
    planned = sum(cluster_project.planned(configfile=["tiny.yaml"]).values())
    started.append(cluster_project.start())
    run = started[0]
    text = run.finish()
    jobs = accounting(run.id)
    show("both papers", jobs)
    same_bytes(cluster_project, reference, "")
    # every job but the target rule ran in SLURM, small ones together
    riders = [job for job in jobs if job.state == "COMPLETED"]
    print(f"{planned - 1} jobs of Snakemake in {len(riders)} SLURM jobs")
    assert len(re.findall(r"^Finished jobid: ", text, re.M)) == planned
    assert 20 < len(riders) < planned / 2 and len(riders) == len(jobs)
    networks = [job for job in jobs if NETWORKS.search(job.rules)]
    assert len(networks) >= 6 and {job.partition for job in networks} == {"gpu"} and all("gres/gpu=1" in job.resources for job in networks)
    others = [job for job in jobs if job not in networks]
    assert {job.partition for job in others} == {"cpu"} and not any("gpu" in job.resources for job in others)


def test_cancelled_jobs_are_tried_again(reference, to_repeat, begin):
    run = begin()
    victims = run.until(lambda: run.running("train_cnn"), "a network in training")
    subprocess.run(["scancel", *victims], check=True)
    run.finish()
    jobs = accounting(run.id)
    show("after scancel", jobs)
    assert {job.id for job in jobs if job.state.startswith("CANCELLED")} >= set(victims)
    same_bytes(to_repeat, reference)


def test_a_drained_node_gets_no_new_jobs_and_the_others_finish_the_run(reference, to_repeat, begin, nodes):
    run = begin(*NO_GPU)
    before = run.until(lambda: run.running("train_cnn"), "a network in training")
    scontrol("nodename=cpu1", "state=drain", "reason=test")
    run.finish()
    jobs = accounting(run.id)
    show("after a drain of cpu1", jobs)
    assert {job.partition for job in jobs} == {"cpu"} and not any("gpu=" in job.resources for job in jobs)
    assert {job.node for job in jobs if job.id in before} == {"cpu1"}
    after = [job for job in jobs if int(job.id) > max(map(int, before)) and not NETWORKS.search(job.rules)]
    assert after and {job.node for job in after} == {"gpu1"}
    assert {job.state for job in jobs} == {"COMPLETED"}
    same_bytes(to_repeat, reference)


def test_jobs_of_a_node_that_goes_down_are_done_again_elsewhere(reference, to_repeat, begin, nodes):
    run = begin(*NO_GPU)
    victims = run.until(lambda: run.running("train_cnn"), "a network in training")
    scontrol("nodename=cpu1", "state=down", "reason=test")
    run.finish()
    jobs = accounting(run.id)
    show("after cpu1 went down", jobs)
    lost = [job for job in jobs if job.id in victims and job.node == "cpu1" and job.state == "NODE_FAIL"]
    assert lost
    # SLURM itself puts such a job into its queue again, under the same number (where it may not, Snakemake does)
    for job in lost:
        assert any(other.state == "COMPLETED" and other.rules == job.rules for other in jobs)
    same_bytes(to_repeat, reference)


def test_after_kill_9_of_snakemake_the_next_run_does_what_is_left(reference, to_repeat, begin):
    run = begin()
    run.until(lambda: run.ended("train_cnn"), "a finished network")
    done = sorted((to_repeat.folder / "results/rave/models/main/photometry").glob("batch-*.npz"))
    run.stop()
    # what docs/cluster.md says: cancel what still runs, unlock, start again
    subprocess.run(["scancel", "--name", run.id], check=True)
    for _ in range(60):
        if not run.running():
            break
        time.sleep(1)
    before = {path: path.stat().st_mtime_ns for path in done}
    to_repeat.run(CATALOGUE, "--unlock")
    again = begin()
    again.finish()
    jobs = accounting(again.id)
    show("after kill -9", jobs)
    assert before and {path: path.stat().st_mtime_ns for path in done} == before
    assert again.ended("train_cnn") == 2 - len(done)
    same_bytes(to_repeat, reference)


def test_a_job_that_needs_more_memory_gets_it_by_trying_again(reference, to_repeat, begin):
    run = begin("--set-resources", "rave_catalogue:mem_mb=60*12**(attempt-1)")
    text = run.finish()
    jobs = [job for job in accounting(run.id) if "rave_catalogue" in job.rules]
    show("memory made too small", jobs)
    assert len(jobs) >= 2 and jobs[0].memory == "60M" and jobs[0].state in ("FAILED", "OUT_OF_MEMORY") and jobs[-1].state == "COMPLETED"
    assert [job.memory for job in jobs[1:2]] == ["720M"] and "Trying to restart job" in text
    same_bytes(to_repeat, reference)


def test_the_profile_names_rules_and_groups_that_exist():
    """Of the profile alone: no SLURM."""
    profile = yaml.safe_load(PROFILE.read_text())
    rules = set(re.findall(r"^ *rule (\w+):", "\n".join(p.read_text() for p in (ROOT / "workflow/rules").glob("*.smk")), re.M))
    assert set(profile["groups"]) <= rules
    assert set(profile["groups"].values()) == set(profile["group-components"])
    assert profile["retries"] == 3 and profile["rerun-incomplete"] is True and "slurm-array-jobs" not in profile
    partitions = yaml.safe_load((PROFILE.parent / profile["slurm-partition-config"]).read_text())["partitions"]
    # a request at its largest must fit a partition
    assert max(p["max_mem_mb"] for p in partitions.values()) >= profile["resources"]["mem_mb"]
    assert max(p["max_threads"] for p in partitions.values()) >= profile["cores"]
    assert max(p.get("max_gpu", 0) for p in partitions.values()) >= profile["resources"]["gpu"]
