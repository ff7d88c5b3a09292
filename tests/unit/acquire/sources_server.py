"""A small server of files (with ranges), of one TAP service and of one X-Match service, for the tests of `acquire_check`."""

import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

VOTABLE = """<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="OK"/><TABLE>{fields}<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""
ERROR = """<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="ERROR">{text}</INFO></RESOURCE></VOTABLE>"""


def votable(columns, rows=()):
    """A VOTable; `columns`: name -> (datatype, unit)."""
    field = '<FIELD name="{}" datatype="{}" {} {}/>'
    fields = [field.format(n, t, 'arraysize="*"' if t == "char" else "", f'unit="{u}"' if u else "") for n, (t, u) in columns.items()]
    cells = ["<TR>" + "".join(f"<TD>{value}</TD>" for value in row) + "</TR>" for row in rows]
    return VOTABLE.format(fields="".join(fields), rows="".join(cells)).encode()


class Handler(BaseHTTPRequestHandler):
    """Files of `server.files`; `/tap/sync` with the tables of `server.tables`; `/xmatch` with `server.catalogues`."""

    def log_message(self, *_):
        pass

    def send(self, content, status=200, kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/never":
            self.server.released.wait(20)
            return
        if self.path == "/page.fits":
            self.send(b"<html>please log in</html>", kind="text/html; charset=utf-8")
            return
        if self.path in ("/private", "/broken"):
            self.send(b"no", 403 if self.path == "/private" else 503)
            return
        content = self.server.files.get(self.path)
        if content is None:
            self.send(b"", 404)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        same = {"Last_Modified": "Mon, 02 Mar 2026 10:00:00 GMT", "ETag": '"v1"'}
        if wanted and not self.path.startswith("/whole/"):
            first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
            self.send(content[first : last + 1], 206, Content_Range=f"bytes {first}-{last}/{len(content)}", **same)
        else:
            self.send(content, **same)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/xmatch":
            name = next((n for n in self.server.catalogues if n.encode() in body), None)
            if name is None:
                self.send(b"<html><body>Unknown catalogue</body></html>", 400, "text/html")
            else:
                self.send(votable({"angDist": ("double", "arcsec"), **self.server.catalogues[name]}), kind="text/xml")
            return
        query = parse_qs(body.decode())
        query = {k.upper(): v[0] for k, v in query.items()}
        self.server.asked.append((self.path, query["QUERY"], query.get("LANG"), self.headers.get("Authorization")))
        self.send(self.answer(query["QUERY"]), kind="application/x-votable+xml")

    def answer(self, query):
        asked = query.lower()
        if "tap_schema" in asked:
            if "tap_schema.tables" in asked:
                return votable({"table_name": ("char", "")}, [(name,) for name in self.server.tables])
            name = next((n for n in self.server.tables if f"'{n}'" in query), None)
            columns = self.server.tables[name][0] if name else {}
            rows = [(c, unit, kind) for c, (kind, unit) in columns.items()]
            return votable(dict.fromkeys(("column_name", "unit", "datatype"), ("char", "")), rows)
        name = next((n for n in self.server.tables if n in query), None)
        if name is None:
            return ERROR.format(text="no such table").encode()
        columns, rows = self.server.tables[name]
        if "count(" in asked:
            return votable({"n": ("long", "")}, [(self.server.counts.get(name, len(rows)),)])
        wanted = [name.strip('" ') for name in re.search(r"SELECT (?:TOP \d+ )?(.*) FROM", query)[1].split(",")]
        place = [list(columns).index(name) for name in wanted]
        return votable({name: columns[name] for name in wanted}, [[row[k] for k in place] for row in rows[:3]])


@contextmanager
def running(files=None, tables=None, catalogues=None, counts=None):
    """The server on a free port of this machine; yields it, with its `address`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files, server.tables, server.catalogues, server.counts = files or {}, tables or {}, catalogues or {}, counts or {}
    server.asked, server.released = [], threading.Event()
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def closed_port():
    """A port of this machine where nothing listens."""
    with running() as server:
        port = server.server_port
    time.sleep(0)
    return port
