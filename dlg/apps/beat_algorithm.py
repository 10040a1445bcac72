"""Blocks of BEAT experiments as apps: they run an algorithm by an executor of `dlg.beat`."""

from __future__ import annotations

import base64
import binascii
import io
import json
import logging
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlg.beat import made
from dlg.beat.cache_files import parts
from dlg.data.beat_output import BeatOutputDROP, cache_folder
from dlg.data.directory import DirectoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import (
    dlg_bool_param,
    dlg_dict_param,
    dlg_float_param,
    dlg_int_param,
    dlg_string_param,
)
from dlg.exceptions import InvalidDropException, RunError, UsageError

if TYPE_CHECKING:
    from dlg.beat.execution import LocalExecutor, RemoteExecutor

logger = logging.getLogger(__name__)

EXECUTORS = ("local", "subprocess", "docker")
Block = dict[str, Any]


class BlockFailedError(RunError):
    """A block of an experiment has failed; the text is that of the user's code or the system."""

    tells_all = True


class BeatPrefixApp(BarrierAppDROP):
    """Unpacks the assets of an experiment into a directory, the prefix of the blocks after it.

    `assets` is a tar archive, compressed by gzip, as text in base 64.
    """

    __slots__ = ()

    runs_here: ClassVar[bool] = True

    assets = dlg_string_param("an archive of the assets, in base 64", "")

    def run(self) -> None:
        """Unpack; nothing in the archive may leave the directory."""
        try:
            packed = base64.b64decode(self.assets, validate=True)
            for output in self.outputs:
                target = Path(output.path)
                target.mkdir(parents=True, exist_ok=True)
                with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                    archive.extractall(target, filter="data")
        except (binascii.Error, tarfile.TarError, EOFError, OSError) as error:
            reason = f"its assets are no archive that can be unpacked: {error}"
            raise InvalidDropException(self, reason) from error


class BeatApp(BarrierAppDROP):
    """What apps that work on a prefix and a cache have in common.

    The prefix is a directory that is named, or that comes as an input.
    """

    __slots__ = ()

    runs_here: ClassVar[bool] = True
    cacheable: ClassVar[bool] = False  # the cache of the experiment is a store of its own

    prefix = dlg_string_param("the prefix; empty: the directory among the inputs", "")
    cache = dlg_string_param("folder of the cache; empty: in the session's directory", "")
    configuration = dlg_dict_param("the execution block, as `Experiment.setup` makes it")

    def _places(self) -> tuple[str, Path]:
        """Return the prefix and the folder of the cache, which is made where it is missing."""
        given = str(self.prefix)
        directories = [drop.path for drop in self.inputs if isinstance(drop, DirectoryDROP)]
        if not given and not directories:
            raise InvalidDropException(self, "has no prefix, and no directory among its inputs")
        cache = cache_folder(self, self.cache)
        cache.mkdir(parents=True, exist_ok=True)
        return given or directories[0], cache


class BeatIndexApp(BeatApp):
    """Makes the index of a set of a database, unless the cache has it.

    The configuration has the one input that is the set.
    """

    __slots__ = ()

    def run(self) -> None:
        """Ask the view for its rows, in a process of its own."""
        from dlg.beat.indexing import index_sets  # noqa: PLC0415  starts processes

        prefix, cache = self._places()
        index_sets(self.configuration, prefix, cache)


class BeatBlockApp(BeatApp):
    """Runs a block, a loop or an analyzer of an experiment, or one slot of a block that is split.

    What is in the cache already, made of the same, is not made again unless `force` says so. Ports
    do not matter: the configuration says where inputs are. Outputs other than those of the block
    get a JSON document with what came of it: `reused`, `range`, `statistics` and, of an analyzer,
    `results`.
    """

    __slots__ = ("_stop",)

    signature = dlg_string_param("the complete signature of the block", "")
    slot = dlg_int_param("which of the slots this is, from 0", 0)
    slots = dlg_int_param("how many slots the block is split into", 1)
    executor = dlg_string_param("who runs it: local, subprocess or docker", "local")
    force = dlg_bool_param("whether it runs even if the cache has what it makes", False)
    memory = dlg_int_param("most memory in megabytes; 0: any", 0)
    cpu = dlg_int_param("most per cent of one processor; 0: any", 0)
    minutes = dlg_float_param("most minutes; 0: any", 0.0)

    _stop: Callable[[], object]

    def _check_given(self) -> None:
        super()._check_given()
        if self.executor not in EXECUTORS:
            known = ", ".join(EXECUTORS)
            raise InvalidDropException(self, f"executor must be one of {known}: {self.executor}")

    def interrupt(self) -> None:
        """End the processes of the block."""
        stop = getattr(self, "_stop", None)
        if stop is not None:
            stop()
        super().interrupt()

    def run(self) -> None:
        """Run the block, or see that it need not run."""
        prefix, cache = self._places()
        block = made.signed(self.configuration, cache, str(self.signature))
        told: dict[str, Any] = {"block": self.name, "slot": self.slot, "slots": self.slots}
        if self.slots > 1 and (self.force or not made.is_made(block, cache)):
            interval = made.range_of_slot(block, cache, self.slot, self.slots)
            if interval is None:
                self._report({**told, "idle": True}, [])
                return
            block["range"] = list(interval)
        reused = not self.force and made.is_made(block, cache)
        if reused:
            logger.info("%s: the cache has it already", self.name)
        else:
            told["statistics"] = self._make(block, prefix, cache)
        told |= {"reused": reused, "range": block.get("range")}
        if "result" in block:
            told["results"] = _results(block, prefix, cache)
        self._report(told, self._parts(block, cache))

    def _make(self, block: Block, prefix: str, cache: Path) -> Any:
        made.make_room(block, cache)
        with self._executor(prefix, block, cache) as executor:
            self._stop = executor.kill
            try:
                result = executor.process(self.memory, self.cpu, self.minutes)
            except RuntimeError as error:
                if isinstance(error, UsageError):
                    raise
                raise BlockFailedError(f"block {self.name}: {error}") from error
            finally:
                del self._stop
        if result["status"]:
            text = result["user_error"] or result["system_error"] or result["stderr"]
            raise BlockFailedError(f"block {self.name}: {text.strip()}")
        return result["statistics"]

    def _executor(self, prefix: str, block: Block, cache: Path) -> LocalExecutor | RemoteExecutor:
        # Few graphs have such blocks, and what runs them takes long to import.
        from dlg.beat.execution import (  # noqa: PLC0415
            DockerExecutor,
            LocalExecutor,
            SubprocessExecutor,
        )

        if self.executor == "docker":
            from dlg.beat.dock import Host  # noqa: PLC0415

            return DockerExecutor(Host(), prefix, block, cache=str(cache))
        kind = LocalExecutor if self.executor == "local" else SubprocessExecutor
        return kind(prefix, block, cache=str(cache))

    def _parts(self, block: Block, cache: Path) -> list[tuple[str, Any]]:
        """Return the parts that this slot has, by their paths in the cache."""
        first, last = block.get("range") or (None, None)
        return [
            (one["path"], parts(str(cache / one["path"]), first, last))
            for one in made.outputs_of(block)
        ]

    def _report(self, told: Mapping[str, Any], made_parts: list[tuple[str, Any]]) -> None:
        by_path = dict(made_parts)
        for output in self.outputs:
            if isinstance(output, BeatOutputDROP):
                output.consists_of(by_path.get(output.hash_path, ()))
            else:
                output.write(json.dumps(told, indent=1))


def _results(block: Block, prefix: str, cache: Path) -> dict[str, Any]:
    """Return the values of an analyzer by name; those of plots are objects."""
    from dlg.beat.results import result_at, values_of  # noqa: PLC0415  see _executor

    return values_of(result_at(cache / block["result"]["path"], prefix))
