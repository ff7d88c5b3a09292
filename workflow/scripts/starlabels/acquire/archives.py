"""Which files of the archives a run needs (`source: archives`), worked out from the configuration alone."""

import difflib
from collections.abc import Mapping
from functools import cached_property

from ..errors import InputError
from .roads import Piece, chosen_road, kind_of, pieces, subcells, with_neighbours


class Archives:
    """The roads to the datasets of a run.

    Parameters
    ----------
    config : mapping
        The merged configuration.
    cells : list of int, optional
        The cells of the run: slices by HEALPix cell that lie neither in them nor in their neighbours are left out.

    Raises
    ------
    InputError
        When `archives.roads` or `archives.without` names no dataset.
    """

    def __init__(self, config: Mapping, cells: list[int] | None = None):
        self.config, self.datasets, self.cells = config, config["datasets"], cells
        self.folder = config["archives"]["folder"]
        self.dec_min = config["archives"]["dec_min"]
        self._pieces: dict[str, dict[str, Piece]] = {}
        for key in ("roads", "without"):
            for name in config["archives"][key]:
                if name not in self.datasets:
                    near = difflib.get_close_matches(name, self.datasets, n=1, cutoff=0.4)
                    remedy = f"Did you mean `{near[0]}`?" if near else f"Datasets: {', '.join(self.datasets)}"
                    raise InputError(f"configuration key `archives.{key}`", f"names `{name}`, which is no dataset", remedy)

    def road(self, dataset: str) -> Mapping:
        """The road that the run takes to a dataset."""
        return chosen_road(dataset, self.datasets[dataset], self.config["archives"]["roads"])

    def kind(self, dataset: str) -> str:
        """bulk, tap, xmatch or mine."""
        return kind_of(self.road(dataset))

    def fetched(self, dataset: str) -> bool:
        """Whether the run fetches a dataset; otherwise the user has its files."""
        return self.kind(dataset) != "mine"

    def check_margins(self, datasets: list[str]) -> None:
        """Sources just outside a slice are uploaded too, so that a row goes to the slice of its nearest source.

        Raises
        ------
        InputError
            When the margins of the cells are too narrow for a radius of X-Match.
        """
        for dataset in datasets:
            road = self.road(dataset).get("xmatch")
            margin = self.config["cells"]["margin_arcsec"]
            if road and margin < 2 * road["radius_arcsec"]:
                found = f"is {margin}, less than twice the `radius_arcsec` ({road['radius_arcsec']}) of datasets.{dataset}.acquire"
                raise InputError("configuration key `cells.margin_arcsec`", found, "Make it wider, or the radius smaller")

    def has(self, dataset: str) -> bool:
        """Whether the run can have a dataset at all that is not called off (`archives.without`)."""
        if dataset in self.config["archives"]["without"]:
            return False
        return self.fetched(dataset) or bool(self.datasets[dataset].get("files"))

    def pieces(self, dataset: str) -> dict[str, Piece]:
        """File name -> piece."""
        if dataset not in self._pieces:
            made = [piece for piece in pieces(dataset, self.road(dataset), self.dec_min) if self._wanted(piece)]
            self._pieces[dataset] = {piece.name: piece for piece in made}
        return self._pieces[dataset]

    @cached_property
    def _around(self) -> list[int]:
        return with_neighbours(self.cells, self.config["cells"]["nside"])

    def _wanted(self, piece: Piece) -> bool:
        if self.cells is None or "cell" not in piece.details:
            return True
        around = self._around
        return bool(subcells(piece.details["cell"], piece.details["nside"], around, self.config["cells"]["nside"]))

    def piece(self, dataset: str, name: str) -> Piece:
        """A piece by its file name.

        Raises
        ------
        InputError
            When the run has no such file.
        """
        found = self.pieces(dataset) if dataset in self.datasets else {}
        if name not in found:
            raise InputError(f"{self.folder}/{dataset}/{name}", "is not among the files that the configuration names", "Correct the name")
        return found[name]

    def files(self, dataset: str) -> list[str]:
        """Paths of all pieces of a dataset."""
        return [f"{self.folder}/{dataset}/{name}" for name in self.pieces(dataset)]

    def spec(self, dataset: str) -> dict:
        """The dataset's entry as its files need it to be read: services answer in Parquet whatever the archive's own format."""
        entry = dict(self.datasets[dataset])
        if self.kind(dataset) in ("tap", "xmatch"):
            entry["format"] = "parquet"
            entry.pop("format_options", None)
        entry.update({key: self.road(dataset)[key] for key in ("format", "format_options") if key in self.road(dataset)})
        return entry

    def positions(self, piece: Piece, cells: list[int]) -> tuple[str, list[int]]:
        """The catalogue whose positions a piece is the neighbours of, and those of the run's cells that it needs."""
        return piece.details["of"], subcells(piece.details["cell"], piece.details["nside"], cells, self.config["cells"]["nside"])
