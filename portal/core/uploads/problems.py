"""What can be wrong with an uploaded file: codes and English sentences. Knows no database; the child uses it too."""

from __future__ import annotations

from portal.core.coded import N_, CodedError

MESSAGES = {
    "upload.empty": N_("The file is empty (0 bytes)."),
    "upload.too_large": N_("The file is larger than %(limit)s MiB."),
    "upload.name": N_("The file's name has no readable characters."),
    "upload.extension": N_("Only PDF, JPEG and PNG files are accepted."),
    "upload.mismatch": N_("The content is not what the name says: it is no %(kind)s file."),
    "upload.damaged": N_("The file is damaged and cannot be read."),
    "upload.too_complex": N_("Looking at the file took too much time or memory. Scan it again at a lower resolution."),
    "upload.polyglot": N_("The file has something attached before or after its content. Save it again and retry."),
    "upload.encrypted": N_("The PDF is encrypted or protected by a password. Save it without protection."),
    "upload.script": N_("The PDF contains scripts."),
    "upload.launch": N_("The PDF contains actions that start programs or send data."),
    "upload.embedded": N_("The PDF contains embedded files or media."),
    "upload.xfa": N_("The PDF contains an XFA form. Print it to a plain PDF."),
    "upload.pages": N_("The PDF has more than %(limit)s pages."),
    "upload.no_pages": N_("The PDF has no pages."),
    "upload.page_size": N_("Page %(page)s is larger than a sheet of A0, or has no size."),
    "upload.pixels": N_("The picture has more than %(limit)s million pixels."),
    "upload.tiny": N_("The picture is too small to read anything on it."),
    "upload.frames": N_("The picture consists of several pictures. Save each one by itself."),
    "upload.virus": N_("The virus scanner found something in the file: %(name)s"),
    "upload.unscanned": N_("The virus scanner does not answer, so the file was not kept. Try again later."),
}


class UploadProblem(CodedError):
    """A file that is not accepted, with its reason."""

    messages = MESSAGES
