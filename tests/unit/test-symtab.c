/* SPDX-License-Identifier: MIT
 * Interned names: found again, told apart, bounded. */
#include "sym/symtab.h"

#include "tap.h"

int main(void)
{
	struct symtab t;
	uint32_t a, b, f;
	char name[16];

	symtab_init(&t);
	f = symtab_file(&t, "/app/views.py", 13);
	is_int(symtab_file(&t, "/app/views.pyc", 13), f, "equal path, equal number");
	ok(symtab_file(&t, "/app/view", 9) != f, "a prefix is another file");
	a = symtab_func(&t, SYM_PYTHON, "View.get", 8, f, 10);
	b = symtab_func(&t, SYM_PYTHON, "View.get", 8, f, 20);
	ok(a != b, "same name on another line is another function");
	is_int(symtab_func(&t, SYM_PYTHON, "View.get()", 8, f, 10), a, "found again");
	is_str(symtab_func_at(&t, a)->name, "View.get", "name is kept");

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		symtab_func(&t, SYM_PYTHON, name, strlen(name), f, i);
	}
	is_int(symtab_func(&t, SYM_PYTHON, "f777", 4, f, 777), a + 2 + 777, "found after growth");

	symtab_set_short_path(&t, f, "app/views.py");
	is_str(symtab_file_at(&t, f)->short_path, "app/views.py", "short path");
	is_str(symtab_func_at(&t, SYM_OVERFLOW)->name, "[names full]", "function 0 says so");
	symtab_release(&t);
	return tap_done();
}
