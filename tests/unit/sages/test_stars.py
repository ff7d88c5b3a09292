"""Matched stars of a cell: one sky in two cells gives what the sky gives at once; repeats, best neighbours, matched tables."""

import numpy as np
import pandas as pd
import pytest

from starlabels.astrometry import propagate
from starlabels.cells import cell_of, cell_of_gaia_id, other_cells_within
from starlabels.errors import InputError
from starlabels.flow import merge
from starlabels.io import read_json, read_table, write_table
from starlabels.sages.stars import run_matched_stars, run_stars, split_matched, take_rows

ID = "gaia_dr3_source_id"
NSIDE = 8
CFG = {
    "photometry": {"primary": "sages", "matched": None},
    "data_sets": [
        {"id": 1, "bands": ["sages_u", "sages_v", "gaia_g"]},
        {"id": 2, "bands": ["sages_u", "sages_v", "gaia_g", "tmass_j", "wise_w1", "galex_nuv"]},
    ],
    "crossmatch": {
        "radius_arcsec": {"sages": 1.0, "twomass": 1.0, "allwise": 1.0, "galex": 3.0}, "ambiguous_arcsec": 0.3, "propagate": True,
        "best_neighbour": {"twomass": "tmass_best_neighbour", "allwise": None},
    },
}
DATASETS = ("sages", "gaia", "twomass", "allwise", "galex", "tmass_best_neighbour")


def border():
    """A point on the border of two cells of one base pixel, halfway along its edge."""
    ra = np.arange(138.0, 145.0, 0.001)
    cell = cell_of(ra, np.full(len(ra), 40.0), NSIDE)
    return ra[np.flatnonzero(np.diff(cell))[0]], 40.0


def sky(n=900, seed=11):
    """Catalogues around a border: fast stars, close pairs, repeats, stars without motion, entry or counterpart."""
    rng = np.random.default_rng(seed)
    ra0, dec0 = border()
    half = 0.04
    ra = ra0 + rng.uniform(-half, half, n) / np.cos(np.radians(dec0))
    dec = dec0 + rng.uniform(-half, half, n)
    pair = np.arange(0, n // 5, 2)                                            # neighbours at 0.5 to 4 arcsec
    ra[pair + 1] = ra[pair] + rng.uniform(-2.5, 2.5, len(pair)) / 3600
    dec[pair + 1] = dec[pair] + rng.uniform(0.5, 2.5, len(pair)) / 3600
    pm, angle = np.where(rng.random(n) < 0.1, rng.uniform(100, 5000, n), 5.0), rng.uniform(0, 2 * np.pi, n)
    pm[pair + 1], angle[pair + 1] = pm[pair], angle[pair]
    source = ((cell_of(ra, dec, 4096) << 35) | np.arange(n)).astype(np.int64)
    gaia = pd.DataFrame({ID: source, "ra": ra, "dec": dec, "pmra": pm * np.sin(angle), "pmdec": pm * np.cos(angle)})
    gaia["ref_epoch"], gaia["parallax"], gaia["parallax_err"], gaia["pm"] = 2016.0, 1.0, 0.1, pm
    for c in ("parallax_over_err", "pmra_err", "pmdec_err", "ruwe"):
        gaia[c] = rng.random(n)
    gaia["gaia_g"], gaia["gaia_g_err"] = rng.uniform(12, 18, n).astype(np.float32), np.float32(0.01)
    gaia.loc[rng.random(n) < 0.02, ["pmra", "pmdec", "pm"]] = np.nan

    def seen(who, epoch, error):
        a, d = propagate(ra[who], dec[who], pm[who] * np.sin(angle[who]), pm[who] * np.cos(angle[who]), epoch - 2016.0)
        return a + rng.normal(0, error, len(who)) / 3600 / np.cos(np.radians(d)), d + rng.normal(0, error, len(who)) / 3600

    who = np.concatenate([np.flatnonzero(rng.random(n) < 0.9), rng.integers(0, n, 60)])
    epoch = rng.uniform(2015.8, 2019.5, len(who))
    mjd = 51544.5 + (epoch - 2000) * 365.25
    sages = pd.DataFrame({"sage_id": [f"S{k:05d}" for k in range(len(who))], "ref_epoch": epoch})
    sages["ra"], sages["dec"] = seen(who, epoch, 0.08)
    for b in ("u", "v"):
        lost = rng.random(len(who)) < 0.06
        sages[f"sages_{b}"] = np.where(lost, np.nan, rng.uniform(14, 19, len(who)))
        sages[f"sages_{b}_err"] = np.where(lost, np.nan, rng.uniform(0.01, 0.1, len(who)))
        sages[f"sages_{b}_flag"] = (rng.random(len(who)) < 0.03).astype(np.int32)
        sages[f"sages_{b}_mjd"] = np.where(lost, np.nan, mjd)
    files = {"gaia": gaia, "sages": sages}
    for name, key, band, dates, error in (
        ("twomass", "tmass_id", "tmass_j", (1997.5, 2001.2), 0.08), ("allwise", "allwise_id", "wise_w1", (2010.2, 2010.9), 0.1),
        ("galex", "galex_objid", "galex_nuv", (2007.5, 2007.5), 0.7),
    ):
        who = np.flatnonzero(rng.random(n) < 0.8)
        epoch = rng.uniform(*dates, len(who))
        frame = pd.DataFrame({"ref_epoch": epoch, band: rng.uniform(10, 15, len(who)), f"{band}_err": 0.02})
        frame["ra"], frame["dec"] = seen(who, epoch, error)
        frame[key] = np.arange(len(who)) if name == "galex" else [f"{name}{k:05d}" for k in range(len(who))]
        files[name] = frame
        if name == "twomass":
            listed = rng.random(len(who)) < 0.9
            files["tmass_best_neighbour"] = pd.DataFrame({ID: source[who], "tmass_id": frame[key], "angular_distance": 0.1})[listed]
    return files


def write_cells(files, cells, folder, nside=NSIDE, margin=200.0):
    """Cell files with margin copies, as the catalogue stage writes them."""
    paths = {}
    for name, frame in files.items():
        by_id = name in ("gaia", "tmass_best_neighbour")
        own = cell_of_gaia_id(frame[ID], nside) if by_id else cell_of(frame["ra"], frame["dec"], nside)
        index, other = np.empty(0, int), np.empty(0, int)
        if name != "tmass_best_neighbour" and nside > 1:
            index, other = other_cells_within(frame["ra"].to_numpy(), frame["dec"].to_numpy(), own, nside, margin)
        for cell in cells:
            part = [frame[own == cell].assign(in_margin=False), frame.iloc[index[other == cell]].assign(in_margin=True)]
            paths[cell, name] = folder / f"{name}-{nside}-{cell}.parquet"
            write_table(paths[cell, name], pd.concat(part, ignore_index=True), {"gaia_g": {"unit": "mag"}} if name == "gaia" else None)
    return {cell: {name: paths[cell, name] for name in files} for cell in cells}


def run(files, cells, folder, nside=NSIDE, cfg=CFG):
    inputs = write_cells(files, cells, folder, nside)
    stars, pairs, flows = [], [], []
    for cell in cells:
        out = [folder / f"{kind}-{nside}-{cell}" for kind in ("stars", "pairs", "flow")]
        run_stars(cell, inputs[cell], cfg, nside, *out)
        stars.append(read_table(out[0]))
        pairs.append(read_table(out[1]))
        flows.append(read_json(out[2]))
    flow = {name: merge([f[name] for f in flows]) for name in flows[0]}
    by = ["dataset", ID, "native_id"]
    return pd.concat(stars).sort_values(ID, ignore_index=True), pd.concat(pairs).sort_values(by, ignore_index=True), flow


@pytest.fixture(scope="module")
def two_cells(tmp_path_factory):
    files = sky()
    cells = sorted(set(cell_of_gaia_id(files["gaia"][ID], NSIDE).tolist()))
    assert len(cells) == 2
    folder = tmp_path_factory.mktemp("cells")
    base = int(cell_of_gaia_id(files["gaia"][ID].to_numpy()[:1], 1)[0])
    return files, run(files, cells, folder), run(files, [base], folder, nside=1)


def test_cells_together_are_the_whole_sky(two_cells):
    _, pieces, whole = two_cells
    for mine, theirs in zip(pieces[:2], whole[:2], strict=True):
        pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
    assert pieces[2] == whole[2]


def test_without_margins_pairs_would_be_lost(two_cells, tmp_path):
    """The test above means something: the same sky without margin copies loses pairs at the border."""
    files, (stars, pairs, _), _ = two_cells
    cells = sorted(set(cell_of_gaia_id(files["gaia"][ID], NSIDE).tolist()))
    inputs = write_cells(files, cells, tmp_path, margin=0.0)
    kept = 0
    for cell in cells:
        run_stars(cell, inputs[cell], CFG, NSIDE, tmp_path / "s", tmp_path / "p", tmp_path / "f")
        kept += len(read_table(tmp_path / "p"))
    assert kept < len(pairs)


def test_stars_and_flow(two_cells):
    files, (stars, pairs, flow), _ = two_cells
    assert stars[ID].is_unique and len(stars) > 600
    assert flow["sages"][0]["kept"] == len(files["sages"])
    assert flow["sages"][-1]["kept"] == len(stars) == flow["twomass"][0]["kept"]
    assert flow["sages"][-1]["dropped"] > 20                                        # repeats
    for name, column in (("twomass", "sep_twomass"), ("allwise", "sep_allwise"), ("galex", "sep_galex")):
        chosen = pairs[pairs["dataset"] == name]
        assert flow[name][-1]["kept"] == stars[column].notna().sum() == len(chosen)
        assert chosen["native_id"].is_unique and chosen[ID].is_unique                # nobody shares a source
    assert set(pairs.loc[pairs["dataset"] == "twomass", "link"]) == {"table", "position"}
    order = ["gaia_g", "gaia_g_err", "sages_u_flag", "sep_sages"]
    assert [c for c in stars.columns if c in order] == order
    assert stars["sages_u_flag"].dtype == np.int64 and stars[ID].dtype == np.int64


def test_repeats_keep_the_smaller_error_of_each_band(two_cells):
    files, (stars, pairs, _), _ = two_cells
    rows = pairs[pairs["dataset"] == "sages"].merge(files["sages"], left_on="native_id", right_on="sage_id")
    rows = rows.sort_values("sep_arcsec")
    for band in ("sages_u", "sages_v"):
        best = rows.dropna(subset=[band]).sort_values(f"{band}_err").drop_duplicates(ID).set_index(ID)
        mine = stars.set_index(ID)
        assert mine.loc[best.index, band].tolist() == best[band].tolist()
        assert mine.loc[best.index, f"{band}_mjd"].tolist() == best[f"{band}_mjd"].tolist()
        assert mine.drop(best.index)[band].isna().all()
        if band == "sages_u":
            assert mine.loc[best.index, "sage_id"].tolist() == best["sage_id"].tolist()
            assert mine.loc[best.index, "ra"].tolist() == best["ra"].tolist()
    many = rows[ID].value_counts()
    assert (many > 1).sum() > 20


def test_a_listed_source_that_is_nearer_to_another_star_is_not_shared(tmp_path):
    """Two Gaia sources 1 arcsec apart name the same 2MASS source: the nearer one has it; the other gets nothing."""
    ra0, dec0 = border()
    ra0 -= 0.02
    ids = np.array([(int(cell_of([ra0], [dec0], 4096)[0]) << 35) | k for k in (1, 2)], np.int64)
    gaia = sky(10)["gaia"].iloc[:2].assign(**{ID: ids, "ra": ra0, "dec": [dec0, dec0 + 1 / 3600], "pmra": 0.0, "pmdec": 0.0})
    sages = sky(10)["sages"].iloc[:2].assign(ra=ra0, dec=gaia["dec"].to_numpy(), sages_u=15.0, sages_u_err=0.01)
    twomass = pd.DataFrame({"tmass_id": ["a"], "ra": ra0, "dec": dec0 + 0.1 / 3600, "ref_epoch": 2000.0, "tmass_j": 12.0})
    twomass["tmass_j_err"] = 0.02
    table = pd.DataFrame({ID: ids, "tmass_id": ["a", "a"], "angular_distance": [0.1, 0.9]})
    none = {"allwise": sky(10)["allwise"].iloc[:0], "galex": sky(10)["galex"].iloc[:0]}
    cell = int(cell_of_gaia_id(ids, NSIDE)[0])
    files = {"gaia": gaia, "sages": sages, "twomass": twomass, "tmass_best_neighbour": table, **none}
    stars, _, flow = run(files, [cell], tmp_path)
    assert len(stars) == 2
    assert stars["tmass_j"].tolist()[0] == 12.0 and np.isnan(stars["tmass_j"].tolist()[1])
    assert stars["sep_twomass"].tolist()[0] == pytest.approx(0.1, abs=1e-6)
    assert flow["twomass"][-1]["dropped"] == 1


def test_an_empty_cell_has_the_same_columns_and_types(two_cells, tmp_path):
    files, (stars, pairs, flow), _ = two_cells
    empty = {name: frame.iloc[:0] for name, frame in files.items()}
    none, no_pairs, no_flow = run(empty, [0], tmp_path)
    assert none.dtypes.to_dict() == stars.dtypes.to_dict() and list(none) == list(stars)
    assert no_pairs.dtypes.to_dict() == pairs.dtypes.to_dict()
    assert [e["cut"] for e in no_flow["twomass"]] == [e["cut"] for e in flow["twomass"]]


def test_bad_input(two_cells, tmp_path):
    files, _, _ = two_cells
    cell = int(cell_of_gaia_id(files["gaia"][ID].to_numpy()[:1], NSIDE)[0])
    inputs = write_cells(files, [cell], tmp_path)[cell]
    out = [tmp_path / c for c in "abc"]
    with pytest.raises(InputError, match="input galex"):
        run_stars(cell, {k: v for k, v in inputs.items() if k != "galex"}, CFG, NSIDE, *out)
    with pytest.raises(InputError, match="does not belong to cell 00007"):
        run_stars(7, inputs, CFG, NSIDE, *out)
    with pytest.raises(InputError, match="band foo_x"):
        run_stars(cell, inputs, CFG | {"data_sets": [{"id": 1, "bands": ["sages_u", "foo_x"]}]}, NSIDE, *out)
    broken = tmp_path / "broken.parquet"
    write_table(broken, read_table(inputs["sages"]).drop(columns="sages_v_err"))
    with pytest.raises(InputError, match=r"broken.parquet, column sages_v_err"):
        run_stars(cell, inputs | {"sages": broken}, CFG, NSIDE, *out)
    assert not any(p.exists() for p in out)


def test_take_rows(tmp_path):
    write_table(tmp_path / "t", pd.DataFrame({"a": np.arange(500_000), "b": np.arange(500_000) * 2.0}))
    index = np.array([499_999, 3, 200_000, 3, 0])
    assert take_rows(tmp_path / "t", ["b"], index)["b"].tolist() == (index * 2.0).tolist()
    assert take_rows(tmp_path / "t", ["b"], np.empty(0, int)).shape == (0, 1)


MATCHED = {"photometry": {"primary": "mine", "matched": "mine"}, "data_sets": [{"id": 1, "bands": ["gaia_g", "tmass_j"]}]}


def matched_table():
    return pd.DataFrame({
        "gaia_g": [12.0, 13.0, 14.0], "gaia_g_err": 0.02, "tmass_j": [11.0, 12.0, np.nan], "parallax": [1.0, 2.0, 3.0], "parallax_err": 0.5,
        "teff": [5000.0, 5500.0, 6000.0], "feh": [0.1, np.nan, -1.0], "survey": ["lamost", "apogee", "lamost"], "in_margin": False,
    })


def test_matched_table(tmp_path):
    write_table(tmp_path / "m", matched_table())
    run_matched_stars(tmp_path / "m", MATCHED, tmp_path / "stars", tmp_path / "labels", tmp_path / "flow")
    stars, labels = read_table(tmp_path / "stars"), read_table(tmp_path / "labels")
    assert stars[ID].tolist() == [1, 2, 3]
    assert stars["parallax_over_err"].tolist() == [2.0, 4.0, 6.0]
    assert "teff" not in stars and "survey" not in stars
    assert labels["survey"].tolist() == ["lamost", "apogee", "lamost"]
    assert list(labels) == [ID, "survey", "teff", "teff_err", "logg", "logg_err", "feh", "feh_err", "snr", "sep", "reference"]
    assert read_json(tmp_path / "flow")["lamost"][0]["kept"] == 2


def test_matched_table_with_two_surveys_of_a_star():
    table = matched_table().assign(**{ID: np.array([7, 5, 7])})
    stars, labels = split_matched(table, MATCHED, "mine")
    assert stars[ID].tolist() == [5, 7] and labels[ID].tolist() == [5, 7, 7]


@pytest.mark.parametrize(("drop", "text"), [("tmass_j", "column tmass_j"), ("survey", "column survey")])
def test_matched_table_without_a_column(drop, text):
    with pytest.raises(InputError, match=text):
        split_matched(matched_table().drop(columns=drop), MATCHED, "mine")
    with pytest.raises(InputError, match="columns teff, logg, feh"):
        split_matched(matched_table().drop(columns=["teff", "feh"]), MATCHED, "mine")
