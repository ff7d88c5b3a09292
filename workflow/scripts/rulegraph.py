"""The rule graph of this workflow, for Figure 5."""

from adapter import stage

with stage(snakemake):
    import json
    import subprocess
    import sys
    import tempfile

    from starlabels.errors import InputError
    from starlabels.io import atomic

    command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", "--nolock", "--snakefile", snakemake.params.snakefile, "sages"]
    # the configuration goes along as a file of its own: the graph is that of this run, whatever files it came from
    with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
        json.dump(snakemake.config, settings)
        settings.flush()
        done = subprocess.run([*command, "--configfile", settings.name], capture_output=True, text=True)
    if done.returncode:
        raise InputError("rule graph", f"could not be made: {done.stderr.strip()[-500:]}", "Run `snakemake --rulegraph dot` to see why")
    with atomic(snakemake.output[0]) as part:
        part.write_text(done.stdout[done.stdout.index("digraph") :])
