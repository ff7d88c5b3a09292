"""How the stages grow with the size of the sky: from one run to the next larger one, and against the limit of memory."""

import numpy as np
import pandas as pd

from ..errors import InputError
from .stages import Run

GROWTH_LIMIT = 1.2        # core-seconds a row may grow by a fifth between two sizes
MEMORY_LIMIT_MB = 4000.0  # resident set of any job
CAPPED = 1.05             # a stage whose rows grow less than this did the same work twice


def ordered(runs: list[Run]) -> list[Run]:
    """The runs by their number of SAGES sources.

    Raises
    ------
    InputError
        When two runs have the same size, so that nothing grows between them.
    """
    runs = sorted(runs, key=lambda run: run.rows)
    for first, second in zip(runs, runs[1:], strict=False):
        if first.rows == second.rows:
            raise InputError(second.folder, f"has as many SAGES sources as {first.folder} ({first.rows})", "Give one folder a size")
    return runs


def growth(runs: list[Run]) -> pd.DataFrame:
    """Growth of every stage between neighbouring sizes.

    Returns
    -------
    DataFrame
        stage, smaller and larger (names of the runs), rows_ratio (of the stage's own rows), per_row_ratio (core-seconds a row
        of the larger run over that of the smaller), exponent log(t2/t1)/log(n2/n1) (NaN where the rows hardly grow),
        worse (per_row_ratio above `GROWTH_LIMIT`).
        A stage that either run lacks, or whose rows are unknown, is left out.
    """
    runs, rows = ordered(runs), []
    for first, second in zip(runs, runs[1:], strict=False):
        if first.table.empty or second.table.empty:
            continue
        both = first.table.merge(second.table, on="stage", suffixes=("_1", "_2"))
        for r in both[(both["rows_1"] > 0) & (both["rows_2"] > 0) & (both["core_s_1"] > 0)].itertuples():
            rows_ratio, time_ratio = r.rows_2 / r.rows_1, r.core_s_2 / r.core_s_1
            exponent = np.log(time_ratio) / np.log(rows_ratio) if rows_ratio > CAPPED and time_ratio > 0 else np.nan
            per_row = time_ratio / rows_ratio
            rows.append((r.stage, first.name, second.name, rows_ratio, per_row, exponent, per_row > GROWTH_LIMIT))
    return pd.DataFrame(rows, columns=["stage", "smaller", "larger", "rows_ratio", "per_row_ratio", "exponent", "worse"])


def memory(runs: list[Run]) -> pd.DataFrame:
    """Largest job of every run: run, rule, job, peak_mb, holds (below `MEMORY_LIMIT_MB`), exact, unseen (jobs without a peak).

    All jobs of the run count, not only those of the stages. `holds` is None, not known, where some have no peak and no other is
    above the limit; a run without any peak has no rule and no job.
    """
    rows = []
    for run in ordered(runs):
        seen = run.jobs.dropna(subset=["peak_mb"])
        unseen = len(run.jobs) - len(seen)
        rule, job, peak = seen.loc[seen["peak_mb"].idxmax(), ["rule", "job", "peak_mb"]] if len(seen) else ("", "", np.nan)
        rows.append((run.name, rule, job, peak, below_limit(peak, unseen), run.jobs["exact"].mean(), unseen))
    table = pd.DataFrame(rows, columns=["run", "rule", "job", "peak_mb", "holds", "exact", "unseen"])
    return table.astype({"holds": object})


def below_limit(peak_mb: float, unseen: int = 0) -> bool | None:
    """Whether a largest peak is below `MEMORY_LIMIT_MB`; None, not known, without one, or where `unseen` jobs have none."""
    if peak_mb >= MEMORY_LIMIT_MB:
        return False
    return None if unseen or np.isnan(peak_mb) else True
