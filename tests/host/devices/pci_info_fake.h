/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_HOST_DEVICES_PCI_INFO_FAKE_H
#define TESTS_HOST_DEVICES_PCI_INFO_FAKE_H

extern char fake_console[16384]; /* all that was printed; the test's to empty */

#endif
