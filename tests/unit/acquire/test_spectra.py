"""Spectra of a slice: fetched once, gone on after a kill, counted where the archive lacks them."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from archives.http_server import Server, cut, status

from starlabels.acquire.spectra import fetch_spectra
from starlabels.errors import InputError

IDS = [f"2004040{k % 9 + 1}_0823m14_{k:03d}" for k in range(1, 41)]
WAIT = {"wait": 0.01, "timeout": 5.0, "attempts": 3}


@pytest.fixture
def server():
    with Server() as running:
        for k, name in enumerate(IDS):
            running.file(f"20040{name[5:8]}/RAVE_{name}.fits", bytes([k]) * (3000 + k))
        yield running


@pytest.fixture
def index(tmp_path):
    path = tmp_path / "index.parquet"
    pd.DataFrame({"rave_obs_id": IDS[::-1], "spectrum_fits": None}).to_parquet(path)
    return path


def addresses(server):
    return ["{spectrum_fits}", server.base + "{night}/RAVE_{rave_obs_id}.fits"]


def test_every_spectrum_comes_once(server, index, tmp_path):
    server.files[f"/{IDS[3][:8]}/RAVE_{IDS[3]}.fits"].faults = [cut(1000), status(503)]
    record = fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([f"RAVE_{name}.fits" for name in IDS] + ["spectra.json"])
    assert (tmp_path / "out" / f"RAVE_{IDS[7]}.fits").read_bytes() == bytes([7]) * 3007
    assert (record.rows, record.bytes, record.retries) == (40, sum(3000 + k for k in range(40)), 2)
    summary = json.loads((tmp_path / "out/spectra.json").read_text())
    assert (summary["listed"], summary["fetched"], summary["absent"]) == (40, 40, []) and list(summary["spectra"]) == sorted(IDS)
    asked = len(server.log)
    again = fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    assert len(server.log) == asked and again.rows == 40


def test_the_archives_own_address_goes_first(server, index, tmp_path):
    server.file("elsewhere.fits", b"another")
    pd.DataFrame({"rave_obs_id": IDS[:2], "spectrum_fits": [server.base + "elsewhere.fits", None]}).to_parquet(index)
    fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    assert (tmp_path / "out" / f"RAVE_{IDS[0]}.fits").read_bytes() == b"another"
    assert (tmp_path / "out" / f"RAVE_{IDS[1]}.fits").read_bytes() == bytes([1]) * 3001


def test_absent_spectra_are_counted_up_to_a_share(server, index, tmp_path):
    """Ids hold 404 in the date: only the server's word counts."""
    for name in IDS[:3]:
        del server.files[f"/{name[:8]}/RAVE_{name}.fits"]
    fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    assert json.loads((tmp_path / "out/spectra.json").read_text())["absent"] == sorted(IDS[:3])
    for name in IDS[3:9]:
        del server.files[f"/{name[:8]}/RAVE_{name}.fits"]
    with pytest.raises(InputError, match="lacks 4 of 40 spectra"):
        fetch_spectra(index, addresses(server), tmp_path / "other", **WAIT)
    server.files[f"/{IDS[20][:8]}/RAVE_{IDS[20]}.fits"].faults = [status(500)] * 9
    with pytest.raises(InputError, match="500"):
        fetch_spectra(index, addresses(server), tmp_path / "third", **WAIT, missing_max=1.0)


def test_a_killed_job_goes_on(server, index, tmp_path):
    for name in IDS[20:]:
        server.files[f"/{name[:8]}/RAVE_{name}.fits"].headers = {}
    code = (f"import sys; sys.path.insert(0, {sys.path[0]!r}); sys.path[:0] = {[p for p in sys.path if 'scripts' in p]!r}\n"
            f"from starlabels.acquire import spectra\nimport time\nold = spectra.download\n"
            f"def slow(*a, **k):\n    time.sleep(0.15)\n    return old(*a, **k)\nspectra.download = slow\n"
            f"spectra.fetch_spectra({str(index)!r}, {addresses(server)!r}, {str(tmp_path / 'out')!r}, threads=1)")  # fmt: skip
    job = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(list((tmp_path / "out").glob("RAVE_*.fits"))) < 5 and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    kept = len((tmp_path / "out/.fetched.jsonl").read_text().splitlines())
    asked = len(server.log)
    assert 3 <= kept < 40
    fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    assert len(server.log) - asked <= 41 - kept
    assert json.loads((tmp_path / "out/spectra.json").read_text())["fetched"] == 40


def test_wrong_ids_are_refused(server, index, tmp_path):
    pd.DataFrame({"rave_obs_id": ["../../etc/x"]}).to_parquet(index)
    with pytest.raises(InputError, match="no id of RAVE"):
        fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
    pd.DataFrame({"obs": [IDS[0]]}).to_parquet(index)
    with pytest.raises(InputError, match="rave_obs_id"):
        fetch_spectra(index, addresses(server), tmp_path / "out", **WAIT)
