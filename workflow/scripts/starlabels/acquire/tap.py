"""Slices of tables from TAP services (through pyvo), as Parquet with the service's own names, units and types.

An asynchronous job outlives the process that asked for it: its address is kept in `{file}.job` until the file is whole, so that a killed
run goes on waiting for the same job. The answer is asked for as a VOTable, the one format that every service gives and that says which
values are missing and whether rows were cut off; it is turned into Parquet while it arrives (see `votable`).
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import pyvo.dal.exceptions as dal
import requests
from pyvo.dal.tap import TAPQuery

from ..errors import InputError
from .arrived import finish, kept
from .query import Selection, native_columns
from .record import Record, redact
from .schema import Schema
from .service import Patience, Session, arriving, reason
from .tap_job import Asynchronous, Synchronous
from .votable import RefusedError, VotableStream

log = logging.getLogger(__name__)

COUNT_TRIES = 2            # a service that does not count in time is not pressed
SLICES = "Cut more slices (`slices` of the road), so that each has fewer rows"


class TapService:
    """A TAP service.

    Parameters
    ----------
    address : str
        Without `/sync`.
    language : str
        ADQL or PostgreSQL.
    token : str or None
        Name of the environment variable that holds a token.
    attempts, wait, timeout : int, float, float
        Tries of each request, seconds before the second (doubled each time), seconds of silence that end one.
    """

    def __init__(
        self, address: str, language: str = "ADQL", token: str | None = None, attempts: int = 5, wait: float = 2.0, timeout: float = 120.0
    ):
        self.address, self.language = address.rstrip("/"), language
        self.session = Session(address, token, timeout)
        self.patience = Patience(attempts, wait, self.session.secret)
        self.schema = Schema(self)

    @property
    def name(self) -> str:
        """The address, as errors and records may show it."""
        return redact(self.address, self.session.secret)

    def run(self, action):
        """An action, with patience."""
        return self.patience.run(action, self.name)

    def answer(self, query: str, maxrec: int | None = None) -> VotableStream:
        """Ask synchronously; the rows follow as they are read."""
        asked = TAPQuery(self.address, query, mode="sync", language=self.language, maxrec=maxrec, session=self.session)
        return self.stream(asked.submit())

    def stream(self, answer: requests.Response) -> VotableStream:
        """The rows of a response."""
        if answer.status_code == 400:
            raise RefusedError(reason(answer))
        answer.raise_for_status()
        return VotableStream(arriving(answer), self.name)

    def rows(self, query: str, maxrec: int | None = None) -> list[dict]:
        """All rows of a small answer."""
        return self.run(lambda: self._all(query, maxrec))

    def _all(self, query: str, maxrec: int | None) -> list[dict]:
        return [row for piece in self.answer(query, maxrec).pieces() for row in piece.to_pylist()]

    def count(self, selection: Selection) -> int | None:
        """Rows of a selection; None where the service does not count them."""
        patience = Patience(min(self.patience.attempts, COUNT_TRIES), self.patience.wait, self.session.secret)
        try:
            rows = patience.run(lambda: self._all(selection.count(), None), self.name)
            return int(next(iter(rows[0].values())))
        except (RefusedError, InputError, IndexError, requests.HTTPError) as error:
            said = redact(error, self.session.secret)
            log.warning("%s does not count the rows of this slice (%s); their number cannot be checked", self.name, said)
            return None
        finally:
            self.patience.retries += patience.retries


def fetch(
    path: str | Path, details: Mapping, spec: Mapping, dataset: str = "", attempts: int = 5, wait: float = 2.0, timeout: float = 120.0,
    longest: float = 86400.0,
) -> Record:  # fmt: skip
    """Fetch a slice of a table, unless it is there already.

    Parameters
    ----------
    path : path
        Parquet; it appears when it is whole, with its record `{path}.json`.
    details : mapping
        Of the piece (see `roads.Piece`): `service`, `table`, and optionally `columns`, `where`, `slice`, `mode`, `language`, `maxrec`,
        `token`, `count`.
    spec : mapping
        The dataset's entry: without `columns` the first known native name of each of its columns is asked for.
    attempts, wait, timeout : int, float, float
        Tries of each request, seconds before the second (doubled each time), seconds of silence that end one.
    longest : float
        Seconds that a job is waited for.

    Raises
    ------
    InputError
        When the service does not exist, refuses the query (the nearest names of its schema are told), cuts off rows, gives other
        rows than it counts, or keeps failing.
    """
    path, started = Path(path), time.monotonic()
    service = TapService(details["service"], details.get("language", "ADQL"), details.get("token"), attempts, wait, timeout)
    table, maxrec = details["table"], details.get("maxrec")
    columns = details.get("columns") or native_columns(spec, service.schema.columns(table), f"{service.name}, table {table}")
    selection = Selection(table, tuple(columns), details.get("where"), details.get("slice"), service.language)
    query = selection.text()
    if (found := kept(path, "tap", service.name, query)) is not None:
        return found
    record = Record(dataset, "tap", service=service.name, query=query)
    counted = service.count(selection) if details.get("count", True) else None
    if counted is not None and maxrec and counted >= maxrec:
        raise InputError(service.name, f"has {counted} rows in this slice of {table} and gives {maxrec} at most (`maxrec`)", SLICES)
    log.info("%s: %s (%s rows)", service.name, query, "uncounted" if counted is None else counted)
    at_once = details.get("mode", "async") == "sync"
    ask = Synchronous(service, query, maxrec) if at_once else Asynchronous(service, path, query, maxrec, longest)

    def check(rows: int, overflow: bool) -> None:
        if overflow or (maxrec and rows >= maxrec):
            ask.forget()
            raise InputError(service.name, f"cut the answer off after {rows} rows of {table}", f"{SLICES}, or set a higher `maxrec`")
        if counted is not None and rows != counted:
            ask.forget()
            raise InputError(service.name, f"gave {rows} rows of {table} where it counts {counted}", "Run again; `count: false` skips this")

    try:
        meta = {"dataset": dataset, "service": service.name, "query": query}
        record.rows = ask.into(path, selection.columns, meta, check)
    except (RefusedError, dal.DALQueryError, dal.DALServiceError, requests.HTTPError) as error:
        ask.forget()
        raise service.schema.explained(selection, redact(error, service.session.secret)) from error
    ask.forget()
    record.requests, record.retries = service.session.sent, service.patience.retries
    return finish(path, record, started)
