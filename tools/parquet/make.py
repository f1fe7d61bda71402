"""Makes fixtures/files.json: small parquet files of the kinds that data sets come in, and the rows of their text column. Needs
`pip install pyarrow` (made with 25.0.1)."""
import base64, io, json, pathlib
import pyarrow as pa, pyarrow.parquet as pq

rows = [None if i % 7 == 3 else "" if i % 11 == 0 else f"row {i % 13} " + "wörd 語 " * (i % 5) for i in range(120)]


def file(column=rows, kind=pa.string(), nullable=True, **options):
    schema = pa.schema([pa.field("id", pa.int32()), pa.field("lists", pa.list_(pa.int32())), pa.field("text", kind, nullable=nullable)])
    table = pa.table({"id": range(len(column)), "lists": [[i] for i in range(len(column))], "text": column}, schema=schema)
    made = io.BytesIO()
    pq.write_table(table, made, **{"compression": "none", "write_statistics": False, **options})
    return {"bytes": base64.b64encode(made.getvalue()).decode(), "texts": [text for text in column if text is not None]}


plain = {"use_dictionary": False}
encoded = lambda name: {**plain, "column_encoding": {"text": name, "id": "PLAIN", "lists.list.element": "PLAIN"}}
files = {
    **{f"{codec}, pages of version {version}": file(compression=codec, data_page_version=version, row_group_size=50)
       for codec in ("snappy", "gzip", "brotli", "zstd", "lz4") for version in ("1.0", "2.0")},
    "no dictionary": file(**plain),
    "no value may be missing": file([text or "" for text in rows], nullable=False),
    "long strings": file(kind=pa.large_string()),
    "nearly all missing": file([None] * 100 + ["x"]),
    "all the same": file(["same"] * 100),
    "an empty row group": file([]),
    "an index of pages": file(write_page_index=True, data_page_size=64, data_page_version="2.0"),
    **{f"{name}, pages of version {version}": file(data_page_version=version, **encoded(name))
       for name in ("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY") for version in ("1.0", "2.0")},
}
here = pathlib.Path(__file__).parent / "fixtures"
(here / "files.json").write_text(json.dumps([{"name": name, **made} for name, made in files.items()]) + "\n")
