"""The spectra of RAVE: one small file each, as the archive's index lists them, slice by slice; resumable file by file."""

import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import requests
from tqdm import tqdm

from ..errors import InputError
from ..io import write_json
from .http import download
from .record import Record, sidecar, utc_now

log = logging.getLogger(__name__)

DONE = ".fetched.jsonl"            # a line a spectrum that has come: what a killed job has done already
SUMMARY = "spectra.json"
NAMED = 5                          # spectra named in messages
_ID = re.compile(r"\d{8}_[A-Za-z0-9_]+")
_ABSENT = re.compile(r"\((?:404|410)\)")          # how `http` says that a server knows no such file


def fetch_spectra(
    index: str | os.PathLike, addresses: Sequence[str], folder: str | os.PathLike,
    attempts: int = 5, wait: float = 2.0, timeout: float = 60.0, threads: int = 4, missing_max: float = 0.01,
) -> Record:  # fmt: skip
    """Fetch the spectra that a slice of the index lists.

    Parameters
    ----------
    index : path
        Parquet; `rave_obs_id` (or VizieR's ObsID), and `spectrum_fits` where the archive gives an address.
    addresses : list of str
        Patterns of addresses, tried in turn: {spectrum_fits}, {rave_obs_id} and {night} are filled in.
    folder : path
        Gets RAVE_<rave_obs_id>.fits and spectra.json (listed, fetched, absent, sha256 of each).
    attempts, wait, timeout
        As in `http.download`.
    threads : int
        Spectra at a time.
    missing_max : float
        Share of the listed spectra that may be absent from every address; they are counted and named.

    Returns
    -------
    Record
        Of the slice: requests, retries, bytes.

    Raises
    ------
    InputError
        When an id is none of RAVE's, or more spectra are absent than may be, or network or server fail.
    """
    folder = Path(folder)
    listed = list(_listed(index))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror})", "Check the folder's rights and space") from error
    done = {name: line for name, line in _done(folder) if (folder / f"RAVE_{name}.fits").exists()}
    total, absent = Record(dataset="rave_spectra", road="bulk"), []
    todo = [(name, address) for name, address in listed if name not in done]
    if done:
        log.info("%s: %d of %d spectra are there", folder, len(done), len(listed))

    here = threading.local()

    def one(entry: tuple[str, str | None]) -> tuple[str, Record | InputError]:
        name, path = entry[0], folder / f"RAVE_{entry[0]}.fits"
        urls = [text for text in (_address(pattern, *entry) for pattern in addresses) if text]
        if path.exists():              # came in the moment of a kill, before its line
            path.unlink()
            sidecar(path).unlink(missing_ok=True)
        try:
            session = here.__dict__.setdefault("session", requests.Session())           # one connection a thread, kept open
            record = download(urls, path, None, attempts, wait, timeout, key="rave.spectra.addresses", session=session, quiet=True)
            sidecar(path).unlink(missing_ok=True)                               # its line below says the same in a tenth of the files
        except InputError as error:
            return name, error
        return name, record

    with open(folder / DONE, "a") as lines, ThreadPoolExecutor(threads) as pool:
        for name, found in tqdm(pool.map(one, todo), total=len(todo), desc=str(folder), unit="file", mininterval=5):
            if isinstance(found, InputError):
                if not _ABSENT.search(found.found):
                    pool.shutdown(cancel_futures=True)
                    raise found
                absent.append(name)
                _check_share(folder, absent, len(listed), missing_max)
                continue
            done[name] = {"rave_obs_id": name, "bytes": found.bytes, "sha256": found.sha256}
            lines.write(json.dumps(done[name]) + "\n")
            lines.flush()
            for count in ("attempts", "requests", "retries", "resumed_bytes"):
                setattr(total, count, getattr(total, count) + getattr(found, count))
    total.rows, total.bytes, total.date = len(done), sum(line["bytes"] for line in done.values()), utc_now()
    spectra = {name: done[name] for name in sorted(done)}
    write_json(folder / SUMMARY, {"listed": len(listed), "fetched": len(spectra), "absent": sorted(absent), "spectra": spectra})
    (folder / DONE).unlink()
    log.info("%s: %d of %d spectra, %d absent from the archive, %d requests, %d tries repeated", folder, len(done), len(listed),
             len(absent), total.requests, total.retries)
    return total


def _check_share(folder: Path, absent: Sequence[str], listed: int, most: float) -> None:
    if len(absent) > max(most * listed, 3):
        found = f"lacks {len(absent)} of {listed} spectra that the index lists ({', '.join(absent[:NAMED])} ...)"
        raise InputError(folder, found, "Check rave.spectra.addresses; what has come is kept")


def _listed(index: str | os.PathLike) -> Iterator[tuple[str, str | None]]:
    """(id, address or None) of every spectrum of the index, each id once."""
    table = pq.read_table(index)
    id_column = next((name for name in ("rave_obs_id", "ObsID") if name in table.column_names), None)
    if id_column is None:
        remedy = "Correct `columns` of rave_spectra_index in config/datasets.yaml"
        raise InputError(f"{index}, column rave_obs_id", f"is absent; present: {', '.join(table.column_names)}", remedy)
    ids = table[id_column].to_pylist()
    given = table["spectrum_fits"].to_pylist() if "spectrum_fits" in table.column_names else [None] * len(ids)
    for name, address in sorted(dict(zip(ids, given, strict=True)).items()):
        if not _ID.fullmatch(str(name)):
            found = f"holds {name!r}, which is no id of RAVE (YYYYMMDD_field_fibre)"
            raise InputError(f"{index}, column {id_column}", found, "Fetch it again")
        yield name, address


def _address(pattern: str, name: str, given: str | None) -> str | None:
    """The address of a spectrum by a pattern; None where the index gives none and the pattern asks for it."""
    if "{spectrum_fits}" in pattern and not given:
        return None
    return pattern.format(spectrum_fits=given or "", rave_obs_id=name, night=name[:8])


def _done(folder: Path) -> Iterator[tuple[str, Mapping]]:
    """What an earlier job has fetched: by its summary, or line by line where it was killed (a cut last line is left out)."""
    if (folder / SUMMARY).exists():
        yield from json.loads((folder / SUMMARY).read_text())["spectra"].items()
    if (folder / DONE).exists():
        for line in (folder / DONE).read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            yield entry["rave_obs_id"], entry
