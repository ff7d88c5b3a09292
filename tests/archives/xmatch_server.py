"""A stand-in of the X-Match service of CDS on this machine: catalogues matched by brute force, faults on demand."""

import email
import http.server
import io
import threading

import numpy as np
import pandas as pd
from astropy.io import votable
from astropy.table import Table


class XMatchServer(http.server.ThreadingHTTPServer):
    """Serve catalogues.

    Parameters
    ----------
    catalogues : mapping
        Name -> DataFrame with `RAJ2000`, `DEJ2000` (deg).
    units : mapping
        Column -> unit.

    Attributes
    ----------
    faults : list
        What the next matches meet: a status, "cut", "garbage", None.
    maxrec : int
        Rows given at most; more are said to be cut off.
    uploads : list of DataFrame
        What was uploaded.
    """

    def __init__(self, catalogues, units=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.catalogues, self.units = dict(catalogues), dict(units or {})
        self.faults, self.maxrec, self.uploads, self.fields, self.requests = [], 2_000_000, [], [], 0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/xmatch/api/v1/sync"

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def match(self, fields, uploaded):
        """The VOTable of a match."""
        catalogue = self.catalogues[fields["cat2"].removeprefix("vizier:")]
        first, second = (
            np.radians(frame[list(names)].to_numpy(float))
            for frame, names in ((uploaded, (fields["colRA1"], fields["colDec1"])), (catalogue, ("RAJ2000", "DEJ2000")))
        )
        half = np.sin((first[:, None, 1] - second[None, :, 1]) / 2) ** 2
        half += np.cos(first[:, None, 1]) * np.cos(second[None, :, 1]) * np.sin((first[:, None, 0] - second[None, :, 0]) / 2) ** 2
        distance = np.degrees(2 * np.arcsin(np.sqrt(half))) * 3600
        i, j = np.nonzero(distance <= float(fields["distMaxArcsec"]))
        left, right = uploaded.iloc[i].reset_index(drop=True), catalogue.iloc[j].reset_index(drop=True)
        frame = pd.concat([pd.DataFrame({"angDist": distance[i, j].round(6)}), left, right], axis=1)
        most = min(self.maxrec, int(fields.get("MAXREC", self.maxrec)))
        table = Table.from_pandas(frame.head(most), units={k: v for k, v in self.units.items() if k in frame})
        made, out = votable.from_table(table), io.BytesIO()
        made.to_xml(out)
        mark = b'</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>' if len(frame) > most else b"</TABLE>"
        return out.getvalue().replace(b"</TABLE>", mark)


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def _send(self, status, body, cut=False):
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def do_GET(self):  # noqa: N802
        self.server.requests += 1
        self._send(200, "\n".join(self.server.catalogues).encode())

    def do_POST(self):  # noqa: N802
        server, body = self.server, self.rfile.read(int(self.headers["Content-Length"]))
        server.requests += 1
        fault = server.faults.pop(0) if server.faults else None
        if fault == "garbage":
            return self._send(200, b"<html>busy")
        if fault not in (None, "cut"):
            return self._send(fault, b"<html>a fault of a proxy<br></html>")
        parts = email.message_from_bytes(b"Content-Type: " + self.headers["Content-Type"].encode() + b"\n\n" + body).get_payload()
        fields = {p.get_param("name", header="content-disposition"): p.get_payload(decode=True).decode() for p in parts}
        uploaded = pd.read_csv(io.StringIO(fields.pop("cat1")))
        server.fields.append(fields)
        server.uploads.append(uploaded)
        if fields["cat2"].removeprefix("vizier:") not in server.catalogues or float(fields["distMaxArcsec"]) > 180:
            info = '<INFO ID="QUERY_STATUS" name="QUERY_STATUS" value="ERROR">no such match</INFO>'
            return self._send(400, f'<VOTABLE version="1.3"><RESOURCE type="results">{info}</RESOURCE></VOTABLE>'.encode())
        return self._send(200, server.match(fields, uploaded), fault == "cut")
