"""Checks STAC documents against JSON schemas, without a network unless a fetch function is given.

Core documents are checked with the schemas of STAC 1.0.0 if a folder of schemas has them, else with those of 1.1.0
bundled with pystac; extensions with that folder, else with our own schemas of those that our documents use
(`landloom.corpus.audit.extension_schemas`). Documents without a schema are counted and reported.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource, Unresolvable, Unretrievable
from referencing.jsonschema import DRAFT7

from landloom.corpus.audit.extension_schemas import extension_schemas
from landloom.errors import InvalidInputError, LandloomError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema.protocols import Validator

CORE: Final = {
    "Catalog": "catalog-spec/json-schema/catalog.json",
    "Collection": "collection-spec/json-schema/collection.json",
    "Feature": "item-spec/json-schema/item.json",
}
"""Type of a document → its core schema, below `stac-spec/v1.0.0` and `https://schemas.stacspec.org/v1.0.0/`."""
SPEC: Final = "https://schemas.stacspec.org/"
EXTENSION: Final = "https://stac-extensions.github.io/"
GEOJSON: Final = "https://geojson.org/schema/"
VERSIONS: Final = ("1.0.0", "1.1.0")
"""Versions of STAC that documents may have."""
BUNDLED: Final = VERSIONS[1]
"""Version of the core schemas bundled with pystac."""


class Schemas:
    """Validators by address, each built once.

    Example:
        >>> schemas = Schemas()
        >>> [problem.where for problem in schemas.check("a.json", {"type": "Catalog", "stac_version": "1.0.0"})]
        ['a.json', 'a.json', 'a.json']
        >>> schemas.unchecked
        Counter()
    """

    def __init__(self, folder: Path | None = None, fetch: Callable[[str], bytes] | None = None) -> None:
        """Load the available schemas.

        Args:
            folder: contains `stac-extensions/NAME/VERSION/schema.json` and optionally `stac-spec/v1.0.0`.
            fetch: downloads a schema from its https address; by default none is downloaded.

        Raises:
            InvalidInputError: the folder has no schemas.
        """
        if folder is not None and not (folder / "stac-extensions").is_dir():
            raise InvalidInputError(f"no folder 'stac-extensions' in {folder}: expected stac-extensions/NAME/VERSION")
        self._known = _load(folder)
        self._fetch = fetch
        known = Registry(retrieve=self._retrieved)  # type: ignore[call-arg]
        self._registry: Registry[Any] = known.with_contents(self._known.items(), default_specification=DRAFT7)
        self.failures: dict[str, str] = {}
        """Address of a schema that could not be downloaded → reason."""
        self.unchecked: Counter[str] = Counter()
        """Address of a schema that was not found → number of documents that refer to it."""
        self.of: Callable[[str], Validator | None] = cache(self._validator)

    def check(self, where: str, document: Mapping[str, Any]) -> Iterator[Problem]:
        """All problems of a document.

        Args:
            where: its key, for messages.
            document: parsed JSON.
        """
        kind = str(document.get("type"))
        if kind not in CORE:
            yield Problem(where=where, what=f"got type {kind!r}, expected one of {', '.join(CORE)}")
            return
        yield from self._core(where, document, CORE[kind])
        for address in document.get("stac_extensions", ()):
            validator = self.of(address)
            if validator is None:
                self.unchecked[address] += 1
                continue
            yield from _problems(where, validator, document)

    def skip(self, document: Mapping[str, Any]) -> None:
        """Count a document that needs no check because a similar one was checked, with the same schemas missing."""
        for address in document.get("stac_extensions", ()):
            if self.of(address) is None:
                self.unchecked[address] += 1

    def _core(self, where: str, document: Mapping[str, Any], path: str) -> Iterator[Problem]:
        version = document.get("stac_version")
        if version not in VERSIONS:
            got = "missing" if version is None else f"got {version!r}"
            yield Problem(where=where, what=f"stac_version: {got}, expected {' or '.join(VERSIONS)}")
            return
        exact = self.of(f"{SPEC}v{version}/{path}")
        if exact is not None:
            yield from _problems(where, exact, document)
            return
        bundled = self.of(f"{SPEC}v{BUNDLED}/{path}")
        if bundled is None:
            self.unchecked[f"{SPEC}v{version}/{path}"] += 1
            return
        # 1.1.0 is no stricter than 1.0.0 for our documents; only the version number itself is pinned.
        yield from _problems(where, bundled, {**document, "stac_version": BUNDLED})

    def _validator(self, address: str) -> Validator | None:
        from jsonschema import Draft7Validator

        try:
            schema = self._registry.get_or_retrieve(address.removesuffix("#")).value.contents
        except (NoSuchResource, Unretrievable):
            return None
        validator: Validator = Draft7Validator(schema, registry=self._registry)
        return validator

    def _retrieved(self, address: str) -> Resource[Any]:
        """Get a schema that is not loaded.

        Raises:
            NoSuchResource: it is not available.
        """
        if address not in self._known:
            if self._fetch is None or address in self.failures or not address.startswith("https://"):
                raise NoSuchResource(address)
            try:
                self._known[address] = json.loads(self._fetch(address))
            except (LandloomError, ValueError) as error:
                self.failures[address] = str(error)
                raise NoSuchResource(address) from error
        return Resource.from_contents(self._known[address], default_specification=DRAFT7)


def _load(folder: Path | None) -> dict[str, Any]:
    """Address → schema: ours of extensions, those bundled with pystac, JSON Schema itself, and those of a folder."""
    from jsonschema import Draft7Validator

    found: dict[str, Any] = {"http://json-schema.org/draft-07/schema": Draft7Validator.META_SCHEMA}
    found |= extension_schemas()
    bundle = Path(str(files("pystac"))) / "validation" / "jsonschemas"
    for path in sorted((bundle / "geojson").glob("*.json")):
        found[f"{GEOJSON}{path.name}"] = _read(path)
    for path in sorted((bundle / "stac-spec" / f"v{BUNDLED}").glob("*.json")):
        part = path.stem if path.stem in ("catalog", "collection") else "item"
        found[f"{SPEC}v{BUNDLED}/{part}-spec/json-schema/{path.name}"] = _read(path)
    for name, start in (("stac-spec", SPEC), ("stac-extensions", EXTENSION)) if folder is not None else ():
        root = Path(str(folder)) / name
        for path in sorted(root.rglob("*.json")):
            found[f"{start}{path.relative_to(root).as_posix()}"] = _read(path)
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _problems(where: str, validator: Validator, document: Mapping[str, Any]) -> Iterator[Problem]:
    from jsonschema.exceptions import relevance

    try:
        errors = list(validator.iter_errors(document))
    except Unresolvable as error:
        yield Problem(where=where, what=f"cannot be checked in full: no schema {error.ref}")
        return
    for found in errors:
        deepest = found
        while deepest.context:  # of the failed branches, the deepest error is the most informative
            deepest = min(deepest.context, key=relevance)
        place = ".".join(str(part) for part in deepest.absolute_path)
        yield Problem(where=where, what=f"{place}: {deepest.message[:300]}" if place else deepest.message[:300])
