"""First process of the sandbox that cluster.py makes: prepares its file systems and its network,
starts the node's components, and starts again whatever ends.

It runs as PID 1 of namespaces of its own, so that the kernel ends all of it with this process.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from settings import API_PORT, NODE, NODE_IP, SERVICE_CIDR, Layout, cgroup_hierarchies

# kubelet sets these for the whole machine. It is shown files that already hold its values instead.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def mount_file_systems(layout: Layout) -> None:
    run("mount", "--make-rprivate", "/")
    hierarchies = cgroup_hierarchies()
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", "/sys/fs/cgroup")
    # Mounted from within the cgroup namespace, each hierarchy begins at the cluster's own group.
    for at, options in hierarchies:
        os.mkdir(at)
        named = f"none,{options}" if options.startswith("name=") else options
        run("mount", "-t", "cgroup", "-o", named, "cgroup", at)
    run("mount", "--make-rshared", "/")  # what kubelet expects of a host

    # Whatever a component writes outside the work folder lands in it, or in memory.
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for folder in ("etcd", "kubelet", "flex", "lib", "lib.work", "log", "pids"):
        (layout.state / folder).mkdir(parents=True, exist_ok=True)
    over = f"lowerdir=/var/lib,upperdir={layout.state}/lib,workdir={layout.state}/lib.work"
    run("mount", "-t", "overlay", "-o", over, "overlay", "/var/lib")
    run("mount", "--bind", str(layout.state / "log"), "/var/log")
    run("mount", "--bind", str(layout.conf / "resolv.conf"), "/etc/resolv.conf")
    for name, value in KERNEL_SETTINGS.items():
        shown = Path("/run/kernel") / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        run("mount", "--bind", str(shown), f"/proc/sys/{name}")


def set_up_network() -> None:
    """A loopback and one bridge with the node's address: there is no way out of here."""
    run("hostname", NODE)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "node0", "type", "bridge")
    run("ip", "addr", "add", f"{NODE_IP}/32", "dev", "node0")
    run("ip", "link", "set", "node0", "up")
    # Without a route a service address is refused before kube-proxy could translate it.
    run("ip", "route", "add", SERVICE_CIDR, "dev", "node0", "src", NODE_IP)
    run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")


def components(layout: Layout) -> dict[str, list[str]]:
    """The command of each component, in the order in which they start."""
    conf, state = layout.conf, layout.state
    return {
        "containerd": ["containerd", "--config", f"{conf}/containerd.toml"],
        "etcd": [
            "etcd", f"--data-dir={state}/etcd", "--unsafe-no-fsync", "--log-level=error",
            "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
        ],
        "apiserver": [
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", f"--secure-port={API_PORT}",
            f"--advertise-address={NODE_IP}", f"--service-cluster-ip-range={SERVICE_CIDR}",
            f"--tls-cert-file={conf}/apiserver.crt", f"--tls-private-key-file={conf}/apiserver.key",
            f"--client-ca-file={conf}/ca.crt", f"--token-auth-file={conf}/tokens.csv",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={conf}/sa.pub", f"--service-account-signing-key-file={conf}/sa.key",
            f"--kubelet-client-certificate={conf}/apiserver-kubelet.crt",
            f"--kubelet-client-key={conf}/apiserver-kubelet.key",
            f"--kubelet-certificate-authority={conf}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        ],
        "kubelet": [
            "kubelet", f"--config={conf}/kubelet.yaml", f"--kubeconfig={conf}/kubelet.kubeconfig",
            f"--root-dir={state}/kubelet", f"--cert-dir={state}/kubelet/pki",
            f"--hostname-override={NODE}", f"--node-ip={NODE_IP}",
        ],
        "controller-manager": [
            "kube-controller-manager", f"--kubeconfig={conf}/controller-manager.kubeconfig",
            "--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials",
            f"--root-ca-file={conf}/ca.crt", f"--service-account-private-key-file={conf}/sa.key",
            "--kube-api-qps=300", "--kube-api-burst=600", f"--flex-volume-plugin-dir={state}/flex",
        ],
        "scheduler": [
            "kube-scheduler", f"--kubeconfig={conf}/scheduler.kubeconfig", "--bind-address=127.0.0.1", "--leader-elect=false",
        ],
        "proxy": ["kube-proxy", f"--config={conf}/proxy.yaml"],
    }


class Supervisor:
    """Keeps the components running and reaps what they leave behind."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.commands = components(layout)
        self.names: dict[int, str] = {}

    def start(self, name: str) -> None:
        with open(self.layout.logs / f"{name}.log", "ab") as log:
            child = subprocess.Popen(self.commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        child.returncode = 0  # reaped by run() below, never by subprocess itself
        self.names[child.pid] = name
        (self.layout.state / "pids" / name).write_text(str(child.pid))

    def run(self) -> None:
        for name in self.commands:
            self.start(name)
        while True:
            pid, status = os.wait()
            name = self.names.pop(pid, None)
            if name is not None:
                print(f"{time.strftime('%T')} {name} ended with {status}", flush=True)
                time.sleep(1)
                self.start(name)


def main() -> None:
    layout = Layout(work=Path(sys.argv[1]), bin=Path(sys.argv[2]))
    # /proc is still the machine's here, so these are the numbers that cluster.py sees.
    pid, start = (lambda fields: (fields[0], fields[21]))(Path("/proc/self/stat").read_text().split())
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    mount_file_systems(layout)
    set_up_network()
    layout.first_process.write_text(f"{pid} {start}")
    os.chdir(layout.state)
    Supervisor(layout).run()


if __name__ == "__main__":
    main()
