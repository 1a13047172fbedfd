/* SPDX-License-Identifier: MIT
 * CPython versions in text. */
#include "py/version.h"

#include <stdio.h>

/* Release levels of PY_VERSION_HEX, bits 4-7. */
static const char *level_text(uint32_t hex)
{
	switch ((hex >> 4) & 0xf) {
	case 0xa: return "a";
	case 0xb: return "b";
	case 0xc: return "rc";
	default: return "";
	}
}

char *pyver_text(uint32_t hex, char text[PYVER_TEXT_MAX])
{
	const char *level = level_text(hex);
	int n = snprintf(text, PYVER_TEXT_MAX, "%u.%u.%u", hex >> 24, (hex >> 16) & 0xff,
			 (hex >> 8) & 0xff);

	if (*level)
		snprintf(text + n, (size_t)(PYVER_TEXT_MAX - n), "%s%u", level, hex & 0xf);
	return text;
}

uint32_t pyver_parse(const char *text)
{
	unsigned int major, minor, micro = 0, serial = 0;
	char level[3] = "";
	uint32_t hex;
	int n = sscanf(text, "%1u.%2u.%2u%2[abrc]%2u", &major, &minor, &micro, level, &serial);

	if (n < 2)
		return 0;
	hex = PYVER(major, minor) | micro << 8;
	if (level[0] == '\0')
		return hex | 0xf0;
	return hex | (level[0] == 'a' ? 0xa0u : level[0] == 'b' ? 0xb0u : 0xc0u) | (serial & 0xf);
}
