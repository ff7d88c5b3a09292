"""The networks of an ensemble that are kept."""

from adapter import stage

with stage(snakemake):
    from starlabels.ensemble import run_ensemble

    output = snakemake.output
    run_ensemble(list(snakemake.input.batches), snakemake.params.rave, output.ensemble, output.summary, output.history)
