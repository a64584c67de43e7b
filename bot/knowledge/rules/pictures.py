"""Rules for pictures: they are there, they are real, and a phone loads them in a moment."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import Picture
from bot.knowledge import pictures
from bot.knowledge.load import EntryFile
from bot.knowledge.markdown import Placed
from bot.knowledge.rules.base import Finding, Shelf, rule

LONGEST_SIDE = 2000  # pixels
NARROWEST = 4  # times as long as wide
SHRINK = (
    "用微信发给自己（不勾“原图”），再存下来用；或者用电脑的“画图”把长边改成 1600 像素，另存为 JPG。"
)


@rule("picture-missing", "error")
def _picture_not_there(shelf: Shelf) -> Iterator[Finding]:
    for file, placed in shelf.blocks():
        picture = placed.block.picture
        if picture and picture not in file.pictures:
            folder, name = f"knowledge/{file.entry.domain}/{pictures.FOLDER}/", _name(placed)
            mend = f"把图片放进 {folder}，或者改成那里有的文件名（大小写也要一样）。"
            yield Finding(file, placed.place, f"找不到图片 {name}。", mend)


@rule("picture-kind", "error")
def _neither_jpeg_nor_png(shelf: Shelf) -> Iterator[Finding]:
    for file, placed, raw in _found(shelf):
        if len(raw) <= pictures.MOST_BYTES and pictures.look(raw) is None:
            message = f"{_name(placed)} 不是 JPG 或 PNG 图片，或者没有拷完整。"
            mend = "用电脑的“画图”打开，另存为 JPG 再放进来；光改后缀名不行。"
            yield Finding(file, placed.place, message, mend)


@rule("picture-too-large", "error")
def _picture_too_large(shelf: Shelf) -> Iterator[Finding]:
    for file, placed, raw in _found(shelf):
        if len(raw) > pictures.MOST_BYTES:
            yield Finding(file, placed.place, f"{_name(placed)} 超过 1 MB。", SHRINK)
    for file, placed, picture in _seen(shelf):
        if max(picture.width, picture.height) > LONGEST_SIDE:
            message = f"{_name(placed)} 有 {_size(picture)} 像素，长边最多 {LONGEST_SIDE}。"
            yield Finding(file, placed.place, message, SHRINK)


@rule("picture-narrow", "warning")
def _picture_too_narrow(shelf: Shelf) -> Iterator[Finding]:
    for file, placed, picture in _seen(shelf):
        short, long = sorted((picture.width, picture.height))
        if long > NARROWEST * short:
            message = f"{_name(placed)} 太长条（{_size(picture)}），手机上看不清。"
            mend = f"裁掉没用的部分，长边不超过短边的 {NARROWEST} 倍。"
            yield Finding(file, placed.place, message, mend)


@rule("picture-exif", "warning")
def _picture_tells_where_it_was_taken(shelf: Shelf) -> Iterator[Finding]:
    for file, placed, picture in _seen(shelf):
        if b"Exif\0\0" in picture.media.content[:65_536]:
            message = f"{_name(placed)} 里还带着手机的拍摄信息，可能有拍照的地点。"
            yield Finding(file, placed.place, message, SHRINK)


def _found(shelf: Shelf) -> Iterator[tuple[EntryFile, Placed, bytes]]:
    for file, placed in shelf.blocks():
        raw = file.pictures.get(placed.block.picture)
        if raw is not None:
            yield file, placed, raw


def _seen(shelf: Shelf) -> Iterator[tuple[EntryFile, Placed, Picture]]:
    for file, placed, raw in _found(shelf):
        if picture := pictures.look(raw):
            yield file, placed, picture


def _name(placed: Placed) -> str:
    return placed.block.picture.rpartition("/")[2]


def _size(picture: Picture) -> str:
    return f"{picture.width}×{picture.height}"
