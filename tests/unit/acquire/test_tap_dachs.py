"""The TAP road against a real service: DaCHS on PostgreSQL, started by tests/archives/dachs.sh. Skipped where that is not installed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from paths import ROOT

from starlabels.acquire import tap
from starlabels.errors import InputError
from starlabels.readers import iter_native

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("dachs") is None, reason="DaCHS is absent; tests/archives/dachs.sh install"),
    pytest.mark.skipif("TEST_SERVICES" not in os.environ, reason="starts PostgreSQL and DaCHS on this machine; `make test-archives` does"),
    pytest.mark.skipif(os.geteuid() != 0, reason="DaCHS and PostgreSQL are started by root"),
]
LAB = ROOT / "tests/archives/dachs.sh"
N = 30_000
IDS = 6917528997577384320 - np.arange(N, dtype=np.int64) * 1_000_003
STARS = pa.table({
    "source_id": IDS, "Teff": pa.array(5000 + np.arange(N) / 7, mask=np.arange(N) % 7 == 0),
    "[Fe/H]": (-np.arange(N) / N).astype(np.float32),
    "flag": pa.array(np.arange(N, dtype=np.int32), mask=np.arange(N) % 11 == 0), "2MASS": [f"J{k} é" if k % 5 else None for k in range(N)],
})  # fmt: skip
SPEC = {"format": "parquet", "columns": {
    "gaia_dr3_source_id": {"native": ["Source", "source_id"], "type": "int64", "description": "id"},
    "teff": {"native": ["teff_gspphot", "Teff"], "unit": "K", "description": "temperature"},
    "feh": {"native": ["fe_h", "[Fe/H]"], "description": "metallicity"},
    "flag": {"native": "flag", "type": "int32", "missing": -1, "description": "flag"},
    "tmass_id": {"native": "2MASS", "type": "str", "description": "name"},
    "extra": {"native": "not_there", "optional": True, "description": "optional"},
}}  # fmt: skip


def lab(*command):
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["bash", LAB, *command], capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dachs") / "starlabels_test"
    folder.mkdir()
    with_unit = [f.with_metadata({"unit": "K"}) if f.name == "Teff" else f for f in STARS.schema]
    pq.write_table(STARS.cast(pa.schema(with_unit)), folder / "sample.parquet")
    address = lab("start")
    lab("publish", str(folder))
    yield address
    lab("stop")


@pytest.fixture
def get(address, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(name="slice-0000.parquet", **details):
        given = {"service": address, "table": "starlabels_test.sample", "maxrec": 1_000_000, **details}
        return tap.fetch(tmp_path / name, given, SPEC, "stars", attempts=3, wait=0.3, timeout=30.0)

    return run


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_whole_table(get, tmp_path, mode):
    record = get(mode=mode)
    assert record.rows == N and record.retries == 0 and sorted(p.name for p in tmp_path.iterdir())[-1] == "slice-0000.parquet.json"
    (frame,) = iter_native(tmp_path / "slice-0000.parquet", SPEC)
    table = pq.read_table(tmp_path / "slice-0000.parquet").sort_by([("source_id", "descending")])
    for name in STARS.column_names:
        assert table[name].to_pylist() == STARS[name].to_pylist(), name
    assert frame.attrs["units"] == {"Teff": "K"} and frame.attrs["names"]["extra"] is None


def test_slices_hold_every_row_once(get, tmp_path):
    middle, found = int(IDS[N // 3]), []
    for k, (low, high) in enumerate([(None, middle), (middle, None)]):
        get(f"{k}.parquet", mode="sync", slice={"column": "source_id", "low": low, "high": high}, columns=["source_id"])
        found += pq.read_table(tmp_path / f"{k}.parquet")["source_id"].to_pylist()
    assert sorted(found) == sorted(IDS.tolist())
    assert get("none.parquet", mode="async", where="flag < 0").rows == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_overflow_and_count(get, tmp_path, mode):
    with pytest.raises(InputError, match=f"has {N} rows in this slice .* gives 1000 at most"):
        get(mode=mode, maxrec=1000)
    with pytest.raises(InputError, match="cut the answer off after 1000 rows.*more slices"):
        get(mode=mode, maxrec=1000, count=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_unknown_names(get, mode):
    with pytest.raises(InputError, match=r"column teff_x: does not exist; nearest: Teff"):
        get(mode=mode, columns=["source_id", "teff_x"])
    with pytest.raises(InputError, match=r"table starlabels_test.samples: does not exist. Nearest names: starlabels_test.sample"):
        get(mode=mode, table="starlabels_test.samples", columns=["source_id"])
    with pytest.raises(InputError, match="refuses the query"):
        get(mode=mode, columns=["source_id"], where="flag >< 3")


KILLED = """
import sys
from starlabels.acquire import tap
details = {"service": sys.argv[2], "table": "starlabels_test.sample", "columns": ["source_id", "Teff"], "maxrec": 1000000}
tap.fetch(sys.argv[1], details, {}, "stars", wait=2.0)
"""


def test_killed_run_goes_on_with_its_job(get, address, tmp_path, caplog):
    path, env = tmp_path / "slice-0000.parquet", {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path), address], env=env)
    note = tmp_path / "slice-0000.parquet.job"
    for _ in range(600):
        if note.exists():
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    job = json.loads(note.read_text())["job"]
    assert not path.exists()
    caplog.set_level("INFO", "starlabels")
    record = get(columns=["source_id", "Teff"])
    assert record.rows == N and "goes on with the job of" in caplog.text and not note.exists()
    with pytest.raises(InputError, match="does not exist"):
        service = tap.TapService(address, attempts=1)
        service.run(lambda: service.session.get(job).raise_for_status())
