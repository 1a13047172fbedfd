/* SPDX-License-Identifier: MIT
 * Reading _Py_DebugOffsets: tables of where each field stands, one column per minor version. */
#include "py/debug_offsets.h"

#include <errno.h>
#include <string.h>

/* The header is the same in all versions: cookie, version word, free-threaded flag. */
enum { POS_VERSION = 8, POS_FREE_THREADED = 16 };

/* Columns of the tables below. */
enum { V13, V14, V15, COLUMNS };

static const struct {
	uint32_t version;
	size_t bytes;
} columns[COLUMNS] = {
	[V13] = { PYVER(3, 13), 584 }, [V14] = { PYVER(3, 14), 760 }, [V15] = { PYVER(3, 15), 888 },
};

/* Structures described: where their size stands, and the most it can sanely be. */
enum { S_RUNTIME, S_INTERP, S_TSTATE, S_FRAME, S_CODE, S_OBJECT, S_BYTES, S_UNICODE, S_GC, STRUCTS };

static const struct {
	uint16_t pos[COLUMNS];
	uint32_t max;
} structs[STRUCTS] = {
	[S_RUNTIME] = { { 24, 24, 24 }, 64u << 20 },  /* holds the main interpreter */
	[S_INTERP]  = { { 48, 48, 48 }, 32u << 20 },
	[S_TSTATE]  = { { 152, 176, 176 }, 32768 },
	[S_FRAME]   = { { 224, 248, 312 }, 512 },
	[S_CODE]    = { { 272, 312, 376 }, 1024 },
	[S_OBJECT]  = { { 352, 400, 464 }, 128 },
	[S_BYTES]   = { { 512, 592, 688 }, 256 },
	[S_UNICODE] = { { 536, 616, 712 }, 256 },
	[S_GC]      = { { 568, 648, 752 }, 1u << 20 },
};

/* What is read; turned into a layout by fill(). */
enum field {
	RUNTIME_FINALIZING, RUNTIME_HEAD, INTERP_ID, INTERP_NEXT, INTERP_THREADS, INTERP_GC,
	INTERP_MODULES, INTERP_GIL_POINTER, INTERP_GIL, INTERP_GIL_LOCKED, INTERP_GIL_HOLDER,
	INTERP_CODE_GENERATION, TSTATE_PREV, TSTATE_NEXT, TSTATE_INTERP, TSTATE_FRAME,
	TSTATE_BASE_FRAME, TSTATE_THREAD_ID, TSTATE_NATIVE_ID, TSTATE_CHUNK, TSTATE_HOLDS_GIL,
	TSTATE_GIL_REQUESTED, FRAME_PREVIOUS, FRAME_CODE, FRAME_INSTR, FRAME_OWNER, FRAME_TLBC_INDEX,
	CODE_FILENAME, CODE_NAME, CODE_QUALNAME, CODE_LINETABLE, CODE_FIRSTLINENO, CODE_BYTECODE,
	CODE_TLBC, OBJECT_TYPE, BYTES_LENGTH, BYTES_DATA, UNICODE_STATE, UNICODE_LENGTH,
	UNICODE_ASCII_SIZE, UNICODE_COMPACT_SIZE, GC_COLLECTING, GC_FRAME, FIELDS
};

static const struct {
	uint16_t pos[COLUMNS]; /* in _Py_DebugOffsets; 0: this version does not state it */
	uint8_t in;            /* structure it lies in */
	uint8_t width;         /* bytes, and alignment */
} fields[FIELDS] = {
	[RUNTIME_FINALIZING]     = { { 32, 32, 32 }, S_RUNTIME, 8 },
	[RUNTIME_HEAD]           = { { 40, 40, 40 }, S_RUNTIME, 8 },
	[INTERP_ID]              = { { 56, 56, 56 }, S_INTERP, 8 },
	[INTERP_NEXT]            = { { 64, 64, 64 }, S_INTERP, 8 },
	[INTERP_THREADS]         = { { 72, 72, 72 }, S_INTERP, 8 },
	[INTERP_GC]              = { { 80, 88, 88 }, S_INTERP, 8 },
	[INTERP_MODULES]         = { { 88, 96, 96 }, S_INTERP, 8 },
	[INTERP_GIL_POINTER]     = { { 112, 120, 120 }, S_INTERP, 8 },
	[INTERP_GIL]             = { { 120, 128, 128 }, S_INTERP, 8 },
	[INTERP_GIL_LOCKED]      = { { 136, 144, 144 }, S_INTERP, 4 },
	[INTERP_GIL_HOLDER]      = { { 144, 152, 152 }, S_INTERP, 8 },
	[INTERP_CODE_GENERATION] = { { 0, 160, 160 }, S_INTERP, 8 },
	[TSTATE_PREV]            = { { 160, 184, 184 }, S_TSTATE, 8 },
	[TSTATE_NEXT]            = { { 168, 192, 192 }, S_TSTATE, 8 },
	[TSTATE_INTERP]          = { { 176, 200, 200 }, S_TSTATE, 8 },
	[TSTATE_FRAME]           = { { 184, 208, 208 }, S_TSTATE, 8 },
	[TSTATE_BASE_FRAME]      = { { 0, 0, 216 }, S_TSTATE, 8 },
	[TSTATE_THREAD_ID]       = { { 192, 216, 240 }, S_TSTATE, 8 },
	[TSTATE_NATIVE_ID]       = { { 200, 224, 248 }, S_TSTATE, 8 },
	[TSTATE_CHUNK]           = { { 208, 232, 256 }, S_TSTATE, 8 },
	[TSTATE_HOLDS_GIL]       = { { 0, 0, 272 }, S_TSTATE, 4 },
	[TSTATE_GIL_REQUESTED]   = { { 0, 0, 280 }, S_TSTATE, 4 },
	[FRAME_PREVIOUS]         = { { 232, 256, 320 }, S_FRAME, 8 },
	[FRAME_CODE]             = { { 240, 264, 328 }, S_FRAME, 8 },
	[FRAME_INSTR]            = { { 248, 272, 336 }, S_FRAME, 8 },
	[FRAME_OWNER]            = { { 264, 288, 352 }, S_FRAME, 1 },
	[FRAME_TLBC_INDEX]       = { { 0, 304, 368 }, S_FRAME, 4 },
	[CODE_FILENAME]          = { { 280, 320, 384 }, S_CODE, 8 },
	[CODE_NAME]              = { { 288, 328, 392 }, S_CODE, 8 },
	[CODE_QUALNAME]          = { { 296, 336, 400 }, S_CODE, 8 },
	[CODE_LINETABLE]         = { { 304, 344, 408 }, S_CODE, 8 },
	[CODE_FIRSTLINENO]       = { { 312, 352, 416 }, S_CODE, 4 },
	[CODE_BYTECODE]          = { { 344, 384, 448 }, S_CODE, 8 },
	[CODE_TLBC]              = { { 0, 392, 456 }, S_CODE, 8 },
	[OBJECT_TYPE]            = { { 360, 408, 472 }, S_OBJECT, 8 },
	[BYTES_LENGTH]           = { { 520, 600, 696 }, S_BYTES, 8 },
	[BYTES_DATA]             = { { 528, 608, 704 }, S_BYTES, 1 },
	[UNICODE_STATE]          = { { 544, 624, 720 }, S_UNICODE, 4 },
	[UNICODE_LENGTH]         = { { 552, 632, 728 }, S_UNICODE, 8 },
	[UNICODE_ASCII_SIZE]     = { { 560, 640, 736 }, S_UNICODE, 8 },
	[UNICODE_COMPACT_SIZE]   = { { 0, 0, 744 }, S_UNICODE, 8 },
	[GC_COLLECTING]          = { { 576, 656, 760 }, S_GC, 4 },
	[GC_FRAME]               = { { 0, 0, 768 }, S_GC, 8 },
};

static uint64_t word(const uint8_t *bytes, size_t pos)
{
	uint64_t value;

	memcpy(&value, bytes + pos, sizeof(value));
	return value;
}

/* The column to read a version with; COLUMNS: none. */
static int column_of(uint32_t version, bool *ret_guessed)
{
	*ret_guessed = ((version >> 4) & 0xf) != 0xf; /* alpha, beta, candidate */
	for (int c = 0; c < COLUMNS; c++)
		if (columns[c].version == pyver_minor_of(version))
			return c;
	*ret_guessed = true;
	return version > PYVER_NEWEST && version >> 24 == 3 ? COLUMNS - 1 : COLUMNS;
}

static bool read_sizes(const uint8_t *bytes, int column, uint32_t sizes[STRUCTS])
{
	for (int s = 0; s < STRUCTS; s++) {
		uint64_t size = word(bytes, structs[s].pos[column]);

		if (size < 16 || size > structs[s].max)
			return false;
		sizes[s] = (uint32_t)size;
	}
	return true;
}

/* Stated as 0 by builds with the GIL, which have no such member. */
static bool is_free_threaded_only(int field)
{
	return field == FRAME_TLBC_INDEX || field == CODE_TLBC;
}

static bool read_fields(const uint8_t *bytes, int column, bool free_threaded,
			const uint32_t sizes[STRUCTS], uint32_t values[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		uint16_t pos = fields[i].pos[column];
		uint64_t value;

		values[i] = NO_FIELD;
		if (pos == 0 || (is_free_threaded_only(i) && !free_threaded))
			continue;
		value = word(bytes, pos);
		if (value > sizes[fields[i].in] - fields[i].width || value % fields[i].width)
			return false;
		values[i] = (uint32_t)value;
	}
	return true;
}

/* Members of the row that the target does not state but its structure cannot hold are dropped. */
static void drop_outside(uint32_t *member, uint32_t width, uint32_t size)
{
	if (*member != NO_FIELD && *member > size - width)
		*member = NO_FIELD;
}

static void fill_state(struct py_layout *l, const uint32_t v[FIELDS], const uint32_t sizes[STRUCTS])
{
	l->runtime.interpreters_head = v[RUNTIME_HEAD];
	l->runtime.finalizing = v[RUNTIME_FINALIZING];
	drop_outside(&l->runtime.main_thread, 8, sizes[S_RUNTIME]);

	l->interp.next = v[INTERP_NEXT];
	l->interp.id = v[INTERP_ID];
	l->interp.threads_head = v[INTERP_THREADS];
	l->interp.gil = v[INTERP_GIL_POINTER];
	l->interp.modules = v[INTERP_MODULES];
	l->interp.code_generation = v[INTERP_CODE_GENERATION];
	l->interp.gc_collecting = v[INTERP_GC] + v[GC_COLLECTING];
	l->interp.gc_frame = v[GC_FRAME] == NO_FIELD ? NO_FIELD : v[INTERP_GC] + v[GC_FRAME];
	drop_outside(&l->interp.gc_collecting, 4, sizes[S_INTERP]);
	drop_outside(&l->interp.gc_frame, 8, sizes[S_INTERP]);

	l->tstate.size = sizes[S_TSTATE];
	l->tstate.prev = v[TSTATE_PREV];
	l->tstate.next = v[TSTATE_NEXT];
	l->tstate.interp = v[TSTATE_INTERP];
	l->tstate.frame = v[TSTATE_FRAME];
	l->tstate.thread_id = v[TSTATE_THREAD_ID];
	l->tstate.native_thread_id = v[TSTATE_NATIVE_ID];
	l->tstate.datastack_chunk = v[TSTATE_CHUNK];
	/* PyThreadState: datastack_chunk, datastack_top, datastack_limit in all of 3.11-3.15. */
	l->tstate.datastack_top = v[TSTATE_CHUNK] + 8;
	if (v[TSTATE_HOLDS_GIL] != NO_FIELD)
		l->tstate.holds_gil = v[TSTATE_HOLDS_GIL];
	if (v[TSTATE_GIL_REQUESTED] != NO_FIELD)
		l->tstate.gil_requested = v[TSTATE_GIL_REQUESTED];
	drop_outside(&l->tstate.datastack_top, 8, sizes[S_TSTATE]);
	drop_outside(&l->tstate.state, 4, sizes[S_TSTATE]);
	drop_outside(&l->tstate.holds_gil, 4, sizes[S_TSTATE]);
	drop_outside(&l->tstate.id, 8, sizes[S_TSTATE]);
	/* _PyThreadStateImpl begins with PyThreadState, then the root frame. */
	if (l->tstate.base_frame != NO_FIELD)
		l->tstate.base_frame = sizes[S_TSTATE];
	/* Stated relative to the interpreter, of its own _gil; wanted relative to any GIL. */
	l->gil.last_holder = v[INTERP_GIL_HOLDER] - v[INTERP_GIL];
	l->gil.locked = v[INTERP_GIL_LOCKED] - v[INTERP_GIL];
}

static void fill_objects(struct py_layout *l, const uint32_t v[FIELDS],
			 const uint32_t sizes[STRUCTS])
{
	l->frame.size = sizes[S_FRAME];
	l->frame.previous = v[FRAME_PREVIOUS];
	l->frame.code = v[FRAME_CODE];
	l->frame.instr = v[FRAME_INSTR];
	l->frame.owner = v[FRAME_OWNER];
	l->frame.tlbc_index = v[FRAME_TLBC_INDEX];
	drop_outside(&l->frame.stacktop, 4, sizes[S_FRAME]);

	/* Not stated, but always the same way before the bytecode. */
	if (l->code.firsttraceable != NO_FIELD)
		l->code.firsttraceable += v[CODE_BYTECODE] - l->code.bytecode;
	l->code.size = sizes[S_CODE];
	l->code.filename = v[CODE_FILENAME];
	l->code.name = v[CODE_NAME];
	l->code.qualname = v[CODE_QUALNAME];
	l->code.linetable = v[CODE_LINETABLE];
	l->code.firstlineno = v[CODE_FIRSTLINENO];
	l->code.bytecode = v[CODE_BYTECODE];
	l->code.tlbc = v[CODE_TLBC];
	drop_outside(&l->code.firsttraceable, 4, sizes[S_CODE]);
	drop_outside(&l->code.co_version, 4, sizes[S_CODE]);
	drop_outside(&l->code.framesize, 4, sizes[S_CODE]);

	l->object.ob_type = v[OBJECT_TYPE];
	l->bytes.length = v[BYTES_LENGTH];
	l->bytes.data = v[BYTES_DATA];
	l->unicode.state = v[UNICODE_STATE];
	l->unicode.length = v[UNICODE_LENGTH];
	l->unicode.ascii_data = v[UNICODE_ASCII_SIZE];
	/* PyCompactUnicodeObject adds utf8_length and utf8: two words (3.12+). */
	l->unicode.compact_data = v[UNICODE_COMPACT_SIZE] != NO_FIELD ? v[UNICODE_COMPACT_SIZE] :
				  v[UNICODE_ASCII_SIZE] + 16;
	l->unicode.any_data = l->unicode.compact_data;
}

/* What a field by field check cannot see. */
static bool layout_is_sane(const struct py_layout *l, const uint32_t sizes[STRUCTS])
{
	return l->gil.last_holder < 256 && l->gil.locked < 256 &&
	       l->tstate.datastack_top != NO_FIELD &&
	       l->unicode.compact_data <= sizes[S_UNICODE] &&
	       sizes[S_INTERP] > l->interp.gil + 8 && l->code.bytecode > l->object.ob_type;
}

int debug_offsets_parse(struct debug_offsets *out, const uint8_t *bytes, size_t len)
{
	uint32_t sizes[STRUCTS], values[FIELDS];
	const struct py_layout *row;
	uint64_t version, flag;
	int column;

	*out = (struct debug_offsets){ .base_frame_pointer = NO_FIELD };
	if (len < POS_FREE_THREADED + 8 ||
	    memcmp(bytes, DEBUG_OFFSETS_COOKIE, DEBUG_OFFSETS_COOKIE_LEN) != 0)
		return -ENOENT;
	version = word(bytes, POS_VERSION);
	flag = word(bytes, POS_FREE_THREADED);
	if (version > UINT32_MAX || flag > 1)
		return -EINVAL;
	out->version = (uint32_t)version;
	out->free_threaded = flag;
	column = column_of(out->version, &out->guessed);
	if (column == COLUMNS)
		return -ENOTSUP;
	row = layout_find(columns[column].version, flag, false);
	if (!row || len < columns[column].bytes || !read_sizes(bytes, column, sizes) ||
	    !read_fields(bytes, column, flag, sizes, values))
		return -EINVAL;
	out->layout = *row;
	fill_state(&out->layout, values, sizes);
	fill_objects(&out->layout, values, sizes);
	out->base_frame_pointer = values[TSTATE_BASE_FRAME];
	return layout_is_sane(&out->layout, sizes) ? 0 : -EINVAL;
}
