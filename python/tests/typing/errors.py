"""Exceptions, and the functions that answer for them."""

from typing import assert_type

from spikard import HTTPException, NotFound, Spikard, ValidationError

app = Spikard()


@app.exception_handler(NotFound)
def not_found(request: object, error: NotFound) -> dict[str, str]:
    return {"missing": error.detail}


@app.exception_handler(ValidationError)
async def invalid(request: object, error: ValidationError) -> int:
    return len(error.errors)


assert_type(not_found(None, NotFound("a")), dict[str, str])
assert_type(HTTPException(418, "short", headers={"a": "1"}).status_code, int)
error = ValidationError.from_field(("body", 1), "no", type="taken", ctx={"by": "Ada"})
assert_type(error + error, ValidationError)
assert_type(error.errors[0]["loc"], list[str])
HTTPException("418")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
NotFound(404)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
app.exception_handler(404)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
