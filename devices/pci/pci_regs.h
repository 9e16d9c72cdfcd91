/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration header of a function (PCI Local Bus Specification 3.0, 6.1
 * and 6.2), a bridge's (PCI-to-PCI Bridge Architecture 1.2, 3.2) and the
 * capabilities that the bus knows.
 */
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
#define PCI_CLASS_ISA_BRIDGE  0x060100
#define PCI_CLASS_PCI_BRIDGE  0x060400
#define PCI_CACHE_LINE	      0x0c
#define PCI_LATENCY	      0x0d
#define PCI_HEADER_TYPE	      0x0e
#define PCI_HEADER_MULTI      0x80
#define PCI_HEADER_BRIDGE     1

#define PCI_BAR0	     0x10
#define PCI_BAR_IO	     0x1
#define PCI_BAR_WIDE	     0x4
#define PCI_BAR_PREFETCHABLE 0x8
#define PCI_BAR_IO_MASK	     0xfffffffc
#define PCI_BAR_MEMORY_MASK  0xfffffff0

#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID	0x2e
#define PCI_ROM			0x30
#define PCI_ROM_ENABLE		0x1
#define PCI_ROM_MASK		0xfffff800
#define PCI_CAPABILITIES	0x34 /* the offset of the first */
#define PCI_INTERRUPT_LINE	0x3c
#define PCI_INTERRUPT_PIN	0x3d

/* Bridges. */
#define PCI_BRIDGE_BARS		  2
#define PCI_BRIDGE_PRIMARY	  0x18
#define PCI_BRIDGE_SECONDARY	  0x19
#define PCI_BRIDGE_SUBORDINATE	  0x1a
#define PCI_BRIDGE_LATENCY	  0x1b
#define PCI_BRIDGE_IO_BASE	  0x1c /* bits 7:4 are address bits 15:12 */
#define PCI_BRIDGE_IO_LIMIT	  0x1d
#define PCI_BRIDGE_STATUS	  0x1e
#define PCI_BRIDGE_MEMORY_BASE	  0x20 /* bits 15:4 are address bits 31:20 */
#define PCI_BRIDGE_MEMORY_LIMIT	  0x22
#define PCI_BRIDGE_PREF_BASE	  0x24
#define PCI_BRIDGE_PREF_LIMIT	  0x26
#define PCI_BRIDGE_PREF_WIDE	  0x1 /* in both: 64 bits, the upper ones are */
#define PCI_BRIDGE_PREF_BASE_HI	  0x28
#define PCI_BRIDGE_PREF_LIMIT_HI  0x2c
#define PCI_BRIDGE_ROM		  0x38
#define PCI_BRIDGE_CONTROL	  0x3e
#define PCI_BRIDGE_CONTROL_PARITY 0x0001
#define PCI_BRIDGE_CONTROL_SERR	  0x0002
#define PCI_BRIDGE_CONTROL_ABORT  0x0020
#define PCI_BRIDGE_CONTROL_RESET  0x0040 /* of the secondary bus */

/* Capabilities (appendix H): id, offset of the next; they lie behind the header. */
#define PCI_CAP_FIRST  0x40
#define PCI_CAP_NEXT   1
#define PCI_CAP_PM     0x01
#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_PCIE   0x10
#define PCI_CAP_MSIX   0x11

/* Power management (PCI Bus Power Management 1.2, 3.2). */
#define PCI_PM_SIZE	     8
#define PCI_PM_CAPS	     2
#define PCI_PM_CAPS_D1	     0x0200
#define PCI_PM_CAPS_D2	     0x0400
#define PCI_PM_CONTROL	     4
#define PCI_PM_STATE	     0x0003
#define PCI_PM_D3	     3
#define PCI_PM_NO_SOFT_RESET 0x0008
#define PCI_PM_PME_ENABLE    0x0100
#define PCI_PM_PME_STATUS    0x8000

/* MSI (6.8.1). */
#define PCI_MSI_CONTROL	   2
#define PCI_MSI_ENABLE	   0x0001
#define PCI_MSI_CAPABLE	   0x000e /* log2 of the vectors that it wants … */
#define PCI_MSI_ENABLED	   0x0070 /* … and of those it has */
#define PCI_MSI_WIDE	   0x0080
#define PCI_MSI_MASKS	   0x0100
#define PCI_MSI_ADDRESS	   4
#define PCI_MSI_ADDRESS_HI 8
#define PCI_MSI_DATA(wide) ((wide) ? 12u : 8u)
#define PCI_MSI_MASK(wide) ((wide) ? 16u : 12u)
#define PCI_MSI_LOG_MAX	   5u

/* MSI-X (6.8.2). */
#define PCI_MSIX_SIZE	       12
#define PCI_MSIX_CONTROL       2
#define PCI_MSIX_VECTORS       0x07ff /* less one */
#define PCI_MSIX_MASK_ALL      0x4000
#define PCI_MSIX_ENABLE	       0x8000
#define PCI_MSIX_TABLE	       4
#define PCI_MSIX_PBA	       8
#define PCI_MSIX_BAR	       0x7
#define PCI_MSIX_ENTRY	       16 /* bytes: address, upper address, data, control */
#define PCI_MSIX_ENTRY_MASK    0x1
#define PCI_MSIX_ENTRY_CONTROL 3 /* by 4 bytes */

/* PCI Express (PCI Express Base Specification 3.0, 7.8). */
#define PCI_PCIE_FLAGS		   2
#define PCI_PCIE_VERSION	   0x000f
#define PCI_PCIE_TYPE		   0x00f0
#define PCI_PCIE_TYPE_INTEGRATED   0x0090 /* endpoint of the root complex: it has no link */
#define PCI_PCIE_DEVICE_CAPS	   4
#define PCI_PCIE_DEVICE_CAPS_FLR   0x10000000
#define PCI_PCIE_DEVICE_CONTROL	   8
#define PCI_PCIE_DEVICE_FLR	   0x8000 /* reads 0 */
#define PCI_PCIE_DEVICE_STATUS	   10
#define PCI_PCIE_DEVICE_ERRORS	   0x000f
#define PCI_PCIE_LINK_CONTROL	   16
#define PCI_PCIE_LINK_CONTROL_KEPT 0x01cb /* ASPM, RCB, clocks */
#define PCI_PCIE_DEVICE_CONTROL_2  40
#define PCI_PCIE_CONTROL_2_KEPT	   0x07ff
#define PCI_PCIE_SIZE_1		   20
#define PCI_PCIE_SIZE_2		   60

/* Extended capabilities (7.9.3): id in bits 15:0, offset of the next in bits 31:20. */
#define PCI_EXT_FIRST	    0x100
#define PCI_EXT_ID	    0xffff
#define PCI_EXT_NEXT_SHIFT  20
#define PCI_EXT_ALIGN	    0xffcu
#define PCI_EXT_AER	    0x0001
#define PCI_AER_SIZE	    0x2c
#define PCI_AER_STATUS	    0x04
#define PCI_AER_MASK	    0x08
#define PCI_AER_SEVERITY    0x0c
#define PCI_AER_CORR_STATUS 0x10
#define PCI_AER_CORR_MASK   0x14
#define PCI_AER_UNCORRECTED 0x00fff030
#define PCI_AER_CORRECTED   0x000011c1

#endif
