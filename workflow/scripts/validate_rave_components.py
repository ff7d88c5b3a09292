"""Kinematic components of the Milky Way (Section 8.1, Figure 24)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.components import run_components

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_components(list(files.stars), list(files.photometry), params.rave, params.simulated, out.table, out.summary, seed=params.seed)
