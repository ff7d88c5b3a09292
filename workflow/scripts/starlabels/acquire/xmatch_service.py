"""The X-Match service of CDS, asked through astroquery with patience."""

import io
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
from astropy import units as u
from astroquery.xmatch import XMatchClass, conf

from ..errors import InputError
from .digest import PIECE
from .record import redact
from .service import Patience, Session, by_status
from .votable import VotableStream

MOST_ROWS = 2_000_000                                        # the service gives at most
NUMBER, RA, DEC = "upload_number", "upload_ra", "upload_dec"  # names that no catalogue has


class _Session(Session):
    """Fails on bad answers at once: astroquery takes every one of them for a VOTable."""

    def send(self, request, **options):
        answer = super().send(request, **options)
        if answer.status_code == 403:
            found = "has locked this machine out (403): too many cross-matches at once"
            raise InputError(redact(request.url), found, "Ask CDS, and allow fewer `downloads` at a time")
        if (failure := by_status(answer, redact(request.url))) is not None:
            raise failure
        return answer


class XMatchService(XMatchClass):
    """The service of CDS, or another one at an address like it.

    Parameters
    ----------
    address : str or None
        By default that of CDS.
    attempts, wait, timeout : int, float, float
        Tries of each request, seconds before the second (doubled each time), seconds of silence that end one.
    """

    def __init__(self, address: str | None = None, attempts: int = 5, wait: float = 2.0, timeout: float = 300.0):
        super().__init__()
        self.URL, self.TIMEOUT = address or conf.url, timeout
        self.name = redact(self.URL)
        self._session = _Session(self.URL, None, timeout)
        self.patience = Patience(attempts, wait)
        self._tables = lru_cache(None)(lambda: super(XMatchService, self).get_available_tables(cache=False))

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self._session.sent

    def get_available_tables(self, *, cache=True) -> list[str]:
        """Tables of VizieR, asked once a process: the cache of astroquery on disk is not made for several jobs at once."""
        return self._tables()

    def near(self, ra: np.ndarray, dec: np.ndarray, numbers: np.ndarray, catalogue: str, radius_arcsec: float) -> tuple[list, pa.Table]:
        """Catalogue rows near positions: their fields, and the rows with angDist and the number of the position.

        Where the answer is cut off, each half of the positions is asked for again.
        """
        text = pd.DataFrame({NUMBER: numbers, RA: ra, DEC: dec}).to_csv(index=False)

        def ask() -> tuple[VotableStream, pa.Table]:
            radius = radius_arcsec * u.arcsec
            answer = self.query_async(io.StringIO(text), catalogue, radius, colRA1=RA, colDec1=DEC, cache=False, MAXREC=MOST_ROWS)
            content = answer.content
            stream = VotableStream((content[k : k + PIECE] for k in range(0, len(content), PIECE)), self.name)
            return stream, pa.concat_tables(list(stream.pieces()))

        stream, rows = self.patience.run(ask, self.name)
        if not stream.overflow and len(rows) < MOST_ROWS:
            return stream.fields, rows
        if len(ra) < 2:
            raise InputError(self.name, f"gives {len(rows)} rows of {catalogue} near one position, and no more", "Use a smaller radius")
        middle = len(ra) // 2
        halves = [self.near(ra[s], dec[s], numbers[s], catalogue, radius_arcsec) for s in (slice(None, middle), slice(middle, None))]
        return stream.fields, pa.concat_tables([rows for _, rows in halves])
