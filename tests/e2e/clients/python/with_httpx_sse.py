"""Shows what httpx-sse gets from a stream: with_httpx_sse.py URL TOKEN"""

import json
import sys
import time

import httpx
import httpx_sse

url, token = sys.argv[1:3]
last_id = ""
# The package reads one answer; its documentation shows this loop.
with httpx.Client(timeout=httpx.Timeout(60, connect=5), trust_env=False) as client:
    while True:
        headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last_id} if last_id else {})}
        try:
            with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                for event in source.iter_sse():
                    last_id = event.id
                    if event.data:  # else only the position has moved
                        print(json.dumps({"type": event.event, "data": event.data, "id": event.id}), flush=True)
        except httpx.TransportError as failure:
            print(failure, file=sys.stderr, flush=True)
        time.sleep(0.2)
