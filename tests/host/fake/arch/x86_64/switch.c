/* SPDX-License-Identifier: BSD-2-Clause */
/* The real one: it asks nothing of the machine. */
__asm__(".include \"arch/x86_64/switch.S\"\n\t.text");
