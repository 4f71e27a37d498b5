"""Shows what sseclient-py gets from a stream: with_sseclient.py URL TOKEN"""

import json
import sys
import time

import sseclient
import urllib3

url, token = sys.argv[1:3]
pool = urllib3.PoolManager()
last_id = None
# The package reads one answer; to come back is up to its user.
while True:
    # It shows no position without an event. Until there was one, the whole topic is asked for.
    place = {"Last-Event-ID": last_id} if last_id else {}
    target = url if last_id else url + "?since=earliest"
    try:
        answer = pool.request("GET", target, headers={"Authorization": f"Bearer {token}", **place}, preload_content=False, retries=False,
                              timeout=urllib3.Timeout(connect=5, read=60))
        if answer.status == 200:
            for event in sseclient.SSEClient(answer).events():
                last_id = event.id or last_id
                print(json.dumps({"type": event.event, "data": event.data, "id": event.id}), flush=True)
    except urllib3.exceptions.HTTPError as failure:
        print(failure, file=sys.stderr, flush=True)
    time.sleep(0.2)
