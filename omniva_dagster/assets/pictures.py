"""Small pictures inside metadata: Dagster shows them, and keeps them in its event log."""

import base64
import io
from pathlib import Path

_WIDTH = 108  # pixels; about 4 kB a picture


def inline_picture(path: Path) -> str:
    """The picture as a Markdown image, small enough for the event log; empty if there is none."""
    from PIL import Image

    if not path.is_file():
        return ""
    with Image.open(path) as picture:
        picture.thumbnail((_WIDTH, _WIDTH * 4))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=60)
    return f"![thumbnail](data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()})"
