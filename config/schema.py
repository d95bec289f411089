"""The JSON Schema of the configuration, for editors and for `syncd check --schema`."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from config.settings import Settings
from config.values import format_duration


def json_schema() -> dict[str, Any]:
    """The schema of a configuration as JSON (draft 2020-12); every key has its description.

    It holds the rules within one value. Those between keys and between tables are `config.load`'s.
    """
    schema = Settings.model_json_schema(schema_generator=_AsWritten)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "Configuration of syncd"}


class _AsWritten(GenerateJsonSchema):
    """TOML has no null: a key is written or it is not. Defaults read as an admin would write them."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        if written.get("default", ...) is None:
            del written["default"]
        return written

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return {} if isinstance(dft, BaseModel) else super().encode_default(dft)
