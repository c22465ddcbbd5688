# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of variables: its text, and the writing of it where there is none yet."""

from __future__ import annotations

import os
import textwrap
import typing as t

from .._base.errors import IdmopsError, InvalidOption, MissingLibrary
from .adopted import Reference

try:
    import yaml
except ImportError as exc:
    yaml = None
    _REASON = str(exc)
else:
    _REASON = ""

_WIDTH = 118
#: What Ansible would take for a template where it reads the file. What a server tells is no template.
_TEMPLATE_MARKS = ("{{", "{%", "{#")


def as_comment(text: str, indent: str = "") -> str:
    """Return a text as lines of comment.

    Whatever a server has put in it, nothing of it becomes a line of its own.
    """
    one_line = "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))
    prefix = f"{indent}# "
    lines = textwrap.wrap(
        one_line,
        _WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "".join(f"{line}\n" for line in lines)


def as_yaml(value: t.Any, indent: str = "") -> str:
    """Return a value as lines of YAML for Ansible to read.

    :class:`Reference` alone is a template there.

    :raises MissingLibrary: without PyYAML.
    """
    if yaml is None:
        raise MissingLibrary("PyYAML", _REASON)

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # what it is is not known where PyYAML says nothing of its types
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> t.Any:
            return super().increase_indent(flow, False)

    def plain(dumper: t.Any, text: str) -> t.Any:
        template = any(mark in text for mark in _TEMPLATE_MARKS)
        return dumper.represent_scalar("!unsafe" if template else "tag:yaml.org,2002:str", text)

    def reference(dumper: t.Any, text: str) -> t.Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')

    Dumper.add_representer(str, plain)
    Dumper.add_representer(Reference, reference)
    text = yaml.dump(value, Dumper=Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10000)
    return textwrap.indent(str(text), indent)


def is_there(path: str) -> bool:
    """Tell whether a file, or a link to one, has this name.

    :raises InvalidOption: for a folder.
    """
    if os.path.isdir(path):
        raise InvalidOption("dest", path, "It is a folder: name the file in it.")
    return os.path.lexists(path)


def write_new(path: str, text: str) -> None:
    """Write a file that nobody else may read, where there is none of its name; folders are made as need be.

    :raises IdmopsError: where it cannot be written, or somebody has made one meanwhile.
    """
    content = text.encode("utf-8")
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise IdmopsError(f"{path} cannot be written: {exc.strerror}.") from exc
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as exc:
        os.unlink(path)  # half of it would be taken for the whole
        raise IdmopsError(f"{path} cannot be written: {exc.strerror}.") from exc
