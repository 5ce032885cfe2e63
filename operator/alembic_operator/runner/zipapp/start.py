"""The zipapp's `__main__`, where `build` puts it; nothing imports it."""

import gc
import sys
from zipimport import zipimporter

# Looking for garbage amid imports, which make none, and once more among all of it at the exit, is 30 % of the CPU of a
# short run (0.62 s, 0.43 s without): run.py freezes what was imported and enables collection again.
gc.disable()

_ARCHIVE = sys.path[0]


class Importer(zipimporter):
    """Says where a module is without compiling it.

    From Python 3.10 on, zipimport compiles a module to know its file name, and again to run it: 0.2 s of 2.2 s for the
    hundred modules of a short run (measured under a profiler).
    """

    def get_filename(self, fullname: str) -> str:
        """The path of a module's source: `build` puts nothing else there."""
        path = f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}"
        return f"{path}/__init__.py" if self.is_package(fullname) else f"{path}.py"


def _inside(path: str) -> bool:
    return path == _ARCHIVE or path.startswith(f"{_ARCHIVE}/")


def _importer(path: str) -> Importer:
    if not _inside(path):
        raise ImportError(path)
    return Importer(path)


sys.path_hooks.insert(0, _importer)
for _known in filter(_inside, list(sys.path_importer_cache)):
    del sys.path_importer_cache[_known]

from alembic_operator.runner.main import main  # noqa: E402

sys.exit(main())
