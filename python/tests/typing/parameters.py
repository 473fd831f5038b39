"""Markers fit any annotation, as default value and inside `Annotated`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, assert_type
from uuid import UUID

from spikard import Body, Cookie, Form, Header, Path, Query, get, post


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


class Filters:
    text: Annotated[str, Query(min_length=2)]


@post("/everything", parameter_schema={"type": "object", "properties": {}}, body_schema={})
def everything(
    filters: Annotated[Filters, Query()],
    user_agent: Annotated[str, Header(min_length=1, pattern="^[A-Z]")],
    since: date = Query(..., ge=date(2026, 1, 1)),
    price: Annotated[Decimal, Query(gt=Decimal("0.5"), multiple_of=0.5)] = Decimal(1),
    ids: list[int] = Query(default_factory=list, separator=",", examples=[[1, 2]]),
    session: str | None = Cookie(None, title="Session"),
    x_token: str = Header("none", convert_underscores=False),
    name: str = Form("", description="Who asks"),
    content: dict[str, int] = Body(default_factory=dict, schema={"type": "object"}),
) -> None:
    assert_type(user_agent, str)
    assert_type(filters, Filters)


@post("/files", file_params={"photo": {"content_type": ["image/png"]}})
def files(photo: object) -> None: ...


Query(ge="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Query(grater=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Header(separator=",")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Body(alias="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
post("/", body_schema=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Path(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Query(default_factory=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
