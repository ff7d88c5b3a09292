"""A small TAP service on this machine: queries run in SQLite, answers are written by astropy, faults are played on demand."""

import http.server
import io
import re
import sqlite3
import threading
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
from astropy.io import votable
from astropy.table import MaskedColumn, Table

UWS = 'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'


class TapServer(http.server.ThreadingHTTPServer):
    """Serve tables.

    Parameters
    ----------
    tables : mapping
        Name -> DataFrame; integer columns may hold NA.
    units : mapping
        Column -> unit.

    Attributes
    ----------
    faults : dict of list
        For `sync`, `count`, `schema`, `submit`, `poll`, `result`, `delete`: what the next requests meet, one a request: a status (with
        headers: a pair), "cut" (half of the answer), "garbage", None (no fault).
    maxrec : int
        Rows given at most.
    polls : int
        Looks at a job until it is completed.
    job_error : pair or None
        Kind (`transient`, `fatal`) and message with which the next job ends.
    token : str or None
        What the header Authorization must be.
    miscount : int
        Added to every COUNT(*).
    log : list of str
        What was asked for.
    """

    def __init__(self, tables, units=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tables, self.units = dict(tables), dict(units or {})
        self.faults, self.maxrec, self.polls, self.job_error, self.token = {}, 1_000_000, 1, None, None
        self.miscount, self.notation, self.respell = 0, "tabledata", {}
        self.log, self.jobs, self.lock = [], {}, threading.Lock()
        self.base = sqlite3.connect(":memory:", check_same_thread=False)
        for name, frame in self.tables.items():
            frame.astype(object).where(frame.notna(), None).to_sql(name, self.base, index=False)
        pd.DataFrame([{"table_name": n} for n in self.tables]).to_sql("TAP_SCHEMA.tables", self.base, index=False)
        rows = [
            {"table_name": n, "column_name": c, "unit": self.units.get(c), "datatype": str(frame[c].dtype)}
            for n, frame in self.tables.items() for c in frame.columns
        ]  # fmt: skip
        pd.DataFrame(rows).to_sql("TAP_SCHEMA.columns", self.base, index=False)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/tap"

    def asked(self, kind):
        """How often something was asked for."""
        return self.log.count(kind)

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def answer(self, query, maxrec):
        """The VOTable of a query."""
        sql = query
        for name in [*self.tables, "TAP_SCHEMA.columns", "TAP_SCHEMA.tables"]:
            sql = re.sub(rf'(?<=FROM ){re.escape(name)}(?=\s|$)', f'"{name}"', sql)
        top = re.match(r"SELECT TOP (\d+) (.*)", sql)
        sql = f"SELECT {top[2]} LIMIT {top[1]}" if top else sql
        with self.lock:
            # SQLite takes an unknown name in double quotes for a text; no service does
            known = {*self.tables, "TAP_SCHEMA.columns", "TAP_SCHEMA.tables"}.union(*(f.columns for f in self.tables.values()))
            for name in re.findall(r'"([^"]+)"', re.sub("'[^']*'", "", sql)):
                if name not in known:
                    raise sqlite3.OperationalError(f"no such column: {name}")
            cursor = self.base.execute(sql)
            names, rows = [d[0] for d in cursor.description], cursor.fetchall()
        frame = next((f for n, f in self.tables.items() if f'"{n}"' in sql), pd.DataFrame())
        if "COUNT(*)" in sql:
            rows = [(rows[0][0] + self.miscount,)]
        overflow = len(rows) > maxrec
        return self._votable(names, rows[:maxrec], frame, overflow)

    def _votable(self, names, rows, frame, overflow):
        table = Table()
        for k, name in enumerate(names):
            values = [row[k] for row in rows]
            kind = str(frame[name].dtype).lower() if name in frame else "int64" if name == "n_rows" else "text"
            if not kind.startswith(("int", "float")):
                table[self.respell.get(name, name)] = np.array(["" if v is None else v for v in values], dtype=str)
                continue
            missing = [v is None for v in values]
            data = np.array([0 if m else v for v, m in zip(values, missing, strict=True)], dtype=kind)
            table[self.respell.get(name, name)] = MaskedColumn(data, mask=missing, unit=self.units.get(name))
        made = votable.from_table(table)
        made.resources[0].type = "results"
        made.resources[0].infos.append(votable.tree.Info(name="QUERY_STATUS", value="OK"))
        text = io.BytesIO()
        made.to_xml(text, tabledata_format=self.notation)
        mark = b'</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>' if overflow else b"</TABLE>"
        return text.getvalue().replace(b"</TABLE>", mark)


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):  # noqa: N802
        self._serve("GET")

    def do_POST(self):  # noqa: N802
        self._serve("POST")

    def do_DELETE(self):  # noqa: N802
        self._serve("DELETE")

    def _serve(self, method):
        server, path = self.server, urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        given = {k.upper(): v[0] for k, v in {**parse_qs(urlsplit(self.path).query), **parse_qs(body)}.items()}
        kind = self._kind(method, path, given)
        server.log.append(kind)
        if server.token and self.headers.get("Authorization") != server.token:
            return self._send(401, b"who are you?")
        waiting = server.faults.get(kind) or []
        fault = waiting.pop(0) if waiting else None
        if fault == "garbage":
            return self._send(200, b"<html>not a table")
        if fault not in (None, "cut"):
            status, headers = fault if isinstance(fault, tuple) else (fault, {})
            return self._send(status, b"a fault", headers)
        self.cut = fault == "cut"
        return getattr(self, f"_{kind if kind not in ('count', 'schema') else 'sync'}")(path, given)

    @staticmethod
    def _kind(method, path, given):
        if path == "/tap/sync":
            query = given.get("QUERY", "")
            return "count" if "COUNT(*)" in query else "schema" if "TAP_SCHEMA" in query else "sync"
        if path == "/tap/async":
            return "submit"
        if method == "DELETE":
            return "delete"
        if path.endswith("/phase"):
            return "phase"
        return "result" if path.endswith("/results/result") else "poll" if path.startswith("/tap/async/") else "unknown"

    def _send(self, status, body, headers=None, kind="application/x-votable+xml"):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if status == 200 and getattr(self, "cut", False) else body)

    def _refuse(self, message):
        info = f'<INFO name="QUERY_STATUS" value="ERROR">{message}</INFO>'
        self._send(400, f'<VOTABLE><RESOURCE type="results">{info}</RESOURCE></VOTABLE>'.encode())

    def _table(self, given):
        query, language = given["QUERY"], given.get("LANG")
        if language not in ("ADQL", "PostgreSQL") or (language == "PostgreSQL" and "TOP " in query):
            raise sqlite3.OperationalError(f"LANG {language} does not know this query")
        return self.server.answer(query, min(int(given.get("MAXREC", self.server.maxrec)), self.server.maxrec))

    def _sync(self, path, given):
        try:
            self._send(200, self._table(given))
        except sqlite3.Error as error:
            self._refuse(error)

    def _submit(self, path, given):
        number = f"job{len(self.server.jobs)}"
        self.server.jobs[number] = {"given": given, "phase": "PENDING", "polls": self.server.polls, "error": None}
        self._send(303, b"", {"Location": f"{self.server.address}/async/{number}"})

    def _job(self, path):
        return self.server.jobs.get(path.split("/")[3])

    def _phase(self, path, given):
        job = self._job(path)
        job["phase"] = "EXECUTING" if given.get("PHASE") == "RUN" else "ABORTED"
        self._send(303, b"", {"Location": f"{self.server.address}/async/{path.split('/')[3]}"})

    def _poll(self, path, given):
        job, server = self._job(path), self.server
        if job is None:
            return self._send(404, b"no such job")
        if job["phase"] == "EXECUTING":
            job["polls"] -= 1
            if job["polls"] < 0 and server.job_error:
                job["phase"], job["error"], server.job_error = "ERROR", server.job_error, None
            elif job["polls"] < 0:
                try:
                    job["table"], job["phase"] = self._table(job["given"]), "COMPLETED"
                except sqlite3.Error as error:
                    job["phase"], job["error"] = "ERROR", ("fatal", str(error))
        number = path.split("/")[3]
        results = f'<uws:results><uws:result id="result" xlink:href="{server.address}/async/{number}/results/result"/></uws:results>'
        type_, message = job["error"] or ("", "")
        error = f'<uws:errorSummary type="{type_}" hasDetail="false"><uws:message>{message}</uws:message></uws:errorSummary>'
        text = (
            f'<?xml version="1.0"?><uws:job {UWS} version="1.1"><uws:jobId>{number}</uws:jobId><uws:phase>{job["phase"]}</uws:phase>'
            f'{results if job["phase"] == "COMPLETED" else ""}{error if job["error"] else ""}</uws:job>'
        )
        return self._send(200, text.encode(), kind="text/xml")

    def _result(self, path, given):
        job = self._job(path)
        self._send(200, job["table"]) if job else self._send(404, b"no such job")

    def _delete(self, path, given):
        self.server.jobs.pop(path.split("/")[3], None)
        self._send(200, b"")

    def _unknown(self, path, given):
        self._send(404, b"nothing here")
