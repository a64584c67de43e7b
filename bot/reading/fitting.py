"""Fits nodes to a shape; pydantic's findings, said in Chinese where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.reading.nodes import Node
from bot.reading.report import Place, Report

_Some = TypeVar("_Some", bound=BaseModel)


def fit(shape: type[_Some], node: Node, report: Report) -> _Some | None:
    """The node as `shape`; every misfit is reported where it stands."""
    try:
        return shape.model_validate(node.plain())
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            place, message, mend = _explain(detail, shape, node)
            report.error("schema", place, message, mend)
        return None


def _explain(detail: ErrorDetails, shape: type[BaseModel], node: Node) -> tuple[Place, str, str]:
    loc = detail["loc"]
    fields = _fields_at(shape, loc[:-1])
    key = str(loc[-1]) if loc else ""
    match detail["type"]:
        case "missing":
            return node.find(*loc), f"缺少 {_titled(key, fields)}。", f"补一行 {key}: …"
        case "extra_forbidden":
            return _key_place(node, loc), f"没有 {key} 这个键。", _nearest(key, fields)
        case "house":
            context = detail["ctx"]
            return node.find(*_real(loc)), context["message"], context["mend"]
        case "literal_error" | "enum":
            mend = f"只能写 {detail['ctx']['expected'].replace(' or ', ' 或 ')}。"
            return node.find(*_real(loc)), f"{_called(loc, fields)}不能是这个词。", mend
        case "value_error":
            return node.find(*_real(loc)), f"{detail['ctx']['error']}。", "改成不一样的。"
    message, mend = _KINDS.get(detail["type"], _UNUSUAL)
    return node.find(*_real(loc)), f"{_called(loc, fields)}{message}", mend


_UNUSUAL = ("的内容不对。", "对照一条能用的条目改。")
_KINDS: Mapping[str, tuple[str, str]] = {
    "string_type": ("应该是文字。", "只写一句话；句子里有英文冒号或方括号就整句加英文双引号。"),
    "tuple_type": ("应该是列表。", "每项另起一行，以“- ”开头；没有就写 []。"),
    "too_short": ("至少要有一项。", "另起一行，以“- ”开头补一项。"),
    "dict_type": ("应该是一行行的“键: 值”。", "照模板缩进写，没有就整项删掉。"),
    "model_type": ("应该是“键: 值”。", "如 reviewed: {status: pending, by: null, on: null}。"),
    "model_attributes_type": ("应该是“键: 值”。", "如 {status: pending, by: null, on: null}。"),
    "string_pattern_mismatch": ("不能这样写。", "只用小写字母、数字和减号。"),
    "string_too_short": ("是空的。", "补上文字；整项不要就连键一起删掉。"),
    "int_parsing": ("应该是整数。", "只写数字。"),
    "float_parsing": ("应该是数字。", "只写数字，小数点用英文的。"),
    "greater_than": ("太小。", "写大一点的数。"),
    "greater_than_equal": ("太小。", "写大一点的数。"),
    "less_than_equal": ("太大。", "写小一点的数。"),
}


def _real(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """`loc` without the mark that pydantic adds for a mapping's key."""
    return tuple(part for part in loc if part != "[key]")


def _called(loc: tuple[int | str, ...], fields: Mapping[str, str]) -> str:
    match loc:
        case (*_, str(key), int(index)):
            return f"{key} 的第 {index + 1} 项"
        case (*_, last):
            return _titled(str(last), fields)
    return "这里"


def _titled(key: str, fields: Mapping[str, str]) -> str:
    return f"{key}（{fields[key]}）" if fields.get(key) else f"{key} "


def _key_place(node: Node, loc: tuple[int | str, ...]) -> Place:
    inner: Node = node
    for part in loc[:-1]:
        match part, inner.value:
            case int(index), tuple(items):
                inner = items[index]
            case str(key), dict(pairs):
                inner = pairs[key]
    return inner.keys.get(str(loc[-1]), inner.place)


def _fields_at(shape: type[BaseModel], loc: tuple[int | str, ...]) -> dict[str, str]:
    """Key and Chinese name of the fields of the shape that stands at `loc`."""
    for part in loc:
        field = shape.model_fields.get(str(part))
        inner = _shape_in(field.annotation) if field else None
        shape = inner or shape
    return {key: field.title or "" for key, field in shape.model_fields.items()}


def _shape_in(annotation: object) -> type[BaseModel] | None:
    """The shape that an annotation such as `tuple[Shape, ...]` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_shape_in, get_args(annotation))), None)


def _nearest(key: str, fields: Mapping[str, str]) -> str:
    by_title = {title: name for name, title in fields.items()}
    meant = get_close_matches(key.strip().lower().replace("-", "_"), [*fields, *by_title], n=1)
    if meant:
        return f"是不是 {by_title.get(meant[0], meant[0])}？"
    return "删掉它；能用的键：" + "、".join(fields) + "。"
