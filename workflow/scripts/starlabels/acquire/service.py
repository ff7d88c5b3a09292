"""What all query services share: a counted session with credentials from the environment, and patience with passing failures."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import requests
import urllib3
from pyvo.dal.exceptions import DALFormatError, DALProtocolError

from ..errors import InputError
from .digest import PIECE
from .record import redact
from .request import PASSING, PassingError, retry_after
from .votable import CutError, RefusedError, VotableStream

log = logging.getLogger(__name__)

NETWORK = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError,
           urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)  # fmt: skip


class GoneError(InputError):
    """There is nothing at the address."""


class _Token(requests.auth.AuthBase):
    """A token for one host only: an answer that leads elsewhere does not take it along."""

    def __init__(self, host: str, token: str):
        self.host, self.value = host, token if " " in token else f"Token {token}"

    def __call__(self, request):
        if urlsplit(request.url).netloc == self.host:
            request.headers["Authorization"] = self.value
        return request


class Session(requests.Session):
    """A session that counts what it sends and never waits for ever.

    Parameters
    ----------
    service : str
        Address of the service.
    token : str or None
        Name of the environment variable that may hold a token; sent as `Token <value>`, or as it is where it has a blank (`Bearer ...`).
        Where it is not set nothing is sent: many services are open; user names and passwords may stand in ~/.netrc.
    timeout : float
        Seconds without a byte that end a request.
    """

    def __init__(self, service: str, token: str | None = None, timeout: float = 120.0):
        super().__init__()
        self.timeout, self.sent, self.secret = timeout, 0, None
        self.secret = os.environ.get(token) or None if token else None
        if self.secret:
            self.auth = _Token(urlsplit(service).netloc, self.secret)

    def send(self, request, **options):
        self.sent += 1
        given = options.get("timeout")
        options["timeout"] = max(given, self.timeout) if isinstance(given, (int, float)) else self.timeout
        return super().send(request, **options)


@dataclass
class Patience:
    """How often and how long a service is asked again.

    Attributes
    ----------
    attempts : int
        Tries of each request.
    wait : float
        Seconds before the second try, doubled each time.
    secret : str or None
        Never shown.
    retries : int
        Counts the tries that a passing failure made necessary.
    """

    attempts: int = 5
    wait: float = 2.0
    secret: str | None = None
    retries: int = 0

    def run(self, action: Callable, where: str):
        """What `action` returns, after passing failures too.

        Raises
        ------
        InputError
            When it fails for good, or as often as is tried.
        """
        where = redact(where, self.secret)
        for attempt in range(1, self.attempts + 1):
            try:
                return action()
            except Exception as error:
                failure = passing(error, where)
                if failure is None:
                    raise
                said = redact(failure, self.secret)
                if attempt == self.attempts:
                    remedy = "Try again later (what is done is kept), or take another road (`archives.roads`)"
                    raise InputError(where, f"failed {attempt} times ({said})", remedy) from None
                pause = failure.pause if failure.pause is not None else self.wait * 2 ** (attempt - 1)
                log.warning("%s: %s; try %d of %d in %.0f s", where, said, attempt + 1, self.attempts, pause)
                self.retries += 1
                time.sleep(pause)
        raise InputError(where, "was not tried", "Give at least one attempt")


def passing(error: Exception, where: str) -> PassingError | None:
    """The failure as one that may pass; None for one that is not of the network.

    Raises
    ------
    InputError
        When the failure is of the network and will not pass.
    """
    if isinstance(error, PassingError):
        return error
    if isinstance(error, (CutError, ExpatError, DALFormatError)):
        return PassingError(str(error))
    answer = getattr(error, "response", None)
    if isinstance(error, DALProtocolError):
        answer = getattr(error.cause, "response", None)
        if answer is None:
            return passing(error.cause, where) if isinstance(error.cause, Exception) else None
    if answer is not None:
        return by_status(answer, where)
    if isinstance(error, requests.exceptions.SSLError):
        raise InputError(where, f"has no certificate that can be trusted ({redact(innermost(error))})", "Check address and clock") from None
    if isinstance(error, (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL)):
        raise InputError(where, f"is no address ({redact(error)})", "Give it with http:// or https://") from None
    return PassingError(innermost(error)) if isinstance(error, NETWORK) else None


def by_status(answer: requests.Response, where: str) -> PassingError | None:
    code = answer.status_code
    if code in PASSING or code >= 500:
        return PassingError(f"the service answers {code}", retry_after(answer.headers))
    if code in (401, 403):
        remedy = "Set the environment variable that the road names (`token` in config/datasets.yaml), or put the login into ~/.netrc"
        raise InputError(where, f"refuses access ({code})", remedy) from None
    if code in (404, 410):
        raise GoneError(where, f"does not exist ({code})", "Correct the address in `acquire` of config/datasets.yaml") from None
    return None


def arriving(answer: requests.Response) -> Iterator[bytes]:
    """The body of an answer in pieces; what the network does to it is no failure to write (`requests` calls both OSError)."""
    try:
        yield from answer.iter_content(PIECE)
    except NETWORK as error:
        raise PassingError(f"the answer was cut ({innermost(error)})") from error


def innermost(error: BaseException) -> str:
    """The innermost reason of a failure, in one line."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__
    return f"{type(error).__name__}: {error}"


def reason(answer: requests.Response) -> str:
    """What a refusal says, whatever it is written in."""
    try:
        for _ in VotableStream([answer.content], "").pieces():
            pass
    except RefusedError as error:
        return str(error)
    except Exception:  # no VOTable: its text is all there is
        pass
    return " ".join(answer.text.split())[:300] or f"status {answer.status_code}"
