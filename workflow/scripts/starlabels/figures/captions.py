"""The page of captions beside the figures."""

import os
from collections.abc import Mapping, Sequence

from PIL.PngImagePlugin import PngImageFile

from ..io import atomic
from .make import caption, title


def write_page(entries: Sequence[Mapping], simulated: bool, output: str | os.PathLike, pictures: Mapping | None = None) -> None:
    """Write a Markdown page with each figure and its caption; tables are linked.

    Parameters
    ----------
    entries : sequence of mapping
        Entries of config/figures.yaml, in order.
    simulated : bool
        Whether the stars are simulated; titles and captions then say so.
    output : path
        The page, in the folder of the figures.
    pictures : mapping, optional
        Figure to its PNG, which holds the caption with the numbers of the run; the others have the caption of their entry.
    """
    lines, pictures = ["# Figures and tables", ""], pictures or {}
    for entry in entries:
        name = entry["id"]
        table = name.startswith("table")
        text = caption_of(pictures[name]) if name in pictures else caption(entry, simulated)
        lines += [f"## {name}: {title(entry, simulated)}", "", text, ""]
        lines += [f"[{name}.csv]({name}.csv), [{name}.tex]({name}.tex)" if table else f"![{name}]({name}.png)", ""]
    with atomic(output) as part:
        part.write_text("\n".join(lines))


def caption_of(picture: str | os.PathLike) -> str:
    """The caption that a figure's PNG holds."""
    with PngImageFile(picture) as image:
        return image.text["Description"]
