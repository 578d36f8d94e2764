import os
import subprocess
import sys

from indexer.catalog.leasing.owner import dead_owners, owner_name


def test_a_living_process_is_not_dead_and_a_finished_one_is():
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            "from indexer.catalog.leasing.owner import owner_name; print(owner_name())",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert dead_owners([owner_name(), finished]) == [finished]


def test_a_later_process_with_the_same_number_is_another_owner():
    host, pid, _ = owner_name().rsplit("/", 2)
    assert pid == str(os.getpid())
    assert dead_owners([f"{host}/{pid}/1"]) == [f"{host}/{pid}/1"]


def test_owners_on_other_machines_are_judged_by_their_lease_alone():
    assert dead_owners(["elsewhere/1/1", "not an owner"]) == []
