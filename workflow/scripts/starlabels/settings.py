"""The configuration: checked against its schema before anything runs; unknown keys are refused with the nearest known one.

The schema (workflow/schemas/config.schema.yaml) is also the source of docs/configuration.md.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema
import yaml

from .errors import InputError
from .references import check_references


def load_yaml(path: str | Path) -> dict:
    """Read a YAML file.

    Raises
    ------
    InputError
        When the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(Path(path).read_text()) or {}
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "Correct the path") from error
    except yaml.YAMLError as error:
        raise InputError(path, f"is not valid YAML ({error})", "Mend the line that is named") from error


def check(config: Mapping, schema: Mapping, datasets_schema: Mapping | None = None) -> None:
    """Check a configuration against a JSON schema, its datasets against theirs, then the names in it (references.py).

    Raises
    ------
    InputError
        Names the first offending key by its full path; for an unknown key also the nearest known one.
    """
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(config), key=lambda e: [str(p) for p in e.absolute_path]):
        raise _explain(error)
    if datasets_schema is not None:
        check_datasets(config["datasets"], datasets_schema)
    check_references(config)


def check_datasets(datasets: Mapping, schema: Mapping) -> None:
    """Check the catalogue descriptions (config/datasets.yaml) against their schema; errors as in `check`."""
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors({"datasets": datasets}), key=lambda e: [str(p) for p in e.absolute_path]):
        raise _explain(error)


def _explain(error: jsonschema.ValidationError) -> InputError:
    where = ".".join(str(p) for p in error.absolute_path) or "configuration"
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = next(k for k in error.instance if k not in known)
        near = difflib.get_close_matches(str(unknown), known, n=1, cutoff=0.4)
        prefix = f"{where}." if error.absolute_path else ""
        remedy = f"Did you mean `{near[0]}`?" if near else f"Known keys here: {', '.join(known)}"
        return InputError(f"configuration key `{prefix}{unknown}`", "is not known", remedy)
    if error.validator == "required":
        return InputError(f"configuration key `{where}`", error.message, "Add it")
    expected = error.schema.get("description", "")
    return InputError(f"configuration key `{where}`", error.message, f"Expected: {expected}" if expected else "")


def without_nulls(config: Mapping) -> None:
    """Take out, in place, the surveys that an override has set to null (a mapping can only be merged, not shortened)."""
    for role in ("train", "test"):
        surveys = config["sages"]["samples"][role]
        for name in [name for name, entry in surveys.items() if entry is None]:
            del surveys[name]


def reference_rows(schema: Mapping, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (key, type, description) of every key of a schema, depth first, for the configuration reference."""
    for key, sub in schema.get("properties", {}).items():
        path = f"{prefix}{key}"
        yield path, _type_text(sub), " ".join(sub.get("description", "").split())
        if "properties" in sub:
            yield from reference_rows(sub, f"{path}.")
        extra = sub.get("additionalProperties")
        if isinstance(extra, Mapping) and "properties" in extra:
            yield from reference_rows(extra, f"{path}.<name>.")
        items = sub.get("items")
        if isinstance(items, Mapping) and "properties" in items:
            yield from reference_rows(items, f"{path}[].")


def _type_text(sub: Mapping) -> str:
    if "enum" in sub:
        return " or ".join(f"`{v}`" for v in sub["enum"])
    kind = sub.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def reference_page(schema: Mapping) -> str:
    """The configuration reference as Markdown, made from the schema."""
    lines = [
        "# Configuration",
        "",
        "Made from `workflow/schemas/config.schema.yaml` by `make docs`; edit the schema, not this page.",
        "Defaults stand in `config/config.yaml` (the run), `config/sages.yaml` and `config/rave.yaml` (the papers' choices).",
        "Override any key with `--configfile my.yaml`: mappings are merged, lists are replaced.",
        "",
        "| key | type | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{key}` | {kind} | {text.replace('|', chr(92) + '|')} |" for key, kind, text in reference_rows(schema)]
    return "\n".join(lines) + "\n"
