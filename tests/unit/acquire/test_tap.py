"""Slices of tables from a TAP service, with every fault that one has."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from archives.tap_server import TapServer
from paths import ROOT

from starlabels.acquire import tap
from starlabels.acquire.record import read_record
from starlabels.errors import InputError
from starlabels.io import read_meta
from starlabels.readers import iter_native

N = 500
IDS = 6917528997577384320 - np.arange(N, dtype=np.int64) * 1_000_003
STARS = pd.DataFrame({
    "source_id": IDS, "Teff": np.where(np.arange(N) % 7 == 0, np.nan, 5000.0 + np.arange(N)), "[Fe/H]": -np.arange(N) / 300,
    "flag": pd.array([None if k % 11 == 0 else k for k in range(N)], dtype="Int32"),
    "2MASS": [f"J{k:04d}" if k % 5 else None for k in range(N)],
})  # fmt: skip
SPEC = {"format": "parquet", "columns": {
    "gaia_dr3_source_id": {"native": ["source_id", "Source"], "type": "int64", "description": "id"},
    "teff": {"native": ["teff_gspphot", "Teff"], "unit": "K", "description": "temperature"},
    "feh": {"native": ["fe_h", "[Fe/H]"], "description": "metallicity"},
    "flag": {"native": "flag", "type": "int32", "missing": -1, "description": "flag"},
    "tmass_id": {"native": "2MASS", "type": "str", "description": "name"},
    "extra": {"native": "not_there", "optional": True, "description": "optional"},
}}  # fmt: skip


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with TapServer({"I/355/stars": STARS, "gaia.stars": STARS}, {"Teff": "K"}).start() as server:
        yield server
        server.shutdown()


@pytest.fixture
def get(server, tmp_path):
    """Fetch from the server, quickly."""

    def run(name="slice-0000.parquet", spec=SPEC, attempts=4, longest=60.0, **details):
        given = {"service": server.address, "table": "I/355/stars", **details}
        return tap.fetch(tmp_path / name, given, spec, "stars", attempts=attempts, wait=0.01, timeout=5.0, longest=longest)

    return run


def left(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("notation", ["tabledata", "binary2"])
def test_whole_slice_as_the_readers_need_it(get, server, tmp_path, mode, notation):
    server.notation, server.polls = notation, 2
    record = get(mode=mode)
    assert left(tmp_path) == ["slice-0000.parquet", "slice-0000.parquet.json"] and server.jobs == {}
    (frame,) = iter_native(tmp_path / "slice-0000.parquet", SPEC, rows=N)
    assert frame.attrs["units"] == {"Teff": "K"} and frame.attrs["names"]["extra"] is None
    frame = frame.sort_values("source_id", ascending=False, ignore_index=True)
    assert frame["source_id"].tolist() == IDS.tolist()                    # every digit
    assert frame["flag"].isna().tolist() == [k % 11 == 0 for k in range(N)] and frame["flag"].sum() == STARS["flag"].sum()
    assert frame["2MASS"].isna().tolist() == [k % 5 == 0 for k in range(N)] and frame["2MASS"][1] == "J0001"
    np.testing.assert_array_equal(frame["Teff"], STARS["Teff"])
    assert pq.read_table(tmp_path / "slice-0000.parquet")["Teff"].null_count == STARS["Teff"].isna().sum()      # null, not NaN
    assert list(frame.columns) == ["source_id", "Teff", "[Fe/H]", "flag", "2MASS"]
    assert record == read_record(tmp_path / "slice-0000.parquet") and record.rows == N and record.status == "fetched"
    assert record.query == 'SELECT source_id, "Teff", "[Fe/H]", flag, "2MASS" FROM "I/355/stars"'
    assert record.bytes == (tmp_path / "slice-0000.parquet").stat().st_size and record.retries == 0
    assert record.requests == len(server.log)
    meta = read_meta(tmp_path / "slice-0000.parquet")
    assert meta["query"] == record.query and meta["columns"]["Teff"]["unit"] == "K"


def test_slices_hold_every_row_once(get, tmp_path):
    middle = int(IDS[N // 3])
    for k, (low, high) in enumerate([(None, middle), (middle, None)]):
        part = {"column": "source_id", "low": low, "high": high}
        get(f"{k}.parquet", slice=part, columns=["source_id"], where="flag > 5 OR flag IS NULL")
    found = [pq.read_table(tmp_path / f"{k}.parquet")["source_id"].to_pylist() for k in range(2)]
    wanted = STARS[(STARS["flag"] > 5).fillna(True)]["source_id"]
    assert min(found[1]) == middle and max(found[0]) < middle and sorted(found[0] + found[1]) == sorted(wanted)


def test_slice_without_rows(get, tmp_path):
    assert get(where="flag < -1").rows == 0
    (frame,) = iter_native(tmp_path / "slice-0000.parquet", SPEC)
    assert len(frame) == 0 and str(frame["source_id"].dtype) == "Int64"


def test_file_of_the_same_query_is_kept_another_query_is_fetched(get, server):
    first = get(mode="sync")
    asked = server.asked("sync")
    again = get(mode="sync")
    assert again.status == "kept" and again.sha256 == first.sha256 and server.asked("sync") == asked
    assert get(mode="sync", where="flag > 3").rows < N


def test_other_spelling_of_the_answer(get, server, tmp_path):
    server.respell = {"[Fe/H]": "__Fe_H_", "2MASS": "_2MASS"}
    get(mode="sync")
    assert "[Fe/H]" in pq.read_schema(tmp_path / "slice-0000.parquet").names
    server.respell = {"[Fe/H]": "metallicity"}
    with pytest.raises(InputError, match=r"answers with the columns .*metallicity.*not .*\[Fe/H\]"):
        get("b.parquet", mode="sync")


KINDS = [("sync", "sync"), ("sync", "schema"), ("async", "submit"), ("async", "poll"), ("async", "result")]
FAULTS = [503, 500, (429, {"Retry-After": "0"}), "cut", "garbage"]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize(("mode", "kind"), KINDS)
def test_passing_faults(get, server, tmp_path, mode, kind, fault):
    server.faults[kind] = [fault, None, fault] if kind != "poll" else [None, fault, None, fault]
    server.polls = 3
    if fault == "cut" and kind == "submit":                               # the redirection has no body that could be cut
        server.faults[kind] = []
    record = get(mode=mode)
    assert record.rows == N and left(tmp_path) == ["slice-0000.parquet", "slice-0000.parquet.json"]
    assert record.retries == {"poll": 2, "submit": 0 if fault == "cut" else 1}.get(kind, 1) and server.jobs == {}
    assert pq.read_metadata(tmp_path / "slice-0000.parquet").num_rows == N


def test_what_the_service_asks_to_wait_is_waited(get, server, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.faults["sync"] = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "100000"}), 503]
    assert get(mode="sync").retries == 3
    assert pauses == [7.0, 300.0, 0.04]                                   # ours doubles from 0.01 s


def test_endless_faults_name_the_tries_and_leave_nothing(get, server, tmp_path):
    server.faults["sync"] = [503] * 20
    with pytest.raises(InputError, match=r"127.0.0.1:\d+/tap: failed 3 times \(the service answers 503\)"):
        get(mode="sync", attempts=3)
    assert left(tmp_path) == [] and server.asked("sync") == 3
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="failed 2 times .*refused"):
        get(mode="sync", attempts=2)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_rows_that_were_cut_off_are_refused(get, server, tmp_path, mode):
    server.maxrec = 300
    with pytest.raises(InputError, match="cut the answer off after 300 rows.*more slices"):
        get(mode=mode)
    server.maxrec = 10_000
    with pytest.raises(InputError, match=r"has 500 rows in this slice .* gives 500 at most \(`maxrec`\).*more slices"):
        get(mode=mode, maxrec=N)
    with pytest.raises(InputError, match="cut the answer off after 500 rows"):
        get(mode=mode, maxrec=N, count=False)
    assert left(tmp_path) == [] and server.jobs == {}
    assert get(mode=mode, maxrec=N + 1).rows == N


def test_rows_are_compared_with_the_count(get, server, tmp_path):
    server.miscount = 1
    with pytest.raises(InputError, match="gave 500 rows of I/355/stars where it counts 501"):
        get()
    assert left(tmp_path) == []
    assert get(count=False).rows == N and server.asked("count") == 1
    server.miscount, server.faults["count"] = 1, [500] * 9
    assert get("b.parquet").rows == N and server.asked("count") == 3      # a service that does not count is asked twice


def test_unknown_names_are_told_with_the_nearest(get, server):
    for mode in ("sync", "async"):
        with pytest.raises(InputError, match=r"table I/355/stars, column Tef: does not exist; nearest: Teff"):
            get(mode=mode, columns=["source_id", "Tef"], count=False)
    with pytest.raises(InputError, match=r"column source: does not exist; nearest: source_id"):
        get(columns=["source_id"], slice={"column": "source", "low": 1, "high": 2}, count=False)
    with pytest.raises(InputError, match=r"table gaia.star: does not exist. Nearest names: gaia.stars"):
        get(table="gaia.star", columns=["source_id"])
    with pytest.raises(InputError, match=r"table gaia.star: does not exist. Nearest names: gaia.stars"):
        get(table="gaia.star")
    with pytest.raises(InputError, match=r"column feh or fe: is absent"):
        get(spec={"columns": {"feh": {"native": ["feh", "fe"]}}})
    with pytest.raises(InputError, match=r"refuses the query \(.*syntax error.*`where`"):
        get(columns=["source_id"], where="flag >> ", count=False)
    assert server.jobs == {}
    server.faults["schema"] = [400]
    with pytest.raises(InputError, match="does not answer about its schema.*State `columns`"):
        get()


def test_language_of_the_service(get, server):
    assert get(mode="sync", language="PostgreSQL", table="gaia.stars").rows == N


def test_token_from_the_environment_only(get, server, tmp_path, monkeypatch, caplog):
    server.token = "Token s3cr3t-value"
    monkeypatch.delenv("STARS_TOKEN", raising=False)
    with pytest.raises(InputError, match=r"refuses access \(401\).*Set the environment variable"):
        get(token="STARS_TOKEN")
    with pytest.raises(InputError, match=r"refuses access \(401\).*`token`"):
        get()
    monkeypatch.setenv("STARS_TOKEN", "s3cr3t-value")
    caplog.set_level("DEBUG", "starlabels")
    server.faults["sync"] = [500]
    record = get(mode="sync", token="STARS_TOKEN")
    written = "".join(p.read_bytes().decode("latin-1") for p in tmp_path.iterdir())
    assert record.rows == N and "s3cr3t" not in written + caplog.text
    address = server.address.replace("http://", "http://me:s3cr3t-value@")
    server.token = None
    assert get("b.parquet", mode="async", service=address).rows == N
    written = "".join(p.read_bytes().decode("latin-1") for p in tmp_path.iterdir())
    assert "s3cr3t" not in written + caplog.text


def test_jobs_that_fail(get, server, tmp_path):
    server.job_error = ("fatal", "cancelled: statement timeout")
    with pytest.raises(InputError, match=r"refuses the query \(cancelled: statement timeout\)"):
        get()
    assert server.jobs == {} and left(tmp_path) == []
    server.job_error = ("transient", "disk of the service is full")
    record = get()
    assert record.rows == N and record.retries == 1 and server.asked("submit") == 3 and server.jobs == {}
    server.polls = 1000
    with pytest.raises(InputError, match="has not finished the job after"):
        get("b.parquet", longest=0.1)
    assert left(tmp_path)[0] == "b.parquet.job"                           # the next run goes on with it
    for job in server.jobs.values():
        job["polls"] = 0
    assert get("b.parquet").rows == N and server.asked("submit") == 4 and "b.parquet.job" not in left(tmp_path)


def test_jobs_that_the_service_forgot_or_that_are_of_another_query(get, server, tmp_path):
    note = tmp_path / "slice-0000.parquet.job"
    query = 'SELECT source_id FROM "I/355/stars"'
    gone = {"job": f"{server.address}/async/job99", "service": server.address, "query": query, "date": "2026-01-01T00:00:00Z"}
    note.write_text(json.dumps(gone))
    assert get(columns=["source_id"]).rows == N and server.asked("submit") == 1
    note.write_text(json.dumps({**gone, "query": "SELECT 1"}))
    assert get(columns=["source_id"], where="flag > 3").rows < N and not note.exists()
    server.polls, server.faults["poll"] = 5, [None, None, 404]            # lost while it was waited for
    assert get("b.parquet").rows == N and server.asked("submit") == 4
    server.faults["poll"], server.jobs = [503], {}                        # submitted, but the first look at it fails
    assert get("c.parquet").rows == N and server.asked("submit") == 5 and server.jobs == {}


KILLED = """
import sys
from starlabels.acquire import tap
details = {"service": sys.argv[2], "table": "gaia.stars", "columns": ["source_id", "Teff"]}
tap.fetch(sys.argv[1], details, {}, "stars", wait=0.05, timeout=5.0)
"""


def test_killed_run_goes_on_with_its_job(get, server, tmp_path):
    server.polls = 10**6
    path, env = tmp_path / "slice-0000.parquet", {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path), server.address], env=env)
    for _ in range(600):
        if server.asked("poll") > 4:
            break
        time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    note = json.loads((tmp_path / "slice-0000.parquet.job").read_text())
    assert not path.exists() and list(server.jobs) == ["job0"] and note["job"].endswith("/async/job0")
    server.jobs["job0"]["polls"] = 0
    record = get(table="gaia.stars", columns=["source_id", "Teff"])
    assert record.rows == N and server.asked("submit") == 1 and server.jobs == {}
    assert left(tmp_path) == ["slice-0000.parquet", "slice-0000.parquet.json"]
