/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest sees of `testdev:`, for the device and for its drivers: docs/testdev.md. */
#ifndef DEVICES_HOSTDEV_TESTDEV_REGS_H
#define DEVICES_HOSTDEV_TESTDEV_REGS_H

#define TESTDEV_VENDOR	 0x1234
#define TESTDEV_DEVICE	 0x7e57
#define TESTDEV_REVISION 1
#define TESTDEV_CLASS	 0xff0000

/* BARs. */
#define TESTDEV_REGS	   0 /* 32-bit memory: the registers below */
#define TESTDEV_REGS_SIZE  0x1000u
#define TESTDEV_IO	   1 /* ports: bytes that are kept */
#define TESTDEV_IO_SIZE	   0x40u
#define TESTDEV_BIG	   2	   /* 64-bit prefetchable, as large as the URL says */
#define TESTDEV_BIG_KEPT   0x1000u /* the first bytes are kept; others read their offset */
#define TESTDEV_PAGES	   4	   /* 32-bit prefetchable: kept, reached without an exit */
#define TESTDEV_PAGES_SIZE 0x4000u
#define TESTDEV_MSIX	   5 /* 32-bit: MSI-X table and pending bits */
#define TESTDEV_MSIX_SIZE  0x10000u
#define TESTDEV_MSIX_PBA   0x8000u
#define TESTDEV_MSI_COUNT  4u

/* Registers: 32 bits, accessed as such. */
#define TESTDEV_ID		0x00  /* R: TESTDEV_ID_VALUE */
#define TESTDEV_SCRATCH		0x04  /* R/W */
#define TESTDEV_RESETS		0x08  /* R: how often it was reset; resets leave it alone */
#define TESTDEV_COMMAND		0x0c  /* W: what to do, below */
#define TESTDEV_VECTOR		0x10  /* R/W: of TESTDEV_MESSAGE */
#define TESTDEV_IRQ_MODE	0x14  /* R: 0 INTx, 1 MSI, 2 MSI-X */
#define TESTDEV_INTX		0x18  /* R: 1 while it raises INTx */
#define TESTDEV_EOIS		0x1c  /* R: interrupts that the guest ended */
#define TESTDEV_DMA_SOURCE	0x20  /* R/W, and the upper half behind it */
#define TESTDEV_DMA_TARGET	0x28  /* R/W, and the upper half behind it */
#define TESTDEV_DMA_LENGTH	0x30  /* R/W: bytes, up to TESTDEV_DMA_MAX */
#define TESTDEV_DMA_RESULT	0x34  /* R: of the last copy, below */
#define TESTDEV_DMA_COPIED	0x38  /* R: bytes copied since the reset */
#define TESTDEV_DOORBELLS	0x40  /* R: how often one was rung */
#define TESTDEV_DOORBELL_OFFSET 0x44  /* R: of the last one, from TESTDEV_DOORBELL */
#define TESTDEV_DOORBELL_VALUE	0x48  /* R */
#define TESTDEV_VOLATILE	0x50  /* R/W: what TESTDEV_CAP_VOLATILE reads */
#define TESTDEV_LAST_OFFSET	0x58  /* R, 64 bits: of the last write to TESTDEV_BIG */
#define TESTDEV_LAST_VALUE	0x60  /* R, 64 bits */
#define TESTDEV_COUNTS		0x100 /* R: accesses, by TESTDEV_COUNT() */
#define TESTDEV_DOORBELL	0x800 /* W, any width: rings */
#define TESTDEV_DOORBELL_SIZE	0x100
#define TESTDEV_BROKEN		0xff0 /* fails: reads give all ones */

/* The counter of accesses of 1 << @log2 bytes to region @region; @write: 0 or 1. */
#define TESTDEV_COUNT(region, write, log2) (TESTDEV_COUNTS + (region)*32u + (write)*16u + (log2)*4u)

#define TESTDEV_ID_VALUE 0x74736574u

/* TESTDEV_COMMAND. */
#define TESTDEV_INTX_UP	   1
#define TESTDEV_INTX_DOWN  2
#define TESTDEV_MESSAGE	   3 /* MSI or MSI-X, number TESTDEV_VECTOR */
#define TESTDEV_DMA	   4 /* copies, piece by piece */
#define TESTDEV_DMA_MAPPED 5 /* copies, within guest memory that is mapped for it */
#define TESTDEV_CLEAR	   6 /* all counters of accesses */
#define TESTDEV_VANISH	   7 /* as if it were pulled out: nothing answers any more */

#define TESTDEV_DMA_MAX	    0x10000u
#define TESTDEV_DMA_OK	    0
#define TESTDEV_DMA_REFUSED 1 /* bus mastering is off */
#define TESTDEV_DMA_NOT_RAM 2 /* or, of TESTDEV_DMA_MAPPED, not in one piece, or refused */
#define TESTDEV_DMA_LONG    3

/* Its vendor's capability, offsets from its beginning. */
#define TESTDEV_CAP_SIZE     16
#define TESTDEV_CAP_VOLATILE 4	/* R */
#define TESTDEV_CAP_MAILBOX  8	/* R/W */
#define TESTDEV_CAP_WRITES   12 /* R: writes to its configuration space that it was told of */

/* The byte at @offset of its ROM, behind the header. */
#define TESTDEV_ROM_HEADER	 0x34u
#define TESTDEV_ROM_BYTE(offset) ((uint8_t)((offset)*7u + ((offset) >> 8)))

#endif
