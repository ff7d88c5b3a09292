"""One page with every figure and its caption."""

from adapter import stage

with stage(snakemake):
    from pathlib import Path

    from starlabels.figures.captions import write_page

    pictures = {Path(path).stem: path for path in snakemake.input.pictures}
    write_page(snakemake.params.entries, snakemake.params.simulated, snakemake.output[0], pictures)
