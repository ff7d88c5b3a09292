"""The record of an acquired file: written whole, read again, never with a password or token."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starlabels.acquire.record import Record, read_record, redact, sidecar, utc_now, write_record
from starlabels.errors import InputError


def test_a_record_is_read_as_it_was_written(tmp_path):
    told = {"service": "https://host/tap", "query": "SELECT 1", "rows": 3, "bytes": 10, "sha256": "a" * 64, "requests": 4}
    record = Record("gaia", "tap", **told, date=utc_now())
    write_record(tmp_path / "slice-0000.parquet", record)
    assert [p.name for p in tmp_path.iterdir()] == ["slice-0000.parquet.json"]
    assert read_record(tmp_path / "slice-0000.parquet") == record
    written = json.loads(sidecar(tmp_path / "slice-0000.parquet").read_text())
    assert "address" not in written and written["status"] == "fetched" and written["query"] == "SELECT 1"


def test_no_record_and_damaged_records(tmp_path):
    path = tmp_path / "x"
    assert read_record(path) is None
    for content, text in (("{", "is not valid JSON"), ("[]", "is not the record"), ('{"colour": 1}', "is not the record")):
        sidecar(path).write_text(content)
        with pytest.raises(InputError, match=f"x.json: {text}.*Delete it"):
            read_record(path)


def test_no_credentials_are_written(tmp_path):
    address = "https://me:hidden@host/x?release=dr6&token=hidden&n=1"
    write_record(tmp_path / "x", Record(address=address, service="https://hidden@host", query="http://h/?X-Amz-Signature=hidden"))
    text = sidecar(tmp_path / "x").read_text()
    assert "hidden" not in text and "https://***@host/x?release=dr6&token=***&n=1" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host/a@b?c=d@e", "https://host/a@b?c=d@e"),
        ("see https://u:p@ss@host/x, and ftp://u@h:21/y", "see https://***@host/x, and ftp://***@h:21/y"),
        ("/x?api_key=1&API-KEY=2&access_token=3&sigma=4&monkey=5", "/x?api_key=***&API-KEY=***&access_token=***&sigma=4&monkey=5"),
        ("Max retries exceeded with url: /x?password=abc (Caused by", "Max retries exceeded with url: /x?password=*** (Caused by"),
    ],
)  # fmt: skip
def test_what_is_blotted_out(text, shown):
    assert redact(text) == shown


def test_secrets_that_are_known_are_blotted_out_wherever_they_stand():
    assert redact(ValueError("header Token abc123 refused"), "abc123", None, "") == "header Token *** refused"


@given(user=st.text("abc:@%$!", max_size=9), host=st.text("abc.", min_size=1, max_size=9), rest=st.text("abc/?=&@#", max_size=12))
def test_a_login_never_stays_and_twice_is_as_once(user, host, rest):
    shown = redact(f"http://{user}@{host}/{rest}")
    assert shown == f"http://***@{host}/{rest}" and redact(shown) == shown
