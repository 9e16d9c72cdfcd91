# SPDX-License-Identifier: BSD-2-Clause
"""A board that is on, at Alcazar's prompt."""
import pytest


@pytest.fixture(scope="session")
def board(target):
    """Switched on once, and off when all is over."""
    power = target.get_driver("QEMUDriver", activate=False)
    target.activate(power)
    power.on()
    yield target
    power.off()


@pytest.fixture(scope="session")
def alcazar(board):
    """The prompt, by labgrid's own UBootDriver."""
    driver = board.get_driver("UBootDriver", activate=False)
    board.activate(driver)
    return driver
