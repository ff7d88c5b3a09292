"""Stars of a slice: joins, absolute magnitudes, APOGEE repeats, StarHorse, flags and the flow of the observed sample."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.rave_survey_files import GAIA_0, configuration, ids, tables, write_catalogs, write_flux

from starlabels.errors import InputError
from starlabels.io import read_json, read_meta, read_table
from starlabels.rave.catalogs import ELEMENTS, LABELS
from starlabels.rave.stars import run_stars

N = 40
SPEC_COLUMNS = [
    "rave_obs_id", "raveid", "gaia_dr2_source_id", "ra", "dec", "obsdate", "hrv_rave", "hrv_rave_err", "snr_rave", "rave_xcorr",
    "rave_class_1", "rave_class_2", "rave_class_3", "parallax", "parallax_err", "gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h",
    "tmass_ks", "wise_w1", "wise_w2", "av_starhorse", "dist_starhorse", "abs_gaia_g", "abs_gaia_bp", "abs_gaia_rp", "abs_tmass_j",
    "abs_tmass_h", "abs_tmass_ks", "abs_wise_w1", "abs_wise_w2", "snr_apogee", "apogee_aspcapflag", "apogee_extratarg", "teff_bdasp",
    "logg_bdasp", "mh_bdasp", "distance_bdasp", "age_bdasp", "teff_irfm", "teff_madera", "logg_madera", "mh_madera", "madera_algo_flag",
    "feh_gauguin", "alpha_fe_gauguin", "alpha_fe_gauguin_chisq", "alpha_fe_gauguin_nl", "logg_k2", "ecc", "z_max", "r_gal", "z_gal",
    "r_mean", "v_phi", "n_bad", "n_edge", "parallax_error_ratio", "has_photometry", "class_normal", "in_observed",
]  # fmt: skip


def run(tmp_path, frames, cfg=None, names=None, drop=()):
    cfg = cfg or configuration()
    paths = write_catalogs(tmp_path / "catalogs", frames)
    spectra = write_flux(tmp_path / "s.h5", ids(N) if names is None else names, cfg)
    inputs = {name: path for name, path in paths.items() if name not in drop}
    run_stars(spectra, inputs, cfg, tmp_path / "stars.parquet", tmp_path / "stars.json")
    return read_table(tmp_path / "stars.parquet"), read_json(tmp_path / "stars.json")


def kept(record):
    return {entry["cut"]: entry["kept"] for entry in record["flow"]}


def test_every_column_in_the_order_of_the_spectra(tmp_path):
    stars, record = run(tmp_path, {name: frame.sample(frac=1, random_state=1) for name, frame in tables().items()})
    assert stars["rave_obs_id"].tolist() == ids(N).tolist()
    labels = [f"{p}_apogee{s}" for p in LABELS for s in ("", "_err")] + [f"{e}_apogee_flag" for e in ELEMENTS]
    assert set(stars.columns) == {*SPEC_COLUMNS, *labels}
    assert stars["gaia_dr2_source_id"].dtype == np.int64 and stars["in_observed"].dtype == bool
    np.testing.assert_array_equal(stars["gaia_dr2_source_id"].to_numpy()[[0, 1, 7]], [GAIA_0, GAIA_0, GAIA_0 + 7])   # exact
    np.testing.assert_array_equal(stars["snr_rave"], 35.0 + np.arange(N))
    assert stars["n_bad"].tolist() == list(range(N)) and stars["obsdate"][0] == "20100313"
    assert stars["in_observed"].all() and set(kept(record).values()) == {N}
    assert stars["teff_irfm"].isna().all() and (stars["madera_algo_flag"] == -1).all()
    assert record["absent"] == ["rave_madera", "rave_irfm", "rave_gauguin", "rave_seismic", "rave_orbits"]
    assert read_meta(tmp_path / "stars.parquet")["columns"]["abs_gaia_g"]["unit"] == "mag"


def test_absolute_magnitudes_and_the_floor(tmp_path):
    frames = tables()
    frames["rave_gaiadr2"].loc[[2, 3, 4, 5], "parallax"] = [0.1, 0.02, -0.5, np.nan]
    stars, _ = run(tmp_path, frames)
    p, g = np.array([2.0, 0.1, 0.1, 0.1]), stars["gaia_g"].to_numpy()[[0, 2, 3, 4]]
    expected = g + 5 * (np.log10(p / 1000) + 1)                                     # as Section 3.2 writes it
    np.testing.assert_allclose(stars["abs_gaia_g"].to_numpy()[[0, 2, 3, 4]], expected)
    ratio = stars["parallax_error_ratio"].to_numpy()
    np.testing.assert_allclose(ratio[[0, 2, 3]], [0.025, 0.5, 2.5])
    assert np.isinf(ratio[4]) and np.isnan(ratio[5]) and np.isnan(stars["abs_wise_w1"][5])
    assert stars["in_observed"].tolist() == [k != 5 for k in range(N)] and not stars["has_photometry"][5]


def test_each_cut_of_the_observed_sample(tmp_path):
    frames = tables()
    frames["rave_obsdata"] = frames["rave_obsdata"].drop(index=[10])
    frames["rave_xmatch"].loc[11, "tmass_h"] = np.nan
    frames["rave_xmatch"].loc[12, "wise_w2"] = np.nan
    frames["rave_gaiadr2"].loc[13, "gaia_bp"] = np.nan
    frames["rave_gaiadr2"].loc[14, "parallax"] = np.nan
    frames["starhorse"] = frames["starhorse"][frames["starhorse"]["gaia_dr2_source_id"] != GAIA_0 + 15]
    frames["rave_sparv"].loc[[16, 17], "snr_rave"] = [10.0, np.nan]                # strictly above
    frames["rave_classification"].loc[18, "rave_class_3"] = "w"
    frames["rave_classification"].loc[19, "rave_class_1"] = "C "
    frames["rave_classification"].loc[20, "rave_class_2"] = "b"                    # allowed here, not normal
    frames["rave_classification"].loc[21, "rave_class_1"] = None
    stars, record = run(tmp_path, frames)
    out = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
    assert stars.index[~stars["in_observed"]].tolist() == out
    assert stars.index[~stars["class_normal"]].tolist() == [18, 19, 20, 21]
    assert [entry["dropped"] for entry in record["flow"]] == [0, 1, 1, 1, 1, 1, 1, 2, 2]
    assert record["flow"][-1] == {"cut": "no class c, w", "kept": N - 10, "dropped": 2}


def test_apogee_repeats_and_duplicates(tmp_path):
    frames = tables()
    first = frames["apogee16"].iloc[[8, 8, 8]].assign(
        snr_apogee=[500.0, 900.0, 300.0], apogee_extratarg=[0, 16, 0], teff_apogee=[5500.0, 5900.0, 5300.0]
    )
    gaia = first["gaia_dr2_source_id"].iloc[0]
    alone = frames["apogee16"].iloc[[9]].assign(apogee_extratarg=16)
    unmarked = frames["apogee16"].iloc[[10]].assign(apogee_extratarg=-1)
    frames["apogee16"] = pd.concat([frames["apogee16"].drop(index=[8, 9, 10]), first, alone, unmarked])
    stars, record = run(tmp_path, frames)
    mine = stars[stars["gaia_dr2_source_id"] == gaia]
    assert mine["teff_apogee"].tolist() == [5500.0] and mine["snr_apogee"].tolist() == [500.0]
    missing = stars[stars["gaia_dr2_source_id"] == alone["gaia_dr2_source_id"].iloc[0]].iloc[0]
    assert np.isnan(missing["teff_apogee"]) and missing["apogee_aspcapflag"] == -1
    assert stars.loc[stars["gaia_dr2_source_id"] == unmarked["gaia_dr2_source_id"].iloc[0], "teff_apogee"].notna().all()
    assert record["apogee"] == {"entries": 39, "duplicates": 2, "repeats": 1, "stars": 36}


def test_starhorse_by_spectrum_then_by_star(tmp_path):
    frames = tables()
    names = ids(N)
    two = pd.DataFrame({
        "rave_obs_id": [names[1], names[0], names[6], names[8]], "gaia_dr2_source_id": [GAIA_0, GAIA_0, GAIA_0 + 7, GAIA_0 + 8],
        "av_starhorse": [0.5, 0.4, 0.9, np.nan], "dist_starhorse": 100.0,
    })  # fmt: skip
    frames["starhorse"] = two
    stars, record = run(tmp_path, frames)
    np.testing.assert_array_equal(stars["av_starhorse"].to_numpy()[[0, 1, 6, 7]], [0.4, 0.5, np.nan, 0.9])           # 6: another star's id
    assert record["starhorse"] == {"by_spectrum": 3, "by_star": 1}
    assert stars["in_observed"].sum() == 3


def test_spectra_without_gaia_have_no_neighbours(tmp_path):
    frames = tables()
    frames["rave_gaiadr2"].loc[7, "gaia_dr2_source_id"] = -1
    frames["apogee16"].loc[0, "gaia_dr2_source_id"] = -1
    frames["starhorse"].loc[0, "gaia_dr2_source_id"] = -1
    stars, _ = run(tmp_path, frames)
    assert stars["gaia_dr2_source_id"][7] == -1 and np.isnan(stars["snr_apogee"][7]) and np.isnan(stars["av_starhorse"][7])


def test_spectra_unknown_to_the_tables_stay_with_missing_values(tmp_path):
    names = [*ids(3), "20990101_0000m00_001"]
    stars, record = run(tmp_path, tables(), names=names)
    last = stars.iloc[-1]
    assert len(stars) == 4 and last["gaia_dr2_source_id"] == -1 and last["raveid"] == "" and not last["in_observed"]
    assert kept(record)["in the table of RAVE DR6"] == 3


def test_needed_tables_columns_and_unique_rows(tmp_path):
    with pytest.raises(InputError, match="input rave_sparv: is not given"):
        run(tmp_path, tables(), drop=("rave_sparv",))
    frames = tables()
    frames["rave_sparv"] = frames["rave_sparv"].drop(columns="snr_rave")
    with pytest.raises(InputError, match="column snr_rave: is absent"):
        run(tmp_path, frames)
    frames = tables()
    frames["rave_xmatch"] = pd.concat([frames["rave_xmatch"], frames["rave_xmatch"].iloc[[3]]])
    with pytest.raises(InputError, match=f"holds {ids(N)[3]} more than once"):
        run(tmp_path, frames)
    assert not (tmp_path / "stars.parquet").exists()
