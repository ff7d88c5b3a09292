"""Real native rows of the archives go through the same entries of config/datasets.yaml as the simulated sky."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from paths import ROOT, SHARED

from starlabels import settings
from starlabels.catalogs import run_catalog
from starlabels.cells import cell_of, cell_of_gaia_id
from starlabels.errors import InputError
from starlabels.io import read_json, read_table

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="real data are not in this checkout")
DATASETS = settings.load_yaml(ROOT / "config" / "datasets.yaml")["datasets"]
CELLS = list(range(12))


def ingest(name, path, tmp_path, **changes):
    """All rows of a real file in canonical columns (without copies), and the flow."""
    if not path.exists():
        pytest.skip(f"real data are not in this checkout: {path.name}")
    spec = {**DATASETS[name], **changes} if name in DATASETS else changes
    outputs = {c: tmp_path / f"cell-{c}.parquet" for c in CELLS}
    run_catalog(name, [path], spec, CELLS, 1, 200.0, outputs, tmp_path / "selection.json")
    tables = [read_table(p) for p in outputs.values()]
    table = pd.concat([t[~t["in_margin"]] for t in tables], ignore_index=True)
    return table, {e["cut"]: e for e in read_json(tmp_path / "selection.json")}


def test_apogee_dr17(tmp_path):
    path = SHARED / "apogee-native" / "Montalban2021_X_APOGEE_DR17.fits"
    table, flow = ingest("apogee", path, tmp_path)
    native = fits.getdata(path, 1)
    bad = (native["ASPCAPFLAG"] >> 23) & 1
    assert len(native) == 95 and flow["STAR_BAD (ASPCAPFLAG bit 23)"]["dropped"] == bad.sum() == 1
    assert sorted(table["gaia_dr3_source_id"]) == sorted(native["GAIAEDR3_SOURCE_ID"][bad == 0].tolist())
    one = table.set_index("apogee_id").loc["2M19261694+3745527"]
    row = native[np.char.strip(native["APOGEE_ID"]) == "2M19261694+3745527"][0]
    assert one["gaia_dr3_source_id"] == 2052553983024456192 and one["teff_apogee"] == row["TEFF"] and one["feh_apogee"] == row["FE_H"]
    assert one["apogee_telescope"] == "apo25m" and one["snr_apogee"] == row["SNR"]
    assert table["feh_apogee"].notna().all() and (table["feh_apogee_flag"] == 0).all()


def test_apogee_dr16_has_other_ids_and_sentinels(tmp_path):
    path = SHARED / "apogee-native" / "apogee_sgr.fits"
    columns = {n: e for n, e in DATASETS["apogee"]["columns"].items() if n != "gaia_dr3_source_id"}
    columns["gaia_dr2_source_id"] = {"native": "GAIA_SOURCE_ID", "type": "int64", "missing": -1, "description": "DR2 id"}
    changes = {"columns": columns, "cell_by": "position", "epoch": 2000.0, "sort": ["apogee_id", "ra", "dec"], "drop": []}
    table, flow = ingest("apogee", path, tmp_path, **changes)
    native = fits.getdata(path, 1)
    assert len(table) == len(native) == 400
    assert np.isnan(table["teff_apogee"]).sum() == (~(native["TEFF"] > -999)).sum()
    assert flow["teff_apogee: sentinel"]["made_missing"] == (native["TEFF"] <= -999).sum()
    assert sorted(table["gaia_dr2_source_id"]) == sorted(native["GAIA_SOURCE_ID"].tolist())


@pytest.mark.parametrize("file, kind, rows", [("1712337806100O-result.ecsv", "ecsv", 5), ("1710099405832VAL-result.vot", "votable", 2)])
def test_gaia_dr3(file, kind, rows, tmp_path):
    path = SHARED / "gaia-native" / file
    table, _ = ingest("gaia", path, tmp_path, format=kind)
    assert len(table) == rows and set(table["ref_epoch"]) == {2016.0}
    native = Table.read(path, format="ascii.ecsv") if kind == "ecsv" else Table.read(path, use_names_over_ids=True)
    native = native.to_pandas().set_index("source_id" if "source_id" in native.colnames else "SOURCE_ID")
    assert sorted(table["gaia_dr3_source_id"]) == sorted(int(i) for i in native.index)
    for _, row in table.iterrows():
        real = native.loc[row["gaia_dr3_source_id"]]
        assert row["ra"] == real["ra"] and row["gaia_g"] == np.float32(real["phot_g_mean_mag"])
        photon = 1.0857362 * real["phot_g_mean_flux_error"] / real["phot_g_mean_flux"]
        assert row["gaia_g_err"] == pytest.approx(np.hypot(photon, 0.0027553202), rel=1e-5)
        assert row["parallax_over_err"] == pytest.approx(real["parallax_over_error"], rel=1e-5, nan_ok=True)
        assert row["pm"] == pytest.approx(real["pm"], rel=1e-5, nan_ok=True)


def test_gaia_ids_agree_with_their_positions(tmp_path):
    """A Gaia id names the HEALPix cell of its star, so the id that was read is the right one (all native columns, blanks between)."""
    path = SHARED / "clusters" / "gaiadr3-members" / "NGC_2682_sel_MS_members_Tarricq.txt.gz"
    table, _ = ingest("gaia", path, tmp_path, format="csv", format_options={"delimiter": " "})
    assert len(table) == 658 and table["gaia_g_err"].between(0.00275, 0.02).all()
    same = cell_of_gaia_id(table["gaia_dr3_source_id"], 4096) == cell_of(table["ra"], table["dec"], 4096)
    assert same.mean() > 0.99


def test_a_published_table_whose_ids_went_through_a_float(tmp_path):
    """All 11 010 ids of this real table are multiples of 512, the spacing of float64 there; Gaia's own are multiples of 128."""
    path = SHARED / "clusters" / "gaiadr3-members" / "NGC_5904_members.ecsv.gz"
    columns = {n: DATASETS["gaia"]["columns"][n] for n in ("gaia_dr3_source_id", "ra", "dec", "parallax")}
    with pytest.raises(InputError, match="column source_id: holds 11010 large ids .* went through a float and lost digits"):
        ingest("gaia", path, tmp_path, columns=columns, derive={})
    assert not list(tmp_path.iterdir())


def test_lamost_with_gaia_ids(tmp_path):
    path = SHARED / "lamost-gaiadr3-sample" / "gaia_lamost_larger_velocity_features.csv"
    table, _ = ingest("lamost", path, tmp_path, format="csv")
    native = pd.read_csv(path, dtype={"source_id": str})
    assert len(table) == len(native) == 1838
    assert sorted(table["gaia_dr3_source_id"].astype(str)) == sorted(native["source_id"])
    one = table[table["lamost_obsid"] == 173006105].iloc[0]
    assert one["gaia_dr3_source_id"] == 3089803084812330368 and one["teff_lamost"] == 5940.15 and one["feh_lamost"] == -0.439


def test_skymapper_as_the_analogue_of_sages(tmp_path):
    """u and v of the same kind of survey, as tab-separated text with empty fields."""
    columns = {
        "sage_id": {"native": "object_id", "type": "str", "description": "id"},
        "ra": {"native": "raj2000", "unit": "deg", "description": "ra"},
        "dec": {"native": "dej2000", "unit": "deg", "description": "dec"},
        "sages_u": {"native": "u_psf", "unit": "mag", "type": "float32", "description": "u"},
        "sages_u_err": {"native": "e_u_psf", "unit": "mag", "type": "float32", "description": "error"},
        "sages_u_flag": {"native": "u_flags", "type": "int32", "missing": -1, "optional": True, "description": "flag"},
        "sages_v": {"native": "v_psf", "unit": "mag", "type": "float32", "description": "v"},
        "sages_v_err": {"native": "e_v_psf", "unit": "mag", "type": "float32", "description": "error"},
        "epoch_mjd": {"native": "mean_epoch", "sentinel": 0.0, "keep": False, "description": "mean date"},
    }
    entry = {
        "description": "SkyMapper", "reference": "SkyMapper DR2", "format": "tsv", "cell_by": "position", "sort": ["sage_id"],
        "epoch": {"columns": ["epoch_mjd"], "scale": "mjd", "default": 2016.0}, "columns": columns,
        "blank": [{"text": "u without an error", "columns": ["sages_u"], "where": {"column": "sages_u_err", "missing": True}}],
    }  # fmt: skip
    for name in ("14hr_SM.tsv", "Antlia_SM.tsv"):
        path = SHARED / "skymapper-native" / name
        table, flow = ingest("skymapper", path, tmp_path, **entry)
        native = pd.read_csv(path, sep="\t", dtype={"object_id": str}).set_index("object_id")
        assert len(table) == len(native) == 2000
        for ours, theirs in (("sages_u", "u_psf"), ("sages_v", "v_psf")):
            expected = native.loc[table["sage_id"], theirs].to_numpy(np.float32)
            if ours == "sages_u":
                expected[native.loc[table["sage_id"], "e_u_psf"].isna()] = np.nan
            assert np.isfinite(expected).sum() > 90 and np.array_equal(table[ours], expected, equal_nan=True)
        assert table["ref_epoch"].between(2014, 2019).all()
        assert flow["epoch_mjd: sentinel"]["made_missing"] == (native["mean_epoch"] == 0).sum() > 0
        assert (table["sages_u_flag"] >= -1).all() and table["sages_u_flag"].dtype == np.int32


def test_aoki2013_from_its_cds_tables(tmp_path):
    path = SHARED / "vmp-highres" / "aoki2013" / "table4.dat"
    entry = DATASETS["vmp_aoki2013"]
    columns = {n: e for n, e in entry["columns"].items() if n not in ("ra", "dec")}
    columns["position"] = {"native": "SDSS2", "type": "str", "keep": False, "description": "name made of the position"}
    derive = {a: {"recipe": "position_name", "text": "position", "axis": a, "unit": "deg", "description": a} for a in ("ra", "dec")}
    options = {"readme": "ReadMe", "join": {"table": "table1.dat", "key": "Seq"}}
    table, _ = ingest("vmp_aoki2013", path, tmp_path, format="cds", format_options=options, columns=columns, derive=derive)
    assert len(table) == 137
    one = table.set_index("star_name").loc["2803-54368-459"]
    assert one["feh_vmp"] == -3.26 and one["teff_vmp"] == 6150.0 and one["vmp_ref"] == "Aoki et al. 2013"
    assert one["ra"] == pytest.approx(0.58279, abs=1e-5) and one["dec"] == pytest.approx(29.48106, abs=1e-5)
    assert table["feh_vmp"].between(-4.5, -1.5).all()


def test_yong2013_with_positions_in_six_columns(tmp_path):
    path = SHARED / "vmp-highres" / "yong2013" / "table1.dat"
    columns = {n: e for n, e in DATASETS["vmp_yong2013"]["columns"].items() if n not in ("ra", "dec")}
    parts = {"ra": ["RAh", "RAm", "RAs"], "dec": ["DEd", "DEm", "DEs"]}
    for name in [*parts["ra"], *parts["dec"]]:
        columns[name.lower()] = {"native": name, "keep": False, "description": "part of a position"}
    columns["sign"] = {"native": "DE-", "type": "str", "keep": False, "description": "sign"}
    derive = {n: {"recipe": "sexagesimal", "parts": [p.lower() for p in parts[n]], "description": n} for n in parts}
    derive["ra"] |= {"native_unit": "hourangle"}
    derive["dec"] |= {"native_unit": "deg", "sign": "sign"}
    entry = {"format": "cds", "format_options": {"readme": "ReadMe"}, "columns": columns, "derive": derive}
    table, _ = ingest("vmp_yong2013", path, tmp_path, **entry)
    lines = path.read_text().splitlines()
    assert len(table) == len(lines) == 47 and table["feh_vmp"].between(-6, -2).all()
    for line in lines[:20]:
        hours, degrees = [float(t) for t in line[17:27].split()], [float(t) for t in line[29:39].split()]
        row = table[table["star_name"] == line[:14].strip()].iloc[0]
        assert row["ra"] == pytest.approx(15 * (hours[0] + hours[1] / 60 + hours[2] / 3600), abs=1e-9)
        size = degrees[0] + degrees[1] / 60 + degrees[2] / 3600
        assert row["dec"] == pytest.approx(-size if line[28] == "-" else size, abs=1e-9)


def test_ezzeddine2020(tmp_path):
    path = SHARED / "vmp-highres" / "ezzeddine2020.txt"
    table, _ = ingest("vmp_ezzeddine2020", path, tmp_path, format="fixed_width", format_options={"two_line": True})
    assert len(table) == 141
    one = table.set_index("star_name").loc["2MASS J00101758-1735387"]
    assert (one["teff_vmp"], one["logg_vmp"], one["feh_vmp"], one["feh_vmp_err"]) == (5229, 2.75, -2.41, 0.12)      # the adopted ones
    assert one["ra"] == pytest.approx(2.573) and one["dec"] == pytest.approx(-17.594)


def test_jinabase(tmp_path):
    path = SHARED / "vmp-highres" / "JINAbase-yelland25.csv"
    table, flow = ingest("vmp_yong2013", path, tmp_path)
    native = pd.read_csv(path, low_memory=False)
    unplaced = (native["RA_deg"].isna() | native["DEC_deg"].isna()).sum()
    assert len(native) == 7917 and len(table) == 7917 - unplaced == flow["in a cell of this run"]["kept"]
    assert flow["position known"]["dropped"] == unplaced
    assert np.nanmin(table["feh_vmp"]) == native["M/H"].min()


def test_harris_catalogue(tmp_path):
    table, _ = ingest("harris", SHARED / "clusters" / "harris" / "mwgc.dat", tmp_path)
    assert len(table) == 157
    clusters = table.set_index("cluster")
    assert clusters.loc["NGC 6934", "feh"] == -1.47 and clusters.loc["NGC 7089", "feh"] == -1.65 and clusters.loc["NGC 104", "feh"] == -0.72
    m2 = clusters.loc["NGC 7089"]
    assert m2["other_name"] == "M 2" and m2["ra"] == pytest.approx(323.36258, abs=1e-4) and m2["dec"] == pytest.approx(-0.82325, abs=1e-4)
    assert (m2["distance"], m2["ebv"]) == (11.5, 0.06) and clusters.loc["Whiting 1", "dec"] == pytest.approx(-3.25278, abs=1e-4)
    assert clusters["feh"].isna().sum() == 5 and (clusters["feh_weight"] >= 0).all()


def test_green2020(tmp_path):
    path = SHARED / "green2020-photlabels" / "green2020_photlabels.csv.gz"
    table, _ = ingest("green2020", path, tmp_path)
    native = pd.read_csv(path)
    assert table["survey"].value_counts().to_dict() == {"lamost": 8964, "apogee": 570, "galah": 466}
    assert list(table["gaia_dr3_source_id"]) == list(range(1, 10001))
    assert np.allclose(table["wise_w1"], native["W1_ab"] - 2.699, equal_nan=True) and table["wise_w1"].notna().sum() == 2909
    assert np.allclose(table["wise_w2"], native["W2_ab"] - 3.339, equal_nan=True)
    assert np.array_equal(table["feh"], native["feh"]) and np.array_equal(table["gaia_bp_err"], native["e_BP"], equal_nan=True)


def test_splus_stripe82(tmp_path):
    path = SHARED / "splus-segue-stripe82" / "splus_segue_stripe82.csv"
    table, flow = ingest("splus", path, tmp_path)
    native = pd.read_csv(path).set_index("SPSPEC")
    assert len(table) == 5445 and (table["feh"] < -2).sum() == 367 and set(table["survey"]) == {"segue"}
    assert np.array_equal(table["splus_f395"], native.loc[table["segue_id"], "F395_cor"])
    assert flow["logg_err: sentinel"]["made_missing"] == 1 and table["logg_err"].isna().sum() == 1
