/* SPDX-License-Identifier: MIT
 * liblzma's one-call decoder. */
#include "xz.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/xalloc.h"

enum { XZ_OK = 0, XZ_BUF_ERROR = 10 };   /* lzma/base.h: LZMA_OK, LZMA_BUF_ERROR */
static const uint64_t xz_memory = 64 << 20; /* `xz -9` needs 65 MiB, what packs symbols uses less */

/* lzma/container.h, the same since liblzma 5.0: lzma_stream_buffer_decode(). */
typedef int (*stream_buffer_decode)(uint64_t *memlimit, uint32_t flags, const void *allocator,
				    const uint8_t *in, size_t *in_pos, size_t in_size,
				    uint8_t *out, size_t *out_pos, size_t out_size);

static stream_buffer_decode decode;

static void load(void)
{
	void *library = dlopen("liblzma.so.5", RTLD_LAZY | RTLD_LOCAL);

	if (library)
		*(void **)&decode = dlsym(library, "lzma_stream_buffer_decode");
}

void *xz_unpack(const void *data, size_t len, size_t max, size_t *ret_len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ret = XZ_BUF_ERROR;

	pthread_once(&once, load);
	/* How long it will be is not known: try longer and longer ones. */
	for (size_t size = len * 4; decode && ret == XZ_BUF_ERROR && size <= max; size *= 2) {
		uint64_t memory = xz_memory;
		size_t in = 0, out = 0;
		uint8_t *text;

		if (size == 0)
			return NULL;
		text = xmalloc(size);
		ret = decode(&memory, 0, NULL, data, &in, len, text, &out, size);
		if (ret == XZ_OK) {
			*ret_len = out;
			return text;
		}
		free(text);
	}
	return NULL;
}
