"""Variants of the training beside the main run (Sections 2, 3, 4.2.3 and 5)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.studies.variants import run_variants

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    given = [dict(zip(params.variants, files[kind], strict=True)) for kind in ("training", "predictions", "ensembles")]
    run_variants(*given, params.rave, params.simulated, out.table, out.summary, seed=params.seed)
