# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the module promises to idp, and to the people who work with it."""

import json

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

LABELS = {
    "member_id": ["Member ID", "identifier"],
    "patient_dob": ["Date of birth", "date"],
    "payment_amount": ["Payment", "money"],
    "diagnosis_codes": ["Diagnosis", "icd10"],
}


def _field(name, value, **more):
    return {
        "name": name,
        "value": value,
        "raw": str(value),
        "confidence": 0.97,
        "page": 1,
        "box": [0.1, 0.2, 0.3, 0.25],
        "source": "crf",
        "mended": "",
        **more,
    }


def _record(*fields, missing=(), findings=()):
    return json.dumps(
        {"schema": "idp.document/1", "fields": fields, "missing": missing, "findings": findings}
    )


@tagged("post_install", "-at_install")
class TestDocument(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,idp_documents.group_idp_{}"
        cls.bot = new_test_user(cls.env, "paper-bot", groups.format("bot"))
        cls.worker = new_test_user(cls.env, "paper-worker", groups.format("user"))
        cls.manager = new_test_user(cls.env, "paper-manager", groups.format("manager"))
        cls.stranger = new_test_user(cls.env, "paper-stranger", "base.group_user")

    def _load(self, payload, key="0001", **more):
        row = {
            "id": f"__idp__.fields_{key}",
            "name": f"Referral {key}",
            "idp_key": key,
            "kind": "referral",
            "payer_name": "Blue Sky",
            "payload": payload,
            "labels": json.dumps(LABELS),
            **more,
        }
        found = self.env["idp.document"].with_user(self.bot).load(list(row), [list(row.values())])
        self.assertTrue(found["ids"], found["messages"])
        return self.env["idp.document"].browse(found["ids"])

    def test_one_call_writes_the_document_and_its_lines(self):
        document = self._load(
            _record(
                _field("member_id", "A123", source="review", confidence=1.0),
                _field("patient_dob", "1980-02-29"),
                _field("payment_amount", "1234.50"),
                missing=["diagnosis_codes"],
                findings=[
                    {"rule": "N1", "severity": "block", "field": "member_id", "message": "Wrong"}
                ],
            )
        )
        lines = {line.name: line for line in document.field_ids}
        self.assertEqual(lines["member_id"].label, "Member ID")
        self.assertTrue(lines["member_id"].corrected)
        self.assertEqual(str(lines["patient_dob"].value_date), "1980-02-29")
        self.assertEqual(lines["payment_amount"].value_amount, 1234.50)
        self.assertEqual(lines["payment_amount"].box, "0.1 0.2 0.3 0.25")
        self.assertEqual(document.finding_ids.mapped("kind"), ["missing", "finding"])
        self.assertEqual((document.missing_count, document.corrected_count), (1, 1))
        self.assertAlmostEqual(document.lowest_confidence, 0.97)

    def test_the_same_call_again_changes_nothing(self):
        payload = _record(_field("member_id", "A123"))
        document = self._load(payload)
        lines = document.field_ids.ids
        self.assertEqual(self._load(payload), document)
        self.assertEqual(document.field_ids.ids, lines)

    def test_a_later_version_replaces_the_lines(self):
        document = self._load(_record(_field("member_id", "A1"), _field("member_id", "A2")))
        self.assertEqual(self._load(_record(_field("member_id", "B1")), version=2), document)
        self.assertEqual(document.field_ids.mapped("value"), ["B1"])
        self.assertEqual(document.version, 2)

    def test_a_payload_that_is_no_object_leaves_nothing_behind(self):
        for payload in ("[]", "{", '"x"'):
            row = ["__idp__.fields_bad", "x", "bad", "referral", payload]
            columns = ["id", "name", "idp_key", "kind", "payload"]
            found = self.env["idp.document"].with_user(self.bot).load(columns, [row])
            self.assertFalse(found["ids"])
        self.assertFalse(self.env["idp.document"].search([("idp_key", "=", "bad")]))

    def test_a_value_that_is_no_date_stays_text(self):
        document = self._load(
            _record(_field("patient_dob", "29 Feb"), _field("payment_amount", ""))
        )
        self.assertEqual(document.field_ids.mapped("value_type"), ["char", "char"])

    def test_a_document_is_there_once(self):
        document = self._load(_record())
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            document.copy({"idp_key": document.idp_key}).flush_recordset()

    def test_it_is_found_by_what_stands_on_it(self):
        document = self._load(_record(_field("member_id", "ZX-99-81")))
        mine = self.env["idp.document"].with_user(self.worker)
        self.assertEqual(mine.search([("field_ids.value", "ilike", "zx-99")]), document)

    def test_people_work_on_it_and_change_nothing_of_what_it_says(self):
        document = self._load(_record(_field("member_id", "A1"))).with_user(self.worker)
        document.action_take()
        self.assertEqual(document.user_id, self.worker)
        self.assertTrue(document.assigned_at)
        document.action_done()
        self.assertTrue(document.completed_at)
        document.action_reopen()
        self.assertFalse(document.completed_at)
        with self.assertRaises(AccessError):
            document.write({"payer_name": "Another"})
        with self.assertRaises(AccessError):
            document.field_ids.write({"value": "A2"})
        with self.assertRaises(AccessError):
            document.unlink()
        with self.assertRaises(AccessError):
            document.read(["payload"])

    def test_what_people_did_outlives_a_later_version(self):
        document = self._load(_record(_field("member_id", "A1")))
        document.with_user(self.worker).action_take()
        assigned_at = document.assigned_at
        self._load(_record(_field("member_id", "A2")), version=2)
        self.assertEqual((document.user_id, document.assigned_at), (self.worker, assigned_at))

    def test_the_bot_deletes_nothing_and_a_stranger_sees_nothing(self):
        document = self._load(_record())
        with self.assertRaises(AccessError):
            document.with_user(self.bot).unlink()
        with self.assertRaises(AccessError):
            document.with_user(self.stranger).read(["name"])
        document.with_user(self.manager).unlink()

    def test_documents_of_another_company_are_not_seen(self):
        other = self.env["res.company"].create({"name": "Another clinic"})
        document = self._load(_record(_field("member_id", "A1")))
        document.sudo().write({"company_id": other.id})
        for model in ("idp.document", "idp.document.field"):
            self.assertFalse(
                self.env[model].with_user(self.worker).search([])
                & (document if model == "idp.document" else document.field_ids)
            )

    def test_nothing_is_written_into_the_chatter(self):
        document = self._load(_record(_field("member_id", "A1")), partner_id="")
        document.with_user(self.worker).action_done()
        self.assertFalse(document.sudo().message_ids)
        self.assertFalse(document.sudo().message_follower_ids)

    def test_an_activity_can_be_done_on_it(self):
        document = self._load(_record())
        activity = document.with_user(self.worker).activity_schedule(
            "mail.mail_activity_data_todo", summary="Ask for the diagnosis"
        )
        activity.with_user(self.worker).action_feedback()
        self.assertFalse(document.activity_ids)
