/* SPDX-License-Identifier: MIT
 * Strings of JSON (RFC 8259, section 7). */
#include "util/json.h"

#include <stdint.h>
#include <string.h>

#include "util/utf8.h"

/* Beyond what JSON asks for: what no terminal, script or XML should meet. */
static bool needs_escape(uint32_t c, bool in_markup)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
	       (c & 0xfffe) == 0xfffe || (in_markup && (c == '<' || c == '>' || c == '&'));
}

static void add_escaped(struct buf *b, uint32_t c)
{
	if (c == '\n')
		buf_adds(b, "\\n");
	else if (c == '\t')
		buf_adds(b, "\\t");
	else if (c < 0x10000)
		buf_addf(b, "\\u%04x", c);
	else /* UTF-16 pair */
		buf_addf(b, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

void json_add_string(struct buf *b, const char *s, size_t len, bool in_markup)
{
	uint32_t c;

	buf_addc(b, '"');
	for (size_t i = 0, n; i < len; i += n) {
		char utf8[4];

		n = utf8_next(s + i, len - i, &c);
		if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
		} else if (needs_escape(c, in_markup)) {
			add_escaped(b, c);
		} else {
			buf_add(b, utf8, utf8_put(utf8, c));
		}
	}
	buf_addc(b, '"');
}
