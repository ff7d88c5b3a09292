"""Galactic volume and ages of the training and the observed sample (Section 4.1)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.studies.volume import run_volume

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_volume(list(files.stars), files.training, params.rave, params.simulated, out.table, out.summary)
