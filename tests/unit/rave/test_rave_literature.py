"""Lists of the literature: by id or position, one entry a star, the most recent paper, all spectra of a star."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.rave_survey_files import GAIA_0, configuration, ids

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.rave.literature import COLUMNS, run_literature

NAMES = ids(8)


def the_stars(folder, parts=2):
    """Eight spectra of six stars; 0 and 1, 2 and 3 are repeats; 7 has no Gaia id."""
    star = np.array([0, 0, 1, 1, 2, 3, 4, 5])
    frame = pd.DataFrame({
        "rave_obs_id": NAMES, "raveid": [f"J{k}" for k in star], "gaia_dr2_source_id": np.where(star == 5, -1, GAIA_0 + star),
        "ra": 359.9999 + 0.01 * star, "dec": -35.0 + 0.01 * star, "snr_rave": [30.0, 50.0, 40.0, 20.0, 60.0, np.nan, 45.0, 33.0],
    })  # fmt: skip
    frame["ra"] %= 360
    paths = []
    for k in range(parts):
        paths.append(folder / f"slice{k}.parquet")
        write_table(paths[-1], frame.iloc[k::parts])
    return frame, paths


def entry(name, ra, dec, gaia=-1, **values):
    return {"star_name": name, "ra": ra, "dec": dec, "gaia_dr2_source_id": gaia, **values}


def the_lists(folder, **lists):
    paths = {}
    for name, (reference, rows) in lists.items():
        paths[name] = folder / f"{name}.parquet"
        write_table(paths[name], pd.DataFrame(rows), meta={"reference": reference})
    return paths


def run(tmp_path, paths, lists):
    run_literature(paths, lists, configuration(), tmp_path / "l.parquet", tmp_path / "l.json")
    return read_table(tmp_path / "l.parquet"), read_json(tmp_path / "l.json")


def near(frame, k, arcsec):
    """A place so far north of spectrum k."""
    return float(frame["ra"][k]), float(frame["dec"][k]) + arcsec / 3600


def test_matches_by_id_and_position(tmp_path):
    frame, paths = the_stars(tmp_path)
    lists = the_lists(tmp_path, hr_reddy2003=("Reddy et al. 2003, MNRAS 340, 304", [
        entry("by id", 100.0, 10.0, GAIA_0 + 1, teff_hr=5000.0),            # of stars 2 and 3, position far off
        entry("near", *near(frame, 7, 0.9), teff_hr=5100.0),
        entry("too far", *near(frame, 5, 1.1), teff_hr=5200.0),
        entry("other id", *near(frame, 6, 0.1), GAIA_0 + 99, teff_hr=5300.0),
        entry("farther", *near(frame, 4, 0.8), teff_hr=5400.0),
        entry("nearer", *near(frame, 4, 0.2), teff_hr=5500.0),
        entry("across zero", (frame["ra"][0] + 0.5 / 3600) % 360, -35.0, teff_hr=5600.0),
    ]))  # fmt: skip
    table, record = run(tmp_path, paths, lists)
    assert list(table.columns) == list(COLUMNS)
    found = table.set_index("rave_obs_id")
    assert found["star_name"].to_dict() == {
        NAMES[0]: "across zero", NAMES[1]: "across zero", NAMES[2]: "by id", NAMES[3]: "by id", NAMES[4]: "nearer", NAMES[7]: "near",
    }  # fmt: skip
    assert found["best"].to_dict() == {NAMES[0]: False, NAMES[1]: True, NAMES[2]: True, NAMES[3]: False, NAMES[4]: True, NAMES[7]: True}
    assert np.isnan(found.loc[NAMES[2], "sep_arcsec"]) and abs(found.loc[NAMES[7], "sep_arcsec"] - 0.9) < 1e-3
    assert (table["year"] == 2003).all() and (table["kind"] == "hr").all() and (table["cluster"] == "").all()
    assert table["mg_fe_hr"].isna().all()
    assert record["hr_reddy2003"] == {"entries": 7, "stars": 4, "stars_by_id": 1, "stars_kept": 4, "spectra": 6}


def test_the_most_recent_paper_wins_and_clusters_stay(tmp_path):
    frame, paths = the_stars(tmp_path)
    here = near(frame, 4, 0.0)
    lists = the_lists(
        tmp_path,
        hr_bensby2014=("Bensby et al. 2014, A&A 562, A71", [entry("new", *here, feh_hr=-0.2)]),
        hr_valenti2005=("Valenti and Fischer 2005, ApJS 159, 141", [entry("old", *here, feh_hr=-0.1), entry("only", *near(frame, 6, 0.0))]),
        cl_47tuc=("Carretta et al. 2009, A&A 505, 139", [entry("member", *here, feh_hr=-0.7, cluster="47 Tuc")]),
    )
    table, record = run(tmp_path, paths, lists)
    assert table[["rave_obs_id", "kind", "cluster", "star_name", "year"]].to_numpy().tolist() == [
        [NAMES[4], "cluster", "47 Tuc", "member", 2009], [NAMES[4], "hr", "", "new", 2014], [NAMES[6], "hr", "", "only", 2005],
    ]  # fmt: skip
    assert record["hr_valenti2005"]["stars"] == 2 and record["hr_valenti2005"]["stars_kept"] == 1


def test_result_does_not_depend_on_slices_or_order(tmp_path):
    frame, _ = the_stars(tmp_path)
    rows = [entry("a", *near(frame, k, 0.3), teff_hr=5000.0 + k) for k in range(8)]
    lists = the_lists(tmp_path, hr_reddy2006=("Reddy et al. 2006", rows), hr_reddy2003=("Reddy et al. 2003", rows))
    results = []
    for parts, order in ((1, 1), (3, -1)):
        paths = the_stars(tmp_path, parts)[1]
        results.append(run(tmp_path, paths[::order], dict(list(lists.items())[::order]))[0])
    pd.testing.assert_frame_equal(*results)
    assert (results[0]["list"] == "hr_reddy2006").all() and len(results[0]) == 8


def test_no_list_or_no_match_gives_an_empty_table(tmp_path):
    _, paths = the_stars(tmp_path)
    assert len(run(tmp_path, paths, {})[0]) == 0
    table, record = run(tmp_path, paths, the_lists(tmp_path, hr_a2003=("A 2003", [entry("x", 10.0, 10.0)])))
    assert list(table.columns) == list(COLUMNS) and len(table) == 0 and record["hr_a2003"]["spectra"] == 0
    assert table["year"].dtype == np.int32 and table["best"].dtype == bool


def test_what_a_list_must_have(tmp_path):
    _, paths = the_stars(tmp_path)
    row = entry("x", 10.0, 10.0)
    for lists, text in (
        (the_lists(tmp_path, hr_a=("A, no date", [row])), "names no year"),
        (the_lists(tmp_path, list_a=("A 2003", [row])), "is no list of stars"),
        (the_lists(tmp_path, hr_b=("B 2003", [{"star_name": "x", "ra": 1.0}])), "column dec: is absent"),
    ):
        with pytest.raises(InputError, match=text):
            run(tmp_path, paths, lists)
