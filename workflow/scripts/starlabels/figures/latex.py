"""A plain LaTeX table."""

import os

import numpy as np
import pandas as pd

from ..io import atomic
from . import style

ESCAPE = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "$": r"\$", "[": "{[}", "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{MINUS SIGN}": "$-$", "\N{THIN SPACE}": r"\,",
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it is; what stands between two dollar signs is left as mathematics.

    An opening bracket is wrapped: after the end of a row LaTeX would take it for an option.
    """
    parts = str(text).split("$")
    if len(parts) % 2 == 0:                       # a single dollar is a dollar
        return "".join(ESCAPE.get(c, c) for c in str(text))
    return "$".join(part if i % 2 else "".join(ESCAPE.get(c, c) for c in part) for i, part in enumerate(parts))


def write(path: str | os.PathLike, frame: pd.DataFrame, caption: str, label: str) -> None:
    """Write a table environment with caption, label and rules; needs no package beyond LaTeX itself.

    Columns whose cells are all numbers or empty stand right.
    """
    right = [all(_is_number(v) for v in frame[c]) for c in frame.columns]
    lines = [r"\begin{table}", rf"\caption{{{escape(caption)}}}", rf"\label{{{label}}}"]
    lines += [r"\begin{tabular}{" + "".join("r" if r else "l" for r in right) + "}", r"\hline\hline"]
    lines += [" & ".join(escape(c) for c in frame.columns) + r" \\", r"\hline"]
    lines += [" & ".join(escape(_text(v)) for v in row) + r" \\" for row in frame.itertuples(index=False)]
    lines += [r"\hline", r"\end{tabular}", r"\end{table}", ""]
    with atomic(path) as part:
        part.write_text("\n".join(lines))


def _text(value) -> str:
    """Integers in groups of three, nothing for what is missing."""
    if pd.isna(value):
        return ""
    return style.count(value) if isinstance(value, (int, np.integer)) else str(value)


def _is_number(value) -> bool:
    """Whether a cell is a number or empty."""
    try:
        return _text(value) == "" or bool(np.isfinite(float(value)))
    except ValueError:
        return False
