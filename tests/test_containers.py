"""The container, the class server and Binder, as far as they can be read: what they name exists, versions are those of
requirements.txt, nobody is root, nothing is published beyond this machine. No image is built here."""

import os
import re
import shlex
import subprocess
from fnmatch import fnmatch

import yaml
from fences import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

DOCKERFILE = re.sub(r"^#.*\n|\\\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.M)
STEPS = [tuple(line.split(maxsplit=1)) for line in DOCKERFILE.splitlines() if line.strip()]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
IGNORE = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def _all(instruction: str) -> list[str]:
    return [words for name, words in STEPS if name == instruction]


def test_the_dockerfile_copies_what_is_there_and_what_the_builder_gets() -> None:
    sources = [source for words in _all("COPY") for source in words.split()[:-1]]
    assert len(sources) == len(set(sources)) == len([line for line in IGNORE if line.startswith("!")])
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORE, source
    assert IGNORE[0] == "*" and any(fnmatch("dfn/__pycache__", line) for line in IGNORE[1:])


def test_the_image_installs_the_app_alone_with_the_pinned_versions() -> None:
    (install,) = (words for words in _all("RUN") if "pip install" in words)
    assert install.startswith("grep -v '^-e' requirements.txt > constraints.txt")
    assert "--constraint constraints.txt" in install and install.endswith('".[app]"')
    pinned = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if line[:1].isalpha()]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pinned), "lines that pip takes for constraints"


def test_the_base_image_is_a_python_that_the_project_accepts() -> None:
    (base,) = _all("FROM")
    version = re.fullmatch(r"python:(3\.\d+)-slim", base)
    accepted = re.search(r'requires-python = "(.+)"', PROJECT)
    assert version and accepted and version[1] in SpecifierSet(accepted[1])
    binder = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
    assert f"python={version[1]}" in binder["dependencies"]


def test_nobody_in_the_container_is_root_and_it_says_how_it_feels() -> None:
    names = [name for name, _ in STEPS]
    assert _all("USER") == ["dfn"]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name in ("RUN", "COPY"))
    (health,) = _all("HEALTHCHECK")
    program = yaml.safe_load(health.partition("CMD ")[2])[-1]
    compile(program, "healthcheck", "exec")
    assert "/_stcore/health" in program


def test_the_container_starts_the_app_that_the_tests_start() -> None:
    *_, command = _all("CMD")
    words = yaml.safe_load(command)
    port = _all("EXPOSE")[0]
    assert words == ["streamlit", "run", "app/main.py", f"--server.port={port}"]
    assert f"127.0.0.1:{port}/" in _all("HEALTHCHECK")[0]


def test_the_class_server_keeps_runs_data_and_lessons_on_volumes() -> None:
    folders = yaml.safe_load(_all("VOLUME")[0])
    settings = dict(word.split("=", 1) for word in shlex.split(_all("ENV")[0]))
    assert {settings[name] for name in ("DFN_RUNS", "DFN_DATA", "DFN_LESSONS")} == set(folders)
    for service in COMPOSE["services"].values():
        mounted = dict(volume.split(":") for volume in service["volumes"])
        assert set(mounted.values()) == set(folders) and mounted.keys() == COMPOSE["volumes"].keys()


def test_the_class_server_is_published_to_this_machine_alone_and_bounded() -> None:
    (argument,) = [words.split("=")[0] for words in _all("ARG")]
    for service in COMPOSE["services"].values():
        assert service["ports"] == [f"${{DFN_PUBLISH:-127.0.0.1:8501}}:{_all('EXPOSE')[0]}"]
        assert service["mem_limit"] and service["restart"] == "unless-stopped"
        assert service["environment"]["DFN_WORKERS"] == "${DFN_WORKERS:-2}"
        assert service["build"]["args"].keys() == {argument}
        assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert COMPOSE["services"]["lab-gpu"]["profiles"] == ["gpu"], "a plain `up` needs no GPU"


def test_settings_of_the_class_server_are_those_of_its_page() -> None:
    page = (ROOT / "docs" / "containers.md").read_text("utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+):", (ROOT / "compose.yaml").read_text("utf-8")))
    assert asked == set(re.findall(r"^\| `([A-Z_]+)` \| .* \| .* \|$", page, flags=re.M))


def test_binder_takes_what_the_project_accepts_and_names_what_is_there() -> None:
    binder = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
    torch = next(Requirement(line) for line in binder["dependencies"] if line.startswith("pytorch-cpu"))
    wanted = next(Requirement(line) for line in re.findall(r'"(torch[^"]*)"', PROJECT))
    assert canonicalize_name(torch.name) == "pytorch-cpu" and torch.specifier == wanted.specifier
    after = ROOT / ".binder" / "postBuild"
    assert after.read_text("utf-8").startswith("#!/usr/bin/env bash\n")
    assert list(ROOT.glob("notebooks/*.py")) and '".[notebooks]"' in after.read_text("utf-8")


def test_post_build_is_executable() -> None:
    script = ".binder/postBuild"
    if (ROOT / ".git").exists():  # what git keeps goes to Binder; a file system may not tell
        listed = subprocess.run(["git", "ls-files", "-s", script], cwd=ROOT, capture_output=True, text=True)
        assert listed.stdout.startswith("100755"), listed.stdout
    else:
        assert os.access(ROOT / script, os.X_OK)
