"""Forest, polynomial and network are measured on the same stars in the same way."""

import json

import made_up_stars as made_up
import numpy as np
import pytest

from starlabels.errors import InputError
from starlabels.io import read_table, write_table
from starlabels.photometry import feature_matrix
from starlabels.sages.compare import fit_network, fit_polynomial, run_compare

NETWORK = {"layers": [16, 16, 16], "losses": ["mse", "mae", "huber"], "epochs": 15, "batch": 64}
CFG = made_up.CFG | {"compare": {"data_set": 1, "model": "feh_dwarf", "max_stars": None, "network": NETWORK, "polynomial": {"degree": 3}}}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    root = tmp_path_factory.mktemp("compare")
    write_table(root / "s.parquet", made_up.samples(1500, 1000))
    run_compare(root / "s.parquet", CFG, 42, 2, root / "t.parquet", root / "t.json")
    return root


def test_all_methods_learn_and_are_measured_on_clean_test_stars(compared):
    table, found = read_table(compared / "t.parquet"), json.loads((compared / "t.json").read_text())
    assert table["method"].tolist() == ["forest", "polynomial", "network (mse)", "network (mae)", "network (huber)"]
    samples = read_table(compared / "s.parquet")
    dwarf = samples["star_class"] == "dwarf"
    assert (table["n_train"] == (dwarf & (samples["role"] == "train")).sum()).all()
    assert (table["n_test"] == (dwarf & (samples["role"] == "test") & ~samples["in_train"]).sum()).all()
    label = samples.loc[dwarf & (samples["role"] == "test"), "feh"].std()
    assert (table["robust_sigma"] < 0.4 * label).all() and (table["r2"] > 0.75).all()
    assert (table["fit_seconds"] > 0).all() and (table["predict_seconds"] > 0).all()
    assert sorted(found["order_by_robust_sigma"]) == sorted(table["method"])
    assert found["order_by_robust_sigma"][0] == table.loc[table["robust_sigma"].idxmin(), "method"]


def test_same_seed_same_measures(compared, tmp_path):
    run_compare(compared / "s.parquet", CFG, 42, 1, tmp_path / "t.parquet", tmp_path / "t.json")
    clock = ["fit_seconds", "predict_seconds", "threads"]
    again, first = read_table(tmp_path / "t.parquet"), read_table(compared / "t.parquet")
    assert again.drop(columns=clock).equals(first.drop(columns=clock))


def test_a_cubic_is_fitted_exactly_by_the_polynomial():
    frame = made_up.features(600, 3)
    names, x = feature_matrix(frame, CFG, 1)
    colour, absolute = x[:, names.index("col_u_rp_0")].astype(float), x[:, names.index("abs_gaia_g_0")].astype(float)
    y = 0.3 * colour**3 - colour * absolute**2 + 2.0  # a colour of bands that are not neighbours
    found = fit_polynomial(x[:400], y[:400], names, CFG, 1)(x[400:])
    assert np.allclose(found, y[400:], atol=1e-4 * np.std(y))


def test_losses_differ_and_unknown_ones_are_refused():
    frame = made_up.features(400, 4)
    _, x = feature_matrix(frame, CFG, 1)
    y = frame["true_feh"].to_numpy() + np.where(np.arange(400) % 10, 0.0, 3.0)  # one label in ten is wild
    few = NETWORK | {"epochs": 8}
    by_loss = {loss: fit_network(x, y, few, loss, 1)(x) for loss in ("mse", "mae", "huber")}
    assert np.median(by_loss["mse"] - frame["true_feh"]) > np.median(by_loss["mae"] - frame["true_feh"]) + 0.05
    assert not np.array_equal(by_loss["huber"], by_loss["mse"])
    with pytest.raises(InputError, match="'entropy'.*Known: mse, mae, huber"):
        fit_network(x, y, few, "entropy", 1)


def test_a_cap_and_missing_test_stars(tmp_path):
    samples = made_up.samples(400, 100)
    cfg = CFG | {"compare": CFG["compare"] | {"max_stars": 100, "network": NETWORK | {"losses": []}}}
    write_table(tmp_path / "s.parquet", samples)
    run_compare(tmp_path / "s.parquet", cfg, 1, 1, tmp_path / "t.parquet", tmp_path / "t.json")
    assert (read_table(tmp_path / "t.parquet")["n_train"] == 100).all()
    write_table(tmp_path / "s.parquet", samples.assign(in_train=True))
    with pytest.raises(InputError, match="no test star outside the training sample"):
        run_compare(tmp_path / "s.parquet", cfg, 1, 1, tmp_path / "t.parquet", tmp_path / "t.json")
