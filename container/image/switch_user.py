"""Makes the one program that may change users: `switch_user.py COPY GROUP`.

A copy of setpriv that only GROUP (the Bridge's) may run, with the capabilities to change user and
group and no others, so that nothing in the container has to be root. Python writes the attribute
itself: that saves a package that would be used only for `setcap`.
"""

import grp
import os
import shutil
import struct
import sys
from pathlib import Path

# linux/capability.h: revision 2 with the effective bit, then permitted and inheritable, low and high.
REVISION_2_EFFECTIVE = 0x02000001
CAP_SETGID, CAP_SETUID = 6, 7
ATTRIBUTE = struct.pack("<5I", REVISION_2_EFFECTIVE, 1 << CAP_SETGID | 1 << CAP_SETUID, 0, 0, 0)


def main(copy: str, group: str) -> int:
    source = shutil.which("setpriv")
    if source is None:
        print("there is no setpriv in this image", file=sys.stderr)
        return 1
    Path(copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    os.chown(copy, 0, grp.getgrnam(group).gr_gid)  # before the attribute: a change of owner clears it
    os.chmod(copy, 0o750)  # noqa: S103
    os.setxattr(copy, "security.capability", ATTRIBUTE)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
