"""A base image from Debian's packages, where no registry of base images can be reached.

Debian's own Python replaces the one of `python:3.13-slim-bookworm`, in a virtual environment at /usr/local: the
place in that image. What Debian's slim images leave out is left out here, so that the sizes can be compared.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from ops.building.store import BuildFailed, Store, run

BASE = "localhost/serverless-openclaw/debian-python:bookworm"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = "python3,python3-venv,ca-certificates"
# In its own mount and process namespaces: no mount of /proc is left in a tree that is deleted later.
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
# From this machine: debootstrap puts them there.
OF_THIS_MACHINE = ("etc/hostname", "etc/resolv.conf")
LEFT_OUT = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "usr/share/groff")
CACHES = ("var/cache/apt", "var/lib/apt/lists", "var/log")
# As in Debian's images for containers: packages that the Dockerfile adds leave the same things out.
SETTINGS = {
    "etc/dpkg/dpkg.cfg.d/docker": "".join(f"path-exclude /{folder}/*\n" for folder in LEFT_OUT)
    + "path-include /usr/share/doc/*/copyright\n",
    "etc/apt/apt.conf.d/docker-clean": 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n',
}


def make(store: Store) -> str:
    """The base image's name; made once for a store. Raises BuildFailed."""
    found = subprocess.run(store.buildah("inspect", "--type", "image", BASE), capture_output=True, check=False)
    if found.returncode == 0:
        return BASE
    with tempfile.TemporaryDirectory(prefix="base-", dir=store.folder) as name:
        tree = Path(name) / "tree"
        if shutil.which("debootstrap") is None:
            raise BuildFailed("debootstrap is missing (Debian: apt-get install debootstrap)")
        run([*ALONE, "debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(tree)])
        run(["chroot", str(tree), "python3", "-m", "venv", "/usr/local"])
        slim(tree)
        container = run(store.buildah("from", "scratch"))
        run(store.buildah("copy", "--quiet", container, str(tree), "/"))
        run(store.buildah("config", "--env", f"PATH={PATH}", "--cmd", "python3", container))
        run(store.buildah("commit", "--quiet", "--rm", container, BASE))
    return BASE


def slim(tree: Path) -> None:
    """Remove caches, documentation and what is this machine's. Licences stay."""
    for name in OF_THIS_MACHINE:
        (tree / name).unlink(missing_ok=True)
    for folder in CACHES:
        _empty(tree / folder)
    for folder in LEFT_OUT:
        for path in [path for path in (tree / folder).rglob("*") if not path.is_dir() or path.is_symlink()]:
            if path.name != "copyright":
                path.unlink()
    for name, text in SETTINGS.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)


def _empty(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
