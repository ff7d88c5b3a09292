"""[alpha/M] beside RAVE DR6 (Section 6.7, Figure 21)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.alpha import run_alpha

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_alpha(list(files.stars), list(files.photometry), params.rave, params.simulated, out.table, out.summary, seed=params.seed)
