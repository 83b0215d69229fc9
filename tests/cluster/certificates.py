"""Certificates, ServiceAccount keys and kubeconfigs of a test cluster, by openssl."""

import base64
import secrets
import subprocess
from pathlib import Path

from settings import API_PORT, API_SERVICE_IP, NODE, NODE_IP

DAYS = "30"


def _openssl(folder: Path, *args: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], cwd=folder, input=stdin, check=True, capture_output=True).stdout


def _key(folder: Path, name: str) -> None:
    _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


def _leaf(folder: Path, name: str, subject: str, usage: str, names: list[str]) -> None:
    _key(folder, name)
    extensions = f"extendedKeyUsage={usage}\n"
    if names:
        extensions += "subjectAltName=" + ",".join(names) + "\n"
    (folder / f"{name}.ext").write_text(extensions)
    request = _openssl(folder, "req", "-new", "-key", f"{name}.key", "-subj", subject)
    _openssl(
        folder, "x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", DAYS, "-extfile", f"{name}.ext", "-out", f"{name}.crt", stdin=request,
    )


def _kubeconfig(folder: Path, name: str, user: str, group: str) -> str:
    """Writes NAME.kubeconfig and returns its line for --token-auth-file."""
    token = secrets.token_hex(16)
    authority = base64.b64encode((folder / "ca.crt").read_bytes()).decode()
    (folder / f"{name}.kubeconfig").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n"
        f"clusters: [{{name: test, cluster: {{server: 'https://127.0.0.1:{API_PORT}', certificate-authority-data: {authority}}}}}]\n"
        f"users: [{{name: test, user: {{token: {token}}}}}]\n"
        "contexts: [{name: test, context: {cluster: test, user: test}}]\n"
    )
    return f'{token},{user},{name},"{group}"\n'


def write(folder: Path) -> None:
    """Writes everything into `folder`, once."""
    if (folder / "tokens.csv").exists():
        return
    _key(folder, "ca")
    _openssl(
        folder, "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=claviger-test-ca", "-days", DAYS,
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-out", "ca.crt",
    )
    _openssl(folder, "genrsa", "-out", "sa.key", "2048")
    _openssl(folder, "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    hosts = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    addresses = ["127.0.0.1", NODE_IP, API_SERVICE_IP]
    _leaf(folder, "apiserver", "/CN=kube-apiserver", "serverAuth",
          [f"DNS:{h}" for h in hosts] + [f"IP:{a}" for a in addresses])
    _leaf(folder, "apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet", "clientAuth", [])
    _leaf(folder, "kubelet", f"/O=system:nodes/CN=system:node:{NODE}", "serverAuth", [f"DNS:{NODE}", f"IP:{NODE_IP}", "IP:127.0.0.1"])
    tokens = [
        _kubeconfig(folder, "admin", "admin", "system:masters"),
        _kubeconfig(folder, "kubelet", f"system:node:{NODE}", "system:nodes"),
        _kubeconfig(folder, "controller-manager", "system:kube-controller-manager", "system:authenticated"),
        _kubeconfig(folder, "scheduler", "system:kube-scheduler", "system:authenticated"),
        _kubeconfig(folder, "proxy", "system:kube-proxy", "system:authenticated"),
    ]
    (folder / "tokens.csv").write_text("".join(tokens))
