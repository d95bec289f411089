"""Options that are made of a table of fields: what each takes is checked where files are."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated

import typer

Parameter = inspect.Parameter


class Verb:
    """A verb with these parameters, which it hands on: typer reads its signature."""

    def __init__(
        self, name: str, text: str, parameters: Sequence[Parameter], do: Callable[..., None]
    ) -> None:
        self.__name__, self.__doc__, self._do = name, text, do
        self.__signature__ = inspect.Signature(parameters)
        self.__annotations__ = {one.name: one.annotation for one in parameters}

    def __call__(self, ctx: typer.Context, **given: object) -> None:
        self._do(ctx, **given)


def parameter(name: str, annotation: object, *, default: object = None) -> Parameter:
    """One option, or an argument that is handed on by its name."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def options(
    fields: Sequence[str], helps: Mapping[str, str], required: Collection[str] = ()
) -> list[Parameter]:
    """An option for each field."""
    made = []
    for field in fields:
        option = typer.Option(f"--{field.replace('_', '-')}", help=helps.get(field))
        needed = field in required
        made.append(
            parameter(
                field,
                Annotated[str if needed else str | None, option],
                default=Parameter.empty if needed else None,
            )
        )
    return made


def with_fields(
    fields: Sequence[str], helps: Mapping[str, str], required: Collection[str] = ()
) -> Callable[[Callable[..., None]], Verb]:
    """Makes a verb of a function that takes `**fields`: an option for each of them, before its own."""

    def made(function: Callable[..., None]) -> Verb:
        found = inspect.signature(function).parameters.values()
        own = [one for one in found if one.kind is not Parameter.VAR_KEYWORD]
        before = [one for one in own if one.kind is not Parameter.KEYWORD_ONLY]
        parameters = [*before, *options(fields, helps, required), *own[len(before) :]]
        return Verb(function.__name__, function.__doc__ or "", parameters, function)

    return made
