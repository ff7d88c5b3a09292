"""The rule graph of this workflow, for Figure 5."""

from adapter import stage

with stage(snakemake):
    import subprocess
    import sys

    from starlabels.errors import InputError
    from starlabels.io import atomic

    command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", "--nolock", "--snakefile", snakemake.params.snakefile]
    if snakemake.params.configfiles:
        command += ["--configfile", *snakemake.params.configfiles]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise InputError("rule graph", f"could not be made: {done.stderr.strip()[-500:]}", "Run `snakemake --rulegraph dot` to see why")
    with atomic(snakemake.output[0]) as part:
        part.write_text(done.stdout[done.stdout.index("digraph") :])
