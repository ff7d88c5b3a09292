"""One table: LaTeX and CSV."""

from adapter import stage

with stage(snakemake):
    from starlabels.figures.make import make_table

    params = snakemake.params
    inputs = {name: snakemake.input[name] for name in params.entry["inputs"]}
    make_table(snakemake.wildcards.table, inputs, params.cfg, params.entry, params.simulated, dict(snakemake.output.items()))
