"""Every form of decorator keeps the signature of what it decorates."""

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from spikard import Response, Router, Spikard, delete, post, route

router = Router("/v1", tags=["users"])
app = Spikard(include=[router, "shop.orders"])
app.include(router, prefix="/again", tags=("again",))


@app.get("/users/{id}", name="user")
@router.put("/users/{id}")
def user(id: int, verbose: bool = False) -> str:
    return str(id) * verbose


@post("/users", status_code=201)
async def create(name: str) -> Response[list[str]]:
    return Response([name], headers={"location": "/users/1"})


@route("/search", methods=["GET", "QUERY"])
async def search(*, text: str) -> list[str]:
    return [text]


class Service:
    @staticmethod
    @delete("/users/{id}")
    def remove(id: int) -> None: ...


app.include(user)
app.patch("/bound")(Service().remove)

assert_type(user(1, verbose=True), str)
creating: Coroutine[Any, Any, Response[list[str]]] = create("Ada")
assert_type(Service.remove(1), None)
kept: Callable[[int], str] = user
user("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
service: Callable[[], None] = Service.remove  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
app.get("/a")(1)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
app.get(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
app.include(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
