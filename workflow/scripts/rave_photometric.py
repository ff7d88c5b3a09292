"""The photometric branch alone, trained on a sample without spectra."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.photometric import run_photometric

    given, params = snakemake.input, snakemake.params
    run_photometric(given.training, given.scaling, params.rave, params.seed, snakemake.threads, params.simulated, snakemake.output[0])
