"""What a `manifest.safe` lists."""

from __future__ import annotations

from landloom.formats.safe.xml import SafeXml


def manifest_names(data: bytes) -> tuple[str, ...]:
    """Paths of the files listed in a `manifest.safe`."""
    document = SafeXml("manifest.safe", data, [])
    hrefs = [element.get("href", "") for element in document.all("fileLocation")]
    return tuple(href.removeprefix("./") for href in hrefs if href)
