"""One native file by the road of its dataset, held against the lock file where it is a file that does not change."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import http, lock, tap, xmatch
from .digest import CHECKSUMS
from .record import Record
from .roads import Piece

log = logging.getLogger(__name__)

SERVICE_TIMEOUT = 300.0        # s; a service that works on a question is silent for longer than one that sends a file


def fetch(piece: Piece, spec: Mapping, archives: Mapping, positions: Sequence[str], path: str | Path, wait: float = 2.0) -> Record:
    """Fetch a piece of a dataset, unless it is there already; its record lies beside it.

    Parameters
    ----------
    piece : Piece
    spec : mapping
        Entry of the dataset.
    archives : mapping
        Configuration, `archives`.
    positions : sequence of path
        Tables with the positions to upload, for an X-Match.
    path : path
    wait : float
        Seconds before the second try.

    Raises
    ------
    InputError
        See `http.download`, `tap.fetch`, `xmatch.fetch`, `lock.check_or_pin`.
    """
    patience = {"attempts": archives["attempts"], "wait": wait, "timeout": archives["timeout"]}
    if piece.kind != "bulk":
        patience["timeout"] = max(SERVICE_TIMEOUT, archives["timeout"])
    if piece.kind == "tap":
        return tap.fetch(path, piece.details, spec, piece.dataset, **patience)
    if piece.kind == "xmatch":
        return xmatch.fetch(path, piece.details, spec, positions, piece.dataset, **patience)
    key, trust = f"{piece.dataset}/{piece.name}", archives["trust_on_first_use"]
    checks = lock.expected(archives["lock"], key, piece.details["checks"], trust)
    record = http.download(piece.details["urls"], path, checks, dataset=piece.dataset, key=f"datasets.{piece.dataset}.acquire", **patience)
    if not any(name in piece.details["checks"] for name in CHECKSUMS):
        lock.check_or_pin(archives["lock"], key, record, trust)
    return record
