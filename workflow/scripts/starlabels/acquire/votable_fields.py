"""Columns of a VOTable: their types, and their values in text and in binary notation as Arrow arrays."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError

#: VOTable type -> code of `struct`, type in the table (a byte has no sign there, so it becomes a short)
NUMBERS = {
    "unsignedByte": ("B", pa.int16()), "short": ("h", pa.int16()), "int": ("i", pa.int32()), "long": ("q", pa.int64()),
    "float": ("f", pa.float32()), "double": ("d", pa.float64()),
}  # fmt: skip
TEXTS = {"char": 1, "unicodeChar": 2}  # bytes of a character
TRUTH = {"T": True, "1": True, "TRUE": True, "F": False, "0": False, "FALSE": False}


@dataclass
class Field:
    """One column.

    Attributes
    ----------
    count : int or None
        Values a row (characters of a text); None: as many as each row says.
    null : str or None
        The integer that stands for a missing value.
    """

    name: str
    datatype: str
    count: int | None = 1
    unit: str = ""
    description: str = ""
    null: str | None = None

    @classmethod
    def of(cls, attributes: Mapping[str, str], where: str) -> "Field":
        """From the attributes of a FIELD element."""
        name, datatype = attributes.get("name") or attributes.get("ID", ""), attributes.get("datatype", "")
        size = attributes.get("arraysize", "")
        if datatype not in (*NUMBERS, *TEXTS, "boolean"):
            found = f"is of the type {datatype!r}, which is not supported"
            raise InputError(f"{where}, column {name}", found, "Name the `columns` that you need")
        try:
            count = None if "*" in size else int(np.prod([int(part) for part in size.split("x")])) if size else 1
        except ValueError as error:
            raise InputError(f"{where}, column {name}", f"has the arraysize {size!r}", "Tell the service's operators") from error
        return cls(name, datatype, count, attributes.get("unit", ""))

    @property
    def single(self) -> bool:
        """Whether a row holds one number or truth value."""
        return self.datatype not in TEXTS and self.count == 1

    @property
    def item_bytes(self) -> int:
        """Bytes of one value (one character) in binary notation."""
        return TEXTS.get(self.datatype) or (1 if self.datatype == "boolean" else struct.calcsize(NUMBERS[self.datatype][0]))

    def type(self) -> pa.DataType:
        """The Arrow type."""
        if self.datatype in TEXTS:
            return pa.string()
        one = pa.bool_() if self.datatype == "boolean" else NUMBERS[self.datatype][1]
        return one if self.single else pa.list_(one)

    def arrow(self) -> pa.Field:
        """The Arrow column; its unit stands where `readers` looks for it."""
        return pa.field(self.name, self.type(), metadata={"unit": self.unit} if self.unit else None)


def _numbers(field: Field, array: pa.Array) -> pa.Array:
    """Null where a number is missing: NaN, or the integer that stands for it."""
    missing = None
    if pa.types.is_floating(array.type):
        missing = pc.is_nan(array)
    elif field.null is not None:
        missing = pc.equal(array, pa.scalar(int(field.null, 0), pa.int64()))
    return array if missing is None else pc.if_else(missing, pa.scalar(None, array.type), array)


def from_text(field: Field, cells: Sequence[str], where: str) -> pa.Array:
    """A column out of TABLEDATA."""
    kind = field.type()
    if field.datatype in TEXTS:
        texts = pa.array(cells, kind)
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)
    try:
        if not field.single:
            return pa.array([[_value(field, part) for part in cell.split()] or None for cell in cells], kind)
        if field.datatype == "boolean":
            return pa.array([_value(field, cell) for cell in cells], kind)
        texts = pc.utf8_trim_whitespace(pa.array(cells, pa.string()))
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        try:
            return _numbers(field, texts.cast(kind))
        except pa.ArrowInvalid:  # notations that Arrow does not know: +Inf, 0x1f
            return _numbers(field, pa.array([_value(field, cell) for cell in cells], kind))
    except (ValueError, pa.ArrowInvalid) as error:
        raise InputError(f"{where}, column {field.name}", f"holds what is no {field.datatype} ({error})", "Tell the operators") from error


def _value(field: Field, cell: str):
    cell = cell.strip()
    if field.datatype == "boolean":
        return TRUTH.get(cell.upper())
    if not cell:
        return None
    return float(cell) if field.datatype in ("float", "double") else int(cell, 16 if cell[:2].lower() == "0x" else 10)


def binary_rows(fields: Sequence[Field], data: bytearray, flags: bool, where: str) -> tuple[list[pa.Array], int]:
    """The whole rows at the start of `data`, one array a column, and how many bytes they take.

    `flags`: each row begins with a bit a column that says whether its value is missing (BINARY2).
    """
    width = (len(fields) + 7) // 8 if flags else 0
    if all(field.count is not None for field in fields):
        codes = [f">{NUMBERS[f.datatype][0]}" if f.single and f.datatype in NUMBERS else f"V{f.count * f.item_bytes}" for f in fields]
        row = np.dtype([("flags", f"V{width}")] * bool(width) + [(str(k), code) for k, code in enumerate(codes)])
        n = len(data) // row.itemsize if row.itemsize else 0
        found = np.frombuffer(bytes(data[: n * row.itemsize]), row)
        columns = [found[str(k)] if codes[k][0] == ">" else [v.tobytes() for v in found[str(k)]] for k in range(len(fields))]
        bits, used = found["flags"].tobytes() if width else b"", n * row.itemsize
    else:
        columns, bits, used = _uneven_rows(fields, bytes(data), width)
        n = len(columns[0])
    missing = np.unpackbits(np.frombuffer(bits, np.uint8).reshape(n, width), axis=1).astype(bool) if width else None
    return [_from_binary(f, columns[k], None if missing is None else missing[:, k], where) for k, f in enumerate(fields)], used


def _uneven_rows(fields: Sequence[Field], data: bytes, width: int) -> tuple[list[list], bytes, int]:
    """Rows whose length differs: neighbouring columns of fixed length are read at once."""
    steps: list[tuple[struct.Struct | None, int]] = []
    code = ""
    for field in fields:
        if field.count is None:
            steps += [(struct.Struct(f">{code}"), 0)] * bool(code) + [(None, field.item_bytes)]
            code = ""
        else:
            code += NUMBERS[field.datatype][0] if field.single and field.datatype in NUMBERS else f"{field.count * field.item_bytes}s"
    steps += [(struct.Struct(f">{code}"), 0)] * bool(code)
    length, rows, bits, start, end = struct.Struct(">I"), [], [], 0, len(data)
    while start + width <= end:
        here, row = start + width, []
        for fixed, item in steps:
            if fixed is not None:
                if here + fixed.size > end:
                    break
                row += fixed.unpack_from(data, here)
                here += fixed.size
                continue
            if here + 4 > end:
                break
            size = length.unpack_from(data, here)[0] * item
            here += 4 + size
            if here > end:
                break
            row.append(data[here - size : here])
        else:
            if here == start:
                break
            rows.append(row)
            bits.append(data[start : start + width])
            start = here
            continue
        break
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in fields]
    return columns, b"".join(bits), start


def _from_binary(field: Field, values, missing: np.ndarray | None, where: str) -> pa.Array:
    """A column out of BINARY or BINARY2."""
    kind = field.type()
    if field.single and field.datatype in NUMBERS:
        native = np.asarray(values, dtype=np.dtype(kind.to_pandas_dtype()))
        return _numbers(field, pa.array(native, kind, mask=missing))
    if field.datatype in TEXTS:
        values = [_text(field, value) for value in values]
    elif field.single:
        values = [TRUTH.get(value.decode("ascii", "replace").upper()) for value in values]
    elif field.datatype == "boolean":
        values = [[TRUTH.get(chr(one).upper()) for one in value] or None for value in values]
    else:
        code = f">{NUMBERS[field.datatype][0]}"
        values = [np.frombuffer(value, code).tolist() or None for value in values]
    return pa.array(values, kind, mask=missing)


def _text(field: Field, value: bytes) -> str | None:
    """Text up to the first zero character, without the blanks that fill a fixed length."""
    text = value.decode("utf-16-be" if field.datatype == "unicodeChar" else "utf-8", "replace").partition("\0")[0]
    return (text if field.count is None else text.rstrip(" ")) or None
