#!/usr/bin/env python3
"""A one-node Kubernetes for tests, in namespaces of its own: real kubelet, containerd and pods.

Nothing of it is left once its first process has ended, and no packet of it can leave the machine.
Needs root, cgroup v1 hierarchies, and the programs that scripts/tools and scripts/controlplane
provide.

  cluster.py WORK BIN check            say why it could not run on this machine, if so
  cluster.py WORK BIN up               start, and wait until pods can run and names resolve
  cluster.py WORK BIN load TAR...      import image archives
  cluster.py WORK BIN exec CMD...      run a command inside; KUBECONFIG is the administrator's
  cluster.py WORK BIN kill COMPONENT   end one component, which is started again
  cluster.py WORK BIN down             end everything
"""

import os
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import certificates
import image
from settings import CNI_PLUGINS, COREDNS_IMAGE, NODE, PAUSE_IMAGE, Layout, cgroup_hierarchies

HERE = Path(__file__).resolve().parent
SYSTEM_PROGRAMS = [
    "containerd", "containerd-shim-runc-v2", "runc", "ctr", "iptables", "ip", "openssl", "nsenter", "setpriv",
    "unshare", "sysctl", "hostname", "cc",
]
BUILT_PROGRAMS = [
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "coredns",
]
NAMESPACES = ["--mount", "--net", "--pid", "--fork", "--ipc", "--uts", "--cgroup"]


def fail(message: str) -> None:
    sys.exit(f"cluster: {message}")


def search_path(layout: Layout) -> str:
    return f"{layout.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def check_machine(layout: Layout) -> None:
    if os.geteuid() != 0:
        fail("must be root: it makes namespaces and cgroups of its own")
    if not cgroup_hierarchies():
        fail("no cgroup v1 hierarchy under /sys/fs/cgroup: this test cluster needs them")
    missing = [p for p in SYSTEM_PROGRAMS if shutil.which(p, path=search_path(layout)) is None]
    missing += [p for p in ("bridge", "host-local", "loopback", "portmap") if not Path(CNI_PLUGINS, p).exists()]
    if missing:
        fail("missing: " + " ".join(missing))
    tried = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        fail(f"no namespaces can be made here: {tried.stderr.strip()}")


def check_programs(layout: Layout) -> None:
    missing = [p for p in BUILT_PROGRAMS if not Path(layout.bin, p).exists()]
    if missing:
        fail(f"missing in {layout.bin}: " + " ".join(missing))


def living(layout: Layout) -> int | None:
    """PID of the first process, if it lives and is still the same."""
    try:
        pid, start = layout.first_process.read_text().split()
        return int(pid) if Path(f"/proc/{pid}/stat").read_text().split()[21] == start else None
    except (OSError, ValueError):
        return None


def wait_for(what: str, seconds: float, ready: Callable[[], bool], layout: Layout) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            fail(f"timed out after {seconds:.0f} s: {what}; logs are in {layout.logs}")
        time.sleep(0.2)


def inside(layout: Layout, command: list[str]) -> list[str]:
    """The command line that runs `command` in the sandbox."""
    pid = living(layout)
    if pid is None:
        fail("does not run")
    # setpriv: nsenter passes no signal on to the child that it makes in the PID namespace
    return [
        "env", f"KUBECONFIG={layout.conf}/admin.kubeconfig", f"PATH={search_path(layout)}",
        f"KUBECACHEDIR={layout.state}/kubectl",  # else it remembers other clusters' kinds
        "nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", f"--wdns={os.getcwd()}",
        "setpriv", "--pdeathsig", "TERM", *command,
    ]


def succeeds(layout: Layout, *command: str) -> bool:
    return subprocess.run(inside(layout, list(command)), capture_output=True).returncode == 0


def write_configuration(layout: Layout) -> None:
    certificates.write(layout.conf)
    for source in sorted((HERE / "config").iterdir()):
        text = string.Template(source.read_text()).substitute(layout.substitutions())
        (layout.conf / source.name).write_text(text)
    (layout.conf / "cni").mkdir(exist_ok=True)
    (layout.conf / "pods.conflist").rename(layout.conf / "cni" / "pods.conflist")


def build_images(layout: Layout) -> None:
    pause = layout.work / "pause"
    subprocess.run(["cc", "-O2", "-static", "-s", "-o", pause, HERE / "pause.c"], check=True)
    for tag, program, user in ((PAUSE_IMAGE, pause, "65532:65532"), (COREDNS_IMAGE, layout.bin / "coredns", "0:0")):
        name = tag.rsplit("/", 1)[1].split(":")[0]
        layer = image.root_file_system({f"/{name}": Path(program)}, {}, [])
        (layout.images / f"{name}.tar").write_bytes(image.archive(tag, layer, [f"/{name}"], user))


def enter_cgroups(layout: Layout) -> None:
    for at, _ in cgroup_hierarchies():
        group = Path(at, layout.cgroup)
        group.mkdir(exist_ok=True)
        if at.endswith("/cpuset"):
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / name).write_text(Path(at, name).read_text())
        (group / "cgroup.procs").write_text(str(os.getpid()))


def leave_no_cgroups(layout: Layout) -> None:
    for at, _ in cgroup_hierarchies():
        group = Path(at, layout.cgroup)
        for _ in range(20):  # the kernel lets go of the dead a moment after they ended
            try:
                for folder, _, _ in os.walk(group, topdown=False):
                    os.rmdir(folder)
                break
            except OSError:
                time.sleep(0.2)


def start_sandbox(layout: Layout) -> None:
    layout.first_process.unlink(missing_ok=True)
    with open(layout.logs / "sandbox.log", "wb") as log:
        subprocess.Popen(
            ["unshare", *NAMESPACES, sys.executable, HERE / "node.py", layout.work, layout.bin],
            env={"PATH": search_path(layout), "HOME": str(layout.state)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, preexec_fn=lambda: enter_cgroups(layout),
        )


def up(layout: Layout) -> None:
    check_machine(layout)
    check_programs(layout)
    if living(layout) is None:
        shutil.rmtree(layout.logs, ignore_errors=True)
        for folder in (layout.conf, layout.state, layout.logs, layout.images):
            folder.mkdir(parents=True, exist_ok=True)
        layout.conf.chmod(0o700)
        write_configuration(layout)
        build_images(layout)
        start_sandbox(layout)
    wait_for("sandbox", 30, lambda: living(layout) is not None, layout)
    wait_for("API server", 90, lambda: succeeds(layout, "kubectl", "get", "--raw", "/readyz"), layout)
    wait_for("containerd", 30, lambda: succeeds(layout, "ctr", "version"), layout)
    load(layout, [str(tar) for tar in sorted(layout.images.glob("*.tar"))])
    wait_for("node", 90, lambda: succeeds(
        layout, "kubectl", "wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=5s"), layout)
    execute(layout, ["kubectl", "apply", "-f", f"{layout.conf}/dns.yaml"], quiet=True)
    wait_for("cluster DNS", 90, lambda: succeeds(
        layout, "kubectl", "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=5s"), layout)


def load(layout: Layout, archives: list[str]) -> None:
    for tar in archives:
        execute(layout, ["ctr", "-n", "k8s.io", "images", "import", tar], quiet=True)


def execute(layout: Layout, command: list[str], quiet: bool = False) -> None:
    ended = subprocess.run(inside(layout, command), stdout=subprocess.DEVNULL if quiet else None)
    if ended.returncode != 0:
        fail(f"{' '.join(command)} ended with {ended.returncode}")


def kill(layout: Layout, component: str) -> None:
    pid = (layout.state / "pids" / component).read_text()
    execute(layout, ["kill", "-KILL", pid])


def down(layout: Layout) -> None:
    pid = living(layout)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)  # the kernel ends the rest of its PID namespace
        wait_for("end of the sandbox", 20, lambda: living(layout) is None, layout)
    leave_no_cgroups(layout)
    layout.first_process.unlink(missing_ok=True)
    for folder in (layout.state, layout.conf):
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    layout = Layout(work=Path(sys.argv[1]).resolve(), bin=Path(sys.argv[2]).resolve())
    verb, rest = sys.argv[3], sys.argv[4:]
    match verb:
        case "check":
            check_machine(layout)
        case "up":
            up(layout)
        case "load":
            load(layout, rest)
        case "exec":
            line = inside(layout, rest)
            os.execvp(line[0], line)
        case "kill":
            kill(layout, rest[0])
        case "down":
            down(layout)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
