"""The tiny sky from native files to figures: complete, reproducible, and no more work than needed."""

import hashlib
import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow


def _checksums(project) -> dict[str, str]:
    """Of all that must be the same bytes whatever the number of cores: everything but logs, times and timings."""
    folder = project.folder / "results"
    skipped = ("logs", "benchmarks")
    paths = [p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] not in skipped]
    paths = [
        p for p in paths if p.suffix in (".parquet", ".fits", ".npz", ".gz", ".psv", ".csv", ".tsv") and p.stem not in ("scan", "compare")
    ]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def test_everything_is_made(finished):
    figures = finished.folder / "figures/sages"
    for n in range(1, 13):
        for ending in ("pdf", "png"):
            found = list(figures.glob(f"fig{n:02d}_*.{ending}"))
            assert len(found) == 1 and found[0].stat().st_size > 3000, (n, ending)
        assert len(list(figures.glob(f"fig{n:02d}_*.csv"))) == 1
    assert {p.suffix for p in figures.glob("table?_*")} == {".tex", ".csv"}
    assert "SIMULATED" in finished.first_run and "figures/sages" in finished.first_run


def test_a_second_run_does_nothing(finished):
    assert finished.planned() == {}
    assert "Nothing to be done" in finished.run().stdout


def test_editing_a_plotting_module_reruns_that_figure_only(finished):
    module = next((finished.folder / "workflow/scripts/starlabels/figures/sages").glob("fig12_*.py"))
    before = module.stat()
    try:
        module.write_text(module.read_text() + "# edited\n")
        planned = finished.planned()
    finally:
        os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert planned.pop("all", 1) == 1
    assert planned == {"figure": 1}


def test_editing_a_cut_reruns_from_features_on(finished):
    config = finished.folder / "config/sages.yaml"
    text = config.read_text()
    try:
        config.write_text(text.replace("ebv_max_train: 0.05", "ebv_max_train: 0.06"))
        planned = finished.planned()
    finally:
        config.write_text(text)
    assert {"features", "samples", "train", "predict", "catalog_product", "figure"} <= set(planned)
    assert not {"simulate", "simulate_maps", "catalog", "labels"} & set(planned)
    assert finished.planned() == {}


def test_one_core_gives_the_same_bytes(finished, new_project):
    other = new_project("one-core")
    other.run("catalogs", cores=1)
    expected, found = _checksums(finished), _checksums(other)
    assert len(found) > 60
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}


def test_a_killed_run_is_finished_by_the_next_with_the_same_bytes(finished, new_project):
    project = new_project("killed")
    with open(project.folder / "out.txt", "w") as out:
        process = subprocess.Popen(project.command("catalogs"), cwd=project.folder, stdout=out, stderr=out, start_new_session=True)
    models = project.folder / "results/sages/models"
    try:
        for _ in range(600):
            if process.poll() is not None or len(list(models.glob("set*/*.npz"))) >= 2:
                break
            time.sleep(0.5)
        assert process.poll() is None, (project.folder / "out.txt").read_text()[-3000:]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    project.run("catalogs", "--unlock")
    assert project.planned("catalogs", "--rerun-incomplete").keys() & {"train", "predict", "catalog_product"}
    project.run("catalogs", "--rerun-incomplete")
    expected, found = _checksums(finished), _checksums(project)
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}
    assert {k for k in expected if k.startswith("sages/catalog")} <= set(found)


def test_a_truncated_native_file_stops_with_one_clear_error(new_project):
    project = new_project("truncated")
    project.run("results/catalogs/sages/selection.json")
    native = next((project.folder / "results/native/sages").glob("*.fits"))
    native.write_bytes(native.read_bytes()[:20000])
    done = project.run("results/catalogs/sages/selection.json", check=False)
    assert done.returncode != 0
    message = done.stdout[done.stdout.index("The run stopped.") :]
    assert native.name in message and "log:" in message
    assert not list((project.folder / "results/catalogs/sages").glob("*.parquet"))
