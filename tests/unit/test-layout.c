/* SPDX-License-Identifier: MIT
 * Rows found by version, and what lies elsewhere by machine and patch level. */
#include "py/layout.h"

#include <elf.h>

#include "tap.h"
#include "util/attr.h"

static const struct {
	uint32_t version;
	uint16_t machine;
	uint32_t tstate_current;
} moved[] = { /* Include/internal/pycore_runtime.h of each version, compiled for both machines */
	{ PYVER(3, 7) | 0x00f0, EM_X86_64, 1480 }, /* patch level unknown: the newest */
	{ PYVER(3, 7) | 0x03f0, EM_X86_64, 1392 }, { PYVER(3, 7) | 0x03f0, EM_AARCH64, 1408 },
	{ PYVER(3, 7) | 0x04f0, EM_X86_64, 1480 }, { PYVER(3, 7) | 0x04f0, EM_AARCH64, 1496 },
	{ PYVER(3, 8) | 0x12f0, EM_X86_64, 1368 }, { PYVER(3, 8) | 0x12f0, EM_AARCH64, 1384 },
	{ PYVER(3, 10) | 0x0df0, EM_AARCH64, 584 }, { PYVER(3, 11) | 0x07f0, EM_AARCH64, 592 },
	{ PYVER(3, 12) | 0x01f0, EM_AARCH64, NO_FIELD }, { PYVER(3, 6) | 0x0ff0, EM_AARCH64, NO_FIELD },
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		const struct py_layout *row = layout_find(moved[i].version, false, false);
		char text[PYVER_TEXT_MAX];
		struct py_layout l;

		if (!ok(row != NULL, "a row for %s", pyver_text(moved[i].version, text)))
			continue;
		l = *row;
		target_layout_arch(&l, moved[i].version, moved[i].machine);
		is_int(l.runtime.tstate_current, moved[i].tstate_current, text);
	}
	ok(layout_find(PYVER(3, 6), false, true)->frame.code == 48, "3.6 with trace refs");
	ok(layout_find(PYVER(3, 8), false, true) == NULL, "later ones are not known");
	ok(layout_find(PYVER(3, 12), true, false) == NULL, "3.12 was never free-threaded");
	ok(layout_find(PYVER(3, 16), false, false) == NULL, "3.16 is not known");
	return tap_done();
}
