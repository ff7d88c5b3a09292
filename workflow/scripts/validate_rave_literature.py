"""Labels against the high-resolution literature (Figures 17 and 18)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.literature import run_literature

    inp, out, params = snakemake.input, snakemake.output, snakemake.params
    run_literature(
        inp.literature,
        list(inp.stars),
        list(inp.photometry),
        list(inp.spectra),
        params.cfg,
        params.simulated,
        out.table,
        out.summary,
        seed=params.seed,
    )
