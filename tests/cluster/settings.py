"""Where a test cluster's parts are and which addresses it uses. Nothing here does any I/O."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

NODE = "node0"
NODE_IP = "172.30.255.1"
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
API_PORT = 6443
CNI_PLUGINS = "/usr/lib/cni"
PAUSE_IMAGE = "test.local/pause:1"
COREDNS_IMAGE = "test.local/coredns:1"


@dataclass(frozen=True)
class Layout:
    """The folders of one cluster: `bin` outlives it, the rest goes with it."""

    work: Path
    bin: Path

    @property
    def conf(self) -> Path:
        return self.work / "conf"

    @property
    def state(self) -> Path:
        return self.work / "state"

    @property
    def logs(self) -> Path:
        return self.work / "logs"

    @property
    def images(self) -> Path:
        return self.work / "images"

    @property
    def first_process(self) -> Path:
        """PID of the sandbox's first process and its start time: a PID alone may be used again."""
        return self.work / "first-process"

    @property
    def cgroup(self) -> str:
        return "claviger-" + sha256(str(self.work).encode()).hexdigest()[:8]

    def substitutions(self) -> dict[str, str]:
        """What the files in config/ may name."""
        return {
            "NODE": NODE,
            "NODE_IP": NODE_IP,
            "POD_CIDR": POD_CIDR,
            "SERVICE_CIDR": SERVICE_CIDR,
            "DNS_IP": DNS_IP,
            "CNI_PLUGINS": CNI_PLUGINS,
            "PAUSE_IMAGE": PAUSE_IMAGE,
            "COREDNS_IMAGE": COREDNS_IMAGE,
            "CONF": str(self.conf),
            "STATE": str(self.state),
        }


def cgroup_hierarchies() -> list[tuple[str, str]]:
    """The cgroup v1 hierarchies of this machine: mount point and what to mount it by."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, at, kind, options, *_ = line.split()
        if kind == "cgroup" and at.startswith("/sys/fs/cgroup/"):
            flags = {"rw", "nosuid", "nodev", "noexec", "relatime"}
            found.append((at, ",".join(o for o in options.split(",") if o not in flags)))
    return found
