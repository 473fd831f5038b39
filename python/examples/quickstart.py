from spikard import Spikard, ServerConfig, get, Query

app = Spikard(config=ServerConfig(host="0.0.0.0", port=8000))

@get("/hello")
def hello(name: str = Query(...)):
    return {"message": f"Hello, {name}!"}

if __name__ == "__main__":
    app.run()
