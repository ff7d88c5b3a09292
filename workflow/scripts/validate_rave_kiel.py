"""The observed sample in the Kiel diagram by signal-to-noise ratio (Figure 10)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.kiel import run_kiel

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_kiel(list(given.stars), list(given.predictions), params.rave, params.simulated, out.table, out.summary)
