"""Tables and JSON on disk: whole or not there at all."""

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from starlabels import io
from starlabels.errors import InputError


@pytest.fixture
def frame():
    return pd.DataFrame({"id": np.array([2**60 + 1, 5], np.int64), "teff": [5772.0, np.nan], "name": ["a", "b"]})


def test_round_trip_keeps_ids_nan_strings_and_metadata(tmp_path, frame):
    path = tmp_path / "a" / "t.parquet"
    io.write_table(path, frame, {"teff": {"unit": "K", "description": "temperature"}}, {"simulated": True})
    back = io.read_table(path)
    pd.testing.assert_frame_equal(back, frame)
    assert back["id"].dtype == np.int64
    assert io.read_meta(path) == {"columns": {"id": {}, "teff": {"unit": "K", "description": "temperature"}, "name": {}}, "simulated": True}
    assert io.row_count(path) == 2


def test_floats_are_stored_split_by_byte(tmp_path, frame):
    io.write_table(tmp_path / "t.parquet", frame)
    column = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0).column(1)
    assert column.compression == "ZSTD" and "BYTE_STREAM_SPLIT" in column.encodings


def test_pieces_give_the_rows_of_the_whole(tmp_path, frame):
    with io.TableWriter(tmp_path / "t.parquet") as writer:
        for _ in range(3):
            writer.write(frame)
    assert len(io.read_table(tmp_path / "t.parquet")) == 6
    assert sum(len(piece) for piece in io.iter_table(tmp_path / "t.parquet", ["id"], rows=4)) == 6


def test_same_content_same_bytes(tmp_path, frame):
    for name in "ab":
        io.write_table(tmp_path / name, frame)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_error_while_writing_leaves_nothing(tmp_path, frame):
    with pytest.raises(ZeroDivisionError), io.TableWriter(tmp_path / "t.parquet") as writer:
        writer.write(frame)
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_survives_a_failed_rewrite(tmp_path, frame):
    io.write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(TypeError):
        io.write_json(tmp_path / "a.json", {"x": object()})
    assert io.read_json(tmp_path / "a.json") == {"x": 1}


def test_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="No space left") as caught, io.atomic(tmp_path / "big"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "Free space" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_goes_with_the_next_and_a_living_ones_stays(tmp_path):
    code = "import os, sys; from starlabels import io; io.atomic(sys.argv[1]).__enter__().write_text('half'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.json")], cwd=Path(io.__file__).parents[1], check=False)
    other = tmp_path / ".b.json.host.1.x.part"
    other.write_text("another file's")
    assert len(list(tmp_path.glob(".a.json.*.part"))) == 1
    with io.atomic(tmp_path / "a.json") as mine:
        io.write_json(tmp_path / "a.json", {"x": 1})
        assert mine.exists()
        assert list(tmp_path.glob(".a.json.*.part")) == [mine]
        mine.write_text("{}")
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, "a.json"]


def test_a_really_full_device():
    with (
        pytest.raises(InputError, match="could not be written"),
        io.atomic("/tmp/starlabels-never-kept") as part,
        open("/dev/full", "w") as full,
    ):
        part.write_text("x")
        full.write("x" * 100_000)
        full.flush()


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        io.write_json(tmp_path / "file" / "x.json", {})


@pytest.mark.parametrize("content", [b"", b"PAR1 but truncated"])
def test_damaged_parquet(tmp_path, content):
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(InputError, match="t.parquet: is not a readable Parquet file"):
        io.read_table(tmp_path / "t.parquet")


def test_truncated_parquet(tmp_path, frame):
    io.write_table(tmp_path / "t.parquet", frame)
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable Parquet"):
        io.read_table(tmp_path / "t.parquet")


def test_missing_file_and_column_are_named(tmp_path, frame):
    with pytest.raises(InputError, match="none.parquet: does not exist"):
        io.read_table(tmp_path / "none.parquet")
    io.write_table(tmp_path / "t.parquet", frame)
    with pytest.raises(InputError, match="column logg: is absent. The file has: id, teff, name"):
        io.read_table(tmp_path / "t.parquet", ["id", "logg"])


def test_json_turns_nan_into_null(tmp_path):
    io.write_json(tmp_path / "a.json", {"x": np.float32("nan"), "y": np.int64(3), "z": np.array([True, False])})
    assert io.read_json(tmp_path / "a.json") == {"x": None, "y": 3, "z": [True, False]}
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        io.read_json(tmp_path / "b.json")
