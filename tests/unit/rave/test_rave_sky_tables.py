"""Native tables of the simulated RAVE survey: names, sentinels, offsets, and whether the catalogue stage reads them."""

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from paths import ROOT
from unit.rave.rave_sky import small_config

from starlabels import catalogs
from starlabels.io import read_meta, read_table
from starlabels.sky.rave import layout, simulate
from starlabels.sky.rave.native import apogee16, literature, starhorse

ENDINGS = {"apogee16": "fits", "starhorse": "txt"}


@pytest.fixture(scope="module")
def config():
    return small_config()


@pytest.fixture(scope="module")
def native(config, tmp_path_factory):
    """Native files of all shards (without spectra): dataset -> paths."""
    folder, files = tmp_path_factory.mktemp("native"), {}
    for piece in layout.shards(config):
        out = {name: folder / f"{name}-{piece.name}.{ENDINGS.get(name, 'csv')}" for name in simulate.WRITERS}
        simulate.run_simulate_rave(piece.name, config, {**out, "truth": folder / f"truth-{piece.name}.parquet"})
        for name, path in [*out.items(), ("truth", folder / f"truth-{piece.name}.parquet")]:
            files.setdefault(name, []).append(path)
    return files


@pytest.fixture(scope="module")
def tables(native):
    """The same as frames."""
    return {name: pd.concat([pd.read_csv(p) for p in paths], ignore_index=True) for name, paths in native.items() if name[:4] == "rave"}


def test_columns_are_native(tables):
    assert list(tables["rave_obsdata"])[:5] == ["rave_obs_id", "raveid", "ra_input", "dec_input", "obsdate"]
    assert {"hrv_sparv", "hrv_error_sparv", "snr_med_sparv", "snr_sparv", "correlation_coeff_sparv"} <= set(tables["rave_sparv"])
    assert {"flag1_class", "flag2_class", "flag3_class", "w1_class"} <= set(tables["rave_classification"])
    madera = {"teff_cal_madera", "teff_error_madera", "logg_cal_madera", "m_h_cal_madera", "m_h_error_madera", "algo_conv_madera"}
    assert madera <= set(tables["rave_madera"])
    assert {"logg_bdasp", "m_h_bdasp", "distance_bdasp", "age_bdasp", "log_a_v_bdasp"} <= set(tables["rave_bdasp"])
    gauguin = {"fe_h_gauguin", "alpha_fe_gauguin", "alpha_fe_error_gauguin", "alpha_fe_chisq_gauguin", "alpha_fe_nl_gauguin"}
    assert gauguin <= set(tables["rave_gauguin"])
    assert {"source_id", "parallax", "parallax_error", "phot_bp_mean_mag"} <= set(tables["rave_gaiadr2"])
    assert len(tables["rave_seismic"]) == 40


def test_missing_values_and_sentinels(tables):
    madera = tables["rave_madera"]
    lost = madera["teff_cal_madera"] == -9999
    assert 0 < lost.mean() < 0.02 and (madera.loc[lost, "algo_conv_madera"] == 1).all()
    xmatch = tables["rave_xmatch"]
    limit = xmatch["e_w2mag_allwise"].isna() & xmatch["w2mag_allwise"].notna()
    assert 0.01 < limit.mean() < 0.08
    assert (tables["rave_gauguin"]["fe_h_gauguin"] == 99.99).any()
    assert 0.1 < tables["rave_gauguin"]["alpha_fe_gauguin"].notna().mean() < 0.35
    gaia = tables["rave_gaiadr2"]
    assert 0 < gaia["source_id"].isna().mean() < 0.02 and gaia.loc[gaia["source_id"].isna(), "parallax"].isna().all()


def test_gaia_dr2_has_its_zero_points(native, tables):
    truth = pd.concat([read_table(p) for p in native["truth"]], ignore_index=True)
    rows = truth.merge(tables["rave_gaiadr2"].dropna(subset=["parallax"]), on="rave_obs_id").drop_duplicates("raveid")
    z = (rows["parallax"] - 1000 / rows["distance"] + 0.03) / rows["parallax_error"]
    assert abs(z.median()) < 0.15 and z.std() == pytest.approx(1, abs=0.1)
    assert rows["parallax_error"].median() == pytest.approx(0.046, abs=0.004)


def test_apogee_is_dr16(native, config):
    with fits.open(native["apogee16"][0]) as hdus:
        columns, data = hdus[1].columns, hdus[1].data
        assert columns.names == list(apogee16.FORMATS)
        assert columns["GAIA_SOURCE_ID"].format == "K" and data["X_H"].shape[1] == 26 and data["PARAM"].shape[1] == 9
    stars, _ = simulate.made_up(layout.shard(small_config(n_spectra=6000, n_apogee=2000), "south1-000"), config)
    frame = apogee16.rows(stars, np.ones(len(stars), bool), config)
    twice = frame["EXTRATARG"] == 16
    assert 0.005 < twice.mean() < 0.04 and frame.loc[~twice, "APOGEE_ID"].is_unique
    assert set(frame.loc[twice, "APOGEE_ID"]) <= set(frame.loc[~twice, "APOGEE_ID"])
    bad = (frame["ASPCAPFLAG"] & apogee16.STAR_BAD) != 0
    assert (frame.loc[bad, list(apogee16.LABELS)] == -9999).all(axis=None) and 0.005 < bad.mean() < 0.03
    assert frame.loc[frame["AL_FE"] == -9999, "AL_FE_FLAG"].ne(0)[~bad].all()
    assert frame.loc[~twice, "SNR"].median() > 250


@pytest.mark.parametrize(
    ("switch", "table", "column", "cut"),
    [
        ("apogee16", "apogee16", "M_H", None), ("bdasp", "rave_bdasp", "logg_bdasp", "dwarf"), ("irfm", "rave_irfm", "teff_irfm", "hot"),
        ("k2", "rave_seismic", "logg_seismic", None), ("madera", "rave_madera", "m_h_cal_madera", None),
        ("gauguin", "rave_gauguin", "fe_h_gauguin", None), ("high_resolution", "hr_bensby2014", "logg", None),
    ],
)  # fmt: skip
def test_every_offset_has_a_switch(switch, table, column, cut):
    expected = {"apogee16": 0.010, "bdasp": -0.10, "irfm": 250, "k2": 0.03, "madera": -0.05, "gauguin": -0.10, "high_resolution": -0.13}
    found = []
    for on in (True, False):
        config = small_config(n_spectra=2500, n_apogee=900)
        config["sky"]["rave"]["offsets"][switch] = on
        piece = layout.shard(config, "k2-000" if switch == "k2" else "south1-000")
        stars, spectra = simulate.made_up(piece, config)
        rows = simulate.native_rows(stars, spectra, config)[table]
        truth = simulate.truth_rows(stars, spectra, config)
        if cut and "rave_obs_id" in rows:
            keep = truth["logg"] > 3.5 if cut == "dwarf" else truth["teff"] > 5200
            rows = rows[rows["rave_obs_id"].isin(truth.loc[keep, "rave_obs_id"])]
        found.append(rows[column].replace([-9999, 99.99], np.nan).mean())
    assert found[0] - found[1] == pytest.approx(expected[switch], abs=0.06 if switch == "gauguin" else abs(0.35 * expected[switch]))


def test_supergiant_is_what_section_6_8_says(config):
    stars, spectra = simulate.made_up(layout.shard(config, "clusters-000"), config)
    tables = simulate.native_rows(stars, spectra, config)
    mine = spectra.loc[spectra["star"] == len(stars) - 1, "rave_obs_id"]
    bdasp = tables["rave_bdasp"][tables["rave_bdasp"]["rave_obs_id"].isin(mine)]
    assert len(bdasp) in (0, 6)
    np.testing.assert_allclose(bdasp[["teff_bdasp", "logg_bdasp", "m_h_bdasp"]], [[5047, 1.39, 0.28]] * len(bdasp))
    madera = tables["rave_madera"][tables["rave_madera"]["rave_obs_id"].isin(mine)]
    assert madera["logg_cal_madera"].mean() == pytest.approx(3.63, abs=0.4) and len(madera) == 6
    gaia = tables["rave_gaiadr2"][tables["rave_gaiadr2"]["rave_obs_id"].isin(mine)]
    assert (gaia["source_id"] == 5983723702088571392).all() and (gaia["parallax_error"] / gaia["parallax"]).between(0.08, 0.13).all()


def test_starhorse_is_text_with_one_row_a_spectrum(native, tables):
    lines = [line.split(" ") for path in native["starhorse"] for line in path.read_text().splitlines()]
    assert {len(line) for line in lines} == {len(starhorse.COLUMNS)}
    names = {line[0] for line in lines}
    assert len(names) == len(lines) and names <= set(tables["rave_obsdata"]["rave_obs_id"])
    assert 1 - len(lines) / len(tables["rave_obsdata"]) == pytest.approx(0.033, abs=0.02)
    av = np.array([float(line[-2]) for line in lines])
    assert av.min() == 0 and 0.2 < av.mean() < 0.4


def test_lists_have_names_of_their_own_and_whom_they_take():
    config = small_config(n_spectra=9000, n_apogee=100, shard_spectra=100_000)
    stars, _ = simulate.made_up(layout.shard(config, "south2-000"), config)
    lists = literature.high_resolution(stars, config)
    assert list(lists) == list(literature.LISTS) and all(list(t) == list(literature.LISTS[n][2].values()) for n, t in lists.items())
    assert len({tuple(t) for t in lists.values()}) == 8
    assert lists["hr_ruchti2011"]["[Fe/H]"].median() < -0.4 and lists["hr_reddy2003"]["logg"].min() > 2.9
    places = pd.concat([t.iloc[:, 1 + ("gaia_id" in literature.LISTS[n][2])].round(2) for n, t in lists.items()])
    assert places.duplicated().any()
    ges = lists["hr_gaiaeso"]
    row = [np.argmin(np.hypot(stars["ra"] - ra, stars["dec"] - dec)) for ra, dec in zip(ges["ra"], ges["dec"], strict=True)]
    off = ges["mg1"] - 7.53 - ges["feh"] - stars["mg_fe"].to_numpy()[row]  # the Sun of the list is taken off
    assert off.median() == pytest.approx(0.0, abs=0.06)
    assert {len(t) for t in literature.clusters(stars, config).values()} == {0}


def test_the_catalogue_stage_reads_them_all(native, tmp_path):
    datasets = yaml.safe_load((ROOT / "config/datasets.yaml").read_text())["datasets"]
    n_spectra = 1500
    for name in simulate.WRITERS:
        out = tmp_path / f"{name}.parquet"
        catalogs.run_catalog(name, native[name], datasets[name], [0], 8, 200.0, {0: out}, tmp_path / f"{name}.json")
        frame = read_table(out)
        if name in ("rave_obsdata", "rave_sparv", "rave_classification", "rave_xmatch", "rave_gaiadr2", "rave_madera"):
            assert len(frame) == n_spectra and frame["rave_obs_id"].is_unique
        if name in ("rave_bdasp", "starhorse"):
            distance = "distance_bdasp" if name == "rave_bdasp" else "dist_starhorse"
            assert 50 < frame[distance].median() < 2000 and read_meta(out)["columns"][distance]["unit"] == "pc"
        if name == "rave_gaiadr2":
            assert (frame["gaia_dr2_source_id"] == -1).any() and frame["gaia_dr2_source_id"].dtype == np.int64
        if name.startswith(("hr_", "cl_")):
            assert {"star_name", "ra", "dec", "teff_hr", "logg_hr", "feh_hr"} <= set(frame)
        if name.startswith("cl_"):
            assert frame["cluster"].isin(layout.cluster_numbers(small_config())).all()


def test_truth_holds_every_spectrum(native):
    truth = pd.concat([read_table(p) for p in native["truth"]], ignore_index=True)
    assert list(truth) == list(simulate.TRUTH_META) and len(truth) == 1500 and truth["rave_obs_id"].is_unique
    assert read_meta(native["truth"][0])["simulated"] is True
    assert (truth["mh"] - truth["feh"]).round(6).eq(0.01).all()


def test_equal_bytes_again(config, native, tmp_path):
    name = "south2-000"
    out = {d: tmp_path / f"{d}.{ENDINGS.get(d, 'csv')}" for d in simulate.WRITERS}
    simulate.run_simulate_rave(name, config, {**out, "truth": tmp_path / "truth.parquet"})
    for dataset, path in out.items():
        first = next(p for p in native[dataset] if name in p.name)
        assert path.read_bytes() == first.read_bytes(), dataset
