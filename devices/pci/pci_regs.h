/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration header of a function (PCI Local Bus Specification 3.0, 6.1 and 6.2). */
#ifndef DEVICES_PCI_PCI_REGS_H
#define DEVICES_PCI_PCI_REGS_H

#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02

#define PCI_COMMAND	   0x04
#define PCI_COMMAND_IO	   0x0001
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_PARITY 0x0040
#define PCI_COMMAND_SERR   0x0100
#define PCI_COMMAND_INTX   0x0400 /* INTx is off */

#define PCI_STATUS		0x06
#define PCI_STATUS_INTERRUPT	0x0008
#define PCI_STATUS_CAPABILITIES 0x0010
#define PCI_STATUS_ERRORS	0xf900 /* what was seen of errors and aborts; a 1 clears */

#define PCI_REVISION_ID	      0x08
#define PCI_CLASS	      0x09 /* programming interface, subclass, base class */
#define PCI_CLASS_HOST_BRIDGE 0x060000

#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID	0x2e
#define PCI_CAPABILITIES	0x34 /* the offset of the first */
#define PCI_INTERRUPT_PIN	0x3d

/* Ids of capabilities (appendix H). */
#define PCI_CAP_PM     0x01
#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

#endif
