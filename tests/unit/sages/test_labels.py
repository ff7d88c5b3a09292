"""Labels of a cell: links by id and by position, and the reduction of repeats of each survey."""

import numpy as np
import pandas as pd
import pytest

from starlabels.astrometry import propagate
from starlabels.cells import cell_of, cell_of_gaia_id, other_cells_within
from starlabels.errors import InputError
from starlabels.flow import merge
from starlabels.io import read_json, read_table, write_table
from starlabels.sages.labels import COLUMNS, run_labels

ID = "gaia_dr3_source_id"
NSIDE = 8
CFG = {
    "crossmatch": {"radius_arcsec": {"rave5": 1.0, "pastel": 1.0, "vmp": 1.0}, "ambiguous_arcsec": 0.3, "propagate": True},
    "samples": {"train": {"lamost": {}, "pastel": {}, "rave5": {}, "other": None}, "test": {"apogee": {}, "vmp": {}}},
}


def stars(n=40, step=0.02):
    """Gaia sources in a row across a border of two cells; every second one moves 300 mas/yr."""
    ra = np.arange(138.0, 145.0, 0.001)
    cell = cell_of(ra, np.full(len(ra), 40.0), NSIDE)
    ra = ra[np.flatnonzero(np.diff(cell))[0]] + step * (np.arange(n) - n / 2)
    dec = np.full(n, 40.0)
    ids = ((cell_of(ra, dec, 4096) << 35) | np.arange(1, n + 1)).astype(np.int64)
    return pd.DataFrame({ID: ids, "ra": ra, "dec": dec, "pmra": np.where(np.arange(n) % 2, 300.0, 0.0), "pmdec": 0.0})


GAIA = stars()
IDS = GAIA[ID].to_numpy()


def at_j2000(k):
    k = np.asarray(k)
    ra, dec = propagate(*(GAIA[c].to_numpy()[k] for c in ("ra", "dec", "pmra", "pmdec")), -16.0)
    return {"ra": ra, "dec": dec + 0.2 / 3600, "ref_epoch": 2000.0}


def vmp(paper, who, feh, error):
    names = [f"{paper} {k}" for k in who]
    return pd.DataFrame({"star_name": names, "feh_vmp": feh, "feh_vmp_err": error, "vmp_ref": paper, **at_j2000(who)})


def catalogues():
    lamost = pd.DataFrame({
        ID: IDS[[0, 0, 1, 2, 2, 30]], "lamost_obsid": [5, 4, 3, 2, 1, 6], "snr_lamost_g": [20.0, 50.0, np.nan, 9.0, 9.0, 99.0],
        "teff_lamost": [5000.0, 5100.0, 5200.0, 5300.0, 5400.0, np.nan], "teff_lamost_err": 50.0,
        "logg_lamost": 4.0, "logg_lamost_err": 0.1, "feh_lamost": [0.1, 0.2, 0.3, 0.4, 0.5, np.nan], "feh_lamost_err": 0.05,
    })
    lamost.loc[5, "logg_lamost"] = np.nan
    apogee = pd.DataFrame({
        ID: IDS[[3, 3, 4, 5, 6]], "apogee_id": ["a", "b", "c", "d", "e"], "snr_apogee": [100.0, 200.0, 300.0, 400.0, 50.0],
        "apogee_aspcapflag": [0, 1 << 23, 1 << 7, 0, -1], "apogee_extratarg": [0, 0, 0, 1 << 4, -1], "feh_apogee_flag": [0, 0, 1, 0, -1],
        "teff_apogee": 4500.0, "teff_apogee_err": 20.0, "feh_apogee": -0.1, "feh_apogee_err": 0.01,
    })
    rave = pd.DataFrame({"rave_obs_id": ["r1", "r2", "r3", "r4"], "rave5_algo_flag": [0, 1, 0, 0], "snr_rave5": [30.0, 90.0, 60.0, 10.0],
                         "feh_rave5": [-1.0, -1.1, -1.2, -2.0], **at_j2000([7, 7, 7, 8])})
    pastel = pd.DataFrame({
        "star_name": list("ppppqqss"), "feh_pastel": [-1.0, -1.4, -1.1, np.nan, -2.0, -2.2, -3.0, -3.0],
        "feh_pastel_err": [0.05, np.nan, 0.09, 0.01, np.nan, np.nan, np.nan, np.nan], "teff_pastel": [5000.0, 5200.0] + 6 * [np.nan],
        **at_j2000([9, 9, 9, 9, 10, 10, 11, 11]),
    })
    li = vmp("Li et al. 2018", [12, 13, 39], [-2.1, -2.2, -2.3], [0.01, 0.01, 0.01])
    yong = vmp("Yong et al. 2013", [12, 15], [-2.6, -2.7], [0.2, 0.2])
    aoki = vmp("Aoki et al. 2013", [12, 15], [-2.8, -2.9], [np.nan, 0.1])
    return {"gaia": GAIA, "lamost": lamost, "apogee": apogee, "rave5": rave, "pastel": pastel,
            "vmp_li2018": li, "vmp_yong2013": yong, "vmp_aoki2013": aoki}


def run(folder, files, have=IDS[:39], cfg=CFG, low=("vmp_li2018",)):
    """Labels of both cells; star 39 (the last one) has no survey photometry."""
    cells = sorted(set(cell_of_gaia_id(IDS, NSIDE).tolist()))
    parts, flows = [], []
    for cell in cells:
        paths = {}
        for name, frame in files.items():
            positional = "ra" in frame.columns
            own = cell_of_gaia_id(frame[ID], NSIDE) if ID in frame else cell_of(frame["ra"], frame["dec"], NSIDE)
            index, other = np.empty(0, int), np.empty(0, int)
            if positional:
                index, other = other_cells_within(frame["ra"].to_numpy(), frame["dec"].to_numpy(), own, NSIDE, 200.0)
            paths[name] = folder / f"{name}-{cell}"
            part = [frame[own == cell].assign(in_margin=False), frame.iloc[index[other == cell]].assign(in_margin=True)]
            write_table(paths[name], pd.concat(part, ignore_index=True))
        write_table(folder / "stars", pd.DataFrame({ID: have[cell_of_gaia_id(have, NSIDE) == cell]}))
        out = [folder / f"{c}-{cell}" for c in ("labels", "flow")]
        run_labels(cell, paths, folder / "stars", cfg, *out, low_resolution=low)
        parts.append(read_table(out[0]))
        flows.append(read_json(out[1]))
    labels = pd.concat(parts, ignore_index=True)
    return labels, {s: merge([f[s] for f in flows]) for s in flows[0]}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run(tmp_path_factory.mktemp("labels"), catalogues())


def of(result, survey):
    frame = result[0][result[0]["survey"] == survey].set_index(ID)
    return frame.rename(index={i: k for k, i in enumerate(IDS.tolist())})


def test_columns_and_one_row_a_star_and_survey(result):
    assert list(result[0]) == COLUMNS
    assert not result[0].duplicated([ID, "survey"]).any()
    assert set(result[0]["survey"]) == {"lamost", "apogee", "rave5", "pastel", "vmp"}


def test_lamost_has_the_spectrum_of_highest_snr(result):
    lamost = of(result, "lamost")
    assert lamost["teff"].to_dict() == {0: 5100.0, 1: 5200.0, 2: 5400.0}     # equal S/N: the smaller obsid; no label: no row
    assert lamost["snr"].to_dict()[0] == 50.0
    assert lamost["sep"].isna().all()


def test_apogee_flags(result):
    apogee = of(result, "apogee")
    assert sorted(apogee.index) == [3, 4, 6]                                 # 5 was a duplicate, the better row of 3 STAR_BAD
    assert apogee.loc[3, "snr"] == 100.0
    assert np.isnan(apogee.loc[4, "feh"]) and np.isnan(apogee.loc[4, "feh_err"]) and apogee.loc[4, "teff"] == 4500.0
    assert apogee.loc[6, "feh"] == -0.1                                       # unknown flags reject nothing
    assert apogee["logg"].isna().all()


def test_rave_is_converged(result):
    rave = of(result, "rave5")
    assert rave["feh"].to_dict() == {7: -1.2, 8: -2.0}
    assert rave["sep"].to_numpy() == pytest.approx(0.2, abs=1e-3)             # star 7 has moved by 4.8 arcsec


def test_pastel_median_and_error(result):
    pastel = of(result, "pastel")
    assert pastel["feh"].to_dict() == {9: -1.1, 10: -2.1, 11: -3.0}
    assert pastel.loc[9, "feh_err"] == pytest.approx(0.07)                    # median of 0.05 and 0.09; no value, no error
    assert pastel.loc[10, "feh_err"] == pytest.approx(np.std([-2.0, -2.2], ddof=1))
    assert pastel.loc[11, "feh_err"] == 0.1                                   # determinations without scatter
    assert pastel.loc[9, "teff"] == 5100.0 and np.isnan(pastel.loc[10, "teff_err"])


def test_vmp_duplicates(result):
    vmp = of(result, "vmp")
    # 12: high resolution before Li, a stated error before none; 13: only Li; 15: the smaller error; 39: no photometry
    assert vmp["reference"].to_dict() == {12: "Yong et al. 2013", 13: "Li et al. 2018", 15: "Aoki et al. 2013"}
    assert vmp["feh"].to_dict() == {12: -2.6, 13: -2.2, 15: -2.9}


def test_which_lists_give_way_is_configured(tmp_path):
    vmp = of(run(tmp_path, catalogues(), low=["vmp_yong2013"]), "vmp")
    assert vmp["reference"].to_dict() == {12: "Li et al. 2018", 13: "Li et al. 2018", 15: "Aoki et al. 2013"}


def test_a_new_survey_needs_no_code(tmp_path):
    """By Gaia id with S/N, and by position without: highest S/N of a star, else the smallest [Fe/H] error."""
    galah = pd.DataFrame({
        ID: IDS[[20, 20, 21, 21, 22]], "snr_galah": [40.0, 60.0, np.nan, np.nan, np.nan], "feh_galah": [-0.1, -0.2, -0.3, -0.4, -0.5],
        "feh_galah_err": [0.01, 0.1, 0.1, 0.05, np.nan], "teff_galah": 5000.0, "logg_galah": 4.0,
    })
    segue = pd.DataFrame({
        "feh_segue": [-1.0, -1.1, -1.2, -1.3], "feh_segue_err": [0.2, 0.1, np.nan, 0.3], "logg_segue": 4.5, **at_j2000([23, 23, 23, 24]),
    })
    cfg = {
        "crossmatch": CFG["crossmatch"] | {"radius_arcsec": {"segue": 1.0}},
        "samples": {"train": {"galah": {"labels": ["feh"]}}, "test": {"segue": {"labels": ["feh"]}}},
    }
    found = run(tmp_path, {"gaia": GAIA, "galah": galah, "segue": segue}, cfg=cfg)
    assert of(found, "galah")["feh"].to_dict() == {20: -0.2, 21: -0.4, 22: -0.5}
    assert of(found, "segue")["feh"].to_dict() == {23: -1.1, 24: -1.3}
    assert of(found, "segue")["sep"].to_numpy() == pytest.approx(0.2, abs=1e-3)
    assert set(found[0]["reference"]) == {"galah", "segue"}
    assert found[1]["segue"][-1] == {"cut": "row with the highest S/N, or else the smallest error, of each star", "kept": 2, "dropped": 2}


def test_flow_counts_every_row_once(result):
    labels, flow = result
    files = catalogues()
    assert flow["vmp"][0]["kept"] == 7
    for survey in ("lamost", "apogee", "rave5", "pastel"):
        assert flow[survey][0]["kept"] == len(files[survey])
    for survey, entries in flow.items():
        assert entries[-1]["kept"] == (labels["survey"] == survey).sum()
        assert sum(e["dropped"] for e in entries) == entries[0]["kept"] - entries[-1]["kept"]


def test_without_motions_the_moving_star_has_no_label(tmp_path):
    cfg = CFG | {"crossmatch": CFG["crossmatch"] | {"propagate": False}}
    still = of(run(tmp_path, catalogues(), cfg=cfg), "rave5")
    assert list(still.index) == [8]


def test_empty_cell_keeps_the_schema(result, tmp_path):
    none, flow = run(tmp_path, {name: frame.iloc[:0] for name, frame in catalogues().items()}, have=IDS[:0])
    assert none.dtypes.to_dict() == result[0].dtypes.to_dict()
    assert [e["cut"] for e in flow["pastel"]] == [e["cut"] for e in result[1]["pastel"]]


def test_bad_input(tmp_path):
    files = catalogues()
    with pytest.raises(InputError, match="survey lamost: has no catalogue"):
        run(tmp_path, {k: v for k, v in files.items() if k != "lamost"})
    with pytest.raises(InputError, match="feh_rave5: are absent"):
        run(tmp_path, files | {"rave5": files["rave5"].drop(columns="feh_rave5")})
    with pytest.raises(InputError, match="radius_arcsec.pastel"):
        run(tmp_path, files, cfg=CFG | {"crossmatch": CFG["crossmatch"] | {"radius_arcsec": {"rave5": 1.0, "vmp": 1.0}}})
