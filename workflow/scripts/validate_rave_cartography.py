"""The map of [alpha/M] across the discs (Section 8.2, Figure 25)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.cartography import run_cartography

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    run_cartography(list(files.stars), list(files.photometry), params.rave, params.simulated, out.table, out.summary, seed=params.seed)
