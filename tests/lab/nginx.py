"""A web server of the lab: its body is its name, and it remembers who asked."""

import re

from process import wait_for

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
  log_format lab '$remote_addr $request_uri $status "$http_user_agent" $proxy_protocol_addr';
  access_log {directory}/access.log lab;
  client_body_temp_path {directory}/tmp;
  proxy_temp_path {directory}/tmp;
  fastcgi_temp_path {directory}/tmp;
  uwsgi_temp_path {directory}/tmp;
  scgi_temp_path {directory}/tmp;
  default_type text/plain;
  server {{
    {listen}
    location / {{
      if (-f {directory}/broken) {{ return 500 "{name} is broken\\n"; }}
      return 200 "{name}\\n";
    }}
    location /files/ {{ alias {directory}/files/; }}
  }}
}}
"""


class Nginx:
    """`listen` are addresses or address:port; by default every address, port 80."""

    def __init__(self, host, *listen, name=None):
        self.host = host
        self.name = name or host.name
        self.directory = host.lab.directory / f"nginx-{host.name}-{self.name}"
        (self.directory / "files").mkdir(parents=True)
        listen = "\n    ".join(f"listen {where};" for where in listen or ("80",))
        text = CONFIGURATION.format(directory=self.directory, name=self.name, listen=listen)
        self._configuration = self.directory / "nginx.conf"
        self._configuration.write_text(text)
        self.start()

    def start(self):
        words = ["nginx", "-e", "stderr", "-p", self.directory, "-c", self._configuration]
        pid_file = self.directory / "nginx.pid"
        pid_file.unlink(missing_ok=True)
        self.process = self.host.start(*words, name="nginx")
        wait_for(lambda: pid_file.exists() or not self.process.running(), what="nginx.pid")
        assert self.process.running(), self.process.output()

    def stop(self):
        """Dead: connections are refused."""
        self.process.kill()

    def break_(self):
        """Answers 500 from now on."""
        (self.directory / "broken").touch()

    def mend(self):
        (self.directory / "broken").unlink(missing_ok=True)

    def add_file(self, name, data):
        (self.directory / "files" / name).write_bytes(data)

    def _log(self):
        path = self.directory / "access.log"
        text = path.read_text() if path.exists() else ""
        found = re.findall(r'^(\S+) (\S+) (\d+) "(.*)" (\S*)$', text, re.MULTILINE)
        return [row for row in found if "KeepAlive" not in row[3]]

    def requests(self):
        """(client address, uri, status) of all requests but the health checks."""
        return [row[:3] for row in self._log()]

    def told_clients(self):
        """Whom the PROXY headers name, where it listens for them ("80 proxy_protocol")."""
        return {row[4] for row in self._log()}

    def clients(self):
        return {address for address, _, _ in self.requests()}


def check_service_follows(client, url, web):
    """node1 serves; node2 does while node1's web server is stopped; node1 again."""
    wait_for(lambda: client.curl(url, timeout=1) == "node1\n", 20, "served by node1")
    web.stop()
    wait_for(lambda: client.curl(url, timeout=1) == "node2\n", 20, "served by node2")
    web.start()
    wait_for(lambda: client.curl(url, timeout=1) == "node1\n", 20, "served by node1 again")
