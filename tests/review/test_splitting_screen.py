# SPDX-License-Identifier: Apache-2.0
"""The task of a packet fits its screen, by the word of Label Studio's own SDK."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as Xml

from idp.review.splitting import splitting_screen
from tests.review.conftest import Running
from tests.review.test_screen import errors_of
from tests.unit.test_review_splitting import REQUEST, drawn, packet, task


def unrolled(config: str, times: int) -> str:
    """The screen as a browser has it: the SDK does not know that repeated controls have numbers."""
    root = Xml.fromstring(config)
    for parent in root.iter():
        for repeater in list(parent.findall("Repeater")):
            parent.remove(repeater)
            for number in range(times):
                for child in repeater:
                    one = copy.deepcopy(child)
                    for each in one.iter():
                        for name, value in each.attrib.items():
                            each.set(name, value.replace("{{idx}}", str(number)))
                    parent.append(one)
    return Xml.tostring(root, encoding="unicode")


def test_the_task_of_a_packet_fits_its_screen(label_studio: Running) -> None:
    made = task(packet(drawn(1, 2), drawn(3, type=REQUEST)))
    config = splitting_screen().config
    pair = (unrolled(config, len(made["data"]["sheets"])), made["predictions"][0])
    assert errors_of(label_studio, [pair]) == [[]]
