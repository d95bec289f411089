"""`make docs`: writes the page that is made from the settings. `--check` tells whether it is current."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.schema import json_schema

PAGE = Path(__file__).parents[1] / "docs" / "config.md"
SECRET = "SecretRef"

HEAD = """\
# Configuration reference

<!-- Made by `make docs` from the settings' own types (config/settings.py). Do not edit. -->

The configuration is one TOML file, usually `/etc/syncd/syncd.toml`, and the files `conf.d/*.toml` beside
it, in the order of their names: tables merge, lists of tables append, and no key may be set twice.
`syncd init` writes a commented file to start from, `syncd check` names every mistake with file and line, and
`syncd check --schema` prints a JSON Schema for editors. Complete examples are in
[config/examples](../config/examples).

An unknown key is an error. Relative paths are relative to the file they stand in. Lengths of time are
written `"30s"`, `"15m"`, `"2h30m"`, `"90d"`; sizes `"10 KB"` or `"25MiB"`; days `2026-01-31`.
"""


class Reference:
    """The page for one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._definitions: dict[str, dict[str, Any]] = schema["$defs"]

    def text(self) -> str:
        """The whole page."""
        parts = [HEAD, *self._sections("", self._schema)]
        secret = self._definitions[SECRET]
        parts += [f"## Secrets\n\n{_paragraph(secret)}\n", self._table(secret)]
        return "\n".join(parts)

    def _sections(self, path: str, table: dict[str, Any]) -> Iterator[str]:
        for name, field in table["properties"].items():
            heading, inner = self._table_in(f"{path}.{name}".removeprefix("."), field)
            if inner is None:
                continue
            plain = {name: f for name, f in inner["properties"].items() if self._table_in("", f)[1] is None}
            if plain:
                yield f"## `{heading}`\n\n{_paragraph(field, inner)}\n"
                yield self._table({**inner, "properties": plain})
            yield from self._sections(heading.strip("[]"), inner)

    def _table_in(self, path: str, field: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
        """The TOML heading of a field that is a table, and that table; None where it is a plain value."""
        if "items" in field:
            inner = self._resolve(field["items"])
            return f"[[{path}]]", inner
        named: object = field
        while isinstance(named, dict) and "additionalProperties" in named:
            path, named = f"{path}.NAME", named["additionalProperties"]
        if named is not field:
            return f"[{path}]", self._resolve(named)
        return f"[{path}]", self._resolve(field)

    def _resolve(self, field: object) -> dict[str, Any] | None:
        name = field.get("$ref", "").rpartition("/")[2] if isinstance(field, dict) else ""
        found = self._definitions.get(name)
        return found if found is not None and "properties" in found and name != SECRET else None

    def _table(self, table: dict[str, Any]) -> str:
        required = table.get("required", [])
        lines = ["| key | value | default | |", "|---|---|---|---|"]
        for name, field in table["properties"].items():
            default = "required" if name in required else _default(field)
            text = _paragraph(field).replace("|", "\\|")
            lines.append(f"| `{name}` | {self._value(field)} | {default} | {text} |")
        return "\n".join([*lines, ""])

    def _value(self, field: dict[str, Any]) -> str:
        name = field.get("$ref", "").rpartition("/")[2]
        if name == SECRET:
            return "[secret](#secrets)"
        field = {**self._definitions.get(name, {}), **field}
        if "enum" in field:
            return ", ".join(f"`{_toml(one)}`" for one in field["enum"])
        if "anyOf" in field:
            return " or ".join(dict.fromkeys(self._value(one) for one in field["anyOf"]))
        if "examples" in field:
            return f"as `{_toml(field['examples'][0])}`"
        if field.get("type") in ("array", "object"):
            return self._compound(field)
        bounds = [
            f"{word} {field[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in field
        ]
        words = {"string": "text", "boolean": "`true` or `false`"}
        return " ".join([words.get(field["type"], "number"), *bounds])

    def _compound(self, field: dict[str, Any]) -> str:
        if field["type"] == "array":
            return f"list of {self._value(field['items'])}"
        keys = (f"`{key}`: {self._value(one)}" for key, one in field["properties"].items())
        return f"{{ {'; '.join(keys)} }}"


def _paragraph(*fields: dict[str, Any]) -> str:
    """The descriptions of a field and of its table, without their line breaks."""
    texts = [" ".join(one.get("description", "").split()) for one in fields]
    # The table's own words often begin with those of the field.
    kept = [t for t in texts if t and not any(t is not o and o.startswith(t.rstrip(".")) for o in texts)]
    return " ".join(dict.fromkeys(kept))


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and any("pattern" in o for o in field.get("anyOf", []))
    ):
        size, unit = (value >> 20, "MiB") if value % (1 << 20) == 0 else (value >> 10, "KiB")
        return f'`"{size}{unit}"`'
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """The command line."""
    text = Reference(json_schema()).text()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            raise SystemExit(f"{PAGE.name} is not current: run `make docs`")
        return
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
