/* SPDX-License-Identifier: MIT
 * Dictionaries and instance attributes of a target, read while it runs.
 *
 * All of CPython's shapes are brought into one: a row of entries, whose values may lie apart
 * (split tables, inline values). The program may change a dict between two reads; what comes out
 * then is fewer or stale entries. An entry is two addresses, to be distrusted like any other. */
#ifndef PY_DICT_H
#define PY_DICT_H

#include <stdint.h>

#include "py/target.h"

#define DICT_ENTRIES_MAX (1u << 20) /* entries looked at in one dict */
#define DICT_NAME_MAX 64u           /* longest name dict_find() looks for */

struct dict {
	remote_addr entries;     /* the first entry's key */
	remote_addr values;      /* split: the values by the order of keys; 0: beside their keys */
	uint32_t count;          /* entries, deleted ones too; at most DICT_ENTRIES_MAX */
	uint32_t entry_size;
	uint32_t value_offset;   /* of the value, from the key */
	remote_addr root_slot;   /* the pointer that leads to the table, and what it held: a dict */
	uint64_t root;           /* that grows gets another table and leaves the old one behind */
};

/* One entry. Whoever copies what `value` refers to asks dict_holds() afterwards. */
struct dict_item {
	remote_addr key, value;  /* objects */
	remote_addr slot;        /* where the value's pointer is */
};

/* The dict object at `addr`. 0, -EINVAL when it is no sane dict, or the read's error. */
int dict_open(const struct py_target *t, remote_addr addr, struct dict *ret) _must_check_;

/* The attributes of the instance at `addr`, as its __dict__ would show them: -ENOENT when it has
 * none (yet), -EINVAL when it is no sane object, or the read's error. */
int dict_open_instance(const struct py_target *t, remote_addr addr, struct dict *ret) _must_check_;

/* The dict of the module object at `addr`. */
int dict_open_module(const struct py_target *t, remote_addr addr, struct dict *ret) _must_check_;

/* Calls `each` for every entry in order; a value other than 0 from it ends the walk and is
 * returned. Else 0, or the read's error. */
int dict_each(const struct py_target *t, const struct dict *d,
	      int (*each)(void *arg, const struct dict_item *item), void *arg) _must_check_;

/* The entry of the str key `name` (ASCII, at most DICT_NAME_MAX characters), compared by its
 * characters: hashes are salted. Two reads for 64 entries. -ENOENT when there is none. */
int dict_find(const struct py_target *t, const struct dict *d, const char *name,
	      struct dict_item *ret) _must_check_;

/* 0 when the dict still has the table it had and the entry still its value: then it kept the object
 * alive all the time. -EAGAIN when the entry has another value, -ESTALE when the dict has another
 * table: what was read of the object may be anything. Or the read's error. */
int dict_holds(const struct py_target *t, const struct dict *d, const struct dict_item *item)
	_must_check_;

#endif
