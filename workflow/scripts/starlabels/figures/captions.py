"""The page of captions beside the figures."""

import os
from collections.abc import Mapping, Sequence

from ..io import atomic
from .make import caption, title


def write_page(entries: Sequence[Mapping], simulated: bool, output: str | os.PathLike) -> None:
    """Write a Markdown page with each figure and its caption; tables are linked.

    Parameters
    ----------
    entries : sequence of mapping
        Entries of config/figures.yaml, in order.
    simulated : bool
        Whether the stars are simulated; titles and captions then say so.
    output : path
        The page, in the folder of the figures.
    """
    lines = ["# Figures and tables", ""]
    for entry in entries:
        name = entry["id"]
        table = name.startswith("table")
        lines += [f"## {name}: {title(entry, simulated)}", "", caption(entry, simulated), ""]
        lines += [f"[{name}.csv]({name}.csv), [{name}.tex]({name}.tex)" if table else f"![{name}]({name}.png)", ""]
    with atomic(output) as part:
        part.write_text("\n".join(lines))
