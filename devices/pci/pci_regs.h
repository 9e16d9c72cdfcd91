/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration header of a function (PCI Local Bus Specification 3.0, 6.1 and 6.2). */
#ifndef DEVICES_PCI_PCI_REGS_H
#define DEVICES_PCI_PCI_REGS_H

#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02

#define PCI_COMMAND	   0x04
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_PARITY 0x0040
#define PCI_COMMAND_SERR   0x0100

#define PCI_STATUS	  0x06
#define PCI_STATUS_ERRORS 0xf900 /* what was seen of errors and aborts; a 1 clears */

#define PCI_REVISION_ID	      0x08
#define PCI_CLASS	      0x09 /* programming interface, subclass, base class */
#define PCI_CLASS_HOST_BRIDGE 0x060000

#endif
