"""A simulated sky published as the archives publish theirs, on this machine: files by HTTP, tables by TAP, one catalogue by X-Match."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from archives import http_server
from archives.tap_server import TapServer
from archives.xmatch_server import XMatchServer
from starlabels.readers import iter_native

#: catalogues that come as files here, as they do at their archives (or as their `mine` road hands them over)
AS_FILES = ("sages", "twomass", "allwise", "lamost", "apogee", "h23", "a23", "harris", "apogee16", "starhorse")
INDEX = "rave_spectra_index"
#: the catalogue that comes by X-Match here: its neighbours of SAGES sources only
NEIGHBOURS = "galex"


def native_parts(native: Path, dataset: str) -> list[Path]:
    """The files that the simulated sky wrote for a catalogue."""
    return sorted(native.glob(f"{dataset}/part-*")) or sorted(native.glob(f"{dataset}/mwgc.dat"))


def native_table(paths: list[Path], spec: Mapping) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of all files under their native names, and the units that the files state."""
    pieces = [piece for path in paths for piece in iter_native(path, spec)]
    units = {name: unit for piece in pieces for name, unit in piece.attrs["units"].items()}
    rows = [piece for piece in pieces if len(piece)] or pieces[:1]
    return pd.concat(rows, ignore_index=True), units


def spectra_index(native: Path) -> pd.DataFrame:
    """What the archive's index of spectra lists: id and address."""
    ids = sorted(path.name.removeprefix("RAVE_").removesuffix(".fits") for path in native.glob("rave_spectra/*/**/RAVE_*.fits"))
    return pd.DataFrame({"rave_obs_id": pd.array(ids, dtype="str"), "spectrum_fits": pd.array([None] * len(ids), dtype="str")})


def tap_road(spec: Mapping) -> dict:
    """The TAP road of a dataset; one of a made-up table where it has none."""
    return next((dict(road["tap"]) for road in spec.get("acquire", []) if "tap" in road), {"table": "lab.lists"})


class Published:
    """The servers, filled with a native sky.

    Parameters
    ----------
    native : path
        Folder of the native files.
    datasets : mapping
        config/datasets.yaml.
    wanted : sequence of str
        Datasets of the run.
    """

    def __init__(self, native: Path, datasets: Mapping, wanted: list[str]):
        self.http, self.acquire, tables, units = http_server.Server(), {}, {}, {}
        for dataset in [name for name in wanted if name in AS_FILES]:
            paths = native_parts(native, dataset)
            for path in paths:
                self.http.file(f"{dataset}/{path.name}", path.read_bytes())
            addresses = [self.http.base + "lost/", f"{self.http.base}{dataset}/"]             # the first one is a dead mirror
            self.acquire[dataset] = [{"bulk": {"base": addresses, "names": [path.name for path in paths]}}]
        for path in native.glob("rave_spectra/*/**/RAVE_*.fits"):
            self.http.file(f"spectra/{path.name}", path.read_bytes())
        rows, stated = native_table(native_parts(native, NEIGHBOURS), datasets[NEIGHBOURS])
        rows = rows.rename(columns={"ra": "RAJ2000", "dec": "DEJ2000"})
        self.xmatch = XMatchServer({"II/335/galex_ais": rows}, stated)
        road = next(dict(road["xmatch"]) for road in datasets[NEIGHBOURS]["acquire"] if "xmatch" in road)
        self.acquire[NEIGHBOURS] = [{"xmatch": {**road, "service": self.xmatch.address}}]
        services = [name for name in wanted if name not in (*AS_FILES, NEIGHBOURS)]
        for dataset in services:
            road = tap_road(datasets[dataset])
            if dataset == INDEX:
                tables[road["table"]] = spectra_index(native)
            else:
                tables[road["table"]], found = native_table(native_parts(native, dataset), datasets[dataset])
                units |= found
            slices = road.get("slices", {})                                                   # few jobs are enough here
            if "nside" in slices:
                road["slices"] = {**slices, "nside": 8}
            if "edges" in slices:
                road["slices"] = {**slices, "edges": slices["edges"][:: len(slices["edges"]) // 3]}
            self.acquire[dataset] = [{"tap": road}]
        self.tap = TapServer(tables, units)
        self.tap.notation = "binary2"
        for dataset in services:
            self.acquire[dataset][0]["tap"]["service"] = self.tap.address
        self.tables = tables

    def __enter__(self) -> "Published":
        self.http.__enter__()
        self.tap.start()
        self.xmatch.start()
        return self

    def __exit__(self, *_) -> None:
        self.http.__exit__()
        for server in (self.tap, self.xmatch):
            server.shutdown()
            server.server_close()
