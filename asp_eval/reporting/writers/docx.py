"""Documents as Word files (python-docx): headings, tables and captions in Word's own styles, so that they can be edited."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from asp_eval.reporting.blocks import (
    Block,
    Callout,
    Code,
    Document,
    Field,
    Fields,
    Figure,
    Paragraph,
    Prose,
    Question,
    Reference,
    Section,
    Strong,
    Table,
    Text,
    inlines,
    plain,
)
from asp_eval.reporting.language import words_for
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.page_breaks import together
from asp_eval.reporting.writers.pdf import HIGHEST, edition, fonts_of, running_title
from asp_eval.reporting.writers.typesetting import UNDATED, png
from asp_eval.reporting.writers.widths import fullness, shares
from asp_eval.reporting.writers.word_rows import Look, bookmark, rows_xml

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

FONT = "Calibri"
TEXT_WIDTH = 178.0  # mm, of A4 within the margins
LONGEST_LINE = 105  # letters of the running header
QUIET, WARM, INK, RULE, WASH, EDGE = "55636F", "B4600C", "1B2733", "CDD5DB", "F4F7F8", "7D8D98"
SIZES = {
    "Normal": 10,
    "Title": 20,
    "Subtitle": 10,
    "Heading 1": 13.5,
    "Heading 2": 11,
    "Caption": 9.5,
    "Header": 8,
    "Footer": 8,
}  # points, by Word's style
SPACES = {
    "Normal": (0, 5),
    "Heading 1": (16, 6),
    "Heading 2": (10, 4),
    "Caption": (8, 4),
    "Title": (0, 8),
}  # over and under
LOCALES = {"da": "da-DK", "en": "en-GB"}
WIDEST_LABEL = 22  # letters that stand beside a value; the value of a longer one begins under it


def docx(document: Document, theme: Theme = PLAIN) -> bytes:
    """Return a document as a Word file; the same document always gives the same bytes.

    Parameters
    ----------
    document : Document
    theme : Theme
    """
    return _with_fixed_dates(_Writer(document, theme).made())


class _Writer:
    """Writes one document, block by block."""

    def __init__(self, document: Document, theme: Theme) -> None:
        import docx as word

        self.document, self.theme = document, theme
        self.word: WordDocument = word.Document()
        self.accent = theme.accent.removeprefix("#").upper()
        self.marks = 0
        self.styles = {style.name: None if style.name == "Normal" else style.style_id for style in self.word.styles}

    def made(self) -> bytes:
        """Return the file, its dates not yet fixed."""
        self._set_styles()
        self._set_properties()
        self._set_page()
        self._put_top()
        for position, section in enumerate(self.document.sections):
            self._put_section(section)
            if position == 0 and self.document.contents:
                self._put_contents()
        file = io.BytesIO()
        self.word.save(file)
        return file.getvalue()

    def _set_styles(self) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        styles = self.word.styles
        for name, size in SIZES.items():
            style: Any = styles[name]
            style.font.size = Pt(size)
            style.font.name = self.theme.font or FONT
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for attribute in [key for key in fonts.attrib if "Theme" in key]:
                del fonts.attrib[attribute]
            for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
                fonts.set(qn(script), self.theme.font or FONT)
            style.font.italic = False
            quiet = name in {"Subtitle", "Header", "Footer"}
            style.font.color.rgb = RGBColor.from_string(self.accent if name == "Heading 1" else QUIET if quiet else INK)
        for name in ("Title", "Caption", "Heading 1", "Heading 2"):
            styles[name].font.bold = True
        for name, before, after in (
            ("Normal", 0, 5),
            ("Heading 1", 16, 6),
            ("Heading 2", 10, 4),
            ("Caption", 8, 4),
            ("Title", 0, 8),
        ):
            form = styles[name].paragraph_format
            form.space_before, form.space_after = Pt(before), Pt(after)
        styles["Caption"].paragraph_format.keep_with_next = True
        for border in styles["Title"].element.xpath(".//w:pBdr"):
            border.getparent().remove(border)
        language = styles.element.xpath("w:docDefaults//w:lang")[0]
        for attribute in ("w:val", "w:eastAsia"):
            language.set(qn(attribute), LOCALES.get(self.document.language, self.document.language))

    def _set_properties(self) -> None:
        properties = self.word.core_properties
        day = self.document.day or UNDATED
        moment = datetime(day.year, day.month, day.day)
        properties.title = running_title(self.document)
        properties.subject = self.document.subtitle[:255]
        properties.author = ""
        properties.last_modified_by = ""
        properties.comments = self.document.made_with
        properties.language = LOCALES.get(self.document.language, self.document.language)
        properties.created = properties.modified = moment
        properties.revision = 1

    def _set_page(self) -> None:
        from docx.shared import Mm

        page = self.word.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.left_margin = page.right_margin = Mm(16)
        page.top_margin, page.bottom_margin = Mm(24), Mm(18)
        page.header_distance = page.footer_distance = Mm(9)
        head = page.header.paragraphs[0]
        if self.document.banner:
            head.add_run(self.document.banner).bold = True
            head = page.header.add_paragraph(style="Header")
        self._set_tabs(head)
        running, made_of = running_title(self.document), edition(self.document)
        between = "\t" if len(running) + len(made_of) <= LONGEST_LINE else "\n"
        head.add_run(between.join(part for part in (running, made_of) if part))
        foot = page.footer.paragraphs[0]
        self._set_tabs(foot)
        foot.add_run(self.document.made_with + "\t")
        self._put_field(foot, "PAGE")
        foot.add_run(" / ")
        self._put_field(foot, "NUMPAGES")

    def _set_tabs(self, paragraph: WordParagraph) -> None:
        from docx.enum.text import WD_TAB_ALIGNMENT
        from docx.shared import Mm

        style: Any = paragraph.style
        for stop in list(style.element.xpath(".//w:tabs")):
            stop.getparent().remove(stop)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)

    def _put_field(self, paragraph: WordParagraph, field: str, shown: str = "1", *, dirty: bool = False) -> None:
        """Put a field that Word fills in, and what it shows until then; a dirty one is filled in when the file is opened."""
        element = _element("w:fldSimple", {"w:instr": f" {field} ", **({"w:dirty": "true"} if dirty else {})})
        run = _element("w:r")
        text = _element("w:t")
        text.text = shown
        run.append(text)
        element.append(run)
        paragraph._p.append(element)

    def _paragraph(self, text: str = "", style: str = "") -> WordParagraph:
        """Put a paragraph in a style. Its id is known: python-docx would look through all styles for it."""
        made = self.word.add_paragraph(text)
        if style:
            made._p.style = self.styles[style]
        return made

    def _put_top(self) -> None:
        from docx.shared import Mm

        if self.theme.logo is not None:
            self.word.add_picture(io.BytesIO(self._logo()), height=Mm(14))
            self._describe(self.word.paragraphs[-1], self.theme.organisation)
        self._paragraph(self.document.subtitle, "Subtitle")
        title = self._paragraph(self.document.title, "Title")
        self._name(title, "top")

    def _put_contents(self) -> None:
        """Put the list of sections with their pages, which Word works out; what it shows before it has is the title alone."""
        from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
        from docx.shared import Mm

        heading = self._paragraph(style="Normal")
        heading.add_run(words_for(self.document.language)("Contents")).bold = True
        heading.paragraph_format.keep_with_next = True
        for section in self.document.sections:
            paragraph = self._paragraph()
            form = paragraph.paragraph_format
            form.space_after, form.keep_with_next = 0, section is not self.document.sections[-1] or None
            form.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
            self._put_inline(paragraph, Reference(section.title, section.anchor))
            paragraph.add_run("\t")
            self._put_field(paragraph, f"PAGEREF {bookmark(section.anchor)} \\h", "", dirty=True)
        self._paragraph()

    def _logo(self) -> bytes:
        """Return the logo as a picture that Word reads; it does not read SVG alone."""
        logo = self.theme.logo
        assert logo is not None
        return png(logo.content.decode(), fonts_of(self.theme)) if logo.media_type == "image/svg+xml" else logo.content

    def _put_section(self, section: Section, level: int = 1) -> None:
        if section.title:
            heading = self._paragraph(section.title, f"Heading {level}")
            heading.paragraph_format.page_break_before = section.new_page
            if section.anchor:
                self._name(heading, section.anchor)
        for block in section.blocks:
            self._put(block)
        for part in section.parts:
            self._put_section(part, level + 1)

    def _put(self, block: Block) -> None:
        if isinstance(block, Prose):
            self._put_prose(block)
        elif isinstance(block, Table):
            self._put_table(block)
        elif isinstance(block, Figure):
            self._put_figure(block)
        elif isinstance(block, Fields):
            self._put_fields(block)
        elif isinstance(block, Question):
            self._put_question(block)
        else:
            self._put_callout(block)

    def _put_prose(self, prose: Prose, *, side: str = "", fill: str = "") -> None:
        for part in prose.parts:
            items: Sequence[tuple[Text, str]]
            if isinstance(part, Paragraph):
                items = [(part.text, "Normal")]
            else:
                items = [(item.text, "List Number" if part.ordered else "List Bullet") for item in part.items]
            for text, style in items:
                paragraph = self._paragraph(style=style)
                paragraph.paragraph_format.keep_with_next = prose.introduces or None
                self._put_inline(paragraph, *inlines(text))
                self._set_apart(paragraph, side, fill)

    def _put_inline(self, paragraph: WordParagraph, *parts: object) -> None:
        for part in parts:
            if isinstance(part, str):
                paragraph.add_run(str(part))
            elif isinstance(part, Strong):
                paragraph.add_run(part.text).bold = True
            elif isinstance(part, Code):
                paragraph.add_run(part.text).font.name = "Consolas"
            elif isinstance(part, Reference):
                self._put_reference(paragraph, part.text, part.anchor)
            else:
                paragraph.add_run(getattr(part, "text", ""))

    def _put_reference(self, paragraph: WordParagraph, text: str, anchor: str) -> None:
        """Put words that lead to another place of the document."""
        run = paragraph.add_run(text)
        self._colour(run, self.accent)
        link = _element("w:hyperlink", {"w:anchor": bookmark(anchor)})
        run._r.addprevious(link)
        link.append(run._r)

    def _put_table(self, table: Table) -> None:
        from docx.enum.table import WD_TABLE_ALIGNMENT
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls
        from docx.shared import Mm, Pt

        if table.caption:
            self._name(self._paragraph(table.caption, "Caption"), table.key)
        made = self.word.add_table(0, len(table.columns))
        made.alignment, made.autofit = WD_TABLE_ALIGNMENT.LEFT, False
        _set_borders(made, lined=any(row.to_fill_in for row in table.rows))
        widths = [Mm(TEXT_WIDTH * fullness(table) * share) for share in shares(table)]
        for grid, width in zip(made.columns, widths, strict=True):
            grid.width = width
        look = Look([width.twips for width in widths], _kept_with_next(table), self.accent, QUIET)
        made._tbl.extend(parse_xml(f"<w:tbl {nsdecls('w')}>{rows_xml(table, look)}</w:tbl>"))
        for position, note in enumerate(table.notes):
            paragraph = self._paragraph()
            paragraph.paragraph_format.space_before = Pt(0 if position else 4)
            paragraph.paragraph_format.space_after = Pt(2)
            self._small(paragraph.add_run(note))
        self._paragraph().paragraph_format.space_after = Pt(0)

    def _put_figure(self, figure: Figure) -> None:
        from docx.shared import Mm

        self._name(self._paragraph(figure.title, "Caption"), figure.key)
        image = png(self.theme.dressed(figure.drawing), fonts_of(self.theme))
        self.word.add_picture(io.BytesIO(image), width=Mm(TEXT_WIDTH))
        picture = self.word.inline_shapes[-1]
        if picture.height > Mm(HIGHEST):
            picture.width, picture.height = round(picture.width * Mm(HIGHEST) / picture.height), Mm(HIGHEST)
        self._describe(self.word.paragraphs[-1], figure.alternative, figure.title)

    def _describe(self, paragraph: WordParagraph, alternative: str, title: str = "") -> None:
        """Give the picture of a paragraph its words, and a name that is the same in every run."""
        for properties in paragraph._p.xpath(".//wp:docPr"):
            properties.set("descr", alternative)
            properties.set("title", title)

    def _put_fields(self, fields: Fields) -> None:
        from docx.shared import Mm

        for field in fields.fields:
            paragraph = self._paragraph()
            if fields.layout == "beside":
                form = paragraph.paragraph_format
                form.left_indent, form.first_line_indent = Mm(50), Mm(-50)
                form.tab_stops.add_tab_stop(Mm(50))
            between = {"beside": "\t", "under": "\n", "run-in": ". "}[fields.layout]
            if between == "\t" and len(plain(field.label)) > WIDEST_LABEL:
                between = "\n"
            self._put_label(paragraph, field, between)

    def _put_label(self, paragraph: WordParagraph, field: Field, between: str) -> None:
        for part in inlines(field.label):
            if isinstance(part, str):
                paragraph.add_run(part).bold = True
            else:
                self._put_inline(paragraph, part)
        paragraph.add_run(between)
        self._put_inline(paragraph, *inlines(field.value))
        if field.detail:
            run = paragraph.add_run()
            run.add_break()
            run.add_text(field.detail)
            self._small(run)

    def _put_question(self, question: Question) -> None:
        from docx.shared import Pt

        heading = self._paragraph(style="Heading 2")
        heading.add_run(question.text + " ")
        help_run = heading.add_run(question.help)
        help_run.bold = False
        self._colour(help_run, QUIET)
        for position in range(question.lines):
            line = self._paragraph()
            line.paragraph_format.space_before = Pt(10)
            line.paragraph_format.keep_with_next = position < question.lines - 1 or None
            _border(line, "bottom", EDGE, 4)
            _border(line, "between", EDGE, 4)

    def _put_callout(self, callout: Callout) -> None:
        if callout.kind == "caution":
            self._put_prose(callout.content, fill=WASH)
            return
        colour = {"better": self.accent, "worse": WARM}.get(callout.kind, QUIET)
        heading = self._paragraph(callout.heading, "Heading 2")
        self._set_apart(heading, colour, "")
        mark = self._paragraph()
        mark.paragraph_format.keep_with_next = True
        run = mark.add_run(callout.mark)
        run.bold = True
        self._colour(run, colour)
        self._set_apart(mark, colour, "")
        self._put_prose(callout.content, side=colour)

    def _set_apart(self, paragraph: WordParagraph, side: str, fill: str) -> None:
        if side:
            _border(paragraph, "left", side, 18)
        if fill:
            shading = _element("w:shd", {"w:val": "clear", "w:color": "auto", "w:fill": fill})
            paragraph._p.get_or_add_pPr().append(shading)

    def _small(self, run: Any) -> None:
        from docx.shared import Pt

        run.font.size = Pt(8)
        self._colour(run, QUIET)

    def _colour(self, run: Any, colour: str) -> None:
        from docx.shared import RGBColor

        run.font.color.rgb = RGBColor.from_string(colour)

    def _name(self, paragraph: WordParagraph, anchor: str) -> None:
        """Make a paragraph one that can be referred to."""
        self.marks += 1
        start = _element("w:bookmarkStart", {"w:id": str(self.marks), "w:name": bookmark(anchor)})
        end = _element("w:bookmarkEnd", {"w:id": str(self.marks)})
        properties = paragraph._p.get_or_add_pPr()
        properties.addnext(start)
        paragraph._p.append(end)


def _kept_with_next(table: Table) -> set[int]:
    """Return the rows that no page break parts from the row after them."""
    if not table.long:
        return set(range(len(table.rows) - 1))
    kept = {position for position, row in enumerate(table.rows) if row.group}
    for start, count in enumerate(together(table)):
        kept |= set(range(start, start + count - 1))
    return kept


def _element(name: str, attributes: dict[str, str] | None = None) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(name)
    for key, value in (attributes or {}).items():
        made.set(qn(key), value)
    return made


def _border(paragraph: WordParagraph, side: str, colour: str, eighths: int) -> None:
    """Rule a line at a side of a paragraph; its width is in eighths of a point."""
    properties = paragraph._p.get_or_add_pPr()
    found = properties.xpath("w:pBdr")
    borders = found[0] if found else _element("w:pBdr")
    if not found:
        properties.insert_element_before(
            borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:rPr"
        )
    borders.append(_element(f"w:{side}", {"w:val": "single", "w:sz": str(eighths), "w:space": "6", "w:color": colour}))


def _set_borders(table: Any, *, lined: bool) -> None:
    """Rule the head and the foot of a table, and hairlines between its rows; all cells where there is to be written."""
    borders = _element("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        strong = side in {"top", "bottom"}
        kind = "single" if strong or side == "insideH" or lined else "nil"
        size, colour = ("8", INK) if strong else ("4", RULE)
        borders.append(_element(f"w:{side}", {"w:val": kind, "w:sz": size, "w:space": "0", "w:color": colour}))
    properties = table._tbl.tblPr
    margins = _element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(_element(f"w:{side}", {"w:w": "57", "w:type": "dxa"}))  # a millimetre
    properties.insert_element_before(margins, "w:tblLook")
    properties.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")


def _with_fixed_dates(file: bytes) -> bytes:
    """Return a zip file with the same entries, each of the first day a zip file can name."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for name in sorted(before.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(entry, before.read(name))
    return made.getvalue()
