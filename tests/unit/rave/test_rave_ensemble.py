"""From a training sample to the catalogue: training jobs, choice of networks, predictions, Table 1, photometry alone."""

import ast
import copy
import importlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from paths import ROOT, SHARED

from starlabels import ensemble as ensembles
from starlabels import network_keras
from starlabels.ensemble import Ensemble, dispersion_ratio, keep, run_ensemble, select, together
from starlabels.errors import InputError
from starlabels.figures.rave import table1_catalogue
from starlabels.io import read_json, read_meta, read_table, write_json, write_table
from starlabels.network import Architecture
from starlabels.network_fit import HISTORY
from starlabels.npz import load_arrays, save_arrays
from starlabels.rave.catalog import run_catalog
from starlabels.rave.fit import run_train
from starlabels.rave.photometric import run_photometric
from starlabels.rave.predict import run_predict, run_predict_training
from starlabels.rave.scaling import BANDS, raw_inputs, scaling_of
from starlabels.spectra import grid_of
from starlabels.spectra_pack import read_packed, write_packed

RANGE = {"teff": (4000, 6500), "logg": (1, 5), "mh": (-1.5, 0.4), "feh": (-1.5, 0.4)}
TABLE1 = (
    "rave_obs_id sourceid teff eteff flag_teff logg elogg flag_logg mh emh flag_mh feh efeh flag_feh alpham ealpham flag_alpham sife esife "
    "flag_sife mgfe emgfe flag_mgfe alfe ealfe flag_alfe nife enife flag_nife snr"
).split()


@pytest.fixture(scope="module")
def cfg():
    cfg = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    cfg["spectra"]["pixels"] = 61
    cfg["network"] |= {"kernel": 5, "dense": 8, "photometric": 7, "joined": 6}
    cfg["fit"] |= {"epochs": 150, "patience": 15}
    cfg["ensemble"] |= {"n_networks": {"photometry": 5, "spectra": 5}, "batch_networks": 3}
    return cfg


def stars(cfg, n, seed, prefix):
    """Stars whose magnitudes and spectra tell their labels."""
    rng, law = np.random.default_rng(seed), np.random.default_rng(1)
    labels = cfg["labels"]
    unit = rng.uniform(0, 1, (n, len(labels)))
    frame = pd.DataFrame({"rave_obs_id": pd.array([f"{prefix}_{k:04d}" for k in range(n)], dtype="str")})
    for k, label in enumerate(labels):
        low, high = RANGE.get(label, (-0.3, 0.4))
        frame[label] = low + (high - low) * unit[:, k]
    frame["parallax"] = rng.uniform(0.5, 8, n)
    colours = unit @ law.normal(0, 1.5, (len(labels), len(BANDS)))
    for k, band in enumerate(BANDS):
        frame[band] = 4 + colours[:, k] - 5 * np.log10(frame["parallax"]) + 10 + rng.normal(0, 0.02, n)
    frame["av_starhorse"] = rng.uniform(0, 1, n)
    pixels = np.arange(cfg["spectra"]["pixels"])
    lines = np.exp(-0.5 * ((pixels - law.uniform(5, 55, (len(labels), 1))) / 2) ** 2)
    flux = 1 - 0.4 * unit @ lines + rng.normal(0, 0.01, (n, len(pixels)))
    frame["snr_rave"], frame["gaia_dr2_source_id"] = rng.uniform(10, 90, n), 5_000_000_000_000_000_001 + np.arange(n) * 7 + seed
    frame["in_observed"] = np.arange(n) % 5 > 0
    return frame, flux.astype(np.float32)


def pack(path, frame, flux, cfg):
    none = np.zeros(len(frame), np.int32)
    write_packed(path, frame["rave_obs_id"], flux, none, none, grid_of(cfg["spectra"]), simulated=True)


@pytest.fixture(scope="module")
def sample(cfg, tmp_path_factory):
    """training.parquet, training.h5, scaling.json, as the training stage writes them."""
    folder = tmp_path_factory.mktemp("sample")
    frame, flux = stars(cfg, 360, 1, "t")
    magnitudes = raw_inputs(frame, {**cfg, "distance": "parallax"})
    frame = frame.assign(**dict(zip(cfg["inputs"], magnitudes.T, strict=True)))
    frame["role"] = pd.array(np.where(np.arange(len(frame)) % 6 == 0, "test", "train"), dtype="str")
    frame["twin_in_train"] = np.arange(len(frame)) % 12 == 0
    paths = folder / "training.parquet", folder / "training.h5", folder / "scaling.json"
    write_table(paths[0], frame)
    pack(paths[1], frame, flux, cfg)
    write_json(paths[2], scaling_of(frame, {**cfg, "flags": "train"}))
    return paths


def train(sample, cfg, folder, network="photometry", jobs=((0, 1, 2), (3, 4)), variant="main", seed=7, threads=2):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k, members in enumerate(jobs):
        paths.append(folder / f"batch-{k:03d}.npz")
        run_train(*sample, cfg, variant, network, members, seed, threads, paths[-1], folder / f"batch-{k:03d}.json")
    return paths


@pytest.fixture(scope="module")
def models(sample, cfg, tmp_path_factory):
    """An ensemble of each network: folder with ensemble.npz, ensemble.json, history.parquet."""
    found = {}
    for network in ("photometry", "spectra"):
        folder = tmp_path_factory.mktemp(network)
        batches = train(sample, cfg, folder, network)
        run_ensemble(batches, cfg, folder / "ensemble.npz", folder / "ensemble.json", folder / "history.parquet")
        found[network] = folder
    return found


@pytest.fixture(scope="module")
def slices(cfg, tmp_path_factory):
    """Two slices of observed stars, of one of which the ids come first although it is given last; one star has no G magnitude."""
    folder = tmp_path_factory.mktemp("slices")
    found = []
    for name, n, seed in (("south2-000", 90, 12), ("south1-000", 70, 11)):
        frame, flux = stars(cfg, n, seed, name)
        frame.loc[3, "gaia_g"] = np.nan
        if name == "south1-000":
            frame.loc[4, "gaia_dr2_source_id"] = -1
        (folder / "stars").mkdir(exist_ok=True)
        write_table(folder / "stars" / f"{name}.parquet", frame)
        pack(folder / f"{name}.h5", frame, flux, cfg)
        found.append((folder / "stars" / f"{name}.parquet", folder / f"{name}.h5"))
    return found


# --- training ---------------------------------------------------------------------------------------------------------


def test_a_network_hangs_on_its_number_and_seed_only(sample, cfg, models, tmp_path):
    """Neither the job, nor its neighbours, nor the number of threads change a bit."""
    whole = ensembles.together([models["photometry"] / f"batch-{k:03d}.npz" for k in range(2)])
    other = ensembles.together(train(sample, cfg, tmp_path / "a", jobs=((4, 2), (0,), (3, 1)), threads=3))
    assert [r["network"] for r in other.reports] == [0, 1, 2, 3, 4] and whole.reports == other.reports
    assert np.array_equal(whole.weights, other.weights) and whole.history.equals(other.history)
    again = train(sample, cfg, tmp_path / "b", jobs=((0, 1, 2),), threads=1)[0]
    assert again.read_bytes() == (models["photometry"] / "batch-000.npz").read_bytes()
    seeded = Ensemble.load(train(sample, cfg, tmp_path / "c", jobs=((0,),), seed=8)[0])
    assert not np.array_equal(seeded.weights[0], whole.weights[0])


def test_history_and_summary_of_a_job(models, cfg, sample):
    history = read_table(models["photometry"] / "history.parquet")
    assert list(history.columns) == ["network", "epoch", "train_loss", "test_loss", "test_r2", "test_accuracy"]
    summary = read_json(models["photometry"] / "batch-000.json")
    assert summary["engine"] == "numba" and summary["n_train"] == 300 and summary["n_test"] == 60 and summary["simulated"] is True
    for report in summary["networks"]:
        own = history[history["network"] == report["network"]]
        assert own["epoch"].tolist() == list(range(1, report["epochs"] + 1)) and report["seconds"] > 0
        assert own["test_loss"].iloc[-1] == report["last_test_loss"] < own["test_loss"].iloc[0]


def test_jax_trains_the_same_networks_together(sample, cfg, models, tmp_path):
    """As each alone with numba, to rounding; the same job gives the same bytes."""
    pytest.importorskip("jax")
    other = copy.deepcopy(cfg)
    other["fit"] |= {"engine": "jax", "epochs": 3}
    found = Ensemble.load(train(sample, other, tmp_path, jobs=((1, 2),))[0])
    summary = read_json(tmp_path / "batch-000.json")
    assert found.about["engine"] == summary["engine"] == "jax" and summary["backend"] and summary["networks"][0]["seconds"] > 0
    ours = Ensemble.load(models["photometry"] / "batch-000.npz").history
    own = ours[(ours["network"] > 0) & (ours["epoch"] < 4)]
    assert found.history["network"].tolist() == [1, 1, 1, 2, 2, 2]
    for name in ("train_loss", "test_loss"):
        assert np.allclose(found.history[name], own[name], rtol=2e-3)
    again = train(sample, other, tmp_path / "again", jobs=((1, 2),))[0]
    assert again.read_bytes() == (tmp_path / "batch-000.npz").read_bytes()


def test_keras_trains_the_same_networks(sample, cfg, models, tmp_path):
    """Same starting weights, order and dropout: after a few epochs both engines have nearly the same losses."""
    other = copy.deepcopy(cfg)
    other["fit"] |= {"engine": "keras", "epochs": 3}
    found = Ensemble.load(train(sample, other, tmp_path, jobs=((1,),))[0])
    assert found.about["engine"] == "keras"
    ours = Ensemble.load(models["photometry"] / "batch-000.npz").history
    own = ours[ours["network"] == 1].head(3)
    for name in ("train_loss", "test_loss"):
        assert np.allclose(found.history[name], own[name], rtol=2e-3)
    again = train(sample, other, tmp_path / "again", jobs=((1,),))[0]
    assert again.read_bytes() == (tmp_path / "batch-000.npz").read_bytes()


def test_architectures_that_numba_has_not_fall_to_keras(sample, cfg, tmp_path):
    odd = copy.deepcopy(cfg)
    odd["network"] |= {"kernel": 7, "filters": [3]}
    odd["fit"] |= {"epochs": 12}
    odd["ensemble"]["kept_min"] = 1
    batches = train(sample, odd, tmp_path, jobs=((0, 1),))
    run_ensemble(batches, odd, tmp_path / "e.npz", tmp_path / "e.json", tmp_path / "h.parquet")
    run_predict_training(*sample[:2], tmp_path / "e.npz", odd, "main", 1, tmp_path / "p.parquet")
    assert read_json(tmp_path / "e.json")["engine"] == "keras" and len(read_table(tmp_path / "p.parquet")) == 360
    odd["fit"]["engine"] = "numba"
    with pytest.raises(InputError, match="rave.fit.engine"):
        train(sample, odd, tmp_path / "no")
    odd["fit"]["engine"] = "abacus"
    with pytest.raises(InputError, match="abacus"):
        train(sample, odd, tmp_path / "no")


def test_variants_change_the_network(sample, cfg, tmp_path):
    own = {**cfg, "variants": {"main": {}, "nll": {"network": {"loss": "nll"}}, "plain": {"network": {"filters": []}}}}
    for variant, outputs in (("nll", 18), ("plain", 9)):
        batch = train(sample, own, tmp_path / variant, variant=variant, jobs=((0, 1, 2),))
        found = Ensemble.load(batch[0])
        assert found.architecture.outputs == outputs and not any(r["failed"] for r in found.reports), found.reports
    with pytest.raises(InputError, match="no variant 'bold'"):
        train(sample, cfg, tmp_path / "x", variant="bold")
    with pytest.raises(InputError, match="Known networks"):
        train(sample, cfg, tmp_path / "x", network="both")


def test_samples_that_cannot_be_used_are_named(sample, cfg, tmp_path):
    frame = read_table(sample[0])
    parquet, other = tmp_path / "training.parquet", tmp_path / "training.h5"
    write_table(parquet, frame.assign(role="train"))
    with pytest.raises(InputError, match="names no spectrum test"):
        train((parquet, sample[1], sample[2]), cfg, tmp_path / "x")
    write_table(parquet, frame.assign(abs_gaia_g=np.nan))
    with pytest.raises(InputError, match="inputs of the train sample"):
        train((parquet, sample[1], sample[2]), cfg, tmp_path / "x")
    write_table(parquet, frame.iloc[::-1])
    with pytest.raises(InputError, match="are not the 360 rows"):
        train((parquet, sample[1], sample[2]), cfg, tmp_path / "x")
    write_table(parquet, frame.drop(columns="teff"))
    with pytest.raises(InputError, match="column teff"):
        train((parquet, sample[1], sample[2]), cfg, tmp_path / "x")
    with pytest.raises(InputError, match="has the inputs"):
        train(sample, {**cfg, "inputs": cfg["inputs"][:8]}, tmp_path / "x")
    pack(other, frame, np.full((360, 61), np.nan, np.float32), cfg)
    with pytest.raises(InputError, match="flux of the train sample"):
        train((sample[0], other, sample[2]), cfg, tmp_path / "x")
    with pytest.raises(InputError, match="no network to train"):
        train(sample, cfg, tmp_path / "x", jobs=((),))
    assert not list((tmp_path / "x").iterdir())


# --- the ensemble -----------------------------------------------------------------------------------------------------


def test_networks_strictly_below_the_80th_percentile_are_kept():
    losses = np.arange(100.0)
    kept, threshold = keep(losses, np.zeros(100, bool), 0.8)
    assert kept.sum() == 80 and threshold == pytest.approx(79.2) and kept[:80].all()
    kept, threshold = keep(np.r_[np.nan, losses[:10], 0.0], np.r_[True, np.zeros(10, bool), True], 0.8)
    assert threshold == pytest.approx(7.2) and kept.sum() == 8 and not kept[[0, 11]].any()
    assert not keep(np.ones(4), np.zeros(4, bool), 0.8)[0].any()               # equal losses: none is strictly below
    assert not keep(np.full(2, np.nan), np.ones(2, bool), 0.8)[0].any()


def test_dispersion_of_few_networks_is_too_small_by_a_known_factor():
    rng = np.random.default_rng(0)
    for n in (2, 5, 16):
        measured = rng.normal(size=(40_000, n)).std(axis=1).mean() / rng.normal(size=(40_000, 80)).std(axis=1).mean()
        assert dispersion_ratio(n) == pytest.approx(measured, rel=0.02)
    assert dispersion_ratio(80) == 1 and dispersion_ratio(1) == 0


def reported(losses, failed=()):
    """An ensemble of networks with these last test losses."""
    reports = [
        {"network": k, "seed": 0, "epochs": 3, "failed": k in failed, "reason": "the loss is not finite" if k in failed else "",
         "last_test_loss": None if k in failed else x}
        for k, x in enumerate(losses)
    ]  # fmt: skip
    history = pd.DataFrame({"network": range(len(losses)), "epoch": 1, **dict.fromkeys(HISTORY, 0.0)})
    a = Architecture(pixels=0)
    about = {"variant": "main", "network": "spectra", "engine": "numba", "labels": [], "inputs": [], "scaling": {}, "simulated": True}
    return Ensemble(a, about, reports, np.zeros((len(losses), a.parameters), np.float32), history)


def test_too_few_networks_end_the_run_and_name_the_failed_ones():
    settings = {"keep_quantile": 0.8, "kept_min": 3}
    with pytest.raises(InputError, match="main/spectra: 2 of 5 can be kept, at least 3 .* network 4 failed: the loss is not finite"):
        select(reported([1, 2, 3, 4, 5], failed=(3, 4)), settings)
    assert select(reported([1, 2, 3, 4, 5], failed=(4,)), settings)[1]["kept"] == [0, 1, 2]
    assert select(reported([1, 2, 3]), settings)[1]["n_kept"] == 2                # all that the quantile leaves of three
    with pytest.raises(InputError, match="1 of 3 can be kept, at least 2"):
        select(reported([1, 2, 3], failed=(1,)), settings)
    with pytest.raises(InputError, match="0 of 1"):
        select(reported([1]), settings)


def test_files_of_an_ensemble(models):
    folder = models["photometry"]
    kept, summary = Ensemble.load(folder / "ensemble.npz"), read_json(folder / "ensemble.json")
    assert summary["n_networks"] == 5 and summary["n_kept"] == len(summary["kept"]) == len(kept.weights) == 4
    assert summary["parameters"] == kept.architecture.parameters == kept.weights.shape[1] and kept.weights.dtype == np.float32
    losses = {e["network"]: e["last_test_loss"] for e in summary["networks"]}
    assert summary["kept"] == [e["network"] for e in summary["networks"] if e["kept"]]
    assert summary["kept"] == [k for k in losses if losses[k] < summary["threshold"]]
    assert summary["dispersion_bias"] == pytest.approx(dispersion_ratio(4)) and summary["simulated"] is True
    assert set(read_table(folder / "history.parquet")["network"]) == set(range(5)) and read_meta(folder / "history.parquet")["simulated"]
    arrays = load_arrays(folder / "ensemble.npz")
    assert all(arrays[name].dtype != object for name in arrays)                   # no pickle
    assert json.loads(str(arrays["architecture"]))["kernel"] == 5


def test_batches_that_do_not_belong_together_are_refused(models, sample, cfg, tmp_path):
    first = models["photometry"] / "batch-000.npz"
    with pytest.raises(InputError, match="network 0 in two files"):
        run_ensemble([first, first], cfg, *(tmp_path / n for n in "abc"))
    with pytest.raises(InputError, match=r"batch-001.npz: was trained with another network than .*batch-000.npz: spectra instead of photo"):
        run_ensemble([first, models["spectra"] / "batch-001.npz"], cfg, *(tmp_path / n for n in "abc"))
    with pytest.raises(InputError, match="no file"):
        run_ensemble([], cfg, *(tmp_path / n for n in "abc"))
    assert not list(tmp_path.iterdir())
    arrays = dict(load_arrays(first))
    save_arrays(tmp_path / "short.npz", arrays | {"weights": arrays["weights"][:, :-1]})
    with pytest.raises(InputError, match="array weights"):
        Ensemble.load(tmp_path / "short.npz")
    save_arrays(tmp_path / "bad.npz", arrays | {"about": np.array("{")})
    with pytest.raises(InputError, match="is damaged"):
        Ensemble.load(tmp_path / "bad.npz")


def test_what_differs_between_batches_is_named(models, cfg, tmp_path):
    first = models["photometry"] / "batch-000.npz"
    other = Ensemble.load(models["photometry"] / "batch-001.npz")

    def refused(message, architecture=other.architecture, **about):
        replace(other, architecture=architecture, about={**copy.deepcopy(other.about), **about}).save(tmp_path / "other.npz")
        with pytest.raises(InputError, match=message):
            together([first, tmp_path / "other.npz"])

    together([first, models["photometry"] / "batch-001.npz"])
    refused("another engine than .*: jax instead of numba.*Set rave.fit.engine to one", engine="jax")
    refused(r"another architecture.slope than .*: 0.1 instead of 0.3.*Delete both", replace(other.architecture, slope=0.1))
    scaling = copy.deepcopy(other.about["scaling"])
    scaling["labels"]["teff"][0] = 1.5
    refused(r"another scaling.labels.teff than .*: \[1.5, \d+.* instead of \[\d+", scaling=scaling)


@pytest.mark.parametrize(("engine", "packages"), [("numba", {"numba"}), ("keras", {"keras", "tensorflow"}), ("jax", {"jax"})])
def test_the_record_names_the_packages_of_the_engine(engine, packages, sample, cfg, tmp_path):
    if engine == "jax":
        pytest.importorskip("jax")
    one = {**cfg, "fit": {**cfg["fit"], "engine": engine, "epochs": 1}}
    train(sample, one, tmp_path, jobs=((0,),), threads=1)
    versions = read_json(tmp_path / "batch-000.json")["versions"]
    assert set(versions) == {"python", "numpy", *packages}
    assert all(versions[name] == importlib.import_module(name).__version__ for name in packages)


# --- predictions ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def predictions(models, slices, cfg, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictions")
    counts = [run_predict(*pair, models["photometry"] / "ensemble.npz", cfg, "main", 2, folder / pair[0].name) for pair in slices]
    return [folder / pair[0].name for pair in slices], counts


def test_only_observed_stars_with_all_inputs_get_labels(predictions, slices, cfg, models, tmp_path):
    paths, counts = predictions
    for path, count, (stars_path, spectra) in zip(paths, counts, slices, strict=True):
        frame, known = read_table(path), read_table(stars_path)
        expected = known.loc[known["in_observed"] & known["gaia_g"].notna(), "rave_obs_id"]
        assert frame["rave_obs_id"].tolist() == expected.tolist()
        assert count == {"observed": int(known["in_observed"].sum()), "predicted": len(frame), "without_prediction": 1}
        assert read_meta(path)["counts"] == count and read_meta(path)["n_networks"] == 4
        assert frame.dtypes["teff_cnn"] == frame.dtypes["mh_cnn_err"] == np.float32 and frame.dtypes["mg_fe_cnn_flag"] == np.int8
        assert list(frame.columns) == ["rave_obs_id", *(f"{p}_cnn{s}" for p in cfg["labels"] for s in ("", "_err", "_flag"))]
        off = frame["teff_cnn"].to_numpy() - known.set_index("rave_obs_id").loc[frame["rave_obs_id"], "teff"].to_numpy()
        assert np.std(off) < 0.8 * known["teff"].std() and (frame["teff_cnn_err"] > 0).all()
        alone = run_predict(stars_path, spectra, models["spectra"] / "ensemble.npz", cfg, "main", 1, tmp_path / "s.parquet")
        assert alone["without_prediction"] == 0                                 # the spectrum alone needs no magnitudes


def test_predictions_do_not_depend_on_threads_or_slices(predictions, slices, cfg, models, tmp_path):
    (path, _), (stars_path, spectra) = predictions[0], slices[0]
    run_predict(stars_path, spectra, models["photometry"] / "ensemble.npz", cfg, "main", 1, tmp_path / "one.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == path.read_bytes()
    frame = read_table(stars_path)
    half = np.arange(len(frame)) >= 41
    pair = tmp_path / "half.parquet", tmp_path / "half.h5"
    write_table(pair[0], frame[half])
    pack(pair[1], frame[half], read_packed(spectra).flux[half], cfg)
    run_predict(*pair, models["photometry"] / "ensemble.npz", cfg, "main", 1, tmp_path / "h.parquet")
    part, whole = read_table(tmp_path / "h.parquet"), read_table(path)
    assert part.equals(whole[whole["rave_obs_id"].isin(part["rave_obs_id"])].reset_index(drop=True))


def test_a_flag_says_that_the_mean_leaves_the_training_range(models, sample, cfg, tmp_path):
    run_predict_training(*sample[:2], models["photometry"] / "ensemble.npz", cfg, "main", 2, tmp_path / "p.parquet")
    frame, known = read_table(tmp_path / "p.parquet"), read_table(sample[0])
    assert frame["role"].tolist() == known["role"].tolist() and frame["rave_obs_id"].tolist() == known["rave_obs_id"].tolist()
    inside = 0
    for label in cfg["labels"]:
        low, high = known.loc[known["role"] == "train", label].agg(["min", "max"])
        values = frame[f"{label}_cnn"].to_numpy(np.float64)
        assert np.array_equal(frame[f"{label}_cnn_flag"] == 1, (values < low) | (values > high))
        inside += (frame[f"{label}_cnn_flag"] == 0).sum()
    assert 0.8 < inside / (9 * len(frame)) < 1
    narrow = Ensemble.load(models["photometry"] / "ensemble.npz")
    narrow.about["scaling"]["flags"]["teff"] = [0.0, 1.0]                        # `flags: all` widens; the limits come from scaling.json
    narrow.save(tmp_path / "narrow.npz")
    run_predict_training(*sample[:2], tmp_path / "narrow.npz", cfg, "main", 2, tmp_path / "n.parquet")
    assert (read_table(tmp_path / "n.parquet")["teff_cnn_flag"] == 1).all()


def test_keras_predicts_what_numba_predicts(predictions, slices, cfg, models, tmp_path):
    network_keras.choose_backend("tensorflow")
    other = {**cfg, "fit": {**cfg["fit"], "engine": "keras"}}
    run_predict(*slices[0], models["photometry"] / "ensemble.npz", other, "main", 1, tmp_path / "k.parquet")
    ours, theirs = read_table(predictions[0][0]), read_table(tmp_path / "k.parquet")
    assert np.abs(ours["teff_cnn"] - theirs["teff_cnn"]).max() < 0.05 and np.abs(ours["logg_cnn_err"] - theirs["logg_cnn_err"]).max() < 1e-4


def test_files_of_another_slice_or_configuration_are_refused(slices, cfg, models, tmp_path):
    npz = models["photometry"] / "ensemble.npz"
    with pytest.raises(InputError, match="south1-000.h5.* are not the 90 rows"):
        run_predict(slices[0][0], slices[1][1], npz, cfg, "main", 1, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="ensemble.npz, inputs"):
        run_predict(*slices[0], npz, {**cfg, "inputs": cfg["inputs"][:8]}, "main", 1, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="none.npz"):
        run_predict(*slices[0], tmp_path / "none.npz", cfg, "main", 1, tmp_path / "x.parquet")
    assert not list(tmp_path.iterdir())


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalogue(predictions, slices, cfg, tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    out = folder / "rave_cnn.fits", folder / "rave_cnn.parquet"
    summary = run_catalog([s for s, _ in slices], predictions[0], cfg, *out, simulated=True)
    return *out, summary


def test_catalogue_has_the_columns_of_table_1(catalogue, predictions, slices):
    path, parquet, summary = catalogue
    table = Table.read(path)
    table.convert_bytestring_to_unicode()
    assert table.colnames == list(read_table(parquet).columns) == TABLE1 and len(TABLE1) == 30
    frame = read_table(parquet)
    assert len(frame) == len(table) == summary["rows"] and frame["rave_obs_id"].is_monotonic_increasing
    joined = pd.concat([read_table(s).merge(read_table(p), on="rave_obs_id") for (s, _), p in zip(slices, predictions[0], strict=True)])
    joined = joined.sort_values("rave_obs_id").reset_index(drop=True)
    assert np.array_equal(frame["alpham"], joined["alpha_m_cnn"]) and np.array_equal(frame["eteff"], joined["teff_cnn_err"])
    assert np.array_equal(frame["flag_nife"], joined["ni_fe_cnn_flag"]) and np.allclose(frame["snr"], joined["snr_rave"], rtol=1e-6)
    ids = joined["gaia_dr2_source_id"]
    assert frame["sourceid"].tolist() == [str(i) if i >= 0 else "" for i in ids] and (ids < 0).sum() == 1
    for name in TABLE1:
        assert np.array_equal(np.asarray(table[name]).astype(frame[name].to_numpy().dtype), frame[name].to_numpy()), name
    flags = [n for n in TABLE1 if n.startswith("flag_")]
    assert all(table[n].dtype.kind == "i" for n in flags) and table["teff"].dtype.kind == "f" and len(flags) == 9


def test_headers_of_the_catalogue(catalogue, predictions, slices, cfg, tmp_path):
    path, parquet, _ = catalogue
    with fits.open(path) as hdus:
        hdus.verify("exception")
        header = hdus[1].header
    assert header["TUNIT3"] == "K" and all(header[f"TCOMM{k}"] for k in range(1, 31))
    assert header["SIMUL"] is True and header["NNETWORK"] == 4
    meta = read_meta(parquet)
    assert meta["columns"]["logg"]["unit"] == "dex" and meta["sky"] == "simulated sky" and meta["rows"] == header["NAXIS2"]
    out = tmp_path / "r.fits", tmp_path / "r.parquet"
    run_catalog([s for s, _ in slices][::-1], predictions[0][::-1], cfg, *out, simulated=True)
    assert out[0].read_bytes() == path.read_bytes() and out[1].read_bytes() == parquet.read_bytes()      # order of the files is no matter
    run_catalog([s for s, _ in slices], predictions[0], cfg, *out, simulated=False)
    assert fits.getheader(out[0], 1)["SKY"] == "observed"


def test_table_1_comes_from_the_file(catalogue):
    table = table1_catalogue.table({"catalogue": catalogue[1]}, {}, True)
    assert table["Label"].tolist() == TABLE1 and table["Col"].tolist() == list(range(1, 31))
    assert table["Format"].tolist() == ["char", "char"] + ["float", "float", "int"] * 9 + ["float"]
    assert table["Units"].tolist()[2:5] == ["K", "K", "-"] and table["Units"].iloc[-1] == "/pix"


def test_a_catalogue_that_cannot_be_made_leaves_no_file(predictions, slices, cfg, tmp_path):
    paths, out = predictions[0], (tmp_path / "c.fits", tmp_path / "c.parquet")
    with pytest.raises(InputError, match="has no south1"):
        run_catalog([slices[0][0]], paths, cfg, *out, simulated=True)
    frame = read_table(slices[0][0])
    write_table(tmp_path / paths[0].name, frame.assign(in_observed=False))
    with pytest.raises(InputError, match="of which 0 belong"):
        run_catalog([tmp_path / paths[0].name], [paths[0]], cfg, *out, simulated=True)
    with pytest.raises(InputError, match="lacks ni_fe"):
        run_catalog([s for s, _ in slices], paths, {**cfg, "labels": cfg["labels"][:-1]}, *out, simulated=True)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("c.")]


# --- photometry alone, adapters ---------------------------------------------------------------------------------------


def test_photometry_alone(sample, cfg, tmp_path):
    run_photometric(sample[0], sample[2], cfg, 7, 2, True, tmp_path / "p.json")
    found = read_json(tmp_path / "p.json")
    assert found["n_kept"] == 4 and found["n_train"] == 300
    assert found["test"]["teff"]["n"] == 60 and found["test_without_twins"]["teff"]["n"] == 30
    assert found["test"]["teff"]["sigma"] < found["spread"]["teff"] and found["simulated"] is True


@pytest.mark.skipif(not (SHARED / "guiglion2020/data").exists(), reason="the authors' sample is not there (shared/data/guiglion2020)")
def test_photometry_of_real_stars_tells_temperature_and_gravity(tmp_path):
    from starlabels.rave.public_sample import run_public_sample

    cfg = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    cfg["ensemble"]["n_networks"]["photometry"] = 4
    cfg["fit"] |= {"epochs": 60}
    folder = SHARED / "guiglion2020/data"
    outputs = {k: tmp_path / f"{k}.{'parquet' if k == 'training' else 'json'}" for k in ("training", "scaling", "selection")}
    run_public_sample(folder / "training_sample_labels.csv", folder / "training_sample_parameters.csv", cfg, 42, outputs)
    run_photometric(outputs["training"], outputs["scaling"], cfg, 42, 2, False, tmp_path / "p.json")
    found = read_json(tmp_path / "p.json")
    assert found["n_train"] == 3669 and found["n_test"] == 235 and found["test_without_twins"]["teff"]["n"] == 235 - 38
    assert found["test"]["teff"]["sigma"] < 200 and found["test"]["logg"]["sigma"] < 0.3 and found["test"]["mh"]["sigma"] < 0.3


@pytest.mark.parametrize("name", ["train", "ensemble", "predict", "predict_training", "catalog", "photometric"])
def test_adapters_import_what_exists(name):
    path = ROOT / f"workflow/scripts/rave_{name}.py"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("starlabels"):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names)
