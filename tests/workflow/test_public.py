"""The authors' public training sample: photometry alone from the real tables; with spectra behind an address, the published networks."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from paths import SHARED

from starlabels.acquire.digest import digests

DATA = SHARED / "guiglion2020/data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="the authors' public tables (shared/data/guiglion2020) are not there"),
]
RESULTS = "results/guiglion2020/rave"
SHORT = {
    "fit": {"epochs": 4},
    "ensemble": {"n_networks": {"photometry": 3, "spectra": 2}, "batch_networks": 2, "kept_min": 1},
    "validation": {"bootstrap": 10},
}


@pytest.fixture(scope="module")
def project(new_project):
    """The target `public` as it comes: tables only."""
    made = new_project("public")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STARLABELS_DATA", str(SHARED))
        made.run("public", configfile=["config/guiglion2020.yaml", made.override("short.yaml", rave=SHORT)])
        yield made


def _json(project, name):
    return json.loads((project.folder / RESULTS / name).read_text())


def test_split_and_photometry_alone(project):
    selection, alone = _json(project, "samples/public/selection.json"), _json(project, "public/photometric.json")
    # printed: 3904 spectra, 3669 for training and 235 for the test
    assert (selection["n"], selection["n_train"], selection["n_test"]) == (alone["n_train"] + alone["n_test"], 3669, 235)
    assert not selection["simulated"] and not alone["simulated"]
    assert alone["test"]["teff"]["sigma"] < alone["spread"]["teff"]
    folder = project.folder / RESULTS
    sample = {f"samples/public/{name}" for name in ("selection.json", "scaling.json", "training.parquet")}
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {"public/photometric.json"} | sample


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path):
    """Made-up spectra of the public sample, 912 pixels of 3904 spectra as the authors lay them out, and where they are served."""
    table = pd.read_csv(DATA / "training_sample_labels.csv", skipinitialspace=True)
    labels = table[["Teff", "logg", "MH", "FeH", "alphaM", "SiFe", "AlFe", "MgFe", "NiFe"]].rank(pct=True).to_numpy(np.float32).T
    # a hundred pixels a label, deeper where it is larger: enough for a few epochs
    depth = np.pad(0.6 * np.repeat(labels, 100, axis=0), ((6, 6), (0, 0)))
    image = (1 - depth + np.random.default_rng(1).normal(0, 0.02, depth.shape)).astype(np.float32)
    fits.PrimaryHDU(image).writeto(tmp_path / "spectra.fits")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield image, tmp_path / "spectra.fits", f"http://127.0.0.1:{server.server_port}/spectra.fits"
    server.shutdown()
    thread.join()
    server.server_close()


def test_published_networks_from_the_fetched_spectra(project, served):
    image, file, address = served
    target = f"{RESULTS}/public/labels.json"

    def files(blob):
        chosen = {**SHORT, "public": {"address": address, "blob": blob}}
        return ["config/guiglion2020.yaml", project.override("address.yaml", rave=chosen)]

    refused = project.run(target, check=False, configfile=files("0" * 40))
    assert refused.returncode != 0 and "is another file" in refused.stdout[refused.stdout.index("The run stopped.") :]
    assert not list((project.folder / RESULTS / "public").glob("*.fits"))

    chosen = files(digests(file, ["blob"])["blob"])
    planned = project.planned("public", configfile=chosen)
    # three networks with photometry and two without, in batches of two
    assert (planned["rave_fetch"], planned["train_cnn"], planned["ensemble"], planned["predict_cnn_training"]) == (1, 3, 2, 2)
    assert not {"simulate_rave", "rave_stars", "rave_training", "predict_cnn"} & set(planned)
    project.run(target, configfile=chosen)
    assert (project.folder / RESULTS / "public/training_sample_spectra.fits").read_bytes() == file.read_bytes()
    with h5py.File(project.folder / RESULTS / "samples/public/training.h5") as packed:
        assert packed["flux"].shape == (3904, 912) and not packed.attrs["simulated"]
        assert np.array_equal(packed["flux"][7], image[:, 7])
    for network, n in (("photometry", 3), ("spectra", 2)):
        summary = _json(project, f"models/public/{network}/ensemble.json")
        assert (summary["n_networks"], summary["architecture"]["pixels"], summary["simulated"]) == (n, 912, False)
    assert _json(project, "models/public/photometry/ensemble.json")["parameters"] == 58549        # the published network
    labels = _json(project, "public/labels.json")
    assert labels["simulated"] is False
