"""Whether a photo can be judged: big enough, neither dark nor burnt out, sharp somewhere.

The limits were measured on 16 photographs of scikit-image and scikit-learn and two leaves drawn
before the sky, and rather miss a bad photo than find fault with a good one:

- Sharpness is the variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in
  brightfield microscopy", ICPR 2000), at 512 pixels a side so that blur is told in shares of the
  picture, and of the third sharpest of 64 tiles: a sharp leaf before a smooth sky is a good photo.
  Sharp ones have 358 to 6549, one smeared by a moving hand 87; blurred by a Gaussian of 0.5 pixels
  137 and more, of 2 pixels 5 to 85, of 3 or more at most 29.
- The 95th percentile of luminance is 106 to 247 in ordinary light; at a fifth of the light 21 to
  49. A dark thing before a bright sky passes.
- The 2nd percentile of luminance is at most 117 in ordinary light; burnt out, all is white.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, pairwise

from PIL import Image, ImageFilter, ImageStat

from bot.domain import Flaw

SMALL = 400  # pixels on the longer side
DARK, BRIGHT = 60, 200  # luminance of the 95th and the 2nd percentile
BLURRED = 40
_WORKING_SIDE = 512
_TILES = 8  # a side
_SHARP_TILES = 3
_MOST_GAIN = 3  # of a dark photo, before its sharpness is measured: more shows steps as edges
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def flaws_of(image: Image.Image) -> tuple[Flaw, ...]:
    """Of a photo as decoded, at most a few thousand pixels a side."""
    grey = image.convert("L")
    grey.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.LANCZOS)
    is_small = max(image.size) < SMALL
    is_measurable = not is_small and min(grey.size) >= 3 * _TILES
    found = {
        Flaw.BLURRED: is_measurable and _sharpness(grey) < BLURRED,
        Flaw.DARK: _percentile(grey, 95) < DARK,
        Flaw.BRIGHT: _percentile(grey, 2) > BRIGHT,
        Flaw.SMALL: is_small,
    }
    return tuple(flaw for flaw, is_found in found.items() if is_found)


def _percentile(grey: Image.Image, share: float) -> int:
    sums = list(accumulate(grey.histogram()))
    return bisect_left(sums, sums[-1] * share / 100)


def _sharpness(grey: Image.Image) -> float:
    gain = min(_MOST_GAIN, 255 / max(1, _percentile(grey, 99)))
    edges = grey.point(lambda level: min(255, level * gain)).filter(_LAPLACIAN)
    # The filter leaves the outermost pixels as they were.
    inner = edges.crop((1, 1, edges.width - 1, edges.height - 1))
    return sorted(ImageStat.Stat(tile).var[0] for tile in _tiles(inner))[-_SHARP_TILES]


def _tiles(image: Image.Image) -> Iterator[Image.Image]:
    columns = [image.width * at // _TILES for at in range(_TILES + 1)]
    rows = [image.height * at // _TILES for at in range(_TILES + 1)]
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield image.crop((left, top, right, bottom))
