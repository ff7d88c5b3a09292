"""The maps of reddening, fetched by dustmaps from a stand-in of the archive."""

import hashlib
import http.server
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from starlabels.acquire import dust
from starlabels.acquire.record import read_record
from starlabels.errors import InputError
from starlabels.io import read_json

NAMES = {pole: f"SFD_dust_4096_{pole}.fits" for pole in ("ngp", "sgp")}


def map_bytes(pole, folder, value=0.1):
    """A small map, constant."""
    sign = 1 if pole == "ngp" else -1
    image = fits.PrimaryHDU(np.full((64, 64), value, np.float32))
    pixel = np.degrees(np.sqrt(2.0)) / 32
    image.header.update({
        "CTYPE1": "GLON-ZEA", "CTYPE2": "GLAT-ZEA", "CRPIX1": 32.5, "CRPIX2": 32.5, "CRVAL1": 90.0, "CRVAL2": 90.0 * sign,
        "CD1_1": -pixel, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": pixel, "LONPOLE": 180.0,
    })  # fmt: skip
    image.writeto(folder / f"{pole}.made", overwrite=True)
    return (folder / f"{pole}.made").read_bytes()


class Dataverse(http.server.BaseHTTPRequestHandler):
    """The description of the data set, and its files by number; `server.faults` meet the next requests."""

    def log_message(self, *args):
        pass

    def _send(self, status, body, cut=False):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def do_GET(self):  # noqa: N802
        server = self.server
        server.log.append(self.path)
        fault = server.faults.pop(0) if server.faults else None
        if fault == "garbage":
            return self._send(200, b"<html>busy")
        if isinstance(fault, int):
            return self._send(fault, b"a fault")
        if "persistentId" in self.path:
            files = [
                {"dataFile": {"filename": NAMES[p], "id": k, "md5": hashlib.md5(b, usedforsecurity=False).hexdigest()}}
                for k, (p, b) in enumerate(server.maps.items())
            ]
            return self._send(200, json.dumps({"data": {"latestVersion": {"files": files}}}).encode())
        content = list(server.maps.values())[int(self.path.rpartition("/")[2])]
        return self._send(200, content, fault == "cut")


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = tmp_path / "made"
    made.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dataverse) as server:
        server.maps, server.faults, server.log = {pole: map_bytes(pole, made) for pole in NAMES}, [], []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def get(server, tmp_path):
    def run(checks=None, address=None, **archives):
        given = {"lock": str(tmp_path / "lock.json"), "trust_on_first_use": True, "attempts": 4, "timeout": 5.0, **archives}
        return dust.fetch(tmp_path / "dust", given, checks, address or f"http://127.0.0.1:{server.server_port}", wait=0.01)

    return run


def left(tmp_path):
    return sorted(p.name for p in (tmp_path / "dust").iterdir()) if (tmp_path / "dust").exists() else []


WHOLE = sorted([*NAMES.values(), *(f"{name}.json" for name in NAMES.values())])


def test_both_maps_with_records_and_lock(get, server, tmp_path):
    settings = Path.home() / ".dustmapsrc"
    before = settings.stat().st_mtime_ns if settings.exists() else None
    records = get()
    assert left(tmp_path) == WHOLE and (settings.stat().st_mtime_ns if settings.exists() else None) == before
    for pole, name in NAMES.items():
        assert (tmp_path / "dust" / name).read_bytes() == server.maps[pole]
        assert records[pole] == read_record(tmp_path / "dust" / name) and records[pole].bytes == len(server.maps[pole])
        assert records[pole].status == "fetched" and records[pole].requests == len(server.log) and "EWCNL5" in records[pole].address
    assert read_json(tmp_path / "lock.json")["dust/" + NAMES["sgp"]]["sha256"] == hashlib.sha256(server.maps["sgp"]).hexdigest()
    asked = len(server.log)
    assert {r.status for r in get().values()} == {"kept"} and len(server.log) == asked


def test_maps_of_the_user_are_checked_and_used(get, server, tmp_path):
    (tmp_path / "dust").mkdir()
    for pole, name in NAMES.items():
        (tmp_path / "dust" / name).write_bytes(server.maps[pole])
    assert {r.status for r in get().values()} == {"found"} and server.log == []
    (tmp_path / "dust" / NAMES["ngp"]).write_bytes(server.maps["sgp"])
    with pytest.raises(InputError, match="SFD_dust_4096_ngp.fits: is another file"):
        get()
    with pytest.raises(InputError, match="CRVAL2: is -90.0; the map of the other pole"):
        get(lock=str(tmp_path / "other.json"))
    (tmp_path / "dust" / NAMES["ngp"]).unlink()
    assert get()["ngp"].status == "fetched" and left(tmp_path) == WHOLE


@pytest.mark.parametrize("fault", [503, 429, "cut", "garbage"])
def test_passing_faults(get, server, tmp_path, fault):
    server.faults = [None, fault]                                          # of the first map
    if fault == "garbage":                                                 # a web page instead of a map: not what the archive's sum says
        server.faults = [fault]
    records = get()
    assert left(tmp_path) == WHOLE and records["ngp"].retries == 1


def test_wrong_content_never_gets_the_name(get, server, tmp_path):
    with pytest.raises(InputError, match=r"127.0.0.1.*SFD_dust_4096_sgp.fits: has \d+ bytes, not 5"):
        get({"sgp": {"bytes": 5}})
    with pytest.raises(InputError, match="SFD_dust_4096_ngp.fits: is another file"):
        get({"ngp": {"sha256": "0" * 64}})
    assert left(tmp_path) == []
    with pytest.raises(InputError, match="is absent, so nothing tells.*trust_on_first_use"):
        get(trust_on_first_use=False)
    get()
    for name in NAMES.values():
        (tmp_path / "dust" / name).unlink()
    server.maps["ngp"] = map_bytes("ngp", tmp_path, 0.2)                   # the archive changed it
    with pytest.raises(InputError, match="is another file"):
        get()
    assert not any((tmp_path / "dust" / name).exists() for name in NAMES.values())


def test_dead_network_and_endless_faults(get, server, tmp_path):
    server.faults = [500] * 20
    with pytest.raises(InputError, match=r"failed 4 times \(the service answers 500\)"):
        get()
    with pytest.raises(InputError, match="http://127.0.0.1:9: failed 2 times .*refused"):
        get(address="http://127.0.0.1:9", attempts=2)
    server.faults = [404]
    with pytest.raises(InputError, match="does not exist"):
        get()
    assert not any((tmp_path / "dust" / name).exists() for name in NAMES.values())
