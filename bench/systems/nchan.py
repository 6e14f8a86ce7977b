"""nchan, a module of nginx."""

from pathlib import Path

from bench.peers.peer import HttpPeer, configure, debian_version, first_line, require
from bench.processes import free_port
from bench.systems import Opening

NGINX = Path("/usr/sbin/nginx")
MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class Nchan(HttpPeer):
    """bench/peers/nginx.conf."""

    name = "nchan"

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it."""
        require(MODULE, self.name)
        nginx = first_line(NGINX, "-v").removeprefix("nginx version: ")
        self.version = f"{nginx}, nchan {debian_version('libnginx-mod-nchan')}"
        self.port = free_port()
        file = configure("nginx.conf", folder, port=self.port, folder=folder)
        self.run([NGINX, "-p", folder, "-c", file, "-e", "stderr"], core=core, folder=folder)

    def opening(self, group: int, number: int) -> Opening:
        """Return the handshake that names the group; the socket is in it when it is open."""
        return Opening(path=f"/hear/{group}")
