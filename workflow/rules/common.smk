# Checked configuration, the list of cells, and what the other files share.
import sys
import time

STARTED = time.time()
SCRIPTS = f"{workflow.basedir}/workflow/scripts"
sys.path.insert(0, SCRIPTS)

from starlabels import plan
from starlabels.cells import cell_name
from starlabels.errors import InputError

try:
    PLAN = plan.Plan(config, workflow.basedir)
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = config["output"]["results"]
FIGURES = config["output"]["figures"]
SAGES = f"{RESULTS}/sages"
CELLS = PLAN.cell_names
SETS = [entry["id"] for entry in config["sages"]["data_sets"]]
MODELS = config["sages"]["models"]
SIMULATED = config["source"] == "simulated"
ENV = f"{workflow.basedir}/envs/cpu.yaml"


wildcard_constraints:
    paper="sages",
    dataset="[a-z0-9_]+",
    shard="[a-z0-9]+-[0-9]+",
    cell="[0-9]{5}",
    k="[0-9]+",
    model="(feh|teff|logg)_(dwarf|giant|all)",


def code(script, *modules):
    """The modules that a script imports, directly or not: an edit of any of them makes its outputs out of date."""
    return plan.module_files(SCRIPTS, script, *modules)


def settings(*keys):
    """The part of the paper's choices that a rule depends on; an edit of any of them makes its outputs out of date."""
    return {key: config["sages"][key] for key in keys}


def figure_files(paper, kind):
    return [f"{FIGURES}/{paper}/{name}.{ending}" for name, ending in PLAN.figures(paper, kind)]


def catalog_files(paper):
    return expand(f"{RESULTS}/{paper}/catalog/{paper}_set{{k}}.{{ending}}", k=SETS, ending=["fits", "parquet"])


def targets(paper):
    return figure_files(paper, "figures") + figure_files(paper, "tables") + catalog_files(paper) + [VALIDATIONS]


def report_success(log):
    print(plan.closing_message(RESULTS, FIGURES, config["papers"], SIMULATED, PLAN.missing_figures()))


def report_error(log):
    print(plan.failure_message(RESULTS, str(log), STARTED))
