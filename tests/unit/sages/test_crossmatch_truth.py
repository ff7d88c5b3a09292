"""The diagnostics of the cross-match on a small sky whose right and wrong pairs are known by construction."""

import numpy as np
import pandas as pd
import pytest

from starlabels.astrometry import propagate
from starlabels.cells import cell_of, cell_of_gaia_id
from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.sages.crossmatch_truth import judge_pairs, run_crossmatch_truth, true_source

ID = "gaia_dr3_source_id"
NSIDE = 8
RADII = {"sages": 1.0, "twomass": 1.0, "galex": 3.0, "vmp": 1.0}
CFG = {"crossmatch": {"radius_arcsec": RADII, "ambiguous_arcsec": 0.3, "propagate": True}}
PM = np.array([5.0, 30.0, 150.0, 150.0, 600.0, 5.0, 150.0])
N = len(PM)


def sky(folder):
    """Seven stars 1 arcmin apart, each with every catalogue; the last one has no motion in Gaia, star 5 a companion at 0.4 arcsec."""
    ra, dec = 140.0 + np.arange(N) / 60, np.full(N, 38.0)
    ids = ((cell_of(ra, dec, 4096) << 35) | (np.arange(N) + 2**30 + 1)).astype(np.int64)          # odd: lost in float64
    truth = pd.DataFrame({ID: ids, "ra": ra, "dec": dec, "pmra": 0.0, "pmdec": PM, "is_companion": False})
    for name in ("sage_id", "tmass_id", "allwise_id"):
        truth[name] = [f"{name}{k}" for k in range(N)]
    truth["sage_id_2"] = [""] * (N - 1) + ["again"]
    truth["galex_objid"] = np.arange(N) + 10
    second = truth.iloc[[5]].assign(dec=38.0 + 0.4 / 3600, is_companion=True, sage_id="", sage_id_2="", tmass_id="", allwise_id="")
    second[ID] = ids[5] + 1000
    truth = pd.concat([truth, second], ignore_index=True)                                         # galex_objid: a blend
    gaia = truth[[ID, "ra", "dec", "pmra", "pmdec"]].assign(in_margin=False)
    gaia.loc[N - 1, ["pmra", "pmdec"]] = np.nan

    def seen(epoch, shift=0.1, rows=slice(N)):
        part = truth.iloc[rows]
        a, d = propagate(*(part[c].to_numpy() for c in ("ra", "dec", "pmra", "pmdec")), epoch - 2016.0)
        return {"ra": a, "dec": d - shift / 3600, "ref_epoch": np.full(len(part), epoch), "in_margin": False}

    files = {"gaia": gaia, "sages": pd.DataFrame({"sage_id": truth["sage_id"][:N], **seen(2018.5)}),
             "twomass": pd.DataFrame({"tmass_id": truth["tmass_id"][:N], **seen(2000.0)}),
             "galex": pd.DataFrame({"galex_objid": truth["galex_objid"][:N], **seen(2008.0)}),
             "vmp_a": pd.DataFrame(seen(2000.0, rows=slice(2, 5))), "vmp_b": pd.DataFrame(seen(2000.0, rows=[2]))}
    cell = int(cell_of_gaia_id(ids, NSIDE)[0])
    assert (cell_of_gaia_id(ids, NSIDE) == cell).all()
    paths = {}
    for name, frame in files.items():
        paths[name] = [folder / name]
        write_table(folder / name, frame)
    pairs = pd.DataFrame({"dataset": "sages", ID: ids, "native_id": truth["sage_id"][:N], "sep_arcsec": 0.1, "link": "position"})
    pairs = pd.concat([pairs.iloc[1:], pairs.iloc[[2]].assign(dataset="twomass", native_id="tmass_id3")], ignore_index=True)
    write_table(folder / "pairs", pairs)
    write_table(folder / "truth0", truth.iloc[:3])
    write_table(folder / "truth1", truth.iloc[3:])
    return cell, paths, truth, gaia, pairs


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    cell, paths, *frames = sky(folder)
    out = folder / "s.json", folder / "t.parquet"
    run_crossmatch_truth([cell], paths, [folder / "pairs"], [folder / "truth0", folder / "truth1"], CFG, NSIDE, *out)
    return read_json(out[0]), read_table(out[1]), frames


def row(table, survey, how, **where):
    chosen = table[(table["survey"] == survey) & (table["how"] == how)]
    for name, value in where.items():
        chosen = chosen[chosen[name] == value]
    return chosen[["n_true", "n_found", "n_pairs", "n_wrong"]].sum().tolist()


def test_moved_and_not_moved(result):
    _, table, _ = result
    # the star without a Gaia motion moves 2.4 arcsec between 2000 and 2016; two of 150 and one of 600 mas/yr are lost if not moved
    assert row(table, "twomass", "moved") == [7, 6, 6, 0]
    assert row(table, "twomass", "moved", gaia_motion=False) == [1, 0, 0, 0]
    assert row(table, "twomass", "not_moved") == [7, 3, 3, 0]
    assert row(table, "twomass", "not_moved", pm_lo=100.0, gaia_motion=True) == [2, 0, 0, 0]
    assert row(table, "sages", "moved") == [7, 7, 7, 0]
    assert row(table, "sages", "not_moved", pm_lo=400.0) == [1, 0, 0, 0]
    assert row(table, "vmp", "moved") == [4, 4, 4, 0] and row(table, "vmp", "not_moved") == [4, 0, 0, 0]


def test_pairs_of_the_run(result):
    _, table, _ = result
    assert row(table, "sages", "as_run") == [8, 6, 6, 0]             # star 0 has no pair, nor has the second entry of the last one
    assert row(table, "twomass", "as_run") == [6, 0, 1, 1]           # the only pair is a wrong one


def test_summary(result):
    summary, table, _ = result
    targets = {t["survey"]: t for t in summary["targets"]}
    assert targets["vmp"]["moved"] == 1.0 and targets["vmp"]["not_moved"] == 0.0 and targets["vmp"]["reached"]
    assert targets["twomass"]["moved"] == 1.0 and targets["twomass"]["moved_no_gaia_motion"] == 0.0
    assert targets["rave5"]["moved"] is None and not targets["rave5"]["reached"]
    histogram = summary["separation"]["vmp"]
    assert sum(histogram["counts"]["moved"]) == 4 and sum(histogram["counts"]["not_moved"]) == 0
    assert len(histogram["edges"]) == 21 and histogram["edges"][-1] == pytest.approx(1.0)
    assert table["completeness"].max() == 1.0


def test_wrong_pairs_are_counted_as_wrong(result):
    _, _, (truth, gaia, pairs) = result
    swapped = pairs.copy()
    swapped.loc[[0, 1], ID] = swapped.loc[[1, 0], ID].to_numpy()
    sages = judge_pairs(swapped, truth, gaia)["sages"]
    wrong = (sages["found"] >= 0) & (sages["found"] != sages["true"])
    assert wrong.sum() == 2
    assert set(sages.loc[~wrong & (sages["found"] >= 0), "found"]) <= set(truth[ID])              # no digit lost on the way


def test_a_blend_belongs_to_its_brighter_star(result):
    _, _, (truth, _, _) = result
    rows = pd.DataFrame({"galex_objid": [15, 99]})
    assert true_source("galex", rows, truth).tolist() == [truth[ID].tolist()[5], -1]


def test_bad_input(tmp_path):
    cell, paths, *_ = sky(tmp_path)
    with pytest.raises(InputError, match="lack gaia"):
        run_crossmatch_truth([cell], {}, [tmp_path / "pairs"], [], CFG, NSIDE, tmp_path / "a", tmp_path / "b")
    with pytest.raises(InputError, match="1 files for 2 cells"):
        run_crossmatch_truth([cell, 1], paths, [tmp_path / "pairs"], [], CFG, NSIDE, tmp_path / "a", tmp_path / "b")
