"""Abundance patterns in bins of Teff and log g (Figures 9, 11 and A.1 to A.4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.abundance_grid import run_abundance_grids

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_abundance_grids(
        list(given.stars), list(given.predictions), given.training, given.training_predictions, params.rave, params.simulated,
        dict(zip(params.abundances, out.training, strict=True)), dict(zip(params.abundances, out.observed, strict=True)),
        out.kiel, out.summary,
    )
