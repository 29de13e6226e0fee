"""Entry points: what a registry gets from other packages, and how a broken one is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.plugins import installed, package
from tokenwire import plugins
from tokenwire.errors import ProxyError

GROUP = "tokenwire.test_group"


def test_published_objects_by_name(tmp_path: Path) -> None:
    """Objects come by the name of their entry point, sorted, whatever package they are from."""
    package(tmp_path, "later", {GROUP: {"second": "mod_b:VALUE"}}, {"mod_b": "VALUE = 2\n"})
    package(tmp_path, "early", {GROUP: {"first": "mod_a:VALUE"}}, {"mod_a": "VALUE = 1\n"})
    with installed(tmp_path):
        assert list(plugins.load(GROUP, plugins.published()).items()) == [
            ("first", 1),
            ("second", 2),
        ]


def test_nothing_published() -> None:
    """A group that no package has entries in is empty."""
    assert plugins.load(GROUP, plugins.published()) == {}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("raise RuntimeError('sk-secret')\n", "RuntimeError"),
        ("OTHER = 1\n", "AttributeError"),
    ],
)
def test_broken_plugin_named(tmp_path: Path, source: str, reason: str) -> None:
    """An entry that cannot be imported is named with its package, without the error's text."""
    package(tmp_path, "faulty", {GROUP: {"bad": "mod_bad:VALUE"}}, {"mod_bad": source})
    with installed(tmp_path), pytest.raises(ProxyError) as raised:
        plugins.load(GROUP, plugins.published())
    assert raised.value.code == "bad_setting"
    assert raised.value.message == (
        f"Bad setting: plugin bad ({GROUP}) of package faulty cannot be used: importing "
        f"mod_bad:VALUE raised {reason}; fix or uninstall it."
    )


def test_name_published_twice(tmp_path: Path) -> None:
    """Two packages with the same name are refused: neither is chosen silently."""
    package(tmp_path, "one", {GROUP: {"same": "mod_one:VALUE"}}, {"mod_one": "VALUE = 1\n"})
    package(tmp_path, "two", {GROUP: {"same": "mod_two:VALUE"}}, {"mod_two": "VALUE = 2\n"})
    with installed(tmp_path), pytest.raises(ProxyError) as raised:
        plugins.load(GROUP, plugins.published())
    assert raised.value.message == (
        f"Bad setting: plugin same ({GROUP}) of package two cannot be used: package one publishes "
        "the same name; uninstall one of them."
    )


def test_built_ins_extended(tmp_path: Path) -> None:
    """A registry is its own entries and the published ones; its own mapping is left alone."""
    package(tmp_path, "more", {GROUP: {"new": "mod_new:VALUE"}}, {"mod_new": "VALUE = 2\n"})
    built_in = {"old": 1}
    with installed(tmp_path):
        assert plugins.extended(built_in, GROUP, int, plugins.published()) == {"old": 1, "new": 2}
    assert built_in == {"old": 1}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("old", "2", "is the name of a built-in; publish it under another"),
        ("new", "'text'", "must be an instance of builtins.int"),
    ],
)
def test_unusable_entry_refused(tmp_path: Path, name: str, value: str, problem: str) -> None:
    """An entry that would replace a built-in, or is of another type, is refused by name."""
    package(tmp_path, "more", {GROUP: {name: "mod_x:VALUE"}}, {"mod_x": f"VALUE = {value}\n"})
    with installed(tmp_path), pytest.raises(ProxyError) as raised:
        plugins.extended({"old": 1}, GROUP, int, plugins.published())
    assert raised.value.message == f"Bad setting: plugin {name} ({GROUP}) {problem}."
