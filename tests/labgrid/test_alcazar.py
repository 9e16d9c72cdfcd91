# SPDX-License-Identifier: BSD-2-Clause
"""What a testbed does with Alcazar, by labgrid's unmodified drivers."""
import pytest
from labgrid.driver import ExecutionError


def test_commands_give_what_they_print(alcazar):
    assert alcazar.run_check("echo one 'two  three'") == ["one two  three"]
    assert any("linux" in line for line in alcazar.run_check("list")), "\n".join(alcazar.run_check("list"))


def test_quotes_that_touch_are_one_word(alcazar):
    assert alcazar.run_check("echo 'al''ca'\"zar\"") == ["alcazar"]


def test_failures_have_a_status(alcazar):
    out, _, status = alcazar.run("destroy nobody")
    assert status != 0 and "nobody" in " ".join(out)
    assert alcazar.run("nonsense")[2] == 127
    with pytest.raises(ExecutionError):
        alcazar.run_check("start nobody")
    assert alcazar.run_check("echo; echo $?")[1:] == ["0"]


def test_a_vm_is_looked_into(alcazar):
    assert any("memory" in line.lower() for line in alcazar.run_check("dominfo linux"))
    assert any("edu" in line.lower() for line in alcazar.run_check("info pci linux")), "\n".join(alcazar.run_check("info pci linux"))


def test_devices_come_and_go(alcazar):
    assert alcazar.run_check("device_add uart16550,id=extra,io=0x2e8,irq=5")
    assert any("extra" in line for line in alcazar.run_check("info devices linux"))
    assert alcazar.run_check("device_del extra")


def test_linux_is_reached_and_left(board, alcazar):
    """From the prompt to the guest's shell, and back."""
    alcazar.boot("")
    alcazar.await_boot()
    board.deactivate(alcazar)
    shell = board.get_driver("ShellDriver")
    assert shell.run_check("uname -s") == ["Linux"]
    assert shell.run("false")[2] == 1
    assert int(shell.run_check("grep -c processor /proc/cpuinfo")[0]) >= 1
    board.deactivate(shell)
    console = board.get_driver("ConsoleProtocol")
    console.sendline("poweroff")
    console.expect(r"\nalcazar> ", timeout=60)
    console.sendline("list")
    _, before, _, _ = console.expect(r"\nalcazar> ", timeout=10)
    assert b"stopped" in before
