"""Files by HTTP, against a server on this machine that plays every fault of an archive."""

import errno
import hashlib
import json
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from shutil import which

import numpy as np
import pytest
import requests
from archives.http_server import Server, become, capped, cut, longer, page, redirect, stall, status, wrong_range

from starlabels.acquire import http, partial
from starlabels.acquire.http import download
from starlabels.acquire.record import read_record, sidecar
from starlabels.errors import InputError

CONTENT = np.random.default_rng(1).bytes(3_000_000)
OTHER = np.random.default_rng(2).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA1 = hashlib.sha1(CONTENT).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
CUT = 700_000
SCRIPTS = Path(http.__file__).parents[2]


@pytest.fixture
def server(monkeypatch, tmp_path):
    # no proxy in between, no login of the one who runs the tests
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    with Server() as server:
        yield server


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited between tries; nobody waits."""
    waited = []
    monkeypatch.setattr(http, "sleep", waited.append)
    return waited


@pytest.fixture
def path(tmp_path):
    return tmp_path / "got" / "x.fits"


@pytest.fixture
def get(server, path, pauses):
    def run(*served, **more):
        return download([getattr(one, "address", one) for one in served], path, **{"timeout": 5.0, **more})

    return run


def names(path):
    return sorted(p.name for p in path.parent.iterdir())


def ranges(server, name="x.fits"):
    return [request.range for request in server.of(name)]


def test_a_file_comes_with_its_record(get, server, path):
    record = get(server.file("x.fits", CONTENT), dataset="sages", checks={"bytes": len(CONTENT), "sha256": SHA256})
    assert path.read_bytes() == CONTENT and names(path) == ["x.fits", "x.fits.json"]
    assert read_record(path) == record
    assert (record.bytes, record.sha256, record.version, record.address) == (len(CONTENT), SHA256, '"one"', server.base + "x.fits")
    assert (record.attempts, record.requests, record.retries, record.resumed_bytes, record.mirror) == (1, 1, 0, 0, 0)
    assert (record.dataset, record.road, record.status) == ("sages", "bulk", "fetched") and record.date.endswith("Z")
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("checks", [{}, {"sha256": SHA256.upper()}, {"sha1": SHA1}, {"blob": BLOB}, {"md5": MD5}])
def test_every_check_passes_for_the_right_file(get, server, path, checks):
    record = get(server.file("x.fits", CONTENT), checks=checks)
    assert record.sha256 == SHA256 and path.read_bytes() == CONTENT


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_cut_again_and_again_is_resumed_where_it_was_cut(get, server, path, pauses, reset):
    served = server.file("x.fits", CONTENT, faults=[cut(CUT, reset), cut(CUT, reset), cut(CUT, reset)])
    record = get(served)
    assert path.read_bytes() == CONTENT and names(path) == ["x.fits", "x.fits.json"]
    log = server.of("x.fits")
    assert [request.status for request in log] == [200, 206, 206, 206] and {request.if_range for request in log[1:]} == {'"one"'}
    assert record.resumed_bytes == log[-1].begin and (record.retries, record.requests) == (3, 4)
    if not reset:  # a reset may throw away what the server has sent
        assert pauses == [2.0, 2.0, 4.0]  # the second try had brought enough for the count of tries to begin again
        assert [request.begin for request in log] == [0, CUT, 2 * CUT, 3 * CUT] and sum(request.sent for request in log) == len(CONTENT)


def test_tries_that_get_further_are_not_counted(get, server, path):
    record = get(server.file("x.fits", CONTENT * 4, faults=[cut(1_200_000)] * 9), attempts=2)
    assert path.read_bytes() == CONTENT * 4 and record.attempts == 10


def test_a_file_that_stays_short_is_an_error_and_the_part_is_kept(get, server, path):
    served = server.file("x.fits", CONTENT, faults=[longer(500)], lasting=True)
    with pytest.raises(InputError, match=r"fetched in 3 tries \(it was cut: only 3000000 of 3000500 bytes came\). .*the address"):
        get(served, attempts=3)
    assert names(path) == [".x.fits.part", ".x.fits.part.json"]


def test_a_short_answer_is_mended_by_the_next_one(get, server, path):
    record = get(server.file("x.fits", CONTENT[:1000], faults=[longer(len(CONTENT) - 1000), become(content=CONTENT)]))
    assert path.read_bytes() == CONTENT and record.resumed_bytes == 1000


def test_a_size_other_than_stated_is_refused_before_it_comes(get, server, path):
    with pytest.raises(InputError, match="x.fits: has 3000000 bytes, not 5. Correct `sages.acquire`, or the size stated there"):
        get(server.file("x.fits", CONTENT), checks={"bytes": 5}, key="`sages.acquire`")
    assert server.of("x.fits")[0].status == 200 and names(path) == []


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5", "blob"])
def test_a_wrong_checksum_never_gets_the_name(get, server, path, kind):
    wrong = hashlib.new("sha1" if kind == "blob" else kind, b"something else").hexdigest()
    with pytest.raises(InputError, match=f"is another file .3000000 bytes, {kind} [0-9a-f]+, not {wrong}.. Correct `a.b`, or the chec"):
        get(server.file("x.fits", CONTENT), checks={kind: wrong}, key="`a.b`")
    assert len(server.of("x.fits")) == 1 and names(path) == []                 # not tried again: it came in one go


def test_a_mirror_with_the_right_content_is_found(get, server, path):
    record = get(server.file("x.fits", OTHER), server.file("mirror", CONTENT), checks={"sha256": SHA256})
    assert path.read_bytes() == CONTENT and (record.mirror, record.address) == (1, server.base + "mirror")


@pytest.mark.parametrize("checks", [{"sha256": "abc"}, {"sha1": "x" * 40}, {"sha512": "abc"}, {"bytes": "many"}, {"bytes": True}])
def test_impossible_checks_are_refused_before_any_request(get, server, checks):
    with pytest.raises(InputError, match=f"the address, `{next(iter(checks))}`: is .*(hexadecimal|Known are|whole number)"):
        get(server.file("x.fits", CONTENT), checks=checks)
    with pytest.raises(InputError, match="allows no try"):
        get(server.file("x.fits", CONTENT), attempts=0)
    assert not server.log


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451])
def test_a_refusal_leads_to_the_mirror_at_once(get, server, path, pauses, code):
    refusing = server.file("main", CONTENT, faults=[status(code)], lasting=True)
    record = get(refusing, server.file("mirror", CONTENT))
    assert path.read_bytes() == CONTENT and record.mirror == 1 and record.retries == 0 and not pauses
    assert [request.status for request in server.log] == [code, 200]


def test_refusals_everywhere_name_every_address(get, server, path):
    with pytest.raises(InputError, match=r"x.fits: came from none of 2 addresses \(.*/main: there is no .*404\); .*/other: .*410"):
        get(server.file("main", b"", faults=[status(404)]), server.file("other", b"", faults=[status(410)]))
    with pytest.raises(InputError, match=r"/missing: there is no such file \(404\). Correct the address"):
        get(server.base + "missing")
    with pytest.raises(InputError, match=r"asks for a login \(401\). Put the login for 127.0.0.1 into ~/.netrc"):
        get(server.file("closed", CONTENT, login=("me", "word")))
    assert names(path) == []


def test_retry_after_is_honoured(get, server, path, pauses):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    asked = [(429, "7"), (503, later), (429, "99999"), (503, "soon")]
    record = get(server.file("x.fits", CONTENT, faults=[status(code, Retry_After=text) for code, text in asked]))
    assert path.read_bytes() == CONTENT and record.retries == 4
    assert pauses[0] == 7.0 and 50 < pauses[1] <= 60 and pauses[2] == 300.0 and pauses[3] == 16.0


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_passing_answers_are_asked_again(get, server, path, pauses, code):
    record = get(server.file("x.fits", CONTENT, faults=[status(code), status(code)]))
    assert path.read_bytes() == CONTENT and (record.attempts, record.retries) == (3, 2) and pauses == [2.0, 4.0]


def test_an_answer_500_for_ever_ends_with_the_number_of_tries(get, server, path, pauses):
    served = server.file("x.fits", CONTENT, faults=[status(500)], lasting=True)
    with pytest.raises(InputError, match=r"could not be fetched in 5 tries \(the server answers 500\). .* put the file at .*got/x.fits"):
        get(served)
    assert len(server.of("x.fits")) == 5 and pauses == [2.0, 4.0, 8.0, 16.0] and names(path) == []
    record = get(served, server.file("mirror", CONTENT), attempts=2)
    assert record.mirror == 1 and path.read_bytes() == CONTENT


def test_an_answer_that_stalls_is_given_up_and_resumed(get, server, path):
    record = get(server.file("x.fits", CONTENT, faults=[stall(CUT)]), timeout=0.3)
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={CUT}-"] and record.resumed_bytes == CUT


def test_a_server_that_stalls_for_ever_is_an_error(get, server):
    with pytest.raises(InputError, match=r"could not be fetched in 2 tries \(nothing came for 0.2 s\)"):
        get(server.file("x.fits", CONTENT, faults=[stall(0)], lasting=True), timeout=0.2, attempts=2)


@pytest.mark.parametrize("compare", [True, False])
@pytest.mark.parametrize("new", [{"etag": '"two"'}, {"etag": None, "modified": "Tue, 03 Jan 2023 10:00:00 GMT"}])
def test_a_file_that_changes_between_tries_is_fetched_anew(get, server, path, compare, new):
    served = server.file("x.fits", CONTENT, etag='"one"' if new["etag"] else None, compare=compare)
    served.faults = [cut(CUT), become(content=OTHER, **new)]
    record = get(served)
    assert path.read_bytes() == OTHER and record.resumed_bytes == 0
    log = server.of("x.fits")
    # a server that heeds If-Range sends the whole file at once; one that does not is asked again
    assert [request.status for request in log] == ([200, 200] if compare else [200, 206, 200])
    assert log[-1].begin == 0 and log[-1].sent == len(OTHER)


def test_a_file_that_changes_without_a_sign_is_noticed_by_its_size(get, server, path):
    record = get(server.file("x.fits", CONTENT, faults=[cut(CUT), become(content=OTHER + b"more")]))
    assert path.read_bytes() == OTHER + b"more" and record.resumed_bytes == 0


def test_a_mixed_file_is_noticed_by_its_checksum_and_fetched_once_more(get, server, path):
    wanted = {"sha256": hashlib.sha256(OTHER).hexdigest()}
    record = get(server.file("x.fits", CONTENT, faults=[cut(CUT), become(content=OTHER)]), checks=wanted)   # same ETag: the server errs
    assert path.read_bytes() == OTHER and ranges(server) == [None, f"bytes={CUT}-", None] and record.resumed_bytes == 0
    with pytest.raises(InputError, match="is another file"):
        download(server.file("y", CONTENT, faults=[cut(CUT), None, cut(CUT)]).address, path.parent / "y", checks=wanted)
    assert ranges(server, "y") == [None, f"bytes={CUT}-", None, f"bytes={CUT}-"]          # once, not for ever


def test_a_server_without_ranges_starts_anew(get, server, path):
    record = get(server.file("x.fits", CONTENT, ranges=False, faults=[cut(CUT), cut(CUT)]))
    assert path.read_bytes() == CONTENT and record.resumed_bytes == 0
    assert [request.status for request in server.of("x.fits")] == [200] * 3
    with pytest.raises(InputError, match="could not be fetched in 3 tries"):
        get(server.file("y", CONTENT, ranges=False, faults=[cut(CUT)], lasting=True), attempts=3, checks={"sha256": "0" * 64})


def test_a_server_that_sends_another_range_starts_anew(get, server, path):
    get(server.file("x.fits", CONTENT, faults=[cut(CUT), wrong_range]))
    assert path.read_bytes() == CONTENT and ranges(server) == [None, f"bytes={CUT}-", None]


def test_a_server_that_gives_the_rest_in_portions(get, server, path):
    record = get(server.file("x.fits", CONTENT, faults=[cut(CUT), capped(CUT), capped(CUT)]))
    assert path.read_bytes() == CONTENT and record.resumed_bytes == 3 * CUT
    assert [(request.begin, request.sent) for request in server.log] == [(k * CUT, CUT) for k in range(3)] + [(3 * CUT, 900_000)]


@pytest.mark.parametrize("checks", [{}, {"sha256": SHA256}])
def test_without_a_version_only_a_checksum_allows_to_go_on(get, server, path, checks):
    record = get(server.file("x.fits", CONTENT, etag=None, modified=None, faults=[cut(CUT)]), checks=checks)
    assert path.read_bytes() == CONTENT and record.resumed_bytes == (CUT if checks else 0)
    assert ranges(server) == [None, f"bytes={CUT}-" if checks else None]


def test_a_weak_etag_is_not_compared(get, server, path):
    get(server.file("x.fits", CONTENT, etag='W/"one"', faults=[cut(CUT)]))
    assert path.read_bytes() == CONTENT and server.of("x.fits")[1].if_range == "Mon, 02 Jan 2023 10:00:00 GMT"


@pytest.mark.parametrize("checks", [{}, {"sha256": SHA256}])
def test_a_mirror_goes_on_only_where_a_checksum_will_tell(get, server, path, checks):
    broken = server.file("x.fits", CONTENT, faults=[cut(CUT), status(404)], lasting=True)
    record = get(broken, server.file("mirror", CONTENT, etag='"another"'), checks=checks)
    assert path.read_bytes() == CONTENT and record.mirror == 1 and record.version == ('"one"' if checks else '"another"')
    assert ranges(server, "mirror") == [f"bytes={CUT}-" if checks else None] and server.of("mirror")[0].if_range is None


def test_a_part_that_is_whole_is_not_fetched_again(get, server, path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    served = server.file("x.fits", CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(http, "digests", fail)                                   # ended after the last byte, before the check
        with pytest.raises(KeyboardInterrupt):
            get(served)
    assert names(path) == [".x.fits.part", ".x.fits.part.json"]
    record = get(served, checks={"sha256": SHA256})
    assert path.read_bytes() == CONTENT and len(server.log) == 1 and (record.requests, record.resumed_bytes) == (0, len(CONTENT))


def test_a_whole_part_of_unknown_length_is_recognised_by_416(get, server, path):
    part = partial.Part(path)
    with part:
        part.restart(partial.Version(server.base + "x.fits", '"one"'))
        part.append(CONTENT)
    get(server.file("x.fits", CONTENT))
    assert path.read_bytes() == CONTENT and [request.status for request in server.log] == [416]


def test_a_part_that_is_too_long_starts_anew(get, server, path):
    with partial.Part(path) as part:
        part.restart(partial.Version(server.base + "x.fits", '"one"'))
        part.append(CONTENT + b"more")
    get(server.file("x.fits", CONTENT))
    assert path.read_bytes() == CONTENT and [request.status for request in server.log] == [416, 200]


@pytest.mark.parametrize("note", [None, "{", "[]", '{"address": "x"}'])
def test_a_part_of_unknown_origin_is_thrown_away(get, server, path, note):
    path.parent.mkdir()
    (path.parent / ".x.fits.part").write_bytes(OTHER[:CUT])
    if note is not None:
        (path.parent / ".x.fits.part.json").write_text(note)
    get(server.file("x.fits", CONTENT))
    assert path.read_bytes() == CONTENT and ranges(server) == [None]


@pytest.mark.parametrize(
    ("kind", "begin"),
    [("text/html; charset=utf-8", b"<!-- 1 -->"), ("Text/HTML", b""), ("application/octet-stream", b"\n<!DOCTYPE HTML>"), (None, b"")],
)
def test_a_web_page_instead_of_the_file_is_refused(get, server, path, kind, begin):
    with pytest.raises(InputError, match=r"x.fits: gives a web page \(HTML\), not the file. Open the address in a browser.*`a.b`"):
        get(server.file("x.fits", CONTENT, faults=[page(kind, begin)], lasting=True), key="`a.b`")
    assert names(path) == [] and len(server.log) == 1
    assert get(server.file("x.fits", CONTENT, faults=[page(kind)]), server.file("mirror", CONTENT)).mirror == 1


def test_chunks_and_compressed_transport(get, server, path, tmp_path):
    record = get(server.file("x.fits", CONTENT, chunked=True, faults=[cut(CUT)]))
    assert path.read_bytes() == CONTENT and 0 < record.resumed_bytes < CUT and record.retries == 1
    encoded = server.file("y.gz", CONTENT, headers={"Content-Encoding": "gzip"})
    assert download(encoded.address, tmp_path / "y.gz").sha256 == SHA256                   # as it lies on the server
    with pytest.raises(InputError, match=r"comes compressed \(gzip\)"):
        download(encoded.address, tmp_path / "y.fits")


def test_redirections_are_followed_and_counted(get, server, path):
    target = server.file("deep/target", CONTENT, faults=[cut(CUT)])
    served = server.file("x.fits", b"", faults=[redirect(target.address)], lasting=True)
    record = get(served)
    assert path.read_bytes() == CONTENT and record.requests == 4 and record.address == served.address
    assert ranges(server, "deep/target") == [None, f"bytes={CUT}-"]
    with pytest.raises(InputError, match="circle: leads in circles"):
        get(server.file("circle", b"", faults=[redirect(server.base + "circle")], lasting=True), checks={"bytes": 3})


def test_logins_are_used_and_never_told(get, server, path, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG, logger="starlabels")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password hidden-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    served = server.file("x.fits", CONTENT, login=("someone", "hidden-word"), faults=[cut(CUT)])
    get(served)
    assert path.read_bytes() == CONTENT and all(request.authorization for request in server.log)
    told = sidecar(path).read_text() + caplog.text

    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    closed = server.file("y", CONTENT, login=("someone", "hidden-word"), faults=[status(503), cut(CUT), status(404)])
    address = closed.address.replace("//", "//someone:hidden-word@") + "?token=hidden-word"
    with pytest.raises(InputError) as raised:
        download(address, path.parent / "y", wait=1)
    told += str(raised.value) + (path.parent / ".y.part.json").read_text()
    with pytest.raises(InputError) as raised:
        download(address.replace("http:", "ftp:"), path.parent / "z")
    told += str(raised.value)
    download(address, path.parent / "y")
    told += sidecar(path.parent / "y").read_text() + caplog.text
    assert "***@127.0.0.1" in told and "token=***" in told and "hidden-word" not in told and "c29tZW9uZTpoaWRkZW4td29yZA" not in told


def test_a_dead_network_is_an_error_that_names_the_reason(get, path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=r"could not be fetched in 2 tries \(ConnectionRefusedError: .*Connection refused\)"):
        get(f"http://127.0.0.1:{port}/x.fits", attempts=2)
    assert names(path) == []


@pytest.mark.parametrize("address", ["no address", "ftp://127.0.0.1/x", "http://", "http://[::1/x"])
def test_impossible_addresses(get, pauses, address):
    with pytest.raises(InputError, match="is no address"):
        get(address)
    assert not pauses


@pytest.mark.parametrize("urls", [[], [None], [""], None])
def test_no_address_names_the_key(path, urls):
    with pytest.raises(InputError, match="key `rave.public.address`: names no address.*put the file at"):
        download(urls, path, key="key `rave.public.address`")


@pytest.mark.skipif(which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_a_certificate_that_nobody_signed_is_refused_clearly(get, server, tmp_path, monkeypatch, path, pauses):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    with Server(context) as secure:
        served = secure.file("x.fits", CONTENT)
        with pytest.raises(InputError, match=r"has a certificate that cannot be trusted \(self.signed certificate\).*REQUESTS_CA_BUNDLE"):
            get(served)
        assert not secure.log and not pauses and names(path) == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate"))
        assert get(served).sha256 == SHA256


@pytest.mark.parametrize(("number", "text"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "quota"), (errno.EROFS, "Read-only")])
def test_a_disk_that_fills_up_keeps_the_part(get, server, path, monkeypatch, pauses, number, text):
    write = os.write

    def full(handle, piece):
        if os.fstat(handle).st_size + len(piece) > CUT:
            room = CUT - os.fstat(handle).st_size
            if room > 0:
                return write(handle, piece[:room])                             # the last write of a filling disk is a short one
            raise OSError(number, os.strerror(number))
        return write(handle, piece)

    served = server.file("x.fits", CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(partial, "_write", full)
        with pytest.raises(InputError, match=f"x.fits: could not be written: .*{text}.*what has come is kept"):
            get(served)
    assert names(path) == [".x.fits.part", ".x.fits.part.json"] and not pauses
    record = get(served)
    assert path.read_bytes() == CONTENT and record.resumed_bytes == CUT and ranges(server) == [None, f"bytes={CUT}-"]


def test_a_disk_that_is_too_small_is_noticed_before_it_fills(get, server, path, monkeypatch):
    monkeypatch.setattr(partial.shutil, "disk_usage", lambda folder: partial.shutil._ntuple_diskusage(10**6, 10**6 - 5, 5))
    with pytest.raises(InputError, match="needs 3000000 bytes more, but the disk has 5 left"):
        get(server.file("x.fits", CONTENT))
    assert names(path) == []


def test_a_folder_without_rights(get, server, path, monkeypatch):
    def refuse(*_):  # for root no folder is without rights
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(partial.Part, "_open_alone", refuse)
    with pytest.raises(InputError, match="x.fits: could not be written: the folder cannot be written .Permission denied"):
        get(server.file("x.fits", CONTENT))
    assert not server.log


def test_a_folder_that_is_a_file(get, server, path):
    path.parent.write_text("")
    with pytest.raises(InputError, match="could not be written: the folder cannot be written"):
        get(server.file("x.fits", CONTENT))
    assert not server.log


def test_what_is_there_with_its_record_is_kept(get, server, path):
    served = server.file("x.fits", CONTENT)
    first = get(served)
    again = get(served)
    assert (again.status, again.sha256, again.date) == ("kept", first.sha256, first.date) and len(server.log) == 1
    assert get(served, checks={"sha1": SHA1, "bytes": len(CONTENT)}).status == "kept"
    path.write_bytes(CONTENT[:-1] + b"x")                                      # damaged since
    assert get(served).status == "fetched" and path.read_bytes() == CONTENT and len(server.log) == 2
    assert get(server.file("moved", OTHER)).status == "fetched" and path.read_bytes() == OTHER      # another address
    with pytest.raises(InputError, match="moved: is another file"):
        get(server.file("moved", OTHER), checks={"sha256": SHA256})
    assert path.read_bytes() == OTHER                                          # what was there stays until better comes


def test_a_file_of_the_user_is_accepted_by_its_checksum_and_never_written_over(get, server, path):
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    served = server.file("x.fits", OTHER)
    with pytest.raises(InputError, match="x.fits: is there, but nothing tells where it came from. Delete it"):
        get(served)
    with pytest.raises(InputError, match=f"x.fits: is another file .*{SHA256}, not {'0' * 64}.. Delete it"):
        get(served, checks={"sha256": "0" * 64})
    record = get(served, checks={"blob": BLOB})
    assert (record.status, record.address, record.sha256) == ("found", None, SHA256) and read_record(path) == record
    assert get(served, checks={"blob": BLOB}).status == "kept" and not server.log and path.read_bytes() == CONTENT


JOB = """
import sys
sys.path.insert(0, sys.argv[3])
from starlabels.acquire.http import download
download(sys.argv[1], sys.argv[2], timeout=60)
"""


@pytest.fixture
def job(server, path):
    """Another process that fetches a file, and hangs as the server does; killed at the end."""
    started = []

    def start(served):
        command = [sys.executable, "-c", JOB, served.address, str(path), str(SCRIPTS)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 60
        part = path.with_name(f".{path.name}.part")
        while not part.exists() or part.stat().st_size < CUT:
            assert started[0].poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        return started[0]

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=30)


def test_a_killed_job_is_resumed_by_the_next(get, server, path, job):
    served = server.file("x.fits", CONTENT, faults=[stall(CUT)])
    process = job(served)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL
    note = json.loads((path.parent / ".x.fits.part.json").read_text())
    assert note == {"address": served.address, "etag": '"one"', "last_modified": served.modified, "bytes": len(CONTENT)}
    record = get(served)
    assert path.read_bytes() == CONTENT and names(path) == ["x.fits", "x.fits.json"]
    assert (record.attempts, record.resumed_bytes) == (1, CUT)
    assert [(request.begin, request.sent) for request in server.of("x.fits")] == [(0, CUT), (CUT, len(CONTENT) - CUT)]


def test_two_jobs_never_write_one_part(get, server, path, job):
    served = server.file("x.fits", CONTENT, faults=[stall(CUT)])
    job(served)
    with pytest.raises(InputError, match="x.fits: is being fetched by another process"):
        get(served)
    assert len(server.log) == 1


def test_many_small_files_over_one_session_quietly(server, path, caplog, capsys):
    caplog.set_level(logging.INFO, logger="starlabels")
    with requests.Session() as session:
        for k in range(3):
            download(server.file(f"{k}", b"%d" % k).address, path.parent / f"{k}", session=session, quiet=True)
        session.auth = ("me", "word")
        download(server.file("3", b"3", login=("me", "word")).address, path.parent / "3", session=session)      # it is used, and not closed
    assert [(path.parent / f"{k}").read_text() for k in range(4)] == ["0", "1", "2", "3"]
    assert [line.message.split(":")[0] for line in caplog.records] == [str(path.parent / "3")]
    assert capsys.readouterr().err == ""                                       # no bar for what comes within seconds


def test_the_record_is_there_before_the_file(get, server, path, monkeypatch):
    seen = []
    finish = partial.Part.finish
    monkeypatch.setattr(partial.Part, "finish", lambda part: (seen.append((path.exists(), read_record(path).sha256)), finish(part)))
    get(server.file("x.fits", CONTENT))
    assert seen == [(False, SHA256)]


def test_memory_does_not_grow_with_the_file(server, path):
    """Of sixty million bytes, at most a few pieces are in memory at a time."""
    import tracemalloc

    served = server.file("x.fits", bytes(60_000_000))
    tracemalloc.start()
    try:
        download(served.address, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size == 60_000_000 and peak < 30_000_000
