"""An app that fetches a URL."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.parse
import urllib.request
from typing import ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_float_param, dlg_string_param
from dlg.exceptions import InvalidDropException, RunError

SCHEMES = frozenset({"http", "https"})
PIECE = 1 << 18


class UrlRetrieveApp(BarrierAppDROP):
    """Writes what is at `url` (http or https) to every output."""

    __slots__ = ()

    cacheable: ClassVar[bool] = False

    url = dlg_string_param("where to fetch from", "")
    timeout = dlg_float_param("seconds to wait for the server", 30.0)

    def run(self) -> None:
        """Fetch, a piece at a time."""
        scheme = urllib.parse.urlsplit(self.url).scheme
        if scheme not in SCHEMES:
            reason = f"url must begin with http:// or https://, not {self.url!r}"
            raise InvalidDropException(self, reason)
        try:
            with contextlib.closing(
                urllib.request.urlopen(self.url, timeout=self.timeout)  # noqa: S310  checked above
            ) as answer:
                while piece := answer.read(PIECE):
                    for output in self.outputs:
                        output.write(piece)
        except (urllib.error.URLError, TimeoutError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is the answer as well
            raise RunError(f"drop {self.uid}: {self.url} cannot be fetched: {error}") from error
