"""Photos to judge: two real ones that come with scikit-learn, a drawn one, and what spoils one."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from sklearn.datasets import load_sample_image


def shot(name: str) -> Image.Image:
    """`china`: a temple in the sun; `flower`: close up, nothing behind it is sharp."""
    return Image.fromarray(load_sample_image(f"{name}.jpg"))


def leaf() -> Image.Image:
    """A smooth leaf before a smooth sky: hardly an edge, and still a good photo."""
    wide, high = 1600, 1200
    sky = Image.linear_gradient("L").resize((wide, high)).point(lambda level: 180 + level // 4)
    photo = Image.merge("RGB", (sky.point(lambda level: level - 60), sky, sky))
    shape = Image.new("L", (2 * wide, 2 * high))
    ImageDraw.Draw(shape).ellipse((600, 500, 2600, 1900), fill=255)
    photo.paste((70, 140, 45), (0, 0), shape.resize((wide, high), Image.Resampling.LANCZOS))
    return photo


def blurred(photo: Image.Image, radius: float = 4) -> Image.Image:
    """By so many pixels of 512 on the longer side."""
    return photo.filter(ImageFilter.GaussianBlur(radius * max(photo.size) / 512))


def lit(photo: Image.Image, share: float) -> Image.Image:
    return ImageEnhance.Brightness(photo).enhance(share)


def jpeg(photo: Image.Image, quality: int = 85) -> bytes:
    target = BytesIO()
    photo.save(target, "JPEG", quality=quality)
    return target.getvalue()
