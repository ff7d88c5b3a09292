"""Download of a checked file, against a server on this machine."""

import hashlib
import http.server
import threading

import pytest

from starlabels.errors import InputError
from starlabels.rave.fetch import blob_id, fetch

CONTENT = bytes(range(256)) * 12_000                      # 3 MB: several pieces
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


class Answers(http.server.BaseHTTPRequestHandler):
    """Sends the file; fails first as often as the path says (/fail2, /cut1), or always (/missing)."""

    def do_GET(self):  # noqa: N802
        tries = self.server.tries[self.path] = self.server.tries.get(self.path, 0) + 1
        if self.path in ("/missing", "/forbidden"):
            self.send_error(404 if self.path == "/missing" else 403)
            return
        kind, times = self.path[1:].rstrip("0123456789"), int("0" + self.path[1:].lstrip("abcdefghijklmnopqrstuvwxyz"))
        if kind == "fail" and tries <= times:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:len(CONTENT) // 2] if kind == "cut" and tries <= times else CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.tries = {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def get(server, tmp_path, monkeypatch):
    """Fetch a path of the server, quickly, without a proxy in between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.tries.clear()

    def run(name, **more):
        address = f"http://127.0.0.1:{server.server_port}{name}"
        return fetch(address, tmp_path / "spectra.fits", **{"blob": BLOB, "wait": 0.01, "timeout": 5.0, **more})

    return run


def nothing_left(folder):
    return not list(folder.iterdir())


def test_blob_id_is_that_of_git(tmp_path):
    (tmp_path / "x").write_bytes(b"what is up, doc?")
    assert blob_id(tmp_path / "x") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"


def test_whole_file(get, server, tmp_path):
    path = get("/file", size=len(CONTENT))
    assert path.read_bytes() == CONTENT and [p.name for p in tmp_path.iterdir()] == ["spectra.fits"]
    assert get("/file") == path and server.tries == {"/file": 1}              # there already: checked, not fetched again


@pytest.mark.parametrize("name", ["/fail2", "/cut3"])
def test_passing_failures_are_repeated(get, server, name):
    assert get(name).read_bytes() == CONTENT
    assert server.tries[name] == int(name[-1]) + 1


@pytest.mark.parametrize(("name", "text"), [("/fail9", "answers 503"), ("/cut9", "IncompleteRead|bytes came")])
def test_lasting_failures_end_the_run(get, tmp_path, name, text):
    with pytest.raises(InputError, match=f"could not be fetched in 3 tries.*({text}).*put the file at"):
        get(name, attempts=3)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(("name", "text"), [("/missing", "no such file \\(404\\)"), ("/forbidden", "answers 403")])
def test_refusals_are_not_repeated(get, server, tmp_path, name, text):
    with pytest.raises(InputError, match=text):
        get(name)
    assert server.tries[name] == 1 and nothing_left(tmp_path)


def test_another_file_never_gets_the_name(get, tmp_path):
    with pytest.raises(InputError, match=f"is another file.*{BLOB}, not {'0' * 40}"):
        get("/file", blob="0" * 40)
    with pytest.raises(InputError, match="has 3072000 bytes, not 5"):
        get("/file", size=5)
    assert nothing_left(tmp_path)
    (tmp_path / "spectra.fits").write_bytes(b"an older version")
    with pytest.raises(InputError, match="spectra.fits: is another file"):
        get("/file")


def test_dead_network_and_impossible_addresses(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for address, text in (
        ("http://127.0.0.1:9/x", "could not be fetched in 2 tries.*refused"), ("no address", "is no address"),
        ("ftp://127.0.0.1/x", "is no address"), (None, "rave.public.address.*is not set"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=text):
            fetch(address, tmp_path / "x", BLOB, attempts=2, wait=0.01)
    assert nothing_left(tmp_path)
