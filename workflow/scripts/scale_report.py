"""The scale report of finished runs: scale.md, .csv, .json, .png and .pdf, and the papers' run estimated.

.venv/bin/python workflow/scripts/scale_report.py results/scale-2m results/scale-20m results --out results/scale
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from starlabels.errors import InputError
from starlabels.figures import scale, style
from starlabels.io import atomic, write_json
from starlabels.rates import growth, papers, report, stages
from starlabels.settings import load_yaml

DATASETS = Path(__file__).resolve().parents[2] / "config/datasets.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", help="results folders of runs of different size")
    parser.add_argument("--out", default="results/scale", help="folder of the report (default %(default)s)")
    parser.add_argument("--cores", type=int, default=32, help="cores of the machine that the papers' run is estimated for (default 32)")
    given = parser.parse_args()
    stages.require(given.results)
    runs = growth.ordered([stages.read_run(folder) for folder in given.results])
    rows = {name: entry["source"]["rows"] for name, entry in load_yaml(DATASETS)["datasets"].items() if "rows" in entry.get("source", {})}
    table, missing = papers.estimate(runs, rows["sages"], given.cores)
    archive = papers.archives(runs[-1], rows, given.cores)
    out = Path(given.out)
    with atomic(out / "scale.md") as part:
        part.write_text(report.report(runs, table, missing, archive, given.cores))
    write_json(out / "scale.json", report.numbers(runs, table, missing, archive, given.cores))
    measured = [run for run in runs if len(run.table)]
    with atomic(out / "scale.csv") as part:
        pd.concat([run.table.assign(run=run.name, sources=run.rows) for run in measured]).to_csv(part, index=False, float_format="%.10g")
    numbers = scale.points({run.rows: run.table for run in measured})
    outputs = {"pdf": out / "scale.pdf", "png": out / "scale.png", "numbers": out / "scale_drawn.csv"}
    style.save(scale.draw(numbers), numbers, outputs, scale.CAPTION, "Scale")
    print("\n".join(report.estimate_section(table, missing, archive, given.cores)))
    print(f"\n{out}/scale.md has all tables, scale.png the figure.")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
