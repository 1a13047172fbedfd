/* SPDX-License-Identifier: MIT
 * A target's description written to and read from a fixture's header. */
#include "py/fixture.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "py/debug_offsets.h"

#ifdef __aarch64__
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_X86_64
#endif

int target_to_fixture(const struct py_target *t, const struct remote *recorder, struct buf *header)
{
	char version[PYVER_TEXT_MAX];
	uint8_t bytes[DEBUG_OFFSETS_MAX];

	buf_addf(header, "version %s\n", pyver_text(t->version, version));
	buf_addf(header, "free_threaded %d\ntrace_refs %d\n", t->layout.free_threaded,
		 t->layout.trace_refs);
	buf_addf(header, "machine %s\npid %d\n",
		 (t->machine ? t->machine : OWN_MACHINE) == EM_AARCH64 ? "aarch64" : "x86_64",
		 (int)t->pid);
	buf_addf(header, "runtime %" PRIraddr "\ncode_type %" PRIraddr "\ntstate_current %" PRIraddr "\n",
		 t->runtime, t->code_type, t->tstate_current);
	buf_addf(header, "pthread_tid_offset %u\n", t->pthread_tid_offset);
	buf_addf(header, "debug_offsets %d\n", t->debug_offsets);
	if (!t->debug_offsets)
		return 0;
	if (t->layout.tstate.base_frame != NO_FIELD)
		buf_addf(header, "base_frame %u\n", t->layout.tstate.base_frame);
	return remote_read(recorder, t->runtime, bytes, sizeof(bytes));
}

/* 0 when the key is absent. */
static uint64_t number(const struct fixture *f, const char *key)
{
	const char *value = fixture_value(f, key, 0);

	return value ? strtoull(value, NULL, 0) : 0;
}

static uint16_t machine_of(const struct fixture *f)
{
	const char *machine = fixture_value(f, "machine", 0);

	if (!machine)
		return 0;
	return !strcmp(machine, "aarch64") ? EM_AARCH64 : EM_X86_64;
}

static int layout_from_row(struct py_target *t, const struct fixture *f)
{
	const struct py_layout *row = layout_find(t->version, number(f, "free_threaded") != 0,
						  number(f, "trace_refs") != 0);

	if (!row || !t->machine)
		return -EINVAL;
	t->layout = *row;
	target_layout_arch(&t->layout, t->version, t->machine);
	return 0;
}

static int layout_from_memory(struct py_target *t, const struct fixture *f)
{
	uint8_t bytes[DEBUG_OFFSETS_MAX];
	struct debug_offsets o;

	if (remote_read(t->remote, t->runtime, bytes, sizeof(bytes)) < 0 ||
	    debug_offsets_parse(&o, bytes, sizeof(bytes)) < 0 || o.version != t->version)
		return -EINVAL;
	t->layout = o.layout;
	t->debug_offsets = true;
	t->version_guessed = o.guessed;
	if (fixture_value(f, "base_frame", 0))
		t->layout.tstate.base_frame = (uint32_t)number(f, "base_frame");
	return 0;
}

int target_from_fixture(struct py_target *t, const struct fixture *f, struct remote *remote,
			struct err *err)
{
	const char *version = fixture_value(f, "version", 0);
	int ret;

	*t = (struct py_target){
		.pid = (pid_t)number(f, "pid"), .remote = remote, .how = "fixture",
		.version = version ? pyver_parse(version) : 0,
		.machine = machine_of(f),
		.runtime = number(f, "runtime"), .code_type = number(f, "code_type"),
		.tstate_current = number(f, "tstate_current"),
		.pthread_tid_offset = (uint32_t)number(f, "pthread_tid_offset"),
	};
	ret = number(f, "debug_offsets") ? layout_from_memory(t, f) : layout_from_row(t, f);
	if (ret < 0)
		return err_set(err, ret, EXIT_FAILED, "fixture: no layout for version %s",
			       version ? version : "(none)");
	return 0;
}
