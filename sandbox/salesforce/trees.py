"""XML that clients send, read without a document type: so there are no entities, inner or outer."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from .errors import Refused


class _Plain(TreeBuilder):
    """A tree without a document type."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it."""
        raise Refused("INVALID_SOAP_HEADER", "DTD is prohibited")


def read(body: bytes) -> Element:
    """The root. Raises Refused for what is no XML."""
    parser = XMLParser(target=_Plain())
    try:
        parser.feed(body)
        return parser.close()
    except ParseError as error:
        raise Refused("UNKNOWN_EXCEPTION", f"unable to parse: {error}") from None
