"""Writes an image archive (docker-archive) from files, the same bytes for the same files, without
a container engine."""

import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path, PurePosixPath


def _member(name: str, mode: int, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type, info.mtime = mode, size, kind, 0
    return info


def root_file_system(programs: dict[str, Path], data: dict[str, Path], writable: list[str]) -> bytes:
    """One layer: programs and other files at their paths, and world-writable folders."""
    files = programs | data
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folders = {p for f in files for p in PurePosixPath(f).parents if len(p.parts) > 1}
        for folder in sorted(folders):
            tar.addfile(_member(str(folder).lstrip("/") + "/", 0o755, kind=tarfile.DIRTYPE))
        for folder in writable:
            tar.addfile(_member(folder.strip("/") + "/", 0o1777, kind=tarfile.DIRTYPE))
        for inside, source in sorted(files.items()):
            content = source.read_bytes()
            mode = 0o755 if inside in programs else 0o644
            tar.addfile(_member(inside.lstrip("/"), mode, len(content)), io.BytesIO(content))
    return out.getvalue()


def archive(tag: str, layer: bytes, entrypoint: list[str], user: str) -> bytes:
    """The image archive with that one layer."""
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": entrypoint, "User": user, "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }, sort_keys=True).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in ((name, config), ("layer.tar", layer), ("manifest.json", manifest)):
            tar.addfile(_member(path, 0o644, len(content)), io.BytesIO(content))
    return out.getvalue()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--tag", required=True)
    arguments.add_argument("--file", required=True, metavar="SOURCE:INSIDE", help="the program")
    arguments.add_argument("--data", action="append", default=[], metavar="SOURCE:INSIDE", help="any other file")
    arguments.add_argument("--writable", action="append", default=[], metavar="FOLDER")
    arguments.add_argument("--user", default="65532:65532")
    given = arguments.parse_args()
    source, inside = given.file.rsplit(":", 1)
    data = {there: Path(here) for here, there in (pair.rsplit(":", 1) for pair in given.data)}
    layer = root_file_system({inside: Path(source)}, data, given.writable)
    partial = given.out.with_suffix(".partial")
    partial.write_bytes(archive(given.tag, layer, [inside], given.user))
    partial.rename(given.out)


if __name__ == "__main__":
    main()
