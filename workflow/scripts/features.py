"""Corrected magnitudes, class and cuts of the stars of one cell."""

from pathlib import Path

from adapter import stage

with stage(snakemake):
    from starlabels.sages.features import run_features

    dust = Path(snakemake.input.dust[0]).parent if snakemake.input.dust else None
    run_features(
        snakemake.input.stars,
        snakemake.params.sages,
        dust,
        snakemake.output.features,
        snakemake.output.selection,
        labels_path=snakemake.input.labels or None,
    )
