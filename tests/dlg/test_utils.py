"""Tests of the front door dlg.utils."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dlg.utils

PUBLISHED = """
    ExistingProcess ZlibUncompressedStream browse_service createDirIfMissing deregister_service
    escapeQuotes fname_to_pipname getDlgDir getDlgLogsDir getDlgPath getDlgPidDir getDlgVariable
    getDlgWorkDir get_all_ipv4_addresses get_local_ip_addr get_symbol isabs object_tracking
    prepare_sql register_service timed_import to_externally_contactable_host zmq_safe
"""


@pytest.mark.parametrize("name", PUBLISHED.split())
def test_every_published_name_is_there(name: str) -> None:
    assert callable(getattr(dlg.utils, name))


def test_the_list_of_public_names_is_complete() -> None:
    assert sorted(dlg.utils.__all__) == PUBLISHED.split()


def test_importing_it_loads_no_library_of_others() -> None:
    program = (
        "import sys, dlg.utils\n"
        "heavy = {'zeroconf', 'psutil', 'zerorpc', 'gevent', 'numpy', 'tornado', 'platformdirs'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
