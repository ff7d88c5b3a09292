"""The stages of training and prediction: from tables to tables."""

import json
from importlib.metadata import version

import made_up_stars as made_up
import numpy as np
import pytest

from starlabels.errors import InputError
from starlabels.forest_compact import Forest
from starlabels.io import read_meta, read_table, write_table
from starlabels.npz import load_arrays
from starlabels.photometry import feature_matrix
from starlabels.sages import models
from starlabels.sages.models import label_and_classes, run_predict, run_predict_samples, run_train

CFG = made_up.CFG
SEED = 42


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Samples, a cell of features, five models and their predictions."""
    root = tmp_path_factory.mktemp("models")
    write_table(root / "samples.parquet", made_up.samples(2000, 1000), {"feh": {"unit": "dex", "description": "spectroscopic"}})
    write_table(root / "cell.parquet", made_up.features(1500, 77), {"parallax": {"unit": "mas"}})
    for model in CFG["models"]:
        run_train(root / "samples.parquet", CFG, 1, model, SEED, 2, root / f"{model}.npz", root / f"{model}.json")
    run_predict(root / "cell.parquet", paths(root), CFG, 1, 2, root / "predicted.parquet")
    run_predict_samples(root / "samples.parquet", paths(root), CFG, 1, 2, root / "samples_predicted.parquet")
    return root


def paths(root):
    return {model: root / f"{model}.npz" for model in CFG["models"]}


def test_models_know_their_label_and_stars():
    assert label_and_classes("feh_giant") == ("feh", ("giant",))
    assert label_and_classes("logg_all") == ("logg", ("dwarf", "giant"))
    for bad in ("feh", "feh_all_stars", "mass_dwarf", "feh_white_dwarf"):
        with pytest.raises(InputError, match=bad):
            label_and_classes(bad)


def test_the_json_tells_what_was_trained(folder):
    found = json.loads((folder / "feh_dwarf.json").read_text())
    samples = read_table(folder / "samples.parquet")
    rows = samples[(samples["role"] == "train") & (samples["star_class"] == "dwarf")]
    assert found["n_train"] == len(rows) and found["n_train_by_survey"] == {"lamost": len(rows)}
    assert found["label_limits"] == [rows["feh"].min(), rows["feh"].max()]
    assert len(found["features"]) == 18 and found["features"][-1] == "ebv_sfd"
    assert "ebv_sfd" not in found["domain"]["features"] and found["domain"]["rank"] == 6
    assert 0.8 < found["oob_r2"] < 1 and found["n_trees"] == 20 and found["seed"] == SEED and found["seconds"] > 0
    assert sum(b["count"] for b in found["calibration"]) == pytest.approx(len(rows), abs=10)


@pytest.mark.parametrize("engine", ["presorted", "sklearn", "sklearnex"])
def test_the_json_names_what_grew_the_trees(folder, tmp_path, engine):
    pytest.importorskip("daal4py" if engine == "sklearnex" else "numba")
    cfg = CFG | {"forest": CFG["forest"] | {"engine": engine}}
    run_train(folder / "samples.parquet", cfg, 1, "feh_giant", SEED, 1, tmp_path / "m.npz", tmp_path / "m.json")
    found = json.loads((tmp_path / "m.json").read_text())
    packages = ["numpy", "numba", "scikit-learn", *(["scikit-learn-intelex"] if engine == "sklearnex" else [])]
    assert found["forest"]["engine"] == engine
    assert set(found["versions"]) == {"python", *packages}
    assert all(found["versions"][name] == version(name) for name in packages)


def test_only_usable_labels_of_training_stars_are_used(folder, tmp_path):
    samples = read_table(folder / "samples.parquet")
    spoilt = samples.assign(feh=np.where(samples["use_feh"] & (samples.index % 3 > 0), samples["feh"], 99.0), use_feh=samples.index % 3 > 0)
    write_table(tmp_path / "samples.parquet", spoilt)
    run_train(tmp_path / "samples.parquet", CFG, 1, "feh_giant", SEED, 1, tmp_path / "m.npz", tmp_path / "m.json")
    found = json.loads((tmp_path / "m.json").read_text())
    assert found["label_limits"][1] < 2
    keys = load_arrays(tmp_path / "m.npz")["key_id"]
    used = samples[(samples["role"] == "train") & (samples["star_class"] == "giant") & (samples.index % 3 > 0)]
    assert np.array_equal(keys, used["gaia_dr3_source_id"].to_numpy())


def test_threads_change_no_byte_of_a_model(folder, tmp_path):
    run_train(folder / "samples.parquet", CFG, 1, "teff_giant", SEED, 1, tmp_path / "m.npz", tmp_path / "m.json")
    assert (tmp_path / "m.npz").read_bytes() == (folder / "teff_giant.npz").read_bytes()
    run_train(folder / "samples.parquet", CFG, 1, "teff_giant", SEED + 1, 1, tmp_path / "m.npz", tmp_path / "m.json")
    assert (tmp_path / "m.npz").read_bytes() != (folder / "teff_giant.npz").read_bytes()


def test_every_star_gets_its_own_models(folder):
    cell, found = read_table(folder / "cell.parquet"), read_table(folder / "predicted.parquet")
    cell = cell[cell["predict_set1"]].reset_index(drop=True)
    new = ["teff", "teff_err", "logg", "logg_err", "feh", "feh_err", "out_of_domain", "cool_mask"]
    assert list(found.columns) == [*cell.columns, *new]
    assert found[list(cell.columns)].equals(cell)
    names, x = feature_matrix(cell, CFG, 1)
    giant = (cell["star_class"] == "giant").to_numpy()
    for model, rows in (("feh_giant", giant), ("teff_dwarf", ~giant), ("logg_all", giant | ~giant)):
        own = Forest.load(folder / f"{model}.npz").predict(x[rows], names=names)
        assert np.array_equal(found[label_and_classes(model)[0]].to_numpy()[rows], own.astype(np.float32))
    assert np.isfinite(found[new[:6]].to_numpy()).all()
    assert np.array_equal(found["cool_mask"], cell["gaia_bp_0"] - cell["gaia_rp_0"] > 1.3)
    assert 0 < found["cool_mask"].sum() < len(found) / 5
    assert found["out_of_domain"].mean() < 0.02


def test_errors_hold_against_the_truth(folder):
    found = read_table(folder / "predicted.parquet")
    for label in made_up.NOISE:
        off = np.abs(found[label] - found[f"true_{label}"])
        assert 0.6 < (off < found[f"{label}_err"]).mean() < 0.78, label


def test_columns_carry_their_meaning(folder):
    columns = read_meta(folder / "predicted.parquet")["columns"]
    assert columns["parallax"] == {"unit": "mas"}
    assert columns["teff"]["unit"] == "K" and "truth" in columns["feh_err"]["description"]
    columns = read_meta(folder / "samples_predicted.parquet")["columns"]
    assert columns["feh"]["description"] == "spectroscopic" and columns["logg_oob"]["unit"]


def test_pieces_threads_and_empty_cells(folder, tmp_path, monkeypatch):
    cell = read_table(folder / "cell.parquet")
    whole = read_table(folder / "predicted.parquet")
    original = models.iter_table
    monkeypatch.setattr(models, "iter_table", lambda path, columns=None: original(path, columns, rows=333))
    run_predict(folder / "cell.parquet", paths(folder), CFG, 1, 1, tmp_path / "pieces.parquet")
    assert read_table(tmp_path / "pieces.parquet").equals(whole)
    for name, empty in (("none", cell.iloc[:0]), ("unfit", cell.assign(predict_set1=False))):
        write_table(tmp_path / f"{name}.parquet", empty)
        run_predict(tmp_path / f"{name}.parquet", paths(folder), CFG, 1, 2, tmp_path / "out.parquet")
        found = read_table(tmp_path / "out.parquet")
        assert len(found) == 0 and found.dtypes.equals(whole.dtypes)


def test_strange_stars_are_flagged(folder, tmp_path):
    cell = read_table(folder / "cell.parquet").iloc[:200].assign(predict_set1=True)
    cell.loc[:99, "sages_u_0"] += 3.0
    cell.loc[100:, "ebv_sfd"] = 0.4  # more reddening than in training is not what the flag is about
    write_table(tmp_path / "cell.parquet", cell)
    run_predict(tmp_path / "cell.parquet", paths(folder), CFG, 1, 1, tmp_path / "out.parquet")
    flag = read_table(tmp_path / "out.parquet")["out_of_domain"].to_numpy()
    assert flag[:100].all() and flag[100:].mean() < 0.05


def test_training_stars_keep_their_out_of_bag_predictions(folder):
    found = read_table(folder / "samples_predicted.parquet")
    train = (found["role"] == "train").to_numpy()
    assert found.loc[~train, ["teff_oob", "logg_oob", "feh_oob"]].isna().all(axis=None)
    arrays = load_arrays(folder / "feh_giant.npz")
    giants = found[train & (found["star_class"] == "giant").to_numpy()]
    assert np.array_equal(giants["gaia_dr3_source_id"].to_numpy(), arrays["key_id"])
    assert np.array_equal(giants["feh_oob"].to_numpy(), arrays["oob_mean"].astype(np.float32), equal_nan=True)
    # trees that saw a label give it back; out of the bag they cannot
    assert np.std(giants["feh_pred"] - giants["feh"]) < 0.7 * np.nanstd(giants["feh_oob"] - giants["feh"])


def test_coverage_of_labels_on_stars_outside_the_training(folder):
    found = read_table(folder / "samples_predicted.parquet")
    test = found[(found["role"] == "test") & ~found["in_train"]]
    train = found[found["role"] == "train"]
    for label in made_up.NOISE:
        for rows, column in ((test, "pred"), (train, "oob")):
            off, error = np.abs(rows[f"{label}_{column}"] - rows[label]), np.hypot(rows[f"{label}_pred_err"], rows[f"{label}_err"])
            good = np.isfinite(off)
            assert 0.6 < (off < error)[good].mean() < 0.76, (label, column)


def test_a_star_without_a_model_gets_nothing(folder, tmp_path):
    some = {m: p for m, p in paths(folder).items() if m != "teff_giant"}
    run_predict(folder / "cell.parquet", some, CFG, 1, 1, tmp_path / "out.parquet")
    found = read_table(tmp_path / "out.parquet")
    giant = found["star_class"] == "giant"
    assert found.loc[giant, "teff"].isna().all() and found.loc[~giant, "teff"].notna().all()
    assert found["logg"].notna().all()


def test_bad_input_is_named(folder, tmp_path):
    def train(frame, model="feh_dwarf", cfg=CFG):
        write_table(tmp_path / "samples.parquet", frame)
        run_train(tmp_path / "samples.parquet", cfg, 1, model, SEED, 1, tmp_path / "m.npz", tmp_path / "m.json")

    samples = read_table(folder / "samples.parquet")
    with pytest.raises(InputError, match="samples.parquet.*no training star.*feh_dwarf"):
        train(samples[samples["star_class"] == "giant"])
    with pytest.raises(InputError, match="gaia_dr3_source_id.*twice"):
        train(samples.iloc[[*range(500), 3, 4, 5, 6, 7, 8]])
    with pytest.raises(InputError, match="column use_feh.*absent"):
        train(samples.drop(columns="use_feh"))
    with pytest.raises(InputError, match="feature sages_u_0.*missing"):
        train(samples.assign(sages_u_0=np.nan))
    with pytest.raises(InputError, match="engine"):
        train(samples, cfg=CFG | {"forest": CFG["forest"] | {"engine": "cuml"}})
    assert not (tmp_path / "m.npz").exists() and not (tmp_path / "m.json").exists()
    write_table(tmp_path / "cell.parquet", read_table(folder / "cell.parquet").assign(gaia_bp_0=np.nan))
    with pytest.raises(InputError, match="feature .*bp.* missing or infinite"):
        run_predict(tmp_path / "cell.parquet", paths(folder), CFG, 1, 1, tmp_path / "out.parquet")
    fewer = CFG | {"features": CFG["features"] | {"ebv": False}}
    with pytest.raises(InputError, match="missing: ebv_sfd"):
        run_predict(folder / "cell.parquet", paths(folder), fewer, 1, 1, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
