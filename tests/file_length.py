# SPDX-License-Identifier: Apache-2.0
"""No source file over 600 lines, no test over 800: longer is two rooms in one."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CAPS = {"idp": 600, "training": 600, "tests": 800}


def main() -> int:
    """Print every file over its cap; 1 when there is one."""
    too_long = [
        f"{path.relative_to(ROOT)}: {lines} lines, at most {cap}"
        for folder, cap in CAPS.items()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > cap
    ]
    sys.stdout.write("".join(f"{line}\n" for line in too_long))
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
