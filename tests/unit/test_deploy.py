"""deploy/: what can be known of recipes and manifests without a container engine, a cluster or a system to boot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conf.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
UNITS = sorted((DEPLOY / "systemd").iterdir())
PLACE = "/opt/relay/.venv/bin/"


def said(*command: str | Path, folder: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def commands() -> dict[str, list[str]]:
    """What the Procfile says, by process."""
    lines = (line.partition(":") for line in (ROOT / "Procfile").read_text().splitlines())
    return {name: command.split() for name, _, command in lines}


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each pod of the manifests, with each of its containers."""
    for path in MANIFESTS:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec", {})
            yield from ((pod, one) for one in pod.get("containers", []))


def test_the_images_recipe_follows_hadolints_rules() -> None:
    said(BIN / "hadolint", DEPLOY / "Containerfile")


def test_the_image_is_made_of_nothing_that_is_not_there_and_lacks_no_package() -> None:
    wanted = {line[1:] for line in (DEPLOY / "Containerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert [name for name in wanted if not (ROOT / name).exists()] == []
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    assert {name for names in copied for name in names.split()} == wanted
    assert {"conf", "db", "relay", "web"} <= wanted


def test_the_compose_file_has_the_form_that_compose_takes() -> None:
    said(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_has_the_form_that_kubernetes_takes(path: Path) -> None:
    said(BIN / "kubernetes-validate", "--strict", path)


def test_every_manifest_is_applied() -> None:
    [kustomization] = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    assert sorted(kustomization["resources"]) == [path.name for path in MANIFESTS]


def test_no_container_may_more_than_it_needs() -> None:
    for pod, container in containers():
        assert pod["securityContext"]["runAsNonRoot"], container["name"]
        assert not pod["automountServiceAccountToken"], container["name"]
        own = container["securityContext"]
        assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (True, False), container["name"]
    [compose] = documents(DEPLOY / "compose.yaml")
    for name in ("init", "web", "relay"):
        own = compose["services"][name]
        assert (own["read_only"], own["cap_drop"]) == (True, ["ALL"]), name


def test_everywhere_runs_what_the_procfile_says() -> None:
    wanted = sorted(commands().values())
    assert sorted(container["args"] for _, container in containers()) == wanted
    [compose] = documents(DEPLOY / "compose.yaml")
    assert [compose["services"][name]["command"] for name in ("web", "relay")] == [
        commands()["web"],
        commands()["relay"],
    ]
    started = [re.search(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE) for path in UNITS]
    assert sorted(found[1].removeprefix(PLACE).split() for found in started if found) == wanted


def test_every_variable_is_a_setting() -> None:
    [compose] = documents(DEPLOY / "compose.yaml")
    named = set(compose["services"]["web"]["environment"])
    named |= {one["name"] for _, container in containers() for one in container["env"]}
    named |= {name for path in UNITS for name in re.findall(r"^Environment=(\w+)", path.read_text(), re.MULTILINE)}
    known = {name.upper() for name in Settings.model_fields} | {"RELAY_ENV_FILE"}
    assert named - known == set()


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    """With a program of this machine in place of the one that is installed there."""
    for path in UNITS:
        text = path.read_text().replace(f"{PLACE}python", sys.executable).replace("User=relay\n", "")
        (tmp_path / path.name).write_text(text.replace("/opt/relay", str(ROOT)).replace("/etc/relay/", f"{tmp_path}/"))
    said("systemd-analyze", "verify", *(tmp_path / path.name for path in UNITS))


def test_a_migration_that_fails_or_runs_again_stops_no_process() -> None:
    for path in UNITS:
        required = re.findall(r"^Requires=(.*)$", path.read_text(), re.MULTILINE)
        assert "relay-migrate" not in " ".join(required), path.name


def test_web_behind_systemds_socket_believes_the_proxy() -> None:
    held = (DEPLOY / "systemd" / "relay-web.service").read_text()
    assert "ListenStream=127.0.0.1:" in (DEPLOY / "systemd" / "relay-web.socket").read_text()
    assert "\nEnvironment=TRUSTED_PROXIES=1\n" in held


def ingresses() -> dict[str, dict[str, str]]:
    """What the ingress is told, without its prefix, by each path that leads to web."""
    found: dict[str, dict[str, str]] = {}
    for document in documents(DEPLOY / "kubernetes" / "web.yaml"):
        if document["kind"] == "Ingress":
            told = {name.partition("/")[2]: text for name, text in document["metadata"]["annotations"].items()}
            found |= {path["path"]: told for rule in document["spec"]["rules"] for path in rule["http"]["paths"]}
    return found


def test_only_webhooks_are_asked_of_another_web_where_one_did_not_answer() -> None:
    again = {path for path, told in ingresses().items() if "non_idempotent" in told["proxy-next-upstream"]}
    assert again == {"/webhook/"}


def test_the_ingress_lets_uploads_through_and_nothing_else_as_large() -> None:
    large = [path for path, told in ingresses().items() if told["proxy-body-size"] != "4m"]
    assert [ingresses()[path]["proxy-body-size"] for path in large] == ["17m"]
    for path, fits in (("/v25.0/300000000000001/media", True), ("/v25.0/300000000000001/messages", False)):
        assert bool(re.match(large[0], path)) == fits, path
    assert f"location ~ ^{large[0]} {{" in (ROOT / "conf" / "nginx.conf").read_text()


def test_the_entrypoint_reads_the_file_and_the_environment_counts_more(tmp_path: Path) -> None:
    (tmp_path / "relay.env").write_text("LOG_LEVEL='DEBUG'\nSECRET_KEY='a b&c$d'\n")
    shown = "import json, os; print(json.dumps([os.environ['LOG_LEVEL'], os.environ['SECRET_KEY']]))"
    told = said(
        *(DEPLOY / "entrypoint.sh", sys.executable, "-c", shown),
        RELAY_ENV_FILE=str(tmp_path / "relay.env"),
        LOG_LEVEL="ERROR",
    )
    assert json.loads(told) == ["ERROR", "a b&c$d"]
