# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with options, in one sentence each. No I/O.

Ansible itself does not name an option that holds others: "argument of type 'int' is not iterable" is all it says of a
number where a dictionary belongs, and that a dictionary was requested, of a text that it can make none of (seen on
2.19). Of the entries of a list it does not say which, and where a role's variable is wrong it prints all that is
specified of all of them.
"""

from __future__ import annotations

import difflib
import typing as t

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
)

Options = t.Mapping[str, t.Any]

#: For each type whose values can be wrong, what finds that, and the way out.
_SCALARS: t.Mapping[str, tuple[t.Callable[[t.Any], t.Any], str]] = {
    "int": (check_type_int, "Give a whole number."),
    "float": (check_type_float, "Give a number."),
    "bool": (check_type_bool, "Give true or false."),
}
#: The ways out of what is wrong with the others.
_KINDS = {"str": "Give a text.", "dict": "Give a dictionary.", "list": "Give a list."}


def misfit(argument_spec: Options, params: Options) -> str | None:
    """Return what is wrong below a module's options, None where nothing is: the options themselves are Ansible's.

    :param argument_spec: of the module.
    :param params: its options as they were given.
    """
    for name, option in argument_spec.items():
        if option.get("options") and params.get(name) is not None:
            for found in _below(name, option, params[name]):
                return found
    return None


def misfits(options: Options, given: Options, within: str = "") -> t.Iterator[str]:
    """Yield what is wrong with the options of a dictionary, a sentence each.

    :param options: the specification of what may be in it.
    :param within: what stands before the names, with its dot.
    """
    names = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", ()))}
    for name in given:
        if name not in names:
            yield _stranger(f"{within}{name}", str(name), sorted(options))
    for name, option in options.items():
        values = [given[alias] for alias in names if names[alias] == name and given.get(alias) is not None]
        if values:
            yield from _below(f"{within}{name}", option, values[0])
        elif option.get("required") and not option.get("fallback"):
            yield f"{within}{name}: is needed. {_KINDS.get(option.get('type', 'str'), 'Give it.')}"


def _below(place: str, option: Options, value: t.Any) -> t.Iterator[str]:
    """Yield what is wrong with one option's value.

    :param place: its name, with what it stands in.
    """
    kind, inner = option.get("type", "str"), option.get("options")
    if inner and kind == "list":
        texts = isinstance(value, str) and all(map(_dictionary_of, value.split(",")))
        if not texts and not isinstance(value, (list, tuple)):
            yield _kind_error(place, value, "Give a list of dictionaries.")
            return
        for index, one in enumerate([] if texts else value):
            yield from _dictionary(f"{place}[{index}]", inner, one)
    elif inner:
        yield from _dictionary(place, inner, value)
    elif option.get("choices") and kind != "list":
        if isinstance(value, (t.Mapping, list, tuple)) or str(value) not in option["choices"]:
            shown = repr(value) if isinstance(value, str) else _shown(value)
            yield f"{place}: {shown} cannot be used. Give one of: {', '.join(option['choices'])}."
    elif kind == "str" and isinstance(value, (t.Mapping, list, tuple)):
        yield _kind_error(place, value, _KINDS[kind])
    elif kind == "list" and isinstance(value, t.Mapping):
        yield _kind_error(place, value, _KINDS[kind])
    elif kind in _SCALARS:
        check, way_out = _SCALARS[kind]
        try:
            check(value)
        except (TypeError, ValueError):
            yield _kind_error(place, value, way_out)


def _dictionary(place: str, options: Options, value: t.Any) -> t.Iterator[str]:
    given = value if isinstance(value, t.Mapping) else _dictionary_of(value)
    if given is None:
        yield _kind_error(place, value, _KINDS["dict"])
    else:
        yield from misfits(options, given, f"{place}.")


def _dictionary_of(text: t.Any) -> dict[str, t.Any] | None:
    """Return the dictionary that Ansible makes of a text, which is JSON or key=value; None where it makes none."""
    try:
        return (check_type_dict(text) or None) if isinstance(text, str) else None
    except TypeError:
        return None


def _stranger(place: str, name: str, known: t.Sequence[str]) -> str:
    """Return the sentence for an option that there is not; its value may be a secret, and is not shown."""
    close = difflib.get_close_matches(name, known, 1)
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"{place}: there is no such option.{meant} There are: {', '.join(known)}."


def _kind_error(place: str, value: t.Any, way_out: str) -> str:
    """Return the sentence for a value of another kind."""
    return f"{place}: {_shown(value)} cannot be used. {way_out}"


def _shown(value: t.Any) -> str:
    """Return a value as it may be shown: what a text, a list or a dictionary holds may be secret."""
    kinds = {list: "a list", tuple: "a list", dict: "a dictionary", str: "a text"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), repr(value))
