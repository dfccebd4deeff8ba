from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import delivery
from tcsniff.renderers.runs.run_formats import ROW_FORMATS
from tcsniff.renderers.runs.run_table import RowTable
from tcsniff.stats.run_ledger import RunLedger, RunRow

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["=1+1", "+1", "-x", "@sum", "\t=1", "\r=1", 'a,"b"\n', "\x1b[31m", "日本"]
)


CONTROLS = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u202e"}


def make_row(label="test"):
    tags = {"task": {"tags": {"label": label}}}
    (row,) = RunLedger().add(delivery("task-failed", payload=tags))
    return row


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
@given(label=TEXT)
def test_a_table_file_can_be_read_again(form, delimiter, label):
    """By any reader of RFC 4180, with one cell for each column."""
    row_format = ROW_FORMATS[form]()
    text = (row_format.heading + row_format.format_row(make_row(label))).decode()

    names, cells = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)

    assert tuple(names) == RunRow._fields
    assert len(cells) == len(names)
    assert cells[names.index("label")] in (label, f"'{label}")


@pytest.mark.parametrize("form", ["csv", "tsv"])
@given(label=TEXT)
def test_no_cell_is_computed(form, label):
    """A label that starts like a formula is text for a spreadsheet."""
    line = ROW_FORMATS[form]().format_row(make_row(label)).decode()

    (cells,) = csv.reader(io.StringIO(line, newline=""), delimiter="," if form == "csv" else "\t")

    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_lines_of_csv_end_as_the_standard_says():
    """With CRLF; those of TSV with a line feed."""
    ends = {form: ROW_FORMATS[form]().format_row(make_row())[-2:] for form in ("csv", "tsv")}

    assert ends == {"csv": b"\r\n", "tsv": b"e\n"}


@given(label=TEXT)
def test_json_has_the_value(label):
    """One object in a line."""
    line = ROW_FORMATS["json"]().format_row(make_row(label))

    assert line.count(b"\n") == 1
    assert orjson.loads(line) == make_row(label)._asdict()


@pytest.mark.parametrize("form", ["json", "csv", "tsv"])
@given(label=TEXT)
def test_no_label_steers_a_terminal(form, label):
    """Lines for a terminal have no control characters."""
    row_format = ROW_FORMATS[form]()

    line = row_format.escape(row_format.format_row(make_row(label))).decode()

    assert not CONTROLS.intersection(line.replace("\t", "").removesuffix("\n"))


@pytest.mark.parametrize("width", [20, 80, 200])
@given(label=TEXT)
def test_a_row_of_the_table_is_safe(width, label):
    """One line without control characters, whatever the label is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        line = RowTable(color=False, ascii_only=False, utc=True).format_row(make_row(label))

    assert not CONTROLS.intersection(line.decode().removesuffix("\n"))


def test_a_row_of_the_table_looks_like_this():
    """Names get the room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        table = RowTable(color=False, ascii_only=False, utc=True)
        lines = [table.row_format.heading, table.format_row(make_row("test-linux/opt-1"))]

    assert [line.decode() for line in lines] == [
        "RESOLVED  STATE                   WAITED      RAN  "
        "TASK                                          RUN\n",
        "18:01:05  ✖ failed                  3.0s    1m02s  "
        "test-linux/opt-1                                0\n",
    ]


@given(st.integers(40, 249))
def test_a_row_of_the_table_fits_any_terminal(width):
    """As one row; a wider one shows no less of the name, and no more columns disappear."""
    rows, names = [], []
    for cells in (width, width + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", str(cells))
            table = RowTable(color=False, ascii_only=True, utc=True)
            rows.append(table.format_row(make_row("x" * 80)).decode().rstrip("\n"))
            names.append(rows[-1].count("x"))
        assert len(rows[-1]) <= cells

    assert names[0] <= names[1]
    assert len(rows[0].split()) <= len(rows[1].split())
