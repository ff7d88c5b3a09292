"""One native file from its archive."""

from adapter import stage

with stage(snakemake):
    from starlabels.acquire.archives import Archives
    from starlabels.acquire.fetch import fetch

    wildcards, config = snakemake.wildcards, snakemake.config
    archives = Archives(config)
    spec = config["datasets"][wildcards.dataset]
    piece = archives.piece(wildcards.dataset, wildcards.file)
    fetch(piece, spec, config["archives"], list(snakemake.input.positions), snakemake.output.file)
