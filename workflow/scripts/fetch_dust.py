"""The two maps of reddening (SFD)."""

from adapter import stage

with stage(snakemake):
    from pathlib import Path

    from starlabels.acquire.dust import fetch

    fetch(Path(snakemake.output[0]).parent, snakemake.config["archives"])
