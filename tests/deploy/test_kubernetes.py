"""The manifests for Kubernetes: sound by its schemas, well protected, and of one piece."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest

from dlg.rpc.curve import new_pair
from dlg.support import cluster_file
from tests.deploy.reading import DEPLOY, documents, parse

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("base", "local", "production")
VERSIONS = ("1.29", kubernetes_validate.latest_version())
WORKLOADS = ("node", "island", "master")
Document = dict[str, Any]


def kustomize() -> list[str]:
    """Return the command that puts an overlay together; skip where there is none."""
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return command
    pytest.skip("needs kustomize or kubectl")


@functools.cache
def rendered(overlay: str) -> tuple[Document, ...]:
    done = subprocess.run(
        [*kustomize(), str(FOLDER / overlay)], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tuple(documents(done.stdout))


def written() -> list[Document]:
    """Return what stands in the files of the base, however they are put together."""
    files = [f for f in (FOLDER / "base").glob("*.yaml") if f.name != "kustomization.yaml"]
    return [one for file in sorted(files) for one in documents(file.read_text())]


def workload(found: tuple[Document, ...] | list[Document], component: str) -> Document:
    (one,) = [
        d for d in found
        if d["kind"] in {"StatefulSet", "Deployment"}
        and d["metadata"]["labels"]["app.kubernetes.io/component"] == component
    ]  # fmt: skip
    return one


def pod(found: tuple[Document, ...] | list[Document], component: str) -> Document:
    return dict(workload(found, component)["spec"]["template"]["spec"])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_base_is_sound_by_the_schemas_of_kubernetes(version: str) -> None:
    found = written()
    assert len(found) >= 10
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_put_together_is_sound_too(overlay: str, version: str) -> None:
    for one in rendered(overlay):
        kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_find_what_is_wrong() -> None:
    one = workload(written(), "node")
    one["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("component", WORKLOADS)
def test_pods_run_as_nobody_and_can_write_where_they_must_only(component: str) -> None:
    spec = pod(written(), component)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    said = spec["securityContext"]
    assert said["runAsNonRoot"]
    assert said["runAsUser"] == said["fsGroup"] == 10001
    assert said["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable == {"/var/lib/dlg", "/tmp"}
    assert {"requests", "limits"} == set(container["resources"])


@pytest.mark.parametrize("component", WORKLOADS)
def test_every_probe_asks_health_on_the_port_of_rest(component: str) -> None:
    (container,) = pod(written(), component)["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    how = parse(container["args"])
    assert ports["rest"] == how["port"]
    assert ports["calls"] == how["rpc_port"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {
            "path": "/health", "port": "rest", "scheme": "HTTPS",
        }  # fmt: skip


@pytest.mark.parametrize("component", WORKLOADS)
def test_the_file_of_the_cluster_is_a_secret_that_a_manager_takes(
    component: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root owns it, and the group of the pod may read it."""
    (volume,) = [v for v in pod(written(), component)["volumes"] if "secret" in v]
    assert volume["secret"]["secretName"] == "dlg-cluster"
    made = cluster_file.write_cluster_file(tmp_path / "cluster.toml", "night", new_pair())
    made.path.chmod(volume["secret"]["defaultMode"])
    monkeypatch.setattr(cluster_file, "_handed", lambda _owner: cluster_file.HANDED)
    assert cluster_file.read_cluster_file(made.path).name == "night"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_island_knows_each_node_by_the_name_it_advertises(overlay: str) -> None:
    found = rendered(overlay)
    nodes, island = workload(found, "node"), pod(found, "island")["containers"][0]
    (config,) = [d for d in found if d["kind"] == "ConfigMap"]
    assert island["env"][0]["valueFrom"]["configMapKeyRef"]["name"] == config["metadata"]["name"]
    (template,) = [
        word for word in nodes["spec"]["template"]["spec"]["containers"][0]["args"]
        if "$(POD_NAME)" in word
    ]  # fmt: skip
    name, replicas = nodes["metadata"]["name"], nodes["spec"]["replicas"]
    advertised = [template.replace("$(POD_NAME)", f"{name}-{i}") for i in range(replicas)]
    assert config["data"]["names"].split(",") == advertised
    assert template.endswith(f".{nodes['spec']['serviceName']}")


def test_managers_find_each_other_by_their_services() -> None:
    found = written()
    services = {d["metadata"]["name"]: d for d in found if d["kind"] == "Service"}
    island = parse(pod(found, "island")["containers"][0]["args"])
    master = parse(pod(found, "master")["containers"][0]["args"])
    assert island["advertise"] in services
    assert master["nodes"] == f"{island['advertise']}:8001:5555:{island['rpc_port']}"
    assert services["dlg-nodes"]["spec"]["clusterIP"] == "None"
    for service in services.values():
        (chosen,) = {service["spec"]["selector"]["app.kubernetes.io/component"]}
        ports = {p["name"]: p["containerPort"]
                 for p in pod(found, chosen)["containers"][0]["ports"]}  # fmt: skip
        assert {p["targetPort"]: p["port"] for p in service["spec"]["ports"]} == ports


def test_policies_are_for_our_pods_alone_and_let_marked_clients_to_the_master() -> None:
    """A selector without labels would cut everybody in the namespace off."""
    policies = {d["metadata"]["name"]: d["spec"] for d in written()
                if d["kind"] == "NetworkPolicy"}  # fmt: skip
    assert set(policies["dlg"]["policyTypes"]) == {"Ingress", "Egress"}
    for spec in policies.values():
        assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/part-of"] == "dlg"
    (rule,) = policies["dlg-clients"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"dlg-client": "true"}}}]
    for component in WORKLOADS:
        labels = workload(written(), component)["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "dlg"


def test_nodes_leave_one_by_one_and_keep_their_disks_in_production() -> None:
    found = rendered("production")
    (budget,) = [d for d in found if d["kind"] == "PodDisruptionBudget"]
    nodes = workload(found, "node")["spec"]
    assert budget["spec"]["selector"] == nodes["selector"]
    assert [c["metadata"]["name"] for c in nodes["volumeClaimTemplates"]] == ["work"]
    assert "work" not in [v["name"] for v in nodes["template"]["spec"]["volumes"]]


def test_images_are_those_that_are_built() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE))
    for component in WORKLOADS:
        (container,) = pod(written(), component)["containers"]
        assert container["image"].removeprefix("dlg-") in targets


def test_no_secret_is_committed() -> None:
    assert not [d for d in written() if d["kind"] == "Secret"]
