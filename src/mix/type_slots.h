/* SPDX-License-Identifier: MIT
 * The functions of a type, by where it keeps them, and what a Python programmer calls them. */
#ifndef MIX_TYPE_SLOTS_H
#define MIX_TYPE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* In words of 8 bytes, from tp_name on: Include/cpython/object.h, the same in 3.6 to 3.15 (tp_print
 * became tp_vectorcall_offset in 3.8), and in free-threaded builds, whose header alone is larger. */
enum {
	TYPE_OB_TYPE = -2, TYPE_NAME = 0, TYPE_BASIC_SIZE = 1, TYPE_ITEM_SIZE = 2,
	TYPE_METHODS = 26, TYPE_GETSET = 28, TYPE_BASE = 29,
	TYPE_WORDS = 48,
};

/* Numbers of slots in a PyType_Slot that are no functions (Include/typeslots.h; never renumbered). */
enum {
	SLOT_BASE = 48, SLOT_BASES = 49, SLOT_DOC = 56, SLOT_METHODS = 64, SLOT_MEMBERS = 72,
	SLOT_GETSET = 73, SLOT_TOKEN = 83, SLOT_LAST = 110,
};

struct type_slot {
	uint8_t number;       /* Include/typeslots.h */
	uint8_t group;        /* word of the type that points to a structure of functions; 0: none */
	uint8_t word;         /* of that structure, or of the type */
	const char *name;     /* where no Python name is all it does, the C one */
	uint8_t since;        /* 3.x; what is there before is something else */
};

extern const struct type_slot type_slots[];
extern const size_t type_slot_count;

/* NULL: none that is a function. */
const struct type_slot *type_slot_by_number(uint64_t number);

#endif
