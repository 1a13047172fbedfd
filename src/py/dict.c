/* SPDX-License-Identifier: MIT
 * Walking dicts. The facts come first, one row per span of versions; the walker follows them. */
#include "py/dict.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/attr.h"

/* How a PyDictKeysObject describes itself. */
enum keys_shape {
	/* Objects/dict-common.h at v3.6.15-v3.10.13: dk_size @8, dk_nentries @32, indices @40;
	 * entries { hash, key, value }. An index has 1, 2, 4 or 8 bytes by dk_size. */
	KEYS_SIZE,
	/* Include/internal/pycore_dict.h at v3.11.7-v3.15.2: dk_log2_size @8, dk_log2_index_bytes
	 * @9, dk_kind @10, dk_nentries @24, indices @32 (also free-threaded: dk_mutex @11 fills a
	 * hole); entries { hash, key, value } or, when all keys are str, { key, value }. */
	KEYS_LOG2,
};

/* Where an instance of a type with Py_TPFLAGS_MANAGED_DICT keeps its attributes. */
enum managed_shape {
	MANAGED_NONE,   /* ≤3.10: there is no such flag */
	/* Include/internal/pycore_object.h at v3.11.7: values pointer 4 words before the object,
	 * dict pointer 3 words; one of the two is set. */
	MANAGED_PAIR,
	/* Same at v3.12.1: one word 3 words before; lowest bit set: values pointer - 1. */
	MANAGED_TAGGED,
	/* Same at v3.13.0-v3.15.2: dict pointer 3 words before (free-threaded: 1); while it is
	 * NULL the values follow the object, at tp_basicsize. */
	MANAGED_INLINE,
};

/* Offsets marked + are counted from the end of PyObject, since nothing else of them changes
 * between release, free-threaded and trace-refs builds. */
struct dict_facts {
	uint32_t first, last;      /* versions, both included */
	enum keys_shape keys;
	enum managed_shape managed;
	uint32_t values_data;      /* of struct _dictvalues: where its values start */
	uint32_t cached_keys;      /* + PyHeapTypeObject.ht_cached_keys */
};

/* cached_keys: Include/object.h at v3.6.15, v3.7.16; Include/cpython/object.h from v3.8.18 on; by
 * offsetof() over each version's own headers, free-threaded too from 3.13.5 on. Needed from 3.11. */
static const struct dict_facts dict_facts[] = {
	{ PYVER(3, 6), PYVER(3, 10), KEYS_SIZE, MANAGED_NONE, 0, NO_FIELD },
	{ PYVER(3, 11), PYVER(3, 11), KEYS_LOG2, MANAGED_PAIR, 0, 856 },
	{ PYVER(3, 12), PYVER(3, 12), KEYS_LOG2, MANAGED_TAGGED, 0, 864 },
	/* struct _dictvalues got capacity, size, embedded and valid, a byte each, in 3.13 */
	{ PYVER(3, 13), PYVER(3, 14), KEYS_LOG2, MANAGED_INLINE, 8, 864 },
	{ PYVER(3, 15), UINT32_MAX, KEYS_LOG2, MANAGED_INLINE, 8, 872 },
};

/* The same in all versions, counted from the end of PyObject: Include/cpython/dictobject.h,
 * Include/cpython/object.h, Objects/moduleobject.c and pycore_moduleobject.h. */
enum {
	DICT_KEYS = 16,            /* after ma_used and ma_version_tag (3.14: _ma_watcher_tag) */
	MODULE_DICT = 0,
	VAR_SIZE = 0,              /* ob_size */
	TYPE_BASICSIZE = 16, TYPE_ITEMSIZE = 24,
	TYPE_FLAGS = 152,
	TYPE_DICTOFFSET = 272,
};

/* Include/object.h, v3.11.7-v3.15.2 and v3.13.0-v3.15.2. */
enum { TPFLAGS_INLINE_VALUES = 1 << 2, TPFLAGS_MANAGED_DICT = 1 << 4 };

enum {
	WORD = 8,
	BATCH = 64,                /* entries of one read */
	ENTRY_FULL = 3 * WORD, ENTRY_STR = 2 * WORD,
	KEYS_HEADER = 40,          /* bytes read of a keys object: enough for both shapes */
	KEYS_SIZE_INDICES = 40, KEYS_LOG2_INDICES = 32,
	KEYS_GENERAL = 0, KEYS_KIND_MAX = 2, /* DICT_KEYS_GENERAL .. DICT_KEYS_SPLIT */
	LOG2_SIZE_MAX = 32,        /* a dict beyond that is a torn one */
	TYPE_SIZE_MAX = 1 << 20,   /* instances that are longer are torn ones */
};

/* What is needed of an instance's type. */
struct type_facts {
	uint64_t basicsize, itemsize, flags;
	int64_t dictoffset;
};

static const struct dict_facts *facts_of(const struct py_target *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(dict_facts); i++)
		if (t->layout.version >= dict_facts[i].first &&
		    t->layout.version <= dict_facts[i].last)
			return &dict_facts[i];
	return NULL;
}

static remote_addr after_object(const struct py_target *t, remote_addr addr)
{
	return addr + t->layout.object.ob_type + WORD;
}

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/* DK_IXSIZE() of 3.6-3.10. */
static uint64_t index_size(uint64_t dk_size)
{
	return dk_size <= 0xff ? 1 : dk_size <= 0xffff ? 2 : dk_size <= 0xffffffff ? 4 : 8;
}

static int keys_size_parse(const uint8_t *header, remote_addr keys, struct dict *d)
{
	uint64_t size = word_at(header, 8), used = word_at(header, 32);

	if (size == 0 || (size & (size - 1)) || size >> LOG2_SIZE_MAX || used > size)
		return -EINVAL;
	d->count = used < DICT_ENTRIES_MAX ? (uint32_t)used : DICT_ENTRIES_MAX;
	d->entry_size = ENTRY_FULL;
	d->entries = keys + KEYS_SIZE_INDICES + index_size(size) * size + WORD;
	return 0;
}

static int keys_log2_parse(const uint8_t *header, remote_addr keys, struct dict *d)
{
	uint8_t log2_size = header[8], log2_index_bytes = header[9], kind = header[10];
	uint64_t used = word_at(header, 24);

	if (log2_size > LOG2_SIZE_MAX || log2_index_bytes < log2_size ||
	    log2_index_bytes > log2_size + 3 || kind > KEYS_KIND_MAX || used >> log2_size)
		return -EINVAL;
	d->count = used < DICT_ENTRIES_MAX ? (uint32_t)used : DICT_ENTRIES_MAX;
	d->entry_size = kind == KEYS_GENERAL ? ENTRY_FULL : ENTRY_STR;
	d->entries = keys + KEYS_LOG2_INDICES + (UINT64_C(1) << log2_index_bytes) +
		(kind == KEYS_GENERAL ? WORD : 0);
	return 0;
}

/* Fills `d` but for its root from a keys object and, when they lie apart, the values. */
static int keys_open(const struct py_target *t, const struct dict_facts *facts, remote_addr keys,
		     remote_addr values, struct dict *d)
{
	uint8_t header[KEYS_HEADER];
	int err = remote_read(t->remote, keys, header, sizeof(header));

	if (err)
		return err;
	*d = (struct dict){ .values = values, .value_offset = WORD };
	return facts->keys == KEYS_SIZE ? keys_size_parse(header, keys, d) :
					  keys_log2_parse(header, keys, d);
}

int dict_open(const struct py_target *t, remote_addr addr, struct dict *ret)
{
	const struct dict_facts *facts = facts_of(t);
	uint64_t words[2]; /* ma_keys, ma_values */
	int err;

	if (!facts || addr % WORD)
		return -EINVAL;
	err = remote_read(t->remote, after_object(t, addr) + DICT_KEYS, words, sizeof(words));
	if (err)
		return err;
	err = keys_open(t, facts, words[0], words[1] ? words[1] + facts->values_data : 0, ret);
	ret->root_slot = after_object(t, addr) + DICT_KEYS;
	ret->root = words[0];
	return err;
}

int dict_open_module(const struct py_target *t, remote_addr addr, struct dict *ret)
{
	remote_addr dict;
	int err = remote_read_u64(t->remote, after_object(t, addr) + MODULE_DICT, &dict);

	return err ? err : dict_open(t, dict, ret);
}

/* The instance's values and the keys that its type shares among instances. */
static int values_open(const struct py_target *t, const struct dict_facts *facts,
		       remote_addr type, remote_addr values, struct dict *ret)
{
	remote_addr keys;
	int err = remote_read_u64(t->remote, after_object(t, type) + facts->cached_keys, &keys);

	return err ? err : keys_open(t, facts, keys, values + facts->values_data, ret);
}

static int dict_open_or_none(const struct py_target *t, remote_addr dict, struct dict *ret)
{
	return dict ? dict_open(t, dict, ret) : -ENOENT;
}

/* The root is the word that says where the values are. */
static int managed_values_open(const struct py_target *t, const struct dict_facts *facts,
			       remote_addr type, remote_addr values, remote_addr root_slot,
			       uint64_t root, struct dict *ret)
{
	int err = values_open(t, facts, type, values, ret);

	ret->root_slot = root_slot;
	ret->root = root;
	return err;
}

static int managed_open(const struct py_target *t, const struct dict_facts *facts,
			remote_addr addr, remote_addr type, const struct type_facts *tf,
			struct dict *ret)
{
	remote_addr words[2]; /* 4 and 3 words before the object */
	remote_addr slot = addr - 3 * WORD;
	int err;

	if (facts->managed == MANAGED_INLINE && t->layout.free_threaded) {
		slot = addr - WORD;
		err = remote_read_u64(t->remote, slot, &words[1]);
	} else {
		err = remote_read(t->remote, addr - 4 * WORD, words, sizeof(words));
	}
	if (err)
		return err;
	switch (facts->managed) {
	case MANAGED_PAIR:
		if (!words[0])
			return dict_open_or_none(t, words[1], ret);
		return managed_values_open(t, facts, type, words[0], slot - WORD, words[0], ret);
	case MANAGED_TAGGED:
		if (!(words[1] & 1))
			return dict_open_or_none(t, words[1], ret);
		return managed_values_open(t, facts, type, words[1] + 1, slot, words[1], ret);
	case MANAGED_INLINE:
		if (words[1] || !(tf->flags & TPFLAGS_INLINE_VALUES))
			return dict_open_or_none(t, words[1], ret);
		return managed_values_open(t, facts, type, addr + tf->basicsize, slot, 0, ret);
	case MANAGED_NONE:
		break;
	}
	return -EINVAL;
}

/* tp_dictoffset below 0 counts from the end of an object of variable size; see
 * _PyObject_GetDictPtr() in Objects/object.c at v3.10.13. */
static int dictoffset_from_start(const struct py_target *t, remote_addr addr,
				 const struct type_facts *tf, int64_t *ret)
{
	uint64_t size;
	int err;

	*ret = tf->dictoffset;
	if (tf->dictoffset >= 0)
		return 0;
	err = remote_read_u64(t->remote, after_object(t, addr) + VAR_SIZE, &size);
	if (err)
		return err;
	if (size > INT64_MAX) /* a negative int's */
		size = -size;
	if (size > TYPE_SIZE_MAX)
		return -EINVAL;
	size = (tf->basicsize + size * tf->itemsize + WORD - 1) / WORD * WORD;
	*ret += (int64_t)size;
	return *ret > 0 ? 0 : -EINVAL;
}

static int type_read(const struct py_target *t, remote_addr type, struct type_facts *tf)
{
	remote_addr base = after_object(t, type);
	const struct remote_iov iov[] = {
		{ base + TYPE_BASICSIZE, &tf->basicsize, 2 * WORD },
		{ base + TYPE_FLAGS, &tf->flags, WORD },
		{ base + TYPE_DICTOFFSET, &tf->dictoffset, WORD },
	};
	ssize_t got;

	if (type == 0 || type % WORD || type >= REMOTE_ADDR_MAX)
		return -EINVAL;
	got = remote_readv(t->remote, iov, ARRAY_SIZE(iov));
	if (got < 0)
		return (int)got;
	if (got < (ssize_t)ARRAY_SIZE(iov))
		return -EFAULT;
	if (tf->basicsize > TYPE_SIZE_MAX || tf->itemsize > TYPE_SIZE_MAX ||
	    tf->dictoffset < -TYPE_SIZE_MAX || tf->dictoffset > TYPE_SIZE_MAX)
		return -EINVAL;
	return 0;
}

int dict_open_instance(const struct py_target *t, remote_addr addr, struct dict *ret)
{
	const struct dict_facts *facts = facts_of(t);
	struct type_facts tf;
	remote_addr type, dict;
	int64_t offset;
	int err;

	if (!facts || addr % WORD || addr < 4 * WORD)
		return -EINVAL;
	err = remote_read_u64(t->remote, addr + t->layout.object.ob_type, &type);
	if (err)
		return err;
	err = type_read(t, type, &tf);
	if (err)
		return err;
	if (facts->managed != MANAGED_NONE && (tf.flags & TPFLAGS_MANAGED_DICT))
		return managed_open(t, facts, addr, type, &tf, ret);
	if (tf.dictoffset == 0)
		return -ENOENT;
	err = dictoffset_from_start(t, addr, &tf, &offset);
	if (err)
		return err;
	err = remote_read_u64(t->remote, addr + (uint64_t)offset, &dict);
	return err ? err : dict_open_or_none(t, dict, ret);
}

/* `n` entries from the `first` on; deleted ones have a value of 0. */
static int batch_read(const struct py_target *t, const struct dict *d, uint32_t first, uint32_t n,
		      struct dict_item items[BATCH])
{
	uint8_t entries[BATCH * ENTRY_FULL], values[BATCH * WORD];
	remote_addr from = d->entries + (uint64_t)first * d->entry_size;
	remote_addr values_from = d->values + (uint64_t)first * WORD;
	/* The last entry's hole is left out: where a table ends, a page may. */
	size_t len = (size_t)(n - 1) * d->entry_size + d->value_offset + WORD;
	int err = remote_read(t->remote, from, entries, len);

	if (!err && d->values)
		err = remote_read(t->remote, values_from, values, (size_t)n * WORD);
	if (err)
		return err;
	for (uint32_t i = 0; i < n; i++) {
		size_t entry = (size_t)i * d->entry_size;

		items[i].key = word_at(entries, entry);
		if (d->values) {
			items[i].value = word_at(values, (size_t)i * WORD);
			items[i].slot = values_from + (uint64_t)i * WORD;
		} else {
			items[i].value = word_at(entries, entry + d->value_offset);
			items[i].slot = from + entry + d->value_offset;
		}
		if (items[i].key == 0)
			items[i].value = 0;
	}
	return 0;
}

static uint32_t batch_len(const struct dict *d, uint32_t first)
{
	return d->count - first < BATCH ? d->count - first : BATCH;
}

int dict_each(const struct py_target *t, const struct dict *d,
	      int (*each)(void *arg, const struct dict_item *item), void *arg)
{
	struct dict_item items[BATCH];

	for (uint32_t first = 0; first < d->count; first += BATCH) {
		uint32_t n = batch_len(d, first);
		int ret = batch_read(t, d, first, n, items);

		for (uint32_t i = 0; i < n && !ret; i++)
			if (items[i].value)
				ret = each(arg, &items[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* The header and first characters of a key; long enough for the longest name and its NUL. */
struct key_head {
	uint8_t bytes[128 + DICT_NAME_MAX];
};

static bool key_equals(const struct py_layout *l, const struct key_head *h, const char *name,
		       size_t len)
{
	unsigned int shift = l->unicode_state == UNICODE_KIND_BIT_8 ? 8 : 2;
	uint32_t state;

	memcpy(&state, h->bytes + l->unicode.state, sizeof(state));
	return word_at(h->bytes, l->unicode.length) == len &&
	       (state >> shift & 31) == (1 | 8 | 16) && /* one byte a character, compact, ASCII */
	       !memcmp(h->bytes + l->unicode.ascii_data, name, len + 1);
}

/* The index of the key equal to `name` in a batch; -ENOENT. A key that cannot be read is skipped:
 * it is not the one looked for, or it is gone. */
static int batch_find(const struct py_target *t, const struct dict_item items[BATCH], uint32_t n,
		      const char *name)
{
	const struct py_layout *l = &t->layout;
	struct key_head heads[BATCH];
	struct remote_iov iov[BATCH];
	uint32_t index[BATCH], count = 0, done = 0;
	size_t len = strlen(name);

	for (uint32_t i = 0; i < n; i++) {
		if (!items[i].value || items[i].key >= REMOTE_ADDR_MAX)
			continue;
		iov[count] = (struct remote_iov){ items[i].key, heads[count].bytes,
						  l->unicode.ascii_data + len + 1 };
		index[count++] = i;
	}
	while (done < count) {
		ssize_t got = remote_readv(t->remote, iov + done, count - done);

		if (got < 0)
			return (int)got;
		for (uint32_t i = done; i < done + (uint32_t)got; i++)
			if (key_equals(l, &heads[i], name, len))
				return (int)index[i];
		done += (uint32_t)got + 1;
	}
	return -ENOENT;
}

int dict_find(const struct py_target *t, const struct dict *d, const char *name,
	      struct dict_item *ret)
{
	struct dict_item items[BATCH];

	if (strlen(name) > DICT_NAME_MAX ||
	    t->layout.unicode.ascii_data + DICT_NAME_MAX + 1 > sizeof(struct key_head))
		return -EINVAL;
	for (uint32_t first = 0; first < d->count; first += BATCH) {
		uint32_t n = batch_len(d, first);
		int found = batch_read(t, d, first, n, items);

		if (found == 0)
			found = batch_find(t, items, n, name);
		if (found >= 0) {
			*ret = items[found];
			return 0;
		}
		if (found != -ENOENT)
			return found;
	}
	return -ENOENT;
}

int dict_holds(const struct py_target *t, const struct dict *d, const struct dict_item *item)
{
	uint64_t root, value;
	const struct remote_iov iov[] = {
		{ d->root_slot, &root, sizeof(root) },
		{ item->slot, &value, sizeof(value) },
	};
	ssize_t got = remote_readv(t->remote, iov, ARRAY_SIZE(iov));

	if (got < 0)
		return (int)got;
	if (got < (ssize_t)ARRAY_SIZE(iov) || root != d->root)
		return -ESTALE;
	return value == item->value ? 0 : -EAGAIN;
}
