"""How the networks of an ensemble trained (Figure 5)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.training_runs import run_training_runs

    given, out = snakemake.input, snakemake.output
    run_training_runs(given.history, given.ensemble, snakemake.params.simulated, out.table, out.summary)
