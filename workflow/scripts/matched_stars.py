"""Stars and labels of a table that has both in one row."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.stars import run_matched_stars

    out = snakemake.output
    run_matched_stars(snakemake.input.catalog, snakemake.params.sages, out.stars, out.labels, out.selection)
