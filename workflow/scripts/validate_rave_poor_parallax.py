"""Stars with poor parallaxes (Figure 12)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.poor_parallax import run_poor_parallax

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_poor_parallax(
        list(given.stars), list(given.predictions), params.rave, params.simulated, out.table, out.trend, out.summary, seed=params.seed,
    )
