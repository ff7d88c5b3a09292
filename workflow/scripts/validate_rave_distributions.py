"""Signal-to-noise, magnitudes and extinction of the samples (Figures 1 and 4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.distributions import run_distributions

    given, out = snakemake.input, snakemake.output
    run_distributions(list(given.stars), given.training, snakemake.params.simulated, out.table, out.summary)
