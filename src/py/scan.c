/* SPDX-License-Identifier: MIT
 * Scanning the writable segments of a binary. */
#include "scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "py/debug_offsets.h"
#include "util/xalloc.h"

enum {
	SCAN_PIECE = 1 << 18,            /* bytes read at once */
	SCAN_OVERLAP = 512,              /* of two pieces: longest thing looked for */
	SCAN_BYTES_MAX = 64 << 20,       /* of one binary */
	SCAN_TRIES_MAX = 200000,         /* pointers followed in one binary */
	VERSION_TEXT_MAX = 32,           /* "3.10.13+" */
	INTERPRETER_IDS_MAX = 1 << 24,   /* made so far by one process */
	BUILD_TEXT_MAX = 160,            /* "default, Nov 21 2026, 09:46:03" */
};

/* Looks at one piece; the address of what was found, or 0. */
typedef remote_addr (*scan_piece_fn)(void *arg, const char *piece, size_t len, remote_addr at);

/* Walks the writable segments: only what comes from the file, or .bss too. Pages that cannot be
 * read are stepped over. */
static remote_addr scan_writable(const struct scan_area *a, bool bss, scan_piece_fn look, void *arg)
{
	char *piece = xmalloc(SCAN_PIECE);
	uint64_t budget = SCAN_BYTES_MAX;
	remote_addr found = 0;

	for (size_t i = 0; i < a->elf->segment_count && !found; i++) {
		const struct elf_segment *s = &a->elf->segments[i];
		remote_addr at = a->bias + s->vaddr;
		remote_addr end = at + (bss ? s->mem_size : s->file_size);

		if (!s->write)
			continue;
		at &= ~UINT64_C(7);
		while (at < end && budget && !found) {
			const struct map *m = maps_find(a->maps, at);
			uint64_t len = end - at;

			if (!m || !m->read) {
				at = (at | 4095) + 1;
				budget -= budget < 4096 ? budget : 4096;
				continue;
			}
			if (len > m->end - at)
				len = m->end - at;
			if (len > SCAN_PIECE)
				len = SCAN_PIECE;
			if (len > budget)
				len = budget;
			if (remote_read(a->remote, at, piece, len) == 0)
				found = look(arg, piece, len, at);
			budget -= len;
			at += len == SCAN_PIECE ? len - SCAN_OVERLAP : len;
		}
	}
	free(piece);
	return found;
}

static remote_addr look_cookie(void *arg, const char *piece, size_t len, remote_addr at)
{
	const struct scan_area *a = arg;

	/* 8-aligned, and not only the cookie: our own name for it, say, is text as well. */
	for (size_t i = 0; i + DEBUG_OFFSETS_COOKIE_LEN <= len; i += 8) {
		uint8_t bytes[DEBUG_OFFSETS_MAX];
		struct debug_offsets offsets;

		if (memcmp(piece + i, DEBUG_OFFSETS_COOKIE, DEBUG_OFFSETS_COOKIE_LEN) != 0)
			continue;
		if (remote_read(a->remote, at + i, bytes, sizeof(bytes)) == 0 &&
		    debug_offsets_parse(&offsets, bytes, sizeof(bytes)) == 0)
			return at + i;
	}
	return 0;
}

remote_addr scan_cookie(const struct scan_area *a)
{
	return scan_writable(a, false, look_cookie, (void *)a);
}

/* "3.8.18 (default, …) \n[GCC": the version at the start of `text`, or 0. */
static uint32_t version_at(const char *text, size_t len)
{
	char version[VERSION_TEXT_MAX];
	const char *blank, *close;

	blank = memchr(text, ' ', len < VERSION_TEXT_MAX ? len : VERSION_TEXT_MAX - 1);
	if (!blank || (size_t)(blank - text) + 2 >= len || blank[1] != '(')
		return 0;
	len -= (size_t)(blank - text);
	close = memmem(blank, len < BUILD_TEXT_MAX ? len : BUILD_TEXT_MAX, ") ", 2);
	if (!close || (size_t)(close - blank) + 4 > len)
		return 0;
	close += close[2] == '\n' ? 3 : 2;
	if (*close != '[')
		return 0;
	memcpy(version, text, (size_t)(blank - text));
	version[blank - text] = '\0';
	return pyver_parse(version);
}

uint32_t scan_version_text(const char *text, size_t len)
{
	for (size_t i = 0; i + 8 < len; i++) {
		uint32_t version;

		if ((text[i] != '2' && text[i] != '3') || text[i + 1] != '.' ||
		    !isdigit((unsigned char)text[i + 2]) ||
		    (i > 0 && (isdigit((unsigned char)text[i - 1]) || text[i - 1] == '.')))
			continue;
		version = version_at(text + i, len - i);
		if (version)
			return version;
	}
	return 0;
}

static remote_addr look_version(void *arg, const char *piece, size_t len, remote_addr at)
{
	uint32_t *ret = arg;

	*ret = scan_version_text(piece, len);
	return *ret ? at : 0;
}

uint32_t scan_version(const struct scan_area *a)
{
	uint32_t version = 0;

	scan_writable(a, true, look_version, &version);
	return version;
}

struct head_scan {
	const struct scan_area *area;
	const struct py_layout *layout;
	int tries;
};

static bool is_pointer(const struct head_scan *h, uint64_t value)
{
	const struct map *m;

	if (value < 4096 || value >= REMOTE_ADDR_MAX || value % 8)
		return false;
	m = maps_find(h->area->maps, value);
	return m && m->read && m->write;
}

static bool read_word(const struct head_scan *h, remote_addr at, uint64_t *ret)
{
	return remote_read_u64(h->area->remote, at, ret) == 0;
}

/* A thread of `interp`, the newest one. pthread_t is an address in glibc and musl. */
static bool is_newest_thread(const struct head_scan *h, uint64_t tstate, uint64_t interp)
{
	const struct py_layout *l = h->layout;
	uint64_t back, prev, next, thread;

	return is_pointer(h, tstate) && tstate != interp &&
	       read_word(h, tstate + l->tstate.interp, &back) && back == interp &&
	       read_word(h, tstate + l->tstate.prev, &prev) && prev == 0 &&
	       read_word(h, tstate + l->tstate.next, &next) && (!next || is_pointer(h, next)) &&
	       read_word(h, tstate + l->tstate.thread_id, &thread) && is_pointer(h, thread);
}

/* An interpreter: its newest thread is a thread whose interpreter it is. */
static bool is_interpreter(struct head_scan *h, uint64_t interp)
{
	uint64_t tstate;

	return h->tries-- > 0 && is_pointer(h, interp) &&
	       read_word(h, interp + h->layout->interp.threads_head, &tstate) &&
	       is_newest_thread(h, tstate, interp);
}

/* What else a _PyRuntime would hold here: the main thread (3.8+), the thread with the GIL. */
static bool is_runtime(const struct head_scan *h, remote_addr runtime)
{
	const struct py_layout *l = h->layout;
	uint64_t value, interp;

	if (l->runtime.main_thread != NO_FIELD &&
	    (!read_word(h, runtime + l->runtime.main_thread, &value) || !is_pointer(h, value)))
		return false;
	if (l->runtime.tstate_current == NO_FIELD)
		return true;
	return read_word(h, runtime + l->runtime.tstate_current, &value) &&
	       (!value || (is_pointer(h, value) &&
			   read_word(h, value + l->tstate.interp, &interp) &&
			   is_pointer(h, interp)));
}

/* _PyRuntime.interpreters is { mutex, head, main, next_id }: the list from head ends at main. */
static bool is_head(struct head_scan *h, uint64_t head, uint64_t main_interp)
{
	enum { INTERPRETERS_MAX = 256 };
	uint64_t interp = head;

	if (h->layout->version == PYVER(3, 6)) /* interp_head stands alone */
		return is_interpreter(h, head);
	if (!is_pointer(h, main_interp) || !is_interpreter(h, main_interp))
		return false;
	for (int i = 0; i < INTERPRETERS_MAX; i++) {
		if (interp == main_interp)
			return true;
		if (!is_pointer(h, interp) || h->tries-- <= 0 ||
		    !read_word(h, interp + h->layout->interp.next, &interp))
			return false;
	}
	return false;
}

static remote_addr look_head(void *arg, const char *piece, size_t len, remote_addr at)
{
	struct head_scan *h = arg;

	for (size_t i = 0; i + 24 <= len; i += 8) {
		uint64_t words[3]; /* head, main, next_id */

		memcpy(words, piece + i, sizeof(words));
		if (!is_pointer(h, words[0]) ||
		    (h->layout->version != PYVER(3, 6) && words[2] - 1 >= INTERPRETER_IDS_MAX))
			continue;
		if (is_head(h, words[0], words[1]) &&
		    is_runtime(h, at + i - h->layout->runtime.interpreters_head))
			return at + i;
	}
	return 0;
}

remote_addr scan_head(const struct scan_area *a, const struct py_layout *l)
{
	struct head_scan h = { .area = a, .layout = l, .tries = SCAN_TRIES_MAX };
	remote_addr at = scan_writable(a, true, look_head, &h);

	return at ? at - l->runtime.interpreters_head : 0;
}
