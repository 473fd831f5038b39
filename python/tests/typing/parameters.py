"""Markers fit any annotation, as default value and inside `Annotated`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, assert_type
from uuid import UUID

from spikard import Path, Query, get


@get("/items/{id}")
def item(
    id: Annotated[UUID, Path()],
    day: date = Query(...),
    price: Decimal | None = Query(None, alias="max-price"),
    tags: list[str] = Query(default_factory=list),
    page: Annotated[int, Query(alias="p")] = 1,
) -> int:
    assert_type(id, UUID)
    assert_type(page, int)
    return len(tags)


@get("/again/{id}")
async def again(id: int = Path(...), name: str = Query("none")) -> str:
    return name * id


Path(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Query(default_factory=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
