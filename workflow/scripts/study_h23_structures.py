"""The vertical structures against H23 (Section 3.4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.structures import run_h23_stripes

    out, params = snakemake.output, snakemake.params
    run_h23_stripes(
        list(snakemake.input.predictions),
        list(snakemake.input.external),
        params.sages,
        "h23",
        params.simulated,
        out.summary,
        out.table,
    )
