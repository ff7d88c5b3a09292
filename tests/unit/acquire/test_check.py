"""A look at sources that are right, renamed, wrong, strange or dead: each state, from real files and answers of a local server."""

import copy
import gzip
import io
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from unit.acquire.sources_server import closed_port, running

from starlabels.acquire import check, check_page, compare, peek
from starlabels.settings import load_yaml

COLUMNS = {
    "source_id": {"native": ["source_id", "Source"], "type": "int64", "description": "id", "trust": "S"},
    "ra": {"native": ["ra", "RA_ICRS"], "unit": "deg", "description": "RA", "trust": "S"},
    "dec": {"native": ["dec", "DE_ICRS"], "unit": "deg", "description": "Dec", "trust": "S"},
    "plx": {"native": ["parallax", "Plx"], "unit": "mas", "description": "parallax", "trust": "M"},
    "ruwe": {"native": "ruwe", "optional": True, "description": "RUWE", "trust": "U"},
}
SPEC = {"description": "made up", "reference": "", "source": {"address": "", "rows": 4000, "trust": "S"}, "format": "csv", "files": [],
        "cell_by": "none", "columns": COLUMNS}  # fmt: skip
ROWS = 4000


def spec(form="csv", **changes):
    return {**copy.deepcopy(SPEC), "format": form, **changes}


def table(**renamed):
    ids = 1_700_000_000_000_000_001 + np.arange(ROWS, dtype=np.int64)
    made = {"source_id": ids, "ra": np.linspace(0, 359, ROWS), "dec": np.linspace(-80, 80, ROWS), "parallax": np.full(ROWS, 2.5),
            "ruwe": np.ones(ROWS), "more": np.zeros((ROWS,))}  # fmt: skip
    return pd.DataFrame({renamed.get(name, name): values for name, values in made.items() if renamed.get(name, name)})


def csv_bytes(frame):
    return frame.to_csv(index=False).encode()


def fits_bytes(frame, units, ahead=True):
    made = Table.from_pandas(frame)
    for name, unit in units.items():
        made[name].unit = unit
    stream = io.BytesIO()
    image = [fits.ImageHDU(np.zeros((10, 11), "i2"))] if ahead else []
    fits.HDUList([fits.PrimaryHDU(), *image, fits.BinTableHDU(made)]).writeto(stream)
    return stream.getvalue()


def parquet_bytes(frame, units):
    made = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [f.with_metadata({"unit": units[f.name]}) if f.name in units else f for f in made.schema]
    stream = io.BytesIO()
    pq.write_table(made.cast(pa.schema(fields)), stream, row_group_size=500)
    return stream.getvalue()


def look(server, path, entry=None, **options):
    road = {"bulk": {"urls": [server.address + path]}}
    return check.examine("stars", entry or spec(), road, 5.0, **options)


UNITS = {"ra": "deg", "dec": "deg", "parallax": "mas"}
FILES = {
    "csv": lambda f: csv_bytes(f), "csv.gz": lambda f: gzip.compress(csv_bytes(f)),
    "fits": lambda f: fits_bytes(f, UNITS), "fits.gz": lambda f: gzip.compress(fits_bytes(f, UNITS)),
    "parquet": lambda f: parquet_bytes(f, UNITS),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_a_file_as_stated_is_ok_from_its_first_bytes(kind, monkeypatch):
    content = FILES[kind](table())
    monkeypatch.setattr(peek, "START", 30_000)
    monkeypatch.setattr(check.start_of, "__defaults__", (30_000,))
    assert len(content) > 30_000
    with running({"/t": content}) as server:
        found = look(server, "/t", spec(kind.partition(".")[0]))
        ranges = [r for _, r in server.asked]
    assert (found.state, found.details, found.absent) == ("ok", [], [])
    assert found.bytes == len(content) and found.version == '"v1"' and found.date.startswith("Mon, 02 Mar 2026")
    assert found.rows == (ROWS if kind[:3] in ("fit", "par") else None)
    assert ranges[0] == "bytes=0-29999" and found.columns == 5


@pytest.mark.parametrize("kind", FILES)
def test_renamed_missing_and_absent_columns(kind):
    with running({"/t": FILES[kind](table().rename(columns={"parallax": "Plx"}) if kind[:3] == "csv" else table())}) as server:
        if kind[:3] == "csv":
            found = look(server, "/t", spec())
            assert [(d.column, d.state, d.text) for d in found.details] == [("plx", "renamed", "renamed: expected parallax, found Plx")]
            assert found.state == "renamed" and not found.defect
        entry = spec(kind.partition(".")[0])
        entry["columns"]["teff"] = {"native": ["paralax_"], "unit": "K", "description": "absent"}
        entry["columns"]["logg"] = {"native": ["logg"], "optional": True, "description": "absent, but optional"}
        found = look(server, "/t", entry)
    missing = [d for d in found.details if d.state == "missing"]
    assert [d.column for d in missing] == ["teff"] and found.absent == ["logg"] and found.defect and found.state == "missing"
    assert "paralax_" in missing[0].text and ("parallax" in missing[0].text or "Plx" in missing[0].text)


def test_other_units_are_converted_and_strange_ones_are_defects():
    other, strange = {**UNITS, "parallax": "arcsec"}, {**UNITS, "ra": "mag"}
    with running({"/arcsec": fits_bytes(table(), other), "/wrong": fits_bytes(table(), strange)}) as server:
        found = look(server, "/arcsec", spec("fits"))
        wrong = look(server, "/wrong", spec("fits"))
    assert [(d.column, d.state) for d in found.details] == [("plx", "units")] and not found.defect
    assert "arcsec" in found.details[0].text and "x 1000" in found.details[0].text
    assert [(d.column, d.state) for d in wrong.details] == [("ra", "unit wrong")] and wrong.defect


def test_the_stated_native_unit_is_what_is_expected():
    entry = spec("fits")
    entry["columns"]["plx"]["native_unit"] = "arcsec"
    with running({"/t": fits_bytes(table(), {**UNITS, "parallax": "arcsec"}), "/mas": fits_bytes(table(), UNITS)}) as server:
        assert look(server, "/t", entry).state == "ok"
        assert [d.state for d in look(server, "/mas", entry).details] == ["units"]


def test_values_that_the_run_would_refuse_are_seen_in_the_first_rows():
    broken = csv_bytes(table()).replace(b"1700000000000000001", b"1.7e18", 1)
    with running({"/t": broken}) as server:
        found = look(server, "/t")
    assert found.state == "unreadable" and found.defect
    assert "digits" in found.details[0].text and "sample" not in found.details[0].text and "/tmp" not in found.details[0].text


def test_another_number_of_rows_is_told_but_about_is_about():
    entry = spec("parquet")
    entry["source"]["rows"] = 4100
    with running({"/t": parquet_bytes(table(), UNITS)}) as server:
        found = look(server, "/t", entry)
        assert [d.state for d in found.details] == ["rows"] and "4000 rows" in found.details[0].text and not found.defect
        several = check.examine("stars", entry, {"bulk": {"base": [server.address + "/"], "names": ["t", "u"]}}, 5.0)
        assert several.state == "ok" and several.files == 2 and several.rows is None


def test_a_stated_size_is_held_against_the_servers():
    with running({"/t": csv_bytes(table())}) as server:
        found = check.examine("stars", spec(), {"bulk": {"urls": [f"{server.address}/t"], "bytes": 17}}, 5.0)
    assert found.defect and "where 17 are stated" in found.details[0].text


def test_a_dead_mirror_gives_way_to_the_next():
    with running({"/t": csv_bytes(table())}) as server:
        road = {"bulk": {"urls": [f"{server.address}/gone", f"{server.address}/t"]}}
        found = check.examine("stars", spec(), road, 5.0)
    assert found.state == "ok" and found.address.endswith("/t")


def test_a_road_from_memory_is_unverified_until_it_was_seen():
    with running({"/t": csv_bytes(table())}) as server:
        roads = [{"bulk": {"urls": [server.address + path]}, "trust": "U"} for path in ("/t", "/gone")]
        good, gone = (check.examine("stars", spec(), road, 5.0) for road in roads)
    assert good.unsure == [] and gone.unsure == ["the road itself", "plx", "ruwe"]


@pytest.mark.parametrize(
    ("path", "said"), [("/gone", "HTTP 404"), ("/private", "credentials"), ("/broken", "HTTP 503"), ("/page.fits", "HTML page")]
)
def test_what_does_not_come_is_unreachable_with_its_reason(path, said):
    with running() as server:
        found = look(server, path)
    assert found.state == "unreachable" and said in found.details[0].text and found.unsure == ["plx", "ruwe"]


def test_a_server_without_ranges_is_read_from_its_start():
    with running({"/whole/t": csv_bytes(table()), "/whole/p": parquet_bytes(table(), UNITS)}) as server:
        assert look(server, "/whole/t").state == "ok"
        found = look(server, "/whole/p", spec("parquet"))
    assert found.state in ("unreachable", "unreadable") and "parts of a file" in found.details[0].text


def test_a_format_that_shows_nothing_in_its_beginning_is_unverified(monkeypatch):
    monkeypatch.setattr(check.start_of, "__defaults__", (100,))
    with running({"/t": b"x" * 5000}) as server:
        found = look(server, "/t", spec("votable"))
    assert found.state == "unverified" and "plx, ruwe" in found.details[0].text and found.unsure == ["plx", "ruwe"]


def test_a_short_header_of_fits_is_unverified(monkeypatch):
    monkeypatch.setattr(check.start_of, "__defaults__", (4000,))
    with running({"/t": fits_bytes(table(), UNITS)}) as server:
        assert look(server, "/t", spec("fits")).state == "unverified"


GAIA = {"source_id": ("long", ""), "ra": ("double", "deg"), "dec": ("double", "deg"), "parallax": ("double", "mas"), "ruwe": ("float", "")}
RECORDS = [(1_700_000_000_000_000_001 + k, 10.0 + k, 20.0, 1.5, 1.0) for k in range(5)]


def tap(server, table="gaiadr3.gaia_source", **more):
    return {"tap": {"service": f"{server.address}/tap", "table": table, **more}}


def test_a_table_of_a_tap_service():
    with running(tables={"gaiadr3.gaia_source": (GAIA, RECORDS)}, counts={"gaiadr3.gaia_source": 4000}) as server:
        found = check.examine("gaia", spec("parquet"), tap(server), 5.0)
        asked = [a[1] for a in server.asked]
    assert (found.state, found.details, found.rows) == ("ok", [], 4000)
    assert any("TAP_SCHEMA.columns" in query for query in asked)
    assert "SELECT TOP 3 source_id, ra, dec, parallax, ruwe FROM gaiadr3.gaia_source" in asked


def test_a_table_under_vizier_names_with_other_units():
    viz = {"Source": ("long", ""), "RA_ICRS": ("double", "deg"), "DE_ICRS": ("double", "deg"), "Plx": ("double", "arcsec")}
    with running(tables={"I/355/gaiadr3": (viz, [r[:4] for r in RECORDS])}) as server:
        found = check.examine("gaia", spec("parquet", source={}), tap(server, "I/355/gaiadr3"), 5.0)
        asked = [a[1] for a in server.asked]
    assert {d.column: d.state for d in found.details if d.state == "renamed"} == dict.fromkeys(("source_id", "ra", "dec", "plx"), "renamed")
    assert [d.column for d in found.details if d.state == "units"] == ["plx"] and found.absent == ["ruwe"]
    assert any('FROM "I/355/gaiadr3"' in q for q in asked) and not any("COUNT" in q for q in asked)


def test_a_table_that_is_not_there_and_a_column_that_is_not_there():
    with running(tables={"gaiadr3.gaia_source": ({k: GAIA[k] for k in ("source_id", "ra", "dec")}, [r[:3] for r in RECORDS])}) as server:
        none = check.examine("gaia", spec("parquet"), tap(server, "gaiadr3.nothing"), 5.0)
        found = check.examine("gaia", spec("parquet"), tap(server), 5.0)
    assert none.defect and "gaiadr3.nothing" in none.details[0].text
    assert found.state == "missing" and [d.column for d in found.details if d.state == "missing"] == ["plx"]


def test_the_token_comes_from_the_environment_alone(monkeypatch):
    with running(tables={"ravedr6.dr6_obsdata": (GAIA, RECORDS)}) as server:
        road = tap(server, "ravedr6.dr6_obsdata", token="MADE_UP_TOKEN", language="PostgreSQL")
        monkeypatch.delenv("MADE_UP_TOKEN", raising=False)
        without = check.examine("rave", spec("parquet"), road, 5.0)
        monkeypatch.setenv("MADE_UP_TOKEN", "s3cret")
        found = check.examine("rave", spec("parquet"), road, 5.0)
        asked = [a for a in server.asked if "LIMIT 3" in a[1]]
    assert not without.defect and found.state in ("ok", "rows")
    assert asked[0][3] != "Token s3cret" and asked[-1][2:] == ("PostgreSQL", "Token s3cret")
    assert "s3cret" not in json.dumps(check_page.numbers([found])) + check_page.page([found])


def test_a_catalogue_of_the_xmatch_service(monkeypatch):
    viz = {"Source": ("long", ""), "RA_ICRS": ("double", "deg"), "DE_ICRS": ("double", "deg"), "Plx": ("double", "mas")}
    with running(catalogues={"vizier:I/355/gaiadr3": viz}) as server:
        monkeypatch.setattr("starlabels.acquire.peek_services.xmatch_settings.url", f"{server.address}/xmatch")
        road = {"xmatch": {"catalogue": "vizier:I/355/gaiadr3", "of": "sages", "radius_arcsec": 15, "nside": 1}}
        found = check.examine("gaia", spec("parquet"), road, 5.0)
        road["xmatch"]["catalogue"] = "vizier:none"
        none = check.examine("gaia", spec("parquet"), road, 5.0)
    assert found.state == "renamed" and found.files == 12 and found.absent == ["ruwe"]
    assert none.defect and "vizier:none" in none.details[0].text


def test_own_files(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    found = check.examine("stars", spec(files=[f"{tmp_path}/*.csv"]), {"mine": True})
    none = check.examine("stars", spec(files=[f"{tmp_path}/*.fits"]), {"mine": True})
    assert found.state == "ok" and found.files == 1 and found.bytes == (tmp_path / "a.csv").stat().st_size
    assert none.defect and "matches no file" in none.details[0].text


def test_maps_of_dust_are_only_asked_for():
    with running({"/ngp": b"x" * 100, "/sgp": b"y" * 200}) as server:
        entry = {"columns": {}, "source": {}, "format": "fits"}
        found = check.examine("dust", entry, {"dust": "sfd", "urls": [f"{server.address}/ngp", f"{server.address}/sgp"]}, 5.0)
        gone = check.examine("dust", entry, {"dust": "sfd", "urls": [f"{server.address}/no"]}, 5.0)
    assert (found.state, found.bytes, found.files) == ("ok", 300, 2) and gone.state == "unreachable"


def test_all_sources_side_by_side_a_dead_network_and_one_that_never_answers():
    port = closed_port()
    with running({"/t": csv_bytes(table())}) as server:
        dead = [(f"dead{k}", spec(), {"bulk": {"urls": [f"http://127.0.0.1:{port}/t"]}}) for k in range(20)]
        dead.append(("service", spec(), {"tap": {"service": f"http://127.0.0.1:{port}/tap", "table": "a.b"}}))
        dead.append(("match", spec(), {"xmatch": {"catalogue": "vizier:a", "of": "b", "radius_arcsec": 1, "nside": 1,
                                                  "service": f"http://127.0.0.1:{port}/x"}}))  # fmt: skip
        slow = ("slow", spec(), {"bulk": {"urls": [f"{server.address}/never"]}})
        good = ("good", spec(), {"bulk": {"urls": [f"{server.address}/t"]}})
        began = time.monotonic()
        found = check.acquire_check([*dead, slow, good], timeout=60.0, deadline=6.0)
        took = time.monotonic() - began
    assert [f.dataset for f in found] == [*(d[0] for d in dead), "slow", "good"]
    states = {f.dataset: f for f in found}
    assert states["good"].state == "ok" and "within 6 s" in states["slow"].details[0].text
    others = [f for f in found if f.dataset not in ("good", "slow")]
    wrong = [(f.dataset, f.details) for f in others if f.state != "unreachable" or "refuses" not in f.details[0].text]
    assert wrong == [] and took < 30


def test_nothing_that_goes_wrong_is_a_traceback(monkeypatch):
    monkeypatch.setattr(check, "_look", lambda *_: 1 / 0)
    found = check.acquire_check([("stars", spec(), {"bulk": {"urls": ["http://user:pass@127.0.0.1/t"]}})])
    assert found[0].state == "unreachable" and "ZeroDivisionError" in found[0].details[0].text


def test_the_page_is_narrow_says_all_and_holds_no_password():
    with running({"/t": csv_bytes(table().rename(columns={"parallax": "Plx"})), "/b": csv_bytes(table().drop(columns="ra"))}) as server:
        address = server.address.replace("://", "://someone:s3cret@")
        sources = [(name, spec(), {"bulk": {"urls": [address + path]}}) for name, path in
                   (("renamed_one", "/t"), ("missing_one", "/b"), ("dead_one", "/" + "x" * 300))]  # fmt: skip
        found = check.acquire_check(sources, timeout=5.0)
    text, md = check_page.page(found), check_page.markdown_page(found)
    assert max(len(line) for line in text.splitlines()) <= 120
    for said in ("renamed: expected parallax, found Plx", "missing: ra or RA_ICRS is absent", "HTTP 404", "unverified (from memory"):
        assert said in text and said in md, said
    expected = {"sources": 3, "defects": 2, "renamed": 1, "missing": 1, "unreachable": 1}
    assert check_page.counts(found) == {**dict.fromkeys(compare.STATES, 0), **expected}
    everything = text + md + json.dumps(check_page.numbers(found))
    assert "s3cret" not in everything
    assert "3 sources: 1 renamed, 1 missing, 1 unreachable; 2 would stop or spoil the run; 2 columns" in " ".join(text.split())


def test_every_real_entry_can_be_looked_at():
    """All of config/datasets.yaml on roads to a dead port: a line for each, no road is unknown."""
    entries = load_yaml(Path(__file__).resolve().parents[3] / "config/datasets.yaml")["datasets"]
    address = f"http://127.0.0.1:{closed_port()}/t"
    found = check.acquire_check([(name, entry, {"bulk": {"urls": [address]}}) for name, entry in entries.items()], deadline=60.0)
    assert {f.state for f in found} == {"unreachable"} and len(found) == len(entries)
    assert sum(len(f.unsure) for f in found) > 10


@pytest.mark.parametrize(
    ("text", "said"),
    [("Failed to resolve 'no.such' ([Errno -2])", "name is not known"),
     ("gaierror: [Errno -2] Name or service not known", "name is not known"), ("[Errno 111] Connection refused", "refuses connections"),
     ("Read timed out. (read timeout=5)", "no answer in time"),
     ("[Errno 101] Network is unreachable", "no network")],
)  # fmt: skip
def test_reasons_are_short_words(text, said):
    assert said in peek.reason(OSError(text))
