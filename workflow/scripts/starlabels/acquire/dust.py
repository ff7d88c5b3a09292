"""The two maps of SFD reddening, fetched by `dustmaps` and checked before they get their names."""

import os
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import requests

from ..dust import POLES, query_sfd
from ..errors import InputError
from . import lock
from .digest import difference, digests
from .record import Record, read_record, redact, utc_now, write_record
from .request import PassingError
from .service import Patience, Session

ARCHIVE = "https://dataverse.harvard.edu"   # where `dustmaps` finds them
DOI = "10.7910/DVN/EWCNL5"


def file_name(pole: str) -> str:
    """The name of a map (`ngp`, `sgp`)."""
    return f"SFD_dust_4096_{pole}.fits"


def fetch(
    folder: str | Path, archives: Mapping, checks: Mapping[str, Mapping] | None = None, address: str = ARCHIVE, wait: float = 2.0
) -> dict[str, Record]:
    """Fetch the maps, unless they are there already; each gets its record.

    Parameters
    ----------
    folder : path
        Where they go. Maps that the user put there are checked and used.
    archives : mapping
        Configuration, `archives`: `lock`, `trust_on_first_use`, `attempts`, `timeout`.
    checks : mapping, optional
        Pole -> bytes, sha256, sha1, md5; else the lock file tells.
    address : str
        Of the Dataverse.
    wait : float
        Seconds before the second try, doubled each time.

    Returns
    -------
    dict
        Pole -> record.

    Raises
    ------
    InputError
        Without network, when a map is another one than stated or no map at all, or the lock does not know it and may not trust.
    """
    folder, started, key, trust = Path(folder), time.monotonic(), "dust/{}".format, archives["trust_on_first_use"]
    wanted = {pole: lock.expected(archives["lock"], key(file_name(pole)), (checks or {}).get(pole), trust) for pole in POLES}
    there = [pole for pole in POLES if (folder / file_name(pole)).exists()]
    session, patience = Session(address, None, archives["timeout"]), Patience(archives["attempts"], wait)
    arrived = folder / ".fetching"          # kept when a run is killed: `dustmaps` does not fetch a whole map again
    if len(there) < len(POLES):
        patience.run(lambda: _download(arrived, session, address), redact(address))
    records = {}
    for pole in POLES:
        path = (folder if pole in there else arrived / "sfd") / file_name(pole)
        found = digests(path, wanted[pole])
        if wrong := difference(found, wanted[pole]):
            shutil.rmtree(arrived, ignore_errors=True)
            where = path if pole in there else f"{redact(address)}, {path.name}"
            raise InputError(where, wrong, "Delete it, or correct the checksum in the lock file (`archives.lock`)")
        records[pole] = Record("dust", "dust", address=f"{redact(address)}/dataset.xhtml?persistentId=doi:{DOI}", bytes=found["bytes"])
        records[pole].sha256, records[pole].date = found["sha256"], utc_now()
    # that they are maps of the two poles is seen when they are read
    query_sfd(np.zeros(2), np.array([60.0, -60.0]), folder if len(there) == len(POLES) else arrived / "sfd")
    for pole, record in records.items():
        path = folder / file_name(pole)
        if pole in there:
            record = records[pole] = _known(path, record)
        else:
            record.requests, record.retries, record.attempts = session.sent, patience.retries, patience.retries + 1
            record.seconds = round(time.monotonic() - started, 3)
        lock.check_or_pin(archives["lock"], key(path.name), record, trust)
        if pole not in there:
            os.replace(arrived / "sfd" / path.name, path)
        write_record(path, record)
    shutil.rmtree(arrived, ignore_errors=True)
    return records


def _download(folder: Path, session: Session, address: str) -> None:
    """Let `dustmaps` fetch both maps into `folder`/sfd; it compares them with the checksums of the archive."""
    with _own_dustmaps(folder, session, address) as dustmaps:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with redirect_stdout(StringIO()):
                dustmaps.sfd.fetch()
        except dustmaps.fetch_utils.DownloadError as error:
            raise PassingError(" ".join(str(error).split())) from error
        except requests.RequestException:
            raise
        except (ValueError, KeyError) as error:  # no JSON, or other JSON than a Dataverse's
            raise PassingError(f"the answer describes no data set ({type(error).__name__}: {error})") from error
        except OSError as error:
            raise InputError(folder, f"cannot be written ({error.strerror or error})", "Check the folder's rights and space") from error


@contextmanager
def _own_dustmaps(folder: Path, session: Session, address: str) -> Iterator[SimpleNamespace]:
    """`dustmaps` with our folder, address and session for the time of the block; the user's ~/.dustmapsrc is neither read nor written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has no configuration file
        from dustmaps import fetch_utils, sfd
    before = sfd.data_dir, fetch_utils.dataverse, fetch_utils.requests
    try:
        sfd.data_dir, fetch_utils.dataverse = lambda: str(folder), address
        fetch_utils.requests = SimpleNamespace(get=session.get, exceptions=requests.exceptions)
        yield SimpleNamespace(sfd=sfd, fetch_utils=fetch_utils)
    finally:
        sfd.data_dir, fetch_utils.dataverse, fetch_utils.requests = before


def _known(path: Path, record: Record) -> Record:
    """The record of a map that was there already."""
    before = read_record(path)
    if before is not None and before.sha256 == record.sha256:
        before.status = "kept"
        return before
    record.status, record.address = "found", None
    return record
