/* SPDX-License-Identifier: MIT
 * Decodes the line tables that tests/tools/dump-linetables.py wrote to stdin and compares each
 * instruction's line with the interpreter's own. Prints counts; exits 1 on a difference. */
#include "py/linetable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

enum { SHOWN_MAX = 20, CODE_MAX = 1 << 28, LABEL_MAX = 1024 };

struct header {
	char magic[4];
	uint8_t format, major, minor, reserved;
};

struct record {
	int32_t first_line;
	uint32_t code_len, table_len, label_len;
};

struct counts {
	uint64_t codes, instructions, differences, malformed, tables_64k, no_line;
};

static void must_read(void *buf, size_t len)
{
	if (len && fread(buf, len, 1, stdin) != 1) {
		fprintf(stderr, "check-linetables: the dump is cut short\n");
		exit(2);
	}
}

static void *read_new(size_t len)
{
	void *buf = xmalloc(len + !len);

	must_read(buf, len);
	return buf;
}

static void compare(const struct linetable *t, const struct record *r, const char *label,
		    const int32_t *lines, struct counts *counts)
{
	uint32_t units = r->code_len / 2;

	for (uint32_t i = 0; i <= units; i++) {
		int64_t offset = i == units ? -1 : (int64_t)i * 2; /* the last: not started */
		int32_t line = linetable_line(t, offset);

		counts->no_line += lines[i] == 0;
		if (line == lines[i])
			continue;
		if (counts->differences++ < SHOWN_MAX)
			printf("# %s: offset %" PRId64 ": line %d, the interpreter says %d\n",
			       label, offset, line, lines[i]);
	}
	counts->instructions += units;
}

static void check_record(const struct record *r, enum linetable_format format,
			 struct counts *counts)
{
	uint8_t *table = read_new(r->table_len);
	char *label = read_new(r->label_len);
	int32_t *lines = read_new((r->code_len / 2 + 1) * sizeof(*lines));
	char *name = xstrndup(label, r->label_len);
	struct linetable t;

	if (linetable_decode(&t, format, table, r->table_len, r->first_line, r->code_len)) {
		printf("# %s: called malformed\n", name);
		counts->malformed++;
	}
	compare(&t, r, name, lines, counts);
	counts->codes++;
	counts->tables_64k += r->table_len > 65535;
	linetable_release(&t);
	free(name);
	free(lines);
	free(label);
	free(table);
}

int main(void)
{
	struct counts counts = { 0 };
	struct header header;
	struct record r;

	must_read(&header, sizeof(header));
	if (memcmp(header.magic, "PSLT", 4)) {
		fprintf(stderr, "check-linetables: not a dump of line tables\n");
		return 2;
	}
	while (fread(&r, sizeof(r), 1, stdin) == 1) {
		if (r.code_len > CODE_MAX || r.table_len > CODE_MAX || r.label_len > LABEL_MAX) {
			fprintf(stderr, "check-linetables: impossible lengths\n");
			return 2;
		}
		check_record(&r, (enum linetable_format)header.format, &counts);
	}
	printf("%u.%u: %" PRIu64 " code objects, %" PRIu64 " instructions, %" PRIu64
	       " without a line, %" PRIu64 " tables over 64 KB, %" PRIu64 " malformed, %" PRIu64
	       " differences\n",
	       header.major, header.minor, counts.codes, counts.instructions, counts.no_line,
	       counts.tables_64k, counts.malformed, counts.differences);
	return counts.differences || counts.malformed || counts.codes == 0;
}
