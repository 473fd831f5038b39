"""The quick start as an ``async def`` handler that waits a millisecond."""

import asyncio
import os

from spikard import Query, ServerConfig, Spikard, get

app = Spikard(config=ServerConfig(host="127.0.0.1", port=int(os.environ["PORT"])))


@get("/hello")
async def hello(name: str = Query(...)):
    """Greet whoever is named, a millisecond later."""
    await asyncio.sleep(0.001)
    return {"message": f"Hello, {name}!"}


if __name__ == "__main__":
    app.run()
