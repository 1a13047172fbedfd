/* SPDX-License-Identifier: MIT
 * Thread names: interpreter → sys.modules → threading → _active → each Thread's _name.
 *
 * Lib/threading.py keeps `_active`, a dict of get_ident() to Thread, and the attribute `_name` in
 * every version from v3.6.15 to v3.15.2. */
#include "py/threadname.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "py/dict.h"
#include "py/integer.h"
#include "py/unicode.h"

/* Attributes looked at of one Thread; __init__ sets _name among the first. Bounds what a hostile
 * _active can cost. */
enum { ATTRIBUTES_MAX = 1024 };

struct walk {
	const struct py_target *t;
	void (*each)(void *arg, uint64_t thread_id, const char *name);
	void *arg;
	struct buf name;
	struct dict active;
	unsigned int seen;       /* entries of _active */
	int named;
};

/* Cuts at a character's start, so that what stays is UTF-8, and says so. */
static void name_cut(struct buf *name)
{
	static const char mark[] = "…";
	size_t len = THREADNAME_BYTES_MAX - (sizeof(mark) - 1);

	if (name->len <= THREADNAME_BYTES_MAX)
		return;
	while (len > 0 && ((uint8_t)name->data[len] & 0xc0) == 0x80)
		len--;
	name->len = len;
	buf_adds(name, mark);
}

static bool is_gone(int err)
{
	return err == -ESRCH || err == -EPERM;
}

/* The `_name` of the Thread at `addr`, as long as the Thread has it. */
static int name_read(struct walk *w, remote_addr addr)
{
	struct dict attributes;
	struct dict_item name;
	int err = dict_open_instance(w->t, addr, &attributes);

	if (err)
		return err;
	if (attributes.count > ATTRIBUTES_MAX)
		attributes.count = ATTRIBUTES_MAX;
	err = dict_find(w->t, &attributes, "_name", &name);
	if (err)
		return err;
	buf_clear(&w->name);
	err = unicode_read(w->t, name.value, &w->name);
	return err ? err : dict_holds(w->t, &attributes, &name);
}

/* One entry of _active. A thread that cannot be read is left out. The target's end stops the walk,
 * and -ESTALE, when what is being walked is _active no more. */
static int thread_each(void *arg, const struct dict_item *thread)
{
	struct walk *w = arg;
	uint64_t id;
	int err, held;

	if (w->seen++ == THREADNAMES_MAX)
		return 1;
	err = integer_read_u64(w->t, thread->key, &id);
	if (!err)
		err = name_read(w, thread->value);
	held = dict_holds(w->t, &w->active, thread);
	if (held == -ESTALE || is_gone(held))
		return held;
	if (err || held)
		return is_gone(err) ? err : 0;
	name_cut(&w->name);
	w->each(w->arg, id, w->name.data);
	w->named++;
	return 0;
}

/* threading._active of the interpreter. */
static int active_open(const struct py_target *t, remote_addr interp, struct dict *ret)
{
	struct dict_item module, active;
	remote_addr modules;
	struct dict d;
	int err;

	if (t->layout.interp.modules == NO_FIELD)
		return -ENOENT;
	err = remote_read_u64(t->remote, interp + t->layout.interp.modules, &modules);
	if (!err && modules == 0)
		return -ENOENT; /* not that far yet, or ending */
	if (!err)
		err = dict_open(t, modules, &d);
	if (!err)
		err = dict_find(t, &d, "threading", &module);
	if (!err)
		err = dict_open_module(t, module.value, &d);
	if (!err)
		err = dict_find(t, &d, "_active", &active);
	return err ? err : dict_open(t, active.value, ret);
}

/* Threads that start and end change _active: what it has then is walked anew, so often. */
enum { ROUNDS_MAX = 8 };

int threadnames_read(const struct py_target *t, remote_addr interp,
		     void (*each)(void *arg, uint64_t thread_id, const char *name), void *arg)
{
	struct walk w = { .t = t, .each = each, .arg = arg };
	int err = -ESTALE;

	for (int round = 0; round < ROUNDS_MAX && err == -ESTALE; round++) {
		w.seen = 0;
		w.named = 0;
		err = active_open(t, interp, &w.active);
		if (!err)
			err = dict_each(t, &w.active, thread_each, &w);
	}
	buf_release(&w.name);
	if (is_gone(err) || err == -ENOENT)
		return err;
	return err < 0 && w.named == 0 ? -EFAULT : w.named;
}
