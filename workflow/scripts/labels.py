"""Labels of the surveys for the stars of one cell."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.labels import run_labels

    inputs = {name: path for name, path in snakemake.input.items() if name not in ("code", "stars")}
    out = snakemake.output
    run_labels(
        int(snakemake.wildcards.cell),
        inputs,
        snakemake.input.stars,
        snakemake.params.sages,
        out.labels,
        out.selection,
        groups={"vmp": snakemake.params.vmp_lists},
    )
