"""Labels of the surveys for the stars of one cell."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.labels import run_labels

    inputs = {name: path for name, path in snakemake.input.items() if name not in ("code", "stars")}
    out, params = snakemake.output, snakemake.params
    run_labels(
        int(snakemake.wildcards.cell),
        inputs,
        snakemake.input.stars,
        params.sages,
        out.labels,
        out.selection,
        groups={"vmp": params.vmp_lists},
        low_resolution=params.low_resolution,
    )
