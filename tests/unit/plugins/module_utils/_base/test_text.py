# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a server's error text: one line, without Java, HTML, and values; names stay."""

from __future__ import annotations

import pytest
from ansible_collections.idmops.idm.plugins.module_utils._base.text import reason_in


@pytest.mark.parametrize(
    "text, reason",
    [
        ("org.x.ForbiddenException: Policy validation failed\n\tat org.x.Y", "Policy validation failed"),
        ("first\nsecond", "first"),
        ("via https://hr.example.com/api?access_token=ab12cd34ef now", "via https://hr.example.com/api?... now"),
        ("see https://hr.example.com/api#token=ab12, then", "see https://hr.example.com/api?... then"),
        ("see ldap://ds1.example.com:1389", "see ldap://ds1.example.com:1389"),
        ("&quot;cn&quot; &lt;gone&gt;", '"..." <gone>'),
        ("Cannot index record managed_user{userName:jdoe,password:x}: duplicated key 'jdoe'",
         "Cannot index record managed_user{userName: ..., password: ...}: duplicated key '...'"),
        ("Cannot store {userName=jdoe, mail=j@x.y\n, sn=Doe}", "Cannot store {userName: ..., mail: ...}"),
        ("not 'O'Brien', 'it's secret' and \"a \\\"b\\\" c\"", "not '...', '...' and \"...\""),
        ("an open \"quote and more", 'an open "..."'),
        ("[LDAP: error code 50 - no] for [mail=j@x.y, sn=Doe]", "[LDAP: error code 50 - no] for [mail: ..., sn: ...]"),
        ("The mail attribute is not single value attribute.", "The mail attribute is not single value attribute."),
        ("Missing attribute 'sn' for 'Smith'", "Missing attribute 'sn' for '...'"),
        ('Property "givenName" must not be "Bob"', 'Property "givenName" must not be "..."'),
        ("'mail' attribute: 'Smith' is no mail", "'mail' attribute: '...' is no mail"),
        ("attribute: 'Smith'", "attribute: '...'"),
        ('duplicate key value violates unique constraint "idx_users"\tDetail: Key (a, b)=(x, y z) already exists.',
         'duplicate key value violates unique constraint "idx_users" Detail: Key (a, b)=(...) already exists.'),
        ("No entry for (&(objectClass=person)(mail=bob@example.com)(sn=Doe))",
         "No entry for (&(objectClass=...)(mail=...)(sn=...))"),
        ("remaining name 'cn=changelog'", "remaining name 'cn=changelog'"),
        ("remaining name 'uid=a,ou=People,dc=example,dc=com'", "remaining name 'uid=a,ou=People,dc=example,dc=com'"),
        ("user bob.b+x@example.com is taken", "user ... is taken"),
        ('{"_id":"1","mail":["a","b"],"n":{"sn":"Doe"}} is not it', "{_id: ..., mail: ..., n: ..., sn: ...} is not it"),
        ("{jdoe} is taken", "{...} is taken"),
        ("ds1.example.com: Connection refused", "ds1.example.com: Connection refused"),
        ("It's the user's own", "It's the user's own"),
        ("what happened: nobody knows", "what happened: nobody knows"),
        ("java.lang.NullPointerException", "java.lang.NullPointerException"),
        ("Violation of UNIQUE KEY constraint 'UQ_m'. The duplicate key value is (jdoe, <NULL>).",
         "Violation of UNIQUE KEY constraint 'UQ_m'. The duplicate key value is (...)."),
        ("Failing row contains (1, jdoe, x (y), null).", "Failing row contains (...)."),
        ("insert into people (name, pw) values (jdoe, x) failed", "insert into people (name, pw) values (...) failed"),
        ("It is (as ever) gone", "It is (as ever) gone"),
        ("cannot take it with password Secret1!.", "cannot take it with password ...."),
        ("userPassword=secret, mail missing; password: S3cret", "userPassword=..., mail missing; password: ..."),
        ("Policy validation failed for password", "Policy validation failed for password"),
        ("The password is too short: 8 at least", "The password is too short: 8 at least"),
        ("\u201cJane Doe\u201d, \u00abJane\u00bb and `jane` are taken",
         "\u201c...\u201d, \u00ab...\u00bb and `...` are taken"),
        ("Fault for <user><password>x</password><sn>Doe</sn></user>",
         "Fault for <user><password>...</password><sn>...</sn></user>"),
        ("Resource 'managed/users' not found", "Resource 'managed/users' not found"),
        ("Resource 'managed/users/jdoe' not found", "Resource 'managed/users/...' not found"),
        ("Resource '/system/ldap/accounts/uid=jdoe' not found", "Resource '/system/ldap/accounts/...' not found"),
        ("Object \"managed/user/jdoe?_fields=sn\" is gone", 'Object "managed/user/..." is gone'),
        ("Resource 'users' not found", "Resource 'users' not found"),
        ("Resource 'users/jdoe' not found", "Resource 'users/...' not found"),
        ("Resource 'John Doe' not found, 'users/jdoe' either", "Resource '...' not found, '...' either"),
        ("'managed/John Doe' and 'private/user' are gone", "'...' and '...' are gone"),
        ("  ", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_reason_in_a_text(text, reason):
    assert reason_in(text) == reason
