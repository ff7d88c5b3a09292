"""What became of a dataset's rows: counts that several jobs can take and one adds up, and what only the whole dataset can tell."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from .errors import InputError
from .flow import Flow
from .values import lost_precision

log = logging.getLogger(__name__)

#: a required column without any value is an error in a table of at least this many rows (shorter ones may just be unlucky)
MIN_ROWS = 10
#: so many ids, all of them rounded, are no chance (2^-40, and 125^-10 for Gaia's multiples of 8)
MIN_BINARY, MIN_DECIMAL = 40, 10


class Counts:
    """Counts of the rows of a dataset, or of some of its files.

    Parameters
    ----------
    dataset : str
        Its name, for messages.
    spec : mapping
        Its entry in config/datasets.yaml.
    required : iterable of str
        Columns that must have a value somewhere.

    Attributes
    ----------
    rows : int
        Native rows.
    names : dict
        Canonical name -> native name in the first file (None: absent).
    values, sentinels, blanked, dropped : dict of int
        By column: values found, sentinels; by the text of a filter: values made missing, rows dropped.
    rounding : dict of ndarray
        By column of ids: what `values.rounded_ids` counts.
    placed, outside, copies, no_position : int
        Rows in the cells of the run, in other cells, copied into margins, and without a position.
    """

    PLAIN = ("rows", "placed", "outside", "copies", "no_position")
    KEYED = ("values", "sentinels", "blanked", "dropped")

    def __init__(self, dataset: str, spec: Mapping, required: Sequence[str] = ()):
        self.dataset, self.spec = dataset, spec
        self.rows = self.placed = self.outside = self.copies = self.no_position = 0
        self.names: dict[str, str | None] = {}
        self.values = dict.fromkeys(required, 0)
        self.sentinels = {n: 0 for n, e in spec["columns"].items() if "sentinel" in e}
        self.blanked = {rule["text"]: 0 for rule in spec.get("blank", [])}
        self.dropped = {rule["text"]: 0 for rule in [*spec.get("drop", []), *spec.get("require", [])]}
        self.rounding = {n: np.zeros(4, np.int64) for n, e in spec["columns"].items() if e.get("type") == "int64"}

    def to_dict(self) -> dict:
        """All counts as plain JSON."""
        return {key: getattr(self, key) for key in ("names", *self.PLAIN, *self.KEYED, "rounding")}

    def add(self, other: Mapping, where: str) -> None:
        """Add the counts of the files that follow (of `to_dict`).

        Raises
        ------
        InputError
            When they are counts of other columns or filters; `where` is the file that they come from.
        """
        same = all(key in other for key in ("names", *self.PLAIN, *self.KEYED, "rounding"))
        if not same or any(list(other[key]) != list(getattr(self, key)) for key in (*self.KEYED, "rounding")):
            raise InputError(where, f"holds counts of other columns or filters than `datasets.{self.dataset}`", "Delete it and run again")
        self.names = self.names or dict(other["names"])
        for key in self.PLAIN:
            setattr(self, key, getattr(self, key) + other[key])
        for key in (*self.KEYED, "rounding"):
            mine = getattr(self, key)
            for name, number in other[key].items():
                mine[name] = mine[name] + np.asarray(number) if key == "rounding" else mine[name] + number

    def check(self, paths: Sequence[str]) -> None:
        """Check what only the whole dataset can tell; `paths` are its native files.

        Raises
        ------
        InputError
            No row at all; a required column without any value; ids that were rounded by a float.
        """
        file = all_of(paths)
        if not self.rows and not self.spec.get("may_be_empty"):
            raise InputError(file, "holds no row", "Fetch it again, or set `may_be_empty: true` for this dataset")
        for name, number in self.values.items():
            if not number and self.rows >= MIN_ROWS:
                remedy = "Check the column's name and sentinel, or mark it `optional: true` in config/datasets.yaml"
                raise InputError(f"{file}, column {self.names.get(name)}", f"holds no value in any of {self.rows} rows", remedy)
        for name, (large, binary, big, decimal) in self.rounding.items():
            where = f"{file}, column {self.names.get(name)}"
            if large >= MIN_BINARY and binary == large:
                raise lost_precision(where, f"holds {large} large ids that are all exact float64 numbers")
            if big >= MIN_DECIMAL and decimal == big:
                raise lost_precision(where, f"holds {big} large ids that all end in 000")

    def flow(self, paths: Sequence[str]) -> Flow:
        """All rows, the values made missing, the rows dropped, those with a position, those in the cells of the run.

        Raises
        ------
        InputError
            When no row is left (unless `may_be_empty`).
        """
        flow = Flow(self.rows)
        for name, number in self.sentinels.items():
            flow.note(f"{name}: sentinel", number)
        for text, number in self.blanked.items():
            flow.note(text, number)
        for text, number in self.dropped.items():
            flow.cut(text, flow.kept - number)
        if self.spec["cell_by"] == "position":
            flow.cut("position known", flow.kept - self.no_position)
        before = flow.kept
        flow.cut("in a cell of this run", before - self.outside)
        if not flow.kept:
            if not self.rows:
                text = "holds no row"
            else:
                text = f"none of {before} rows lies in a cell of this run" if before else f"its filters leave none of {self.rows} rows"
            if not self.spec.get("may_be_empty"):
                raise InputError(f"{paths[0]} ({self.dataset})", text, "Check `cells.list` and the files of this dataset")
            log.warning("%s: %s", self.dataset, text)
        return flow

    def tell(self, flow: Flow) -> None:
        """Log the flow."""
        for entry in flow.to_list():
            removed = f", {entry['made_missing']} values made missing" if "made_missing" in entry else ""
            log.info("%s: %s: %d rows%s", self.dataset, entry["cut"], entry["kept"], removed)
        log.info("%s: %d copies in the margins of neighbouring cells", self.dataset, self.copies)


def all_of(paths: Sequence[str]) -> str:
    """How messages name the files of a dataset."""
    first, *rest = [str(p) for p in paths]
    return first + (f" (and {len(rest)} more)" if rest else "")
