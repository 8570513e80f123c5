"""What can be wrong with a spreadsheet: codes and English sentences."""

from __future__ import annotations

from portal.core.coded import N_, CodedError

MESSAGES = {
    "sheet.empty": N_("The file is empty."),
    "sheet.too_large": N_("The file is larger than %(limit)s MB."),
    "sheet.not_a_spreadsheet": N_("This is no spreadsheet. Take an XLSX, XLS or CSV file."),
    "sheet.html": N_(
        "This file is a web page with the name of a spreadsheet. Open it in Excel or WPS and save it as XLSX."
    ),
    "sheet.other_format": N_("This kind of spreadsheet cannot be read. Save it as XLSX."),
    "sheet.macros": N_("The file contains macros. Save it as XLSX without macros."),
    "sheet.encrypted": N_("The file is protected by a password. Save it without one."),
    "sheet.damaged": N_("The file is damaged and cannot be read."),
    "sheet.unsafe_zip": N_(
        "The file unpacks to far more than a spreadsheet should, or holds forbidden names. It was not opened."
    ),
    "sheet.no_such_sheet": N_("There is no sheet with this name in the file."),
    "sheet.no_header": N_("The sheet has no row with headings."),
    "sheet.too_many_rows": N_("The sheet has more than %(limit)s rows. Split it into several files."),
    "sheet.too_many_columns": N_("The sheet has more than %(limit)s columns."),
    "sheet.cell_too_long": N_("Row %(row)s has a cell with more than %(limit)s characters."),
    "sheet.too_much_text": N_("The sheet holds more text than can be read at once. Split it into several files."),
    "sheet.encoding": N_("The characters of the file do not fit the encoding %(encoding)s. Choose another one."),
    "sheet.quoting": N_("Row %(row)s of the file is damaged: probably a quotation mark is not closed."),
    "sheet.timeout": N_("Reading the file took too long. Split it into several files."),
    "sheet.too_complex": N_("The file needs more memory than is allowed. Split it into several files."),
}


class SpreadsheetError(CodedError):
    """A file that cannot be read or written; codes and sentences in `MESSAGES`."""

    messages = MESSAGES
