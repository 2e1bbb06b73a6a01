"""Start the stand-in: `python -m standin --port 0` inside `tests`, or `python tests/standin`; it says `ready URL` once it answers."""

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).parents[1])

from standin.server import Server
from standin.state import MODELS, Options, State


def as_json(said: str) -> Any:
    """JSON written out, or the file that holds it."""
    return json.loads(said if said.lstrip()[:1] in ("[", "{") else Path(said).read_text(encoding="utf-8"))


def read_options(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="standin", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: one that is free")
    add("--key", default="test-key", help="the API key that is valid")
    add("--models", type=lambda said: tuple(said.split(",")), default=MODELS, help="names of the models there are, with commas")
    add("--model-version", help="what answers say they come from; else the model that was asked")
    add("--latency", type=float, default=0.0, help="seconds that an answer takes")
    add("--jitter", type=float, default=0.0, help="seconds that it may take more or less")
    add("--seed", type=int, default=0, help="of jitter, shedding and shares")
    add("--rpm", type=int, default=0, help="requests per minute and model, 0: any number")
    add("--minute", type=float, default=60.0, help="seconds that a minute lasts")
    add("--rpd", type=int, default=0, help="requests per day and model; a day lasts until a reset")
    add("--shed", type=float, default=0.0, help="share of flex requests that get 503")
    add("--shed-every", type=int, default=0, help="every n-th flex request gets 503")
    add("--cache", type=int, default=4096, help="tokens from which on a system instruction is cached")
    add("--keep-cap", action="store_true", help="cut answers that are longer than maxOutputTokens, thoughts included")
    add("--most", type=int, default=2, help="codes that a right row has at most")
    add("--faults", type=as_json, default=(), help="rules, as JSON or a file")
    add("--labels", type=as_json, default={}, help="{text: codes} or {text: {role: codes}} that is right whatever the schema says")
    add("--codes", type=as_json, default={}, help="{role: [codes]} for flat schemas; else learnt from requests with anyOf")
    add("--log", type=Path, help="a file that every call is also appended to")
    add("--with-parent", action="store_true", help="end when stdin ends")
    return parser.parse_args(words)


def end_with_parent() -> None:
    """End this process when the one that holds the other end of stdin is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve until killed."""
    said = vars(read_options(sys.argv[1:]))
    port, with_parent = said.pop("port"), said.pop("with_parent")
    server = Server(port, State(Options(**{**said, "faults": tuple(said["faults"])})))
    print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
    if with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
