"""Settings of pip and npm for the steps of a build: mounted over /root while they run, never in the image.

A builder's own way (`--env`, ARG) would write a registry's address and its certificate's path into the image.
"""

from collections.abc import Mapping
from pathlib import Path

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# What names a path on this machine; certificates are set below.
DROPPED = {"cert", "find-links", "cafile", "cache", "cache-dir", "prefix", "userconfig", "globalconfig", "target"}


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """`PIP_INDEX_URL` becomes `index-url`, as pip itself reads it."""
    return _settings(environment, ("PIP_",))


def npm_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """`npm_config_registry` in either case becomes `registry`, as npm itself reads it."""
    return _settings(environment, ("npm_config_", "NPM_CONFIG_"))


def _settings(environment: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name, value in environment.items():
        for prefix in prefixes:
            key = name.removeprefix(prefix).lower().replace("_", "-")
            if name.startswith(prefix) and key not in DROPPED:
                found[key] = value
    return found


def bundle(environment: Mapping[str, str]) -> Path | None:
    """This machine's certificates: where the variable for OpenSSL or Node says, else Debian's place."""
    for name in (environment.get("SSL_CERT_FILE"), environment.get("NODE_EXTRA_CA_CERTS"), BUNDLE):
        if name and Path(name).is_file():
            return Path(name).resolve()
    return None


def write(home: Path, environment: Mapping[str, str]) -> list[str]:
    """Fill `home`; the options that mount it, and the certificates, into a build's steps."""
    certificates = bundle(environment)
    pip, npm = pip_settings(environment), npm_settings(environment)
    mounts = [f"--volume={home}:/root"]
    if certificates is not None:
        pip["cert"] = npm["cafile"] = BUNDLE
        mounts.append(f"--volume={certificates}:{BUNDLE}:ro")
    (home / ".config" / "pip").mkdir(parents=True)
    lines = "".join(f"{name} = {value}\n" for name, value in pip.items())
    (home / ".config" / "pip" / "pip.conf").write_text(f"[global]\n{lines}")
    (home / ".npmrc").write_text("".join(f"{name}={value}\n" for name, value in npm.items()))
    return mounts
