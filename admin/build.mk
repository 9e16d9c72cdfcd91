# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_POKE) += admin/poke.o admin/reload.o
obj-$(CONFIG_CHECKPOINT) += admin/snapshot_commands.o admin/transfer_commands.o admin/info_state.o
obj-$(CONFIG_MUX) += $(patsubst %,admin/mux/%.o,mux mux_command mux_console mux_frame mux_input mux_pipe)
