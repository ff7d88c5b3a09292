"""The final catalogue: Table 3's columns, sentinels, headers, and that other programs read it."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table

from starlabels.errors import InputError
from starlabels.fits_stream import FitsColumn, FitsTableWriter
from starlabels.io import read_meta, read_table, write_table
from starlabels.sages.catalog import run_catalog_product

# astropy remarks on the paper's column name "[Fe/H]" whenever it reads the file
pytestmark = pytest.mark.filterwarnings("ignore:It is strongly recommended that column names")
TABLE3 = (
    "RA DEC Teff logg [Fe/H] ebv_sfd u v u_err v_err G Bp Rp G_err Bp_err Rp_err J H K J_err H_err K_err W1 W2 W1_err W2_err NUV NUV_err "
    "parallax err_parallax pm pmra pmdec err_pmra err_pmdec type"
).split()
BANDS = "sages_u sages_v gaia_g gaia_bp gaia_rp tmass_j tmass_h tmass_ks wise_w1 wise_w2 galex_nuv".split()


@pytest.fixture(scope="module")
def cfg(request):
    root = request.config.rootpath
    return yaml.safe_load((root / "config/sages.yaml").read_text())["sages"]


def predictions(n, seed=0, first=0):
    """Predicted stars; every other one has no infrared, the third of each ten is redder than the limit."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({b: rng.uniform(12, 18, n) for b in BANDS} | {f"{b}_err": rng.uniform(0, 0.1, n) for b in BANDS})
    frame.loc[frame.index % 2 == 0, ["tmass_j", "tmass_j_err", "galex_nuv"]] = np.nan
    number = np.arange(first, first + n)
    frame["gaia_dr3_source_id"] = 5_000_000_000_000_000_001 + number
    frame["sage_id"] = pd.array([f"SAGE{'x' * (k % 5)}{k}" for k in number], dtype="str")
    for column, low, high in (("ra", 0, 360), ("dec", -5, 80), ("teff", 4000, 7000), ("logg", 1, 5), ("feh", -3, 0.5), ("ebv_sfd", 0, 0.4),
                              ("parallax", 0.1, 5), ("pm", 0, 20), ("pmra", -9, 9), ("pmdec", -9, 9)):
        frame[column] = rng.uniform(low, high, n)
    for column in ("teff_err", "logg_err", "feh_err", "parallax_err", "pmra_err", "pmdec_err"):
        frame[column] = rng.uniform(0.01, 0.5, n)
    frame["star_class"] = pd.array(np.where(number % 7 == 0, "giant", "dwarf"), dtype="str")
    frame["out_of_domain"], frame["cool_mask"] = number % 11 == 0, number % 10 == 3
    return frame


@pytest.fixture
def product(cfg, tmp_path):
    parts = [predictions(60), predictions(0, 1), predictions(41, 2, 60)]
    paths = [tmp_path / f"cell-0000{k}.parquet" for k in range(3)]
    for path, part in zip(paths, parts, strict=True):
        write_table(path, part)
    out = tmp_path / "sages_set1.fits", tmp_path / "sages_set1.parquet"
    summary = run_catalog_product(paths, cfg, 1, *out, simulated=True)
    return pd.concat(parts, ignore_index=True), paths, *out, summary


def test_columns_are_those_of_table_3_and_then_ours(product):
    _, _, path, parquet, summary = product
    names = Table.read(path).colnames
    assert names[:len(TABLE3)] == TABLE3
    assert names[len(TABLE3):] == ["gaia_dr3_source_id", "sage_id", "Teff_err", "logg_err", "[Fe/H]_err", "out_of_domain", "cool_mask"]
    assert list(read_table(parquet).columns) == names == summary["columns"]


def test_values_survive_and_sentinels_stand_where_they_should(product):
    frame, _, path, parquet, summary = product
    with fits.open(path) as hdus:
        hdus.verify("exception")
        data = hdus[1].data
        assert len(data) == len(frame) == summary["rows"]
        assert np.array_equal(data["gaia_dr3_source_id"], frame["gaia_dr3_source_id"])       # 19 digits, no float on the way
        assert np.array_equal(data["RA"], frame["ra"]) and data["sage_id"].tolist() == frame["sage_id"].tolist()
        mask = frame["cool_mask"].to_numpy()
        for column in ("Teff", "logg", "[Fe/H]", "Teff_err", "logg_err", "[Fe/H]_err"):
            assert (data[column][mask] == -9999).all() and (data[column][~mask] != -9999).all()
        assert np.allclose(data["Teff"][~mask], frame["teff"][~mask], rtol=1e-6)
        missing = frame["tmass_j"].isna().to_numpy()
        assert (data["J"][missing] == -9999).all() and np.allclose(data["J"][~missing], frame["tmass_j"][~missing], rtol=1e-6)
        assert np.array_equal(data["type"], (frame["star_class"] == "dwarf").astype(int))
        assert np.array_equal(data["cool_mask"], mask) and np.array_equal(data["out_of_domain"], frame["out_of_domain"])
        assert np.isfinite(data["K"]).all()
    other = read_table(parquet)
    table = Table.read(path)
    table.convert_bytestring_to_unicode()
    for name in other.columns:
        assert np.array_equal(np.asarray(table[name]).astype(other[name].to_numpy().dtype), other[name].to_numpy()), name


def test_headers_carry_units_descriptions_and_the_origin(product):
    frame, _, path, parquet, _ = product
    with fits.open(path) as hdus:
        header = hdus[1].header
    units = {header[f"TTYPE{k}"]: header.get(f"TUNIT{k}") for k in range(1, header["TFIELDS"] + 1)}
    assert (units["RA"], units["Teff"], units["u"], units["parallax"], units["pmra"]) == ("deg", "K", "mag", "mas", "mas/yr")
    assert all(header[f"TCOMM{k}"] for k in range(1, header["TFIELDS"] + 1))
    assert header["SIMUL"] is True and header["SKY"] == "simulated sky" and header["MISSING"] == -9999 and header["DATASET"] == 1
    assert header["NDWARF"] == (frame["star_class"] == "dwarf").sum() and header["NMASKED"] == frame["cool_mask"].sum()
    assert "DATE" not in header
    meta = read_meta(parquet)
    assert meta["sky"] == "simulated sky" and meta["columns"]["Teff"] == {
        "unit": "K", "description": "Effective temperature (-9999: unreliable)", "source": "teff"}


def test_real_stars_are_not_called_simulated(cfg, tmp_path):
    write_table(tmp_path / "cell-0.parquet", predictions(5))
    run_catalog_product([tmp_path / "cell-0.parquet"], cfg, 1, tmp_path / "c.fits", tmp_path / "c.parquet", simulated=False)
    header = fits.getheader(tmp_path / "c.fits", 1)
    assert header["SIMUL"] is False and header["SKY"] == "observed" and "COMMENT" not in header


def test_same_bytes_every_time(product, cfg, tmp_path):
    _, paths, first, parquet, _ = product
    run_catalog_product(paths, cfg, 1, tmp_path / "again.fits", tmp_path / "again.parquet", simulated=True)
    assert (tmp_path / "again.fits").read_bytes() == first.read_bytes()
    assert (tmp_path / "again.parquet").read_bytes() == parquet.read_bytes()


def test_columns_that_the_input_lacks_are_left_out(cfg, tmp_path):
    frame = predictions(6).drop(columns=["ra", "dec", "sage_id", "sages_u", "sages_u_err"]).assign(splus_f395=17.0, splus_f395_err=0.01)
    bands = {**cfg["bands"], "splus_f395": {"tag": "f395"}}
    write_table(tmp_path / "cell-0.parquet", frame)
    out = run_catalog_product([tmp_path / "cell-0.parquet"], {**cfg, "bands": bands}, 1, tmp_path / "c.fits", tmp_path / "c.parquet", False)
    assert out["columns"][:4] == ["Teff", "logg", "[Fe/H]", "ebv_sfd"] and "RA" not in out["columns"] and "u" not in out["columns"]
    assert out["columns"][-2:] == ["splus_f395", "splus_f395_err"]


def test_a_table_without_ids_gets_no_gaia_ids(cfg, tmp_path):
    frame = predictions(6).drop(columns="sage_id").assign(gaia_dr3_source_id=np.arange(1, 7))
    number = {"description": "Running number, not an id of any archive"}
    described = {"gaia_dr3_source_id": number, "ra": {"description": "Right ascension of S-PLUS"}}
    write_table(tmp_path / "cell-0.parquet", frame, described)
    out = run_catalog_product([tmp_path / "cell-0.parquet"], cfg, 1, tmp_path / "c.fits", tmp_path / "c.parquet", False)
    assert "star_number" in out["columns"] and "gaia_dr3_source_id" not in out["columns"]
    header = fits.getheader(tmp_path / "c.fits", 1)
    assert header["TCOMM1"] == "Right ascension of S-PLUS" and header["TCOMM3"].startswith("Effective temperature")


def test_no_star_at_all_still_makes_readable_files(cfg, tmp_path):
    write_table(tmp_path / "cell-0.parquet", predictions(0))
    out = run_catalog_product([tmp_path / "cell-0.parquet"], cfg, 2, tmp_path / "c.fits", tmp_path / "c.parquet", True)
    assert out["rows"] == 0 and len(Table.read(tmp_path / "c.fits")) == 0 and len(read_table(tmp_path / "c.parquet")) == 0
    assert Table.read(tmp_path / "c.fits").colnames == list(read_table(tmp_path / "c.parquet").columns)


def test_pieces_with_other_columns_are_refused_and_leave_nothing(product, cfg, tmp_path):
    _, paths, *_ = product
    write_table(tmp_path / "cell-9.parquet", predictions(3).drop(columns="feh"))
    with pytest.raises(InputError, match="cell-9.parquet, column feh"):
        run_catalog_product([*paths, tmp_path / "cell-9.parquet"], cfg, 1, tmp_path / "bad.fits", tmp_path / "bad.parquet", True)
    assert not [p for p in tmp_path.iterdir() if "bad" in p.name]


def test_missing_prediction_file_is_named(cfg, tmp_path):
    with pytest.raises(InputError, match="nowhere.parquet"):
        run_catalog_product([tmp_path / "nowhere.parquet"], cfg, 1, tmp_path / "c.fits", tmp_path / "c.parquet", True)


def test_wrong_number_of_rows_leaves_no_file(tmp_path):
    columns = [FitsColumn("a", "f8"), FitsColumn("t", "S3")]
    with pytest.raises(InputError, match="got 2 rows instead of 3"), FitsTableWriter(tmp_path / "x.fits", columns, 3) as table:
        table.write({"a": np.zeros(2), "t": np.array(["a", "bc"])})
    with pytest.raises(InputError, match="text of 4 bytes"), FitsTableWriter(tmp_path / "x.fits", columns, 1) as table:
        table.write({"a": np.zeros(1), "t": np.array(["abcd"])})
    with pytest.raises(InputError, match="not ASCII"), FitsTableWriter(tmp_path / "x.fits", columns, 1) as table:
        table.write({"a": np.zeros(1), "t": np.array(["\u03b1"])})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed (Debian package stilts)")
def test_stilts_reads_the_catalogue(product):
    frame, _, path, _, summary = product
    count = subprocess.run(["stilts", "tpipe", f"in={path}", "omode=count"], capture_output=True, text=True, check=True).stdout
    assert f"rows: {len(frame)}" in count and f"columns: {len(summary['columns'])}" in count
    meta = subprocess.run(["stilts", "tpipe", f"in={path}", "omode=meta"], capture_output=True, text=True, check=True).stdout
    assert "[Fe/H]" in meta and "mas/yr" in meta and "Effective temperature" in meta
