"""Maps of [Mg/Fe] and [Si/Fe] across the discs (Section 8.2)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.studies.maps import RATIOS, run_maps

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    tables, summaries = ({ratio: out[f"{kind}_{ratio}"] for ratio in RATIOS} for kind in ("table", "summary"))
    run_maps(list(files.stars), list(files.photometry), params.rave, params.simulated, tables, summaries)
