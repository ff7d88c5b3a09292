"""The catalogue of labels of the RAVE spectra."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.catalog import run_catalog

    given, params, output = snakemake.input, snakemake.params, snakemake.output
    run_catalog(list(given.stars), list(given.predictions), params.rave, output.fits, output.parquet, params.simulated)
