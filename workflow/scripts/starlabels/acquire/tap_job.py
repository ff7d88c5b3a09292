"""How a TAP service is asked: at once, or by a job that outlives the process and is found again."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyvo.dal.exceptions as dal
import requests
from pyvo.dal.tap import AsyncTAPJob, TAPQuery

from ..errors import InputError
from ..io import read_json, write_json
from .arrived import write_answer
from .record import redact, utc_now
from .request import PassingError
from .service import GoneError, reason
from .votable import CutError, RefusedError, VotableStream

if TYPE_CHECKING:
    from .tap import TapService

log = logging.getLogger(__name__)

LONGEST_POLL = 60.0        # seconds between two looks at a job


class Synchronous:
    """A query that is answered at once."""

    def __init__(self, service: "TapService", query: str, maxrec: int | None):
        self.service, self.query, self.maxrec = service, query, maxrec

    def into(self, path: Path, columns: Sequence[str], meta: Mapping, check: Callable[[int, bool], None]) -> int:
        """Write the answer; its rows."""
        return write_answer(path, self._answer, columns, meta, check, self.service.run)

    def _answer(self) -> VotableStream:
        return self.service.answer(self.query, self.maxrec)

    def forget(self) -> None:
        """Nothing stays at the service."""


class Asynchronous(Synchronous):
    """A query that is a job of the service: submitted, or found again, waited for, and deleted at the end."""

    def __init__(self, service: "TapService", path: Path, query: str, maxrec: int | None, longest: float):
        super().__init__(service, query, maxrec)
        self.note, self.longest = Path(f"{path}.job"), longest
        self.job: AsyncTAPJob | None = None

    def into(self, path: Path, columns: Sequence[str], meta: Mapping, check: Callable[[int, bool], None]) -> int:
        self.service.run(self._completed)
        return super().into(path, columns, meta, check)

    def _completed(self) -> None:
        """Have a job of this query that is completed; one that was lost or hit by a passing failure is submitted anew."""
        self.job = self._found_again() or self._submitted()
        phase = self._waited()
        if phase == "COMPLETED":
            return
        said, kind = _said(self.job)
        self.forget()
        if kind == "transient":
            raise PassingError(f"the job ended in the phase {phase}: {said}")
        raise RefusedError(said if phase == "ERROR" else f"the job ended in the phase {phase}: {said}")

    def _found_again(self) -> AsyncTAPJob | None:
        if not self.note.exists():
            return None
        note = read_json(self.note)
        if (note.get("service"), note.get("query")) != (self.service.name, self.query):
            self.note.unlink()
            return None
        try:
            job = self._job(note["job"])
        except GoneError:
            log.warning("%s: the job of %s is gone; it is submitted anew", self.service.name, note.get("date"))
            self.note.unlink()
            return None
        log.info("%s: goes on with the job of %s", self.service.name, note.get("date"))
        return job

    def _submitted(self) -> AsyncTAPJob:
        service = self.service
        asked = TAPQuery(
            service.address, self.query, mode="async", language=service.language, maxrec=self.maxrec, session=service.session
        )  # fmt: skip

        def submit() -> str:
            answer = asked.submit()
            if answer.history:  # the service leads to the job, however that answers at this moment
                return answer.url
            if answer.status_code == 400:
                raise RefusedError(reason(answer))
            answer.raise_for_status()
            raise PassingError("the service takes the query but names no job")

        address = service.run(submit)
        write_json(self.note, {"job": redact(address).replace("***@", ""), "service": service.name, "query": self.query, "date": utc_now()})
        return self._job(address)

    def _job(self, address: str) -> AsyncTAPJob:
        """A job of the service by its address."""
        return self.service.run(lambda: _parsed(lambda: AsyncTAPJob(address, session=self.service.session, delete=False)))

    def _waited(self) -> str:
        """The phase in which the job ends."""
        started, pause, last = time.monotonic(), self.service.patience.wait, None
        while True:
            try:
                phase = self.service.run(lambda: _parsed(lambda: self.job.phase))
            except GoneError as error:
                self.note.unlink(missing_ok=True)
                raise PassingError("the service lost the job") from error
            elapsed = time.monotonic() - started
            if phase != last or pause >= LONGEST_POLL:
                log.info("%s: job %s after %.0f s", self.service.name, phase, elapsed)
            last = phase
            if phase in ("COMPLETED", "ERROR", "ABORTED", "ARCHIVED"):
                return phase
            if phase == "PENDING":
                self.service.run(self.job.run)
                continue
            if elapsed > self.longest:
                found = f"has not finished the job after {elapsed:.0f} s"
                raise InputError(self.service.name, found, "Run again: the same job is waited for")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)

    def _answer(self) -> VotableStream:
        if self.job.result_uri is None:
            raise PassingError("the completed job has no result yet")
        return self.service.stream(self.service.session.get(self.job.result_uri, stream=True))

    def forget(self) -> None:
        """Delete the job at the service, and the note of it."""
        if self.job is not None:
            try:
                self.job.delete()
            except (dal.DALServiceError, requests.RequestException) as error:
                log.warning("%s: the job could not be deleted (%s)", self.service.name, redact(error, self.service.session.secret))
            self.job = None
        self.note.unlink(missing_ok=True)


def _parsed(look: Callable):
    """What a look at a job gives; an answer that describes no job is a passing failure."""
    try:
        return look()
    except requests.RequestException:
        raise
    except ValueError as error:  # of the XML parser that pyvo uses
        raise CutError(f"the answer describes no job ({error})") from error


def _said(job: AsyncTAPJob) -> tuple[str, str]:
    """What a job says about its failure: message, and kind (transient or fatal)."""
    summary = job._job.errorsummary  # pyvo shows the message alone, as an exception; the kind decides whether a new job is worth a try
    message = getattr(getattr(summary, "message", None), "content", None)
    return " ".join(str(message or "no reason given").split()), str(getattr(summary, "type_", None) or "fatal")
