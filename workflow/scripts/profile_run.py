"""Where the minutes of a finished run went, rule by rule, with the fixed cost of a job and how busy the cores were.

.venv/bin/python workflow/scripts/profile_run.py results [--imports]
"""

import argparse
import os
import sys
from pathlib import Path

from starlabels.errors import InputError
from starlabels.rates import jobs, profile, startup

SCRIPTS = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", help="results folder of the run")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores that the run had (default: those of this machine)")
    parser.add_argument("--records", help=".snakemake/metadata of the run (default: found above the results folder)")
    parser.add_argument("--imports", action="store_true", help="also show which packages each script spends its start-up on")
    given = parser.parse_args()
    folder = Path(given.results).resolve()
    rules = set(jobs.read_jobs(folder)["rule"])
    scripts = {rule: name for rule, name in startup.scripts_of_rules(SCRIPTS.parent / "rules").items() if rule in rules}
    statements = {name: startup.import_statements(SCRIPTS / name) for name in set(scripts.values())}
    seconds = {name: startup.startup_seconds(text, SCRIPTS) for name, text in statements.items()}
    table = profile.profile(folder, {rule: seconds[name] for rule, name in scripts.items()})
    home = next((p for p in folder.parents if (p / ".snakemake/metadata").is_dir()), None)
    records = given.records or (home and home / ".snakemake/metadata")
    inside = folder.relative_to(home) if home else given.results
    times = profile.schedule(records, inside) if records else []
    busy = profile.occupancy(times, float(table["core_s"].sum()), given.cores) if len(times) else None
    print(profile.page(table, busy, given.cores))
    if given.imports:
        for rule in table["rule"]:
            if rule in scripts:
                shares = startup.import_shares(statements[scripts[rule]], SCRIPTS)
                print(f"{scripts[rule]}: " + ", ".join(f"{name} {s:.2f}" for name, s in shares.items() if s >= 0.03))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
