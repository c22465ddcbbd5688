# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of each kind of entry that has not arrived, and what mends it: word for word."""

from __future__ import annotations

import itertools
import pathlib
from dataclasses import replace

from ansible_collections.idmops.idm.plugins.module_utils._health.losses import (
    ASKING,
    NOT_LOADED,
    PASSED_BY,
    STRANDING,
    STRAY,
    UNHANDLED,
    Loss,
    cause_of,
    emptied_by,
    forbids,
    sentences_of,
    situation_of,
)
from ansible_collections.idmops.idm.plugins.module_utils._idm.audit import NO_SITUATION, AuditEntry
from ansible_collections.idmops.idm.plugins.module_utils._idm.mapping import SyncMapping
from ansible_collections.idmops.idm.plugins.module_utils._proof.difference import KINDS, REASONS, Difference
from ansible_collections.idmops.idm.plugins.module_utils._proof.look import GONE_TARGET, SECOND_LINK, TWINS
from ansible_collections.idmops.idm.tests.unit.doubles.written import compare

FILES = pathlib.Path(__file__).parent / "files"
COPIES = [{"source": "mail", "target": "mail"}, {"source": "surname", "target": "sn"}]
MAPPING = SyncMapping.parse(
    {"name": "m", "source": "system/ldap/account", "target": "managed/user", "properties": COPIES}
)
FINDS = replace(MAPPING, correlates=True)
DETAILS = {
    "no detail": None,
    "some detail": "so it is",
    "no situation": NO_SITUATION,
    "a second link": SECOND_LINK,
    "a twin": TWINS[0],
    "another's": TWINS[1],
    "a stray": STRAY,
    "not loaded": NOT_LOADED,
    "not handled": UNHANDLED,
    "passed by": PASSED_BY,
    "asking": f"{ASKING} x",
    "two links": "More than one link found for x",
}
HOW = {"": {}, "not in the source": {"in_source": False}, "a link too many": {"spare_links": ("l",)}}


def loss(rule=None, mapping=MAPPING, **more):
    entry = AuditEntry("e", "2026-11-24T10:00:00Z", "s", False, None, situation=rule, action="IGNORE") if rule else None
    return Loss(
        mapping, Difference(**{"kind": "missing", "id": "s", "target_id": "t", "properties": ("mail",), **more}), entry
    )


def told(one):
    begun = f"{'forbids, ' if forbids(one) else ''}{situation_of(one) or 'no situation'}: {cause_of(one)}"
    return begun, next(iter(sentences_of([one])))


def test_each_kind_for_each_reason():
    sentences, of, causes = {}, {}, {}
    for kind, reason, how in itertools.product(KINDS, REASONS, HOW):
        for detail, text in DETAILS.items():
            begun, sentence = told(loss(kind=kind, reason=reason, detail=text, **HOW[how]))
            place = sentences.setdefault(sentence, len(sentences) + 1)
            of.setdefault(", ".join(filter(None, (kind, reason, how))), []).append(f"{detail} [{place}]")
            causes.setdefault(f"{kind}, {detail}", {}).setdefault(begun, []).append(
                ", ".join(filter(None, (reason, how)))
            )
    found = {name: ", ".join(places) for name, places in of.items()}
    reasons = {}
    for name, said in causes.items():
        few = {text: "all" if len(said) == 1 else "; ".join(cases) for text, cases in said.items()}
        reasons[name] = [f"{text} <- {cases}" for text, cases in few.items()]
    said = {f"[{place}]": text for text, place in sentences.items()}
    compare(
        FILES / "sentences.yml", "What is said of entries that have not arrived, by the numbers in losses.yml.", said
    )
    compare(FILES / "losses.yml", "Which sentence is said of each kind of entry that has not arrived.", found)
    compare(FILES / "causes.yml", "Why an entry has not arrived, by its kind and what is known of it.", reasons)


def test_what_depends_on_the_mapping_and_on_a_word_of_audit():
    found = {"correlates": told(loss(mapping=FINDS, kind="unlinked"))[1], "does not": told(loss(kind="unlinked"))[1]}
    for rule in STRANDING:
        found[rule] = list(told(loss(rule=rule)))
    both = [loss(rule="FOUND"), loss(rule="FOUND", id="s2"), replace(loss(rule="AMBIGUOUS"))]
    found["several"] = list(sentences_of(both))
    found["one entry, twice"] = list(sentences_of([loss(), loss()]))
    found["one entry, two mappings"] = list(sentences_of([loss(), loss(mapping=replace(MAPPING, name="n"))]))
    found["two entries"] = list(sentences_of([loss(), loss(id="s2")]))
    found["not loaded, of two mappings"] = list(
        sentences_of([loss(detail=NOT_LOADED), loss(detail=NOT_LOADED, mapping=replace(MAPPING, name="n"))])
    )
    twin = loss(kind="duplicate", detail=TWINS[0])
    found["what forbids hides what else is said of it"] = list(
        sentences_of([loss(detail=GONE_TARGET), twin, loss(id="s2")])
    )
    found["orphans are told by their targets"] = list(
        sentences_of([loss(kind="orphaned", id=None), loss(kind="orphaned", id=None, target_id="t2")])
    )
    found["nothing"] = list(sentences_of([]))
    compare(
        FILES / "stranded.yml", "What is said of entries that a policy has left alone, and of several at once.", found
    )


def test_what_a_reconciliation_would_empty():
    one, other = (loss(kind="differing", id=name, emptied=("sn",)) for name in ("s1", "s2"))
    plain, hidden = loss(kind="differing", id="s3"), loss(kind="differing", id="s4", emptied=("sn",), reason="hidden")
    assert emptied_by([one, plain]) == ([one, plain], None)
    assert emptied_by([one, hidden]) == ([one, hidden], None)
    elsewhere = replace(other, mapping=replace(MAPPING, name="n"))
    assert emptied_by([one, elsewhere]) == ([one, elsewhere], None)
    rest, said = emptied_by([plain, one, hidden, other])
    assert rest == [plain, hidden]
    assert "would empty sn of at least 2 targets (m), as liveSync does" in said and "takes sn from surname: see" in said
