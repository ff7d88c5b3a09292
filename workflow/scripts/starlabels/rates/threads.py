"""Memory that grows with the threads: what each thread of the engine `presorted` holds while it grows a tree."""

from pathlib import Path

import numpy as np

from ..io import read_json

DRAWN = 1 - np.exp(-1)  # share of the stars that a bootstrap draws
COLUMN_BYTES = 8        # a drawn star and feature: its row and value in a sorted column
STAR_BYTES = 70         # a drawn star: sums, marks, counts (41 MB a thread were measured with 300 000 stars and 18 features)


def thread_mb(stars: float, features: int) -> float:
    """MB that a thread holds of a forest's sample of so many stars."""
    return DRAWN * stars * (COLUMN_BYTES * features + STAR_BYTES) / 1e6


def trained(results: Path, job: str) -> tuple[int, int] | None:
    """Stars and features of the forest that a job `set<k>_<model>` trained; None where its engine is not `presorted` or not told."""
    data_set, _, model = job.partition("_")
    path = Path(results, "sages/models", data_set, f"{model}.json")
    content = read_json(path) if path.exists() else {}
    if content.get("forest", {}).get("engine") != "presorted" or "features" not in content:
        return None
    return content["n_train"], len(content["features"])
