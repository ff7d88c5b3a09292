"""Training sample: every cut, order, label noise, poor parallaxes, lists, empty and constant samples."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.rave_survey_files import GAIA_0, configuration, ids, tables, write_catalogs, write_flux

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.rave import selection
from starlabels.rave.split import roles
from starlabels.rave.stars import run_stars
from starlabels.rave.training import run_training
from starlabels.spectra_pack import read_packed

N = 60
TRAINING_COLUMNS = [
    "rave_obs_id", "raveid", "gaia_dr2_source_id", "role", "snr_rave", "rave_class_1", "parallax", "parallax_err", "parallax_error_ratio",
    "gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2", "av_starhorse", "abs_gaia_g", "abs_gaia_bp",
    "abs_gaia_rp", "abs_tmass_j", "abs_tmass_h", "abs_tmass_ks", "abs_wise_w1", "abs_wise_w2", "twin_in_train", "logg_bdasp", "teff_irfm",
    "logg_k2",
]  # fmt: skip


def small():
    """The configuration with a test sample that 60 spectra can fill."""
    cfg = configuration()
    cfg["split"]["test_fraction"] = 0.2
    return cfg


def the_slices(tmp_path, frames, cfg, parts=2):
    """Stars and packed spectra of `parts` slices."""
    paths = write_catalogs(tmp_path / "catalogs", frames)
    stars, spectra = [], []
    for k in range(parts):
        spectra.append(write_flux(tmp_path / f"s{k}.h5", ids(N)[k::parts], cfg))
        stars.append(tmp_path / f"stars{k}.parquet")
        run_stars(spectra[-1], paths, cfg, stars[-1], tmp_path / f"stars{k}.json")
    return stars, spectra


def train(tmp_path, frames=None, variant="main", cfg=None, seed=42, parts=2, include=None, name="out"):
    cfg = cfg or small()
    stars, spectra = the_slices(tmp_path, frames or tables(N), cfg, parts)
    endings = {"training": "parquet", "spectra": "h5", "scaling": "json", "selection": "json"}
    out = {key: tmp_path / name / f"{key}.{ending}" for key, ending in endings.items()}
    run_training(variant, stars, spectra, cfg, seed, out, include)
    return read_table(out["training"]), read_packed(out["spectra"]), read_json(out["scaling"]), read_json(out["selection"])


def test_sample_order_roles_and_files(tmp_path):
    table, packed, scaling, record = train(tmp_path)
    cfg = small()
    labels = [c for p in cfg["labels"] for c in (p, f"{p}_err")]
    assert set(table.columns) == {*TRAINING_COLUMNS, *labels}
    assert table["rave_obs_id"].tolist() == ids(N).tolist() == packed.ids.tolist()
    np.testing.assert_array_equal(packed.flux[:, 0], np.arange(N))                 # each row its own spectrum
    np.testing.assert_array_equal(table["role"], roles(np.arange(N), cfg["split"]))
    part = table[table["role"] == "train"]
    for name in cfg["labels"]:
        assert scaling["labels"][name] == [part[name].min(), part[name].max()]
    assert scaling["inputs"]["abs_gaia_g"] == [part["abs_gaia_g"].min(), part["abs_gaia_g"].max()]
    assert list(scaling["inputs"]) == cfg["inputs"]
    assert {k: record[k] for k in ("variant", "n", "n_train", "n_test", "simulated")} == {
        "variant": "main", "n": 60, "n_train": 48, "n_test": 12, "simulated": True}  # fmt: skip
    assert record["flow"][-1]["kept"] == 60 and record["twins"] == table["twin_in_train"].sum()
    assert record["common"] == {"spectra": 60, "stars": 57, "parallax_error_below_limit": 1.0}
    for k in np.flatnonzero(table["twin_in_train"]):
        other = table[(table["gaia_dr2_source_id"] == table["gaia_dr2_source_id"][k]) & (table["role"] == "train")]
        assert table["role"][k] == "test" and len(other)


def test_result_does_not_depend_on_the_slices(tmp_path):
    results = [train(tmp_path, parts=parts, name=f"p{parts}") for parts in (1, 3)]
    pd.testing.assert_frame_equal(results[0][0], results[1][0])
    assert results[0][2:] == results[1][2:]
    assert (tmp_path / "p1" / "spectra.h5").read_bytes() == (tmp_path / "p3" / "spectra.h5").read_bytes()


def worse():
    """Tables in which each of the spectra 10 to 24 fails one cut."""
    frames = tables(N)
    apogee = frames["apogee16"].set_index("gaia_dr2_source_id", drop=False)
    for k, column, value in (
        (11, "teff_apogee", np.nan), (12, "al_fe_apogee_err", np.nan), (13, "snr_apogee", 59.9), (14, "apogee_aspcapflag", 1),
        (15, "ni_fe_apogee_flag", 2), (25, "snr_apogee", 60.0),
    ):  # fmt: skip
        apogee.loc[GAIA_0 + k, column] = value
    frames["apogee16"] = apogee.drop(index=GAIA_0 + 10)
    frames["rave_sparv"].loc[16, "snr_rave"] = 30.0
    frames["rave_classification"].loc[17, "rave_class_2"] = "b"
    frames["rave_classification"].loc[18, "rave_class_3"] = "c"
    frames["rave_xmatch"].loc[[19, 20], ["tmass_j", "wise_w1"]] = [[np.nan, 9.0], [9.0, np.nan]]
    frames["rave_gaiadr2"].loc[21, "gaia_g"] = np.nan
    frames["rave_gaiadr2"].loc[[22, 23], "parallax"] = [0.25, -3.0]                # 20 %, not below; no distance at all
    frames["starhorse"] = frames["starhorse"][frames["starhorse"]["gaia_dr2_source_id"] != GAIA_0 + 24]
    return frames


def test_each_cut_is_counted(tmp_path):
    table, _, _, record = train(tmp_path, worse())
    assert table["rave_obs_id"].tolist() == [*ids(N)[:10], *ids(N)[25:]]
    assert [(entry["cut"], entry["dropped"]) for entry in record["flow"]] == [
        ("packed spectra", 0), ("in APOGEE DR16, by Gaia DR2 id", 1), ("every label and its error known", 2), ("APOGEE S/N >= 60", 1),
        ("ASPCAPFLAG = 0", 1), ("X_FE_FLAG = 0", 1), ("RAVE S/N > 30", 1), ("no class b, c, w", 2), ("2MASS J, H, Ks known", 1),
        ("AllWISE W1, W2 known", 1), ("Gaia G, BP, RP known", 1), ("Gaia parallax known", 0), ("StarHorse A_V known", 1),
        ("parallax error < 20 %", 2),
    ]  # fmt: skip
    assert record["n"] == 45 == record["flow"][-1]["kept"]


def test_variants_of_the_cuts(tmp_path):
    cfg = small()
    assert train(tmp_path, variant="snr_50", cfg=cfg)[3]["n"] == (35.0 + np.arange(N) > 50).sum()
    cfg["variants"]["faint"] = {"training": {"snr_min": 0, "snr_max": 60}}
    table = train(tmp_path, variant="faint", cfg=cfg)[0]
    assert table["snr_rave"].max() == 60
    _, _, scaling, _ = train(tmp_path, variant="no_extinction", cfg=cfg)
    assert list(scaling["inputs"]) == cfg["inputs"][:8]
    cfg["training"]["aspcapflag"], cfg["training"]["element_flags"] = None, []
    assert len(train(tmp_path, worse(), cfg=cfg)[0]) == 47


def test_poor_parallaxes_are_added(tmp_path):
    frames, cfg = worse(), small()
    frames["rave_gaiadr2"].loc[30:39, "parallax"] = 0.1
    cfg["variants"]["some"] = {"training": {"extra_poor_parallaxes": 4}}
    table, packed, _, record = train(tmp_path, frames, "some", cfg)
    poor = table[table["parallax_error_ratio"] >= 0.2]
    assert record["extra_poor_parallaxes"] == {"wanted": 4, "available": 11, "added": 4} and len(poor) == 4 and record["n"] == 39
    assert ids(N)[23] not in set(table["rave_obs_id"]) and packed.ids.tolist() == table["rave_obs_id"].tolist()
    assert table["rave_obs_id"].is_monotonic_increasing
    again = train(tmp_path, frames, "some", cfg, parts=3)[0]
    pd.testing.assert_frame_equal(again, table)
    other = train(tmp_path, frames, "some", cfg, seed=1)[0]
    assert set(other["rave_obs_id"]) != set(table["rave_obs_id"])
    assert train(tmp_path, frames, "poor_parallaxes", cfg)[3]["extra_poor_parallaxes"]["added"] == 11


def test_label_noise_is_normal_and_leaves_the_test_sample(tmp_path):
    cfg, frames = small(), tables(N)
    cfg["variants"]["label_noise"]["training"] = {"snr_min": 36}
    plain, noisy = train(tmp_path, frames)[0], train(tmp_path, frames, "label_noise", cfg, parts=3)[0]
    merged = plain.merge(noisy, on="rave_obs_id", suffixes=("", "_noisy"))
    test = (merged["role_noisy"] == "test").to_numpy()
    pulls = np.concatenate([(merged[f"{p}_noisy"] - merged[p]) / merged[f"{p}_err"] for p in cfg["labels"]])
    drawn = pulls[~np.tile(test, 9)]
    assert (pulls[np.tile(test, 9)] == 0).all() and (drawn != 0).all()
    assert abs(drawn.mean()) < 0.15 and abs(drawn.std() - 1) < 0.12


def test_starhorse_distances(tmp_path):
    frames = tables(N)
    frames["starhorse"].loc[frames["starhorse"].index[7], "dist_starhorse"] = np.nan
    table, _, _, record = train(tmp_path, frames, "starhorse_distance")
    plain = train(tmp_path, frames)[0]
    assert len(plain) == len(table) + 1 and record["flow"][-2]["cut"] == "StarHorse distance known"
    row = table.iloc[0]
    np.testing.assert_allclose(row["abs_gaia_g"], row["gaia_g"] - 5 * np.log10(500.0 / 10))


def test_split_by_star_has_no_twins(tmp_path):
    cfg = small()
    cfg["split"]["test_fraction"] = 0.5
    assert train(tmp_path, cfg=cfg)[3]["twins"] > 0
    table, _, _, record = train(tmp_path, variant="star_grouped", cfg=cfg)
    assert record["twins"] == 0 and record["split"]["by"] == "star"
    assert (table.groupby("gaia_dr2_source_id")["role"].nunique() == 1).all()


def test_list_of_spectra_takes_the_place_of_the_cuts_and_keeps_its_order(tmp_path):
    cfg = small()
    cfg["training"]["include"] = "published"
    wanted = [*ids(N)[[40, 16, 17, 13, 11, 22, 3, 2, 1, 5, 50, 55]], "19990101_0000m00_001"]
    write_table(tmp_path / "list.parquet", pd.DataFrame({"rave_obs_id": pd.array(wanted, dtype="str")}))
    table, packed, _, record = train(tmp_path, worse(), cfg=cfg, include=tmp_path / "list.parquet")
    assert table["rave_obs_id"].tolist() == packed.ids.tolist() == [w for w in wanted[:-1] if w != ids(N)[11]]       # that one has no Teff
    assert record["include"] == {"dataset": "published", "listed": 13, "found": 11}
    np.testing.assert_array_equal(table["role"], roles(np.arange(11), cfg["split"]))
    with pytest.raises(InputError, match="include.*Give both or none"):
        train(tmp_path, cfg=cfg)


@pytest.mark.parametrize(("changes", "cut"), [
    ({"snr_min": 500}, "RAVE S/N > 500"), ({"snr_apogee_min": 1000}, "APOGEE S/N >= 1000"), ({"bad_classes": ["n"]}, "no class n"),
    ({"parallax_error_max": 0.001}, "parallax error < 0.1 %"), ({"aspcapflag": 7}, "ASPCAPFLAG = 7"),
])  # fmt: skip
def test_empty_selection_names_the_cut(tmp_path, changes, cut):
    cfg = small()
    cfg["training"] |= changes
    with pytest.raises(InputError, match=f"main: is empty: the cut `{cut}` dropped the last 60 spectra"):
        train(tmp_path, cfg=cfg)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("column", ["mg_fe_apogee", "av_starhorse"])
def test_constant_label_or_input_is_refused(tmp_path, column):
    frames = tables(N)
    frames["apogee16" if column == "mg_fe_apogee" else "starhorse"][column] = 0.25
    with pytest.raises(InputError, match=f"column {column.removesuffix('_apogee')}: is 0.25 in all 48 rows"):
        train(tmp_path, frames)
    assert not (tmp_path / "out").exists()


def test_spectrum_in_two_slices_or_without_flux_is_refused(tmp_path):
    cfg = small()
    stars, spectra = the_slices(tmp_path, tables(N), cfg)
    out = {key: tmp_path / "x" / key for key in ("training", "spectra", "scaling", "selection")}
    with pytest.raises(InputError, match="in two slices"):
        run_training("main", [*stars, stars[0]], spectra, cfg, 42, out)
    with pytest.raises(InputError, match="lack 30 spectra"):
        run_training("main", stars, spectra[:1], cfg, 42, out)


def test_poor_parallaxes_are_those_that_only_that_cut_refuses(monkeypatch):
    """Whatever cut stands behind it."""
    frame = pd.DataFrame({"parallax_error_ratio": [0.1, 0.3, 0.3, 0.1, np.inf]})
    cfg = {"training": {"parallax_error_max": 0.2}}
    masks = [("first", [True, True, False, True, True]), ("parallax error < 20 %", [True, False, False, True, False])]
    masks.append(("last", [True, True, True, False, True]))
    monkeypatch.setattr(selection, "published_cuts", lambda frame, cfg: [(text, np.array(mask)) for text, mask in masks])
    _, selected, poor = selection.select(frame, cfg)
    assert selected.tolist() == [True, False, False, False, False]
    assert poor.tolist() == [False, True, False, False, False]
