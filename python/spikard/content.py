"""How the content of the requests to one route is read, and what of it each argument receives."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spikard.annotations import ArgumentError, shown
from spikard.bodies import codec_of, is_stream
from spikard.constraints import plain_schema
from spikard.kinds import is_untyped
from spikard.plan import Argument, BodyPlan, FileRule
from spikard.slots import Slot

__all__ = ["content_plan", "whole_of"]


def whole_of(slots: list[Slot]) -> Slot | None:
    """The one argument that takes the content as a whole.

    Raises:
        ArgumentError: There are several.
    """
    wholes = [slot for slot in slots if slot.role in ("body", "form")]
    if len(wholes) > 1:
        names = " and ".join(f"`{slot.name}`" for slot in wholes)
        members = "; ".join(f"{slot.name}: {shown(slot.annotation)}" for slot in wholes)
        raise ArgumentError(
            f"arguments {names} would each be the content; put them into one model, "
            f"`class Content(msgspec.Struct): {members}`"
        )
    return wholes[0] if wholes else None


def content_plan(
    whole: Slot | None,
    plans: list[Argument],
    files: list[FileRule],
    body_schema: Mapping[str, object] | None,
) -> BodyPlan | None:
    """Compiles how the content is read.

    Args:
        whole: The argument that takes it as a whole.
        plans: All arguments.
        files: What ``file_params`` of the route says.
        body_schema: The ``body_schema`` of the route.

    Returns:
        The plan; ``None`` where nobody takes the content.

    Raises:
        ArgumentError: The argument cannot be the content.
    """
    members = [plan for plan in plans if plan.kind == "field"]
    rules = _file_rules(members, files)
    is_form = bool(members or rules)
    if whole is not None:
        (argument,) = (plan for plan in plans if plan.name == whole.name)
        plan = _whole(whole, argument, body_schema, is_form=is_form)
    elif body_schema is not None:
        plan = BodyPlan(argument=None, kind="value", schema=plain_schema(body_schema))
    elif is_form:
        plan = BodyPlan(argument=None, kind="form", schema={"type": "object"})
    else:
        return None
    if plan.schema is not None and is_form:
        plan = replace(plan, schema=_with_members(plan.schema, members), files=rules)
    return plan


def _file_rules(members: list[Argument], files: list[FileRule]) -> tuple[FileRule, ...]:
    rules = {rule.field: rule for rule in files}
    for plan in members:
        if _is_file(plan.schema):
            rule = rules.get(plan.wire_name, FileRule(field=plan.wire_name))
            rules[plan.wire_name] = replace(rule, required=plan.required)
    return tuple(rules.values())


def _is_file(schema: Mapping[str, Any]) -> bool:
    return "binary" in (schema.get("format"), schema.get("items", {}).get("format"))


def _whole(
    slot: Slot,
    argument: Argument,
    body_schema: Mapping[str, object] | None,
    *,
    is_form: bool,
) -> BodyPlan:
    """The plan for content that one argument takes as a whole."""
    given = slot.marker.constraints.get("schema") if slot.marker else None
    if given is not None and body_schema is not None:
        raise ArgumentError("its schema is in the marker and in `body_schema`; keep one")
    explicit = body_schema if given is None else given
    limits = slot.constraints
    plan = BodyPlan(
        argument=slot.name,
        kind="json",
        required=argument.required,
        default=argument.default,
        default_factory=argument.default_factory,
    )
    bare = slot.bare
    if bare is bytes or is_stream(bare):
        if limits.words or explicit is not None or is_form or slot.role == "form":
            raise ArgumentError(
                "content as bytes is not looked at; ask for a type that can be checked"
            )
        return replace(plan, kind="bytes" if bare is bytes else "stream")
    if is_form and slot.role == "body" and slot.marker is not None and explicit is None:
        raise ArgumentError(
            "beside fields and files of a form the content is a form: mark it Form()"
        )
    is_form = is_form or slot.role == "form"
    if explicit is not None:
        # It is the whole schema, and not a part of the one that the type has.
        limits.raw.clear()
    # A form is never null: where there is none, the default stands for it.
    annotation = bare if is_form else slot.annotation
    annotation = Any if is_untyped(annotation) else annotation
    codec = codec_of(annotation, limits, strict=not is_form)
    if explicit is not None:
        schema = plain_schema(explicit)
        if slot.role == "form":
            return replace(plan, kind="form", schema=schema, convert=codec.convert)
        return replace(plan, kind="value", schema=schema, convert=codec.convert)
    if is_form:
        return replace(plan, kind="form", schema=_inlined(codec.schema), convert=codec.convert)
    return replace(plan, schema=codec.schema, decode=codec.decode)


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a form with its members at the root, beside those of other arguments."""
    definitions = dict(schema.get("$defs", {}))
    reference = schema.get("$ref", "")
    name = str(reference).rpartition("/")[2]
    if name not in definitions:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("$ref", "$defs")}
    inlined = {**definitions[name], **rest}
    if f'"{reference}"' not in json.dumps(definitions):
        del definitions[name]
    return {**inlined, "$defs": definitions} if definitions else inlined


def _with_members(schema: dict[str, Any], members: list[Argument]) -> dict[str, Any]:
    """The schema of a form with the members that single arguments take.

    That a file is missing is told by its `FileRule`, so a file is not required here.
    """
    added = {plan.wire_name: plan.schema for plan in members}
    required = [it.wire_name for it in members if it.required and not _is_file(it.schema)]
    made = {**schema, "properties": {**added, **schema.get("properties", {})}}
    if required or "required" in schema:
        made["required"] = [*schema.get("required", ()), *required]
    return made
