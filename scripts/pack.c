/* SPDX-License-Identifier: BSD-2-Clause */
/* pack <IN >OUT, on the build machine: blocks of 64 KiB as kernel/packed.h wants them. */
#include <stdint.h>
#include <stdio.h>

#include <lz4hc.h>

#define BLOCK (64 << 10)

int main(void)
{
	static char in[BLOCK], out[LZ4_COMPRESSBOUND(BLOCK)];
	size_t size;

	while ((size = fread(in, 1, BLOCK, stdin))) {
		uint32_t len = (uint32_t)LZ4_compress_HC(in, out, (int)size, sizeof(out),
							 LZ4HC_CLEVEL_MAX);

		if (!len || fwrite(&len, sizeof(len), 1, stdout) != 1 ||
		    fwrite(out, len, 1, stdout) != 1)
			return 1;
	}
	return ferror(stdin) || fflush(stdout);
}
