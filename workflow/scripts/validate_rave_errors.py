"""Dispersion of the labels over the networks (Figure 13)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.errors import run_errors

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_errors(
        list(given.stars), list(given.predictions), given.training_predictions, given.ensemble, params.rave, params.simulated,
        out.table, out.summary,
    )
