# SPDX-License-Identifier: Apache-2.0
"""Channels in the running appliance: their queue, site, sidecar, and what they make of copies."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from idp.appliance import Appliance
from idp.document import Decision
from idp.settings import ChannelSettings, EngineSettings, IngestSettings, ServeSettings, Settings
from idp.store import State
from tests.faults.running import wait_until
from tests.faults.stand_in import SlowPipeline

pytestmark = pytest.mark.component


class Told(SlowPipeline):
    """Notes what it is told of each file, and holds those of a channel until it may go on."""

    def __init__(self, data, held=()):
        super().__init__(data, "good", 0)
        self.told = {}
        self.held = held
        self.go_on = threading.Event()

    def process(self, path, *, channel, source=None, site=None, sidecar=None, **rest):
        self.told[source] = (site, (sidecar[0], sidecar[1].read_bytes()) if sidecar else None)
        if channel in self.held:
            self.go_on.wait(60)
        return super().process(path, channel=channel, source=source, **rest)


def settings_of(data, channels, **engine):
    return Settings(
        data=data,
        serve=ServeSettings(port=0),
        ingest=IngestSettings(channels=channels, rescan_seconds=0.2),
        engine=EngineSettings(**({"concurrency": 1, "reconcile_seconds": 1.0} | engine)),
    )


@contextmanager
def appliance_of(settings, pipeline):
    @contextmanager
    def make(_):
        try:
            yield pipeline
        finally:
            pipeline.go_on.set()
            pipeline.closed.set()

    with Appliance(settings, pipeline=make, grace_seconds=5) as appliance:
        yield appliance


def channel(**settings):
    return ChannelSettings(**({"settle_seconds": 0.2, "sidecar_seconds": 0.5} | settings))


def drop(settings, name, *files):
    for file, content in files:
        folder = settings.channel_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".{file}").write_bytes(content)
        (folder / f".{file}").rename(folder / file)


def test_site_and_sidecar_reach_the_pipeline_and_the_record(tmp_path):
    settings = settings_of(tmp_path, {"fax": channel(site="north")})
    pipeline = Told(tmp_path)
    with appliance_of(settings, pipeline) as appliance:
        drop(settings, "fax", ("a.xml", b"<fax/>"), ("a.tif", b"page"))
        wait_until(lambda: appliance.store.counts()[State.DELIVERED] == 1)
        (row,) = appliance.store.recent()
        arrival = appliance.store.show(row.id).arrival
    assert pipeline.told == {"a.tif": ("north", ("a.xml", b"<fax/>"))}
    assert (arrival.site, arrival.sidecar_name) == ("north", "a.xml")


def test_a_queue_of_its_own_is_worked_while_the_other_is_full(tmp_path):
    settings = settings_of(
        tmp_path, {"fax": channel(), "stat": channel(queue="quick")}, queues={"quick": 1}
    )
    pipeline = Told(tmp_path, held={"fax"})
    with appliance_of(settings, pipeline) as appliance:
        drop(settings, "fax", *((f"{n}.tif", b"%d page" % n) for n in range(3)))
        wait_until(lambda: appliance.store.counts()[State.PROCESSING] == 1)
        drop(settings, "stat", ("urgent.tif", b"page"))
        wait_until(lambda: appliance.store.counts()[State.DELIVERED] == 1)
        (done,) = appliance.store.recent(states={State.DELIVERED})
        assert done.name == "urgent.tif"
        pipeline.go_on.set()
        wait_until(lambda: appliance.store.counts()[State.DELIVERED] == 4)


def test_work_of_a_queue_that_the_settings_no_longer_name_goes_on_in_the_common_one(tmp_path):
    with_queue = settings_of(tmp_path, {"stat": channel(queue="quick")}, queues={"quick": 1})
    pipeline = Told(tmp_path, held={"stat"})
    with appliance_of(with_queue, pipeline) as appliance:
        drop(with_queue, "stat", *((f"{n}.tif", b"%d page" % n) for n in range(3)))
        wait_until(lambda: sum(appliance.store.counts().values()) == 3)
        wait_until(lambda: appliance.store.counts()[State.PROCESSING] == 1)
        appliance.stop_soon()
    without = settings_of(tmp_path, {"stat": channel()})
    with appliance_of(without, Told(tmp_path)) as appliance:
        wait_until(lambda: appliance.store.counts()[State.DELIVERED] == 3)
        assert appliance.store.verify_events() is None


@pytest.mark.parametrize(
    ("policy", "state", "rules"),
    [
        ("skip", State.DUPLICATE, None),
        ("warn", State.DELIVERED, ["D1"]),
        ("hold", State.REVIEW, ["D1"]),
    ],
)
def test_the_same_bytes_again_end_as_the_folder_says_and_are_linked(tmp_path, policy, state, rules):
    settings = settings_of(tmp_path, {"fax": channel(), "scan": channel(exact_duplicates=policy)})
    with appliance_of(settings, Told(tmp_path)) as appliance:
        store = appliance.store
        drop(settings, "fax", ("first.tif", b"page"))
        wait_until(lambda: store.counts()[State.DELIVERED] == 1)
        (first,) = store.recent()
        drop(settings, "scan", ("again.tif", b"page"))
        wait_until(
            lambda: [row.state for row in store.recent() if row.name == "again.tif"] == [state]
        )
        (again,) = [row for row in store.recent() if row.name == "again.tif"]
        assert again.duplicate_of == first.id
        found = store.document(again.id)
        assert (found and [each.rule for each in found.findings]) == rules
        if policy == "hold":
            assert again.decision is Decision.REVIEW
            assert again.reasons == ("The same bytes arrived before.",)
        assert store.document(first.id).findings == ()


def test_a_share_that_is_only_read_is_not_taken_twice_by_a_restart(tmp_path):
    share = tmp_path / "share"
    channels = {"scan": channel(folder=share, keep_files=True, watch="poll")}
    settings = settings_of(tmp_path / "data", channels)
    drop(settings, "scan", ("a.tif", b"a page"), ("b.tif", b"b page"))
    for wanted in (2, 2, 3):
        with appliance_of(settings, Told(settings.data)) as appliance:
            if wanted == 3:
                drop(settings, "scan", ("c.tif", b"c page"))
            wait_until(lambda: appliance.store.counts()[State.DELIVERED] == wanted)  # noqa: B023
            wait_until(
                lambda: appliance._inbox.health().channels[0].remembered == wanted  # noqa: B023
            )
            assert sum(appliance.store.counts().values()) == wanted
    assert sorted(path.name for path in share.iterdir()) == ["a.tif", "b.tif", "c.tif"]
