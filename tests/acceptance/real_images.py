"""Loaded into Schemathesis: where the document asks for an image, it sends real ones."""

import schemathesis
from hypothesis import strategies
from tests.pictures import each_kind

IMAGES = strategies.sampled_from(list(each_kind().values()))

for _kind in each_kind():
    schemathesis.openapi.media_type(f"image/{_kind}".replace("jpg", "jpeg"), IMAGES)
schemathesis.openapi.format("binary", IMAGES)
