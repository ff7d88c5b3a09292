"""The whole shard: the same bytes for the same seed, the same rows for every shard size, a truth that names every source."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from starlabels.errors import InputError
from starlabels.io import read_table
from starlabels.sky import layout, simulate


def _outputs(folder):
    return {name: folder / f"{name}.out" for name in [*simulate.WRITERS, "truth"]}


def _digests(outputs):
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in outputs.items()}


def _everything(config):
    """All rows of all shards, by dataset."""
    parts = [simulate.native_rows(simulate.true_stars(piece, config), config) for piece in layout.shards(config)]
    tables = {
        name: pd.concat([p[0][name] for p in parts if len(p[0][name])] or [parts[0][0][name]], ignore_index=True) for name in parts[0][0]
    }
    tables["truth"] = pd.concat([p[1] for p in parts], ignore_index=True)
    return tables


@pytest.fixture(scope="module")
def busy(tiny):
    """A tiny sky in which every survey has rows."""
    return tiny(metal_poor_boost=0.3, fraction_labelled={"lamost": 0.7, "apogee": 0.5, "rave5": 0.3, "pastel": 0.3})


@pytest.fixture(scope="module")
def whole(busy):
    return _everything(busy)


def test_same_seed_same_bytes(busy, tmp_path):
    one, two = _outputs(tmp_path / "a"), _outputs(tmp_path / "b")
    for outputs in (one, two):
        simulate.run_simulate("north1-000", busy, outputs)
    assert _digests(one) == _digests(two)
    other = _outputs(tmp_path / "c")
    simulate.run_simulate("north1-000", {**busy, "seed": 43}, other)
    different = {name for name in one if _digests(one)[name] != _digests(other)[name]}
    assert {"gaia", "sages", "truth", "lamost"} <= different


def test_no_number_depends_on_the_shard_size(busy, whole):
    small = _everything({**busy, "sky": {**busy["sky"], "shard_stars": 140}})
    assert set(small) == set(whole)
    for name, table in whole.items():
        keys = list(table.columns)
        a, b = (t.sort_values(keys, ignore_index=True) for t in (table, small[name]))
        pd.testing.assert_frame_equal(a, b, check_exact=True, obj=name)
        assert len(a) > 0 or name.startswith("vmp_"), name


def test_a_switch_changes_only_its_own_survey(busy, whole):
    changed = {**busy, "sky": {**busy["sky"], "label_offsets": {**busy["sky"]["label_offsets"], "pastel": False}}}
    for name, table in _everything(changed).items():
        assert table.equals(whole[name]) == (name != "pastel"), name


def test_the_truth_names_every_source(whole):
    truth = whole["truth"]
    assert truth["gaia_dr3_source_id"].is_unique and truth["star_index"].is_unique
    assert set(truth["gaia_dr3_source_id"]) == set(whole["gaia"]["source_id"])
    names = set(truth["sage_id"]) | set(truth["sage_id_2"])
    assert set(whole["sages"]["SAGE_ID"]) == names - {""}
    assert set(whole["twomass"]["designation"]) == set(truth["tmass_id"]) - {""}
    assert set(whole["allwise"]["designation"]) == set(truth["allwise_id"]) - {""}
    primary = whole["galex"][whole["galex"]["grank"] >= 0]
    assert set(primary["objid"]) == set(truth["galex_objid"]) - {-1}
    blended = truth[truth["allwise_blend"]]
    assert blended.groupby("allwise_id").size().eq(2).all() and (blended["separation"] < 3).all()
    known = truth.set_index("gaia_dr3_source_id")
    pairs = truth[truth["neighbour_source_id"] >= 0]
    np.testing.assert_array_equal(known.loc[pairs["neighbour_source_id"], "neighbour_source_id"], pairs["gaia_dr3_source_id"])


def test_what_is_seen_follows_the_truth(whole):
    truth = whole["truth"].set_index("gaia_dr3_source_id")
    rows = whole["apogee"].dropna(subset=["TEFF", "FE_H"])
    true = truth.loc[rows["GAIAEDR3_SOURCE_ID"]]
    assert np.median(np.abs(rows["TEFF"].to_numpy() - true["teff"])) < 60
    assert np.median(np.abs(rows["FE_H"].to_numpy() - true["feh"])) < 0.06
    assert truth["is_member"].sum() == sum(d["members"] for d in layout.discs_of({"sky": {**_sky_of(whole), "n_sages": 600}}))


def _sky_of(whole):
    fields = [{"name": "north1", "ra": 140.0, "dec": 40.0}]
    return {"fields": fields, "clusters": sorted(set(whole["truth"].loc[whole["truth"]["is_member"], "component"])), "density": 2000}


def test_written_truth_is_marked_as_simulated(busy, tmp_path):
    from starlabels.io import read_meta

    simulate.run_simulate("ngc6934-000", busy, {"truth": tmp_path / "t.parquet"})
    assert read_meta(tmp_path / "t.parquet")["simulated"] is True
    frame = read_table(tmp_path / "t.parquet")
    assert frame["is_member"].sum() == 150 and (frame["field"] == "ngc6934").all() and frame["gaia_dr3_source_id"].dtype == np.int64


def test_files_of_the_whole_sky(busy, tmp_path):
    outputs = {
        "dust_ngp": tmp_path / "SFD_dust_4096_ngp.fits",
        "dust_sgp": tmp_path / "SFD_dust_4096_sgp.fits",
        "harris": tmp_path / "mwgc.dat",
    }
    simulate.run_simulate_sky_files(busy, outputs)
    assert all(path.stat().st_size > 1000 for path in outputs.values())


def test_unknown_shard_is_named(busy, tmp_path):
    with pytest.raises(InputError, match="north9-000"):
        simulate.run_simulate("north9-000", busy, _outputs(tmp_path))
