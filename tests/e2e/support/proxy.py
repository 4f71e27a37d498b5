"""nginx in front of a broker, with its defaults but for the time-out and the files' places."""

import os
import subprocess

from .broker import free_port, temporary_folder
from .waiting import eventually
from .wire import Connection

CONFIG = """
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 256; }}
http {{
  log_format upstream '$upstream_status';
  access_log {folder}/access.log upstream;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_read_timeout 4s;
  upstream broker {{
    server 127.0.0.1:{broker};
    keepalive 8;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://broker;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
    location /plain/ {{ proxy_pass http://127.0.0.1:{broker}/; }}
    location /unbuffered/ {{
      proxy_pass http://127.0.0.1:{broker}/;
      proxy_buffering off;
      proxy_cache off;
      proxy_read_timeout 24h;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Nginx:
    def __init__(self, test, broker):
        self.folder, port = temporary_folder(), free_port()
        self.address = ("127.0.0.1", port)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            if os.geteuid() == 0:
                file.write("user root;\n")  # the folder is ours alone
            file.write(CONFIG.format(folder=self.folder, port=port, broker=broker.port))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder, "-c", path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.terminate)
        eventually(self.answers, 10, "nginx")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("nginx ended")
        try:
            with Connection(self.address, timeout=2) as link:
                return link.request("GET", "/healthz").status == 200
        except OSError:
            return False

    def forwarded(self):
        """Requests that were sent on to the broker and are over."""
        with open(os.path.join(self.folder, "access.log")) as file:
            return sum(len(x.split(",")) for x in file if x.strip() != "-")
