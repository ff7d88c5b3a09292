"""V_phi against [M/H] in narrow ranges of [alpha/M] (Section 8.1)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.studies.mono_alpha import run_mono_alpha

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_mono_alpha(list(files.stars), list(files.photometry), params.rave, params.simulated, out.table, out.summary, seed=params.seed)
