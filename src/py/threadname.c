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

struct walk {
	const struct py_target *t;
	void (*each)(void *arg, uint64_t thread_id, const char *name);
	void *arg;
	struct buf name;
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

/* One entry of _active. A thread that ends meanwhile is left out; only the target's end stops. */
static int thread_each(void *arg, remote_addr key, remote_addr value)
{
	struct walk *w = arg;
	struct dict attributes;
	remote_addr name;
	uint64_t id;
	int err;

	if (w->seen++ == THREADNAMES_MAX)
		return 1;
	err = integer_read_u64(w->t, key, &id);
	if (!err)
		err = dict_open_instance(w->t, value, &attributes);
	if (!err)
		err = dict_find(w->t, &attributes, "_name", &name);
	if (err)
		return is_gone(err) ? err : 0;
	buf_clear(&w->name);
	err = unicode_read(w->t, name, &w->name);
	if (err)
		return is_gone(err) ? err : 0;
	name_cut(&w->name);
	w->each(w->arg, id, w->name.data ? w->name.data : "");
	w->named++;
	return 0;
}

/* threading._active of the interpreter. */
static int active_open(const struct py_target *t, remote_addr interp, struct dict *ret)
{
	remote_addr modules, module, active;
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
		err = dict_open_module(t, module, &d);
	if (!err)
		err = dict_find(t, &d, "_active", &active);
	return err ? err : dict_open(t, active, ret);
}

int threadnames_read(const struct py_target *t, remote_addr interp,
		     void (*each)(void *arg, uint64_t thread_id, const char *name), void *arg)
{
	struct walk w = { .t = t, .each = each, .arg = arg };
	struct dict active;
	int err = active_open(t, interp, &active);

	if (err)
		return err == -ENOENT || is_gone(err) ? err : -EFAULT;
	err = dict_each(t, &active, thread_each, &w);
	buf_release(&w.name);
	if (is_gone(err))
		return err;
	return err < 0 && w.named == 0 ? -EFAULT : w.named;
}
