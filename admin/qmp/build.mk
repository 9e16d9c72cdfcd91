# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_QMP) += admin/qmp/
