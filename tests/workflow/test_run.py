"""The tiny sky from native files to figures: complete, reproducible, and no more work than needed."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pandas as pd
import pytest
from astropy.table import Table

pytestmark = pytest.mark.slow

ENDINGS = (".parquet", ".fits", ".npz", ".h5", ".gz", ".psv", ".csv", ".tsv", ".txt")
FIGURES = {
    "sages": [f"fig{n:02d}" for n in range(1, 13)],
    "rave": [*(f"fig{n:02d}" for n in range(1, 26)), *(f"figA{n}" for n in range(1, 5))],
}
TABLES = {"sages": 3, "rave": 1}
CNN = "results/rave/models/main/photometry/ensemble.npz"
# Table 1 of Guiglion et al.
LABELS = ("teff", "logg", "mh", "feh", "alpham", "sife", "mgfe", "alfe", "nife")
COLUMNS = ["rave_obs_id", "sourceid", *(f"{prefix}{name}" for name in LABELS for prefix in ("", "e", "flag_")), "snr"]


def _checksums(project) -> dict[str, str]:
    """Of all that must be the same bytes whatever the number of cores: everything but logs, times and timings."""
    folder = project.folder / "results"
    skipped = ("logs", "benchmarks")
    paths = [p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] not in skipped]
    paths = [p for p in paths if p.suffix in ENDINGS and p.stem not in ("scan", "compare")]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


@pytest.mark.parametrize("paper", ["sages", "rave"])
def test_everything_is_made(finished, paper):
    figures = finished.folder / "figures" / paper
    for name in FIGURES[paper]:
        for ending, least in (("pdf", 3000), ("png", 3000), ("csv", 20)):
            found = list(figures.glob(f"{name}_*.{ending}"))
            assert len(found) == 1 and found[0].stat().st_size > least, (name, ending)
    for n in range(1, TABLES[paper] + 1):
        assert {p.suffix for p in figures.glob(f"table{n}_*")} == {".tex", ".csv"}
    assert (figures / "captions.md").stat().st_size > 1000
    assert "SIMULATED" in finished.first_run and f"figures/{paper}" in finished.first_run


def test_rave_catalogue_has_the_thirty_columns_of_table_1(finished):
    folder = finished.folder / "results/rave/catalog"
    table = Table.read(folder / "rave_cnn.fits")
    assert table.colnames == COLUMNS == list(pd.read_parquet(folder / "rave_cnn.parquet").columns) and len(COLUMNS) == 30
    assert table.meta["SIMUL"] is True and len(set(table["rave_obs_id"])) == len(table) > 300
    for name in LABELS:
        assert {0, 1} >= set(table[f"flag_{name}"].tolist())
        assert (table[f"e{name}"] >= 0).all()
    predictions = [pd.read_parquet(p) for p in sorted((finished.folder / "results/rave/predictions/main/photometry").glob("*-???.parquet"))]
    assert len(table) == sum(len(p) for p in predictions)
    assert sorted(table["rave_obs_id"].astype(str)) == sorted(pd.concat(predictions)["rave_obs_id"])


def test_a_second_run_does_nothing(finished):
    assert finished.planned() == {}
    assert "Nothing to be done" in finished.run().stdout


@pytest.mark.parametrize(("paper", "figure"), [("sages", "fig12"), ("rave", "fig22")])
def test_editing_a_plotting_module_reruns_that_figure_and_the_page_of_captions_only(finished, paper, figure):
    module = next((finished.folder / "workflow/scripts/starlabels/figures" / paper).glob(f"{figure}_*.py"))
    before, text = module.stat(), module.read_text()
    try:
        module.write_text(text + "# edited\n")
        planned = finished.planned()
    finally:
        module.write_text(text)
        os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert planned.pop("all", 1) == 1
    assert planned == {"figure": 1, "captions": 1}          # captions may tell numbers that a figure has found


NATIVE = {"simulate", "simulate_maps", "simulate_rave", "catalog", "rave_catalog"}
EDITS = {
    "cut of sages": (
        "sages", "ebv_max_train: 0.05", "ebv_max_train: 0.06",
        {"features", "samples", "train", "predict", "catalog_product", "figure"}, {*NATIVE, "labels", "rave_stars", "train_cnn"},
    ),
    "cut of rave": (
        "rave", "    snr_min: 30  ", "    snr_min: 35  ",
        {"rave_training", "train_cnn", "ensemble", "predict_cnn", "predict_cnn_training", "rave_catalogue", "figure"},
        {*NATIVE, "rave_spectra", "rave_stars", "train", "predict"},
    ),
    "comparison of rave": (
        "rave", "snr_abundances: 30 ", "snr_abundances: 35 ",
        {"validate_rave_grids", "figure"},
        {*NATIVE, "rave_spectra", "rave_stars", "rave_training", "train_cnn", "ensemble", "predict_cnn", "rave_catalogue", "train"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_editing_a_choice_reruns_what_depends_on_it(finished, edit):
    paper, old, new, again, kept = EDITS[edit]
    config = finished.folder / f"config/{paper}.yaml"
    text = config.read_text()
    assert text.count(old) == 1
    try:
        config.write_text(text.replace(old, new))
        planned = finished.planned()
    finally:
        config.write_text(text)
    assert again <= set(planned)
    assert not kept & set(planned)
    assert finished.planned() == {}


def test_more_networks_train_the_new_batches_only(finished):
    more = finished.override("more.yaml", rave={"ensemble": {"n_networks": {"photometry": 8}}})
    planned = finished.planned(configfile=["tiny.yaml", more])
    # of four batches of two the first two are there; the networks without photometry are not touched
    assert (planned["train_cnn"], planned["ensemble"], planned["predict_cnn_training"]) == (2, 1, 1)
    assert {"predict_cnn", "rave_catalogue", "figure"} <= set(planned)
    assert not {*NATIVE, "rave_stars", "rave_training", "train"} & set(planned)


def test_one_core_gives_the_same_bytes(finished, new_project):
    other = new_project("one-core", compiled=finished.folder)
    other.run("catalogs", cores=1)
    expected, found = _checksums(finished), _checksums(other)
    assert len(found) > 150
    for kind in ("rave/catalog/", "rave/models/", "rave/predictions/", "rave/spectra/", "sages/catalog/", "sages/models/", "native/"):
        assert any(name.startswith(kind) for name in found), kind
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}


def test_forests_of_scikit_learn_itself_give_the_same_bytes(finished, copied):
    other = ["tiny.yaml", copied.override("engine.yaml", sages={"forest": {"engine": "sklearn"}})]
    assert copied.planned("catalogs", configfile=other)["train"] == 10
    copied.run("catalogs", configfile=other)
    models = sorted((copied.folder / "results/sages/models").rglob("*.json"))
    assert {json.loads(path.read_text())["forest"]["engine"] for path in models} == {"sklearn"} and len(models) == 10
    expected, found = _checksums(finished), _checksums(copied)
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}


def test_what_nothing_reads_any_more_is_deleted_on_request(finished, new_project):
    small = new_project("results-only", compiled=finished.folder)
    small.run("catalogs", configfile=["tiny.yaml", small.override("keep.yaml", papers=["sages"], output={"keep": "results"})])
    expected, found = _checksums(finished), _checksums(small)
    kept = {"/".join(name.split("/")[:2]) for name in found}
    # the dust maps are made whole, not cell by cell
    assert kept == {"sages/catalog", "sages/models", "sages/samples", "native/dust"}
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}
    assert not [path for path in (small.folder / "results").rglob("cell-*.parquet")]


def _killed(project, target, wait_for, **options) -> None:
    """Start a run, and kill it with everything that it has started as soon as `wait_for` holds of what it has printed."""
    with open(project.folder / "out.txt", "w") as out:
        command = project.command(target, **options)
        process = subprocess.Popen(command, cwd=project.folder, stdout=out, stderr=out, start_new_session=True)
    try:
        for _ in range(1200):
            if process.poll() is not None or wait_for((project.folder / "out.txt").read_text()):
                break
            time.sleep(0.25)
        assert process.poll() is None, (project.folder / "out.txt").read_text()[-3000:]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    project.run(target, "--unlock", **options)


def _ended(text: str, rule: str) -> int:
    return len(re.findall(rf"^Finished jobid: \d+ \(Rule: {rule}\)", text, re.M))


def test_a_killed_run_is_finished_by_the_next_with_the_same_bytes(finished, copied):
    for part in ("models", "predictions", "catalog"):
        shutil.rmtree(copied.folder / "results/sages" / part)
    _killed(copied, "catalogs", lambda text: _ended(text, "train") >= 2)
    planned = copied.planned("catalogs", "--rerun-incomplete")
    assert {"train", "predict", "catalog_product"} <= set(planned) and planned["train"] <= 8
    copied.run("catalogs", "--rerun-incomplete")
    expected, found = _checksums(finished), _checksums(copied)
    assert {k: v for k, v in found.items() if expected.get(k) != v} == {}
    assert {k for k in expected if k.startswith("sages/catalog")} <= set(found)


def test_a_run_killed_in_training_repeats_the_batches_that_were_not_finished(finished, copied):
    """Four batches of one network; the ensemble that they end in is that of the finished run, which trained them in pairs."""
    single = ["tiny.yaml", copied.override("single.yaml", rave={"ensemble": {"batch_networks": 1}})]
    assert copied.planned(CNN, configfile=single) == {"train_cnn": 4, "ensemble": 1}
    _killed(copied, CNN, lambda text: _ended(text, "train_cnn") >= 2, configfile=single)
    left = copied.planned(CNN, "--rerun-incomplete", configfile=single)
    assert 1 <= left["train_cnn"] <= 2 and left["ensemble"] == 1
    batches = sorted((copied.folder / CNN).parent.glob("batch-*.npz"))
    before = {path: path.stat().st_mtime_ns for path in batches}
    copied.run(CNN, "--rerun-incomplete", configfile=single)
    again = [path for path in (copied.folder / CNN).parent.glob("batch-*.npz") if path.stat().st_mtime_ns != before.get(path)]
    assert len(again) == left["train_cnn"]
    assert (copied.folder / CNN).read_bytes() == (finished.folder / CNN).read_bytes()


def _stopped(project, target, **options) -> str:
    """Run what must fail; returns what is said at the end."""
    done = project.run(target, check=False, **options)
    assert done.returncode != 0
    message = done.stdout[done.stdout.index("The run stopped.") :]
    assert message.count("(log:") == 1 and "Traceback" not in message
    return message


def test_a_truncated_native_file_stops_with_one_clear_error(copied):
    native = next((copied.folder / "results/native/sages").glob("*.fits"))
    native.write_bytes(native.read_bytes()[:20000])
    assert native.name in _stopped(copied, "results/catalogs/sages/selection.json")


def test_networks_that_diverge_are_refused_and_named(copied):
    wild = copied.override("wild.yaml", rave={"fit": {"learning_rate": 50.0}, "ensemble": {"n_networks": {"photometry": 2}}})
    message = _stopped(copied, CNN, configfile=["tiny.yaml", wild])
    assert "networks of main/photometry" in message and "0 of 2 can be kept" in message
    assert "network 0 failed" in message and "network 1 failed" in message
    assert not (copied.folder / CNN).exists()


def test_damaged_spectra_are_counted_and_an_empty_folder_is_an_error(copied):
    counts = copied.folder / "results/rave/spectra/clusters-000.json"
    before = json.loads(counts.read_text())
    files = sorted((copied.folder / "results/native/rave_spectra/clusters-000").rglob("RAVE_*.fits"))
    files[3].write_bytes(files[3].read_bytes()[:4000])
    for path in (counts, counts.with_suffix(".h5")):
        path.unlink()
    copied.run(f"results/rave/spectra/{counts.name}")
    after = json.loads(counts.read_text())
    assert before["refused"] == {} and before["read"] == before["files"] == len(files)
    assert (after["files"], after["read"]) == (len(files), len(files) - 1)
    name = files[3].stem.removeprefix("RAVE_")
    assert [(entry["n"], entry["first"]) for entry in after["refused"].values()] == [(1, [name])]

    for path in files:
        path.unlink()
    for path in (counts, counts.with_suffix(".h5")):
        path.unlink()
    message = _stopped(copied, f"results/rave/spectra/{counts.name}")
    assert "rave_spectra/clusters-000" in message and "holds no FITS file" in message
