"""Make one figure or table: find its module, draw in the style sheet, say "Simulated sky" where that is so, save."""

import importlib
import os
from collections.abc import Mapping

from ..errors import InputError
from . import latex, style

NOTE = "Simulated sky"


def module_of(paper: str, name: str):
    """The module of a figure or table.

    Raises
    ------
    InputError
        When the paper has no such figure.
    """
    target = f"{__package__}.{paper}.{name}"
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name not in (target, f"{__package__}.{paper}"):
            raise
        found = f"names {name!r} of paper {paper!r}, which has no module {target}"
        raise InputError("config/figures.yaml", found, "Correct the id or the module") from error


def make_figure(
    name: str, inputs: Mapping, cfg: Mapping, entry: Mapping, simulated: bool, outputs: Mapping[str, str | os.PathLike]
) -> None:
    """Draw a figure and write its PDF, its PNG and its numbers.

    Parameters
    ----------
    name : str
        The figure's id and the stem of its files.
    inputs : mapping
        Exactly the names that the entry lists, to paths (tables may take a list of paths).
    cfg : mapping
        The paper's configuration.
    entry : mapping
        The figure's entry in config/figures.yaml (paper, title, caption, inputs, and `module` where that is not the id).
    outputs : mapping
        `pdf`, `png`, `numbers` (.csv or .parquet) to paths.

    Raises
    ------
    InputError
        For a missing input or output, an unknown module, or a file that lacks what the figure needs.
    """
    _check(name, inputs, entry)
    module = module_of(entry["paper"], entry.get("module", name))
    with style.context():
        figure, numbers = module.draw(dict(inputs), cfg, simulated)
        more = module.notes(dict(inputs), cfg, simulated) if hasattr(module, "notes") else ""
        style.save(figure, numbers, outputs, caption(entry, simulated, more), title(entry, simulated))


def make_table(
    name: str, inputs: Mapping, cfg: Mapping, entry: Mapping, simulated: bool, outputs: Mapping[str, str | os.PathLike]
) -> None:
    """Write a table as LaTeX (`tex`) and CSV (`csv`); parameters as in `make_figure`.

    The module's `table(inputs, cfg, simulated)` gives the cells, as a DataFrame of texts and integers.
    """
    _check(name, inputs, entry)
    absent = [k for k in ("tex", "csv") if k not in outputs]
    if absent:
        raise InputError(f"outputs of a table, {absent[0]}", "is absent", "Give tex and csv")
    frame = module_of(entry["paper"], entry.get("module", name)).table(dict(inputs), cfg, simulated)
    latex.write(outputs["tex"], frame, caption(entry, simulated), f"tab:{name}")
    if simulated:                                  # a CSV has no caption: the note stands in its header
        frame = frame.rename(columns={frame.columns[0]: f"{frame.columns[0]} ({NOTE.lower()})"})
    style.save_numbers(frame, outputs["csv"])


def caption(entry: Mapping, simulated: bool, more: str = "") -> str:
    """The entry's caption; "Simulated sky." stands before it where the stars are simulated, after it the module's own sentences."""
    text = " ".join(f"{entry['caption']} {more}".split())
    return f"{NOTE}. {text}" if simulated else text


def title(entry: Mapping, simulated: bool) -> str:
    """The entry's title, with the note where the stars are simulated."""
    return f"{entry['title']} ({NOTE.lower()})" if simulated else entry["title"]


def _check(figure: str, inputs: Mapping, entry: Mapping) -> None:
    wanted, given = set(entry["inputs"]), set(inputs)
    if wanted != given:
        name = sorted(wanted ^ given)[0]
        found = "is not given" if name in wanted else "is given but not listed"
        remedy = f"The figure reads: {', '.join(sorted(wanted)) or 'nothing'}"
        raise InputError(f"config/figures.yaml, {figure}, input {name}", found, remedy)
