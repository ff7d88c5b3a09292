"""Which content a file had when it was first fetched."""

import errno
import fcntl
import json
import subprocess
import sys
from pathlib import Path

import pytest

from starlabels.acquire import lock
from starlabels.acquire.lock import check_or_pin, expected, read_lock
from starlabels.acquire.record import Record
from starlabels.errors import InputError

SCRIPTS = Path(lock.__file__).parents[2]
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def path(tmp_path):
    return tmp_path / "archives.lock.json"


def record(sha256=ONE, **more):
    told = {"address": "https://me:word@host/x", "bytes": 5, "date": "2026-01-02T03:04:05Z", **more}
    return Record("sages", "bulk", sha256=sha256, **told)


def test_the_first_content_is_pinned_and_later_ones_must_agree(path):
    assert check_or_pin(path, "sages/x.fits", record(), trust=True) is True
    assert json.loads(path.read_text()) == {
        "sages/x.fits": {"sha256": ONE, "bytes": 5, "address": "https://***@host/x", "first_seen": "2026-01-02T03:04:05Z"}
    }
    before = path.read_bytes()
    for trust in (True, False):
        assert check_or_pin(path, "sages/x.fits", record(date="later"), trust) is False
        with pytest.raises(InputError, match=f"lock.json, key `sages/x.fits`: was sha256 {ONE} when first fetched .2026-01-02.*{TWO}"):
            check_or_pin(path, "sages/x.fits", record(TWO), trust)
    assert path.read_bytes() == before


def test_keys_are_sorted_and_earlier_ones_stay(path):
    for key in ("b/x", "c/x", "a/x"):
        check_or_pin(path, key, record(), trust=True)
    assert list(json.loads(path.read_text())) == ["a/x", "b/x", "c/x"]


def test_without_trust_nothing_unknown_is_fetched_or_pinned(path):
    text = "key `sages/x`: is absent.*sha256 in config/datasets.yaml, or set `archives.trust_on_first_use: true`"
    with pytest.raises(InputError, match=text):
        expected(path, "sages/x", {"bytes": 5}, trust=False)
    with pytest.raises(InputError, match=text):
        check_or_pin(path, "sages/x", record(), trust=False)
    assert not path.exists()


def test_what_a_file_must_have_is_what_is_stated_or_what_the_lock_knows(path):
    check_or_pin(path, "sages/x", record(), trust=True)
    assert expected(path, "sages/x", {"bytes": 7, "md5": None}, trust=False) == {"bytes": 7, "sha256": ONE}
    assert expected(path, "sages/x", {"sha1": "f" * 40}, trust=False) == {"sha1": "f" * 40}         # what is stated comes first
    assert expected(path, "sages/y", {"sha256": TWO}, trust=False) == {"sha256": TWO}
    assert expected(path, "sages/y", None, trust=True) == {}


@pytest.mark.parametrize("content", ["{", "[]", '{"a/x": {"bytes": 5}}', '{"a/x": {"sha256": "12"}}', '{"a/x": 5}'])
def test_a_damaged_lock_is_refused_and_left_alone(path, content):
    path.write_text(content)
    for call in (lambda: expected(path, "a/x", {}, True), lambda: check_or_pin(path, "b/x", record(), True)):
        with pytest.raises(InputError, match="archives.lock.json.*Mend it"):
            call()
    assert path.read_text() == content


def test_a_record_without_checksum_pins_nothing(path):
    with pytest.raises(InputError, match="a/x: has a record without sha256"):
        check_or_pin(path, "a/x", record(None), trust=True)
    assert not path.exists()


def test_places_that_cannot_be_used(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/lock.json: cannot be read"):
        check_or_pin(tmp_path / "file/lock.json", "a/x", record(), trust=True)
    (tmp_path / ".archives.lock.json.lock").mkdir()
    with pytest.raises(InputError, match="cannot be written .Is a directory.. Check its folder's rights, or change `archives.lock`"):
        check_or_pin(path, "a/x", record(), trust=True)
    assert not path.exists()


def test_a_file_system_without_locks_still_pins(path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert check_or_pin(path, "a/x", record(), trust=True) and read_lock(path)["a/x"]["sha256"] == ONE
    assert "has no locks" in caplog.text


JOB = """
import sys
sys.path.insert(0, sys.argv[3])
from starlabels.acquire.lock import check_or_pin
from starlabels.acquire.record import Record
print("ready", flush=True)
sys.stdin.readline()
for k in range(25):
    check_or_pin(sys.argv[1], f"set{sys.argv[2]}/{k}", Record(sha256=f"{k:064x}", bytes=k), True)
"""


def test_many_jobs_pin_at_one_moment_and_none_is_lost(path):
    command = [sys.executable, "-c", JOB, str(path)]
    jobs = [subprocess.Popen([*command, str(k), str(SCRIPTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for k in range(3)]
    try:
        for job in jobs:
            assert job.stdout.readline() == "ready\n"
        for job in jobs:                                   # all are ready before the first begins
            job.stdin.write("go\n")
            job.stdin.flush()
        assert [job.wait(timeout=120) for job in jobs] == [0] * 3
    finally:
        for job in jobs:
            job.kill()
            job.wait(timeout=30)
            job.stdin.close()
            job.stdout.close()
    entries = read_lock(path)
    assert set(entries) == {f"set{j}/{k}" for j in range(3) for k in range(25)} and entries["set2/24"]["sha256"] == f"{24:064x}"


def test_of_two_jobs_that_pin_one_file_differently_one_fails(path, monkeypatch):
    """The other job pins between the first look and the lock."""
    alone = lock._alone

    def slow(path):
        monkeypatch.setattr(lock, "_alone", alone)
        check_or_pin(path, "a/x", record(TWO), trust=True)
        return alone(path)

    monkeypatch.setattr(lock, "_alone", slow)
    with pytest.raises(InputError, match=f"was sha256 {TWO}"):
        check_or_pin(path, "a/x", record(ONE), trust=True)
    assert read_lock(path)["a/x"]["sha256"] == TWO
