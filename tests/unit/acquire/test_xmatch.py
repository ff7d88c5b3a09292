"""Rows of a catalogue near positions, from a stand-in of the X-Match service."""

import logging

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from archives.xmatch_server import XMatchServer
from astropy import units as u
from astropy_healpix import HEALPix

from starlabels.acquire import xmatch
from starlabels.acquire.record import read_record
from starlabels.cells import cell_of
from starlabels.errors import InputError
from starlabels.io import write_table
from starlabels.readers import iter_native

NSIDE, ARCSEC = 4, 1 / 3600
SPEC = {"format": "parquet", "columns": {
    "tmass_id": {"native": ["designation", "2MASS"], "type": "str", "description": "name"},
    "number": {"native": "id", "type": "int64", "description": "id"},
    "ra": {"native": ["ra", "RAJ2000"], "unit": "deg", "description": "ra"},
    "tmass_j": {"native": ["j_m", "Jmag"], "unit": "mag", "description": "J"},
}}  # fmt: skip


def border_of(cell):
    """A point on the border of a cell."""
    lon, lat = HEALPix(NSIDE, "nested").boundaries_lonlat([cell], step=4)
    return lon.to_value(u.deg)[0, 2], lat.to_value(u.deg)[0, 2]


def sky(seed=3, n=600, cell=70):
    """Positions scattered over 200 arcsec around a point on the border of a cell, and a catalogue among them."""
    rng, (ra, dec) = np.random.default_rng(seed), border_of(cell)
    points = pd.DataFrame({"ra": ra + rng.uniform(-200, 200, n) * ARCSEC, "dec": dec + rng.uniform(-200, 200, n) * ARCSEC})
    catalogue = pd.DataFrame({
        "2MASS": [f"J{k:05d}" for k in range(n)], "id": 6917528997577384320 - np.arange(n) * 10_007,
        "RAJ2000": ra + rng.uniform(-200, 200, n) * ARCSEC, "DEJ2000": dec + rng.uniform(-200, 200, n) * ARCSEC,
        "Jmag": np.where(np.arange(n) % 9 == 0, np.nan, rng.uniform(8, 16, n)), "unused": 1,
    })  # fmt: skip
    return points, catalogue


POINTS, CATALOGUE = sky()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with XMatchServer({"II/246/out": CATALOGUE, "I/355/gaiadr3": CATALOGUE}, {"Jmag": "mag", "RAJ2000": "deg"}).start() as server:
        yield server
        server.shutdown()


@pytest.fixture
def get(server, tmp_path):
    """Fetch from the server, quickly; `points` are written as two tables that overlap, as cells with margins do."""

    def run(cell=70, points=POINTS, name=None, attempts=4, upload=50, spec=SPEC, **details):
        files = [tmp_path / f"points{k}.parquet" for k in range(2)]
        for file, part in zip(files, (points.iloc[: len(points) * 2 // 3], points.iloc[len(points) // 3 :]), strict=True):
            write_table(file, part)
        given = {"service": server.address, "catalogue": "vizier:II/246/out", "radius_arcsec": 15, "nside": NSIDE, "cell": cell, **details}
        return xmatch.fetch(tmp_path / (name or f"{cell}.parquet"), given, spec, files, "twomass", attempts, 0.01, 10.0, upload)

    return run


def matched(points, catalogue, radius=15.0):
    """Names of the catalogue rows near any position."""
    cos = np.cos(np.radians(catalogue["DEJ2000"].mean()))
    dra = np.subtract.outer(catalogue["RAJ2000"].to_numpy(), points["ra"].to_numpy()) * cos
    ddec = np.subtract.outer(catalogue["DEJ2000"].to_numpy(), points["dec"].to_numpy())
    return set(catalogue["2MASS"][(np.hypot(dra, ddec) < radius * ARCSEC).any(axis=1)])


def test_all_cells_together_hold_every_matched_row_once(get, server, tmp_path):
    cells = np.unique(cell_of(POINTS["ra"], POINTS["dec"], NSIDE))
    assert len(cells) > 1
    records = [get(int(cell)) for cell in cells]
    names = [pq.read_table(tmp_path / f"{cell}.parquet")["2MASS"].to_pylist() for cell in cells]
    flat = [name for part in names for name in part]
    assert len(flat) == len(set(flat)) and all(names) and sum(r.rows for r in records) == len(flat)
    wanted = matched(POINTS, CATALOGUE)
    assert len(wanted ^ set(flat)) <= 1 and 300 < len(wanted) < 600          # the flat sky of the test may err by one at the radius
    assert max(map(len, server.uploads)) <= 50 and sum(map(len, server.uploads)) > len(POINTS)   # neighbours were uploaded too


def test_table_as_the_readers_need_it(get, tmp_path):
    record = get()
    (frame,) = iter_native(tmp_path / "70.parquet", SPEC, rows=10_000)
    assert sorted(frame.columns) == ["2MASS", "Jmag", "RAJ2000", "id"] and frame.attrs["units"] == {"RAJ2000": "deg", "Jmag": "mag"}
    truth = CATALOGUE.set_index("2MASS").loc[frame["2MASS"]]
    assert frame["id"].tolist() == truth["id"].tolist()                    # every digit
    np.testing.assert_array_equal(frame["Jmag"], truth["Jmag"])
    assert record == read_record(tmp_path / "70.parquet") and record.status == "fetched" and record.rows == len(frame)
    assert record.query.startswith("vizier:II/246/out within 15 arcsec of ") and record.retries == 0


def test_same_positions_are_not_asked_again_others_are(get, server):
    assert get().status == "fetched"
    asked = server.requests
    assert get().status == "kept" and server.requests == asked
    assert get(points=POINTS.iloc[::2]).status == "fetched"


def test_cell_without_positions_has_the_right_columns(get, tmp_path):
    assert get(cell=3).rows == 0
    (frame,) = iter_native(tmp_path / "3.parquet", SPEC)
    assert len(frame) == 0 and str(frame["id"].dtype) == "Int64" and frame.attrs["names"]["tmass_j"] == "Jmag"


def test_cut_off_answers_are_asked_for_in_halves(get, server, tmp_path):
    whole = get(name="whole.parquet")
    server.maxrec, server.uploads = 40, []
    halved = get(name="halved.parquet", upload=100)
    assert halved.rows == whole.rows and pq.read_table(tmp_path / "halved.parquet").equals(pq.read_table(tmp_path / "whole.parquet"))
    assert min(map(len, server.uploads)) <= 25
    server.maxrec = 0
    with pytest.raises(InputError, match="near one position, and no more"):
        get(name="b.parquet")


@pytest.mark.parametrize("fault", [500, 503, 429, "cut", "garbage"])
def test_passing_faults(get, server, tmp_path, fault):
    server.faults = [fault, None, fault]
    record = get()
    assert record.retries == 2 and record.requests == server.requests and record.rows > 100
    server.faults = [fault] * 9
    with pytest.raises(InputError, match="failed 3 times"):
        get(name="b.parquet", attempts=3)
    assert not (tmp_path / "b.parquet").exists() and not (tmp_path / "b.parquet.json").exists()


def test_refusals(get, server):
    with pytest.raises(InputError, match=r"catalogue vizier:II/246/ou: is not there. Nearest names: II/246/out"):
        get(catalogue="vizier:II/246/ou")
    with pytest.raises(InputError, match="`radius_arcsec` of the road to twomass: is 200"):
        get(radius_arcsec=200)
    with pytest.raises(InputError, match=r"column Kmag: is absent; nearest present: .*Jmag"):
        get(spec={"columns": {"k": {"native": "Kmag"}}})
    server.faults = [403]
    with pytest.raises(InputError, match=r"locked this machine out \(403\)"):
        get()
    server.faults = [400]
    with pytest.raises(InputError, match="catalogue vizier:II/246/out: refuses the request"):
        get()
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="failed 2 times .*refused"):
        get(attempts=2)


def test_progress_is_told(get, caplog):
    caplog.set_level(logging.INFO, "starlabels")
    get()
    assert "50 of " in caplog.text
