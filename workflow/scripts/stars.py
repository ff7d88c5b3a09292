"""Matched stars of one cell."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.stars import run_stars

    inputs = {name: path for name, path in snakemake.input.items() if name != "code"}
    out = snakemake.output
    run_stars(int(snakemake.wildcards.cell), inputs, snakemake.params.sages, snakemake.params.nside, out.stars, out.pairs, out.selection)
