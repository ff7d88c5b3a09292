"""Size and checksums of a file."""

import pytest

from starlabels.acquire import http
from starlabels.acquire.digest import CHECKS, digests, verify
from starlabels.errors import InputError

# printed in the documentation of git, and in the standards of the checksums
KNOWN = {
    "abc": {
        "bytes": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "md5": "900150983cd24fb0d6963f7d28e17f72",
    },
    "what is up, doc?": {"bytes": 16, "blob": "bd9dbf5aae1a3862dd1526723246b20206e5fc37"},
    "": {"bytes": 0, "md5": "d41d8cd98f00b204e9800998ecf8427e"},
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_contents(tmp_path, text):
    (tmp_path / "x").write_text(text)
    found = digests(tmp_path / "x", CHECKS)
    assert set(found) == set(CHECKS) and KNOWN[text].items() <= found.items()
    assert KNOWN[text].items() <= verify(tmp_path / "x", KNOWN[text]).items()


def test_another_file_is_named_with_what_was_found(tmp_path):
    (tmp_path / "x").write_text("abc")
    assert http.verify is verify
    with pytest.raises(InputError, match="maps of SFD: has 3 bytes, not 4. Delete it"):
        verify(tmp_path / "x", {"bytes": 4}, "maps of SFD")
    with pytest.raises(InputError, match="x: is another file .3 bytes, sha1 a9993e36.*, not 0000"):
        verify(tmp_path / "x", {"bytes": 3, "sha1": "0" * 40})
    with pytest.raises(InputError, match="y: does not exist"):
        verify(tmp_path / "y", {})
