"""Print how many tests failed last, and take the schedulers' groups from their names.

With ``--dist loadgroup`` a test's name ends with ``@`` and its group. Without it, as in the second
run, pytest would not find the test by that name. Usage: ``failed.py LASTFAILED``.
"""

import json
import sys
from pathlib import Path

found = Path(sys.argv[1])
names = []
for name in json.loads(found.read_text()):
    cut = name.rfind("@")
    names.append(name[:cut] if cut > name.rfind("]") else name)
found.write_text(json.dumps(dict.fromkeys(names, True)))
print(len(names))
