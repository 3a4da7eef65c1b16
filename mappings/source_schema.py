"""The JSON schema of a source's YAML, for editors; committed as ``schemas/source.schema.json``."""

from __future__ import annotations

from mappings.config import SourceConfig
from mappings.shared_fields import GROUPS, LISTS, SINGLE
from mappings.transforms import TRANSFORMS


def json_schema() -> dict[str, object]:
    """The schema, after that of the models, with every short form that they take."""
    schema = SourceConfig.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    full = definitions["FieldRule"]
    full["properties"]["from"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    }
    full["properties"]["transform"] = {"enum": sorted(TRANSFORMS)}
    one = {"$ref": "#/$defs/EachRule"}
    full["properties"]["each"] = {"anyOf": [one, {"type": "array", "items": one}]}
    definitions["FieldRule"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, full]
    }
    names = {"enum": [*SINGLE, *LISTS, *GROUPS]}
    definitions["RecordRule"]["properties"]["fields"]["propertyNames"] = names
    texts = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    for key in ("form", "present", "absent"):
        definitions["Condition"]["properties"][key] = texts
    definitions["AccessRule"]["properties"]["subject"] = texts
    classes = definitions["AccessSettings"]
    definitions["AccessSettings"] = {"anyOf": [classes["properties"]["default"], classes]}
    scalar = {"type": ["string", "number"]}
    definitions["Condition"]["properties"]["equals"]["additionalProperties"] = {
        "anyOf": [scalar, {"type": "array", "items": scalar}]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lienthong source",
        **{key: value for key, value in schema.items() if key != "title"},
    }
