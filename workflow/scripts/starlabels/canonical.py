"""Native pieces of a catalogue in, canonical pieces out: names, units, sentinels, filters; everything removed is counted."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .counts import Counts
from .derive import RECIPES, derive
from .errors import InputError
from .values import is_sentinel, rounded_ids, to_float, to_int, to_text, unit_factor

INTEGERS = ("int64", "int32")


def julian_year(values: np.ndarray, scale: str) -> np.ndarray:
    """Julian year of dates given as `mjd`, `jd` or `jyear`."""
    if scale == "jyear":
        return values
    return 2000.0 + (values - {"mjd": 51544.5, "jd": 2451545.0}[scale]) / 365.25


def holds(frame: pd.DataFrame, rule: Mapping) -> np.ndarray:
    """Where a rule of a filter holds: `where` one condition, `any` one of several, or a condition itself.

    A condition names a `column` and one of `in`, `bits` (any of these bits is set), `missing`, `min`, `max`; `character`
    takes one letter of a text first.  A missing value fulfils only `missing: true`.
    """
    if "any" in rule:
        return np.logical_or.reduce([holds(frame, r) for r in rule["any"]])
    if "where" in rule:
        return holds(frame, rule["where"])
    values = frame[rule["column"]]
    missing = values.isna().to_numpy()
    if "missing" in rule:
        return missing == rule["missing"]
    if "character" in rule:
        values = values.str.slice(rule["character"], rule["character"] + 1)
    if "in" in rule:
        found = values.isin(rule["in"]).to_numpy(bool)
    elif "bits" in rule:
        mask = sum(1 << bit for bit in rule["bits"])
        found = (values.fillna(0).to_numpy(np.int64) & mask) != 0
    else:
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            found = (numbers >= rule.get("min", -np.inf)) & (numbers <= rule.get("max", np.inf))
    return found & ~missing


def columns_named(rule: Mapping) -> list[str]:
    """The columns that a filter asks about."""
    if "any" in rule:
        return [c for r in rule["any"] for c in columns_named(r)]
    return columns_named(rule["where"]) if "where" in rule else [rule["column"]]


class Canonical:
    """Turn the native pieces of one dataset into canonical ones, and keep the counts.

    Parameters
    ----------
    dataset : str
        Its name, for messages.
    spec : mapping
        Its entry in config/datasets.yaml.

    Attributes
    ----------
    counts : Counts
        Of the rows converted so far.

    Raises
    ------
    InputError
        When the entry names a column that it does not define.
    """

    def __init__(self, dataset: str, spec: Mapping):
        self.dataset, self.spec = dataset, spec
        self.entries = {**spec["columns"], **{n: {**spec["columns"].get(n, {}), **e} for n, e in spec.get("derive", {}).items()}}
        if "epoch" in spec:
            self.entries["ref_epoch"] = {"unit": "yr", "description": "Epoch of the position (Julian year)"}
        if "generate_id" in spec:
            running = {"type": "int64", "description": "Running number, not an id of any archive"}
            self.entries = {spec["generate_id"]: running, **self.entries}
        self.kept_columns = [n for n, e in self.entries.items() if e.get("keep", True)]
        self._check()
        required = [n for n, e in self.entries.items() if "native" in e and not e.get("optional")]
        self.counts = Counts(dataset, spec, required)

    def _check(self) -> None:
        spec, known = self.spec, self.entries
        rules = [*spec.get("blank", []), *spec.get("drop", []), *spec.get("require", [])]
        epoch = spec.get("epoch")
        named = [(c, f"`{rule['text']}`") for rule in rules for c in [*columns_named(rule), *rule.get("columns", [])]]
        named += [(c, "sort") for c in spec.get("sort", [])]
        named += [(c, "epoch") for c in (epoch["columns"] if isinstance(epoch, Mapping) else [])]
        if spec.get("cell_by", "none") == "position":
            named += [(c, "cell_by: position") for c in ("ra", "dec")]
        elif spec.get("cell_by", "none") != "none":
            named.append((spec["cell_by"], "cell_by"))
        if "unique" in spec:
            named.append((spec["unique"], "unique"))
        for column, where in named:
            if column not in known:
                remedy = f"It defines: {', '.join(known)}"
                found = f"{where} names the column {column}, which it lacks"
                raise InputError(f"configuration key `datasets.{self.dataset}`", found, remedy)
        for name, entry in spec.get("derive", {}).items():
            if entry["recipe"] not in RECIPES:
                where = f"configuration key `datasets.{self.dataset}.derive.{name}.recipe`"
                raise InputError(where, f"is {entry['recipe']!r}", f"Known: {', '.join(RECIPES)}")

    def convert(self, native: pd.DataFrame, path: str | Path) -> pd.DataFrame:
        """Canonical rows of one native piece, filtered; dtypes as the dataset's entry says.

        Raises
        ------
        InputError
            Wrong unit, text in a number, an integer that is missing or went through a float.
        """
        names, units = native.attrs["names"], native.attrs["units"]
        counts = self.counts
        counts.names = counts.names or dict(names)
        columns = {}
        if "generate_id" in self.spec:
            columns[self.spec["generate_id"]] = pd.arrays.IntegerArray(
                np.arange(counts.rows + 1, counts.rows + 1 + len(native), dtype=np.int64), np.zeros(len(native), bool)
            )
        for name, entry in self.spec["columns"].items():
            column = names.get(name)
            columns[name] = self._column(name, entry, native, column, units.get(column, ""), f"{path}, column {column}")
        frame = derive(pd.DataFrame(columns, index=pd.RangeIndex(len(native))), self.spec.get("derive", {}))
        if "epoch" in self.spec:
            frame["ref_epoch"] = self._epoch(frame)
        counts.rows += len(frame)
        for rule in self.spec.get("blank", []):
            frame = self._blank(frame, rule)
        for name in counts.values:
            counts.values[name] += int(frame[name].notna().sum()) if name in frame else 0
        for rule, keeps in [*((r, False) for r in self.spec.get("drop", [])), *((r, True) for r in self.spec.get("require", []))]:
            stays = holds(frame, rule) == keeps
            counts.dropped[rule["text"]] += int(np.count_nonzero(~stays))
            frame = frame[stays]
        return self._typed(frame.reset_index(drop=True), path)

    def _column(self, name: str, entry: Mapping, native: pd.DataFrame, column: str | None, stated: str, where: str):
        """One column as float64, nullable Int64 or text, in canonical units."""
        kind, n = entry.get("type", "float64"), len(native)
        if column is None:
            value = entry.get("value", entry.get("default"))
            if kind == "str":
                return pd.array([value] * n, dtype="str")
            if kind in INTEGERS:
                return pd.array([value] * n, dtype="Int64")
            return np.full(n, np.nan if value is None else value, dtype=np.float64)
        if kind == "str":
            return to_text(native[column])
        if kind in INTEGERS:
            values = to_int(native[column], where)
            if kind == "int64":
                self.counts.rounding[name] += rounded_ids(np.asarray(values[~values.isna()], dtype=np.int64))
            plain = values.to_numpy(np.int64, na_value=0)
        else:
            plain = values = to_float(native[column], where)
        if "sentinel" in entry:
            missing = is_sentinel(plain, entry["sentinel"]) & ~pd.isna(values)
            self.counts.sentinels[name] += int(missing.sum())
            if kind in INTEGERS:
                values = pd.arrays.IntegerArray(plain, missing | np.asarray(pd.isna(values)))
            else:
                values = np.where(missing, np.nan, values)
        stated = stated or entry.get("native_unit", "")
        if kind not in INTEGERS:
            if stated and entry.get("unit"):
                values = values * unit_factor(stated, entry["unit"], where)
            values = values + entry["add"] if "add" in entry else values
            values = np.where(np.isnan(values), entry["default"], values) if "default" in entry else values
        return values

    def _epoch(self, frame: pd.DataFrame) -> np.ndarray:
        """Julian year of each position: fixed, or the mean of the dates that the row has."""
        epoch = self.spec["epoch"]
        if not isinstance(epoch, Mapping):
            return np.full(len(frame), float(epoch))
        dates = np.column_stack([julian_year(frame[c].to_numpy(np.float64), epoch["scale"]) for c in epoch["columns"]])
        known = np.isfinite(dates)
        mean = np.where(known, dates, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return np.where(known.any(axis=1), mean, epoch.get("default", np.nan))

    def _blank(self, frame: pd.DataFrame, rule: Mapping) -> pd.DataFrame:
        hit = holds(frame, rule)
        for column in rule["columns"]:
            self.counts.blanked[rule["text"]] += int((hit & frame[column].notna().to_numpy()).sum())
            frame[column] = frame[column].mask(hit)
        return frame

    def _typed(self, frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
        typed = {}
        for name in self.kept_columns:
            entry, values = self.entries[name], frame[name]
            kind = entry.get("type", "float64")
            if kind in INTEGERS:
                if "missing" in entry:
                    values = values.fillna(entry["missing"])
                elif values.isna().any():
                    where = f"{path}, column {self.counts.names.get(name) or name}"
                    remedy = "Drop such rows (`drop`) or give the value that stands for missing (`missing`) in config/datasets.yaml"
                    raise InputError(where, f"has {int(values.isna().sum())} rows without a value", remedy)
                typed[name] = values.to_numpy(dtype=kind)
            elif kind == "str":
                typed[name] = values.array
            else:
                typed[name] = values.to_numpy(dtype=kind)
        return pd.DataFrame(typed)

    def empty(self) -> pd.DataFrame:
        """A table of no rows with the right columns and types."""
        return pd.DataFrame({n: pd.Series(dtype=self.entries[n].get("type", "float64")) for n in self.kept_columns})

    def meta(self) -> dict[str, dict]:
        """Unit, description, native name, source and sentinel of each column, for the files' metadata."""
        source = self.spec.get("reference", self.dataset)
        return {
            name: {
                "unit": entry.get("unit", ""), "description": entry.get("description", ""),
                "native": self.counts.names.get(name) or (f"derived: {entry['recipe']}" if "recipe" in entry else ""),
                "source": source, "sentinel": entry.get("sentinel"), "missing": entry.get("missing"),
            }
            for name, entry in self.entries.items() if name in self.kept_columns
        }  # fmt: skip
