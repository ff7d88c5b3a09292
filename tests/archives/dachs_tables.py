"""Tables of a folder as SQL (tables.sql) and as a resource descriptor of DaCHS (q.rd): called by dachs.sh."""

import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

TYPES = {
    pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint", pa.float32(): "real", pa.float64(): "double precision",
    pa.string(): "text", pa.large_string(): "text", pa.bool_(): "boolean",
}  # fmt: skip
MISSING = {pa.int16(): "-32768", pa.int32(): "-2147483648", pa.int64(): "-9223372036854775808"}


def table_of(path: Path) -> pa.Table:
    """A Parquet file, or a VOTable through astropy."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    from astropy.table import Table

    read = Table.read(path, format="votable", use_names_over_ids=True)
    return pa.table({n: pa.array(getattr(read[n], "data", read[n]), mask=getattr(read[n], "mask", None)) for n in read.colnames})


def main(folder: str, schema: str, out: str) -> None:
    out = Path(out)
    out.mkdir(parents=True)
    sql, tables = [f"CREATE SCHEMA IF NOT EXISTS {schema};", f"ALTER SCHEMA {schema} OWNER TO gavoadmin;"], []
    sql.append(f"GRANT USAGE ON SCHEMA {schema} TO gavo, untrusted;")
    for path in sorted(p for p in Path(folder).iterdir() if p.suffix in (".parquet", ".xml")):
        table, name = table_of(path), path.stem.lower()
        pc.write_csv(table, out / f"{name}.csv")
        quoted = {c: '"' + c.replace('"', '""') + '"' for c in table.column_names}
        types = {f.name: TYPES[f.type] for f in table.schema}
        sql += [
            f"DROP TABLE IF EXISTS {schema}.{name};",
            f"CREATE TABLE {schema}.{name} ({', '.join(f'{quoted[c]} {types[c]}' for c in table.column_names)});",
            f"\\copy {schema}.{name} FROM '{out / name}.csv' WITH (FORMAT csv, HEADER)",
            f"ALTER TABLE {schema}.{name} OWNER TO gavoadmin;",
            f"GRANT SELECT ON {schema}.{name} TO gavo, untrusted;",
        ]
        columns = []
        for field in table.schema:
            plain = field.name.isidentifier() and field.name == field.name.lower()
            unit = (field.metadata or {}).get(b"unit", b"").decode()
            null = f"<values nullLiteral={quoteattr(MISSING[field.type])}/>" if field.type in MISSING else ""
            called = quoteattr(field.name if plain else f"quoted/{field.name}")
            kind = TYPES[field.type].replace("text", "unicode")
            head = f'<column name={called} type="{kind}" unit={quoteattr(unit)} description="made up">'
            columns.append(f"{head}{null}</column>")
        tables.append(f'<table id="{name}" onDisk="True" adql="True"><meta name="description">Made up.</meta>{"".join(columns)}</table>')
        tables.append(f'<data id="import_{name}"><make table="{name}"/></data>')
    (out / "tables.sql").write_text("\n".join(sql) + "\n")
    head = f'<resource schema="{schema}"><meta name="title">Test tables</meta><meta name="creationDate">2026-01-01T00:00:00Z</meta>'
    head += '<meta name="description">Made up.</meta><meta name="subject">surveys</meta><meta name="creator.name">Nobody</meta>'
    (out / "q.rd").write_text(head + "".join(tables) + "</resource>\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
