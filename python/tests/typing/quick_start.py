"""The quick start, with the return types that strict mode asks for."""

from typing import assert_type

from spikard import Query, ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(host="0.0.0.0", port=8000))


@get("/hello")
def hello(name: str = Query(...)) -> dict[str, str]:
    return {"message": f"Hello, {name}!"}


assert_type(hello("Ada"), dict[str, str])
hello(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

if __name__ == "__main__":
    app.run()
