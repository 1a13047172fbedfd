/* SPDX-License-Identifier: MIT
 * A CPython version as PY_VERSION_HEX (Include/patchlevel.h): 0x030d00f0 is 3.13.0 final. */
#ifndef PY_VERSION_H
#define PY_VERSION_H

#include <stdint.h>

#define PYVER(major, minor) (((uint32_t)(major) << 24) | ((uint32_t)(minor) << 16))

/* Oldest and newest known; beyond the newest a valid _Py_DebugOffsets is tried with a warning. */
#define PYVER_OLDEST PYVER(3, 6)
#define PYVER_NEWEST PYVER(3, 15)

static inline uint32_t pyver_minor_of(uint32_t hex)
{
	return hex & 0xffff0000u;
}

/* "3.13.0", "3.15.0a2": at most PYVER_TEXT_MAX bytes with NUL; returns text. */
enum { PYVER_TEXT_MAX = 24 };
char *pyver_text(uint32_t hex, char text[PYVER_TEXT_MAX]);

/* Parses "3.13.0", "3.15.0a2", "3.8"; 0 when it is none. */
uint32_t pyver_parse(const char *text);

#endif
