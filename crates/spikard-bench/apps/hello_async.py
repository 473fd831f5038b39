"""The quick start as an ``async def`` handler that never waits."""

import os

from spikard import Query, ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(host="127.0.0.1", port=int(os.environ["PORT"])))


@get("/hello")
async def hello(name: str = Query(...)):
    """Greet whoever is named."""
    return {"message": f"Hello, {name}!"}


if __name__ == "__main__":
    app.run()
