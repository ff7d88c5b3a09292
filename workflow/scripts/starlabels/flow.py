"""The flow table of a selection: how many rows each cut leaves, from all rows to the sample."""

from collections.abc import Iterable, Sequence

import numpy as np

ALL_ROWS = "all rows"


class Flow:
    """Count the rows that a sequence of cuts leaves.

    Parameters
    ----------
    n : int
        Rows before the first cut.
    name : str
        Text of the first entry.
    """

    def __init__(self, n: int, name: str = ALL_ROWS):
        self._entries = [{"cut": str(name), "kept": int(n), "dropped": 0}]

    @property
    def kept(self) -> int:
        """Rows left by the last cut."""
        return self._entries[-1]["kept"]

    def cut(self, text: str, kept: np.ndarray | int) -> "Flow":
        """Add a cut, named by `text`.

        Parameters
        ----------
        kept : boolean mask or int
            The mask of the rows that stay (its length is the number of rows before the cut), or their number.

        Raises
        ------
        ValueError
            When the mask has another length than the rows left, or more rows stay than there were.
        """
        before = self.kept
        if np.ndim(kept):
            mask = np.asarray(kept)
            if mask.dtype != bool or mask.shape != (before,):
                raise ValueError(f"cut {text!r}: a boolean mask of {before} rows is expected, found {mask.dtype} {mask.shape}")
            left = int(np.count_nonzero(mask))
        else:
            left = int(kept)
        if not 0 <= left <= before:
            raise ValueError(f"cut {text!r}: {left} rows cannot stay of {before}")
        self._entries.append({"cut": str(text), "kept": left, "dropped": before - left})
        return self

    def note(self, text: str, made_missing: int) -> "Flow":
        """Add a step that removes values, not rows: `made_missing` values were set to missing."""
        self._entries.append({"cut": str(text), "kept": self.kept, "dropped": 0, "made_missing": int(made_missing)})
        return self

    def to_list(self) -> list[dict]:
        """The entries, [{"cut", "kept", "dropped"}, ...] (notes also "made_missing"); the first one has nothing dropped."""
        return [dict(entry) for entry in self._entries]


def merge(flows: Iterable[Sequence[dict] | Flow]) -> list[dict]:
    """Sum the flows of several pieces (cells, files) of one selection, cut by cut.

    Every piece must have gone through the same cuts in the same order.

    Raises
    ------
    ValueError
        When no flow is given or the cuts differ.
    """
    lists = [f.to_list() if isinstance(f, Flow) else list(f) for f in flows]
    if not lists:
        raise ValueError("no flow to merge")
    cuts = [entry["cut"] for entry in lists[0]]
    for other in lists[1:]:
        if [entry["cut"] for entry in other] != cuts:
            raise ValueError(f"flows of different cuts cannot be summed: {cuts} and {[entry['cut'] for entry in other]}")
    counts = [[key for key in entry if key != "cut"] for entry in lists[0]]
    return [{"cut": cut, **{key: sum(f[i].get(key, 0) for f in lists) for key in counts[i]}} for i, cut in enumerate(cuts)]
