from __future__ import annotations

import shlex

import pytest

from dlg.beat.containers import Container
from dlg.exceptions import InvalidAssetError


def test_what_is_not_set_is_not_said() -> None:
    container = Container("image", ["ls"])
    assert (container.name, container.workdir, container.entrypoint) == ("", "", "")
    assert (container.network, container.user) == ("", "")
    assert (container.volumes, container.ports, container.environment_variables) == ([], [], [])


def test_a_container_has_small_temporary_folders() -> None:
    assert Container("image", "ls").temporary_filesystems == [
        "--tmpfs=/tmp:rw,noexec,nosuid,size=500k",
        "--tmpfs=/run:rw,noexec,nosuid,size=500k",
    ]


def test_what_is_set_is_an_option() -> None:
    container = Container("image", "ls")
    container.set_name("name")
    container.set_workdir("/work")
    container.set_entrypoint("/bin/run")
    container.network_name = "net"
    container.uid = 1000
    assert container.name == "--name=name"
    assert container.workdir == "--workdir=/work"
    assert container.entrypoint == "--entrypoint=/bin/run"
    assert container.network == "--network=net"
    assert container.user == "--user=1000:1000"


def test_volumes_are_for_reading_unless_said_otherwise() -> None:
    container = Container("image", "ls")
    container.add_volume("/a", "/b")
    container.add_volume("/c", "/d", read_only=False)
    container.add_volume("/a", "/e")
    assert container.volumes == ["--volume=/a:/b:ro", "--volume=/c:/d:rw", "--volume=/a:/e:ro"]


def test_a_volume_may_be_on_another_machine() -> None:
    container = Container("image", "ls")
    container.add_volume("nfs://host:/path", "/here", read_only=False)
    container.add_volume("nfs://host:/path", "/there")
    mount = (
        "--mount=type=volume,dst=/here,volume-driver=local,volume-opt=type=nfs,"
        "volume-opt=device=:/path,volume-opt=o=addr=host"
    )
    assert container.volumes == [mount, mount.replace("/here", "/there") + ",readonly"]


@pytest.mark.parametrize("address", ["nfs://host/path", "nfs://:/path", "nfs://host:2049/path"])
def test_a_wrong_address_of_a_volume_is_refused(address: str) -> None:
    with pytest.raises(InvalidAssetError, match="expected nfs://host:/path"):
        Container("image", "ls").add_volume(address, "/here")


def test_a_file_system_in_memory_may_have_a_size() -> None:
    container = Container("image", "ls")
    container.add_tmpfs("/tmp", "10m")  # in place of the small one
    container.add_tmpfs("/big", "")
    assert container.temporary_filesystems == [
        "--tmpfs=/tmp:rw,noexec,nosuid,size=10m",
        "--tmpfs=/run:rw,noexec,nosuid,size=500k",
        "--tmpfs=/big:rw,noexec,nosuid",
    ]


def test_ports_lead_into_the_container() -> None:
    container = Container("image", "ls")
    container.add_port(80, 8080)
    container.add_port(81, 8081, host_address="127.0.0.1")
    assert container.ports == ["-p", "8080:80", "-p", "127.0.0.1:8081:81"]
    container.reset_ports()
    assert container.ports == []


def test_a_command_line_survives_a_shell() -> None:
    container = Container("image", ["echo", "a b", "$HOME"])
    container.add_environment_variable("WORDS", "c d")
    words = shlex.split(container.command_line)
    assert words[:4] == ["docker", "run", "-ti", "--rm=true"]
    assert "--env=WORDS=c d" in words
    assert words[-4:] == ["image", "echo", "a b", "$HOME"]


def test_a_command_may_be_one_text() -> None:
    assert Container("image", "echo 'a b'").command == ["echo", "a b"]
